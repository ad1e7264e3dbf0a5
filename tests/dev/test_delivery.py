"""Updates on their way, limits and failures: polling, webhook, 429, 403, lost answers, and the stand-in's own time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import Message, Update, WebhookInfo
from aiohttp import web

from portal.dev.telegram.client import Person, Refusal, World
from tests.dev.conftest import bot_for


@dataclass
class Receiver:
    """A webhook that keeps what it gets and answers as told."""

    url: str = ""
    got: list[Update] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def texts(self) -> list[str | None]:
        return [update.message.text if update.message else None for update in self.got]

    async def receive(self, request: web.Request) -> web.Response:
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        answer = self.answers.pop(0) if self.answers else web.Response()
        if answer.status == 200:
            self.got.append(Update.model_validate(await request.json()))
        self.stirred.set()
        return answer

    async def until(self, fits: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not fits():
                self.stirred.clear()
                await self.stirred.wait()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


# --- polling ----------------------------------------------------------------------------------------------------------


async def test_polling_answers_at_once_and_forgets_what_was_confirmed(bot: Bot, lena: Person) -> None:
    first = await bot.get_updates()
    waiting = asyncio.create_task(bot.get_updates(offset=first[-1].update_id + 1, timeout=20))
    await lena.say("/today")
    second = await waiting
    assert [update.message and update.message.text for update in [*first, *second]] == ["/start", "/today"]
    assert [update.update_id for update in await bot.get_updates(offset=-1)] == [second[0].update_id]
    assert await bot.get_updates(offset=second[0].update_id + 1) == []


async def test_of_two_pollers_the_older_one_is_told_to_stop(bot: Bot, world: World) -> None:
    older = asyncio.create_task(bot.get_updates(timeout=20))
    await asyncio.sleep(0)
    async with bot_for(world) as other:
        while not older.done():
            await other.get_updates()
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
        await older


async def test_a_dispatcher_polls_and_answers(world: World, bot: Bot) -> None:
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(f"heard {message.text}")

    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False))
    lena = await world.user("Lena")
    await lena.say("one")
    await lena.wait_for("heard one")
    await lena.say("two")
    assert (await lena.wait_for("heard two")).by_bot
    await world.delivered()
    await dispatcher.stop_polling()
    await polling


async def test_only_the_kinds_that_were_asked_for_come(bot: Bot, lena: Person) -> None:
    assert await bot.get_updates(allowed_updates=["callback_query"], offset=10_000) == []
    await lena.say("unheard")
    assert await bot.get_updates(allowed_updates=["message"]) == []
    await lena.say("heard")
    number = await lena.say("edited")
    await lena.edit(number, "edited later")
    assert [update.message and update.message.text for update in await bot.get_updates()] == ["heard", "edited"]


async def test_in_a_group_a_bot_hears_what_is_meant_for_it(world: World, bot: Bot, lena: Person) -> None:
    await bot.get_updates(offset=-1)
    group = await world.group("Hengyuan", lena, admin=False)
    sent = await bot.send_message(group, "Release 27")
    await lena.say("lunch?", chat=group)
    await lena.say("/today", chat=group)
    await lena.say("thanks", chat=group, reply_to=sent.message_id)
    heard = [update.message.text for update in await bot.get_updates() if update.message]
    assert heard == ["/start", "/today", "thanks"]


async def failed(bot: Bot, words: str) -> WebhookInfo:
    """Wait until the stand-in has seen a post fail; from then on it pauses."""
    async with asyncio.timeout(5):
        while True:
            info = await bot.get_webhook_info()
            if words in (info.last_error_message or ""):
                return info


# --- webhook ----------------------------------------------------------------------------------------------------------


async def test_a_webhook_gets_the_secret_and_everything_in_order(
    world: World, bot: Bot, lena: Person, receiver: Receiver
) -> None:
    await bot.set_webhook(receiver.url, secret_token="s3cret", max_connections=2, allowed_updates=["message"])
    info = await bot.get_webhook_info()
    assert (info.url, info.max_connections, info.allowed_updates) == (receiver.url, 2, ["message"])
    for number in range(5):
        await lena.say(str(number))
    await world.delivered()
    assert receiver.texts == ["/start", "0", "1", "2", "3", "4"]
    assert set(receiver.secrets) == {"s3cret"}
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert (await bot.get_webhook_info()).url == ""


async def test_what_is_not_answered_with_2xx_comes_again_after_growing_pauses(
    world: World, bot: Bot, lena: Person, receiver: Receiver
) -> None:
    await world.clock(speed=0)
    receiver.answers += [web.Response(status=500), web.Response(status=401), web.Response()]
    await bot.set_webhook(receiver.url)
    info = await failed(bot, "500")
    assert (info.pending_update_count, info.last_error_message) == (
        1, "Wrong response from the webhook: 500 Internal Server Error",
    )  # fmt: skip
    await world.clock(advance=1)
    await failed(bot, "401")
    await world.clock(advance=1.5)
    assert len(receiver.secrets) == 2
    await world.clock(advance=0.5)
    await world.delivered()
    assert receiver.texts == ["/start"]


async def test_an_update_is_given_up_after_a_day(world: World, bot: Bot, lena: Person) -> None:
    await world.clock(speed=0)
    await bot.set_webhook("http://127.0.0.1:9/nobody")
    await world.wait_until(lambda state: state["pending"] == 1)
    await world.clock(advance=24 * 3600 + 1)
    await world.delivered()
    assert (await bot.get_webhook_info()).last_error_message == "Connection refused"


async def test_one_chat_that_fails_holds_up_no_other(world: World, bot: Bot, lena: Person, receiver: Receiver) -> None:
    await world.clock(speed=0)
    receiver.answers += [web.Response(status=500)]
    await bot.set_webhook(receiver.url)
    await failed(bot, "500")
    ben = await world.user("Ben")
    await ben.say("from Ben")
    await receiver.until(lambda: receiver.texts == ["from Ben"])
    await world.clock(advance=1)
    await receiver.until(lambda: receiver.texts == ["from Ben", "/start"])


async def test_delivery_can_repeat_reorder_delay_and_lose(
    world: World, bot: Bot, lena: Person, receiver: Receiver
) -> None:
    await bot.set_webhook(receiver.url, drop_pending_updates=True)
    await world.delivered()
    receiver.got.clear()
    await world.delivery(copies=3, reorder=2)
    await lena.say("one")
    await lena.say("two")
    await world.delivered()
    assert receiver.texts == ["two"] * 3 + ["one"] * 3
    assert len({update.update_id for update in receiver.got}) == 2

    receiver.got.clear()
    await world.clock(speed=0)
    await world.delivery(delay=23 * 3600)
    await lena.say("late")
    await world.delivery(drop=1)
    await lena.say("lost")
    assert receiver.got == []
    await world.clock(advance=23 * 3600)
    await world.delivered()
    assert receiver.texts == ["late"]


async def test_an_update_can_be_replayed(world: World, bot: Bot, lena: Person, receiver: Receiver) -> None:
    await bot.set_webhook(receiver.url)
    await world.delivered()
    [update] = await world.updates()
    await world.replay(update["update_id"])
    await world.delivered()
    assert receiver.texts == ["/start", "/start"]
    assert {got.update_id for got in receiver.got} == {update["update_id"]}
    with pytest.raises(Refusal, match="There was no update 1"):
        await world.replay(1)


async def test_a_webhook_may_answer_with_a_call(world: World, bot: Bot, lena: Person, receiver: Receiver) -> None:
    receiver.answers += [web.json_response({"method": "sendMessage", "chat_id": lena.id, "text": "at once"})]
    await bot.set_webhook(receiver.url)
    assert (await lena.wait_for("at once")).by_bot


# --- limits, failures and time ----------------------------------------------------------------------------------------


async def test_a_chat_takes_a_short_burst_and_then_one_a_second(world: World, bot: Bot, lena: Person) -> None:
    await world.clock(speed=0)
    for number in range(5):
        await bot.send_message(lena.id, str(number))
    with pytest.raises(TelegramRetryAfter) as told:
        await bot.send_message(lena.id, "too fast")
    assert told.value.retry_after == 1
    ben = await world.user("Ben")
    await ben.say("/start")
    await bot.send_message(ben.id, "another chat is free")
    await world.clock(advance=0.5)
    with pytest.raises(TelegramRetryAfter):
        await bot.send_message(lena.id, "still too fast")
    await world.clock(advance=0.6)
    await bot.send_message(lena.id, "in time")
    assert (await world.counts())["sendMessage"] == {"200": 7, "429": 2}
    assert [bubble.text for bubble in await lena.messages()] == ["/start", *"01234", "in time"]


async def test_a_group_takes_twenty_a_minute_and_the_bot_thirty_a_second(world: World, bot: Bot, lena: Person) -> None:
    await world.clock(speed=0)
    group = await world.group("Hengyuan", lena)
    for number in range(20):
        await bot.send_message(group, str(number))
    with pytest.raises(TelegramRetryAfter) as told:
        await bot.send_message(group, "too many")
    assert told.value.retry_after == 60
    others = [await world.group(f"Group {number}", lena) for number in range(10)]
    for other in others:
        await bot.send_message(other, "10 more")
    with pytest.raises(TelegramRetryAfter) as told:
        await bot.send_message(lena.id, "the bot itself is too fast")
    assert told.value.retry_after == 1
    await world.limits(on=False)
    await bot.send_message(group, "without limits")


async def test_a_clock_that_runs_a_thousand_times_as_fast(world: World, bot: Bot, lena: Person) -> None:
    await world.clock(speed=1000)
    for number in range(8):
        with suppress(TelegramRetryAfter):
            await bot.send_message(lena.id, str(number))
    start = await world.clock()
    await asyncio.sleep(0.02)
    assert await world.clock() - start >= 20
    assert await world.clock(to=1_800_000_000, speed=0) == 1_800_000_000
    sent = await bot.send_message(lena.id, "in 2027")
    assert sent.date.year == 2027


async def test_failures_come_when_they_are_ordered(world: World, bot: Bot, lena: Person) -> None:
    await world.fail("too_many", "sendMessage", chat=lena.id, seconds=7)
    with pytest.raises(TelegramRetryAfter) as told:
        await bot.send_message(lena.id, "one")
    assert told.value.retry_after == 7
    await world.fail("blocked", count=2)
    for _ in range(2):
        with pytest.raises(TelegramForbiddenError):
            await bot.send_message(lena.id, "two")
    await world.fail("error", "sendMessage")
    with pytest.raises(TelegramServerError):
        await bot.send_message(lena.id, "three")
    await world.fail("cut", "sendMessage")
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(lena.id, "four")
    await world.fail("hang", "sendMessage", seconds=30)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(lena.id, "five", request_timeout=1)
    await world.fail("error", "sendMessage", count=9)
    await world.heal()
    await bot.send_message(lena.id, "six")
    assert [bubble.text for bubble in await lena.messages()] == ["/start", "six"]


async def test_an_answer_can_be_lost_after_the_effect(world: World, bot: Bot, lena: Person) -> None:
    await world.fail("cut", "sendMessage", after=True)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(lena.id, "shown, but the bot does not know")
    assert (await lena.last()).text == "shown, but the bot does not know"
    assert [call.status for call in await world.calls("sendMessage", chat=lena.id)] == [0]


async def test_two_bots_do_not_see_each_other(world: World, bot: Bot, lena: Person) -> None:
    await world.post("bots", token="77:another-token", username="other_bot", name="Other")
    async with bot_for(world, "77:another-token") as other:
        assert (await other.get_me()).username == "other_bot"
        assert await other.get_updates() == []
        assert len(await bot.get_updates()) == 1
