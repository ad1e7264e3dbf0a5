"""A release splits, joins or exchanges deliveries without asking for anything else: what was promised goes on.

The live lines are written before the release's lines are frozen (`regroup`); the promises follow when the frozen lines
have their ids (`hand_over`), because a promise names the copy that it answers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model_buckets import EntryKind
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import Entry, consume, give_back, post
from portal.core import db
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.db import Driver
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.schedules import rules
from portal.schedules.model import LineStatus
from portal.schedules.rules_regrouping import Promised, Step, Wanted, hand_on
from portal.schedules.service_calculating import Calculation, Line
from portal.schedules.service_terms import ContractHead

ZERO = Decimal(0)
Promises = Mapping[UUID, Sequence[Promised]]  # by line


class Kept(Struct, frozen=True):
    """What goes on: the regrouped lines as they are now, what each is promised, and what was promised for it before."""

    lines: dict[UUID, Line]
    promised: Promises
    before: dict[UUID, tuple[UUID | None, Decimal]]  # period and confirmed quantity of every line that was there


_VALID = """
select id, line_id, quantity, delivery_date, deemed from confirmation
where tenant_id = $1 and line_id = any($2) and status = 'valid' order by delivery_date, id"""
_REPLACE = """
update confirmation set status = 'replaced' where tenant_id = $1 and line_id = any($2) and status = 'valid'"""
_WRITE = """
update schedule_line l set due_date = r.due, ordered_quantity = r.quantity, confirmed_quantity = r.confirmed,
    status = r.status, version = l.version + 1, deemed = r.deemed, requested_date = r.requested,
    promised_date = coalesce(l.promised_date, r.promised),
    respond_by = case when r.confirmed > 0 then null else l.respond_by end
from unnest($2::text::uuid[], $3::text::date[], $4::text::numeric[], $5::text::numeric[], $6::text::text[],
    $7::text::bool[], $8::text::date[], $9::text::date[])
    as r(id, due, quantity, confirmed, status, deemed, requested, promised)
where l.tenant_id = $1 and l.id = r.id"""
_JOIN = """
update schedule_line set status = 'cancelled', close_reason = 'cancelled', confirmed_quantity = 0, respond_by = null,
    deemed = false, version = version + 1
