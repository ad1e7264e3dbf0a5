"""Releases: publishing a large one, comparing two, rolling a whole tenant on, and the board of a large tenant."""

import asyncio
import os
import time
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from bench import data, machine
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, alternate, calm, rates, repeat
from bench.load import Client, clients, request
from bench.serving import serving
from jobs.releases import AT_ONCE
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import read, unit_of_work
from portal.core.ids import uuid7
from portal.schedules import reads_releases, service_holding
from portal.schedules.rules_difference import ChangeKind
from portal.schedules.service_publishing import Publish
from portal.schedules.service_release import Generate, generate_lines

LARGE, PAIR = 1_000, 10_000  # lines of a release
ROLLED, CONTRACTS = 100_000, 100  # contract lines, over so many contracts
RUNS = 3  # of the roll: each writes half a million rows
AHEAD = timedelta(weeks=10)  # the horizon rolls on where nothing is firm: in the firm zone only what was told is

_CONTRACT = """
insert into contract select (jsonb_populate_record(c, jsonb_build_object('id', $2::uuid,
    'number', 'FC-' || left($2::uuid::text, 13), 'release_no', 0, 'released_on', null, 'last_line_no', $4::int))).*
from contract c where c.tenant_id = $1 and c.id = md5('contract ' || $3::int || ' 1')::uuid"""
_PARTS = """
insert into contract_line select (jsonb_populate_record(k, jsonb_build_object(
    'id', md5($2::uuid::text || ' part ' || n)::uuid, 'contract_id', $2::uuid, 'line_no', n + 1,
    'item_code', 'R' || n))).*
from contract_line k, generate_series(0, $4::int - 1) n
where k.tenant_id = $1 and k.id = md5('part ' || $3::int || ' 1 0')::uuid"""
_LINES = """
insert into schedule_line select (jsonb_populate_record(l, jsonb_build_object(
    'id', md5($2::uuid::text || ' line ' || n)::uuid, 'contract_id', $2::uuid,
    'contract_line_id', md5($2::uuid::text || ' part ' || n / 25)::uuid, 'line_no', n + 1, 'status', 'published',
    'due_date', $5::date + n % 25 * 7, 'requested_date', $5::date + n % 25 * 7, 'confirmed_quantity', 0,
    'zone', null, 'release_line_id', null, 'respond_by', null))).*
from schedule_line l, generate_series(0, $4::int - 1) n
where l.tenant_id = $1 and l.contract_line_id = md5('part ' || $3::int || ' 1 0')::uuid and l.line_no = 13"""
_CHANGE = """
update schedule_line set ordered_quantity = ordered_quantity + 40, due_date = due_date + (line_no % 3)
where tenant_id = $1 and contract_id = $2 and line_no % 7 = 0"""
_TABLES = ("schedule_line", "release_line", "timeline", "audit")
_WRITTEN = {
    "schedule_line": "tenant_id = {tenant} and period_start = {monday}",
    "release_line": "tenant_id = {tenant} and due_date >= {monday}",
    "timeline": "tenant_id = {tenant} and at >= {begun}",
    "audit": "tenant_id = {tenant} and at >= {begun}",
}


def _planner() -> Actor:
    who = data.access(data.MEASURED, "factory")
    return Actor(who.tenant_id, who.party_id, Scope.FACTORY, Role.ADMIN, who.member_id, "bench")


