"""Commands on schedule lines: the seller answers, either side cancels what it may, material is noted."""

import logging
from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service_buckets import give_back
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.days import Day
from portal.core.inputs import Input
from portal.core.journal import emit, record
from portal.core.states import Side
from portal.schedules import rules
from portal.schedules.events import LineAskedAgain, LineCancelled, LineRejected, SupplyNoted
from portal.schedules.model import CloseReason, SupplyState
from portal.schedules.reads_calendars import answer_until
from portal.schedules.rules import LINE_STATES, RejectReason
from portal.schedules.rules_answers import NotOnBehalf
from portal.schedules.service_lines import LineHead as LineHead
from portal.schedules.service_lines import change as change
from portal.schedules.service_lines import lock_lines as lock_lines
from portal.schedules.service_lines import subject as subject
from portal.schedules.service_lines import visible as visible
from portal.schedules.service_promises import Given, Part, give_answers, part_dates, retire

logger = logging.getLogger(__name__)


class Split(Input):
    """One part of a promise: so much, there on this day or leaving on that one."""

    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6, examples=["60"])
    delivery_date: Day | None = Field(default=None, examples=["2026-12-01"])
    despatch_date: Day | None = Field(default=None, description="either day computes the other")


class ConfirmLine(Input):
    """The seller's promise. Without splits: all that is unconfirmed, on the due date."""

    splits: list[Split] = Field(default=[], max_length=20)
    final: bool = Field(default=False, description="nothing more will be promised: less than asked is a deviation")
    price: Decimal | None = Field(
        default=None, ge=0, max_digits=18, decimal_places=6, description="per unit, if another"
    )
    reason: RejectReason | None = Field(default=None, description="why it differs from what was asked")
    note: str = Field(default="", max_length=500)
    on_behalf: bool = Field(default=False, description="the factory enters what its supplier said elsewhere")


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
    on_behalf: bool = Field(default=False, description="the factory enters what its supplier said elsewhere")


class NoteSupply(Input):
    """What the seller says about the material behind a line."""

    state: SupplyState
    note: str = Field(default="", max_length=200)


def answering_side(actor: Actor, head: LineHead, on_behalf: bool) -> Side:
    """The side that the actor speaks for. Raises NotOnBehalf unless it is the factory that buys."""
    side = head.side(actor)
    if not on_behalf:
        return side
    if not actor.is_factory or side is not Side.BUYER:
        raise NotOnBehalf(field="on_behalf")
    return Side.SELLER


async def confirm_line(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: ConfirmLine
) -> LineHead:
    """The seller promises quantities and dates for one line. What deviates may have to wait for the buyer."""
    actor.require(Permission.PUBLISH_SCHEDULES if data.on_behalf else Permission.CONFIRM_LINES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    now = clock.now()
    parts = await part_dates(
        session, actor, head, [(s.quantity, s.delivery_date, s.despatch_date) for s in data.splits]
    )
    given = Given(
        head, parts or [_whole(head, head.today(now))], answering_side(actor, head, data.on_behalf), data.final,
        data.price, data.reason.value if data.reason else "", data.note, data.on_behalf,
    )  # fmt: skip
    (head,) = await give_answers(session, actor, [given], now)
    return head


async def confirm_lines(session: AsyncSession, actor: Actor, data: ConfirmLines) -> list[LineHead]:
    """Confirm many lines as asked, all or none."""
    actor.require(Permission.CONFIRM_LINES)
    heads = await lock_lines(session, actor, {line.id: line.version for line in data.lines})
    now = clock.now()
    return await give_answers(
        session, actor, [Given(head, [_whole(head, head.today(now))], head.side(actor)) for head in heads], now
    )


def _whole(head: LineHead, today: date) -> Part:
    """All that is unconfirmed, on the due date."""
    quantity, day = rules.default_promise(head.ordered_quantity, head.confirmed_quantity, head.due_date, today)
    return Part(quantity, day)


async def reject_line(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: RejectLine
) -> LineHead:
    """The seller refuses a line, with a reason the buyer can act on."""
    actor.require(Permission.PUBLISH_SCHEDULES if data.on_behalf else Permission.CONFIRM_LINES)
    rules.check_rejection(data.reason, data.note)
    (head,) = await lock_lines(session, actor, {line_id: version})
    status = LINE_STATES.target(head.status, "reject", by=answering_side(actor, head, data.on_behalf))
    await retire(session, actor, head)
    after = await change(
        session, actor, head, status=status, reject_reason=data.reason.value, respond_by=None, deviation_id=None
    )
    said = {"on_behalf": True} if data.on_behalf else {}
    record(session, actor, subject(after), "rejected", reason=data.reason.value, note=data.note, **said)
    emit(session, actor, head.party_id, LineRejected(head.id))
    logger.info("schedule line rejected", extra={"line_id": str(head.id)})
    return after


async def cancel_line(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None) -> LineHead:
    """Take back a line that nobody has to make yet."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    status = LINE_STATES.target(head.status, "cancel", by=head.side(actor))
    rules.check_cancellation(head.zone, head.shipped_quantity)
    await retire(session, actor, head)
    ended = {"close_reason": CloseReason.CANCELLED.value, "respond_by": None, "deviation_id": None}
    after = await change(session, actor, head, status=status, **ended)
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
    again = await answer_until(await db.driver(session), actor, head, clock.now())
    after = await change(session, actor, head, status=status, reject_reason="", respond_by=again)
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
