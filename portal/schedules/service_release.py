"""From a contract's fixed quantities, or by hand, to drafted schedule lines. `service_publishing` tells them."""

import logging
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import check_calls
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.arrays import columns, unseen
from portal.core.calendars import local_today
from portal.core.days import LAST, Day
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7s
from portal.core.inputs import Input
from portal.core.journal import Subject, record
from portal.core.quantities import check_scale
from portal.schedules import rules
from portal.schedules.rules_generation import Delivery, generate
from portal.schedules.rules_packs import PackWarning, loose
from portal.schedules.service_publishing import NothingToPublish as NothingToPublish
from portal.schedules.service_publishing import Publish as Publish
from portal.schedules.service_publishing import publish_release as publish_release
from portal.schedules.service_terms import NotInForce as NotInForce
from portal.schedules.service_terms import (
    Terms,
    calendars,
    contract_of,
    lock_contract,
    new_line,
    read_terms,
    store_lines,
)

logger = logging.getLogger(__name__)
HORIZON_DAYS = 182  # 26 weeks: how far lines are generated when nothing else is asked
HORIZON_LIMIT = 731


class HorizonTooLong(Invalid):
    code = "horizon-too-long"
    text = N_("Deliveries can be generated up to {latest}. Choose an earlier day.")


class OutsideValidity(Invalid):
    code = "outside-validity"
    text = N_("{day} is outside the contract's validity. Choose a day from {first} to {last}.")


class LineEnded(Conflict):
    code = "line-ended"
    text = N_("This line ended on {day} by an amendment, so nothing is called off from it any more.")


class Generate(Input):
    """Generate all periods that begin before this day. None: 26 weeks from today."""

    until: Day | None = None


class CallOff(Input):
    """One delivery asked for by hand, from a line with or without fixed quantity."""

    contract_line_id: UUID
    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6)
    due_date: Day
    order_no: str = Field(default="", max_length=40)


STORE_STATE = f"""
update contract_line l set generated_until = r.done, carried_remainder = r.carried
from unnest({unseen(2, "uuid date numeric")}) as r(id, done, carried)
where l.tenant_id = $1 and l.id = r.id"""  # noqa: S608 - own text


async def generate_lines(session: AsyncSession, actor: Actor, contract_id: UUID, data: Generate) -> int:
    """Draft lines for every period of the horizon that has none yet. Returns how many were made."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, None)
    today = local_today(clock.now(), head.time_zone)
    until = data.until or today + timedelta(days=HORIZON_DAYS)
    if until > today + timedelta(days=HORIZON_LIMIT):
        raise HorizonTooLong(field="until", latest=today + timedelta(days=HORIZON_LIMIT))
    connection = await db.driver(session)
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    due: list[tuple[Terms, Delivery]] = []
    states: list[tuple[Any, ...]] = []
    for line in (line for line in terms.values() if line.ended_from is None):
        calendar = at[line.ship_to_code]
        made = generate(line, head.valid_from, head.valid_to, calendar, today, until, rule=head.date_rule)
        states.append((line.id, made.generated_until, made.carried_remainder))
        due += [(line, delivery) for delivery in made.deliveries]
    new = [
        new_line(line, number, one.due_date, one.period_start, one.quantity, key)
        for number, key, (line, one) in zip(count(head.last_line_no + 1), uuid7s(len(due)), due, strict=False)
    ]
    if new:
        await store_lines(connection, actor, head, "", today, new)
    if states:
        await connection.execute(STORE_STATE, actor.tenant_id, *columns(states))
    record(session, actor, contract_of(head), "generated", lines=len(new), until=until)
    logger.info("schedule lines generated", extra={"contract_id": str(contract_id), "lines": len(new)})
    return len(new)


class CalledOff(NamedTuple):
    """The draft line, and what was noticed of its quantity, which holds nothing back."""

    id: UUID
    warnings: list[PackWarning]


async def call_off(session: AsyncSession, actor: Actor, contract_id: UUID, data: CallOff) -> CalledOff:
    """One draft line by hand."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, None)
    connection = await db.driver(session)
    line = (await read_terms(connection, actor, contract_id)).get(data.contract_line_id)
    if line is None:
        raise NotFound
    if line.ended_from is not None:
        raise LineEnded(field="contract_line_id", day=line.ended_from)
    check_scale(data.quantity, line.unit)
    if data.due_date < head.valid_from or (head.valid_to is not None and data.due_date > head.valid_to):
        last = head.valid_to or LAST
        raise OutsideValidity(field="due_date", day=data.due_date, first=head.valid_from, last=last)
    rules.check_promises([(data.quantity, data.due_date)], line.unit, local_today(clock.now(), head.time_zone))
    wanted = Call(contract_id, line.id, line.item_code, data.due_date, data.quantity)
    await check_calls(session, actor, head.party_id, [wanted])
    new = new_line(line, head.last_line_no + 1, data.due_date, None, data.quantity)
    await store_lines(connection, actor, head, data.order_no, local_today(clock.now(), head.time_zone), [new])
    line_id: UUID = new[0]
    made = Subject("schedule_line", line_id, head.party_id, 1, head.id)
    record(session, actor, made, "called_off", quantity=data.quantity, unit=line.unit, date=data.due_date)
    logger.info("schedule line called off", extra={"line_id": str(line_id)})
    return CalledOff(line_id, loose(line, data.due_date, data.quantity))
