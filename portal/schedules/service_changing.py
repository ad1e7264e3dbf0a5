"""What an agreed change does to schedule lines: other quantities and days, new lines, cancelled ones, and the seller's
word that was given with the agreement.

The request belongs to `portal.changes`, which locks the contract and the lines, moves the ledger, and publishes.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.core.states import Side
from portal.schedules.model import CloseReason, LineStatus
from portal.schedules.rules import AGREED_CHANGES, LINE_STATES
from portal.schedules.service import LineHead, subject


class Changed(Struct, frozen=True):
    """How a locked line stands after the change. asked_anew: its quantity or day is another one."""

    head: LineHead
    quantity: Decimal
    due_date: date
    place: str
    price: Decimal | None
    bucket_id: UUID | None
    asked_anew: bool


class Added(Struct, frozen=True):
    """A new line. origin: the line that it was split from."""

    id: UUID
    contract_line_id: UUID
    origin: UUID | None
    quantity: Decimal
    due_date: date
    place: str
    price: Decimal | None
    bucket_id: UUID | None


# An answer to the former request says nothing about the new one, so it is closed and the seller is asked anew.
_CHANGE = """
with closed as (
    update confirmation set status = 'closed'
    where tenant_id = $1 and line_id = any($2::text::uuid[]) and line_id = any($10) and status in ('valid', 'needs_approval')
)
update schedule_line l set version = r.version, status = r.status, ordered_quantity = r.quantity,
    due_date = r.due_date, ship_to_code = r.place, price = r.price, bucket_id = r.bucket,
    confirmed_quantity = case when l.id = any($10) then 0 else l.confirmed_quantity end,
    respond_by = case when l.id = any($10) then null else l.respond_by end,
    reject_reason = case when l.id = any($10) then '' else l.reject_reason end,
    deviation_id = case when l.id = any($10) then null else l.deviation_id end,
    deemed = l.deemed and not l.id = any($10),
    requested_quantity = case when r.quantity <> l.ordered_quantity then coalesce(l.requested_quantity,
        l.ordered_quantity) else l.requested_quantity end
from unnest($2::text::uuid[], $3::text::int[], $4::text::text[], $5::text::numeric[], $6::text::date[],
    $7::text::text[], $8::text::numeric[], $9::text::uuid[])
    as r(id, version, status, quantity, due_date, place, price, bucket)
where l.tenant_id = $1 and l.id = r.id"""


async def change_lines(session: AsyncSession, actor: Actor, changed: Sequence[Changed], **said: Any) -> None:
    """Write what was agreed on locked lines. said: what their history tells beside the figures."""
    if not changed:
        return
    rows = []
    for one in changed:
        head = one.head
        status = AGREED_CHANGES.target(head.status, "change", by=Side.BUYER) if one.asked_anew else head.status
        after = (status.value, one.quantity, one.due_date, one.place, one.price, one.bucket_id)
        rows.append((head.id, head.version + 1, *after))
        what = Subject("schedule_line", head.id, head.party_id, head.version + 1, head.contract_id)
        figures = {"quantity": one.quantity, "unit": head.unit, "date": one.due_date}
        former = {"was": head.ordered_quantity, "was_on": head.due_date}
        record(session, actor, what, "agreed_anew", **figures, **former, **said)
    anew = [one.head.id for one in changed if one.asked_anew]
    connection = await db.driver(session)
    await connection.execute(_CHANGE, actor.tenant_id, *columns(rows), anew)


_CANCEL = """
with closed as (
    update confirmation set status = 'closed'
    where tenant_id = $1 and line_id = any($2) and status in ('valid', 'needs_approval')
)
update schedule_line set status = 'cancelled', close_reason = $3, confirmed_quantity = 0, respond_by = null,
    deviation_id = null, version = version + 1
where tenant_id = $1 and id = any($2)"""


async def cancel_lines(session: AsyncSession, actor: Actor, heads: Sequence[LineHead], **said: Any) -> None:
    """Take back locked lines by agreement, whatever zone they are in. Nothing of them was shipped."""
    if not heads:
        return
    for head in heads:
        AGREED_CHANGES.target(head.status, "cancel", by=Side.BUYER)
        after = subject(head)
        what = Subject(after.kind, after.id, after.party_id, head.version + 1, after.contract_id)
        record(session, actor, what, "cancelled", **said)
    connection = await db.driver(session)
    await connection.execute(_CANCEL, actor.tenant_id, [head.id for head in heads], CloseReason.CANCELLED.value)


_ADD = """
insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no, order_date,
    due_date, requested_date, period_start, unit, ordered_quantity, under_percent, over_percent, status, reject_reason,
    supply_state, supply_note, confirmed_quantity, shipped_quantity, received_quantity, rejected_quantity, ship_to_code,
    price, bucket_id, version)
