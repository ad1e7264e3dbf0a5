"""Telegram's side of the process: the menu of commands, the webhook or the polling, and how it stands, for others."""

import asyncio
import logging
from typing import Any

import asyncpg
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramNetworkError, TelegramServerError
from aiogram.types import BotCommand, Update
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.account import commands
from portal.accounts import bot_state, updates
from portal.accounts.model_chats import ChatBot
from portal.core import db
from portal.core.health import MOST_WAITING
from portal.core.i18n import Language
from portal.core.settings import Settings, TelegramMode

logger = logging.getLogger(__name__)
ALLOWED = ["message", "edited_message", "callback_query"]
MENUS = {"en": Language.EN, "zh": Language.ZH}  # by the codes of Telegram's apps
ASK_SECONDS = 25  # how long Telegram may hold a question for updates
STATE_SECONDS = 20.0  # between two notes of how it stands
PAUSE_SECONDS = 2.0
ASK_AGAIN_SECONDS = 0.5  # after a question that got no answer
_LOCK = 0x0B07  # one process polls, the others stand by


async def keep(settings: Settings, bot: Bot) -> None:
    """Begin as soon as Telegram answers, then go on. Ends when cancelled."""
    while True:
        try:
            await _keep(settings, bot)
        except* (TelegramAPIError, RedisError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as errors:
            said = [f"{type(error).__name__}: {error}" for error in errors.exceptions]
            logger.warning("Telegram does not answer", extra={"error": said[0]})
        await asyncio.sleep(PAUSE_SECONDS)


async def _keep(settings: Settings, bot: Bot) -> None:
    me = await bot.get_me()
    await set_menus(settings, bot)
    if settings.telegram_mode is TelegramMode.WEBHOOK:
        await bot.set_webhook(
            f"{settings.base_url}/bot/telegram", secret_token=settings.telegram_secret, allowed_updates=ALLOWED
        )
    else:
        await bot.delete_webhook()
    async with asyncio.TaskGroup() as group:
        group.create_task(_note(settings, bot, str(me.username)))
        if settings.telegram_mode is TelegramMode.POLLING:
            group.create_task(poll(settings, bot))


async def set_menus(settings: Settings, bot: Bot) -> None:
    """The menu of commands in each language that we speak; phones in any other show the portal's own."""
    for code, language in ((None, settings.default_language), *MENUS.items()):
        menu = [BotCommand(command=name, description=text) for name, text in commands(language)]
        await bot.set_my_commands(menu, language_code=code)


async def _note(settings: Settings, bot: Bot, username: str) -> None:
    redis: Redis = Redis.from_url(str(settings.redis_url))
    try:
        while True:
            info = await bot.get_webhook_info()
            state: dict[str, Any] = {
                "username": username,
                "pending": info.pending_update_count,
                "error": info.last_error_message or "",
            }
            await bot_state.note(redis, state)
            if info.pending_update_count > MOST_WAITING:
                logger.warning("updates wait at Telegram", extra={"pending": info.pending_update_count})
            await asyncio.sleep(STATE_SECONDS)
    finally:
        await redis.aclose()


async def poll(settings: Settings, bot: Bot) -> None:
    """Ask, store, and only then ask for the next. One process of the house does; another takes over when it ends."""
    connection = await asyncpg.connect(db.asyncpg_dsn(str(settings.database_direct_url)))
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        offset: int | None = None
        while True:
            for update in await _ask(bot, offset):
                raw = update.model_dump(mode="json", exclude_none=True, by_alias=True)
                await updates.store(ChatBot.TELEGRAM, update.update_id, updates.chat_of(raw), raw)
                offset = update.update_id + 1
    finally:
        await connection.close()


async def _ask(bot: Bot, offset: int | None) -> list[Update]:
    """What has happened since. A line that was cut, or gave no answer in time, is no end: what is not stored was not
    acknowledged, so the same question brings it again."""
    try:
        return await bot.get_updates(
            offset=offset, timeout=ASK_SECONDS, allowed_updates=ALLOWED, request_timeout=ASK_SECONDS + 10
        )
    except (TelegramNetworkError, TelegramServerError) as error:
        logger.warning("Telegram does not answer", extra={"error": f"{type(error).__name__}: {error}"})
        await asyncio.sleep(ASK_AGAIN_SECONDS)
        return []
