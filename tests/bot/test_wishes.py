"""Changes asked for in a chat, in plain words and by buttons, read back from the other company's side."""

import secrets
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from portal.accounts import updates
from portal.accounts.model_chats import ChatBot
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.i18n import Language, day, speaking
from portal.schedules.service import ConfirmLine, confirm_line
from tests.bot.makers import House
from tests.bot.test_order import pressed
from tests.bot.test_words import missing
from tests.changes.makers import FAR, FIRM, agree, ask, delivery, lines, wish, worked
from tests.changes.makers import day as ahead
from tests.factories import Made, Tenant, fetch, make_contract
from tests.schedules.test_releases import asked as called_off
from tests.schedules.test_releases import release

ASKED = "select status, number, way, reason, asked_scope from change_request where tenant_id = $1 order by id"


async def asked(actor: Actor) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await fetch(actor, ASKED, actor.tenant_id)]


def en(on: date) -> str:
    return f"{on:%b} {on.day}, {on.year}"


def zh(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


async def test_a_sentence_becomes_a_card_and_the_card_a_request(house: House, tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"move A100 from {en(ahead(FIRM))} to {en(ahead(FIRM + 4))}, 90 pcs")
    card = await ben.phone.wait_for("I read this as:")
    assert card.labels == ["Send request", "Date", "Quantity", "Reason", "Not this"]
    assert made.contract.number in card.text
    assert "90\u00a0pcs" in card.text
    assert "4 days later" in card.text
    assert await asked(tenant.supplier) == []  # nothing is kept before it is sent
    answer = await ben.phone.press("Send request")

    assert answer.text is not None
    assert answer.text.startswith("C-1 is sent. The other company must agree by ")
    assert await asked(tenant.factory) == [("submitted", "C-1", "seller", "other", "partner")]
    assert await lines(tenant.factory, made) == [(100, ahead(FIRM), "proposed")]


async def test_a_press_that_comes_three_times_and_late_asks_once(house: House, tenant: Tenant) -> None:
    await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)
    await ben.phone.say(f"move A100 from {en(ahead(FIRM))} to {en(ahead(FIRM + 4))}")
    card = await ben.phone.wait_for("I read this as:")
    first = 2**50 + secrets.randbelow(2**50)  # a number that no other update has

    for number in (first + 1, first, first, first + 2):
        update = pressed(number, ben, card)
        await updates.store(ChatBot.TELEGRAM, number, updates.chat_of(update), update)
    await house.quiet()

    assert [row[:2] for row in await asked(tenant.factory)] == [("submitted", "C-1")]


async def test_a_chinese_sentence_inside_the_band_is_agreed_by_rule(house: House, tenant: Tenant) -> None:
    await delivery(tenant, Direction.SALE)
    ann = await house.linked(tenant.customer, language=Language.ZH)

    await ann.phone.say(f"把{zh(ahead(FAR))}的A100改成110件")
    card = await ann.phone.wait_for("我理解为：")
    with speaking(Language.ZH):
        assert f"{day(ahead(FAR))}" in card.text
    answer = await ann.phone.press("提交申请")

    assert answer.text == "C-1 已按规则同意，并已通知对方。"
    assert (await asked(tenant.factory))[0][:3] == ("accepted", "C-1", "inside")


async def test_what_is_open_is_asked_and_an_answer_leads_on(house: House, tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=FAR)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"move A100 from {en(ahead(FAR + 1))} to {en(ahead(FAR + 9))}")
    question = await ben.phone.wait_for("There is no delivery on that day.")
    assert question.labels[-1] == "Use form"
    await ben.phone.press(question.labels[0])
    card = await ben.phone.wait_for("I read this as:")
    assert "9 days later" in card.text

    await ben.phone.press("Date")
    await ben.phone.wait_for("Which day?")
    await ben.phone.say("no idea")
    await ben.phone.wait_for("I cannot read a day in this.")
    await ben.phone.say(f"{ahead(FAR + 6):%Y-%m-%d}")
    card = await ben.phone.wait_for("Please check and send")
    assert "6 days later" in card.text
    await ben.phone.press("Not this")
    await ben.phone.wait_for("Nothing was sent.")
    assert await asked(tenant.supplier) == []
    assert await lines(tenant.supplier, made) == [(100, ahead(FAR), "published")]


