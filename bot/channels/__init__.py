"""The chat channels of this installation, for whoever sends: the bot's answers and the worker's notices."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiogram import Bot

from bot.channels.portal_chat import PortalChannel, portal_bot
from bot.channels.telegram import TelegramChannel, telegram_bot
from bot.channels.telegram_session import NoticeSession
from portal.accounts.model_chats import ChatBot
from portal.core.settings import Settings
from portal.notices.channels import Channel


@asynccontextmanager
async def bots(settings: Settings) -> AsyncIterator[dict[ChatBot, Bot]]:
    """One bot a transport: the portal's own chat always, Telegram when a token is set."""
    found = {ChatBot.PORTAL: portal_bot()}
    if settings.telegram_token:
        found[ChatBot.TELEGRAM] = telegram_bot(settings)
    try:
        yield found
    finally:
        for bot in found.values():
            await bot.session.close()


CHANNELS: dict[ChatBot, type[TelegramChannel] | type[PortalChannel]] = {
    ChatBot.PORTAL: PortalChannel,
    ChatBot.TELEGRAM: TelegramChannel,
}


def chat_channels(settings: Settings) -> dict[str, Channel]:
    """By the name of the channel."""
    found: dict[str, Channel] = {ChatBot.PORTAL.value: PortalChannel(portal_bot())}
    if settings.telegram_token:
        found[ChatBot.TELEGRAM.value] = TelegramChannel(telegram_bot(settings, NoticeSession))
    return found
