"""The ledger at work: calls are checked and consumed under the lock of their periods, documents post their entries.

Schedules and shipments call this inside the transaction of their own document, after they locked its lines; periods are
always locked after lines and in the order of their ids. All is written by statements, because confirming and
publishing are hot.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model_buckets import ALLOWING, CONSUMING, Assignment, EntryKind, as_values
from portal.contracts.rules_buckets import (
    Call,
    CallLimits,
    Filled,
    Room,
    Spans,
    missing_room,
    no_period,
    spread,
    take,
    uncovered,
)
from portal.core import arrays, db
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.ids import uuid7s

ZERO = Decimal(0)
EARLIER = timedelta(days=100)  # how far before its own period a generated delivery's quantity may belong: a quarter


class Entry(NamedTuple):
    """One line of the ledger to be written."""

    party_id: UUID
    bucket_id: UUID
    kind: EntryKind
    quantity: Decimal
    document: str  # its table
    document_id: UUID
    line_id: UUID | None = None  # the schedule line


Document = tuple[str, UUID]  # its table and its id


class Goods(NamedTuple):
    """What one document says of one schedule line that was called off from a period. Negative quantities take back."""

    line_id: UUID
    party_id: UUID
    bucket_id: UUID
    assignment: Assignment
    shipped: Decimal = ZERO
    received: Decimal = ZERO
    returned: Decimal = ZERO
    consumed: Decimal = ZERO  # by how much closing or opening the line changes what it consumes


# --- posting ----------------------------------------------------------------------------------------------------------


def insert_entries(first: int) -> str:
    """The insert of entries; its parameters, as `entry_values` gives them, begin with $first, and $1 is the tenant."""
    kinds = ("uuid", "uuid", "uuid", "text", "numeric", "text", "uuid", "uuid")
    columns = ", ".join(f"${n}::text::{kind}[]" for n, kind in enumerate(kinds, start=first + 3))
    return (
        "insert into bucket_entry (tenant_id, member_id, member_name, reason, id, party_id, bucket_id, kind, quantity,"  # noqa: S608
        f" document, document_id, line_id) select $1, ${first}::uuid, ${first + 1}::text, ${first + 2}::text, e.*"
        f" from unnest({columns}) as e"
    )


def entry_values(actor: Actor, entries: Sequence[Entry], reason: str = "") -> list[Any]:
    """The parameters of `insert_entries`."""
    rows = [(key, *entry) for key, entry in zip(uuid7s(len(entries)), entries, strict=True)]
    return [actor.member_id, actor.name, reason, *(arrays.columns(rows) if rows else ["{}"] * 8)]


_INSERT = insert_entries(2)
_SUMS = {
    "consumed": frozenset(CONSUMING),
    "allowance": frozenset(ALLOWING),
    "tolerance_used": frozenset({EntryKind.TOLERANCE}),
}


async def post(connection: Driver, actor: Actor, entries: Sequence[Entry], reason: str = "") -> None:
    """Write entries, and with the same statement what they change of the sums that the check reads.

    Where several periods change, the caller holds their locks (`lock`), so that two of us never wait for each other.
    """
    if not entries:
        return
    values = entry_values(actor, entries, reason)
    changed = {name: _by_bucket(entries, kinds) for name, kinds in _SUMS.items()}
    changed = {name: sums for name, sums in changed.items() if sums}
    if not changed:
        await connection.execute(_INSERT, actor.tenant_id, *values)
        return
    ids = sorted({bucket for sums in changed.values() for bucket in sums})
    sets = ", ".join(f"{name} = b.{name} + r.{name}" for name in changed)
    columns: list[list[Any]] = [ids, *([sums.get(one, ZERO) for one in ids] for sums in changed.values())]
    await connection.execute(
        f"with written as ({_INSERT}) update commitment_bucket b set {sets}"  # noqa: S608
        f" from unnest({arrays.unseen(13, 'uuid' + ' numeric' * len(changed))}) as r(id, {', '.join(changed)})"
        " where b.tenant_id = $1 and b.id = r.id",
        *(actor.tenant_id, *values, *map(arrays.array, columns)),
    )


def _by_bucket(entries: Iterable[Entry], kinds: frozenset[EntryKind]) -> dict[UUID, Decimal]:
    sums: dict[UUID, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if entry.kind in kinds:
            sums[entry.bucket_id] += entry.quantity
    return {bucket: quantity for bucket, quantity in sums.items() if quantity}


async def lock(connection: Driver, actor: Actor, bucket_ids: Iterable[UUID]) -> None:
    """Lock periods in the order of their ids. One alone needs no lock of its own: the update takes it."""
    ids = sorted(set(bucket_ids))
    if len(ids) > 1:
        query = "select id from commitment_bucket where tenant_id = $1 and id = any($2) order by id for update"
        await connection.fetch(query, actor.tenant_id, ids)


# --- calling off ------------------------------------------------------------------------------------------------------

_ROOMS = """
select b.id, b.contract_line_id, b.period_start, b.period_end, b.target, b.ceiling, b.unit, b.consumed, b.allowance,
    b.tolerance_used, t.over_call_percent, t.call_low_percent, t.call_high_percent
