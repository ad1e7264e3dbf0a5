"""What Telegram does not take, the stand-in does not take: each refused call, its words, and that nothing was shown."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import CommandStart
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    Message,
)

from portal.dev.telegram.client import Person, Refusal, World
from tests.dev.conftest import picture

Caller = Any


@pytest.fixture
async def caller(world: World) -> AsyncIterator[Caller]:
    """Call a method with raw JSON; the answer's code and description."""
    async with aiohttp.ClientSession() as session:

        async def call(method: str, **given: Any) -> tuple[int, str]:
            async with session.post(f"{world.url}/bot{world.token}/{method}", json=given) as response:
                body = await response.json()
            assert body["ok"] is (response.status == 200)
            assert body.get("error_code", 200) == response.status
            return response.status, body.get("description", "")

        yield call


def keyboard(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"inline_keyboard": [list(buttons)]}


BUTTON = {"text": "Confirm"}
MARKUPS = [
    ("Text buttons are unallowed", keyboard(BUTTON)),
    (
        "It has several actions: callback_data, url",
        keyboard(BUTTON | {"callback_data": "a", "url": "https://x.example"}),
    ),
    ("BUTTON_DATA_INVALID", keyboard(BUTTON | {"callback_data": ""})),
    ("BUTTON_DATA_INVALID", keyboard(BUTTON | {"callback_data": "é" * 33})),
    ("Text of the button is empty", keyboard({"text": " ", "callback_data": "a"})),
    ("Field required", keyboard({"callback_data": "a"})),
    ("Extra inputs are not permitted", keyboard(BUTTON | {"callback_data": "a", "color": "red"})),
    ("Input should be 'primary', 'success' or 'danger'", keyboard(BUTTON | {"callback_data": "a", "style": "green"})),
    ("Wrong HTTP URL", keyboard(BUTTON | {"url": "portal"})),
    ("Only HTTPS links are allowed", keyboard(BUTTON | {"web_app": {"url": "http://portal.example"}})),
    ("keyboard row must have 1 to 8 buttons", keyboard(*[BUTTON | {"callback_data": "a"}] * 9)),
    ("reply markup is too long", {"inline_keyboard": [[BUTTON | {"callback_data": "a"}]] * 101}),
    ("can't parse reply keyboard markup JSON object", {"inline": []}),
    ("can't parse reply keyboard markup JSON object", "{"),
    ("object expected as reply markup", "[]"),
]


@pytest.mark.parametrize(("words", "markup"), MARKUPS)
async def test_a_keyboard_that_telegram_would_not_show(caller: Caller, lena: Person, words: str, markup: Any) -> None:
    status, description = await caller("sendMessage", chat_id=lena.id, text="Confirm?", reply_markup=markup)
    assert status == 400
    assert words in description
    assert [bubble.text for bubble in await lena.messages()] == ["/start"]


HTML = [
    ('Can\'t find end tag corresponding to start tag "b"', "<b>open"),
    ('Unmatched end tag at byte offset 7, expected "</i>", found "</b>"', "<b><i>x</b></i>"),
    ("Unexpected end tag at byte offset 1", "x</b>"),
    ('Unsupported start tag "br" at byte offset 3', "one<br>two"),
    ("character '&' at byte offset 4", "tom & jerry"),
    ("character '&' at byte offset 0", "&nbsp;"),
    ("character '<' at byte offset 0", "< 5 pcs"),
    ("character '>' at byte offset 2", "5 > 4"),
    ('Tag "a" at byte offset 0', "<a>x</a>"),
    ('Tag "b" at byte offset 0', "<b style='x'>x</b>"),
    ('Malformed attributes of tag "a"', "<a href=x>x</a>"),
]
MARKDOWN = [
    ("Character '.' is reserved and must be escaped", "one."),
    ("Can't find end of", "*bold"),
    ("Can't find end of", "*bold _both*_"),
    ("Can't find end of code entity", "`x"),
    ("Can't find end of a URL", "[x](no link)"),
]


