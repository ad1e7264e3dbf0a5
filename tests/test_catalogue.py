"""What the database's own catalogue says about isolation, after every migration and for every application role.

These look as the superuser, because they ask about the roles. Each query returns what is wrong, so it must be empty.
"""

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from portal.core import db
from portal.core.db import asyncpg_dsn, migrate
from portal.core.roles import BACKUP, FACTORY, IDENTITY, OWNER, PARTNER
from portal.core.settings import Settings
from portal.core.tables import Policy
from tests.databases import Server, create_database, drop_database

for found in sorted(Path(db.__file__).parent.parent.glob("*/model*.py")):
    importlib.import_module(f"portal.{found.parent.name}.{found.stem}")


def models() -> dict[str, type[SQLModel]]:
    """Every table of the application by its name."""

    def below(kind: type[SQLModel]) -> list[type[SQLModel]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    return {str(kind.__tablename__): kind for kind in below(SQLModel) if hasattr(kind, "__table__")}


def policy_of(model: type[SQLModel]) -> Policy:
    policy: Policy = model.policy  # type: ignore[attr-defined]
    return policy


SERVING = (FACTORY, PARTNER, IDENTITY)
# Functions that pass policies, each with the reason why it must. Any other one is a finding.
DEFINERS = {
    "all_tenants",  # the machinery's list of tenants: ids only
    "pending_tenants",  # the same, where something waits
    "learn_statistics",  # ANALYZE, which belongs to the owner; shows and changes no row
    "seal_audit",  # writes the seal, which no role may write; works on the current tenant alone
}
# Tables that carry no company, each with the reason. Any other one is a finding.
WITHOUT_PARTY = {
    "alembic_version",  # the migration's own
    "tenant",  # published: one row a tenant
    "delivery",  # private: jobs
    "import_run",  # private
    "item",  # private
    "contract_note",  # private: what a partner must not learn about its contract
    "user_account",  # identity: a person may act for several companies
    "user_session",  # identity
}
IDENTITY_TABLES = {name for name, model in models().items() if policy_of(model) is Policy.IDENTITY}
WITHOUT_POLICIES = IDENTITY_TABLES | {"alembic_version"}  # factory and partner have no right on any of them
NOT_TOLD_YET = {  # what a partner does not see although it is theirs: drafts
    "contract": "(proposed_at IS NOT NULL)",
    "schedule_line": "((status)::text <> 'draft'::text)",
}


@pytest.fixture(scope="module")
async def catalogue(server: Server) -> AsyncIterator[asyncpg.Connection]:
    """A freshly migrated database as the superuser sees it."""
    name = f"portal_catalogue_{os.urandom(4).hex()}"
    await create_database(server, name)
    connection = await asyncpg.connect(asyncpg_dsn(server.superuser_url), database=name)
    yield connection
    await connection.close()
    await drop_database(server, name)


async def column(connection: asyncpg.Connection, query: str, *values: Any) -> list[Any]:
    return [row[0] for row in await connection.fetch(query, *values)]


OURS = "c.relnamespace = 'public'::regnamespace"


# --- drift checks, numbered as in the reliability rules --------------------------------------------------------------


async def test_c1_every_table_that_serves_is_under_forced_policies(catalogue: asyncpg.Connection) -> None:
    naked = await column(
        catalogue,
        f"select relname from pg_class c where {OURS} and relkind in ('r', 'p')"
        " and not (relrowsecurity and relforcerowsecurity)",
    )
    identity = {name for name, model in models().items() if policy_of(model) is Policy.IDENTITY}
    assert set(naked) == identity | {"alembic_version"}
    for role in (FACTORY, PARTNER):
        readable = (
            "select $2::text || ' ' || t from unnest($1::text[]) t where has_any_column_privilege($2, t, 'SELECT')"
        )
        assert await column(catalogue, readable, naked, role) == []


async def test_c2_no_view_looks_past_the_policies(catalogue: asyncpg.Connection) -> None:
    views = (
        f"select relname from pg_class c where {OURS} and (relkind = 'm' or (relkind = 'v'"
        " and coalesce(array_to_string(reloptions, ','), '') not like '%security_invoker=true%'))"
    )
    assert await column(catalogue, views) == []


async def test_c3_only_listed_functions_pass_policies_and_nobody_moves_their_search_path(
    catalogue: asyncpg.Connection,
) -> None:
    definers = await catalogue.fetch(
        "select proname, array_to_string(proconfig, ',') as config, oid::regprocedure::text as signature,"
        " has_function_privilege('public', oid, 'EXECUTE') as open from pg_proc"
        " where prosecdef and pronamespace = 'public'::regnamespace"
    )
    assert {row["proname"] for row in definers} == DEFINERS
    for row in definers:
        assert row["config"] == "search_path=pg_catalog, pg_temp", row["proname"]
        assert not row["open"], row["proname"]
        for role in (PARTNER, IDENTITY):
            assert not await catalogue.fetchval(
                "select has_function_privilege($1, $2, 'EXECUTE')", role, row["signature"]
            )


@pytest.mark.parametrize("role", SERVING)
async def test_c4_a_serving_role_owns_nothing_and_may_not_empty_tables(
    catalogue: asyncpg.Connection, role: str
) -> None:
    strong = (
        "select rolname from pg_roles where rolname = $1"
        " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)"
    )
    member = "select roleid::regrole::text from pg_auth_members where member = $1::regrole"
    owns = "select relname from pg_class where relowner = $1::regrole"
    may = (
        f"select relname from pg_class c where {OURS} and relkind in ('r', 'p') and (has_table_privilege($1, c.oid,"
        " 'TRUNCATE') or has_table_privilege($1, c.oid, 'REFERENCES') or has_table_privilege($1, c.oid, 'TRIGGER'))"
    )
    for query in (strong, member, owns, may):
        assert await column(catalogue, query, role) == []
    assert not await catalogue.fetchval("select has_schema_privilege($1, 'public', 'CREATE')", role)


async def test_c5_no_unique_index_tells_about_another_company(catalogue: asyncpg.Connection) -> None:
    keyed = (
        "select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attname = $1"
        f" where i.indisunique and not i.indisprimary and not a.attnum = any(i.indkey::int2[]) and {OURS}"
        " and not (c.relname = any($2))"
    )
    for name in ("party_id", "tenant_id"):
        assert await column(catalogue, keyed, name, list(WITHOUT_POLICIES)) == []
    primary = (
        "select c.relname from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'tenant_id'"
        f" where i.indisprimary and i.indkey[0] <> a.attnum and {OURS} and not (c.relname = any($1))"
    )
    assert await column(catalogue, primary, list(WITHOUT_POLICIES)) == []


async def test_c6_no_foreign_key_tells_about_another_company(catalogue: asyncpg.Connection) -> None:
    keys = await catalogue.fetch(
        "select k.conname, k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent,"
        " (select array_agg(attname::text) from pg_attribute where attrelid = k.confrelid and attnum = any(k.confkey))"
        " as parents, (select array_agg(attname::text) from pg_attribute where attrelid = k.conrelid"
        " and attnum = any(k.conkey)) as columns from pg_constraint k join pg_class c on c.oid = k.conrelid"
        f" where k.contype = 'f' and {OURS}"
    )
    assert keys
    for key in keys:
        if key["child"] in WITHOUT_POLICIES or policy_of(models()[key["child"]]) is Policy.PRIVATE:
            continue  # partners write neither
        assert "tenant_id" in key["parents"], key["conname"]
        if "party_id" in key["parents"]:
            continue
        assert policy_of(models()[key["parent"]]) in (Policy.PRIVATE, Policy.PUBLISHED), key["conname"]
        for name in set(key["columns"]) - {"tenant_id"}:
            for right in ("INSERT", "UPDATE"):
                question = "select has_column_privilege($1, $2, $3, $4)"
                assert not await catalogue.fetchval(question, PARTNER, key["child"], name, right), key["conname"]


async def test_c7_no_function_claims_to_be_leakproof(catalogue: asyncpg.Connection) -> None:
    query = "select proname from pg_proc where proleakproof and pronamespace <> 'pg_catalog'::regnamespace"
    assert await column(catalogue, query) == []


async def test_c8_no_policy_is_always_true_or_opens_without_a_setting(catalogue: asyncpg.Connection) -> None:
    query = (
        "select polrelid::regclass::text || '.' || polname from pg_policy where"
        " pg_get_expr(polqual, polrelid) ~* '(^\\(?true\\)?$| is null)'"
        " or pg_get_expr(polwithcheck, polrelid) ~* '(^\\(?true\\)?$| is null)'"
        " or 0 = any(polroles)"  # for everybody
    )
    assert await column(catalogue, query) == []


async def test_c9_no_column_holds_floats_money_or_times_without_a_zone(catalogue: asyncpg.Connection) -> None:
    query = (
        "select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
        f" where {OURS} and relkind in ('r', 'p') and attnum > 0 and not attisdropped"
        " and atttypid = any(array['timestamp', 'real', 'float8', 'money', 'json', 'time', 'timetz']::regtype[])"
    )
    assert await column(catalogue, query) == []


async def test_every_table_names_its_company_or_is_listed(catalogue: asyncpg.Connection) -> None:
    query = (
        f"select relname from pg_class c where {OURS} and relkind in ('r', 'p') and not exists (select 1"
        " from pg_attribute a where a.attrelid = c.oid and a.attname = 'party_id' and a.attnotnull)"
    )
    assert set(await column(catalogue, query)) == WITHOUT_PARTY & (set(models()) | {"alembic_version"})


# --- table classes ----------------------------------------------------------------------------------------------------

TENANT = "(tenant_id = app_tenant())"
OWN = "((tenant_id = app_tenant()) AND (party_id = app_party()))"
Pair = dict[str, tuple[str, str | None, str | None]]  # role -> command, using, with check
POLICIES: dict[Policy, Pair] = {
    Policy.SHARED: {FACTORY: ("ALL", TENANT, TENANT), PARTNER: ("ALL", OWN, OWN)},
    Policy.PRIVATE: {FACTORY: ("ALL", TENANT, TENANT)},
    Policy.PUBLISHED: {FACTORY: ("ALL", TENANT, TENANT), PARTNER: ("SELECT", TENANT, None)},
    Policy.TIMELINE: {FACTORY: ("ALL", TENANT, TENANT), PARTNER: ("ALL", OWN, OWN)},
    Policy.OUTBOX: {FACTORY: ("ALL", TENANT, TENANT), PARTNER: ("INSERT", None, OWN)},
    Policy.AUDIT: {FACTORY: ("ALL", TENANT, TENANT), PARTNER: ("INSERT", None, OWN)},
    Policy.OWN: {FACTORY: ("ALL", OWN, OWN), PARTNER: ("ALL", OWN, OWN)},
    Policy.IDENTITY: {},
}
NEVER: dict[Policy, dict[str, set[str]]] = {  # rights that a class forbids, whatever else a table grants
    Policy.SHARED: {IDENTITY: {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    Policy.PRIVATE: {PARTNER: {"SELECT", "INSERT", "UPDATE", "DELETE"}},
    Policy.PUBLISHED: {PARTNER: {"INSERT", "UPDATE", "DELETE"}},
    Policy.TIMELINE: {FACTORY: {"UPDATE", "DELETE"}, PARTNER: {"UPDATE", "DELETE"}},
    Policy.OUTBOX: {FACTORY: {"DELETE"}, PARTNER: {"SELECT", "UPDATE", "DELETE"}},
    Policy.AUDIT: {FACTORY: {"UPDATE", "DELETE"}, PARTNER: {"SELECT", "UPDATE", "DELETE"}},
    Policy.OWN: {FACTORY: {"DELETE"}, PARTNER: {"DELETE"}},
    Policy.IDENTITY: {role: {"SELECT", "INSERT", "UPDATE", "DELETE"} for role in (FACTORY, PARTNER)},
}


@pytest.mark.parametrize("name", sorted(models()))
async def test_a_tables_policies_and_rights_are_those_of_its_class(catalogue: asyncpg.Connection, name: str) -> None:
    policy = policy_of(models()[name])
    rows = await catalogue.fetch(
        "select roles::text[] as roles, cmd, qual, with_check from pg_policies where tablename = $1", name
    )
    expected = dict(POLICIES[policy])
    if name in NOT_TOLD_YET:
        told = OWN.removesuffix(")") + f" AND {NOT_TOLD_YET[name]})"
        expected[PARTNER] = ("ALL", told, told)
    assert {tuple(row["roles"]): (row["cmd"], row["qual"], row["with_check"]) for row in rows} == {
        (role,): pair for role, pair in expected.items()
    }
    for role, rights in NEVER[policy].items():
        for right in rights:
            ask = "has_table_privilege" if right == "DELETE" else "has_any_column_privilege"
            assert not await catalogue.fetchval(f"select {ask}($1, $2, $3)", role, name, right), (role, right)
    if policy is not Policy.IDENTITY:
        assert not await catalogue.fetchval("select has_any_column_privilege($1, $2, 'SELECT')", IDENTITY, name)


@pytest.mark.parametrize("table", ["release", "release_line", "receipt", "receipt_line", "photo", "shipment_line"])
@pytest.mark.parametrize("role", [FACTORY, PARTNER])
async def test_documents_that_prove_something_are_never_changed(
    catalogue: asyncpg.Connection, table: str, role: str
) -> None:
    for right, ask in (("UPDATE", "has_any_column_privilege"), ("DELETE", "has_table_privilege")):
        assert not await catalogue.fetchval(f"select {ask}($1, $2, $3)", role, table, right), right


# --- migrations -------------------------------------------------------------------------------------------------------


async def test_the_models_and_the_migrated_schema_are_the_same(database: Settings) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    engine = create_async_engine(str(database.database_url))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_checks_in_the_models_and_in_the_schema_are_the_same(catalogue: asyncpg.Connection) -> None:
    said = {
        f"{table.name}.{constraint.name}"
        for table in SQLModel.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    query = (
        "select k.conrelid::regclass::text || '.' || k.conname from pg_constraint k"
        f" join pg_class c on c.oid = k.conrelid where k.contype = 'c' and {OURS}"
    )
    kept = {name.replace(f"ck_{name.partition('.')[0]}_", "", 1) for name in await column(catalogue, query)}
    assert {name.replace(f"ck_{name.partition('.')[0]}_", "", 1) for name in said} == kept


SHAPE = (
    "select 'column', table_name::text, column_name::text, data_type::text, coalesce(column_default, '')"
    " from information_schema.columns where table_schema = 'public'",
    "select 'policy', tablename::text, policyname::text, roles::text, coalesce(qual, '') || coalesce(with_check, '')"
    " from pg_policies",
    "select 'right', c.relname::text, coalesce(c.relacl::text, ''), coalesce((select"
    " string_agg(attname || attacl::text, ',' order by attnum)"
    f" from pg_attribute where attrelid = c.oid), ''), '' from pg_class c where {OURS}"
    " and relkind in ('r', 'v', 'm')",
    "select 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), '' from pg_constraint"
    " where connamespace = 'public'::regnamespace",
    "select 'index', tablename::text, indexname::text, indexdef, '' from pg_indexes where schemaname = 'public'",
    "select 'function', proname::text, coalesce(proacl::text, ''), prosrc, coalesce(proconfig::text, '') from pg_proc"
    " where pronamespace = 'public'::regnamespace",
)


async def shape(url: str) -> set[tuple[Any, ...]]:
    """Everything a migration makes, as text."""
    connection = await asyncpg.connect(asyncpg_dsn(url))
    try:
        return {tuple(row) for query in SHAPE for row in await connection.fetch(query)}
    finally:
        await connection.close()


async def test_migrations_go_up_down_and_up_to_the_same_schema(empty_database: Settings) -> None:
    url = str(empty_database.database_url)
    await migrate(url)
    first = await shape(url)
    await migrate(url, "base")
    nothing = {entry for entry in await shape(url) if "alembic_version" not in str(entry)}
    await migrate(url)

    assert nothing == set()
    assert await shape(url) == first
    assert {str(entry[1]) for entry in first} >= set(models())


async def test_two_migrators_at_once_do_not_meet(empty_database: Settings) -> None:
    url = str(empty_database.database_url)
    await asyncio.gather(migrate(url), migrate(url))
    assert {entry[1] for entry in await shape(url) if entry[0] == "column"} == {*models(), "alembic_version"}


async def test_the_dump_role_reads_everything_and_writes_nothing(catalogue: asyncpg.Connection) -> None:
    for name in models():
        assert await catalogue.fetchval("select has_table_privilege($1, $2, 'SELECT')", BACKUP, name), name
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert not await catalogue.fetchval("select has_table_privilege($1, $2, $3)", BACKUP, name, right), name
    assert await column(catalogue, "select distinct tableowner::text from pg_tables where schemaname = 'public'") == [
        OWNER
    ]
