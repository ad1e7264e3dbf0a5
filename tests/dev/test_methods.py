"""Every method through a real aiogram bot: what it sends is accepted, what it gets back validates as its types."""

import json

import aiohttp
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    ChatMemberAdministrator,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaDocument,
    InputMediaPhoto,
    InputTextMessageContent,
    KeyboardButton,
    Message,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    WebAppInfo,
)
from aiogram.utils.web_app import safe_parse_webapp_init_data

from portal.dev.telegram.client import Person, World
from portal.dev.telegram.dispatch import METHODS
from tests.dev.conftest import bot_for, picture

CONFIRM = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text="Confirm", callback_data="v1:abc", style="success")],
        [InlineKeyboardButton(text="Open", url="https://portal.example/x")],
        [InlineKeyboardButton(text="Form", web_app=WebAppInfo(url="https://portal.example/form"))],
    ]
)


async def test_who_the_bot_is(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.is_bot, me.username) == (True, "calloff_demo_bot")


async def test_a_text_with_formatting_and_buttons(bot: Bot, lena: Person) -> None:
    sent = await bot.send_message(
        lena.id,
        " <b>Delivery</b> in <i>3 days</i>: 轴承座 &amp; 😀 <a href='https://x.example/'>open</a> <code>A100</code>",
        parse_mode="HTML",
        reply_markup=CONFIRM,
        disable_notification=True,
    )
    assert sent.text == "Delivery in 3 days: 轴承座 & 😀 open A100"
    assert sent.html_text.startswith("<b>Delivery</b> in <i>3 days</i>: 轴承座 &amp; 😀 <a href=")
    assert sent.html_text.endswith("<code>A100</code>")
    assert sent.reply_markup is not None
    assert sent.reply_markup.model_dump() == CONFIRM.model_dump()
    seen = await lena.last()
    assert (seen.text, seen.by_bot, seen.silent) == (sent.text, True, True)
    assert seen.buttons == [["Confirm"], ["Open"], ["Form"]]


async def test_markdown_and_commands_and_links_are_found(bot: Bot, lena: Person) -> None:
    sent = await bot.send_message(
        lena.id, r"*Due* _soon_ 1\.5 `A100` [open](https://x.example)", parse_mode="MarkdownV2"
    )
    assert (sent.text, [entity.type for entity in sent.entities or []]) == (
        "Due soon 1.5 A100 open",
        ["bold", "italic", "code", "text_link"],
    )
    plain = await bot.send_message(lena.id, "Send /help or see https://x.example/a.")
    assert [(entity.type, entity.extract_from(plain.text or "")) for entity in plain.entities or []] == [
        ("bot_command", "/help"),
        ("url", "https://x.example/a"),
    ]


async def test_a_message_is_edited_in_place_and_deleted(bot: Bot, lena: Person) -> None:
    sent = await bot.send_message(lena.id, "Confirm?", reply_markup=CONFIRM)
    edited = await bot.edit_message_text("Confirmed.", chat_id=lena.id, message_id=sent.message_id)
    assert isinstance(edited, Message)
    assert edited.edit_date is not None
    bubble = await lena.last()
    assert (bubble.id, bubble.text, bubble.buttons, bubble.edits) == (sent.message_id, "Confirmed.", [], 1)
    await bot.edit_message_reply_markup(chat_id=lena.id, message_id=sent.message_id, reply_markup=CONFIRM)
    assert (await lena.last()).buttons == [["Confirm"], ["Open"], ["Form"]]
    assert await bot.delete_message(lena.id, sent.message_id)
    assert [bubble.text for bubble in await lena.messages()] == ["/start"]


async def test_an_answer_quotes_and_other_keyboards_are_kept(bot: Bot, lena: Person) -> None:
    start = (await lena.last()).id
    sent = await bot.send_message(
        lena.id,
        "Which?",
        reply_parameters=ReplyParameters(message_id=start),
        reply_markup=ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Today")]], resize_keyboard=True),
    )
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.message_id == start
    chat = (await lena.world.state(user=lena.id))["chats"][0]
    assert chat["reply_keyboard"]["keyboard"] == [[{"text": "Today"}]]
    await bot.send_message(lena.id, "Thanks", reply_markup=ReplyKeyboardRemove())
    await bot.send_message(lena.id, "How many?", reply_markup=ForceReply(input_field_placeholder="760"))
    assert (await lena.world.state(user=lena.id))["chats"][0]["reply_keyboard"] is None


async def test_photos_and_documents_go_up_and_come_down(bot: Bot, lena: Person) -> None:
    sent = await bot.send_photo(
        lena.id, BufferedInputFile(picture(1600, 400), "label.png"), caption="<b>Label</b>", parse_mode="HTML"
    )
    assert [(size.width, size.height) for size in sent.photo or []] == [(320, 80), (1280, 320)]
    assert (sent.caption, sent.caption_entities and sent.caption_entities[0].type) == ("Label", "bold")
    again = await bot.send_photo(lena.id, (sent.photo or [])[-1].file_id)
    assert again.photo
    note = await bot.send_document(lena.id, BufferedInputFile(b"%PDF-1.7 note", "送货单 7.pdf"), reply_markup=CONFIRM)
    assert note.document is not None
    assert (note.document.file_name, note.document.mime_type) == ("送货单 7.pdf", "application/pdf")
    file = await bot.get_file(note.document.file_id)
    content = await bot.download_file(file.file_path or "")
    assert content is not None
    assert content.read() == b"%PDF-1.7 note"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{lena.world.url}/file/bot1:no/{file.file_path}") as denied,
    ):
        assert denied.status == 401