from commitment_bucket b
left join commitment_terms t on t.tenant_id = b.tenant_id and t.party_id = b.party_id and t.contract_id = b.contract_id
    and t.replaced_on = 'infinity'
where b.tenant_id = $1 and b.party_id = $2 and b.contract_line_id = any($3::text::uuid[]) and b.period_start <= $4
    and b.period_end > $5 order by b.id {lock}"""
_TO_TAKE = _ROOMS.format(lock="for update of b")
_TO_LOOK = _ROOMS.format(lock="")
_SPANS = """
select contract_line_id, min(period_start), max(period_end) from commitment_bucket
where tenant_id = $1 and party_id = $2 and contract_line_id = any($3::text::uuid[]) group by 1"""


async def consume(session: AsyncSession, actor: Actor, party_id: UUID, calls: Sequence[Call]) -> dict[UUID, UUID]:
    """Check calls of one contract and write them into its ledger, in one step under the lock of their periods.

    Returns the period of each schedule line; lines of a pure call-off are left out. Raises OverCeiling with what is
    left, NoPeriod or CallOutsideBand, and then nothing of it is written.
    """
    if not calls:
        return {}
    connection = await db.driver(session)
    postings = take(calls, *await _around(connection, actor, party_id, calls, _TO_TAKE))
    entries = [
        Entry(party_id, one.bucket_id, one.kind, one.quantity, "schedule_line", one.line_id, one.line_id)
        for one in postings
        if one.line_id is not None
    ]
    await post(connection, actor, entries)
    return {entry.document_id: entry.bucket_id for entry in reversed(entries)}  # the first is its own period


async def check_calls(session: AsyncSession, actor: Actor, party_id: UUID, calls: Sequence[Call]) -> None:
    """Raise what `consume` would raise now, and take nothing: a draft is told early that it does not fit."""
    take(calls, *await _around(await db.driver(session), actor, party_id, calls, _TO_LOOK))


async def check_days(session: AsyncSession, actor: Actor, party_id: UUID, calls: Sequence[Call]) -> None:
    """Raise NoPeriod unless each call's day lies in a period, where its line has periods at all."""
    if not calls:
        return
    rooms, _, spans = await _around(await db.driver(session), actor, party_id, calls, _TO_LOOK)
    for call in calls:
        if call.contract_line_id in spans and uncovered([call], rooms):
            raise no_period(call, spans)


