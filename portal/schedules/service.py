"""Commands on schedule lines: the seller answers, either side cancels what it may, material is noted.

Confirming is the hottest command of the portal, so all commands here share one way to lock, check and write a line by
driver statements; `LineHead` is the locked row with what its contract adds.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service_buckets import entry_values, give_back, insert_entries
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.states import Side
from portal.schedules import rules
from portal.schedules.events import LineAskedAgain, LineCancelled, LineConfirmed, LineRejected, SupplyNoted
from portal.schedules.model import CloseReason, LineStatus, SupplyState, Zone
from portal.schedules.rules import CONFIRM_ACTION, LINE_STATES, RejectReason
from portal.schedules.service_calls import confirmed_entries

logger = logging.getLogger(__name__)


class Split(Input):
    """One part of a promise: so much on this day."""

    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6, examples=["60"])
    delivery_date: date = Field(examples=["2026-12-01"])


class ConfirmLine(Input):
    """The seller's promise. Without splits: all that is unconfirmed, on the due date."""

    splits: list[Split] = Field(default=[], max_length=20)


class LineVersion(Input):
    """A line and the version of it that the reader saw."""

    id: UUID
    version: int


class ConfirmLines(Input):
    """Confirm many lines as they are asked: each whole, on its due date."""

    lines: list[LineVersion] = Field(min_length=1, max_length=5000)


class RejectLine(Input):
    reason: RejectReason
    note: str = Field(default="", max_length=500)


class NoteSupply(Input):
    """What the seller says about the material behind a line."""

    state: SupplyState
    note: str = Field(default="", max_length=200)


class LineHead(Struct, frozen=True):
    """A locked schedule line with what its contract adds."""

    id: UUID
    party_id: UUID
    contract_id: UUID
    version: int
    status: LineStatus
    unit: str
    ordered_quantity: Decimal
    under_percent: Decimal
    over_percent: Decimal
    confirmed_quantity: Decimal
    shipped_quantity: Decimal
    due_date: date
    promised_date: date | None
    zone: Zone | None
    release_line_id: UUID | None
    bucket_id: UUID | None
    direction: Direction
    time_zone: str

    def side(self, actor: Actor) -> Side:
        """Whether the actor sells or buys on this line's contract."""
        return actor.side_on(self.direction)

    def today(self, now: datetime) -> date:
        """The business date where the contract is kept."""
        return local_today(now, self.time_zone)


_LOCK = """
select l.id, l.party_id, l.contract_id, l.version, l.status, l.unit, l.ordered_quantity, l.under_percent,
    l.over_percent, l.confirmed_quantity, l.shipped_quantity, l.due_date, l.promised_date, l.zone, l.release_line_id,
    l.bucket_id, c.direction, c.time_zone
from schedule_line l join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id
where l.tenant_id = $1 and l.id = any($2) and ($3::uuid[] is null or l.contract_id = any($3))
order by l.id for update of l"""


async def lock_lines(session: AsyncSession, actor: Actor, versions: dict[UUID, int | None]) -> list[LineHead]:
    """Lock lines in the order of their ids. One that is absent or not yours: NotFound for all. A stale one: Stale."""
    connection = await db.driver(session)
    rows = await connection.fetch(_LOCK, actor.tenant_id, list(versions), visible(actor))
    if len(rows) != len(versions):
        raise NotFound
    heads = [_head(row) for row in rows]
    for head in heads:
        seen = versions[head.id]
        if seen is not None:
            rules.check_version(seen, head.version)
    return heads


def visible(actor: Actor) -> list[UUID] | None:
    """The contracts a restricted colleague may see, as the SQL parameter of every list and lock; None: all."""
    return None if actor.contract_ids is None else list(actor.contract_ids)


def _head(row: Any) -> LineHead:
    head = LineHead(*row.values())
    return replace(
        head,
        status=LineStatus(head.status),
        zone=Zone(head.zone) if head.zone else None,
        direction=Direction(head.direction),
    )


Answer = tuple[LineHead, Sequence[tuple[Decimal, date]]]  # a locked line and the parts promised for it