async def test_what_a_person_sends_can_be_fetched(bot: Bot, lena: Person) -> None:
    await lena.photo(picture(), "label")
    await lena.document(b"a;b\n1;2\n", "counts.csv")
    messages = [update.message for update in await bot.get_updates() if update.message]
    photo, table = messages[-2:]
    assert (photo.caption, len(photo.photo or [])) == ("label", 1)
    assert table.document is not None
    content = await bot.download(table.document)
    assert content is not None
    assert content.read() == b"a;b\n1;2\n"


async def test_an_album_arrives_whole_and_media_are_replaced(bot: Bot, lena: Person) -> None:
    shown = [InputMediaPhoto(media=BufferedInputFile(picture(), f"{n}.png"), caption=str(n)) for n in (1, 2)]
    sent = await bot.send_media_group(lena.id, [*shown])
    assert [message.caption for message in sent] == ["1", "2"]
    assert len({message.media_group_id for message in sent}) == 1
    single = await bot.send_photo(lena.id, BufferedInputFile(picture(), "a.png"), caption="before")
    await bot.edit_message_caption(chat_id=lena.id, message_id=single.message_id, caption="after", reply_markup=CONFIRM)
    assert (await lena.last()).text == "after"
    media = InputMediaDocument(media=BufferedInputFile(b"x", "a.txt"), caption="file")
    edited = await bot.edit_message_media(media, chat_id=lena.id, message_id=single.message_id)
    assert isinstance(edited, Message)
    assert edited.document is not None


async def test_chat_actions_commands_and_members(bot: Bot, lena: Person) -> None:
    assert await bot.send_chat_action(lena.id, "typing")
    assert (await lena.world.state(user=lena.id))["chats"][0]["typing"] is True
    commands = [BotCommand(command="today", description="What waits for me")]
    assert await bot.set_my_commands(commands)
    assert await bot.set_my_commands(commands, BotCommandScopeAllPrivateChats(), language_code="zh")
    assert [command.command for command in await bot.get_my_commands()] == ["today"]
    assert await bot.get_my_commands(language_code="de") == []
    chat = await bot.get_chat(lena.id)
    assert (chat.type, chat.first_name) == ("private", "Lena")
    assert (await bot.get_chat_member(lena.id, lena.id)).status == "member"


async def test_a_group_with_topics(world: World, bot: Bot, lena: Person) -> None:
    group = await world.group("Hengyuan", lena, forum=True)
    topic = await bot.create_forum_topic(group, "FC-2026-014")
    sent = await bot.send_message(group, "Release 27", message_thread_id=topic.message_thread_id)
    assert (sent.is_topic_message, sent.chat.type, sent.chat.is_forum) == (True, "supergroup", True)
    assert isinstance(await bot.get_chat_member(group, bot.id), ChatMemberAdministrator)
    assert await bot.set_message_reaction(group, sent.message_id, [ReactionTypeEmoji(emoji="👍")])
    assert (await lena.last(group)).raw["reactions"] == ["👍"]


async def test_a_mini_app_is_signed_and_answers_into_the_chat(bot: Bot, lena: Person) -> None:
    opened = await lena.web_app()
    data = safe_parse_webapp_init_data(bot.token, opened["init_data"])
    assert (data.user and data.user.id, data.query_id) == (lena.id, opened["query_id"])
    article = InlineQueryResultArticle(
        id="1", title="Receipt", input_message_content=InputTextMessageContent(message_text="Receipt R-552")
    )
    assert (await bot.answer_web_app_query(opened["query_id"], article)).inline_message_id
    assert (await lena.last()).text == "Receipt R-552"


async def test_calls_come_as_address_form_or_json(world: World, lena: Person) -> None:
    url = f"{world.url}/bot{world.token}/sendmessage"
    markup = {"inline_keyboard": [[{"text": "A", "callback_data": "a"}]]}
    async with aiohttp.ClientSession() as session:
        answers = [
            await session.get(url, params={"chat_id": lena.id, "text": "one", "reply_markup": json.dumps(markup)}),
            await session.post(url, data={"chat_id": lena.id, "text": "two", "disable_notification": "True"}),
            await session.post(url, json={"chat_id": lena.id, "text": "three", "reply_markup": markup}),
        ]
        assert [(await answer.json())["result"]["text"] for answer in answers] == ["one", "two", "three"]
        other = await session.delete(url)
        assert (await other.json())["error_code"] == 405


async def test_a_method_that_is_not_there_and_a_token_that_is_wrong(world: World, bot: Bot, lena: Person) -> None:
    with pytest.raises(TelegramNotFound):
        await bot.leave_chat(lena.id)
    async with bot_for(world, "4242424242:not-the-right-one") as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.send_message(lena.id, "hello")
    assert [bubble.text for bubble in await lena.messages()] == ["/start"]


def test_the_methods_that_are_played() -> None:
    played = (
        "getMe getUpdates setWebhook deleteWebhook getWebhookInfo sendMessage sendPhoto sendDocument sendMediaGroup "
        "sendChatAction editMessageText editMessageCaption editMessageMedia editMessageReplyMarkup deleteMessage "
        "answerCallbackQuery answerWebAppQuery setMessageReaction getFile getChat getChatMember createForumTopic "
        "setMyCommands getMyCommands"
    )
    assert sorted(method.name for method in METHODS.values()) == sorted(played.split())
