"""Events become notices. Planning the same event twice plans it once, because every notice has a key."""

from jobs import bells
from jobs.subscribers import Occurrence
from portal.core import clock
from portal.core.actor import Actor
from portal.notices import service_planning


async def tell(actor: Actor, occurrence: Occurrence) -> None:
    """Plan what people are told of one event, and let the cards that it outdates be written anew."""
    key, caused_by = str(occurrence.id), occurrence.member_id
    if await service_planning.tell(actor, occurrence.event, key, occurrence.at, caused_by, clock.now()):
        bells.ring()
