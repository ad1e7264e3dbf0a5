"""Confirming lines over HTTP beside a bare transaction that does the least the same effect needs."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

import asyncpg

from bench import data
from bench.databases import Databases
from bench.harness import Case, Result, Target, alternate, calm, rates
from bench.load import burst, clients, request
from bench.serving import serving
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import scope_sql, to_json
from portal.core.ids import uuid7
from portal.core.roles import plain_dsn

CLIENTS = 8
LINES = 200  # a client and run; each line is confirmed once
CONTRACT = 1  # a purchase: the supplier confirms


async def confirm_8(databases: Databases) -> Result:
    """Confirmations a second through the interface, eight clients with lines of their own."""
    settings = await databases.work()
    admin = await databases.superuser("bench_work")
    await admin.execute("set session_replication_role = replica")
    numbers = count(20_000, CLIENTS * LINES)

    async def lines() -> list[UUID]:
        found = await data.ask(admin, CONTRACT, CLIENTS * LINES, next(numbers), databases.monday + timedelta(days=14))
        await admin.execute("checkpoint")  # else the one of the two that meets the timer's would pay for both
        return found

    who = data.access(data.MEASURED, 1)
    headers = who.key | {"if-match": '"1"'}
    bare = await _connections(plain_dsn(str(settings.database_partner_url)))
    async with serving(settings) as app:

        async def over_http() -> float:
            ids = await lines()
            requests = [request("POST", f"/api/v1/schedule-lines/{line}/confirm", headers, {}) for line in ids]
            async with clients(app.port, CLIENTS) as fleet:
                calm()
                begin = time.perf_counter()
                await burst(fleet, requests)
                return len(ids) / (time.perf_counter() - begin)

        async def without() -> float:
            ids = await lines()
            calm()
            begin = time.perf_counter()
            shares = [ids[n::CLIENTS] for n in range(CLIENTS)]
            await asyncio.gather(*map(_confirm_all, bare, shares))
            return len(ids) / (time.perf_counter() - begin)

        figures = await alternate(over_http, without)
        peak = app.peak_mb()
    await _check(admin)
    for connection in (*bare, admin):
        await connection.close()
    return rates("confirm_8", "/s", *figures, peak)


async def _connections(dsn: str) -> list[asyncpg.Connection]:
    return [await asyncpg.connect(dsn) for _ in range(CLIENTS)]


async def _check(admin: asyncpg.Connection) -> None:
    """Whoever wrote it, every confirmed line has its history, audit and event: else one did less than the other."""
    confirmed = await admin.fetchval("select count(*) from schedule_line where line_no >= 20000 and version = 2")
    for table in ("timeline", "audit", "outbox"):
        rows = await admin.fetchval(f"select count(*) from {table}")
        if rows != confirmed:
            raise RuntimeError(f"{confirmed} lines were confirmed, but {table} has {rows} rows")


# --- the ceiling ------------------------------------------------------------------------------------------------------

_LOCK = """
select version, status, ordered_quantity, due_date, contract_id from schedule_line
where tenant_id = $1 and id = $2 for update"""
_UPDATE = """
update schedule_line set status = 'confirmed', confirmed_quantity = $3, version = $4, respond_by = null,
    promised_date = $5
where tenant_id = $1 and id = $2"""
_HISTORY = """
insert into timeline (tenant_id, id, party_id, subject, subject_id, contract_id, verb, version, member_id, member_name,
    scope, channel, data)
values ($1, $2, $3, 'schedule_line', $4, $5, 'confirmed', $6, $7, 'bench', 'partner', 'api', $8)"""
_AUDIT = """
insert into audit (tenant_id, id, party_id, member_id, action, subject_id, data)
values ($1, $2, $3, $4, 'schedule_line.confirmed', $5, $6)"""
_OUTBOX = """
insert into outbox (tenant_id, id, party_id, name, data, member_id) values ($1, $2, $3, 'LineConfirmed', $4, $5)"""


async def _confirm_all(connection: asyncpg.Connection, lines: Sequence[UUID]) -> None:
    """Each line in a transaction of its own, under the same role and policies as the portal's."""
    who = data.access(data.MEASURED, 1)
    actor = Actor(who.tenant_id, who.party_id, Scope.PARTNER, Role.PARTNER_ADMIN, who.member_id)
    begin, tenant, party, member = "BEGIN;" + scope_sql(actor), who.tenant_id, who.party_id, who.member_id
    for line in lines:
        await connection.execute(begin)
        row = await connection.fetchrow(_LOCK, tenant, line)
        quantity, version = Decimal(row["ordered_quantity"]), row["version"] + 1
        said = to_json({"splits": [{"quantity": str(quantity), "date": str(row["due_date"])}], "unit": "H87"})
        await connection.execute(_UPDATE, tenant, line, quantity, version, row["due_date"])
        history = (tenant, uuid7(), party, line, row["contract_id"], version, member, said)
        await connection.execute(_HISTORY, *history)
        await connection.execute(_AUDIT, tenant, uuid7(), party, member, line, said)
        await connection.execute(_OUTBOX, tenant, uuid7(), party, to_json({"line_id": line}), member)
        await connection.execute("COMMIT")


CASES = (Case("confirm_8", Target(least_ratio=0.2, least=500), confirm_8),)
