"""How the factory makes a contract's releases, and what it will ask for with the next one."""

import logging
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from pydantic import Field
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.db import Driver
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, record
from portal.core.quantities import check_scale
from portal.core.states import WrongState
from portal.core.versions import check_version
from portal.schedules import rules
from portal.schedules.model import LineStatus, Trigger
from portal.schedules.model_releases import HoldBy, ReleasePlan, ReleaseTerms
from portal.schedules.rules_exposure import Shares, check_shares
from portal.schedules.rules_releases import check_pattern, check_spans
from portal.schedules.service import LineHead, lock_lines

logger = logging.getLogger(__name__)


class SetPlan(Input):
    """How a contract's releases are made. Weekdays: Monday is 0."""

    trigger: Trigger = Trigger.MANUAL
    every_days: int = Field(default=7, ge=1, le=366)
    weekdays: list[int] = Field(default=[], max_length=7)
    horizon_days: int = Field(default=182, ge=1, le=731)
    daily_days: int = Field(default=10, ge=0, le=731)
    weekly_days: int = Field(default=30, ge=0, le=731)
    jit_days: int = Field(default=14, ge=1, le=92)
    only_transmitted: bool = True
    hold_by: HoldBy = HoldBy.NONE
    hold_quantity: Decimal | None = Field(default=None, ge=0, max_digits=18, decimal_places=6)
    hold_percent: Decimal | None = Field(default=None, ge=0, le=999, max_digits=5, decimal_places=2)
    hold_days: int | None = Field(default=None, ge=0, le=92)
    quiet_percent: Decimal = Field(default=Decimal(0), ge=0, le=100, max_digits=5, decimal_places=2)
    answer_hours: int | None = Field(default=None, ge=1, le=400)


class SetTerms(Input):
    """What both sides agreed about cancelling and changing. make_days: none where the trade-off zone is not split."""

    make_days: int | None = Field(default=None, ge=0, le=731)
    finished_percent: Decimal = Field(default=Decimal(100), ge=0, le=100, max_digits=5, decimal_places=2)
    in_work_percent: Decimal = Field(default=Decimal(100), ge=0, le=100, max_digits=5, decimal_places=2)
    material_percent: Decimal = Field(default=Decimal(100), ge=0, le=100, max_digits=5, decimal_places=2)
    zone_percent: Decimal = Field(
        default=Decimal(0), ge=0, le=100, max_digits=5, decimal_places=2,
        description="by how much a customer's release may change what its firm zone asks for",
    )  # fmt: skip


class PlanLine(Input):
    """What the next release will ask for instead of what is published."""

    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6)
    due_date: Day


class Plan(Struct, frozen=True):
    """A contract's release plan as publishing reads it; the defaults are those of a contract without one."""

    trigger: Trigger = Trigger.MANUAL
    horizon_days: int | None = None
    daily_days: int | None = None
    weekly_days: int | None = None
    jit_days: int = 14
    only_transmitted: bool = True
    hold_by: HoldBy = HoldBy.NONE
    hold_quantity: Decimal | None = None
    hold_percent: Decimal | None = None
    hold_days: int | None = None
    quiet_percent: Decimal = Decimal(0)
    answer_hours: int | None = None
    make_days: int | None = None  # of the terms


_PLAN = """
select coalesce(p.trigger, 'manual'), p.horizon_days, p.daily_days, p.weekly_days, coalesce(p.jit_days, 14),
    coalesce(p.only_transmitted, true), coalesce(p.hold_by, 'none'), p.hold_quantity, p.hold_percent, p.hold_days,
    coalesce(p.quiet_percent, 0), p.answer_hours, t.make_days
from (select $1::uuid as tenant_id, $2::uuid as contract_id) c
left join release_plan p on p.tenant_id = c.tenant_id and p.contract_id = c.contract_id
left join release_terms t on t.tenant_id = c.tenant_id and t.contract_id = c.contract_id"""


async def read_plan(connection: Driver, actor: Actor, contract_id: UUID) -> Plan:
    """What publishing goes by."""
    trigger, *values = (await connection.fetchrow(_PLAN, actor.tenant_id, contract_id)).values()
    values[5] = HoldBy(values[5])
    return Plan(Trigger(trigger), *values)


async def get_plan(session: AsyncSession, actor: Actor, contract_id: UUID) -> ReleasePlan:
    """The stored plan, or the one a form begins with. Only the factory's."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    await get_contract(session, actor, contract_id)
    query = select(ReleasePlan).where(ReleasePlan.tenant_id == actor.tenant_id, ReleasePlan.contract_id == contract_id)
    found = (await session.exec(query)).one_or_none()
    return found or ReleasePlan(tenant_id=actor.tenant_id, contract_id=contract_id, version=0)


async def set_plan(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None, data: SetPlan
) -> ReleasePlan:
    """Decide how the contract's releases are made from now on. version: 0 where there is no plan yet."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    check_pattern(data.trigger, data.every_days, data.weekdays)
    check_spans(data.daily_days, data.weekly_days, data.horizon_days)
    contract = await get_contract(session, actor, contract_id, lock=True)
    plan = await get_plan(session, actor, contract_id)
    if version is not None:
        check_version(version, plan.version)
    for name, value in data.model_dump().items():
        setattr(plan, name, value)
    plan.version += 1
    session.add(plan)
    what = Subject("contract", contract_id, contract.party_id, contract.version, contract_id, shared=False)
    record(session, actor, what, "release_plan_set", trigger=data.trigger.value)
    return plan


