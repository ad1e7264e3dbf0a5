"""Messages, buttons and chats: what the methods do once their parameters are read."""

from dataclasses import dataclass
from typing import Any

from portal.dev.telegram import params, shapes
from portal.dev.telegram.entities import Formatted, formatted
from portal.dev.telegram.files import MOST_DOWNLOAD_BYTES, Upload
from portal.dev.telegram.markup import InlineKeyboard, Markup, RemoveKeyboard, ReplyKeyboard
from portal.dev.telegram.refusals import bad, forbidden, upgraded
from portal.dev.telegram.world import Bot, Chat, Message, World

MOST_TEXT, MOST_CAPTION, MOST_ALERT = 4096, 1024, 200
QUERY_SECONDS = 60.0  # Telegram names no figure; a person does not look at the spinner longer
DELETE_SECONDS = 48 * 3600
_REACTIONS = (
    "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥 "
    "🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 "
    "🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷\u200d♂ 🤷 🤷\u200d♀ 😡"
)
REACTIONS = set(_REACTIONS.split())


@dataclass
class Context:
    """Where a call happens, with the files in its body."""

    world: World
    bot: Bot
    uploads: dict[str, Upload]

    @property
    def now(self) -> int:
        return int(self.world.clock.now())

    def chat(self, chat_id: int | str) -> Chat:
        """A chat that the bot may write to."""
        chat = self.bot.chats.get(chat_id) if isinstance(chat_id, int) else None
        if chat is None:
            raise bad("chat not found")
        if chat.moved is not None:
            raise upgraded(chat.moved)
        if chat.closed is not None:
            raise forbidden(chat.closed)
        return chat

    def shown(self, message: Message, chat: Chat) -> dict[str, Any]:
        return shapes.message_json(message, chat, self.world.users)


# --- sending ----------------------------------------------------------------------------------------------------------


def text_of(given: params.Text) -> Formatted:
    entities = [entity.model_dump(exclude_none=True) for entity in given.entities or []]
    return _sized(formatted(given.text, given.parse_mode, entities))


def _sized(text: Formatted) -> Formatted:
    if not text.text:
        raise bad("message text is empty")
    if text.length > MOST_TEXT:
        raise bad("message is too long")
    return text


def caption_of(given: params.Captioned) -> Formatted:
    entities = [entity.model_dump(exclude_none=True) for entity in given.caption_entities or []]
    caption = formatted(given.caption or "", given.parse_mode, entities)
    if caption.length > MOST_CAPTION:
        raise bad("message caption is too long")
    return caption


def new_message(call: Context, chat: Chat, given: params.Sending, text: Formatted) -> Message:
    """A bubble of the bot, not yet in the chat."""
    return Message(
        id=call.bot.message_id(),
        date=call.now,
        sender=call.bot.user,
        text=text.text or None,
        entities=text.entities,
        keyboard=keyboard_json(given.reply_markup),
        reply_to=_answered(chat, given),
        thread=_thread(chat, given.message_thread_id),
        silent=bool(given.disable_notification),
    )


def keyboard_json(markup: Markup | None) -> dict[str, Any] | None:
    """An inline keyboard as the message keeps it; without a button there is none."""
    if not isinstance(markup, InlineKeyboard) or not markup.inline_keyboard:
        return None
    return markup.model_dump(exclude_none=True)


def put(call: Context, chat: Chat, message: Message, markup: Markup | None = None) -> dict[str, Any]:
    """Show it to everybody in the chat."""
    chat.messages[message.id] = message
    chat.typing_until = 0.0
    if isinstance(markup, ReplyKeyboard):
        chat.reply_keyboard = markup.model_dump(exclude_none=True)
    elif isinstance(markup, RemoveKeyboard):
        chat.reply_keyboard = None
    call.world.stir()
    return call.shown(message, chat)


def _answered(chat: Chat, given: params.Sending) -> int | None:
    reply = given.reply_parameters
    number = reply.message_id if reply else given.reply_to_message_id
    if number is None or number in chat.messages:
        return number
    if (reply and reply.allow_sending_without_reply) or given.allow_sending_without_reply:
        return None
    raise bad("message to be replied not found")


def _thread(chat: Chat, thread: int | None) -> int | None:
    if thread is not None and thread not in chat.topics:
        raise bad("message thread not found")
    return thread


async def send_message(call: Context, given: params.SendMessage) -> dict[str, Any]:
    chat = call.chat(given.chat_id)
    message = new_message(call, chat, given, text_of(given))
    return put(call, chat, message, given.reply_markup)


async def send_chat_action(call: Context, given: params.SendChatAction) -> bool:
    chat = call.chat(given.chat_id)
    _thread(chat, given.message_thread_id)
    chat.typing_until = call.world.clock.now() + 5
    call.world.stir()
    return True


# --- changing ---------------------------------------------------------------------------------------------------------


def own_message(call: Context, given: params.Editing) -> tuple[Chat, Message]:
    """A message that the bot may change."""
    chat = call.chat(given.chat_id)
    message = chat.messages.get(given.message_id)
    if message is None:
        raise bad("message to edit not found")
    if message.sender is not call.bot.user:
        raise bad("message can't be edited")
    return chat, message


def changed(call: Context, chat: Chat, message: Message, before: tuple[Any, ...]) -> dict[str, Any]:
    """Say that it was edited; an edit that changes nothing is refused."""
    if message.content() == before:
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a "
            "current content and reply markup of the message"
        )
    message.edited = call.now
    message.edits += 1
    call.world.stir()
    return call.shown(message, chat)


