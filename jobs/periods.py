"""Periods of contracts close by the calendar, each in its contract's time zone; commits that nobody gave lapse."""

import logging
from datetime import datetime

from jobs.outbox import Tenant
from portal.contracts import service_closing
from portal.core import db
from portal.forecasts import service_requests

logger = logging.getLogger(__name__)


async def close_periods(tenant: Tenant, now: datetime) -> int:
    """Close what has ended in one workspace by now. A second run writes nothing. Returns how many periods moved."""
    async with db.unit_of_work(tenant.system) as session:
        closed = await service_closing.close_periods(session, tenant.system, now)
    if closed:
        logger.info("periods closed", extra={"tenant_id": str(tenant.id), "periods": closed})
    return closed


async def lapse_commits(tenant: Tenant, now: datetime) -> int:
    """Note what is late in one workspace by now. A second run notes nothing. Returns how many requests lapsed."""
    async with db.unit_of_work(tenant.system) as session:
        return await service_requests.lapse(session, tenant.system, now)
