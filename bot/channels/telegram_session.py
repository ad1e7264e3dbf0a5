"""How notices go to Telegram: aiogram's session, without checking what nobody looks at.

A reminder leaves for thousands at once. aiogram makes a checked object of every part of an answer, of which a sender
needs the message's number alone, and that takes longer than all the rest. Refusals, and whatever else a bot calls, are
read in aiogram's own way, so that callers see its errors.
"""

from typing import Any, cast

import msgspec
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import InlineKeyboardMarkup
from aiohttp import ClientError, ClientTimeout

JSON = {"Content-Type": "application/json"}
OK = 200


class Shown(msgspec.Struct):
    """The message of an answer: all that is remembered of it."""

    message_id: int


class Sent(msgspec.Struct):
    """Telegram's answer to a new message."""

    result: Shown


class Edited(msgspec.Struct):
    """Its answer to a change of one."""

    result: Shown | bool


READ: dict[type[TelegramMethod[Any]], msgspec.json.Decoder[Sent] | msgspec.json.Decoder[Edited]] = {
    SendMessage: msgspec.json.Decoder(Sent),
    EditMessageText: msgspec.json.Decoder(Edited),
}


class NoticeSession(AiohttpSession):
    """Of the messages that it sends and changes the answer holds the number and nothing else."""

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        reader = READ.get(type(method))
        if reader is None:
            return await super().make_request(bot, method, timeout)
        status, content = await self._post(bot, method, self.timeout if timeout is None else timeout)
        if status == OK:
            try:
                return cast(TelegramType, reader.decode(content).result)
            except msgspec.DecodeError:
                pass  # aiogram says what is wrong with it
        read = self.check_response(bot, method, status, content.decode())
        return cast(TelegramType, read.result)

    async def _post(self, bot: Bot, method: TelegramMethod[Any], timeout: float) -> tuple[int, bytes]:
        session = await self.create_session()
        address = self.api.api_url(token=bot.token, method=method.__api_method__)
        try:
            limit = ClientTimeout(total=timeout)
            async with session.post(address, data=self._body(bot, method), headers=JSON, timeout=limit) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TelegramNetworkError(method=method, message="Request timeout error") from error
        except ClientError as error:
            raise TelegramNetworkError(method=method, message=f"{type(error).__name__}: {error}") from error

    def _body(self, bot: Bot, method: TelegramMethod[Any]) -> bytes:
        """The parameters that were given, as JSON: it needs no quoting. A keyboard has no defaults of the bot in it."""
        given: dict[str, Any] = {}
        for name in method.model_fields_set:
            value = getattr(method, name)
            if isinstance(value, InlineKeyboardMarkup):
                given[name] = msgspec.Raw(value.model_dump_json(exclude_none=True).encode())
            elif (prepared := self.prepare_value(value, bot, {}, _dumps_json=False)) is not None:
                given[name] = prepared
        return msgspec.json.encode(given)
