"""Changes that were agreed are applied by the factory's role, and those that nobody answered lapse."""

import logging
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from jobs.subscribers import Occurrence
from portal.changes import service_answering, service_applying, service_reviewing
from portal.changes.events import ChangeAccepted, ChangeAsked, ChangeCountered, ChangeExpired, ChangeWithdrawn
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import PortalError
from portal.core.journal import part

logger = logging.getLogger(__name__)


async def apply_accepted(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """Write an agreed change into its deliveries, once; or keep why it cannot be."""
    assert isinstance(occurrence.event, ChangeAccepted)
    change_id = occurrence.event.change_id
    try:
        async with part(session):
            await service_applying.apply_accepted(session, actor, change_id)
    except PortalError as error:
        await service_applying.fail_accepted(session, actor, change_id, error)


async def review(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """What a partner asks or offers meets the factory's rules."""
    assert isinstance(occurrence.event, ChangeAsked | ChangeCountered)
    change_id = occurrence.event.change_id
    try:
        async with part(session):
            await service_reviewing.review(session, actor, change_id)
    except PortalError as error:  # a delivery moved, or nobody could be asked: people see it on the request's page
        logger.warning("a change could not be reviewed", extra={"change_id": str(change_id), "code": error.code})


async def drop_cases(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """A request was taken back or has lapsed, so nobody decides about it any more."""
    assert isinstance(occurrence.event, ChangeWithdrawn | ChangeExpired)
    await service_reviewing.drop_cases(session, actor, occurrence.event.change_id)


async def expire(system: Actor, now: datetime) -> None:
    """Let requests of one workspace lapse whose time for an answer is over."""
    async with db.unit_of_work(system) as session:
        await service_answering.expire_changes(session, system, now)
