"""The scope of a transaction: one company's, ended with it, whatever happens to the task that opened it."""

import asyncio
import random
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from portal.core import db
from portal.core.actor import Actor
from portal.core.invariants import run
from portal.core.journal import Subject, record
from portal.core.roles import FACTORY, IDENTITY, PARTNER
from portal.core.schema import SchemaError
from portal.core.settings import Settings
from tests.databases import Server
from tests.factories import Tenant, fetch, make_tenant


async def write_something(actor: Actor) -> None:
    """One timeline row that the actor's company may read."""
    async with db.unit_of_work(actor) as session:
        record(session, actor, Subject("thing", actor.party_id, actor.party_id), "written")


async def test_without_a_scope_every_table_is_empty(tenant: Tenant, database: Settings) -> None:
    await write_something(tenant.supplier)
    for url in (database.database_factory_url, database.database_partner_url):
        connection = await asyncpg.connect(db.asyncpg_dsn(str(url)))
        try:
            assert await connection.fetchval("select count(*) from timeline") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(
                    "insert into outbox (tenant_id, id, party_id, name, data) values ($1, $1, $2, 'x', '{}')",
                    *(tenant.id, tenant.supplier.party_id),
                )
        finally:
            await connection.close()


async def test_the_tests_run_as_the_application_roles(tenant: Tenant) -> None:
    for actor, role in ((tenant.factory, "portal_factory"), (tenant.customer, "portal_partner")):
        (row,) = await fetch(
            actor,
            "select current_user as me, rolsuper or rolbypassrls as strong from pg_roles where rolname = current_user",
        )
        assert (row["me"], row["strong"]) == (role, False)


async def test_the_pool_never_mixes_companies_nor_leaves_a_transaction_open(server: Server, database: Settings) -> None:
    """400 tasks in bursts of 40 over two tenants and three companies; a third is cancelled, times out or fails."""
    tenants = [await make_tenant(str(database.database_url)) for _ in range(2)]
    actors = [actor for tenant in tenants for actor in (tenant.factory, tenant.customer, tenant.supplier)]
    for actor in actors:
        await write_something(actor)
    chance = random.Random(40)
    wrong: list[UUID] = []

    async def work(actor: Actor, fate: str, by_session: bool) -> None:
        query = "select tenant_id, party_id from timeline where subject = 'thing'"
        slow = "select pg_sleep(0.02)" if fate in ("cancelled", "late") else "select 1"
        broken = "select 1 / 0" if fate == "broken" else "select 1"
        if by_session:
            async with db.unit_of_work(actor) as session:
                connection = await db.driver(session)
                rows = [*await connection.fetch(query)]
                await connection.execute(slow)
                await connection.execute(broken)
        else:
            async with db.read(actor) as connection:
                rows = [*await connection.fetch(query)]
                await connection.execute(slow)
                await connection.execute(broken)
        wrong.extend(
            row["party_id"]
            for row in rows
            if row["tenant_id"] != actor.tenant_id or (not actor.is_factory and row["party_id"] != actor.party_id)
        )

    async def one() -> None:
        fate = chance.choice(["well", "well", "well", "well", "cancelled", "late", "broken"])
        task = asyncio.create_task(work(chance.choice(actors), fate, chance.random() < 0.5))
        if fate == "cancelled":
            await asyncio.sleep(chance.random() * 0.03)
            task.cancel()
        try:
            async with asyncio.timeout(0.01 if fate == "late" else 30):
                await task
        except (asyncio.CancelledError, TimeoutError, asyncpg.PostgresError, SQLAlchemyError):
            assert fate != "well"

    for _ in range(10):
        await asyncio.gather(*(one() for _ in range(40)))

    assert wrong == []
    await at_rest(server, database)
    for actor in actors:  # and every connection still serves
        assert await fetch(actor, "select 1 from timeline where tenant_id = $1", actor.tenant_id)


STATES = "select state from pg_stat_activity"
SERVING = (FACTORY, PARTNER, IDENTITY)  # not the owner, whose connection other tests of this process keep


async def on_server(server: Server, database: Settings, query: str) -> list[asyncpg.Record]:
    """Ask the server about the connections of the application roles to the tests' database."""
    superuser = await asyncpg.connect(db.asyncpg_dsn(server.superuser_url))
    name = urlsplit(str(database.database_url)).path.removeprefix("/")
    try:
        return list(await superuser.fetch(query + " where datname = $1 and usename = any($2)", name, SERVING))
    finally:
        await superuser.close()


async def at_rest(server: Server, database: Settings) -> None:
    """Wait until the last transaction that was cancelled is rolled back."""
    async with asyncio.timeout(30):
        while True:
            if {row["state"] for row in await on_server(server, database, STATES)} == {"idle"}:
                return
            await asyncio.sleep(0.02)