async def get_terms(session: AsyncSession, actor: Actor, contract_id: UUID) -> ReleaseTerms:
    """What was agreed about cancelling, as both sides see it."""
    contract = await get_contract(session, actor, contract_id)
    query = select(ReleaseTerms).where(
        ReleaseTerms.tenant_id == actor.tenant_id, ReleaseTerms.contract_id == contract_id
    )
    found = (await session.exec(query)).one_or_none()
    return found or ReleaseTerms(
        tenant_id=actor.tenant_id, party_id=contract.party_id, contract_id=contract_id, version=0
    )


async def set_terms(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None, data: SetTerms
) -> ReleaseTerms:
    """Write down what both sides agreed about cancelling; the partner sees it and is told by the history."""
    actor.require(Permission.EDIT_CONTRACTS)
    check_shares(Shares(data.finished_percent, data.in_work_percent, data.material_percent))
    contract = await get_contract(session, actor, contract_id, lock=True)
    terms = await get_terms(session, actor, contract_id)
    if version is not None:
        check_version(version, terms.version)
    for name, value in data.model_dump().items():
        setattr(terms, name, value)
    terms.version += 1
    session.add(terms)
    what = Subject("contract", contract_id, contract.party_id, contract.version, contract_id)
    shares = f"{data.finished_percent} / {data.in_work_percent} / {data.material_percent} %"
    firm = f"{data.zone_percent} %"
    record(session, actor, what, "release_terms_set", shares=shares, make_days=data.make_days, firm=firm)
    return terms


_PLAN_LINE = """
insert into line_plan (tenant_id, id, contract_id, schedule_line_id, quantity, due_date, planned_by, planned_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, schedule_line_id) do update set quantity = excluded.quantity, due_date = excluded.due_date,
    planned_by = excluded.planned_by, planned_at = excluded.planned_at"""


async def plan_line(session: AsyncSession, actor: Actor, line_id: UUID, version: int | None, data: PlanLine) -> None:
    """Note what the next release will ask for instead; the partner is told with it, not before."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    (head,) = await lock_lines(session, actor, {line_id: version})
    if head.status is LineStatus.DRAFT or head.status not in rules.OPEN:
        raise WrongState(action="change", status=head.status)
    check_scale(data.quantity, head.unit)
    rules.check_promises([(data.quantity, data.due_date)], head.unit, local_today(clock.now(), head.time_zone))
    await note_plan(session, actor, head, data.quantity, data.due_date)


async def note_plan(session: AsyncSession, actor: Actor, head: LineHead, quantity: Decimal, due: date) -> None:
    """Write what the next release will ask for of a locked line; 0: it becomes part of another line."""
    values: tuple[Any, ...] = (head.contract_id, head.id, quantity, due, actor.name, clock.now())
    await (await db.driver(session)).execute(_PLAN_LINE, actor.tenant_id, uuid7(), *values)
    record(session, actor, _own(head), "planned", quantity=quantity, unit=head.unit, date=due)


_PLAN_LINES = """
insert into line_plan (tenant_id, id, contract_id, schedule_line_id, quantity, due_date, planned_by, planned_at)
select $1, gen_random_uuid(), l.contract_id, l.id, r.quantity, coalesce(p.due_date, l.due_date), $4, $5
from unnest($2::uuid[], $3::numeric[]) as r(id, quantity)
join schedule_line l on l.tenant_id = $1 and l.id = r.id
left join line_plan p on p.tenant_id = $1 and p.schedule_line_id = l.id
on conflict (tenant_id, schedule_line_id) do update set quantity = excluded.quantity,
    planned_by = excluded.planned_by, planned_at = excluded.planned_at"""
_AS_PUBLISHED = """
delete from line_plan p using schedule_line l
where p.tenant_id = $1 and l.tenant_id = $1 and l.id = p.schedule_line_id and l.id = any($2)
    and p.quantity = l.ordered_quantity and p.due_date = l.due_date"""


async def plan_quantities(session: AsyncSession, actor: Actor, wanted: Mapping[UUID, Decimal]) -> None:
    """Note other quantities for many published lines of a locked contract; what is as published is forgotten."""
    heads = await lock_lines(session, actor, dict.fromkeys(wanted))
    connection = await db.driver(session)
    values = (list(wanted), list(wanted.values()), actor.name, clock.now())
    await connection.execute(_PLAN_LINES, actor.tenant_id, *values)
    await connection.execute(_AS_PUBLISHED, actor.tenant_id, list(wanted))
    for head in heads:
        record(session, actor, _own(head), "planned", quantity=wanted[head.id], unit=head.unit, date=head.due_date)


async def unplan_line(session: AsyncSession, actor: Actor, line_id: UUID) -> None:
    """Leave a line as it is published."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    (head,) = await lock_lines(session, actor, {line_id: None})
    query = "delete from line_plan where tenant_id = $1 and schedule_line_id = $2 returning id"
    if await (await db.driver(session)).fetchval(query, actor.tenant_id, line_id):
        record(session, actor, _own(head), "unplanned")


def _own(head: LineHead) -> Subject:
    """The line in the factory's audit alone: the partner learns of it with the release."""
    return Subject("schedule_line", head.id, head.party_id, head.version, head.contract_id, shared=False)
