"""Releases that the calendar asks for, and what follows when one was told or rejected."""

import asyncio
import logging
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from jobs.outbox import Tenant
from jobs.subscribers import Occurrence
from portal.core import clock, db
from portal.core.actor import Actor
from portal.schedules.events import ReleasePublished, ReleaseRejected
from portal.schedules.service_answers import deliver_release, restore
from portal.schedules.service_running import due_contracts, run_release

logger = logging.getLogger(__name__)
AT_ONCE = 2  # contracts: one is computed while the database writes the other


async def run_releases(tenant: Tenant) -> int:
    """Make every release of a workspace that is due, each in a transaction of its own. Returns how many were looked
    at. Safe to repeat: a contract is looked at once a day."""
    async with db.read(tenant.system) as connection:
        due = await due_contracts(connection, tenant.system, clock.now())
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def run(contract_id: UUID) -> None:
        async with turnstile, db.unit_of_work(tenant.system) as session:
            await run_release(session, tenant.system, contract_id, clock.now())

    async with asyncio.TaskGroup() as group:
        for contract_id in due:
            group.create_task(run(contract_id))
    return len(due)


async def deliver(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """A published release lies in the partner's inbox from now on."""
    assert isinstance(occurrence.event, ReleasePublished)
    await deliver_release(session, actor, occurrence.event.release_id, clock.now())


async def take_back(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """The lines of a rejected release say again what the one before said."""
    assert isinstance(occurrence.event, ReleaseRejected)
    await restore(session, actor, occurrence.event.release_id)
