"""Releases that make themselves: by a contract's plan, each day at most once."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.core.errors import Conflict, Invalid
from portal.core.journal import part, record
from portal.schedules.model import ReleaseKind, Trigger
from portal.schedules.model_releases import ReleasePlan
from portal.schedules.rules_releases import is_due
from portal.schedules.service_calculating import NothingToPublish
from portal.schedules.service_holding import Outcome, prepare
from portal.schedules.service_publishing import Publish
from portal.schedules.service_release import Generate, generate_lines
from portal.schedules.service_terms import contract_of, lock_contract

logger = logging.getLogger(__name__)
_DUE = """
select p.contract_id, p.trigger, p.every_days, p.weekdays, p.last_run_on, c.time_zone
from release_plan p join contract c on c.tenant_id = p.tenant_id and c.id = p.contract_id
where p.tenant_id = $1 and p.trigger <> 'manual' and c.status = 'active' order by p.contract_id"""


async def due_contracts(connection: Driver, actor: Actor, now: datetime) -> list[UUID]:
    """The contracts whose plan asks for a release today, in the contract's own zone."""
    rows = await connection.fetch(_DUE, actor.tenant_id)
    return [
        row["contract_id"]
        for row in rows
        if is_due(
            Trigger(row["trigger"]), row["every_days"], row["weekdays"], row["last_run_on"],
            local_today(now, row["time_zone"]),
        )
    ]  # fmt: skip


async def run_release(session: AsyncSession, actor: Actor, contract_id: UUID, now: datetime) -> Outcome:
    """Generate to the horizon, then release as the plan says. What cannot be released today waits for a person."""
    head = await lock_contract(session, actor, contract_id, None)
    query = select(ReleasePlan).where(ReleasePlan.tenant_id == actor.tenant_id, ReleasePlan.contract_id == contract_id)
    plan = (await session.exec(query.with_for_update())).one()
    today = local_today(now, head.time_zone)
    if not is_due(plan.trigger, plan.every_days, plan.weekdays, plan.last_run_on, today):
        return Outcome()
    plan.last_run_on = today
    session.add(plan)
    try:
        async with part(session):
            await generate_lines(session, actor, contract_id, Generate(until=today + timedelta(days=plan.horizon_days)))
            head = await lock_contract(session, actor, contract_id, None)
            return await prepare(session, actor, head, Publish(kind=ReleaseKind.FORECAST), plan.trigger)
    except NothingToPublish:
        return Outcome()
    except (Conflict, Invalid) as refused:
        record(session, actor, contract_of(head), "release_failed", code=refused.code)
        logger.warning("a planned release was refused", extra={"contract_id": str(contract_id), "code": refused.code})
        return Outcome()
