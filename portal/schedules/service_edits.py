"""What the factory wants of published lines next: kept to itself until a release brings it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar, deadline
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.journal import emit, record
from portal.schedules.events import LineCancelled, RequestChanged
from portal.schedules.model import LineStatus, Zone
from portal.schedules.rules import OPEN
from portal.schedules.service_changing import Changed, cancel_lines, change_lines
from portal.schedules.service_lines import LineHead, change, lock_lines, subject
from portal.schedules.service_promises import book_change


class EditOutdated(Conflict):
    code = "edit-outdated"
    text = N_("The edited delivery of {day} moved on meanwhile. Open the grid, look at it and save again.")


_EDITS = "select line_id, line_version, quantity from schedule_edit where tenant_id = $1 and contract_id = $2"
_KEEP = """
insert into schedule_edit (tenant_id, id, contract_id, line_id, line_version, due_date, quantity)
select $1, gen_random_uuid(), l.contract_id, l.id, l.version, l.due_date, r.quantity
from unnest($2::uuid[], $3::numeric[]) as r(id, quantity)
join schedule_line l on l.tenant_id = $1 and l.id = r.id
on conflict (tenant_id, line_id) do update
    set line_version = excluded.line_version, due_date = excluded.due_date, quantity = excluded.quantity"""
_SAME = """
delete from schedule_edit e using schedule_line l
where e.tenant_id = $1 and e.contract_id = $2 and l.tenant_id = $1 and l.id = e.line_id
    and (e.quantity = l.ordered_quantity or e.line_version <> l.version)"""


def is_fixed(status: str, zone: str | None, shipped: Decimal) -> bool:
    """Whether only an agreed change may touch a published line: it is firm, shipped, or ended."""
    return zone == Zone.FIRM or shipped > 0 or status not in (*OPEN, LineStatus.DRAFT)


async def keep_edits(session: AsyncSession, actor: Actor, contract_id: UUID, wanted: Mapping[UUID, Decimal]) -> None:
    """Remember what published lines of a locked contract shall become; what is as it was is forgotten."""
    connection = await db.driver(session)
    await connection.execute(_KEEP, actor.tenant_id, list(wanted), list(wanted.values()))
    await forget_stale(session, actor, contract_id)


async def forget_stale(session: AsyncSession, actor: Actor, contract_id: UUID) -> None:
    """Drop edits of lines that moved on, or that say nothing new."""
    connection = await db.driver(session)
    await connection.execute(_SAME, actor.tenant_id, contract_id)


async def apply_edits(session: AsyncSession, actor: Actor, contract_id: UUID, now: datetime) -> None:
    """Bring the edits of a locked contract with the release that follows in this transaction.

    An answer to a changed line is closed, and its seller is asked anew. Raises EditOutdated.
    """
    connection = await db.driver(session)
    edits = {row["line_id"]: row for row in await connection.fetch(_EDITS, actor.tenant_id, contract_id)}
    if not edits:
        return
    heads = await lock_lines(session, actor, dict.fromkeys(edits))
    for head in heads:
        if edits[head.id]["line_version"] != head.version or is_fixed(head.status, head.zone, head.shipped_quantity):
            raise EditOutdated(day=head.due_date)
        await book_change(session, actor, head, edits[head.id]["quantity"] - head.ordered_quantity)
    gone = [head for head in heads if edits[head.id]["quantity"] == 0]
    kept = [head for head in heads if edits[head.id]["quantity"] > 0]
    await cancel_lines(session, actor, gone)
    for head in gone:
        emit(session, actor, head.party_id, LineCancelled(head.id))
    await change_lines(session, actor, [_changed(head, edits[head.id]["quantity"]) for head in kept])
    for head in kept:
        await _ask_anew(session, actor, head, now)
    query = "delete from schedule_edit where tenant_id = $1 and contract_id = $2"
    await connection.execute(query, actor.tenant_id, contract_id)


def _changed(head: LineHead, quantity: Decimal) -> Changed:
    return Changed(head, quantity, head.due_date, head.ship_to_code, head.price, head.bucket_id, asked_anew=True)


async def _ask_anew(session: AsyncSession, actor: Actor, head: LineHead, now: datetime) -> None:
    """Who had answered the former request is asked for another answer."""
    if not head.confirmed_quantity and head.deviation_id is None:
        return
    by = deadline(now, head.response_hours, head.time_zone, WorkingCalendar())
    after = await change(
        session, actor, replace(head, version=head.version + 1), status=LineStatus.PROPOSED, respond_by=by
    )
    record(session, actor, subject(after), "request_changed", was=head.ordered_quantity, unit=head.unit)
    emit(session, actor, head.party_id, RequestChanged(head.id))
