"""Before a handler: who writes, in which language, how often; around it: the transaction with its inbox row."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.dispatcher.flags import get_flag
from aiogram.types import Chat, Message, TelegramObject, Update, User

from bot import flood
from bot.answers import Answers, packed, unpacked
from bot.talk import Talk
from portal.accounts import chats, inbox
from portal.accounts.chats import ChatName
from portal.accounts.model_chats import ChatBot
from portal.core.db import unit_of_work
from portal.core.i18n import Language, speaking
from portal.core.settings import get_settings

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Recognise(BaseMiddleware):
    """Outer, once an update: finds the member behind the chat. Nothing is believed that the update says of itself but
    the number of the chat, which the other service vouches for."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        chat, user = data.get("event_chat"), data.get("event_from_user")
        if chat is None or user is None or user.is_bot:
            return None
        talk = await place(data["channel"], event, chat, user)
        data["talk"], data["actor"] = talk, talk.actor
        data["outcome"]["talk"] = talk
        with speaking(language_of(talk, user)):
            if not await flood.passes(talk):
                return flood.answer(talk)
            return await handler(event, data)


async def place(bot: ChatBot, event: Update, chat: Chat, user: User) -> Talk:
    """Where the update comes from and for whom it speaks there. In a group: with the writer's own rights, narrowed to
    the contracts that are spoken of in it; for nobody where there are none, because anybody may read there."""
    writer = ChatName(bot, user.id if chat.type != "private" else chat.id, user.full_name)
    here = writer if chat.type == "private" else ChatName(bot, chat.id, chat.title or "", topic_of(event))
    known = await chats.known(writer)
    if known is not None:
        await chats.heard_from(writer)
    talk = Talk(here, writer, known, known.actor if known else None, event.update_id)
    if talk.is_group and talk.actor is not None:
        await chats.heard_from(here)
        spoken = await chats.spoken_of(here, talk.actor)
        talk.actor = talk.actor.narrowed(spoken) if spoken else None
    if (query := event.callback_query) is not None:
        talk.query_id = query.id
        talk.message_id = query.message.message_id if query.message else None
    talk.numbers_only = bool(known and known.numbers_only and bot is not ChatBot.PORTAL)
    return talk


def topic_of(event: Update) -> int | None:
    """In which topic of a group it was said or pressed; none in its general one, and in groups without topics."""
    message = event.callback_query.message if event.callback_query else event.message or event.edited_message
    return message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None


def language_of(talk: Talk, user: User) -> Language:
    """The person's language; where a link has ended that in which the chat spoke; of a stranger their client's."""
    if talk.actor is not None:
        return talk.actor.language
    if talk.known is not None and talk.known.language is not None:
        return talk.known.language
    if user.language_code:
        return Language.ZH if user.language_code.startswith("zh") else Language.EN
    return get_settings().default_language


class Transaction(BaseMiddleware):
    """Inner, around handlers of those who are known: one unit of work, with the inbox row of the update in it. The same
    update again finds the row, does nothing and is answered as before."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        talk: Talk = data["talk"]
        if talk.actor is None or not get_flag(data, "transaction", default=True):
            return await handler(event, data)
        async with unit_of_work(talk.actor) as session:
            before = await inbox.claim(session, talk.actor, talk.bot, talk.update_id)
            if before is not None:
                return unpacked(before)
            data["session"] = session
            answers: Answers | None = await handler(event, data)
            await inbox.keep(session, talk.actor, talk.bot, talk.update_id, packed(answers or []))
        return answers
