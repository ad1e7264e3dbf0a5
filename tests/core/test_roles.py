"""The application roles own nothing and bypass nothing, on our server and on the operator's."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from portal.core.db import migrate
from portal.core.embedded import Postgres, start_postgres
from portal.core.roles import (
    BACKUP,
    FACTORY,
    IDENTITY,
    OWNER,
    PARTNER,
    ROLES,
    SERVING_ROLES,
    SUPERUSER,
    RolesError,
    connect,
    ensure_roles,
    plain_dsn,
    role_states,
    too_old,
)
from portal.core.settings import Settings
from tests.databases import UNSAFE_AND_FAST, Server


async def test_serving_roles_own_nothing_and_pass_no_policy(empty_database: Settings) -> None:
    connection = await asyncpg.connect(plain_dsn(str(empty_database.database_url)))
    try:
        states = await role_states(connection)
        members = await connection.fetchval(
            "select count(*) from pg_auth_members where member = any(select oid from pg_roles where rolname = any($1))",
            ROLES,
        )
        owner = await connection.fetchval(
            "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        )
    finally:
        await connection.close()

    assert sorted(states) == sorted(ROLES)
    assert {name for name, state in states.items() if state.bypasses} == {OWNER, BACKUP}
    assert not any(state.superuser or state.creates for state in states.values())
    assert (members, owner) == (0, OWNER)


@pytest.mark.parametrize("role", ["factory", "partner", "identity"])
async def test_serving_roles_make_no_tables(role: str, empty_database: Settings) -> None:
    connection = await asyncpg.connect(plain_dsn(getattr(empty_database, f"database_{role}_url")))
    try:
        assert await connection.fetchval("select current_user") == f"portal_{role}"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("create table mine (id int)")
    finally:
        await connection.close()


@pytest.fixture
def lone_server(tmp_path: Path) -> Iterator[Postgres]:
    """A server of the test's own: roles belong to a whole server, and the other workers rely on theirs."""
    postgres = start_postgres(tmp_path, settings=UNSAFE_AND_FAST)
    yield postgres
    postgres.stop()


async def test_repeating_changes_nothing_and_wrong_attributes_are_mended(lone_server: Postgres) -> None:
    passwords = lone_server.role_passwords()
    assert await ensure_roles(lone_server.superuser_url, "portal", passwords) == [*ROLES, "portal"]
    assert await ensure_roles(lone_server.superuser_url, "portal", passwords) == []

    await _as_superuser(lone_server, f"alter role {IDENTITY} createdb", f"alter role {PARTNER} bypassrls")

    assert await ensure_roles(lone_server.superuser_url, "portal", passwords) == [PARTNER, IDENTITY]
    assert await ensure_roles(lone_server.superuser_url, "portal", passwords) == []


async def test_the_operators_owner_makes_missing_roles_with_the_passwords_of_the_urls(lone_server: Postgres) -> None:
    """As `portal migrate` on an operator's server: the owner is no superuser and has a name of its own."""
    await _as_superuser(
        lone_server,
        "create role calloff login createrole bypassrls password 'own'",
        "create database calloff owner calloff",
    )
    owner_url = _signing_in_as(lone_server, "calloff", "own")
    passwords = {FACTORY: "one", PARTNER: "two's", IDENTITY: 'three"'}

    assert await ensure_roles(owner_url, "calloff", passwords) == [*SERVING_ROLES, BACKUP]
    assert await ensure_roles(owner_url, "calloff", passwords) == []
    await migrate(owner_url)  # which names the role of the dumps, though nobody signs in as it here
    for role, password in passwords.items():
        connection = await connect(_signing_in_as(lone_server, role, quote(password)))
        assert await connection.fetchval("select current_user") == role
        await connection.close()


async def test_an_owner_who_may_not_make_roles_is_told_what_to_run(lone_server: Postgres) -> None:
    await _as_superuser(
        lone_server, "create role calloff login password 'own'", "create database calloff owner calloff"
    )

    with pytest.raises(RolesError, match="create role portal_partner login password") as refused:
        await ensure_roles(_signing_in_as(lone_server, "calloff", "own"), "calloff", {PARTNER: "a-partner-password"})

    assert "a-partner-password" not in str(refused.value)
    assert "create role portal_backup nologin" in str(refused.value)


async def test_a_server_that_does_not_let_us_in_is_named_without_the_password(lone_server: Postgres) -> None:
    with pytest.raises(RolesError, match=r"does not let us in .*calloff as postgres") as refused:
        await ensure_roles(_signing_in_as(lone_server, SUPERUSER, "a-wrong-password"), "calloff", {})

    assert "a-wrong-password" not in str(refused.value)


def _signing_in_as(server: Postgres, role: str, password: str) -> str:
    host = server.superuser_url.partition("?")[2]
    return f"postgresql+asyncpg://{role}:{password}@/calloff?{host}"


async def _as_superuser(server: Postgres, *statements: str) -> None:
    connection = await connect(server.superuser_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_processes_that_start_together_take_turns(server: Server) -> None:
    name = f"portal_together_{os.urandom(4).hex()}"

    made = await asyncio.gather(*(ensure_roles(server.superuser_url, name, server.passwords) for _ in range(4)))

    assert sorted(made) == [[], [], [], [name]]


async def test_the_dump_role_reads_all_and_writes_nothing(empty_database: Settings, server: Server) -> None:
    name = _name(empty_database)
    owner = await asyncpg.connect(plain_dsn(str(empty_database.database_url)))
    dump = await asyncpg.connect(plain_dsn(server.url(BACKUP, name)))
    try:
        await owner.execute("create table later (id int)")
        await owner.execute("insert into later values (1); alter table later enable row level security")
        assert await dump.fetchval("select count(*) from later") == 1
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await dump.execute("insert into later values (2)")
    finally:
        await dump.close()
        await owner.close()


async def test_only_the_portals_roles_may_connect(empty_database: Settings, server: Server) -> None:
    name = _name(empty_database)
    stranger = f"stranger_{os.urandom(4).hex()}"
    admin = await asyncpg.connect(plain_dsn(server.superuser_url))
    try:
        await admin.execute(f"create role {stranger} login password 'stranger'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(plain_dsn(server.superuser_url), user=stranger, password="stranger", database=name)
        may = {
            role: await admin.fetchval("select has_database_privilege($1, $2, 'temp')", role, name) for role in ROLES
        }
    finally:
        await admin.execute(f"drop role {stranger}")
        await admin.close()

    assert (may[FACTORY], may[PARTNER], may[IDENTITY]) == (True, False, False)


def _name(settings: Settings) -> str:
    return str(settings.database_url).rpartition("/")[2].partition("?")[0]


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (140012, "PostgreSQL 14 is too old"),
        (150013, "install 15.14"),
        (160009, "install 16.10"),
        (170005, "install 17.6"),
    ],
)
def test_releases_that_leak_past_policies_are_refused(version: int, said: str) -> None:
    assert said in str(too_old(version))


@pytest.mark.parametrize("version", [150014, 160010, 170006, 180000, 180006, 190000])
def test_later_releases_are_taken(version: int) -> None:
    assert too_old(version) is None


def test_the_roles_that_serve_are_three() -> None:
    assert SERVING_ROLES == (FACTORY, PARTNER, IDENTITY)
