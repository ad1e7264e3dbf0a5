"""The factory plans that the next release splits a delivery, or joins several of one day: nothing else is asked for.

What was promised goes on with the deliveries as they are then (`service_regrouping`).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.errors import Invalid, NotFound
from portal.core.i18n import N_
from portal.core.inputs import Input
from portal.core.journal import Subject, record
from portal.core.quantities import UNITS, check_scale
from portal.core.states import WrongState
from portal.schedules import rules
from portal.schedules.model import LineStatus
from portal.schedules.service_lines import LineHead, lock_lines, visible
from portal.schedules.service_plans import note_plan
from portal.schedules.service_terms import lock_contract, new_line, read_terms, store_lines

logger = logging.getLogger(__name__)
MOST = 20  # deliveries joined at once


class NothingLeft(Invalid):
    code = "nothing-left"
    text = N_("{quantity} cannot be split off: of {asked} {unit} asked for, {shipped} are shipped. Enter less.")


class NotJoinable(Invalid):
    code = "not-joinable"
    text = N_(
        "Only open deliveries of one part, day, place and price can be joined, of which no answer waits for a decision "
        "and nothing was shipped. Load the page again and choose."
    )


class SplitLine(Input):
    """How much becomes a delivery of its own, on the same day."""

    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6, examples=["40"])


class JoinLines(Input):
    """The deliveries of the same day that become part of this one."""

    line_ids: list[UUID] = Field(min_length=1, max_length=MOST)


class _Asked(Struct, frozen=True):
    """What the next release will ask for, as planned so far."""

    quantity: Decimal
    due: date


async def split_line(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: SplitLine) -> UUID:
    """Plan a part of a published delivery as one of its own. Returns the id of its draft. Raises NothingLeft."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    contract = await lock_contract(session, actor, await _contract_of(session, actor, line_id), None)
    (head,) = await lock_lines(session, actor, {line_id: version})
    asked = (await _asked(session, actor, [head]))[head.id]
    check_scale(data.quantity, head.unit)
    if data.quantity >= asked.quantity - head.shipped_quantity:
        unit = UNITS[head.unit][1]
        figures = {"quantity": data.quantity, "asked": asked.quantity, "shipped": head.shipped_quantity}
        raise NothingLeft(field="quantity", unit=unit, **figures)
    await note_plan(session, actor, head, asked.quantity - data.quantity, asked.due)
    connection = await db.driver(session)
    terms = (await read_terms(connection, actor, contract.id))[head.contract_line_id]
    new = new_line(terms, contract.last_line_no + 1, asked.due, None, data.quantity)
    await store_lines(connection, actor, contract, head.order_no, local_today(clock.now(), contract.time_zone), [new])
    await connection.execute(_AS_ORIGIN, actor.tenant_id, head.id, new[0])
    made = Subject("schedule_line", new[0], head.party_id, 1, head.contract_id, shared=False)
    record(session, actor, made, "called_off", quantity=data.quantity, unit=head.unit, date=asked.due)
    logger.info("schedule line split", extra={"line_id": str(head.id)})
    made_id: UUID = new[0]
    return made_id


_AS_ORIGIN = """
update schedule_line l set ship_to_code = o.ship_to_code, price = o.price, period_start = o.period_start,
    under_percent = o.under_percent, over_percent = o.over_percent
from schedule_line o where l.tenant_id = $1 and l.id = $3 and o.tenant_id = $1 and o.id = $2"""


class Joined(Struct, frozen=True):
    """The one delivery as it is planned."""

    contract_id: UUID
    quantity: Decimal
    unit: str
    due_date: date


async def join_lines(
    session: AsyncSession,
    actor: Actor,
    line_id: UUID,
    version: int | None,
    data: JoinLines,
    versions: Mapping[UUID, int] | None = None,
) -> Joined:
    """Plan that other deliveries of the same day become part of this one. versions: of each, as the caller saw them.
    Raises NotJoinable."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    others = set(data.line_ids) - {line_id}
    if not others:
        raise NotJoinable(field="line_ids")
    await lock_contract(session, actor, await _contract_of(session, actor, line_id), None)
    heads = await lock_lines(session, actor, {line_id: version} | dict.fromkeys(others) | dict(versions or {}))
    asked = await _asked(session, actor, heads)
    by_id = {head.id: head for head in heads}
    into = by_id.pop(line_id)
    if any(not _fits(into, other, asked) for other in by_id.values()):
        raise NotJoinable(field="line_ids")
    total = sum((each.quantity for each in asked.values()), Decimal(0))
    await note_plan(session, actor, into, total, asked[into.id].due)
    for other in by_id.values():
        await note_plan(session, actor, other, Decimal(0), asked[other.id].due)
    logger.info("schedule lines joined", extra={"line_id": str(into.id), "lines": len(heads)})
    return Joined(into.contract_id, total, into.unit, asked[into.id].due)


def _fits(into: LineHead, other: LineHead, asked: Mapping[UUID, _Asked]) -> bool:
    same = [(head.contract_line_id, head.ship_to_code, head.price, asked[head.id].due) for head in (into, other)]
    free = other.shipped_quantity == 0 and into.deviation_id is None and other.deviation_id is None
    return same[0] == same[1] and free and asked[other.id].quantity > 0


_CONTRACT = """
select contract_id from schedule_line where tenant_id = $1 and id = $2 and ($3::uuid[] is null or contract_id = any($3))
"""
_PLANS = (
    "select schedule_line_id, quantity, due_date from line_plan where tenant_id = $1 and schedule_line_id = any($2)"
)


async def _contract_of(session: AsyncSession, actor: Actor, line_id: UUID) -> UUID:
    """Read before anything is locked, because a contract is locked before its lines."""
    if not actor.is_factory:
        raise NotFound
    found: UUID | None = await (await db.driver(session)).fetchval(_CONTRACT, actor.tenant_id, line_id, visible(actor))
    if found is None:
        raise NotFound
    return found


async def _asked(session: AsyncSession, actor: Actor, heads: Sequence[LineHead]) -> dict[UUID, _Asked]:
    """What is planned of published lines, else what is told. Raises WrongState for a draft or an ended one."""
    for head in heads:
        if head.status is LineStatus.DRAFT or head.status not in rules.OPEN:
            raise WrongState(action="change", status=head.status)
    rows: Any = await (await db.driver(session)).fetch(_PLANS, actor.tenant_id, [head.id for head in heads])
    planned = {row[0]: _Asked(row[1], row[2]) for row in rows}
    return {head.id: planned.get(head.id) or _Asked(head.ordered_quantity, head.due_date) for head in heads}