where tenant_id = $1 and id = any($2)"""


async def regroup(session: AsyncSession, actor: Actor, head: ContractHead, made: Calculation) -> Kept:
    """Write the lines that are regrouped and take back those that are part of others now."""
    lines = [line for line in made.lines if line.regrouped]
    if not lines:
        return Kept({}, {}, {})
    connection = await db.driver(session)
    were = [line.row for line in lines if line.row["status"] != LineStatus.DRAFT] + made.joined
    rows = await connection.fetch(_VALID, actor.tenant_id, [row["id"] for row in were])
    await connection.execute(_REPLACE, actor.tenant_id, [row["id"] for row in were])
    promised = _handed(lines, were, rows)
    deemed = {row["id"] for row in rows if row["deemed"]}
    first = _first_days(were)
    now = {line.row["id"]: _as_now(line, promised[line.row["id"]]) for line in lines}
    values = [_written(line, promised[key], deemed, first[_step(line)]) for key, line in now.items()]
    await connection.execute(_WRITE, actor.tenant_id, *columns(values))
    await connection.execute(_JOIN, actor.tenant_id, [row["id"] for row in made.joined])
    await _book(session, actor, head, lines, made)
    for line in lines:
        _told(session, actor, head, line, promised[line.row["id"]])
    for row in made.joined:
        what = Subject("schedule_line", row["id"], head.party_id, row["version"] + 1, head.id)
        figures = {"quantity": row["ordered_quantity"], "unit": row["unit"], "date": row["due_date"]}
        record(session, actor, what, "joined_to", **figures)
    before = {row["id"]: (row["bucket_id"], row["confirmed_quantity"]) for row in were}
    return Kept(now, promised, before)


def _step(line: Line) -> Step:
    return Step(line.row["contract_line_id"], line.row["ship_to_code"], line.row["price"], line.due)


def _step_before(row: Any) -> Step:
    return Step(row["contract_line_id"], row["ship_to_code"], row["price"], row["due_date"])


def _handed(lines: Iterable[Line], were: Iterable[Any], rows: Iterable[Any]) -> dict[UUID, Sequence[Promised]]:
    """The promises of every step go to the lines that make it now, in the order of their numbers."""
    steps = {row["id"]: _step_before(row) for row in were}
    pools: dict[Step, list[Promised]] = defaultdict(list)
    for row in rows:
        pools[steps[row["line_id"]]].append(Promised(row["quantity"], row["delivery_date"], row["id"]))
    makers: dict[Step, list[Wanted]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.row["line_no"]):
        row = line.row
        wanted = Wanted(row["id"], line.quantity, row["under_percent"], row["over_percent"], row["unit"])
        makers[_step(line)].append(wanted)
    found: dict[UUID, Sequence[Promised]] = {}
    for step, made in makers.items():
        found |= hand_on(pools[step], made) or {wanted.line_id: [] for wanted in made}
    return found


def _first_days(were: Iterable[Any]) -> dict[Step, tuple[date, date | None]]:
    """By step, the day first asked for and the day first promised: a line that is split off keeps both for ever."""
    found: dict[Step, tuple[date, date | None]] = {}
    for row in were:
        step = _step_before(row)
        asked, promised = found.get(step, (row["requested_date"], None))
        days = [day for day in (promised, row["promised_date"]) if day is not None]
        found[step] = min(asked, row["requested_date"]), max(days, default=None)
    return found


def _as_now(line: Line, promised: Sequence[Promised]) -> Line:
    """The line with the row that it has now, as far as publishing reads it."""
    total, row = _total(promised), line.row
    fresh = {"version": row["version"] + 1, "ordered_quantity": line.quantity, "due_date": line.due}
    status = rules.status_by_promises(line.quantity, total, row["under_percent"], row["unit"])
    answered = None if status is LineStatus.PUBLISHED else status
    if answered is None and row["confirmed_quantity"] > 0:
        fresh["status"] = LineStatus.PUBLISHED.value
    return replace(line, row={**row, **fresh, "confirmed_quantity": total}, answered=answered)


def _total(promised: Iterable[Promised]) -> Decimal:
    return sum((part.quantity for part in promised), ZERO)


def _written(
    line: Line, promised: Sequence[Promised], deemed: set[UUID], first: tuple[date, date | None]
) -> tuple[Any, ...]:
    """One row of `_WRITE`. A draft stays one until it is published, and takes the first days of what it was part of."""
    row = line.row
    status = row["status"] if row["status"] == LineStatus.DRAFT or line.answered is None else line.answered.value
    requested = first[0] if row["status"] == LineStatus.DRAFT else row["requested_date"]
    is_deemed = any(part.row in deemed for part in promised)
    figures = (line.due, line.quantity, row["confirmed_quantity"])
    return (row["id"], *figures, status, is_deemed, requested, first[1] if promised else None)


async def _book(
    session: AsyncSession, actor: Actor, head: ContractHead, lines: Iterable[Line], made: Calculation
) -> None:
    """The periods take the differences, first what is given back. Drafts are called off when they are published."""
    changes = [(row, -row["ordered_quantity"]) for row in made.joined]
    there = [line.row for line in lines if line.row["status"] != LineStatus.DRAFT]
    quantities = {line.row["id"]: line.quantity for line in lines}
    changes += [(row, quantities[row["id"]] - row["ordered_quantity"]) for row in there]
    for row, more in changes:
        if row["bucket_id"] is not None and more < 0:
            await give_back(session, actor, head.party_id, row["bucket_id"], row["id"], -more)
    days = {line.row["id"]: line.due for line in lines}
    calls = [
        Call(
            row["id"], row["contract_line_id"], made.terms[row["contract_line_id"]].item_code, days[row["id"]], more,
            row["period_start"] is not None,
        )
        for row, more in changes
        if row["bucket_id"] is not None and more > 0
    ]  # fmt: skip
    if calls:
        await consume(session, actor, head.party_id, calls)


def _told(session: AsyncSession, actor: Actor, head: ContractHead, line: Line, promised: Sequence[Promised]) -> None:
    row = line.row
    what = Subject("schedule_line", row["id"], head.party_id, row["version"] + 1, head.id)
    parts = [{"quantity": str(part.quantity), "date": str(part.day)} for part in promised]
    was = {"was_quantity": row["ordered_quantity"], "was_date": row["due_date"]}
    record(
        session, actor, what, "regrouped", quantity=line.quantity, unit=row["unit"], date=line.due, splits=parts, **was
    )


_COPY = """
insert into confirmation (tenant_id, id, party_id, line_id, release_line_id, command_id, delivery_date, quantity,
    despatch_date, line_version, status, member_id, channel, deviations, reason, note, price, on_behalf, deemed)
select $1, r.id, c.party_id, r.line, r.release_line, c.command_id, c.delivery_date, r.quantity, c.despatch_date,
    r.version, 'valid', c.member_id, c.channel, c.deviations, c.reason, c.note, c.price, c.on_behalf, c.deemed
from unnest($2::text::uuid[], $3::text::uuid[], $4::text::uuid[], $5::text::uuid[], $6::text::numeric[],
    $7::text::int[])
    as r(id, row, line, release_line, quantity, version)
join confirmation c on c.tenant_id = $1 and c.id = r.row"""


async def hand_over(
    connection: Driver, actor: Actor, head: ContractHead, kept: Kept, places: Mapping[UUID, tuple[UUID, UUID | None]]
) -> None:
    """Write the promises of the lines as they are now. places: by line its copy in the release, and its period."""
    copies = [
        (uuid7(), part.row, key, places[key][0], part.quantity, kept.lines[key].row["version"])
        for key, parts in kept.promised.items()
        for part in parts
    ]
    if copies:
        await connection.execute(_COPY, actor.tenant_id, *columns(copies))
    now = {key: (places[key][1], _total(parts)) for key, parts in kept.promised.items()}
    entries = []
    for sign, state in ((-1, kept.before), (1, now)):
        entries += [
            Entry(head.party_id, bucket, EntryKind.CONFIRMED, sign * quantity, "schedule_line", key, key)
            for key, (bucket, quantity) in state.items()
            if bucket is not None and quantity
        ]
    await post(connection, actor, entries)
