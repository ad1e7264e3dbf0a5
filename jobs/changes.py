"""Changes that were agreed are applied by the factory's role, and those that nobody answered lapse."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import service_answering, service_applying
from portal.changes.events import ChangeAccepted
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import PortalError
from portal.core.journal import part

if TYPE_CHECKING:
    from jobs.subscriptions import Occurrence


async def apply_accepted(session: AsyncSession, actor: Actor, occurrence: "Occurrence") -> None:
    """Write an agreed change into its deliveries, once; or keep why it cannot be."""
    assert isinstance(occurrence.event, ChangeAccepted)
    change_id = occurrence.event.change_id
    try:
        async with part(session):
            await service_applying.apply_accepted(session, actor, change_id)
    except PortalError as error:
        await service_applying.fail_accepted(session, actor, change_id, error)


async def expire(system: Actor, now: datetime) -> None:
    """Let requests of one workspace lapse whose time for an answer is over."""
    async with db.unit_of_work(system) as session:
        await service_answering.expire_changes(session, system, now)
