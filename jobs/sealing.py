"""Seal each tenant's audit rows into its chain, seconds after they were written (see `portal.core.audit`)."""

from jobs.outbox import Tenant
from portal.core import db

CHUNK = 1000  # rows sealed in one transaction


async def seal(tenant: Tenant) -> int:
    """Seal everything that is committed and unsealed. Returns how many rows. Two at once: the second does nothing."""
    total = 0
    while True:
        async with db.unit_of_work(tenant.system) as session:
            sealed: int = await (await db.driver(session)).fetchval("select seal_audit($1)", CHUNK)
        total += sealed
        if sealed < CHUNK:
            return total
