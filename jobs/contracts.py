"""Amendments that a partner accepted after their day had come: its role writes no lines, so a job does."""

from typing import TYPE_CHECKING

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import AmendmentAccepted
from portal.contracts.service_amendments import apply_due_amendments
from portal.core import clock
from portal.core.actor import Actor

if TYPE_CHECKING:
    from jobs.subscriptions import Occurrence


async def apply_amendment(session: AsyncSession, actor: Actor, occurrence: "Occurrence") -> None:
    """Write an accepted amendment into its contract, if its day has come."""
    assert isinstance(occurrence.event, AmendmentAccepted)
    await apply_due_amendments(session, actor, clock.now(), occurrence.event.contract_id)