async def edit_message_text(call: Context, given: params.EditMessageText) -> dict[str, Any]:
    chat, message = own_message(call, given)
    if message.media is not None:
        raise bad("there is no text in the message to edit")
    text, before = text_of(given), message.content()
    message.text, message.entities, message.keyboard = text.text, text.entities, keyboard_json(given.reply_markup)
    return changed(call, chat, message, before)


async def edit_message_caption(call: Context, given: params.EditMessageCaption) -> dict[str, Any]:
    chat, message = own_message(call, given)
    if message.media is None:
        raise bad("there is no caption in the message to edit")
    text, before = caption_of(given), message.content()
    message.text, message.entities = text.text or None, text.entities
    message.keyboard = keyboard_json(given.reply_markup)
    return changed(call, chat, message, before)


async def edit_message_reply_markup(call: Context, given: params.Editing) -> dict[str, Any]:
    chat, message = own_message(call, given)
    before = message.content()
    message.keyboard = keyboard_json(given.reply_markup)
    return changed(call, chat, message, before)


async def delete_message(call: Context, given: params.OneMessage) -> bool:
    chat = call.chat(given.chat_id)
    message = chat.messages.get(given.message_id)
    if message is None:
        raise bad("message to delete not found")
    foreign = message.sender is not call.bot.user and not chat.private
    if message.date < call.now - DELETE_SECONDS or (foreign and not _is_admin(call, chat)):
        raise bad("message can't be deleted for everyone")
    del chat.messages[message.id]
    call.world.stir()
    return True


async def answer_callback_query(call: Context, given: params.AnswerCallbackQuery) -> bool:
    query = call.bot.queries.get(given.callback_query_id)
    if query is None or query.answer is not None or query.at < call.world.clock.now() - QUERY_SECONDS:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if given.text is not None and len(given.text) > MOST_ALERT:
        raise bad("MESSAGE_TOO_LONG")
    query.answer = {"text": given.text, "show_alert": bool(given.show_alert), "url": given.url}
    call.world.stir()
    return True


async def set_message_reaction(call: Context, given: params.SetMessageReaction) -> bool:
    message = call.chat(given.chat_id).messages.get(given.message_id)
    if message is None:
        raise bad("message to react not found")
    emojis = [reaction.emoji for reaction in given.reaction or []]
    if len(emojis) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if not set(emojis) <= REACTIONS:
        raise bad("REACTION_INVALID")
    message.reactions = emojis
    call.world.stir()
    return True


async def answer_web_app_query(call: Context, given: params.AnswerWebAppQuery) -> dict[str, Any]:
    """What a Mini App chose goes into the chat in the person's name; the query is answered once."""
    chat_id = call.bot.web_apps.get(given.web_app_query_id)
    if chat_id is None:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    chat, content = call.chat(chat_id), given.result.input_message_content
    entities = [entity.model_dump(exclude_none=True) for entity in content.entities or []]
    text = _sized(formatted(content.message_text, content.parse_mode, entities))
    del call.bot.web_apps[given.web_app_query_id]
    user = call.world.users[chat_id]
    message = Message(call.bot.message_id(), call.now, user, text.text, text.entities)
    message.keyboard = keyboard_json(given.result.reply_markup)
    put(call, chat, message)
    return {"inline_message_id": f"inline-{message.id}"}


# --- looking ----------------------------------------------------------------------------------------------------------


async def get_me(call: Context, given: params.Nothing) -> dict[str, Any]:
    return shapes.me_json(call.bot)


async def get_chat(call: Context, given: params.GetChat) -> dict[str, Any]:
    return shapes.full_chat_json(call.chat(given.chat_id), call.world.users)


async def get_chat_member(call: Context, given: params.GetChatMember) -> dict[str, Any]:
    chat = call.chat(given.chat_id)
    if given.user_id == call.bot.user.id:
        return shapes.member_json(call.bot.user, chat.members.get(given.user_id, "member"))
    if given.user_id not in call.world.users:
        raise bad("invalid user_id specified")
    return shapes.member_json(call.world.users[given.user_id], chat.members.get(given.user_id, "left"))


async def get_file(call: Context, given: params.GetFile) -> dict[str, Any]:
    file = call.world.files.get(given.file_id)
    if file is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if len(file.content) > MOST_DOWNLOAD_BYTES:
        raise bad("file is too big")
    return shapes.file_json(file) | {"file_path": file.path}


async def create_forum_topic(call: Context, given: params.CreateForumTopic) -> dict[str, Any]:
    chat = call.chat(given.chat_id)
    if not chat.forum:
        raise bad("the chat is not a forum")
    if not _is_admin(call, chat):
        raise bad("not enough rights to create a topic")
    thread = call.bot.message_id()
    chat.topics[thread] = given.name
    call.world.stir()
    return {"message_thread_id": thread, "name": given.name, "icon_color": given.icon_color or 0x6FB9F0}


def _is_admin(call: Context, chat: Chat) -> bool:
    return chat.members.get(call.bot.user.id) == "administrator"


async def set_my_commands(call: Context, given: params.SetMyCommands) -> bool:
    call.bot.commands[_commands_of(given)] = [command.model_dump() for command in given.commands]
    call.world.stir()
    return True


async def get_my_commands(call: Context, given: params.GetMyCommands) -> list[dict[str, str]]:
    return call.bot.commands.get(_commands_of(given), [])


def _commands_of(given: params.GetMyCommands) -> tuple[str, str]:
    scope = given.scope.model_dump_json(exclude_none=True) if given.scope else '{"type":"default"}'
    return scope, given.language_code