async def test_a_connection_carries_no_scope_between_transactions(tenant: Tenant) -> None:
    async with db.read(tenant.factory) as connection:
        backend = await connection.fetchval("select pg_backend_pid()")
    for _ in range(20):
        async with db.read(tenant.factory) as connection:
            if await connection.fetchval("select pg_backend_pid()") == backend:
                break
    await connection.execute("select 1")  # outside of any transaction: the pool has it back, nobody else uses it
    assert await connection.fetchval("select current_setting('app.tenant_id', true)") in ("", None)


async def backend(actor: Actor, seconds: float = 0) -> int:
    """Which of the server's processes answers a read that takes so long."""
    [row] = await fetch(actor, "select pg_backend_pid() as pid, pg_sleep($1)", seconds)
    return int(row["pid"])


async def test_a_read_goes_on_with_the_connection_of_the_last(tenant: Tenant) -> None:
    assert len({*await asyncio.gather(*(backend(tenant.factory, 0.2) for _ in range(4)))}) == 4  # so many are open
    assert len({await backend(tenant.factory) for _ in range(6)}) == 1


async def test_a_read_that_was_cancelled_leaves_no_connection_to_the_next(tenant: Tenant) -> None:
    async with db.read(tenant.factory) as connection:
        cancelled = await connection.fetchval("select pg_backend_pid()")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await backend(tenant.factory, 10)
    assert cancelled not in {await backend(tenant.factory) for _ in range(6)}
    assert connection.is_closed()


async def test_what_rests_with_the_reads_is_part_of_the_pool_and_leaves_most_of_it_to_sessions(tenant: Tenant) -> None:
    """Forty reads at once, then six sessions that all wait for each other, over the eight connections of a pool."""
    met = asyncio.Barrier(6)

    async def session() -> int:
        async with db.unit_of_work(tenant.factory) as work:
            await met.wait()
            return int(await (await db.driver(work)).fetchval("select pg_backend_pid()"))

    readers = await asyncio.gather(*(backend(tenant.factory, 0.01) for _ in range(40)))
    async with asyncio.timeout(20):
        sessions = await asyncio.gather(*(session() for _ in range(6)))
    assert len({*sessions}) == 6
    assert len({*readers, *sessions}) <= 8


async def test_the_pools_mend_themselves_after_the_server_ended_every_connection(
    server: Server, database: Settings, tenant: Tenant
) -> None:
    """What a restart of PostgreSQL does to a running web server: the next request of each connection works."""
    await asyncio.gather(*(write_something(tenant.factory) for _ in range(8)))
    await asyncio.gather(*(fetch(tenant.supplier, "select 1") for _ in range(8)))
    await on_server(server, database, "select pg_terminate_backend(pid, 10000) from pg_stat_activity")  # and wait
    await asyncio.sleep(0.2)

    results = await asyncio.gather(*(write_something(tenant.factory) for _ in range(16)), return_exceptions=True)
    rows = await asyncio.gather(*(fetch(tenant.supplier, "select 1") for _ in range(16)))

    assert [result for result in results if result is not None] == []
    assert len(rows) == 16


def test_an_unreachable_database_is_told_from_a_fault() -> None:
    starting = RuntimeError("wrapped by the pool")
    starting.__cause__ = asyncpg.CannotConnectNowError("the database system is starting up")
    lost = DBAPIError("select 1", None, asyncpg.ConnectionDoesNotExistError("gone"))

    assert all(map(db.is_away, (starting, lost, ConnectionRefusedError(), asyncpg.InterfaceError("closed"))))
    assert not any(map(db.is_away, (asyncpg.UniqueViolationError("twice"), ValueError(), None)))


@pytest.mark.parametrize("query", ["sslmode=disable", "application_name=portal", "target_session_attrs=read-write"])
async def test_a_url_may_say_what_postgresql_s_own_programs_take(database: Settings, query: str) -> None:
    """Managed servers hand out URLs with ?sslmode=require."""
    engine = db.engine_of(f"{database.database_factory_url}&{query}")
    try:
        async with engine.connect() as connection:
            assert await connection.scalar(text("select current_user")) == "portal_factory"
    finally:
        await engine.dispose()


async def test_a_schema_that_cannot_grow_is_a_sentence(empty_database: Settings) -> None:
    owner = str(empty_database.database_url)
    engine = db.engine_of(owner)
    async with engine.begin() as connection:
        await connection.execute(text("create table tenant (id int)"))  # somebody else's
    with pytest.raises(SchemaError, match='relation "tenant" already exists'):
        await db.migrate(owner)
    async with engine.begin() as connection:
        assert await connection.scalar(text("select to_regclass('public.party')")) is None
    await engine.dispose()
    with pytest.raises(SchemaError, match="The schema is at nothing, the newest is"):
        await run(owner)
