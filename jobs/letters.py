"""Links for a new password: mailed as soon as they were asked for."""

import asyncio
import logging

from jobs.outages import database_may_be_away
from portal.accounts import recovery
from portal.core.errors import Unavailable
from portal.core.settings import get_settings
from portal.notices import letters
from portal.notices.channels import Blocked, SlowDown
from portal.notices.mail import Mail

logger = logging.getLogger(__name__)
EVERY = 2.0  # seconds; a person waits for this mail


async def run() -> None:
    """Mail links for new passwords until cancelled."""
    settings = get_settings()
    while settings.smtp_url:
        with database_may_be_away("mailing links"):
            await send_links(Mail(settings))
        await asyncio.sleep(EVERY)
    await asyncio.Event().wait()


async def send_links(mail: Mail) -> int:
    """Send what waits; what is not taken comes again in a minute. Returns how many left."""
    left = 0
    for link in await recovery.unsent():
        try:
            await letters.send_password_link(mail, link)
        except (Blocked, SlowDown, Unavailable) as error:
            logger.warning("a link was not taken", extra={"link_id": str(link.id), "error": str(error)})
            continue
        await recovery.sent(link)
        left += 1
    return left
