"""A question about a sentence, answered with the next message; and what else a message may be meanwhile."""

from datetime import datetime, timedelta

from redis.asyncio import Redis

from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.core.settings import get_settings
from tests.bot.makers import House, Linked
from tests.bot.test_wishes import asked, en, zh
from tests.bot.test_words import missing
from tests.changes.makers import FAR, FIRM, delivery, lines
from tests.changes.makers import day as ahead
from tests.factories import Tenant

NO_ANSWER = "I cannot read the answer to my question in this."


async def twenty_minutes_pass(who: Linked) -> None:
    """The question of this chat was asked twenty minutes earlier than it was."""
    client = Redis.from_url(get_settings().redis_url or "")
    (key,) = [key async for key in client.scan_iter(f"portal:chat:*{who.phone.id}:data")]
    form = (await client.get(key)).decode()
    at = form.partition('"at": "')[2].partition('"')[0]
    await client.set(key, form.replace(at, (datetime.fromisoformat(at) - timedelta(minutes=20)).isoformat()))
    await client.aclose()


async def test_the_next_message_is_read_as_the_answer(house: House, tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"change A100 of {en(ahead(FIRM))} to about 90")
    question = await ben.phone.wait_for("Which quantity is meant?")
    await ben.phone.say("a bit more")
    await ben.phone.wait_for(NO_ANSWER, after=question.id)
    await ben.phone.say("Thanks!")
    await ben.phone.wait_for("You are welcome. My question is still open", after=question.id)
    await ben.phone.say("make it 95 pcs")
    card = await ben.phone.wait_for("I read this as:")
    assert "95\u00a0pcs" in card.text
    assert await asked(tenant.supplier) == []  # the answer leads to the card, and only the card sends
    await ben.phone.press("Send request")

    assert [row[:2] for row in await asked(tenant.factory)] == [("submitted", "C-1")]
    assert await lines(tenant.factory, made) == [(100, ahead(FIRM), "proposed")]


async def test_an_answer_in_chinese_names_the_delivery(house: House, tenant: Tenant) -> None:
    await delivery(tenant, Direction.PURCHASE, ahead=FAR)
    ben = await house.linked(tenant.supplier, language=Language.ZH)

    await ben.phone.say(f"把{zh(ahead(FAR + 1))}的A100改到{zh(ahead(FAR + 9))}")
    await ben.phone.wait_for("当天没有交付")
    await ben.phone.say("随便")
    refused = await ben.phone.wait_for("从中读不出对上一个问题的回答。")
    await ben.phone.say(f"{zh(ahead(FAR))}那笔")
    card = await ben.phone.wait_for("我理解为：")

    assert missing(refused.text) == []
    assert "9 天" in card.text
    assert await asked(tenant.factory) == []


async def test_a_new_sentence_and_a_command_end_the_question(house: House, tenant: Tenant) -> None:
    await delivery(tenant, Direction.PURCHASE, ahead=FAR)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"change A100 of {en(ahead(FAR))} to about 90")
    await ben.phone.wait_for("Which quantity is meant?")
    await ben.phone.say(f"cancel A100 of {en(ahead(FAR))}")
    card = await ben.phone.wait_for("I read this as:")
    assert "90\u00a0pcs" not in card.text

    await ben.phone.say(f"change A100 of {en(ahead(FAR))} to about 80")
    await ben.phone.wait_for("Which quantity is meant?", after=card.id)
    await ben.phone.say("/schedule")
    await ben.phone.wait_for("Next deliveries")
    await ben.phone.say("85")
    await ben.phone.wait_for("Nothing is found for “85”.")

    await ben.phone.say(f"change A100 of {en(ahead(FAR))} to about 70")
    await house.quiet()
    await ben.phone.say("never mind")
    await ben.phone.wait_for("Nothing was sent.")
    assert await asked(tenant.factory) == []


async def test_a_question_lapses_and_another_question_is_answered_meanwhile(house: House, tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=FAR)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"change A100 of {en(ahead(FAR))} to about 90")
    await ben.phone.wait_for("Which quantity is meant?")
    await twenty_minutes_pass(ben)
    await ben.phone.say("95")
    late = await ben.phone.wait_for("Nothing is found for “95”.")

    await ben.phone.say(f"change A100 of {en(ahead(FAR))} to about 80")
    await ben.phone.wait_for("Which quantity is meant?", after=late.id)
    await ben.phone.say("where is A100?")
    await ben.phone.wait_for(made.contract.number, after=late.id)
    await ben.phone.say("85")  # the question was left for the other one
    await ben.phone.wait_for("Nothing is found for “85”.")
    assert await asked(tenant.factory) == []