@pytest.mark.parametrize(
    ("words", "text", "mode"), [(*pair, "HTML") for pair in HTML] + [(*pair, "MarkdownV2") for pair in MARKDOWN]
)
async def test_markup_that_telegram_cannot_parse(
    caller: Caller, lena: Person, words: str, text: str, mode: str
) -> None:
    status, description = await caller("sendMessage", chat_id=lena.id, text=text, parse_mode=mode)
    assert status == 400
    assert description.startswith("Bad Request: can't parse entities: ")
    assert words in description
    assert len(await lena.messages()) == 1


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("chat_id is empty", "sendMessage", {"text": "x", "chat_id": ""}),
    ("chat not found", "sendMessage", {"text": "x", "chat_id": 5}),
    ("chat not found", "sendMessage", {"text": "x", "chat_id": "@nobody"}),
    ("message text is empty", "sendMessage", {}),
    ("message text is empty", "sendMessage", {"text": "  "}),
    ("message text is empty", "sendMessage", {"text": "<b></b>", "parse_mode": "HTML"}),
    ("message is too long", "sendMessage", {"text": "x" * 4097}),
    ("message is too long", "sendMessage", {"text": "😀" * 2049}),
    ("unsupported parse_mode", "sendMessage", {"text": "x", "parse_mode": "BBCode"}),
    ("outside of the text", "sendMessage", {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]}),
    ('unknown parameter "colour"', "sendMessage", {"text": "x", "colour": "red"}),
    ('parameter "message_thread_id"', "sendMessage", {"text": "x", "message_thread_id": "one"}),
    ("message thread not found", "sendMessage", {"text": "x", "message_thread_id": 77}),
    ("message to be replied not found", "sendMessage", {"text": "x", "reply_parameters": {"message_id": 99}}),
    ('parameter "reply_parameters"', "sendMessage", {"text": "x", "reply_parameters": "99"}),
    ("there is no photo in the request", "sendPhoto", {}),
    ("wrong remote file identifier", "sendPhoto", {"photo": "nothing"}),
    ("failed to get HTTP URL content", "sendPhoto", {"photo": "https://x.example/a.png"}),
    ('file "attach://a" is not in the request', "sendDocument", {"document": "attach://a"}),
    ("message caption is too long", "sendDocument", {"document": "attach://a", "caption": "x" * 1025}),
    ("album must have 2 to 10 items", "sendMediaGroup", {"media": []}),
    ("message identifier is not specified", "editMessageText", {"text": "x"}),
    ("message to edit not found", "editMessageText", {"text": "x", "message_id": 99}),
    ("message can't be edited", "editMessageText", {"text": "x", "message_id": 1}),
    ("inline keyboard expected", "editMessageText", {"text": "x", "message_id": 1, "reply_markup": {"keyboard": []}}),
    ("message to delete not found", "deleteMessage", {"message_id": 99}),
    ("message to react not found", "setMessageReaction", {"message_id": 99}),
    ("REACTION_INVALID", "setMessageReaction", {"message_id": 1, "reaction": [{"type": "emoji", "emoji": "x"}]}),
    ("the chat is not a forum", "createForumTopic", {"name": "x"}),
    ("invalid user_id specified", "getChatMember", {"user_id": 5}),
    ('parameter "action"', "sendChatAction", {"action": "sleeping"}),
]


@pytest.mark.parametrize(("words", "method", "given"), CALLS)
async def test_a_call_that_is_refused(
    caller: Caller, lena: Person, words: str, method: str, given: dict[str, Any]
) -> None:
    status, description = await caller(method, **{"chat_id": lena.id} | given)
    assert (status, words in description) == (400, True), description
    assert [(bubble.text, bubble.edits) for bubble in await lena.messages()] == [("/start", 0)]


OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("wrong file_id", "getFile", {"file_id": "x"}),
    ("query is too old", "answerCallbackQuery", {"callback_query_id": "1"}),
    ("query is too old", "answerWebAppQuery", {
        "web_app_query_id": "1",
        "result": {"type": "article", "id": "1", "title": "x", "input_message_content": {"message_text": "x"}},
    }),
    ("invalid webhook URL", "setWebhook", {"url": "portal"}),
    ("secret token contains unallowed characters", "setWebhook", {"url": "https://x.example", "secret_token": "a b"}),
    ('parameter "max_connections"', "setWebhook", {"url": "https://x.example", "max_connections": 101}),
    ("unknown update type", "setWebhook", {"url": "https://x.example", "allowed_updates": ["news"]}),
    ('parameter "commands.0.command"', "setMyCommands", {"commands": [{"command": "To day", "description": "x"}]}),
    ('unknown parameter "x"', "getMe", {"x": 1}),
    ('parameter "limit"', "getUpdates", {"limit": 101}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "method", "given"), OTHERS)
async def test_a_call_without_a_chat_that_is_refused(
    caller: Caller, words: str, method: str, given: dict[str, Any]
) -> None:
    status, description = await caller(method, **given)
    assert (status, words in description) == (400, True), description


async def test_a_body_that_is_no_json(world: World) -> None:
    async with aiohttp.ClientSession() as session:
        url, headers = f"{world.url}/bot{world.token}/getMe", {"Content-Type": "application/json"}
        async with session.post(url, data="{", headers=headers) as response:
            assert (await response.json())["description"] == "Bad Request: can't parse JSON object"
        async with session.get(f"{world.url}/botnonsense/getMe") as response:
            assert response.status == 404


