"""How notices go to Telegram: aiogram's session, without making objects of what nobody looks at.

A reminder leaves for thousands at once. aiogram makes a checked object of every part of a message, and of every part of
the answer, of which a sender needs the message's number alone; that takes longer than all the rest. Refusals, and
whatever else a bot calls, are read in aiogram's own way, so that callers see its errors.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import msgspec
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiohttp import ClientError, ClientTimeout
from yarl import URL

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


Saying: TypeAlias = type[TelegramMethod[Any]]  # SendMessage or EditMessageText
READ: dict[Saying, msgspec.json.Decoder[Sent] | msgspec.json.Decoder[Edited]] = {
    SendMessage: msgspec.json.Decoder(Sent),
    EditMessageText: msgspec.json.Decoder(Edited),
}


class NoticeSession(AiohttpSession):
    """Says something from plain parameters, and remembers the number of the message and nothing else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._addresses: dict[str, URL] = {}
        self._limit = ClientTimeout(total=self.timeout)

    async def say(self, bot: Bot, method: Saying, given: Mapping[str, Any]) -> Shown | bool:
        """Send or change a message. given: the parameters as Telegram takes them in JSON, without those that are
        left out."""
        status, content = await self._post(bot, method, given)
        if status == OK:
            try:
                return READ[method].decode(content).result
            except msgspec.DecodeError:
                pass  # aiogram says what is wrong with it
        read = self.check_response(bot, method(**given), status, content.decode())
        return cast(bool, read.result)

    async def _post(self, bot: Bot, method: Saying, given: Mapping[str, Any]) -> tuple[int, bytes]:
        session = await self.create_session()
        body = msgspec.json.encode(given)
        try:
            async with session.post(self._address(bot, method), data=body, headers=JSON, timeout=self._limit) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise TelegramNetworkError(method=method(**given), message="Request timeout error") from error
        except ClientError as error:
            what = f"{type(error).__name__}: {error}"
            raise TelegramNetworkError(method=method(**given), message=what) from error

    def _address(self, bot: Bot, method: Saying) -> URL:
        """Read once: it is the same for every message."""
        name = method.__api_method__
        if name not in self._addresses:
            self._addresses[name] = URL(self.api.api_url(token=bot.token, method=name))
        return self._addresses[name]