async def confirm_line(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: ConfirmLine
) -> LineHead:
    """The seller promises quantities and dates for one line."""
    actor.require(Permission.CONFIRM_LINES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    now = clock.now()
    splits = [(split.quantity, split.delivery_date) for split in data.splits]
    if not splits:
        promise = rules.default_promise(head.ordered_quantity, head.confirmed_quantity, head.due_date, head.today(now))
        splits = [(promise.quantity, promise.delivery_date)]
    (head,) = await _promise(session, actor, [(head, splits)], now)
    return head


async def confirm_lines(session: AsyncSession, actor: Actor, data: ConfirmLines) -> list[LineHead]:
    """Confirm many lines as asked, all or none."""
    actor.require(Permission.CONFIRM_LINES)
    heads = await lock_lines(session, actor, {line.id: line.version for line in data.lines})
    now = clock.now()
    answers: list[Answer] = [
        (head, [rules.default_promise(head.ordered_quantity, head.confirmed_quantity, head.due_date, head.today(now))])
        for head in heads
    ]
    return await _promise(session, actor, answers, now)


# Promises and lines in one statement: this is the hottest command, and each round trip costs it a tenth.
_CONFIRM = """
with promised as (
    insert into confirmation (tenant_id, id, party_id, line_id, release_line_id, command_id, delivery_date, quantity,
        status, member_id)
    select $1, r.id, r.party_id, r.line_id, r.release_line_id, r.command_id, r.delivery_date, r.quantity, 'valid', $2
    from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::date[], $9::numeric[])
        as r(id, party_id, line_id, release_line_id, command_id, delivery_date, quantity)
)
update schedule_line l set status = r.status, confirmed_quantity = r.confirmed, version = r.version, respond_by = null,
    promised_date = coalesce(l.promised_date, r.promised)
from unnest($10::uuid[], $11::text[], $12::numeric[], $13::int[], $14::date[])
    as r(id, status, confirmed, version, promised)
where l.tenant_id = $1 and l.id = r.id"""
# The same with the ledger's entries, for lines that were called off from a period.
_CONFIRM_BOOKED = _CONFIRM.replace("with ", f"with booked as ({insert_entries(15)}), ", 1)


async def _promise(session: AsyncSession, actor: Actor, answers: list[Answer], now: datetime) -> list[LineHead]:
    """Check and write the answers to locked lines."""
    promises: list[tuple[Any, ...]] = []
    changed: list[LineHead] = []
    for head, splits in answers:
        total = head.confirmed_quantity + rules.check_promises(splits, head.unit, head.today(now))
        status = rules.confirm_status(head.ordered_quantity, total, head.under_percent, head.over_percent, head.unit)
        LINE_STATES.target(head.status, CONFIRM_ACTION[status], by=head.side(actor))
        command = uuid7()
        promises += [
            (uuid7(), head.party_id, head.id, head.release_line_id, command, day, quantity) for quantity, day in splits
        ]
        first = head.promised_date or max(day for _, day in splits)
        after = replace(head, status=status, confirmed_quantity=total, version=head.version + 1, promised_date=first)
        changed.append(after)
        parts = [{"quantity": str(quantity), "date": str(day)} for quantity, day in splits]
        record(session, actor, subject(after), "confirmed", splits=parts, unit=head.unit, command=command)
        emit(session, actor, head.party_id, LineConfirmed(head.id, command))
    connection = await db.driver(session)
    rows = [(h.id, h.status.value, h.confirmed_quantity, h.version, h.promised_date) for h in changed]
    columns = [list(column) for table in (promises, rows) for column in zip(*table, strict=True)]
    if entries := confirmed_entries(answers):
        booked = entry_values(actor, entries)
        await connection.execute(_CONFIRM_BOOKED, actor.tenant_id, actor.member_id, *columns, *booked)
    else:
        await connection.execute(_CONFIRM, actor.tenant_id, actor.member_id, *columns)
    logger.info("schedule lines confirmed", extra={"lines": len(changed), "first": str(changed[0].id)})
    return changed


async def reject_line(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: RejectLine
) -> LineHead:
    """The seller refuses a line, with a reason the buyer can act on."""
    actor.require(Permission.CONFIRM_LINES)
    rules.check_rejection(data.reason, data.note)
    (head,) = await lock_lines(session, actor, {line_id: version})
    status = LINE_STATES.target(head.status, "reject", by=head.side(actor))
    after = await change(session, actor, head, status=status, reject_reason=data.reason.value, respond_by=None)
    record(session, actor, subject(after), "rejected", reason=data.reason.value, note=data.note)
    emit(session, actor, head.party_id, LineRejected(head.id))
    logger.info("schedule line rejected", extra={"line_id": str(head.id)})
    return after


async def cancel_line(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None) -> LineHead:
    """Take back a line that nobody has to make yet."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    status = LINE_STATES.target(head.status, "cancel", by=head.side(actor))
    rules.check_cancellation(head.zone, head.shipped_quantity)
    after = await change(session, actor, head, status=status, close_reason=CloseReason.CANCELLED.value, respond_by=None)
    if head.bucket_id is not None:
        await give_back(session, actor, head.party_id, head.bucket_id, head.id, head.ordered_quantity)
    record(session, actor, subject(after), "cancelled")
    emit(session, actor, head.party_id, LineCancelled(head.id))
    logger.info("schedule line cancelled", extra={"line_id": str(head.id)})
    return after


async def ask_again(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None) -> LineHead:
    """The buyer insists on a rejected line: the seller is asked once more."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    status = LINE_STATES.target(head.status, "ask_again", by=head.side(actor))
    after = await change(session, actor, head, status=status, reject_reason="")
    record(session, actor, subject(after), "asked_again")
    emit(session, actor, head.party_id, LineAskedAgain(head.id))
    logger.info("schedule line asked again", extra={"line_id": str(head.id)})
    return after


async def note_supply(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: NoteSupply
) -> LineHead:
    """The seller says whether the material behind a line is secured or at risk."""
    actor.require(Permission.CONFIRM_LINES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    rules.check_supply_note(head.side(actor), head.status)
    after = await change(session, actor, head, supply_state=data.state.value, supply_note=data.note)
    record(session, actor, subject(after), "supply_noted", state=data.state.value, note=data.note)
    emit(session, actor, head.party_id, SupplyNoted(head.id))
    return after


def subject(head: LineHead) -> Subject:
    """The line as the journal names it."""
    return Subject("schedule_line", head.id, head.party_id, head.version, head.contract_id)


async def change(session: AsyncSession, actor: Actor, head: LineHead, **values: Any) -> LineHead:
    """Write columns of one locked line and raise its version. Column names come from this file only."""
    connection = await db.driver(session)
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=4))
    await connection.execute(
        f"update schedule_line set version = $3, {sets} where tenant_id = $1 and id = $2",  # noqa: S608
        *(actor.tenant_id, head.id, head.version + 1, *values.values()),
    )
    return replace(head, status=values.get("status", head.status), version=head.version + 1)
