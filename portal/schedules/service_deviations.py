"""The buyer decides about answers that differ from what was asked."""

import logging
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.inputs import Input
from portal.core.journal import emit, record
from portal.schedules.events import DeviationAccepted, DeviationDeclined
from portal.schedules.model import ConfirmationStatus, LineStatus
from portal.schedules.reads_calendars import answer_until
from portal.schedules.rules_answers import ANSWER_STATES, Deviation, NothingToDecide, Said
from portal.schedules.service_lines import LineHead, change, lock_lines, subject
from portal.schedules.service_promises import settle, valid_parts

logger = logging.getLogger(__name__)


class DeclineAnswer(Input):
    """Why the answer is not accepted; the seller reads it and is asked again."""

    reason: str = Field(default="", max_length=500, examples=["The line stops on Thursday without these parts."])


_WAITING = """
select command_id, quantity, delivery_date, deviations, price, status from confirmation
where tenant_id = $1 and line_id = $2 and command_id = $3 order by delivery_date, id"""
_DECIDE = "update confirmation set status = $4 where tenant_id = $1 and line_id = $2 and command_id = $3"


async def accept_answer(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None) -> LineHead:
    """The buyer accepts: the new day, quantity or price is agreed; what was first asked stays beside it for ever."""
    head, rows = await _waiting(session, actor, line_id, version)
    status = ANSWER_STATES.target(ConfirmationStatus(rows[0]["status"]), "accept", by=head.side(actor))
    connection = await db.driver(session)
    before = head.confirmed_quantity
    await connection.execute(_DECIDE, actor.tenant_id, head.id, head.deviation_id, status.value)
    parts = await valid_parts(session, actor, head)
    total = sum((part.quantity for part in parts), before - before)
    said = Said(total, [part.delivery_date for part in parts], price=rows[0]["price"])
    after = await settle(session, actor, head, _kinds(rows[0]), said, total - before)
    record(session, actor, subject(after), "deviation_accepted", **_told(head, rows), command=head.deviation_id)
    emit(session, actor, head.party_id, DeviationAccepted(head.id, rows[0]["command_id"]))
    logger.info("deviating answer accepted", extra={"line_id": str(head.id)})
    return after


async def decline_answer(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: DeclineAnswer
) -> LineHead:
    """The buyer insists: nothing agreed changes, and the seller is asked again with a new deadline."""
    head, rows = await _waiting(session, actor, line_id, version)
    status = ANSWER_STATES.target(ConfirmationStatus(rows[0]["status"]), "decline", by=head.side(actor))
    connection = await db.driver(session)
    await connection.execute(_DECIDE, actor.tenant_id, head.id, head.deviation_id, status.value)
    again = await answer_until(connection, actor, head, clock.now())
    asked = LineStatus.PROPOSED if head.status is LineStatus.PUBLISHED else head.status
    after = await change(session, actor, head, status=asked, deviation_id=None, respond_by=again)
    record(session, actor, subject(after), "deviation_declined", **_told(head, rows), note=data.reason)
    emit(session, actor, head.party_id, DeviationDeclined(head.id, rows[0]["command_id"]))
    logger.info("deviating answer declined", extra={"line_id": str(head.id)})
    return replace(after, deviation_id=None)


async def _waiting(
    session: AsyncSession, actor: Actor, line_id: UUID, version: int | None
) -> tuple[LineHead, list[Any]]:
    """The locked line with the answer that waits. Raises NothingToDecide."""
    actor.require(Permission.DECIDE_ANSWERS)
    (head,) = await lock_lines(session, actor, {line_id: version})
    if head.deviation_id is None:
        raise NothingToDecide
    connection = await db.driver(session)
    return head, await connection.fetch(_WAITING, actor.tenant_id, head.id, head.deviation_id)


def _kinds(row: Any) -> list[Deviation]:
    return [Deviation(kind) for kind in row["deviations"].split(",") if kind]


def _told(head: LineHead, rows: list[Any]) -> dict[str, Any]:
    parts = [{"quantity": str(row["quantity"]), "date": str(row["delivery_date"])} for row in rows]
    return {"splits": parts, "unit": head.unit, "deviations": _kinds(rows[0])}
