"""What contracts do by the calendar, and the amendments that a partner accepted after their day had come."""

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from jobs import outbox
from portal.contracts.events import AmendmentAccepted
from portal.contracts.service_amendments import apply_due_amendments
from portal.core import clock, db
from portal.core.actor import Actor
from portal.schedules.service_contract_days import contract_day

if TYPE_CHECKING:
    from jobs.subscriptions import Occurrence

logger = logging.getLogger(__name__)
EVERY_SECONDS = 600  # the day begins at another moment in each time zone


async def apply_amendment(session: AsyncSession, actor: Actor, occurrence: "Occurrence") -> None:
    """Write an accepted amendment into its contract, if its day has come."""
    assert isinstance(occurrence.event, AmendmentAccepted)
    await apply_due_amendments(session, actor, clock.now(), occurrence.event.contract_id)


async def keep_days() -> None:
    """Look after every workspace's contracts, again and again. Ends when cancelled; several workers may do it."""
    while True:
        with outbox.database_may_be_away("keeping the contracts' days"):
            for tenant in await outbox.all_tenants():
                async with db.unit_of_work(tenant.system) as session:
                    done = await contract_day(session, tenant.system, clock.now())
                if any(done.values()):
                    logger.info("contracts moved by the calendar", extra=done)
        await asyncio.sleep(EVERY_SECONDS)
