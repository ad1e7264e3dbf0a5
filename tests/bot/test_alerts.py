"""What a person hears of their chats by other ways, groups, lost lines, and how an operator sees the bot."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP
from redis.asyncio import Redis

from bot import account, telegram
from bot.channels import bots
from jobs import chat_alerts
from jobs.subscribers import Occurrence
from portal.accounts import bot_state, events, service_chats
from portal.accounts.model_chats import ChatBot
from portal.app import bot_health
from portal.core import health
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.doctor import Level, bot_findings
from portal.core.journal import Event
from portal.core.settings import Settings, get_settings, variable
from tests.accounts.browser import browsing
from tests.accounts.makers import make_person
from tests.accounts.test_identity import as_identity
from tests.bot.makers import House
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.notices.test_mail import Box

MOVED = "select member_id, data from audit where tenant_id = $1 and action = 'chat.moved'"
CHAT_DEEDS = "select action from audit where tenant_id = $1 and action like 'chat.%'"
DOES = {
    "ChatBound": (events.ChatBound, chat_alerts.linked),
    "ChatMoved": (events.ChatMoved, chat_alerts.moved),
    "ChatBlocked": (events.ChatBlocked, chat_alerts.blocked),
}


@pytest.fixture
async def mails(house: House, telegram_set: None) -> AsyncIterator[Box]:
    """A mail server that this portal uses while the test runs."""
    found = Box()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(found), "127.0.0.1", 0)
    given = {
        "smtp_url": f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "mail_from": "Calloff <portal@example.com>",
    }
    before = {name: os.environ.get(variable(name)) for name in given}
    os.environ.update({variable(name): value for name, value in given.items()})
    get_settings.cache_clear()
    yield found
    for name, value in before.items():
        os.environ.pop(variable(name)) if value is None else os.environ.update({variable(name): value})
    get_settings.cache_clear()
    server.close()


async def work_off(actor: Actor, *names: str) -> None:
    """What the worker does about these events."""
    query = "select * from outbox where tenant_id = $1 and name = any($2) order by id"
    for row in await fetch(actor, query, actor.tenant_id, list(names)):
        kind, errand = DOES[row["name"]]
        event: Event = kind(chat_id=UUID(row["data"]["chat_id"]))
        await errand(actor, Occurrence(row["id"], row["party_id"], row["member_id"], row["created_at"], event))


def subjects(box: Box, address: str) -> list[str]:
    return [str(mail["Subject"]) for mail in box.messages if mail["To"] == address]


async def test_a_chat_that_changes_hands_is_told_to_whom_it_belonged(house: House, tenant: Tenant, mails: Box) -> None:
    lena = await house.linked(tenant.supplier, name="Lena's phone")
    eve = await make_person(tenant.supplier, Role.CLERK, "Eve")
    await house.link(eve, lena.phone)
    await work_off(tenant.factory, "ChatMoved")

    (subject,) = subjects(mails, lena.person.email)
    (deed,) = await fetch(tenant.factory, MOVED, tenant.id)
    assert subject.startswith("Your chat was linked to somebody else")
    assert "Lena's phone" in mails.messages[-1].as_string()
    assert (deed["member_id"], deed["data"]["name"]) == (None, "Lena's phone")  # nobody of the company did it
    assert subjects(mails, eve.email) == []


async def test_a_further_chat_is_told_by_the_other_ways(house: House, tenant: Tenant, mails: Box) -> None:
    lena = await house.linked(tenant.supplier)
    further = await house.world.user("Tablet")
    await house.link(lena.person, further)
    await work_off(tenant.factory, "ChatBound")

    told = [m for m in await lena.phone.messages() if "A chat was linked to you" in m.text and "“Tablet”" in m.text]
    assert len(told) == 1
    assert len(subjects(mails, lena.person.email)) == 2  # of the first chat and of the further one


async def test_a_blocked_chat_is_told_by_mail_once(house: House, tenant: Tenant, mails: Box) -> None:
    lena = await house.linked(tenant.supplier)
    await lena.phone.block()
    for _ in range(2):
        await service_chats.blocked(ChatBot.TELEGRAM, lena.phone.id)
    await work_off(tenant.factory, "ChatBlocked")

    (subject,) = subjects(mails, lena.person.email)
    assert subject.startswith("Messages no longer reach your chat")
    actions = [row["action"] for row in await fetch(tenant.factory, CHAT_DEEDS, tenant.id)]
    assert actions.count("chat.blocked") == 1
    dead = "select dead_at is not null from chat_account where chat_id = $1"
    assert [row[0] for row in await as_identity(get_settings(), dead, lena.phone.id)] == [True]
    await lena.phone.unblock()
    await lena.phone.say("/help")  # whoever writes again is written to again
    await lena.phone.wait_for("What this chat can do")
    assert [row[0] for row in await as_identity(get_settings(), dead, lena.phone.id)] == [False]


async def test_an_administrator_brings_a_contract_into_a_group(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    other = await make_contract(tenant, Direction.PURCHASE, number="FC-OTHER")
    await make_deliveries(tenant, made, [800], status="proposed")
    await make_deliveries(tenant, other, [55], status="proposed")
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    ben = await house.linked(tenant.supplier, name="Ben")
    stranger = await house.world.user("Stranger")
    group = await house.world.group("Gate 3", chief.phone, ben.phone, stranger)

    await ben.phone.say(f"/bind {made.contract.number}", chat=group)
    await house.quiet()
    await chief.phone.say(f"/bind {made.contract.number}")
    await chief.phone.wait_for("Only a group chat can be bound to a contract.")
    bound = "select contract_id from chat where tenant_id = $1 and contract_id is not null and unbound_at is null"
    assert await fetch(tenant.supplier, bound, tenant.id) == []  # a clerk may not, and a private chat is no group

    await chief.phone.say(f"/bind {made.contract.number}", chat=group)
    await house.quiet()
    ((contract_id,),) = await fetch(tenant.supplier, bound, tenant.id)
    assert contract_id == made.contract.id
    await ben.phone.say(made.contract.number, chat=group)
    await house.quiet()
    await ben.phone.say("FC-OTHER", chat=group)
    await house.quiet()
    said = "\n".join(bubble.text for bubble in await ben.phone.messages(chat=group) if bubble.by_bot)
    assert f"This group speaks of {made.contract.number}." in said
    assert "800\u00a0pcs" in said
    assert "55\u00a0pcs" not in said  # the group's contract alone, whatever its people may see elsewhere


async def test_a_line_that_is_cut_is_asked_again(house: House, tenant: Tenant) -> None:
    await house.world.fail("cut", "getUpdates", count=2)
    lena = await house.linked(tenant.supplier)
    await lena.phone.say("/help")
    await lena.phone.wait_for("What this chat can do")


async def test_the_menu_of_commands_is_set_in_each_language(house: House, chatting: Settings) -> None:
    """Phones in neither language show that of the portal."""
    async with bots(chatting) as found:
        bot = found[ChatBot.TELEGRAM]
        await telegram.set_menus(chatting, bot)
        shown = {code: await bot.get_my_commands(language_code=code) for code in (None, "en", "zh")}
    first = {code: (menu[0].command, menu[0].description) for code, menu in shown.items()}
    assert first["en"] == ("today", "What waits for you now")
    assert first["zh"] == ("today", "查看待办")
    assert first[None] == first[chatting.default_language]
    assert {len(menu) for menu in shown.values()} == {len(account.COMMANDS)}


async def test_readiness_tells_an_operator_of_a_bot_that_is_behind(house: House) -> None:
    await house.quiet()
    redis: Redis = Redis.from_url(str(get_settings().redis_url))
    answers = []
    async with browsing(house.app) as browser:
        for pending in (51, 0):
            await bot_state.note(redis, {"username": "calloff_bot", "pending": pending, "error": ""})
            answers.append(await browser.open("/readyz"))
    await redis.aclose()
    behind, fine = (answer.json() for answer in answers)
    assert [answer.status_code for answer in answers] == [200, 200]  # pages work without the bot
    assert (fine["status"], fine["concerns"]) == ("ok", [])
    assert (behind["status"], behind["concerns"]) == (
        "degraded", ["telegram: 51 updates wait at Telegram, more than 50"]
    )  # fmt: skip


async def test_an_operator_sees_how_the_bot_stands(house: House) -> None:
    await house.quiet()
    found = await bot_health()
    assert found["telegram"] | {"oldest_seconds": 0, "last_received_seconds": 0} == {
        "waiting": 0, "oldest_seconds": 0, "last_received_seconds": 0, "pending": 0, "error": ""
    }  # fmt: skip
    (fine, *_given_up) = await bot_findings(get_settings())
    assert (fine.level, fine.text) == (Level.OK, "0 messages wait for the bot")
    assert list(health.concerns(found)) == []
    behind: dict[str, dict[str, Any]] = {
        "telegram": {"waiting": 51, "pending": 52, "error": "no bot runs"},
        "portal": {"waiting": 50},
    }
    assert list(health.concerns(behind)) == [
        "telegram: 51 messages wait for the bot, more than 50",
        "telegram: 52 updates wait at Telegram, more than 50",
        "telegram: no bot runs",
    ]
    wrong = get_settings().model_copy(update={"telegram_mode": "webhook", "base_url": "http://127.0.0.1"})
    assert [finding.level for finding in await bot_findings(wrong)] == [Level.WARNING]
