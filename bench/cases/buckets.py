"""Periods of fixed quantities: check and consume beside the bare locked update, and the page of a wide contract."""

import asyncio
import time
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg

from bench import data
from bench.databases import Databases
from bench.harness import Case, Result, Target, alone, alternate, calm, rates, repeat
from bench.load import clients, request
from bench.serving import serving
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import consume
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import scope_sql, unit_of_work
from portal.core.ids import uuid7
from portal.core.roles import plain_dsn

CLIENTS = 8
CALLS = 150  # a client and run
SPREAD = 1000  # contracts
PERIODS = 36

_CONTRACTS = """
insert into contract select (jsonb_populate_record(c, jsonb_build_object('id', md5('spread ' || n)::uuid,
    'number', 'SP-' || n))).*
from contract c, generate_series(0, $2::int - 1) n
where c.tenant_id = $1 and c.id = md5('contract ' || $3::int || ' 1')::uuid"""
_LINES = """
insert into contract_line select (jsonb_populate_record(k, jsonb_build_object('id', md5('spread line ' || n)::uuid,
    'contract_id', md5('spread ' || n)::uuid))).*
from contract_line k, generate_series(0, $2::int - 1) n
where k.tenant_id = $1 and k.id = md5('part ' || $3::int || ' 1 0')::uuid"""
_BUCKETS = """
insert into commitment_bucket (tenant_id, id, party_id, contract_id, contract_line_id, cadence, period_start,
    period_end, floor, target, ceiling, unit, price_basis, consumed, allowance, tolerance_used)
select k.tenant_id, md5('bucket ' || k.id || w)::uuid, k.party_id, k.contract_id, k.id, 'week', $2::date + 7 * w,
    $2::date + 7 * w + 7, 480, 600, $4, 'H87', 'receipt_date', 0, 0, 0
from contract_line k, generate_series(0, $3::int - 1) w where k.tenant_id = $1 and k.contract_id = any($5)"""
_ENTRIES = """
insert into bucket_entry (tenant_id, id, party_id, bucket_id, kind, quantity, document, document_id, line_id,
    member_name, reason)
select l.tenant_id, uuidv7(), l.party_id, b.id, e.kind, l.ordered_quantity, 'schedule_line', l.id, l.id, 'bench', ''
from schedule_line l join commitment_bucket b on b.tenant_id = l.tenant_id and b.contract_line_id = l.contract_line_id
    and l.due_date >= b.period_start and l.due_date < b.period_end
    cross join unnest(array['called', 'confirmed', 'shipped', 'received']) as e(kind)
where l.tenant_id = $1 and l.contract_id = $2"""


async def consume_hot(databases: Databases) -> Result:
    """Calls checked and consumed a second, eight callers on one period of one contract."""
    return await _consume(databases, "consume_hot", 1)


async def consume_spread(databases: Databases) -> Result:
    """The same over the periods of a thousand contracts."""
    return await _consume(databases, "consume_spread", SPREAD)


async def _consume(databases: Databases, name: str, contracts: int) -> Result:
    settings = await databases.work()
    admin = await databases.superuser("bench_work")
    who = data.access(data.MEASURED, "factory")
    actor = Actor(who.tenant_id, who.party_id, Scope.FACTORY, Role.ADMIN, who.member_id, "bench")
    rows = await _filled(admin, databases, who.tenant_id, contracts)
    due = databases.monday + timedelta(days=3)
    bare = [await asyncpg.connect(plain_dsn(str(settings.database_factory_url))) for _ in range(CLIENTS)]
    db.configure(settings, CLIENTS)

    async def by_service() -> float:
        await admin.execute("checkpoint")
        calm()
        begin = time.perf_counter()
        await asyncio.gather(*(_call(actor, rows[n:] + rows[:n], due) for n in range(CLIENTS)))
        return CLIENTS * CALLS / (time.perf_counter() - begin)

    async def by_update() -> float:
        await admin.execute("checkpoint")
        calm()
        begin = time.perf_counter()
        await asyncio.gather(*(_update(c, actor, rows[n:] + rows[:n]) for n, c in enumerate(bare)))
        return CLIENTS * CALLS / (time.perf_counter() - begin)

    try:
        figures = await alternate(by_service, by_update)
        await _check(admin, who.tenant_id)
    finally:
        await db.dispose()
        for connection in (*bare, admin):
            await connection.close()
    return rates(name, "/s", *figures, 0)