BOTH_OPEN = [
    (
        Language.EN,
        "move A100 from {at:en} to {past:en}, 800 kg",
        "The part is not counted in that unit. Which quantity in pcs? That day has passed. Which day that lies ahead?",
        "90 on {new:en}",
        "I read this as:",
    ),
    (
        Language.ZH,
        "把{at:zh}的A100改到{past:zh}，改成800公斤",
        "该物料不按此单位计量。以“件”计是多少？该日期已过。改到将来的哪一天？",
        "{new:zh} 90件",
        "我理解为：",
    ),
]


class Written(NamedTuple):
    """A day as a sentence of either language writes it."""

    on: date

    def __format__(self, language: str) -> str:
        return zh(self.on) if language == "zh" else en(self.on)


@pytest.mark.parametrize(("language", "sentence", "question", "reply", "read_as"), BOTH_OPEN)
async def test_a_wrong_quantity_and_a_wrong_day_are_told_and_answered_at_once(
    house: House, tenant: Tenant, language: Language, sentence: str, question: str, reply: str, read_as: str
) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=FAR)
    ben = await house.linked(tenant.supplier, language=language)
    days = {"at": Written(ahead(FAR)), "past": Written(ahead(-3)), "new": Written(ahead(FAR + 4))}

    await ben.phone.say(sentence.format(**days))
    asked_for = await ben.phone.wait_for(question)
    await ben.phone.say(reply.format(**days))
    card = await ben.phone.wait_for(read_as, after=asked_for.id)

    assert "90\u00a0" in card.text
    with speaking(language):
        assert day(ahead(FAR + 4)) in card.text
    assert await asked(tenant.supplier) == []
    assert await lines(tenant.factory, made) == [(100, ahead(FAR), "published")]


async def test_what_is_no_single_change_is_said_to_be_none(house: House, tenant: Tenant) -> None:
    await delivery(tenant, Direction.PURCHASE)
    ben = await house.linked(tenant.supplier)
    for sentence, said in (
        (f"do not move A100 from {en(ahead(FAR))}", "a wish that nothing is changed"),
        (f"cancel A100 of {en(ahead(FAR))} or move it", "exclude each other"),
        ("change the price of A100 to 12", "Prices stay in the portal."),
        (f"if it rains, cancel A100 of {en(ahead(FAR))}", "cannot watch for a condition"),
        ("where is A100?", "A100"),
    ):
        await ben.phone.say(sentence)
        await ben.phone.wait_for(said)
    assert await asked(tenant.supplier) == []


async def test_a_change_is_asked_for_by_buttons_alone(house: House, tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say("/change")
    choice = await ben.phone.wait_for("Which delivery?")
    await ben.phone.press(choice.labels[0])
    await ben.phone.wait_for("What is to be different?")
    await ben.phone.press("Quantity")
    await ben.phone.wait_for("Which quantity, in pcs?")
    await ben.phone.say("80")
    await ben.phone.wait_for("Reason?")
    await ben.phone.press("No capacity")
    card = await ben.phone.wait_for("Please check and send")
    assert "Reason: No capacity" in card.text
    await ben.phone.press("Send request")

    assert await asked(tenant.factory) == [("submitted", "C-1", "seller", "capacity", "partner")]
    assert await lines(tenant.factory, made) == [(100, ahead(FIRM), "proposed")]


async def test_a_card_of_a_delivery_that_moved_on_changes_nothing(house: House, tenant: Tenant) -> None:
    _made, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)
    await ben.phone.say(f"cancel A100 of {en(ahead(FIRM))}")
    await ben.phone.wait_for("I read this as:")
    async with unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line, None, ConfirmLine())

    answer = await ben.phone.press("Send request")

    assert answer.text is not None
    assert "changed" in answer.text
    assert await asked(tenant.factory) == []


