"""Invitations by mail, where the portal can send any."""

import logging

from jobs.subscribers import Occurrence
from portal.accounts import identity, service_joining
from portal.accounts.events import MemberInvited
from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import Language
from portal.core.settings import get_settings
from portal.notices import letters
from portal.notices.channels import Blocked, MessageRefused, SlowDown
from portal.notices.mail import Mail

logger = logging.getLogger(__name__)


async def invite(actor: Actor, occurrence: Occurrence) -> None:
    """Mail the open link to the invited person. Without a mail server whoever invites passes it on."""
    assert isinstance(occurrence.event, MemberInvited)
    settings, member_id = get_settings(), occurrence.event.member_id
    found = (await identity.open_invitations(actor.tenant_id, [member_id])).get(member_id)
    if not settings.smtp_url or found is None:
        return
    path = identity.invitation_link(found.id)
    async with db.read(actor) as connection:
        row = await connection.fetchrow("select language, time_zone from tenant where tenant_id = $1", actor.tenant_id)
    assert row is not None
    try:
        opened = await service_joining.open_invitation(path.rpartition("/")[2])
        await letters.send_invitation(Mail(settings), opened, path, row["time_zone"], Language(row["language"]))
    except NotFound:
        return
    except SlowDown as error:
        raise MessageRefused from error
    except Blocked as error:
        logger.warning("an invitation was not taken", extra={"member_id": str(member_id), "error": str(error)})
