"""Mails that are no notices: the link for a new password, and the link by which an invited person joins."""

from datetime import datetime

from portal.accounts.recovery import MINUTES, Link
from portal.accounts.service_joining import OpenInvitation
from portal.core import i18n
from portal.core.access import ROLE_NAMES
from portal.core.i18n import Language, _, speaking
from portal.core.settings import get_settings
from portal.notices.mail import Mail
from portal.notices.wording import address


async def send_password_link(mail: Mail, link: Link) -> None:
    """To the person who forgot the password, in their language. Raises what the mail channel raises."""
    with speaking(link.language or get_settings().default_language):
        lines = [
            _("Set a new password"),
            _("Somebody, probably you, asked for a new password for {email}.").format(email=link.email),
            _("The link works once, for {minutes} minutes.").format(minutes=MINUTES),
            _("If it was not you, do nothing: your password stays as it is."),
        ]
        links = [(_("Set a new password"), address(link.path))]
        await mail.deliver(link.email, lines[0], lines, links, settings_link=False)


async def send_invitation(mail: Mail, opened: OpenInvitation, path: str, zone: str, language: Language) -> None:
    """To somebody who was invited, in the workspace's language. Raises what the mail channel raises."""
    until: datetime = opened.invitation.expires_at
    with speaking(language):
        title = _("Work for {company}").format(company=opened.company_name)
        lines = [
            title,
            _("{tenant} invites {email} as {role}.").format(
                tenant=opened.tenant_name, email=opened.invitation.email, role=_(ROLE_NAMES[opened.role])
            ),
            _("The link works once, until {when}.").format(when=i18n.moment(until, zone)),
        ]
        links = [(_("Join {company}").format(company=opened.company_name), address(path))]
        await mail.deliver(opened.invitation.email, title, lines, links, settings_link=False)