async def allow_agreed(
    session: AsyncSession, actor: Actor, party_id: UUID, calls: Sequence[Call], document: Document, reason: str
) -> None:
    """Both companies agreed on calls beyond a ceiling: the ledger says by how much more, and by which document."""
    if not calls:
        return
    connection = await db.driver(session)
    rooms, limits, _ = await _around(connection, actor, party_id, calls, _TO_TAKE)
    beyond = missing_room(calls, rooms, limits)
    entries = [Entry(party_id, period, EntryKind.OVER_CALL, more, *document) for period, more in beyond.items()]
    await post(connection, actor, entries, reason)


async def _around(
    connection: Driver, actor: Actor, party_id: UUID, calls: Sequence[Call], query: str
) -> tuple[list[Room], CallLimits, Spans]:
    """The periods in which the calls' days lie, the contract's limits, and how far periods reach."""
    lines = arrays.array(list({call.contract_line_id for call in calls}))
    first, last = min(call.due for call in calls), max(call.due for call in calls)
    if any(call.generated for call in calls):
        first -= EARLIER
    rows = await connection.fetch(query, actor.tenant_id, party_id, lines, last, first)
    rooms = [Room(*list(row.values())[:10]) for row in rows]
    limits = (
        CallLimits(ZERO if rows[0][10] is None else rows[0][10], rows[0][11], rows[0][12]) if rows else CallLimits()
    )
    spans: Spans = {}
    if beside := uncovered(calls, rooms):
        found = await connection.fetch(_SPANS, actor.tenant_id, party_id, arrays.array(list(beside)))
        spans = {row[0]: (row[1], row[2]) for row in found}
    return rooms, limits, spans


class Holding(NamedTuple):
    """What one schedule line takes from one period now."""

    line_id: UUID
    bucket_id: UUID
    called: Decimal
    confirmed: Decimal


_HOLDINGS = f"""
select line_id, bucket_id, coalesce(sum(quantity) filter (where kind in ({as_values(CONSUMING)})), 0),
    coalesce(sum(quantity) filter (where kind = 'confirmed'), 0)
from bucket_entry where tenant_id = $1 and line_id = any($2) group by 1, 2 order by 1, 2"""  # noqa: S608 - own text


async def holdings(connection: Driver, actor: Actor, line_ids: Sequence[UUID]) -> list[Holding]:
    """What schedule lines take from their periods; lines of a pure call-off are absent."""
    return [Holding(*row.values()) for row in await connection.fetch(_HOLDINGS, actor.tenant_id, list(line_ids))]


async def give_back(
    session: AsyncSession, actor: Actor, party_id: UUID, bucket_id: UUID, line_id: UUID, quantity: Decimal
) -> None:
    """A call is cancelled: what it consumed may be called off again."""
    entry = Entry(party_id, bucket_id, EntryKind.RELEASED, -quantity, "schedule_line", line_id, line_id)
    await post(await db.driver(session), actor, [entry])


# --- goods ------------------------------------------------------------------------------------------------------------


async def book_goods(
    session: AsyncSession, actor: Actor, document: str, document_id: UUID, day: date, goods: Sequence[Goods]
) -> None:
    """Write what a delivery note or a receipt moved. day: of the despatch or of the receipt.

    Which period it belongs to is the contract's rule; what closing a line changes belongs to where it was called off.
    """
    if not goods:
        return
    connection = await db.driver(session)
    await _check_after_cut_over(connection, actor, day, goods)
    dated = [one for one in goods if one.assignment is not Assignment.REQUESTED]
    places = await _places(connection, actor, dated) if dated else {}
    entries: list[Entry] = []
    for one in goods:
        line = places.get(one.bucket_id, {})
        for kind, quantity in ((EntryKind.SHIPPED, one.shipped), (EntryKind.RECEIVED, one.received)):
            entries += [
                Entry(one.party_id, bucket, kind, part, document, document_id, one.line_id)
                for bucket, part in _split(one, kind, quantity, day, line)
            ]
        for kind, quantity in ((EntryKind.RETURNED, one.returned), (EntryKind.RELEASED, one.consumed)):
            if quantity:
                entries.append(Entry(one.party_id, one.bucket_id, kind, quantity, document, document_id, one.line_id))
    await lock(connection, actor, [entry.bucket_id for entry in entries if entry.kind in CONSUMING])
    await post(connection, actor, entries)


