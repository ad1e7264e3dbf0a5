"""Amendments: one that a partner accepted after its day is applied by a job, as its role writes no lines; and drafts
follow one that is applied."""

from sqlmodel.ext.asyncio.session import AsyncSession

from jobs.subscribers import Occurrence
from portal.contracts.events import AmendmentAccepted, AmendmentApplied
from portal.contracts.service_amendments import apply_due_amendments
from portal.core import clock
from portal.core.actor import Actor
from portal.schedules.service_redrafting import redraft


async def apply_amendment(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """Write an accepted amendment into its contract, if its day has come."""
    assert isinstance(occurrence.event, AmendmentAccepted)
    await apply_due_amendments(session, actor, clock.now(), occurrence.event.contract_id)


async def redraft_lines(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """What was generated and not yet published is what the amendment says."""
    assert isinstance(occurrence.event, AmendmentApplied)
    if occurrence.event.revision_id is not None:
        await redraft(session, actor, occurrence.event.contract_id, occurrence.event.revision_id)
