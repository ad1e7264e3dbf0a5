"""Group chats: each contract in a topic of its own, told of what happens to it, without a price and to nobody else.
A button asks whoever presses it."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from portal.core import db
from portal.core.access import Role
from portal.core.actor import Direction
from portal.dev.telegram.client import Bubble, Person
from portal.notices.channels import Channel
from portal.schedules.service import ConfirmLine, confirm_line
from tests.bot.makers import House, Linked, line_now
from tests.bot.test_notices import channels, pass_on  # noqa: F401 - a fixture
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.notices.channel import MemoryChat
from tests.notices.conftest import Post
from tests.notices.test_compose import published
from tests.notices.test_planning import line_of

BOUND = "select contract_id, address from chat where tenant_id = $1 and contract_id is not null and unbound_at is null"


async def told(tenant: Tenant, channels: dict[str, Channel]) -> None:  # noqa: F811
    """What happened is planned and sent, whatever hour it is."""
    await Post(tenant, MemoryChat()).happen()
    async with db.unit_of_work(tenant.factory) as session:
        due = "update dispatch set next_try = now() where tenant_id = $1 and state = 'waiting'"
        await (await db.driver(session)).execute(due, tenant.id)
    await pass_on(tenant, channels)


async def say(house: House, who: Linked, text: str, group: int, topic: int | None = None) -> list[Bubble]:
    """What the group gets to read after somebody writes there."""
    number = await who.phone.say(text, chat=group, thread=topic)
    await house.quiet()
    return [bubble for bubble in await who.phone.messages(chat=group) if bubble.by_bot and bubble.id > number]


async def topics(house: House, group: int) -> dict[str, int]:
    state = await house.world.state()
    (found,) = [chat for chat in state["chats"] if chat["id"] == group]
    return {name: int(thread) for thread, name in found["topics"].items()}


def places(bubbles: Sequence[Bubble]) -> list[int | None]:
    return [bubble.raw.get("message_thread_id") for bubble in bubbles]


async def bound(tenant: Tenant) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in await fetch(tenant.supplier, BOUND, tenant.id))


async def test_an_administrator_brings_a_contract_into_a_group(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    other = await make_contract(tenant, Direction.PURCHASE, number="FC-OTHER")
    await make_deliveries(tenant, made, [800], status="proposed")
    await make_deliveries(tenant, other, [5555], status="proposed")
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    ben = await house.linked(tenant.supplier, name="Ben")
    stranger = await house.world.user("Stranger")
    group = await house.world.group("Gate 3", chief.phone, ben.phone, stranger)

    await say(house, ben, f"/bind {made.contract.number}", group)
    await chief.phone.say(f"/bind {made.contract.number}")
    await chief.phone.wait_for("Only a group chat can be bound to a contract or plant.")
    assert await bound(tenant) == []  # a clerk may not, and a private chat is no group

    await say(house, chief, f"/bind {made.contract.number}", group)
    assert await bound(tenant) == [(made.contract.id, str(group))]
    await say(house, ben, made.contract.number, group)
    await say(house, ben, "FC-OTHER", group)
    said = "\n".join(bubble.text for bubble in await ben.phone.messages(chat=group) if bubble.by_bot)
    assert f"This group is about {made.contract.number}." in said
    assert "800\u00a0pcs" in said
    assert "5,555\u00a0pcs" not in said  # the group's contract alone, whatever its people may see elsewhere


async def test_each_contract_has_a_topic_and_answers_stay_in_it(house: House, tenant: Tenant) -> None:
    one = await make_contract(tenant, Direction.PURCHASE, number="FC-ONE")
    two = await make_contract(tenant, Direction.PURCHASE, number="FC-TWO")
    await make_deliveries(tenant, one, [1111], status="proposed")
    await make_deliveries(tenant, two, [2222], status="proposed")
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    ben = await house.linked(tenant.supplier, name="Ben")
    group = await house.world.group("Castings", chief.phone, ben.phone, forum=True)

    await say(house, ben, "/bind FC-ONE", group)
    assert (await topics(house, group), await bound(tenant)) == ({}, [])  # a clerk may not
    for number in ("FC-ONE", "FC-TWO", "fc-one"):  # the third finds the topic of the first
        answers = await say(house, chief, f"/bind {number}", group)
    made = await topics(house, group)
    assert list(made) == ["FC-ONE", "FC-TWO"]
    assert places(answers) == [made["FC-ONE"], None]
    assert [bubble.text for bubble in answers] == [
        "This topic is about FC-ONE. A button acts for whoever presses it.",
        "FC-ONE has a topic of its own now.",
    ]
    there = sorted([(one.contract.id, f"{group}/{made['FC-ONE']}"), (two.contract.id, f"{group}/{made['FC-TWO']}")])
    assert await bound(tenant) == there

    own = await say(house, ben, "/schedule", group, made["FC-ONE"])
    assert set(places(own)) == {made["FC-ONE"]}
    assert "1,111\u00a0pcs" in own[-1].text
    assert "2,222\u00a0pcs" not in own[-1].text
    both = (await say(house, ben, "/schedule", group))[-1]
    assert places([both]) == [None]
    assert all(f"{quantity}\u00a0pcs" in both.text for quantity in ("1,111", "2,222"))  # all that the group speaks of

    (ended,) = await say(house, ben, "/stop", group, made["FC-TWO"])
    assert "Your role does not allow this." in ended.text
    assert await bound(tenant) == there
    (ended,) = await say(house, chief, "/stop", group, made["FC-TWO"])
    assert ended.text == "Nothing more is sent here. /bind begins again."
    assert await bound(tenant) == [there[[contract for contract, _ in there].index(one.contract.id)]]
    await chief.phone.say("/help")  # the chief's own chat goes on
    await chief.phone.wait_for("What this chat can do")


async def test_a_topic_is_told_of_its_contract_and_anybody_with_the_right_answers_there(
    house: House,
    tenant: Tenant,
    channels: dict[str, Channel],  # noqa: F811
) -> None:
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    ben = await house.linked(tenant.supplier, name="Ben")
    viewer = await house.linked(tenant.supplier, Role.VIEWER, name="Vera")
    stranger = await house.world.user("Stranger")
    group = await house.world.group("Castings", chief.phone, ben.phone, viewer.phone, stranger, forum=True)
    await Post(tenant, MemoryChat()).work_every_day()
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    await make_contract(tenant, Direction.PURCHASE, number="FC-TWO")
    for number in (made.contract.number, "FC-TWO"):
        await say(house, chief, f"/bind {number}", group)
    topic = (await topics(house, group))[made.contract.number]
    await told(tenant, channels)
    card = await ben.phone.wait_for("please confirm 1 delivery", chat=group)
    line = await line_of(tenant, made.contract.id)
    before = await line_now(tenant.factory, line)

    refusals = [await press(who, card, group) for who in (stranger, viewer.phone)]
    assert await line_now(tenant.factory, line) == before
    answer = await press(ben.phone, card, group)
    await house.quiet()
    await told(tenant, channels)

    assert "not linked to anybody" in refusals[0]
    assert "Your role does not allow this." in refusals[1]
    assert "confirmed" in answer
    assert (await line_now(tenant.factory, line))["status"] == "confirmed"
    presses = await fetch(tenant.supplier, "select member_id from press where tenant_id = $1 order by id", tenant.id)
    assert [row["member_id"] for row in presses] == [viewer.person.member_id, ben.person.member_id]
    news = [bubble for bubble in await ben.phone.messages(chat=group) if bubble.by_bot and "Release 1" in bubble.text]
    assert (places(news), news[0].edits > 0) == ([topic], True)  # one card, in its topic, brought up to date there
    said = "\n".join(bubble.text for bubble in await ben.phone.messages(chat=group))
    assert not re.search(r"12\.50|CNY|[¥￥]", said.replace(made.contract.number, ""))


async def test_where_nothing_is_bound_nothing_is_told_and_it_is_said_why(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await make_deliveries(tenant, made, [800], status="proposed")
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    stranger = await house.world.user("Stranger")
    group = await house.world.group("Castings", chief.phone, stranger)
    eve = Linked(chief.person, stranger)

    unbound = await say(house, chief, "/today", group)
    unknown = await say(house, eve, "/today", group)
    begging = await say(house, eve, f"/bind {made.contract.number}", group)
    talk = [*await say(house, chief, "where is A100?", group), *await say(house, eve, "hello", group)]
    (wrong,) = await say(house, chief, "/bind FC-NOWHERE", group)
    assert [bubble.text for bubble in unbound] == [
        "Nothing of your company may be spoken of in this group yet. An administrator brings a contract in with its "
        "number: /bind FC-2026-014"
    ]
    asked_for_a_link = "You are not linked to anybody. Sign in to the portal and open My account > Chat for a link."
    assert [bubble.text for bubble in (*unknown, *begging)] == [asked_for_a_link] * 2
    assert talk == []  # people speak with each other there
    assert wrong.text.startswith("There is no contract or plant “FC-NOWHERE” that you may see.")
    assert await bound(tenant) == []

    await say(house, chief, f"/bind {made.contract.number}", group)
    (told_now,) = await say(house, chief, "/today", group)
    (helped,) = await say(house, chief, "/help", group)
    assert "To confirm: 1" in told_now.text
    assert "/bind: Bring a contract or a plant into this group" in helped.text
    await chief.phone.say("/help")
    assert "/bind" not in (await chief.phone.wait_for("What this chat can do")).text


@pytest.mark.parametrize("general", [True, False])
async def test_a_card_that_was_asked_for_in_a_group_never_grows_beyond_what_the_group_speaks_of(
    house: House,
    tenant: Tenant,
    channels: dict[str, Channel],  # noqa: F811
    general: bool,
) -> None:
    await Post(tenant, MemoryChat()).work_every_day()
    made, _release = await published(tenant, Direction.PURCHASE, [800, 400])
    await published(tenant, Direction.PURCHASE, [5555, 6666])  # of another contract of the same supplier
    factory = await house.linked(tenant.factory, Role.ADMIN, name="Fay")
    ben = await house.linked(tenant.supplier, name="Ben")
    group = await house.world.group("Castings", factory.phone, ben.phone, forum=True)
    await say(house, factory, f"/bind {made.contract.number}", group)
    topic = (await topics(house, group))[made.contract.number]
    asked = (await say(house, ben, "/today", group, None if general else topic))[-1]
    assert "To confirm: 2 " in asked.text

    line, _other = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line["id"], None, ConfirmLine())
    await told(tenant, channels)
    now = await here(ben, group, asked)
    assert (now.edits > 0, "To confirm: 1 " in now.text) == (True, True)
    assert not re.search("5,555|6,666", "".join(bubble.text for bubble in await ben.phone.messages(chat=group)))

    await say(house, factory, "/stop", group, topic)  # from now on nobody may be told anything there
    await published(tenant, Direction.PURCHASE, [700])
    await told(tenant, channels)
    assert (await here(ben, group, asked)).text == now.text


async def here(who: Linked, group: int, asked: Bubble) -> Bubble:
    """The same message as it is now."""
    return next(bubble for bubble in await who.phone.messages(chat=group) if bubble.id == asked.id)


async def press(who: Person, card: Bubble, group: int) -> str:
    return (await who.press("Confirm 1 delivery", message=card.id, chat=group)).text or ""


async def test_without_the_right_or_the_topic_it_is_the_general_one(
    house: House,
    tenant: Tenant,
    channels: dict[str, Channel],  # noqa: F811
) -> None:
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    group = await house.world.group("Castings", chief.phone, forum=True, admin=False)
    ours = await house.world.group("Ours", chief.phone, forum=True)
    heard, unheard = [await house.world.group("Basic", chief.phone, basic=True) for _ in range(2)]
    await Post(tenant, MemoryChat()).work_every_day()
    made, _release = await published(tenant, Direction.PURCHASE, [800])

    answers = await say(house, chief, f"/bind {made.contract.number}", group)
    assert (places(answers), await topics(house, group)) == ([None, None], {})
    assert answers[1].text.startswith("I may not make topics here.")
    await say(house, chief, f"/bind {made.contract.number}", ours)
    (topic,) = (await topics(house, ours)).values()
    await chief.phone.delete_topic(ours, topic)
    for each in (heard, unheard):
        await say(house, chief, f"/bind {made.contract.number}", each)
    now = [await chief.phone.upgrade(heard)]  # with topics a group has another number, and what was bound stays so
    await house.quiet()
    assert (made.contract.id, str(now[0])) in await bound(tenant)
    await house.world.delivery(drop=2)  # the portal is not told, and learns it when it writes there
    now.append(await chief.phone.upgrade(unheard))
    await house.world.delivery(drop=0)
    await told(tenant, channels)
    assert (made.contract.id, str(now[1])) in await bound(tenant)
    for each in (group, ours, *now):
        card = await chief.phone.wait_for("please confirm 1 delivery", chat=each)
        assert places([card]) == [None]

    await say(house, chief, "/stop", group)  # what waits for a group that ended is not sent
    await published(tenant, Direction.PURCHASE, [300])
    await chief.phone.kick(ours)
    await told(tenant, channels)
    query = (
        "select state, channel, summary like '%' || $2 || '%' from dispatch where tenant_id = $1 and address like '-%'"
    )
    rows = await fetch(tenant.supplier, query, tenant.id, made.contract.number)
    assert {tuple(row) for row in rows} == {("sent", "telegram", True)}  # another contract is told in none of them


async def test_a_plant_has_a_topic_with_every_contract_that_delivers_there(
    house: House,
    tenant: Tenant,
    channels: dict[str, Channel],  # noqa: F811
) -> None:
    chief = await house.linked(tenant.supplier, Role.PARTNER_ADMIN, name="Chief")
    factory = await house.linked(tenant.factory, Role.ADMIN, name="Fay")
    group = await house.world.group("Castings", chief.phone, forum=True)
    await Post(tenant, MemoryChat()).work_every_day()
    for number, plant, quantity in (("FC-ONE", "WUX-1", 1111), ("FC-TWO", "WUX-1", 2222), ("FC-SUZ", "SUZ-2", 3333)):
        made = await make_contract(tenant, Direction.PURCHASE, number=number, ship_to_code=plant)
        await make_deliveries(tenant, made, [quantity], status="proposed")
    await make_contract(tenant, Direction.SALE, ship_to_code="CUSTOMER-9")

    (unknown,) = await say(house, chief, "/bind CUSTOMER-9", group)  # another partner's, so there is no such code
    assert unknown.text.startswith("There is no contract or plant “CUSTOMER-9” that you may see.")
    assert (await bound(tenant), await plants(tenant), await topics(house, group)) == ([], [], {})
    for code in ("wux-1", "WUX-1"):  # the second time it is found
        answers = await say(house, chief, f"/bind {code}", group)
    topic = (await topics(house, group))["WUX-1"]
    assert [(bubble.text, place) for bubble, place in zip(answers, places(answers), strict=True)] == [
        ("This topic is about all contracts that deliver to WUX-1. A button acts for whoever presses it.", topic),
        ("WUX-1 has a topic of its own now.", None),
    ]
    assert await plants(tenant) == [("WUX-1", f"{group}/{topic}")]

    there = (await say(house, chief, "/schedule", group, topic))[-1].text
    assert ["1,111" in there, "2,222" in there, "3,333" in there] == [True, True, False]
    news, _release = await published(tenant, Direction.PURCHASE, [800], ship_to_code="WUX-1")  # one that came later
    await published(tenant, Direction.PURCHASE, [900], ship_to_code="SUZ-2")
    await told(tenant, channels)
    card = await chief.phone.wait_for("please confirm 1 delivery", chat=group)
    assert (places([card]), news.contract.number in card.text) == ([topic], True)
    assert "900\u00a0pcs" not in "".join(bubble.text for bubble in await chief.phone.messages(chat=group))

    ours = await house.world.group("Ours", factory.phone)  # without topics, and several partners are spoken of
    said = [bubble.text for bubble in await say(house, factory, "/bind WUX-1", ours)]
    assert said == [
        "This group is about all contracts that deliver to WUX-1. A button acts for whoever presses it.",
        "Several partners may deliver there: only people of your own company should read here.",
    ]
    (ended,) = await say(house, chief, "/stop", group, topic)
    assert ended.text == "Nothing more is sent here. /bind begins again."
    assert await plants(tenant) == []
    await chief.phone.say("/help")  # the chief's own chat goes on
    await chief.phone.wait_for("What this chat can do")


async def plants(tenant: Tenant) -> list[tuple[Any, ...]]:
    query = "select ship_to_code, address from chat where tenant_id = $1 and ship_to_code <> '' and unbound_at is null"
    return [tuple(row) for row in await fetch(tenant.supplier, query, tenant.id)]
