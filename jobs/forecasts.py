"""After a release its seller may be asked for a commit."""

from sqlmodel.ext.asyncio.session import AsyncSession

from jobs.subscribers import Occurrence
from portal.core.actor import Actor
from portal.forecasts import service_requests
from portal.schedules.events import ReleasePublished


async def ask(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    """Ask for a commit to a release just published, where the contract says so."""
    assert isinstance(occurrence.event, ReleasePublished)
    await service_requests.ask(session, actor, occurrence.event.contract_id, occurrence.event.release_id)