Row = tuple[UUID, UUID, UUID]  # period, line, party


async def _filled(admin: asyncpg.Connection, databases: Databases, tenant: UUID, contracts: int) -> list[Row]:
    """So many contracts, each with one line whose first period has room for everything."""
    await admin.execute("set session_replication_role = replica")
    await admin.execute(_CONTRACTS, tenant, contracts, data.MEASURED)
    await admin.execute(_LINES, tenant, contracts, data.MEASURED)
    ids = [row[0] for row in await admin.fetch("select id from contract where number like 'SP-%'")]
    await admin.execute(_BUCKETS, tenant, databases.monday, 2, Decimal(10**9), ids)
    await admin.execute("vacuum analyze commitment_bucket, contract, contract_line")
    found = await admin.fetch(
        "select id, contract_line_id, party_id from commitment_bucket where contract_id = any($1)"
        " and period_start = $2",
        *(ids, databases.monday),
    )
    return [tuple(row) for row in found]


async def _call(actor: Actor, rows: Sequence[Row], due: date) -> None:
    """One caller's calls, each in a transaction of its own."""
    for n in range(CALLS):
        _bucket, line, party = rows[n * CLIENTS % len(rows)]
        call = Call(uuid7(), line, "A100", due, Decimal(1))
        async with unit_of_work(actor) as session:
            await consume(session, actor, party, [call])


async def _update(connection: asyncpg.Connection, actor: Actor, rows: Sequence[Row]) -> None:
    """The same rows, locked and raised, and nothing else."""
    begin = "BEGIN;" + scope_sql(actor)
    for n in range(CALLS):
        bucket = rows[n * CLIENTS % len(rows)][0]
        await connection.execute(begin)
        lock = "select consumed from commitment_bucket where tenant_id = $1 and id = $2 for update"
        consumed = await connection.fetchval(lock, actor.tenant_id, bucket)
        raised = "update commitment_bucket set consumed = $3 where tenant_id = $1 and id = $2"
        await connection.execute(raised, actor.tenant_id, bucket, consumed + 1)
        await connection.execute("COMMIT")


async def _check(admin: asyncpg.Connection, tenant: UUID) -> None:
    """Every call of the service is in the ledger; the bare update adds to the same sums without entries."""
    entries = await admin.fetchval("select count(*) from bucket_entry where tenant_id = $1", tenant)
    sums = await admin.fetchval("select sum(consumed) from commitment_bucket where tenant_id = $1", tenant)
    if sums != 2 * entries:
        raise RuntimeError(f"{entries} entries, but {sums} consumed")


async def contract_500x36(databases: Databases) -> Result:
    """The page of a contract with 500 lines x 36 periods that are in use, from first byte to last."""
    settings = await databases.work()
    admin = await databases.superuser("bench_work")
    who = data.access(data.MEASURED, "factory")
    await admin.execute("set session_replication_role = replica")
    await admin.execute(_BUCKETS, who.tenant_id, databases.monday, PERIODS, Decimal(10**6), [data.WIDE_CONTRACT])
    await admin.execute(_ENTRIES, who.tenant_id, data.WIDE_CONTRACT)
    await admin.execute("vacuum analyze")
    count = await admin.fetchval("select count(*) from commitment_bucket where contract_id = $1", data.WIDE_CONTRACT)
    await admin.close()
    ask = request("GET", f"/contracts/{data.WIDE_CONTRACT}", who.cookie)
    async with serving(settings) as app, clients(app.port, 1) as (client,):

        async def seconds() -> float:
            calm()
            begin = time.perf_counter()
            answer = await client.good(ask)
            taken = time.perf_counter() - begin
            if count != data.WIDE * PERIODS or f"{data.WIDE} parts have a period".encode() not in answer.body:
                raise RuntimeError("the page does not speak of all periods")
            return taken

        figures = await repeat(seconds, 15)
        return alone("contract_500x36", figures, app.peak_mb())


CASES = (
    Case("consume_hot", Target(least_ratio=0.25), consume_hot),
    Case("consume_spread", Target(), consume_spread),
    Case("contract_500x36", Target(most=0.3), contract_500x36),
)
