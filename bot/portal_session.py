"""The portal's own chat as a transport of aiogram: methods become rows of the window, which its open pages fetch.

What Telegram refuses is refused here with the same words, so that the same code runs on both.
"""

from collections.abc import AsyncGenerator
from typing import Any, cast
from uuid import UUID

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    GetMe,
    SendChatAction,
    SendMessage,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.types import File, InlineKeyboardMarkup, Message, User

from portal.accounts import chat_window, chats
from portal.accounts.chat_window import BOT, Found
from portal.accounts.chats import ChatName, Known
from portal.accounts.model_chats import ChatBot, ChatMessageKind
from portal.core import clock, db, files
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import NotFound

TOKEN = "2:portal-chat"  # noqa: S105 - no secret: nobody but this process hears it
Rows = list[list[dict[str, str]]]


class PortalChatSession(BaseSession):
    """Sends into the window of the member whose chat has the number."""

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        match method:
            case GetMe():
                result: Any = User.model_validate(BOT | {"username": "portal"})
            case SendChatAction():
                result = True
            case SendMessage():
                result = await self._send(bot, method)
            case EditMessageText():
                result = await self._edit(bot, method, method.text or "", method.reply_markup)
            case EditMessageReplyMarkup():
                result = await self._edit(bot, method, None, method.reply_markup)
            case DeleteMessage():
                result = await self._delete(method)
            case AnswerCallbackQuery():
                result = await self._answer(method)
            case GetFile():
                result = File(file_id=method.file_id, file_unique_id=method.file_id[-32:], file_path=method.file_id)
            case _:
                raise TelegramBadRequest(method=method, message=f"Bad Request: {method.__api_method__} is not here")
        return cast(TelegramType, result)

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a photo. The file's name was made by the window from a row of its own."""
        tenant, _, digest = url.rpartition("/")[2].partition(".")
        yield await files.fetch(UUID(tenant), digest)

    async def close(self) -> None:
        """Nothing is open between two methods."""

    # --- methods ------------------------------------------------------------------------------------------------------

    async def _send(self, bot: Bot, method: SendMessage) -> Message:
        known, row_id, actor = await _window(method, method.chat_id)
        rows = _rows(method.reply_markup)
        async with unit_of_work(actor) as session:
            no = await chat_window.add(session, actor, row_id, ChatMessageKind.SHOWN, method.text, rows=rows)
        return _message(bot, known, no, method.text)

    async def _edit(
        self, bot: Bot, method: EditMessageText | EditMessageReplyMarkup, text: str | None, markup: Any
    ) -> Message:
        known, row_id, actor = await _window(method, method.chat_id)
        async with unit_of_work(actor) as session:
            found = await _found(method, await db.driver(session), actor, row_id, method.message_id)
            if not await chat_window.change(session, actor, found, text, _rows(markup)):
                raise TelegramBadRequest(method=method, message="Bad Request: message is not modified")
        return _message(bot, known, found.no, found.text if text is None else text)

    async def _delete(self, method: DeleteMessage) -> bool:
        _known, row_id, actor = await _window(method, method.chat_id)
        async with unit_of_work(actor) as session:
            found = await _found(method, await db.driver(session), actor, row_id, method.message_id)
            await chat_window.remove(session, actor, found)
        return True

    async def _answer(self, method: AnswerCallbackQuery) -> bool:
        """A press has a row of its own; the query's id names the chat and that row."""
        chat_id, _, no = method.callback_query_id.partition(".")
        if method.text:
            _known, row_id, actor = await _window(method, chat_id)
            async with unit_of_work(actor) as session:
                await chat_window.answer(session, actor, row_id, int(no), method.text)
        return True


async def _window(method: TelegramMethod[Any], chat_id: int | str | None) -> tuple[Known, UUID, Actor]:
    """The live window behind a number; one whose member has gone is closed to the bot."""
    known = await chats.known(ChatName(ChatBot.PORTAL, int(chat_id or 0)))
    if known is None:
        raise TelegramBadRequest(method=method, message="Bad Request: chat not found")
    if known.actor is None or known.row_id is None:
        raise TelegramForbiddenError(method=method, message="Forbidden: user is deactivated")
    return known, known.row_id, known.actor


async def _found(
    method: TelegramMethod[Any], connection: db.Driver, actor: Actor, row_id: UUID, message_id: int | None
) -> Found:
    try:
        return await chat_window.message_of(connection, actor, row_id, message_id or 0)
    except NotFound as error:
        raise TelegramBadRequest(method=method, message="Bad Request: message to edit not found") from error


def _rows(markup: object) -> Rows:
    if not isinstance(markup, InlineKeyboardMarkup):
        return []
    return [
        [
            button.model_dump(include={"text", "url", "style"}, exclude_none=True) | _data(button.callback_data)
            for button in row
        ]
        for row in markup.inline_keyboard
    ]


def _data(data: str | None) -> dict[str, str]:
    return {"data": data} if data else {}


def _message(bot: Bot, known: Known, no: int, text: str) -> Message:
    head = {"message_id": no, "date": int(clock.now().timestamp()), "text": text, "from": BOT}
    chat = {"id": known.chat.chat_id, "type": "private"}
    return Message.model_validate(head | {"chat": chat}, context={"bot": bot})
