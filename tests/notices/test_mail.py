"""Mail through a real mail server: what arrives, in both languages, and what a refusing server leads to."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP

from portal.core.i18n import Language, speaking
from portal.core.settings import Settings
from portal.notices.cards import Button, Card
from portal.notices.channels import Blocked, ChannelUnavailable, SlowDown
from portal.notices.mail import Mail, Server

CARD = Card(
    title="Please confirm a delivery",
    subject="A100 Bearing housing · FC-2026-014",
    facts=("800 pcs · Thu 26 Nov", "<script>alert(1)</script>"),
    deadline="Confirm by 25 Nov 2026, 12:00",
    state="",
    buttons=((Button("Confirm", uuid4(), style="success"), Button("Open the page", None, "https://x.example/l/1")),),
    link="https://x.example/l/1",
)


@dataclass(slots=True)
class Box:
    """What a mail server was given, and what it answers."""

    messages: list[EmailMessage] = field(default_factory=list)
    answer: str = "250 OK"
    url: str = ""
    takes: float = 0.0  # seconds for one message

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        await asyncio.sleep(self.takes)
        self.messages.append(message)
        return "250 OK"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    found = Box()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(found), "127.0.0.1", 0)
    found.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield found
    server.close()
    await server.wait_closed()


def mail(database: Settings, url: str) -> Mail:
    return Mail(database.model_copy(update={"smtp_url": url, "mail_from": "Calloff <portal@example.com>"}))


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


async def test_a_card_arrives_as_text_and_html_with_links_only(database: Settings, box: Box) -> None:
    message_id = await mail(database, box.url).send("ben@example.com", CARD)
    (message,) = box.messages
    plain, html = parts(message)

    assert message["Subject"] == "Please confirm a delivery · A100 Bearing housing · FC-2026-014"
    assert message["From"] == "Calloff <portal@example.com>"
    assert message["Message-ID"] == message_id
    assert message["List-Unsubscribe"].startswith("<http")
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Confirm: https://x.example/l/1" in plain
    assert "Confirm by 25 Nov 2026, 12:00" in plain
    assert "<script>" not in html
    assert 'href="https://x.example/l/1"' in html


async def test_the_same_card_is_recognised_by_its_message_id(database: Settings, box: Box) -> None:
    channel = mail(database, box.url)
    first, again = await channel.send("ben@example.com", CARD), await channel.send("ben@example.com", CARD)
    other = await channel.send("ann@example.com", CARD)

    assert first == again != other


async def test_mail_speaks_the_readers_language(database: Settings, box: Box) -> None:
    with speaking(Language.ZH):
        await mail(database, box.url).send("li@example.com", CARD)
    plain, html = parts(box.messages[0])

    assert "更改通知设置：http" in plain
    assert "Confirm：https://x.example/l/1" in plain
    assert '<html lang="zh-CN">' in html


@pytest.mark.parametrize(
    ("answer", "kind"), [("550 no such user", Blocked), ("452 box full", SlowDown), ("421 going down", SlowDown)]
)
async def test_a_refusing_server_says_what_to_do_next(
    database: Settings, box: Box, answer: str, kind: type[Exception]
) -> None:
    box.answer = answer
    with pytest.raises((kind, ChannelUnavailable) if answer.startswith("421") else kind):
        await mail(database, box.url).send("ben@example.com", CARD)
    assert box.messages == []


async def test_no_server_means_later(database: Settings) -> None:
    with pytest.raises(ChannelUnavailable):
        await mail(database, "smtp://127.0.0.1:1").send("ben@example.com", CARD)


def test_the_address_of_a_server_is_taken_apart() -> None:
    assert Server.of("smtps://me:p%40ss@mail.example.com") == Server("mail.example.com", 465, True, "me", "p@ss")
    assert Server.of("smtp://mail.example.com:587") == Server("mail.example.com", 587, False, None, None)
