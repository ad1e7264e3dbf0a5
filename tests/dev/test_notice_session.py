"""The quick way of notices to Telegram says exactly what aiogram's own says, and is refused as it is."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import EditMessageText, SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Message
from aiohttp import web

from bot.channels.telegram_session import NoticeSession, Shown
from portal.dev.telegram.client import Person, World

BUTTONS = [
    [
        InlineKeyboardButton(text="确认 & \u00a0<1>", callback_data="v1:abc", style="success"),
        InlineKeyboardButton(text="Late", callback_data="v1:def"),
    ],
    [InlineKeyboardButton(text="Open the page", url="https://portal.example.com/changes/new?line=1&x=2")],
]


def message(chat: int, **more: Any) -> SendMessage:
    given: dict[str, Any] = {
        "chat_id": chat,
        "text": "<b>提醒：A100</b>\n800\u00a0pcs · 50 % + 1 &amp; more",
        "parse_mode": "HTML",
        "message_thread_id": None,
        "disable_notification": False,
        "reply_markup": InlineKeyboardMarkup(inline_keyboard=BUTTONS),
        "link_preview_options": LinkPreviewOptions(is_disabled=True),
    }
    return SendMessage(**given | more)


def plain(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters as they are meant: in a form, numbers and objects are texts."""
    written = {name: value for name, value in params.items() if name != "text" and isinstance(value, str)}
    meant = {name: json.loads(value) for name, value in written.items() if value[:1] in "{[tf0123456789"}
    return params | meant


def bot_of(world: World, kind: type[AiohttpSession] = NoticeSession, timeout: float = 60) -> Bot:
    return Bot(world.token, session=kind(api=TelegramAPIServer.from_base(world.url), timeout=timeout))


async def say(bot: Bot, method: SendMessage | EditMessageText) -> Message | Shown | bool:
    """The method as a bot says it: in the quick way where its session has one."""
    if not isinstance(bot.session, NoticeSession):
        return await bot(method)  # type: ignore[arg-type]
    given = method.model_dump(exclude_unset=True, exclude_none=True)
    return await bot.session.say(bot, type(method), given)


async def sent_by(bot: Bot, method: SendMessage) -> int:
    """The number of the message."""
    shown = await say(bot, method)
    assert not isinstance(shown, bool)
    return shown.message_id


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Bot]:
    async with bot_of(world) as running:
        yield running


async def test_what_is_said_is_what_aiogram_says(world: World, bot: Bot, lena: Person) -> None:
    async with bot_of(world, AiohttpSession) as usual:
        first = await sent_by(usual, message(lena.id))
        await say(usual, EditMessageText(chat_id=lena.id, message_id=first, text="Done", parse_mode="HTML"))
    second = await sent_by(bot, message(lena.id))
    await say(bot, EditMessageText(chat_id=lena.id, message_id=second, text="Done", parse_mode="HTML"))

    sent, edited = await world.calls("sendMessage"), await world.calls("editMessageText")
    assert plain(sent[0].params) == plain(sent[1].params)
    assert plain(edited[0].params) | {"message_id": 0} == plain(edited[1].params) | {"message_id": 0}
    shown = [bubble for bubble in await lena.messages() if bubble.by_bot]
    assert [bubble.id for bubble in shown] == [first, second]
    assert shown[0].text == shown[1].text == "Done"


async def test_buttons_and_silence_arrive(bot: Bot, lena: Person) -> None:
    sent = await sent_by(bot, message(lena.id, disable_notification=True))

    bubble = await lena.message(sent)
    assert bubble.silent
    assert bubble.buttons == [["确认 & \u00a0<1>", "Late"], ["Open the page"]]
    assert bubble.data == ["v1:abc", "v1:def"]
    assert bubble.text == "提醒：A100\n800\u00a0pcs · 50 % + 1 & more"


async def test_refusals_are_those_of_aiogram(world: World, bot: Bot, lena: Person) -> None:
    sent = await sent_by(bot, message(lena.id))
    change = EditMessageText(
        chat_id=lena.id, message_id=sent, text=message(0).text, parse_mode="HTML",
        reply_markup=InlineKeyboardMarkup(inline_keyboard=BUTTONS),
    )  # fmt: skip
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await say(bot, change)
    await world.fail("too_many", "sendMessage", chat=lena.id, seconds=17)
    with pytest.raises(TelegramRetryAfter) as told:
        await say(bot, message(lena.id))
    await world.fail("error", "sendMessage")
    with pytest.raises(TelegramServerError):
        await say(bot, message(lena.id))
    group = await world.group("Gate 3", lena, basic=True)
    await lena.upgrade(group)
    with pytest.raises(TelegramMigrateToChat) as moved:
        await say(bot, message(group))
    await lena.block()
    with pytest.raises(TelegramForbiddenError, match="blocked"):
        await say(bot, message(lena.id))

    assert told.value.retry_after == 17
    assert moved.value.migrate_to_chat_id < group
    assert len([bubble for bubble in await lena.messages() if bubble.by_bot]) == 1


async def test_a_line_that_is_cut_or_silent_is_said_to_be(world: World, lena: Person) -> None:
    async with bot_of(world, timeout=0.3) as hasty:
        await world.fail("cut", "sendMessage")
        with pytest.raises(TelegramNetworkError):
            await say(hasty, message(lena.id))
        await world.fail("hang", "sendMessage", seconds=5)
        with pytest.raises(TelegramNetworkError, match="timeout"):
            await say(hasty, message(lena.id))
    assert [bubble for bubble in await lena.messages() if bubble.by_bot] == []


@pytest.mark.parametrize(
    "said",
    ["<html>Welcome to the hotel</html>", '{"ok": true, "result": {"date": 1}}', "[]", '{"ok": true, "result": true}'],
)
async def test_an_answer_that_is_not_telegrams_is_no_success(said: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=said)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server = TelegramAPIServer.from_base(f"http://127.0.0.1:{runner.addresses[0][1]}")
    async with Bot("1:token", session=NoticeSession(api=server)) as bot:
        with pytest.raises(ClientDecodeError):
            await say(bot, message(1))
    await runner.cleanup()
