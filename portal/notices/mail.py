"""E-mail: the way that everybody has. Cards become a message in text and HTML; buttons become links that open a page.

Nothing in a mail changes anything by being opened: a scanner that follows every link does no harm. The same card to the
same address carries the same Message-ID, so that a repeated message can be recognised.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, FileSystemLoader

from portal.core import i18n
from portal.core.i18n import N_, _
from portal.core.settings import Settings
from portal.notices.cards import Card
from portal.notices.channels import Abilities, Blocked, ChannelUnavailable, MessageRefused, SlowDown
from portal.notices.wording import address as full_address

SECONDS = 20  # that one message may take
FULL_BOX = 60.0  # seconds after which a server that takes nothing now is asked again
SUBJECT = 120  # characters
SETTINGS_PAGE = "/profile/notifications"
WHY = N_("You get this because you work with these documents in the portal.")
CHANGE = N_("Change what you are told")
Links = Sequence[tuple[str, str]]  # label and address


@cache
def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over, from the settings' URL."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def of(cls, url: str) -> "Server":
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname or "", parts.port or (465 if tls else 25), tls, user, password)


class Mail:
    """The e-mail channel."""

    name = "email"
    abilities = Abilities(
        buttons=False, edit=False, media_in=False, text_in=False, max_len=20_000, max_buttons=8, outside=False
    )

    def __init__(self, settings: Settings) -> None:
        assert settings.smtp_url, "without a mail server there is no such channel"
        self._server = Server.of(settings.smtp_url)
        self._sender = settings.mail_from

    async def send(self, address: str, card: Card, *, silent: bool = False) -> str:
        """One card. Returns its Message-ID."""
        links = [(button.label, button.url or card.link) for row in card.buttons for button in row]
        subject = " · ".join(part for part in (card.title, card.subject) if part)
        return await self.deliver(address, subject, card.lines, links or [(_("Open the page"), card.link)])

    async def edit(self, address: str, message_id: str, card: Card) -> None:
        """A mail that left cannot be changed; the channel says so in its abilities."""

    async def close(self) -> None:
        """Each mail has a connection of its own."""

    async def deliver(
        self, address: str, subject: str, lines: Sequence[str], links: Links, *, settings_link: bool = True
    ) -> str:
        """One message in the language of the moment. Raises Blocked, SlowDown, ChannelUnavailable or
        MessageRefused."""
        message = self.compose(address, subject, lines, links, settings_link=settings_link)
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls,
                timeout=SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = max((each.code for each in error.recipients), default=550)
            if code < 500:
                raise SlowDown(FULL_BOX) from error
            raise Blocked(f"the mail server refuses the address ({code})") from error
        except aiosmtplib.SMTPResponseException as error:
            raise (MessageRefused if error.code >= 500 else ChannelUnavailable) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise ChannelUnavailable from error
        return str(message["Message-ID"])

    def compose(
        self, address: str, subject: str, lines: Sequence[str], links: Links, *, settings_link: bool
    ) -> EmailMessage:
        """The message in text and HTML."""
        message = EmailMessage()
        name, sender = parseaddr(self._sender)
        user, _at, domain = sender.rpartition("@")
        message["From"] = Address(name, user, domain)
        message["To"] = address
        message["Subject"] = " ".join(subject.split())[:SUBJECT]
        message["Date"] = formatdate()
        same = hashlib.sha256("\n".join((address, subject, *lines, *(url for _l, url in links))).encode())
        message["Message-ID"] = f"<{same.hexdigest()[:40]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        page = full_address(SETTINGS_PAGE) if settings_link else ""
        if page:
            message["List-Unsubscribe"] = f"<{page}>"
        text = "\n".join([*lines, "", *(label + _(": ") + url for label, url in links)])
        message.set_content(
            f"{text}\n\n-- \n{i18n.sentences(_(WHY), _(CHANGE))}{_(': ')}{page}\n" if page else f"{text}\n"
        )
        message.add_alternative(_html(subject, lines, links, page), subtype="html")
        return message


def _html(subject: str, lines: Sequence[str], links: Links, page: str) -> str:
    template = _environment().get_template("mail.html")
    return template.render(
        language=i18n.language.get().value,
        subject=subject,
        lines=lines,
        links=links,
        settings_url=page,
        why=_(WHY),
        change=_(CHANGE),
    )