select $1, r.id, c.party_id, c.id, k.id, c.last_line_no + r.no, coalesce(o.order_no, ''), $3, r.due_date,
    coalesce(o.requested_date, r.due_date), o.period_start, k.unit, r.quantity, coalesce(o.under_percent,
    k.under_percent), coalesce(o.over_percent, k.over_percent), 'published', '', 'unknown', '', 0, 0, 0, 0, r.place,
    r.price, r.bucket, 1
from unnest($4::text::uuid[], $5::text::uuid[], $6::text::uuid[], $7::text::numeric[], $8::text::date[],
    $9::text::text[], $10::text::numeric[], $11::text::uuid[])
    with ordinality as r(id, line, origin, quantity, due_date, place, price, bucket, no)
join contract c on c.tenant_id = $1 and c.id = $2
join contract_line k on k.tenant_id = $1 and k.contract_id = c.id and k.id = r.line
left join schedule_line o on o.tenant_id = $1 and o.id = r.origin"""
_COUNT = "update contract set last_line_no = last_line_no + $3 where tenant_id = $1 and id = $2"


async def add_lines(
    session: AsyncSession, actor: Actor, contract: Subject, added: Sequence[Added], today: date, **said: Any
) -> None:
    """New lines of a locked contract, called off already and told with the next release. A part that was split off
    keeps the day that was first asked for, so that punctuality is measured by it."""
    if not added:
        return
    connection = await db.driver(session)
    rows = [
        (one.id, one.contract_line_id, one.origin, one.quantity, one.due_date, one.place, one.price, one.bucket_id)
        for one in added
    ]
    await connection.execute(_ADD, actor.tenant_id, contract.id, today, *columns(rows))
    await connection.execute(_COUNT, actor.tenant_id, contract.id, len(added))
    for one in added:
        what = Subject("schedule_line", one.id, contract.party_id, 1, contract.id)
        record(session, actor, what, "called_off", quantity=one.quantity, date=one.due_date, **said)


_CONFIRM = """
with promised as (
    insert into confirmation (tenant_id, id, party_id, line_id, release_line_id, command_id, delivery_date, quantity,
        status)
    select $1, r.id, l.party_id, l.id, l.release_line_id, r.id, l.due_date, l.ordered_quantity, 'valid'
    from unnest($2::uuid[], $3::uuid[]) as r(line, id)
    join schedule_line l on l.tenant_id = $1 and l.id = r.line
)
update schedule_line l set status = 'confirmed', confirmed_quantity = ordered_quantity, respond_by = null,
    version = version + 1, promised_date = coalesce(promised_date, due_date)
where l.tenant_id = $1 and l.id = any($2)
returning id, status, version, party_id, contract_id, bucket_id, ordered_quantity, due_date, unit"""
_STATUS = "select id, status from schedule_line where tenant_id = $1 and id = any($2)"


async def confirm_agreed(
    session: AsyncSession, actor: Actor, line_ids: Sequence[UUID], **said: Any
) -> list[tuple[UUID, UUID, Decimal]]:
    """The seller agreed to these quantities and days, so they are promised. Returns line, period and quantity of those
    that were called off from a period."""
    if not line_ids:
        return []
    connection = await db.driver(session)
    for row in await connection.fetch(_STATUS, actor.tenant_id, list(line_ids)):
        LINE_STATES.target(LineStatus(row["status"]), "confirm", by=Side.SELLER)
    rows = await connection.fetch(_CONFIRM, actor.tenant_id, list(line_ids), [uuid7() for _ in line_ids])
    for row in rows:
        what = Subject("schedule_line", row["id"], row["party_id"], row["version"], row["contract_id"])
        parts = [{"quantity": str(row["ordered_quantity"]), "date": str(row["due_date"])}]
        record(session, actor, what, "confirmed", splits=parts, unit=row["unit"], **said)
    return [(row["id"], row["bucket_id"], row["ordered_quantity"]) for row in rows if row["bucket_id"] is not None]
