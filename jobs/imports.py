"""Files brought in: read and checked, then written. Long work, outside of any transaction, and safe to run twice."""

from jobs.subscribers import Occurrence
from portal.core.actor import Actor
from portal.sync.events import ImportRequested
from portal.sync.service_runs import go_on


async def bring_forward(actor: Actor, occurrence: Occurrence) -> None:
    """Take the next step of the import that the event names."""
    assert isinstance(occurrence.event, ImportRequested)
    await go_on(actor, occurrence.event.run_id)