class BeforeCutOver(Conflict):
    code = "before-cut-over"
    text = N_(
        "The opening balance that both companies confirmed holds everything up to {cut_over}, so a document of {day}"
        " would count twice. Choose a later day."
    )


_CUT_OVER = """
select o.cut_over from opening_balance o
where o.tenant_id = $1 and o.status = 'confirmed' and o.cut_over >= $3 and o.contract_id in (
    select contract_id from commitment_bucket where tenant_id = $1 and id = any($2)) limit 1"""


async def _check_after_cut_over(connection: Driver, actor: Actor, day: date, goods: Sequence[Goods]) -> None:
    """Raise BeforeCutOver for what an opening balance holds already. What is taken back is never refused."""
    new = [one.bucket_id for one in goods if one.shipped > 0 or one.received > 0 or one.returned > 0]
    cut_over = await connection.fetchval(_CUT_OVER, actor.tenant_id, new, day) if new else None
    if cut_over is not None:
        raise BeforeCutOver(cut_over=cut_over, day=day)


class _Place(NamedTuple):
    """A period of the line with what its goods add up to so far."""

    id: UUID
    start: date
    end: date
    closed: bool
    called: Decimal
    shipped: Decimal
    received: Decimal


_PLACES = """
select own.contract_line_id, own.id, b.id, b.period_start, b.period_end, b.closed_at is not null, b.consumed,
    coalesce(sum(e.quantity) filter (where e.kind in ('shipped', 'opening_shipped')), 0),
    coalesce(sum(e.quantity) filter (where e.kind in ('received', 'opening_received')), 0)
from commitment_bucket own
join (select * from commitment_bucket where tenant_id = $1 and contract_line_id in (
    select contract_line_id from commitment_bucket where tenant_id = $1 and id = any($2)) order by id for update) b
    on b.contract_line_id = own.contract_line_id
left join bucket_entry e on e.tenant_id = b.tenant_id and e.bucket_id = b.id
where own.tenant_id = $1 and own.id = any($2) group by 1, 2, 3, 4, 5, 6, 7"""


async def _places(connection: Driver, actor: Actor, goods: Sequence[Goods]) -> dict[UUID, dict[UUID, _Place]]:
    """All periods of the lines, locked, by the period in which a delivery was called off; a line's calls share them."""
    rows = await connection.fetch(_PLACES, actor.tenant_id, [one.bucket_id for one in goods])
    shared: dict[UUID, dict[UUID, _Place]] = {}
    found: dict[UUID, dict[UUID, _Place]] = {}
    for row in rows:
        line, own, *values = row.values()
        place = _Place(*values)
        found[own] = shared.setdefault(line, {})
        found[own][place.id] = place
    return found


def _split(
    one: Goods, kind: EntryKind, quantity: Decimal, day: date, line: dict[UUID, _Place]
) -> list[tuple[UUID, Decimal]]:
    """Over which periods one quantity goes; the line's periods remember it for the next."""
    by_receipt = one.assignment is Assignment.RECEIPT
    ready = []
    for place in line.values():
        holds = place.shipped if kind is EntryKind.SHIPPED else place.received
        waits = place.called if kind is EntryKind.SHIPPED or by_receipt else place.shipped
        ready.append(Filled(place.id, place.start, place.end, place.closed, waits - holds, holds))
    parts = spread(quantity, day, one.bucket_id, one.assignment, ready)
    for bucket, part in parts:
        if bucket in line:
            name = kind.value
            line[bucket] = line[bucket]._replace(**{name: getattr(line[bucket], name) + part})
    return parts
