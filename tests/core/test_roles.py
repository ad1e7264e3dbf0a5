"""The application roles own nothing and bypass nothing, on our server and on the operator's."""

import asyncio
import os

import asyncpg
import pytest

from portal.core.roles import (
    BACKUP,
    FACTORY,
    IDENTITY,
    OWNER,
    PARTNER,
    ROLES,
    SERVING_ROLES,
    RolesError,
    ensure_roles,
    plain_dsn,
    role_states,
    too_old,
)
from portal.core.settings import Settings
from tests.databases import Server


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


async def test_repeating_changes_nothing_and_wrong_attributes_are_mended(
    empty_database: Settings, server: Server
) -> None:
    name = str(empty_database.database_url).rpartition("/")[2].partition("?")[0]
    assert await ensure_roles(server.superuser_url, name, server.passwords) == []

    admin = await asyncpg.connect(plain_dsn(server.superuser_url))
    try:
        await admin.execute(f"alter role {IDENTITY} createdb")
        assert await ensure_roles(server.superuser_url, name, server.passwords) == [IDENTITY]
        assert not (await role_states(admin))[IDENTITY].wrong()
    finally:
        await admin.execute(f"alter role {IDENTITY} nocreatedb")
        await admin.close()


async def test_processes_that_start_together_take_turns(server: Server) -> None:
    name = f"portal_together_{os.urandom(4).hex()}"

    made = await asyncio.gather(*(ensure_roles(server.superuser_url, name, server.passwords) for _ in range(4)))

    assert sorted(made) == [[], [], [], [name]]


async def test_the_dump_role_reads_all_and_writes_nothing(empty_database: Settings, server: Server) -> None:
    name = str(empty_database.database_url).rpartition("/")[2].partition("?")[0]
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
    name = str(empty_database.database_url).rpartition("/")[2].partition("?")[0]
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


async def test_an_owner_without_the_right_is_told_what_to_run(empty_database: Settings) -> None:
    """As `portal migrate` on an operator's server, where the owner may not make roles."""
    fine = await ensure_roles(str(empty_database.database_url), _name(empty_database), {})
    assert fine == []

    elsewhere = str(empty_database.database_url).replace(_name(empty_database), f"absent_{os.urandom(4).hex()}")
    with pytest.raises(RolesError, match="PostgreSQL does not let us in") as refused:
        await ensure_roles(elsewhere, "absent", {})
    assert str(empty_database.database_url).split(":")[2].split("@")[0] not in str(refused.value)


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