async def test_a_request_is_countered_in_the_chat_and_the_other_side_agrees(house: House, tenant: Tenant) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    change = await ask(tenant.factory, made, wish(line, quantity=Decimal(140)))
    ben = await house.linked(tenant.supplier)

    await ben.phone.say("where is c-1?")
    card = await ben.phone.wait_for("please agree or refuse")
    assert card.labels[:3] == ["Agree", "Refuse", "Counter-offer"]
    await ben.phone.press("Counter-offer")
    await ben.phone.wait_for("What is to be different?")
    await ben.phone.press("Quantity")
    await ben.phone.wait_for("Which quantity, in pcs?")
    await ben.phone.say("120")
    offered = await ben.phone.wait_for("Your counter-offer")
    assert "120\u00a0pcs" in offered.text
    assert (await asked(tenant.factory))[0][0] == "submitted"  # nothing is offered before it is sent
    answer = await ben.phone.press("Make this offer")

    assert answer.text == "Counter-offer to C-1 is sent. The other company answers it."
    assert (await asked(tenant.factory))[0][0] == "countered"
    await agree(tenant.factory, change.id)
    assert await lines(tenant.supplier, made) == [(120, ahead(FIRM), "confirmed")]


async def test_an_answer_to_a_request_is_said_in_chinese(house: House, tenant: Tenant) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    await ask(tenant.factory, made, wish(line, quantity=Decimal(140)))
    ben = await house.linked(tenant.supplier, language=Language.ZH)

    await ben.phone.say("C-1")
    await ben.phone.wait_for("C-1")
    await ben.phone.press("还盘")
    await ben.phone.wait_for("要更改什么？")
    await ben.phone.press("数量")
    await ben.phone.wait_for("数量是多少（单位：件）？")
    await ben.phone.say("多一点")
    await ben.phone.wait_for("无法从中读出一个数量。")
    await ben.phone.say("120")
    offered = await ben.phone.wait_for("贵方的还盘：请核对后提交")

    assert missing(offered.text) == []
    answer = await ben.phone.press("提交此方案")
    assert answer.text == "已对 C-1 还盘，由对方答复。"


async def test_a_request_is_refused_with_a_reason_and_another_agreed_to_by_one_press(
    house: House, tenant: Tenant
) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)
    await ask(tenant.factory, made, wish(line, quantity=Decimal(140)))
    await ben.phone.say("C-1")
    await ben.phone.wait_for("please agree or refuse")
    await ben.phone.press("Refuse")
    await ben.phone.wait_for("Why is it refused?")
    answer = await ben.phone.press("No capacity")
    assert answer.text == "Refused: C-1"
    reason = "select status, decline_reason from change_request where tenant_id = $1"
    assert [tuple(row) for row in await fetch(tenant.factory, reason, tenant.id)] == [("declined", "No capacity")]
    assert await lines(tenant.factory, made) == [(100, ahead(FIRM), "proposed")]

    await ask(tenant.factory, made, wish(line, quantity=Decimal(130)))
    await ben.phone.say("C-2")
    await ben.phone.wait_for("C-2")
    answer = await ben.phone.press("Agree")
    assert answer.text == "Agreed: C-2"
    assert [row[:2] for row in await asked(tenant.factory)] == [("declined", "C-1"), ("accepted", "C-2")]


async def test_a_pause_of_a_span_is_one_request_in_both_languages(house: House, tenant: Tenant) -> None:
    await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)
    await ben.phone.say(f"pause A100 from {en(ahead(FIRM - 3))} to {en(ahead(FIRM + 3))}")
    card = await ben.phone.wait_for("I read this as:")
    assert "A100: no delivery from " in card.text
    assert card.labels == ["Send request", "Reason", "Not this"]
    await ben.phone.press("Send request")
    assert (await asked(tenant.factory))[0][:3] == ("submitted", "C-1", "seller")

    ann = await house.linked(tenant.supplier, language=Language.ZH)
    await ann.phone.say(f"{zh(ahead(FIRM - 3))}到{zh(ahead(FIRM + 3))}暂停A100")
    card = await ann.phone.wait_for("我理解为：")
    assert missing(card.text) == []
    assert "不交付" in card.text


async def two_deliveries(tenant: Tenant, first: int, second: int) -> tuple[Made, tuple[UUID, UUID]]:
    """100 and 40, told with one release."""
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    one, two = await called_off(tenant, made, (100, first), (40, second))
    await release(tenant, made)
    return made, (one, two)


JOINED = "select status, ordered_quantity, due_date from schedule_line where contract_id = $1 order by line_no"
PLANS = "select quantity from line_plan p where tenant_id = $1 order by quantity"


