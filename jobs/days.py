"""What the calendar does in every workspace: amendments begin, contracts end, periods close, commits and answers
lapse, releases are made, people are reminded, old answers are forgotten."""

import asyncio
import logging

from jobs import changes, outbox, periods, releases
from jobs.outages import database_may_be_away
from portal.approvals import service_lapses
from portal.core import clock, db, idempotency
from portal.schedules.service_contract_days import contract_day
from portal.schedules.service_lapse import lapse_answers

logger = logging.getLogger(__name__)
EVERY_SECONDS = 600  # the day begins at another moment in each time zone


async def keep_days() -> None:
    """Look after every workspace's contracts, again and again. Ends when cancelled; several workers may do it."""
    while True:
        with database_may_be_away("keeping the contracts' days"):
            for tenant in await outbox.all_tenants():
                async with db.unit_of_work(tenant.system) as session:
                    done = await contract_day(session, tenant.system, clock.now())
                    done["approvals_overdue"] = await service_lapses.lapse(session, tenant.system, clock.now())
                if any(done.values()):
                    logger.info("contracts moved by the calendar", extra=done)
                await changes.expire(tenant.system, clock.now())
                await periods.close_periods(tenant, clock.now())
                async with db.unit_of_work(tenant.system) as session:
                    await lapse_answers(session, tenant.system, clock.now())
                await periods.lapse_commits(tenant, clock.now())
                await releases.run_releases(tenant)
                await idempotency.forget(tenant.system)
        await asyncio.sleep(EVERY_SECONDS)