async def test_an_edit_that_changes_nothing(bot: Bot, lena: Person) -> None:
    sent = await bot.send_message(lena.id, "<b>same</b>", parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_text("<b>same</b>", chat_id=lena.id, message_id=sent.message_id, parse_mode="HTML")
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_reply_markup(chat_id=lena.id, message_id=sent.message_id)
    with pytest.raises(TelegramBadRequest, match="no caption in the message"):
        await bot.edit_message_caption(chat_id=lena.id, message_id=sent.message_id, caption="x")
    assert (await lena.last()).edits == 0


async def test_a_message_of_another_chat_cannot_be_edited(world: World, bot: Bot, lena: Person) -> None:
    other = await world.user("Ben")
    await other.say("/start")
    sent = await bot.send_message(other.id, "for Ben")
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("for Lena", chat_id=lena.id, message_id=sent.message_id)
    assert (await other.last()).text == "for Ben"


async def test_a_person_who_never_wrote_cannot_be_written_to(world: World, bot: Bot) -> None:
    ben = await world.user("Ben")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(ben.id, "hello")
    assert await ben.messages() == []


async def test_a_blocked_bot_is_forbidden_until_it_is_let_in_again(bot: Bot, lena: Person) -> None:
    await lena.block()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(lena.id, "hello")
    with pytest.raises(Refusal, match="has blocked the bot"):
        await lena.say("still there?")
    await lena.unblock()
    await bot.send_message(lena.id, "hello")
    changes = [update.my_chat_member for update in await bot.get_updates() if update.my_chat_member]
    assert [change.new_chat_member.status for change in changes] == ["kicked", "member"]


async def test_a_bot_taken_out_of_a_group(world: World, bot: Bot, lena: Person) -> None:
    group = await world.group("Hengyuan", lena)
    await lena.kick(group)
    with pytest.raises(TelegramForbiddenError, match="kicked"):
        await bot.send_message(group, "hello")
    assert await lena.messages(group) == []


async def test_files_that_telegram_does_not_take(bot: Bot, lena: Person) -> None:
    from aiogram.types import BufferedInputFile

    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await bot.send_photo(lena.id, BufferedInputFile(b"no picture", "a.png"))
    with pytest.raises(TelegramBadRequest, match="PHOTO_INVALID_DIMENSIONS"):
        await bot.send_photo(lena.id, BufferedInputFile(picture(210, 10), "a.png"))
    note = InputMediaDocument(media=BufferedInputFile(b"x", "a.txt"))
    label = InputMediaPhoto(media=BufferedInputFile(picture(), "a.png"))
    with pytest.raises(TelegramBadRequest, match="can't be mixed"):
        await bot.send_media_group(lena.id, [note, label])
    assert len(await lena.messages()) == 1
    with pytest.raises(Refusal, match="IMAGE_PROCESS_FAILED"):
        await lena.photo(b"no picture")


async def test_a_press_is_answered_once_and_in_time(world: World, bot: Bot, lena: Person) -> None:
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Confirm", callback_data="v1:a")]])
    sent = await bot.send_message(lena.id, "Confirm?", reply_markup=markup)
    await lena.press("Confirm", seconds=0)
    await lena.press("Confirm", seconds=0)
    presses = [update.callback_query for update in await bot.get_updates() if update.callback_query]
    first, second = presses
    assert (first.data, first.from_user.id, first.message and first.message.message_id) == (
        "v1:a", lena.id, sent.message_id,
    )  # fmt: skip
    assert await bot.answer_callback_query(first.id, "Confirmed", show_alert=True)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(first.id, "again")
    await world.clock(advance=61)
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(second.id)
    answers = [query["answer"] for query in (await world.state(user=lena.id))["queries"]]
    assert answers == [{"text": "Confirmed", "show_alert": True, "url": None}, None]


async def test_only_a_button_that_is_there_can_be_pressed(world: World, bot: Bot, lena: Person) -> None:
    markup = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Confirm", callback_data="v1:a")]])
    sent = await bot.send_message(lena.id, "Confirm?", reply_markup=markup)
    group = await world.group("Hengyuan", lena)
    copy = await lena.forward(sent.message_id, to=group)
    assert (await lena.last(group)).buttons == []
    with pytest.raises(Refusal, match="has no buttons"):
        await lena.forge("v1:a", message=copy, chat=group, seconds=0)
    await bot.edit_message_text("Confirmed.", chat_id=lena.id, message_id=sent.message_id)
    with pytest.raises(Refusal, match="no such button now: Confirm"):
        await lena.press("Confirm", message=sent.message_id)
    ben = await world.user("Ben")
    with pytest.raises(Refusal, match="Ben is not in chat"):
        await ben.press("Confirm", chat=group)
    assert not [update for update in await bot.get_updates() if update.callback_query]


async def test_a_bot_with_a_broken_button_fails(bot: Bot, lena: Person) -> None:
    """The button carries more than 64 bytes: a mistake that a stand-in written from the bot would share."""
    broken = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Confirm", callback_data=json.dumps({"line": "x" * 60}))]]
    )
    dispatcher = Dispatcher()
    failures: list[TelegramBadRequest] = []

    @dispatcher.message(CommandStart())
    async def start(message: Message) -> None:
        await message.answer("Confirm?", reply_markup=broken)

    @dispatcher.callback_query(F.data)
    async def confirm(query: CallbackQuery) -> None:
        await query.answer("Confirmed")

    for update in await bot.get_updates():
        try:
            await dispatcher.feed_update(bot, update)
        except TelegramBadRequest as failure:
            failures.append(failure)
    assert [failure.message for failure in failures] == ["Bad Request: BUTTON_DATA_INVALID"]
    assert [bubble.text for bubble in await lena.messages()] == ["/start"]
    with pytest.raises(Refusal, match="no such button now"):
        await lena.press("Confirm")
