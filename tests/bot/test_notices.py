"""Notices in chats, end to end: through the stand-in for Telegram and through the portal's own window."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import pytest

from bot.channels import chat_channels
from jobs.sending import Sender
from portal.accounts import identity
from portal.accounts.model import ChatDetail
from portal.accounts.service_chats import open_window
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.i18n import Language
from portal.core.settings import get_settings
from portal.notices.channels import Channel
from portal.notices.pacing import Pacer
from portal.notices.service_preferences import SetChatDetail, set_chat_detail
from portal.schedules.service import ConfirmLine, confirm_line
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person, signed
from tests.accounts.test_identity import as_identity
from tests.bot.makers import House, Linked
from tests.factories import Tenant, fetch
from tests.notices.channel import MemoryChat
from tests.notices.conftest import Post, mailing  # noqa: F401 - a fixture
from tests.notices.test_compose import published
from tests.notices.test_planning import line_of

CHATS = "select channel, state, error from dispatch where tenant_id = $1 and member_id = $2 order by id"


@pytest.fixture
async def channels(house: House) -> AsyncIterator[dict[str, Channel]]:
    """What the worker sends by."""
    found = chat_channels(get_settings())
    yield found
    for channel in found.values():
        await channel.close()


async def pass_on(tenant: Tenant, channels: dict[str, Channel]) -> None:
    """Plan what happened and send all of it, as the worker does."""
    post = Post(tenant, MemoryChat())
    await post.happen()
    pacer = Pacer(None)
    sender = Sender(channels, pacer)
    while await sender.round(post.place):
        await sender.idle()
    await pacer.close()


async def asked(tenant: Tenant, linked: Linked, quantities: list[int]) -> UUID:
    """A release that asks this person; they have no quiet hours."""
    await Post(tenant, MemoryChat()).awake(linked.actor)
    made, _release = await published(tenant, Direction.PURCHASE, quantities)
    return made.contract.id


async def test_a_release_is_confirmed_where_it_arrives(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    lena = await house.linked(tenant.supplier)
    contract_id = await asked(tenant, lena, [800])
    await pass_on(tenant, channels)
    card = await lena.phone.wait_for("please confirm 1 delivery")
    answer = await lena.phone.press("Confirm 1 delivery")
    await house.quiet()
    await pass_on(tenant, channels)

    last = await lena.phone.message(card.id)
    (row,) = await fetch(tenant.factory, "select status from schedule_line where contract_id = $1", contract_id)
    assert row["status"] == "confirmed"
    assert answer.text
    assert "Confirm 1 delivery" not in last.labels
    pages = []
    for company, role in ((tenant.factory, Role.PLANNER), (tenant.supplier, Role.CLERK), (tenant.customer, Role.CLERK)):
        person = await make_person(company, role)
        async with browsing(house.app, person.token) as browser:
            pages.append(text_of(await browser.open("/messages?view=pressed")))
    assert ["1 delivery confirmed" in page for page in pages] == [True, True, False]  # both sides, and nobody else


async def test_a_chat_that_is_asked_to_wait_delays_nobody_else(house: House, tenant: Tenant) -> None:
    """Telegram says 429 to one chat: what is said in the other ones leaves meanwhile, and the one answer comes late."""
    slow, quick = await house.linked(tenant.supplier, name="Slow"), await house.linked(tenant.supplier, name="Quick")
    await house.world.fail("too_many", "sendMessage", chat=slow.phone.id, count=1, seconds=900)
    first = await slow.phone.say("/help")
    await quick.phone.say("/help")
    await quick.phone.wait_for("What this chat can do")
    state = (
        "select tries, next_try > now() + interval '10 minutes' from bot_update where chat_id = $1 and done_at is null"
    )
    async with asyncio.timeout(20):
        while not (rows := await as_identity(get_settings(), state, slow.phone.id)) or not rows[0][1]:
            with suppress(TimeoutError):
                await asyncio.wait_for(house.feeder.fed.wait(), 0.1)

    assert [tuple(row) for row in rows] == [(0, True)]  # being asked to wait is no failed try
    assert [bubble for bubble in await slow.phone.messages() if bubble.by_bot and bubble.id > first] == []
    await as_identity(get_settings(), "update bot_update set next_try = now() where chat_id = $1", slow.phone.id)
    house.feeder.woken.set()
    late = await slow.phone.wait_for("What this chat can do", after=first)
    assert [b.id for b in await slow.phone.messages() if b.by_bot and b.id > first] == [late.id]  # once


async def test_an_answer_on_the_page_edits_the_message(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    li = await house.linked(tenant.supplier, language=Language.ZH, name="李雷")
    contract_id = await asked(tenant, li, [800])
    await pass_on(tenant, channels)
    card = await li.phone.wait_for("请确认 1 笔交付")
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, await line_of(tenant, contract_id), None, ConfirmLine())
    await pass_on(tenant, channels)

    last = await li.phone.message(card.id)
    assert card.labels[0] == "确认 1 笔交付"
    assert last.edits == 1
    assert "全部交付均已答复。" in last.text
    assert len([m for m in await li.phone.messages() if "第 1 版" in m.text]) == 1  # one card, no second message


async def test_of_two_cards_of_one_delivery_the_newer_one_stays_current(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    """Whoever presses the older one sees it answered there, and the newer one follows."""
    lena = await house.linked(tenant.supplier)
    await asked(tenant, lena, [800])
    await pass_on(tenant, channels)
    await lena.phone.say("where is A100?")
    older = await lena.phone.wait_for("Delivery")
    await lena.phone.say("where is A100?")
    newer = await lena.phone.wait_for("Delivery", after=older.id)
    assert all("Confirm" in each.labels for each in (older, newer))

    await lena.phone.press("Confirm", message=older.id)
    await house.quiet()
    await pass_on(tenant, channels)
    async with db.unit_of_work(tenant.factory) as session:  # a chat takes one message a second
        due = "update dispatch set next_try = now() where tenant_id = $1 and state = 'waiting'"
        await (await db.driver(session)).execute(due, tenant.id)
    await pass_on(tenant, channels)

    ((confirmations,),) = await fetch(
        tenant.factory, "select count(*) from confirmation where tenant_id = $1", tenant.id
    )
    now = [await lena.phone.message(each.id) for each in (older, newer)]
    assert confirmations == 1
    assert ["Confirm" in each.labels for each in now] == [False, False]
    assert all("Confirmed by your company" in each.text for each in now)


async def test_a_blocked_chat_is_left_and_the_next_way_used(
    house: House,
    tenant: Tenant,
    channels: dict[str, Channel],
    mailing: None,  # noqa: F811
) -> None:
    lena = await house.linked(tenant.supplier)
    mail = MemoryChat()
    await lena.phone.block()
    await asked(tenant, lena, [800])
    await pass_on(tenant, {**channels, "email": mail})
    await published(tenant, Direction.PURCHASE, [100])
    await pass_on(tenant, {**channels, "email": mail})

    rows = [tuple(row)[:2] for row in await fetch(tenant.factory, CHATS, tenant.id, lena.person.member_id)]
    assert ("telegram", "failed") in rows
    assert rows.count(("email", "sent")) == 2  # the second release did not try the blocked chat again
    assert [row[0] for row in rows].count("telegram") == 1
    assert len(mail.of(lena.person.email)) == 2


async def test_a_workspace_may_let_only_numbers_leave_the_house(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    async with db.unit_of_work(tenant.factory) as session:
        await set_chat_detail(session, tenant.factory, SetChatDetail(chat_detail=ChatDetail.NUMBER_ONLY))
    lena = await house.linked(tenant.supplier)
    await asked(tenant, lena, [7654])
    await pass_on(tenant, channels)

    card = await lena.phone.wait_for("please confirm 1 delivery")
    assert "7,654" not in card.text
    assert "Open the page to see more and to answer." in card.text


async def test_the_portals_own_window_shows_the_same(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    await open_window(await signed(person))
    await Post(tenant, MemoryChat()).awake(person.actor)
    await published(tenant, Direction.PURCHASE, [800])
    await pass_on(tenant, channels)

    rows = await fetch(person.actor, "select text from chat_message where tenant_id = $1 order by no", tenant.id)
    assert "please confirm 1 delivery" in rows[-1]["text"]


async def test_who_left_gets_no_message_in_any_chat(house: House, tenant: Tenant, channels: dict[str, Channel]) -> None:
    lena = await house.linked(tenant.supplier)
    await asked(tenant, lena, [800])
    before = len(await lena.phone.messages())
    post = Post(tenant, MemoryChat())
    await post.happen()
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)
        await connection.execute("update member set status = 'removed' where id = $1", lena.person.member_id)
    await pass_on(tenant, channels)

    assert len(await lena.phone.messages()) == before
    assert isinstance(lena.actor, Actor)
    assert await identity.find_user(lena.person.email) is not None
