"""What both chat channels share: a card becomes text and buttons, refusals become those of the interface."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar, cast

from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import EditMessageText, Response, SendMessage
from aiogram.types import Message

from bot.channels.telegram_session import Saying, Shown
from bot.keyboards import opens_within, reachable, rows_of, text_of
from portal.accounts import service_chats
from portal.accounts.chats import place_of
from portal.accounts.model_chats import ChatBot
from portal.core.settings import get_settings
from portal.notices.cards import Card
from portal.notices.channels import Blocked, ChannelUnavailable, MessageRefused, SlowDown

T = TypeVar("T")
Said: TypeAlias = Message | Shown | bool  # what became of a message
NO_PREVIEW = {"is_disabled": True}
GONE = ("chat not found", "user is deactivated", "bot was kicked")
SAME = "message is not modified"
# aiogram makes the type of an answer anew for every call unless somebody keeps it: 8 % of a busy worker
_ANSWERS = (Response[Message], Response[Message | bool])


class ChatChannel:
    """Sends cards through one bot."""

    bot_name: ChatBot

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    @property
    def name(self) -> str:
        return self.bot_name.value

    async def send(self, address: str, card: Card, *, silent: bool = False) -> str:
        """A new message; its number."""
        chat, topic = place_of(address)
        async with _blocked_is_noted(self.bot_name, address):
            with refusals():
                sent = await self._followed(chat, lambda chat: self._in_topic(chat, topic, card, silent))
        assert not isinstance(sent, bool)  # Telegram answers so to changes alone
        return str(sent.message_id)

    async def _followed(self, chat: int, call: Callable[[int], Awaitable[T]]) -> T:
        """What is for a group that has another number meanwhile goes to where it is now."""
        try:
            return await call(chat)
        except TelegramMigrateToChat as error:
            await service_chats.renumbered(self.bot_name, chat, error.migrate_to_chat_id)
            return await call(error.migrate_to_chat_id)

    async def _in_topic(self, chat: int, topic: int | None, card: Card, silent: bool) -> Said:
        try:
            return await self._send(chat, topic, card, silent)
        except TelegramBadRequest as error:
            if not topic_is_gone(topic, error):
                raise
            return await self._send(chat, None, card, silent)

    async def _send(self, chat: int, topic: int | None, card: Card, silent: bool) -> Said:
        more = {} if topic is None else {"message_thread_id": topic}
        return await self._say(SendMessage, self._given(chat, card) | more | {"disable_notification": silent})

    async def _say(self, method: Saying, given: dict[str, Any]) -> Said:
        """given: the parameters as Telegram takes them in JSON."""
        return cast(Said, await self._bot(method(**given)))

    def _given(self, chat: int, card: Card) -> dict[str, Any]:
        rows = rows_of(card, links=self._links, within=opens_within(self.bot_name, chat))
        return {
            "chat_id": chat,
            "text": text_of(card, links=self._links),
            "parse_mode": "HTML",
            "link_preview_options": NO_PREVIEW,
            **({"reply_markup": {"inline_keyboard": rows}} if rows else {}),
        }

    async def close(self) -> None:
        """Let go of the service's connection."""
        await self._bot.session.close()

    async def edit(self, address: str, message_id: str, card: Card) -> None:
        """Change a sent message; one that is gone, or shows the same already, is left."""
        chat, _topic = place_of(address)
        async with _blocked_is_noted(self.bot_name, address):
            with refusals():
                await self._followed(chat, lambda chat: self._edit(chat, int(message_id), card))

    async def _edit(self, chat: int, message_id: int, card: Card) -> Said:
        return await self._say(EditMessageText, self._given(chat, card) | {"message_id": message_id})

    @property
    def _links(self) -> bool:
        return self.bot_name is not ChatBot.PORTAL and not reachable(get_settings().base_url)


class _blocked_is_noted:  # noqa: N801 - read as a word at its use
    """A chat that turns out to be closed is sent to no more until it writes again."""

    def __init__(self, bot: ChatBot, address: str) -> None:
        self._bot, self._address = bot, address

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Blocked):
            await service_chats.blocked(self._bot, place_of(self._address)[0])


def topic_is_gone(topic: int | None, error: TelegramBadRequest) -> bool:
    """A topic that was deleted or closed: what is said goes to the general one."""
    return topic is not None and any(word in str(error) for word in ("message thread not found", "TOPIC_"))


@contextmanager
def refusals() -> Iterator[None]:
    """The service's refusals as the four that senders know; one that says the same already is fine."""
    try:
        yield
    except TelegramRetryAfter as error:
        raise SlowDown(error.retry_after) from error
    except TelegramForbiddenError as error:
        raise Blocked(str(error)) from error
    except TelegramBadRequest as error:
        if SAME in str(error) or "message to edit not found" in str(error):
            return
        raise (Blocked(str(error)) if any(word in str(error) for word in GONE) else MessageRefused()) from error
    except (TelegramNetworkError, TelegramServerError) as error:
        raise ChannelUnavailable from error
    except TelegramAPIError as error:
        raise MessageRefused from error
