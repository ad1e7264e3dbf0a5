"""How delivery notes and receipts change a schedule line: its sums, whether it is closed, and its history.

The documents themselves belong to `portal.shipments`. It locks the lines here, checks everything, and then books: one
booking is one version of the line and one entry of its history.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model_buckets import Assignment
from portal.contracts.service_buckets import Goods, book_goods
from portal.core import db
from portal.core.actor import Actor, Direction
from portal.core.arrays import columns
from portal.core.errors import NotFound
from portal.core.journal import Subject, record
from portal.core.states import Side, WrongState
from portal.schedules import rules, service_reports
from portal.schedules.model import CloseReason, LineStatus
from portal.schedules.rules import LINE_STATES, SHIPPABLE
from portal.schedules.service import visible


class Delivery(Struct, frozen=True):
    """A locked schedule line as the documents of its goods need it."""

    id: UUID
    party_id: UUID
    contract_id: UUID
    version: int
    status: LineStatus
    close_reason: CloseReason | None
    unit: str
    ordered_quantity: Decimal
    under_percent: Decimal
    over_percent: Decimal
    confirmed_quantity: Decimal
    shipped_quantity: Decimal
    received_quantity: Decimal  # accepted
    rejected_quantity: Decimal
    last_received_on: date | None
    order_no: str
    ship_to_code: str
    bucket_id: UUID | None  # the period it was called off from
    pack_size: Decimal
    assignment: Assignment
    direction: Direction
    time_zone: str
    contract_begins: date


class Arrival(Struct, frozen=True):
    """What one receipt adds to a line's sums; a correction may take away."""

    accepted: Decimal
    rejected: Decimal
    received_on: date | None  # the last day on which something of the line arrived; none: nothing did


_LOCK = """
select l.id, l.party_id, l.contract_id, l.version, l.status, l.close_reason, l.unit, l.ordered_quantity,
    l.under_percent, l.over_percent, l.confirmed_quantity, l.shipped_quantity, l.received_quantity,
    l.rejected_quantity, l.last_received_on, l.order_no, coalesce(nullif(l.ship_to_code, ''), p.ship_to_code),
    l.bucket_id, p.pack_size, coalesce(t.assignment, 'requested'), c.direction, c.time_zone,
    c.valid_from
from schedule_line l
join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id
join contract_line p on p.tenant_id = l.tenant_id and p.id = l.contract_line_id
left join commitment_terms t on t.tenant_id = l.tenant_id and t.party_id = l.party_id and t.contract_id = l.contract_id
    and t.replaced_on = 'infinity'
where l.tenant_id = $1 and l.id = any($2) and ($3::uuid[] is null or l.contract_id = any($3))
order by l.id for update of l"""


