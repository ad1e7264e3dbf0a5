"""What the database's own catalogue says about isolation, after every migration and for every application role.

These look as the superuser, because they ask about the roles. Each query returns what is wrong, so it must be empty.
"""

import importlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlmodel import SQLModel

from portal.core import db
from portal.core.db import asyncpg_dsn
from portal.core.roles import BACKUP, FACTORY, IDENTITY, OWNER, PARTNER
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
    "sending_tenants",  # the same, where messages are due
    "learn_statistics",  # ANALYZE, which belongs to the owner; shows and changes no row
    "forget_answers",  # drops what companies of the current tenant were answered over a month ago; shows no row
    "seal_audit",  # writes the seal, which no role may write; works on the current tenant alone
}
# Tables that carry no company, each with the reason. Any other one is a finding.
WITHOUT_PARTY = {
    "alembic_version",  # the migration's own
    "tenant",  # published: one row a tenant
    "delivery",  # private: jobs
    "import_mapping",  # private
    "import_run",  # private
    "item",  # private
    "rule_set",  # private: what the factory wants looked at
    "approval_case",  # private
    "approval_step",  # private
    "custom_field",  # private: what the factory keeps about items, partners and contracts
    "custom_values",  # private: the same
    "contract_template",  # private: the factory's own beginnings
    "exchange_rate",  # private
    "site_calendar",  # published: when the factory's sites work
    "release_plan",  # private: how the factory makes its releases
    "prepared_release",  # private: what nobody outside was told yet
    "line_plan",  # private: what the next release will ask for
    "seal_key",  # published: the certificates of the whole tenant
    "contract_note",  # private: what a partner must not learn about its contract
    "user_account",  # identity: a person may act for several companies
    "user_session",  # identity
    "password_token",  # identity: the person, whatever companies they act for
    "user_factor",  # identity: the person, whatever companies they act for
    "user_recovery_code",  # identity: the same
    "chat_account",  # identity: a chat as its service numbers it
    "chat_link",  # identity: the person's, before any company is chosen
    "bot_update",  # identity: stored before anybody knows whose it is
}
IDENTITY_TABLES = {name for name, model in models().items() if policy_of(model) is Policy.IDENTITY}
WITHOUT_POLICIES = IDENTITY_TABLES | {"alembic_version"}  # factory and partner have no right on any of them
CONTRACT_TOLD = (
    "(EXISTS ( SELECT\n   FROM contract c\n  WHERE ((c.tenant_id = {0}.tenant_id) AND (c.id = {0}.contract_id))))"
)
REQUEST_TOLD = (
    "(EXISTS ( SELECT\n   FROM change_request c\n  WHERE ((c.tenant_id = {0}.tenant_id) AND (c.id = {0}.change_id))))"
)
NOT_TOLD_YET = {  # what a partner does not see although it is theirs: drafts
    "contract": "(proposed_at IS NOT NULL)",
    "contract_file": "(NOT internal)",
    "schedule_line": "((status)::text <> 'draft'::text)",
    "commitment_terms": CONTRACT_TOLD.format("commitment_terms"),
    "commitment_bucket": CONTRACT_TOLD.format("commitment_bucket"),
    "change_request": "((submitted_at IS NOT NULL) OR ((asked_scope)::text = 'partner'::text))",
    "change_part": REQUEST_TOLD.format("change_part"),
    "change_file": REQUEST_TOLD.format("change_file"),
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


async def naked_tables(connection: asyncpg.Connection) -> list[str]:
    """C1: every table that serves is under forced policies; the others are out of reach for factory and partner."""
    query = (
        f"select relname from pg_class c where {OURS} and relkind in ('r', 'p')"
        " and not (relrowsecurity and relforcerowsecurity)"
        " and (not relname = any($1) or has_any_column_privilege($2, oid, 'SELECT')"
        " or has_any_column_privilege($3, oid, 'SELECT'))"
    )
    return await column(connection, query, list(WITHOUT_POLICIES), FACTORY, PARTNER)


async def open_views(connection: asyncpg.Connection) -> list[str]:
    """C2: no view looks past the policies."""
    return await column(
        connection,
        f"select relname from pg_class c where {OURS} and (relkind = 'm' or (relkind = 'v'"
        " and coalesce(array_to_string(reloptions, ','), '') not like '%security_invoker=true%'))",
    )


async def strong_functions(connection: asyncpg.Connection) -> list[str]:
    """C3: only listed functions pass policies, nobody moves their search path, and only the factory runs them."""
    return await column(
        connection,
        "select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace and not ("
        " proname = any($1) and coalesce(array_to_string(proconfig, ','), '') = 'search_path=pg_catalog, pg_temp'"
        " and not has_function_privilege('public', oid, 'EXECUTE') and not has_function_privilege($2, oid, 'EXECUTE')"
        " and not has_function_privilege($3, oid, 'EXECUTE'))",
        *(list(DEFINERS), PARTNER, IDENTITY),
    )


async def strong_roles(connection: asyncpg.Connection) -> list[str]:
    """C4: a serving role owns nothing, is no member of an owner, and may not empty or extend tables."""
    return await column(
        connection,
        "select rolname || ' is strong' from pg_roles where rolname = any($1)"
        " and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication"
        " or has_schema_privilege(oid, 'public', 'CREATE'))"
        " union all select roleid::regrole || ' has a member' from pg_auth_members"
        " where member::regrole::text = any($1)"
        " union all select relname || ' is owned' from pg_class where relowner::regrole::text = any($1)"
        " union all select relname || ' can be emptied or extended' from pg_class c, unnest($1::text[]) as role"
        f" where {OURS} and relkind in ('r', 'p') and (has_table_privilege(role, c.oid, 'TRUNCATE')"
        " or has_table_privilege(role, c.oid, 'REFERENCES') or has_table_privilege(role, c.oid, 'TRIGGER'))",
        list(SERVING),
    )


async def telling_indexes(connection: asyncpg.Connection) -> list[str]:
    """C5: no unique index tells about another company, and every primary key begins with the tenant."""
    keyed = (
        "select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attname = $1"
        f" where i.indisunique and not i.indisprimary and not a.attnum = any(i.indkey::int2[]) and {OURS}"
        " and not (c.relname = any($2))"
    )
    primary = (
        "select c.relname from pg_index i join pg_class c on c.oid = i.indrelid"
        " join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'tenant_id'"
        f" where i.indisprimary and i.indkey[0] <> a.attnum and {OURS} and not (c.relname = any($1))"
    )
    found = await column(connection, primary, list(WITHOUT_POLICIES))
    for name in ("party_id", "tenant_id"):
        found += await column(connection, keyed, name, list(WITHOUT_POLICIES))
    return found


async def telling_keys(connection: asyncpg.Connection) -> list[str]:
    """C6: a foreign key names the company too, unless partners cannot write the column that refers."""
    keys = await connection.fetch(
        "select k.conname, k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent,"
        " (select array_agg(attname::text) from pg_attribute where attrelid = k.confrelid and attnum = any(k.confkey))"
        " as parents, (select array_agg(attname::text) from pg_attribute where attrelid = k.conrelid"
        " and attnum = any(k.conkey) and attname <> 'tenant_id') as columns"
        f" from pg_constraint k join pg_class c on c.oid = k.conrelid where k.contype = 'f' and {OURS}"
    )
    assert keys
    return [
        key["conname"]
        for key in keys
        if key["child"] not in WITHOUT_POLICIES
        and not {"tenant_id", "party_id"} <= set(key["parents"])
        and await written_by_partners(connection, key)
    ]


async def written_by_partners(connection: asyncpg.Connection, key: asyncpg.Record) -> bool:
    question = "select has_column_privilege($1, $2, $3, 'INSERT') or has_column_privilege($1, $2, $3, 'UPDATE')"
    return any([await connection.fetchval(question, PARTNER, key["child"], name) for name in key["columns"]])


async def leakproof_functions(connection: asyncpg.Connection) -> list[str]:
    """C7: no function of ours claims to be leakproof."""
    query = "select proname from pg_proc where proleakproof and pronamespace <> 'pg_catalog'::regnamespace"
    return await column(connection, query)


async def open_policies(connection: asyncpg.Connection) -> list[str]:
    """C8: no policy is always true, opens without a setting, or is for everybody."""
    return await column(
        connection,
        "select polrelid::regclass::text || '.' || polname from pg_policy where"
        " pg_get_expr(polqual, polrelid) ~* '(^\\(?true\\)?$| is null)'"
        " or pg_get_expr(polwithcheck, polrelid) ~* '(^\\(?true\\)?$| is null)' or 0 = any(polroles)",
    )


async def wrong_types(connection: asyncpg.Connection) -> list[str]:
    """C9: no column holds floats, money, or times without a zone."""
    return await column(
        connection,
        "select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid"
        f" where {OURS} and relkind in ('r', 'p') and attnum > 0 and not attisdropped"
        " and atttypid = any(array['timestamp', 'real', 'float8', 'money', 'json', 'time', 'timetz']::regtype[])",
    )


Check = Callable[[asyncpg.Connection], Awaitable[list[str]]]
CHECKS: dict[str, Check] = {
    "C1": naked_tables,
    "C2": open_views,
    "C3": strong_functions,
    "C4": strong_roles,
    "C5": telling_indexes,
    "C6": telling_keys,
    "C7": leakproof_functions,
    "C8": open_policies,
    "C9": wrong_types,
}
DRIFT = [  # what a careless migration might do, and the check that must see it
    ("C1", "create table loose (tenant_id uuid, party_id uuid)"),
    ("C1", "alter table receipt no force row level security"),
    ("C1", "grant select (email) on user_account to portal_factory"),
    ("C2", "create view lines as select * from schedule_line"),
    ("C2", "create materialized view sums as select count(*) from schedule_line"),
    ("C3", "create function peek() returns int language sql security definer return 1"),
    ("C3", "alter function seal_audit(integer) reset search_path"),
    ("C3", "grant execute on function all_tenants() to portal_partner"),
    ("C4", "grant portal_owner to portal_partner"),
    ("C4", "alter role portal_partner bypassrls"),
    ("C4", "grant truncate on audit to portal_factory"),
    ("C4", "alter table photo owner to portal_factory"),
    ("C5", "create unique index loose on contract (tenant_id, number)"),
    ("C5", "create unique index loose on item (code)"),
    ("C6", "alter table confirmation add foreign key (tenant_id, line_id) references schedule_line (tenant_id, id)"),
    ("C7", "create function quiet() returns int language sql leakproof return 1"),
    ("C8", "create policy loose on item to portal_partner using (true)"),
    ("C8", "create policy loose on item to portal_partner using (app_tenant() is null or tenant_id = app_tenant())"),
    ("C8", "create policy loose on item using (tenant_id = app_tenant())"),
    ("C9", "alter table item add weight double precision"),
    ("C9", "alter table item add seen timestamp"),
]


@pytest.mark.parametrize("number", CHECKS)
async def test_the_migrated_schema_has_not_drifted(catalogue: asyncpg.Connection, number: str) -> None:
    assert await CHECKS[number](catalogue) == []


@pytest.mark.parametrize(("number", "deed"), DRIFT)
async def test_a_careless_change_is_seen(catalogue: asyncpg.Connection, number: str, deed: str) -> None:
    change = catalogue.transaction()
    await change.start()
    try:
        await catalogue.execute(deed)
        found = await CHECKS[number](catalogue)
    finally:
        await change.rollback()
    assert found != []


async def test_every_listed_function_is_there(catalogue: asyncpg.Connection) -> None:
    query = "select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"
    assert set(await column(catalogue, query)) == DEFINERS


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


PROOFS = [
    "release",
    "release_line",
    "receipt",
    "receipt_line",
    "photo",
    "shipment_line",
    "bucket_entry",
    "sealed_document",
]


@pytest.mark.parametrize("table", PROOFS)
@pytest.mark.parametrize("role", [FACTORY, PARTNER])
async def test_documents_that_prove_something_are_never_changed(
    catalogue: asyncpg.Connection, table: str, role: str
) -> None:
    for right, ask in (("UPDATE", "has_any_column_privilege"), ("DELETE", "has_table_privilege")):
        assert not await catalogue.fetchval(f"select {ask}($1, $2, $3)", role, table, right), right


async def test_the_dump_role_reads_everything_and_writes_nothing(catalogue: asyncpg.Connection) -> None:
    for name in models():
        assert await catalogue.fetchval("select has_table_privilege($1, $2, 'SELECT')", BACKUP, name), name
        for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert not await catalogue.fetchval("select has_table_privilege($1, $2, $3)", BACKUP, name, right), name
    assert await column(catalogue, "select distinct tableowner::text from pg_tables where schemaname = 'public'") == [
        OWNER
    ]
