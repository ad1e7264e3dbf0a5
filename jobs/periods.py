"""Periods of contracts close by the calendar, each in its contract's time zone."""

import asyncio
import logging
from datetime import datetime

from jobs import outbox
from jobs.outbox import Tenant
from portal.contracts import service_closing
from portal.core import clock, db

logger = logging.getLogger(__name__)
EVERY_SECONDS = 900  # the day begins at another moment in each time zone


async def close_periods(tenant: Tenant, now: datetime) -> int:
    """Close what has ended in one workspace by now. A second run writes nothing. Returns how many periods moved."""
    async with db.unit_of_work(tenant.system) as session:
        closed = await service_closing.close_periods(session, tenant.system, now)
    if closed:
        logger.info("periods closed", extra={"tenant_id": str(tenant.id), "periods": closed})
    return closed


async def keep_periods() -> None:
    """Look after every workspace, again and again. Ends when cancelled; several workers may do it."""
    while True:
        with outbox.database_may_be_away("closing periods"):
            for tenant in await outbox.all_tenants():
                await close_periods(tenant, clock.now())
        await asyncio.sleep(EVERY_SECONDS)