async def _contract(admin: asyncpg.Connection, lines: int, due: date) -> UUID:
    """A contract with so many open deliveries, 25 a part, and no release yet."""
    actor, contract_id = _planner(), uuid7()
    await admin.execute(_CONTRACT, actor.tenant_id, contract_id, data.MEASURED, lines)
    await admin.execute(_PARTS, actor.tenant_id, contract_id, data.MEASURED, max(lines // 25, 1))
    await admin.execute(_LINES, actor.tenant_id, contract_id, data.MEASURED, lines, due)
    return contract_id


async def _publish(actor: Actor, contract_id: UUID) -> float:
    calm()
    begin = time.perf_counter()
    async with unit_of_work(actor) as session:
        await service_holding.release(session, actor, contract_id, None, Publish())
    return time.perf_counter() - begin


async def _work(databases: Databases) -> asyncpg.Connection:
    """A fresh database, open for the service, and its superuser for filling."""
    db.configure(await databases.work(), 2)
    admin = await databases.superuser("bench_work")
    await admin.execute("set session_replication_role = replica")
    return admin


async def publish_1k(databases: Databases) -> Result:
    """A release of 1,000 lines, from the command to the commit."""
    admin = await _work(databases)
    actor = _planner()
    contract_id = await _contract(admin, LARGE, databases.monday)
    await admin.execute("analyze")
    figures = await repeat(lambda: _publish(actor, contract_id))
    await admin.close()
    await db.dispose()
    return alone("publish_1k", figures, machine.peak_mb(os.getpid()))


async def diff_10k(databases: Databases) -> Result:
    """The difference of two releases of 10,000 lines, read and compared; every seventh line differs."""
    admin = await _work(databases)
    actor = _planner()
    contract_id = await _contract(admin, PAIR, databases.monday)
    await _publish(actor, contract_id)
    await admin.execute(_CHANGE, actor.tenant_id, contract_id)
    await _publish(actor, contract_id)
    await admin.execute("analyze")

    async def seconds() -> float:
        calm()
        begin = time.perf_counter()
        async with read(actor) as connection:
            found = await reads_releases.compared(connection, actor, contract_id, 2, 1)
        taken = time.perf_counter() - begin
        if found.difference.count(ChangeKind.UP) != PAIR // 7:
            raise RuntimeError("the comparison missed a line")
        return taken

    figures = await repeat(seconds)
    await admin.close()
    await db.dispose()
    return alone("diff_10k", figures, machine.peak_mb(os.getpid()))


async def roll_100k(databases: Databases) -> Result:
    """Contract lines a second whose next week is generated and published, 100,000 in 100 contracts."""
    admin = await _work(databases)
    actor = _planner()
    week = databases.monday + AHEAD
    contracts = await _rolled(admin, actor, week)
    folder = databases.folder / "copies"
    folder.mkdir(exist_ok=True)

    async def roll(contract_id: UUID, turnstile: asyncio.Semaphore) -> None:
        async with turnstile, unit_of_work(actor) as session:
            await generate_lines(session, actor, contract_id, Generate(until=week + timedelta(days=7)))
            await service_holding.release(session, actor, contract_id, None, Publish())

    async def rolled() -> float:
        nonlocal week
        await admin.execute(
            "update schedule_line set status = 'closed' where tenant_id = $1 and status <> 'closed'", actor.tenant_id
        )
        await admin.execute("checkpoint")
        begun = await admin.fetchval("select now()")
        week += timedelta(days=7)
        calm()
        begin = time.perf_counter()
        turnstile = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(roll(contract_id, turnstile) for contract_id in contracts))
        taken = time.perf_counter() - begin
        await _save(admin, folder, actor.tenant_id, week, begun.isoformat())
        return ROLLED / taken

    async def copied() -> float:
        return ROLLED / await _copy(admin, folder)

    await rolled()  # the ceiling needs its rows before it can go first
    figures = await alternate(rolled, copied, RUNS)
    await admin.close()
    await db.dispose()
    return rates("roll_100k", "/s", *figures, machine.peak_mb(os.getpid()))


async def _rolled(admin: asyncpg.Connection, actor: Actor, monday: date) -> list[UUID]:
    """Contracts whose lines have a fixed quantity a week and are generated up to this one."""
    made = []
    for _ in range(CONTRACTS):
        contract_id = uuid7()
        await admin.execute(_CONTRACT, actor.tenant_id, contract_id, data.MEASURED, 0)
        await admin.execute(_PARTS, actor.tenant_id, contract_id, data.MEASURED, ROLLED // CONTRACTS)
        made.append(contract_id)
    await admin.execute(
        "update contract_line set generated_until = $3 where tenant_id = $1 and contract_id = any($2)",
        *(actor.tenant_id, made, monday + timedelta(days=7)),
    )
    await admin.execute("analyze")
    return made


async def _save(admin: asyncpg.Connection, folder: Path, tenant: UUID, monday: date, begun: str) -> None:
    """The rows that one roll wrote, one file a table, as COPY gives them."""
    values = {"tenant": f"'{tenant}'", "monday": f"'{monday}'", "begun": f"'{begun}'"}
    for table in _TABLES:
        where = _WRITTEN[table].format(**values)
        query = f"select * from {table} where {where}"
        await admin.copy_from_query(query, output=folder / f"roll-{table}")


async def _copy(admin: asyncpg.Connection, folder: Path) -> float:
    """Seconds to COPY the same rows into the same tables with the same indexes, without foreign keys."""
    for table in _TABLES:
        await admin.execute(f"drop table if exists copy_{table}")
        await admin.execute(f"create table copy_{table} (like {table} including defaults including indexes)")
    await admin.execute("checkpoint")
    calm()
    begin = time.perf_counter()
    async with admin.transaction():
        for table in _TABLES:
            await admin.copy_to_table(f"copy_{table}", source=folder / f"roll-{table}")
    return time.perf_counter() - begin


async def board_1m(databases: Databases) -> Result:
    """The board of 500 lines x 26 weeks in a tenant with a million lines, beside the same board in a small one."""
    small = await databases.work()
    large = await databases.wide_million()
    path = f"/contracts/{data.WIDE_CONTRACT}/schedule?weeks={data.WIDE_WEEKS}"
    ask = request("GET", path, data.access(data.MEASURED, "factory").cookie)
    async with (
        serving(large) as app,
        clients(app.port, 1) as (in_large,),
        serving(small) as other,
        clients(other.port, 1) as (in_small,),
    ):

        async def seconds(client: Client) -> float:
            calm()
            begin = time.perf_counter()
            await client.good(ask)
            return time.perf_counter() - begin

        case, reference = await alternate(lambda: seconds(in_large), lambda: seconds(in_small), 9)
        peak = app.peak_mb()
    middle, beside = sorted(case)[len(case) // 2], sorted(reference)[len(reference) // 2]
    return Result("board_1m", "s", middle, beside, middle / beside, peak, case)


CASES = (
    Case("publish_1k", Target(most=0.5), publish_1k),
    Case("diff_10k", Target(most=0.3), diff_10k),
    Case("roll_100k", Target(least_ratio=0.25), roll_100k),
    Case("board_1m", Target(most_ratio=1.5), board_1m),
)
