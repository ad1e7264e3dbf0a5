"""The worker's clock: looks every half minute at what time alone makes known. Any number of workers may look."""

import asyncio
import logging
import random

from jobs import bells
from jobs.outages import database_may_be_away
from jobs.outbox import Tenant, all_tenants
from portal.core import clock
from portal.notices.service_reminding import parties, remind

logger = logging.getLogger(__name__)
EVERY = 30.0  # seconds


async def look(tenant: Tenant) -> int:
    """Plan what is due in one workspace. Returns how many notices were new."""
    planned, companies = 0, await parties(tenant.system)
    random.shuffle(companies)  # workers that look at the same time plan for different companies
    for scope, party_id in companies:
        with database_may_be_away("reminding"):
            planned += await remind(tenant.system, scope, party_id, clock.now())
    return planned


async def run() -> None:
    """Look again and again until cancelled."""
    while True:
        with database_may_be_away("reminding"):
            for tenant in await all_tenants():
                if await look(tenant):
                    bells.ring()
        await asyncio.sleep(EVERY)
