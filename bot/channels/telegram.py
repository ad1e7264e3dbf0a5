"""Telegram: the Bot API over HTTP, wherever PORTAL_TELEGRAM_API says that it is."""

from typing import Any

import msgspec
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.channels.sending import ChatChannel, Said
from bot.channels.telegram_session import NoticeSession, Saying
from bot.keyboards import LONGEST, MOST_BUTTONS
from portal.accounts.model_chats import ChatBot
from portal.core.settings import Settings
from portal.notices.channels import Abilities


def telegram_bot(settings: Settings, kind: type[AiohttpSession] = AiohttpSession) -> Bot:
    """The bot that the token names. kind: how it speaks with Telegram."""
    server = TelegramAPIServer.from_base(settings.telegram_api)
    session = kind(api=server, timeout=20, json_loads=msgspec.json.decode)
    return Bot(str(settings.telegram_token), session=session)


class TelegramChannel(ChatChannel):
    """A foreign recipient: workspaces may let numbers only leave the house."""

    bot_name = ChatBot.TELEGRAM

    @property
    def abilities(self) -> Abilities:
        return Abilities(
            buttons=True, edit=True, media_in=True, text_in=True, max_len=LONGEST, max_buttons=MOST_BUTTONS
        )

    async def _say(self, method: Saying, given: dict[str, Any]) -> Said:
        session = self._bot.session
        if isinstance(session, NoticeSession):
            return await session.say(self._bot, method, given)
        return await super()._say(method, given)
