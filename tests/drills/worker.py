"""The portal's worker with one subscriber more, whose effect can be counted: one audit row for each confirmation."""

from sqlmodel.ext.asyncio.session import AsyncSession

from jobs.subscribers import Occurrence, Subscriber
from jobs.subscriptions import SUBSCRIPTIONS
from jobs.worker import run
from portal.core.actor import Actor
from portal.core.journal import Subject, record
from portal.core.log import configure_logging
from portal.core.settings import get_settings
from portal.schedules.events import LineConfirmed

TOLD = "confirmation.told"


async def tell(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    assert isinstance(occurrence.event, LineConfirmed)
    subject = Subject("confirmation", occurrence.event.command_id, occurrence.party_id, shared=False)
    record(session, actor, subject, "told")


SUBSCRIBED = {
    **SUBSCRIPTIONS,
    "LineConfirmed": (*SUBSCRIPTIONS["LineConfirmed"], Subscriber("tell", effect=tell, seconds=5)),
}

if __name__ == "__main__":
    settings = get_settings()
    configure_logging(settings.log_format, settings.log_level)
    run(SUBSCRIBED)