async def test_a_day_that_no_calendar_has_is_named_as_such(house: House, tenant: Tenant) -> None:
    await two_deliveries(tenant, FIRM, FIRM + 4)
    ben = await house.linked(tenant.supplier)
    await ben.phone.say("move A100 from Feb 30 to Mar 5")
    await ben.phone.wait_for("No calendar has such a day. Which day is meant?")
    await ben.phone.say("把13月45日的A100改到20号")
    await house.quiet()
    assert (await ben.phone.last()).text.startswith("No calendar has such a day.")
    assert await asked(tenant.factory) == []


async def test_deliveries_of_two_days_become_one_by_a_request(house: House, tenant: Tenant) -> None:
    made, _line_ids = await two_deliveries(tenant, FIRM, FIRM + 4)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"join A100 of {en(ahead(FIRM))} and {en(ahead(FIRM + 4))}")
    question = await ben.phone.wait_for("Which day is meant?")
    await ben.phone.press(question.labels[1])
    card = await ben.phone.wait_for("I read this as:")
    assert "2 deliveries become one: A100, 140\u00a0pcs on " in card.text
    assert card.labels == ["Send request", "Reason", "Not this"]
    assert await asked(tenant.factory) == []
    await ben.phone.press("Send request")
    assert await asked(tenant.factory) == [("submitted", "C-1", "seller", "other", "partner")]

    lena = await house.linked(tenant.factory, Role.BUYER)  # the other company reads the same
    await lena.phone.say("C-1")
    card = await lena.phone.wait_for("2 deliveries become one: A100, 140\u00a0pcs on ")
    answer = await lena.phone.press("Agree")
    assert answer.text == "Agreed: C-1"
    (change,) = await fetch(tenant.factory, "select id from change_request where tenant_id = $1", tenant.id)
    done = await worked(tenant, change["id"])  # what the job does with it
    assert done.status == "applied", done
    assert [tuple(row) for row in await fetch(tenant.supplier, JOINED, made.contract.id)] == [
        ("cancelled", 100, ahead(FIRM)), ("confirmed", 140, ahead(FIRM + 4)),
    ]  # fmt: skip


async def test_the_factory_plans_that_deliveries_of_a_day_become_one_and_the_next_release_tells_it(
    house: House, tenant: Tenant
) -> None:
    made, (one, two) = await two_deliveries(tenant, FIRM, FIRM)
    lena = await house.linked(tenant.factory, language=Language.ZH)

    await lena.phone.say(f"合并{zh(ahead(FIRM))}的两笔A100")
    card = await lena.phone.wait_for("我理解为：")
    assert card.labels == ["合并", "不是这个"]
    assert "140\u00a0件" in card.text
    assert missing(card.text) == []
    assert await fetch(tenant.factory, PLANS, tenant.id) == []  # nothing is kept before it is pressed
    async with unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, two, None, ConfirmLine())
    refused = await lena.phone.press("合并")  # as it no longer stands
    assert refused.text is not None
    assert await fetch(tenant.factory, PLANS, tenant.id) == []

    await lena.phone.say("/change")
    await lena.phone.wait_for("哪笔交付？")
    with speaking(Language.ZH):
        await lena.phone.press(f"{day(ahead(FIRM))} · 100\u00a0件")
        await lena.phone.wait_for("要更改什么？")
        await lena.phone.press("与另一笔合并")
        await lena.phone.wait_for("哪一笔并入这一笔？")
        await lena.phone.press(f"{day(ahead(FIRM))} · 40\u00a0件")
    await lena.phone.wait_for("请核对后提交")
    done = await lena.phone.press("合并")
    assert done.text is not None
    assert done.text.endswith("由下一版告知。")
    assert [row["quantity"] for row in await fetch(tenant.factory, PLANS, tenant.id)] == [0, 140]
    assert [row["ordered_quantity"] for row in await fetch(tenant.supplier, JOINED, made.contract.id)] == [100, 40]
    assert (await line_of(tenant.supplier, one)) == "proposed"  # told with the next release, not before


async def line_of(actor: Actor, line_id: UUID) -> str:
    (row,) = await fetch(actor, "select status from schedule_line where id = $1", line_id)
    return str(row["status"])