async def lock_deliveries(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> dict[UUID, Delivery]:
    """Lock lines in the order of their ids. One that is absent, foreign or hidden: NotFound for all."""
    wanted = set(ids)
    connection = await db.driver(session)
    rows = await connection.fetch(_LOCK, actor.tenant_id, list(wanted), visible(actor))
    if len(rows) != len(wanted):
        raise NotFound
    return {row["id"]: _delivery(row) for row in rows}


def _delivery(row: Any) -> Delivery:
    line = Delivery(*row.values())
    return replace(
        line,
        status=LineStatus(line.status),
        close_reason=CloseReason(line.close_reason) if line.close_reason else None,
        direction=Direction(line.direction),
        assignment=Assignment(line.assignment),
    )


def check_shippable(line: Delivery) -> None:
    """Raise WrongState unless the line waits for goods."""
    if line.status not in SHIPPABLE:
        raise WrongState(status=line.status, action="ship")


async def book_shipped(
    session: AsyncSession,
    actor: Actor,
    booked: Sequence[tuple[Delivery, Decimal]],
    verb: str,
    *,
    shipment_id: UUID,
    shipped_on: date,
    **data: Any,
) -> list[Delivery]:
    """Add a delivery note's quantities to the lines; negative ones take a withdrawn note back."""
    after = [
        replace(line, shipped_quantity=line.shipped_quantity + quantity, version=line.version + 1)
        for line, quantity in booked
    ]
    await _store(session, actor, after)
    goods = [
        Goods(line.id, line.party_id, line.bucket_id, line.assignment, shipped=quantity)
        for line, quantity in booked
        if line.bucket_id is not None
    ]
    await book_goods(session, actor, "shipment", shipment_id, shipped_on, goods)
    for line, (_, quantity) in zip(after, booked, strict=True):
        figures = {"quantity": str(abs(quantity)), "unit": line.unit}
        record(session, actor, _subject(line), verb, **figures, **data, shipment_id=shipment_id)
    return after


async def book_received(
    session: AsyncSession,
    actor: Actor,
    booked: Sequence[tuple[Delivery, Arrival]],
    verb: str,
    *,
    receipt_id: UUID,
    received_on: date,
    **data: Any,
) -> list[Delivery]:
    """Add a receipt's counts to the lines, and close each that is now delivered as agreed."""
    after = [received(line, arrival) for line, arrival in booked]
    await _store(session, actor, after)
    goods = [
        Goods(
            line.id, line.party_id, line.bucket_id, line.assignment, received=arrival.accepted,
            returned=arrival.rejected, consumed=_consumed(line) - _consumed(before),
        )
        for line, (before, arrival) in zip(after, booked, strict=True)
        if line.bucket_id is not None
    ]  # fmt: skip
    await book_goods(session, actor, "receipt", receipt_id, received_on, goods)
    for line, (before, arrival) in zip(after, booked, strict=True):
        figures = {"accepted": str(arrival.accepted), "rejected": str(arrival.rejected), "unit": line.unit}
        if line.status is LineStatus.CLOSED and before.status is not LineStatus.CLOSED:
            figures["closed"] = str(line.close_reason)
        record(session, actor, _subject(line), verb, **figures, **data, receipt_id=receipt_id)
    await service_reports.settle_reports(
        session, actor, [line.id for line in after if line.status is LineStatus.CLOSED]
    )
    return after


def _consumed(line: Delivery) -> Decimal:
    return rules.consumed_quantity(line.status, line.ordered_quantity, line.received_quantity)


def received(line: Delivery, arrival: Arrival) -> Delivery:
    """The line after a receipt. It closes complete, or short within tolerance; a correction may open it again."""
    accepted = line.received_quantity + arrival.accepted
    status, reason = line.status, line.close_reason
    now_closed = rules.close_reason(line.ordered_quantity, accepted, line.under_percent, line.unit)
    if now_closed is not None and status in SHIPPABLE:
        status, reason = LINE_STATES.target(status, "close", by=Side.BUYER), now_closed
    elif now_closed is not None and reason in (CloseReason.COMPLETE, CloseReason.SHORT):
        reason = now_closed
    elif now_closed is None and reason in (CloseReason.COMPLETE, CloseReason.SHORT):
        LINE_STATES.target(status, "reopen", by=Side.BUYER)
        promised = line.confirmed_quantity
        status = rules.status_by_promises(line.ordered_quantity, promised, line.under_percent, line.unit)
        reason = None
    return replace(
        line,
        received_quantity=accepted,
        rejected_quantity=line.rejected_quantity + arrival.rejected,
        last_received_on=arrival.received_on,
        status=status,
        close_reason=reason,
        version=line.version + 1,
    )


_STORE = """
update schedule_line l set version = r.version, status = r.status, close_reason = r.close_reason,
    shipped_quantity = r.shipped, received_quantity = r.received, rejected_quantity = r.rejected,
    last_received_on = r.last_received_on, respond_by = case when r.status = 'closed' then null else l.respond_by end
from unnest($2::text::uuid[], $3::text::int[], $4::text::text[], $5::text::text[], $6::text::numeric[],
    $7::text::numeric[], $8::text::numeric[], $9::text::date[])
    as r(id, version, status, close_reason, shipped, received, rejected, last_received_on)
where l.tenant_id = $1 and l.id = r.id"""


async def _store(session: AsyncSession, actor: Actor, lines: Sequence[Delivery]) -> None:
    rows = [
        (
            *(line.id, line.version, line.status.value, line.close_reason.value if line.close_reason else None),
            *(line.shipped_quantity, line.received_quantity, line.rejected_quantity, line.last_received_on),
        )
        for line in lines
    ]
    connection = await db.driver(session)
    await connection.execute(_STORE, actor.tenant_id, *columns(rows))


def _subject(line: Delivery) -> Subject:
    return Subject("schedule_line", line.id, line.party_id, line.version, line.contract_id)


Deliveries = Mapping[UUID, Delivery]
