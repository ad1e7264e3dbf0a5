"""`portal bot`: the only process with the dispatcher. Several may run; each takes other chats."""

import asyncio
import logging
import signal
from collections.abc import Sequence

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.fsm.storage.base import DefaultKeyBuilder
from aiogram.fsm.storage.redis import RedisEventIsolation, RedisStorage
from aiogram.fsm.strategy import FSMStrategy
from redis.asyncio import Redis

import bot.approvals  # noqa: F401 - registers its buttons
import portal.contracts.effects
import portal.forecasts.effects  # noqa: F401 - the same
from bot import (
    account,
    changing,
    countering,
    errors,
    finding,
    following,
    forecasts,
    groups,
    lines,
    photos,
    pressing,
    receipts,
    telegram,
    telling,
)
from bot.channels import bots
from bot.feeding import Feeder, listen
from bot.middlewares import Recognise, Transaction
from bot.steps import LASTS
from portal.accounts import updates
from portal.accounts.model_chats import ChatBot
from portal.core import db, live
from portal.core.settings import Settings, get_settings

logger = logging.getLogger(__name__)
TIDY_SECONDS = 3600.0
ROUTERS = (
    errors.router,
    account.entrance,
    groups.router,
    account.strangers,
    pressing.router,
    following.router,
    changing.router,
    countering.router,
    lines.router,
    forecasts.router,
    receipts.router,
    photos.router,
    account.router,
    telling.router,
    finding.router,
)


def dispatcher(redis_url: str) -> Dispatcher:
    """The conversation engine. Half-filled forms lie in Valkey, a chat's updates never run side by side."""
    redis: Redis = Redis.from_url(redis_url)
    keys = DefaultKeyBuilder(prefix="portal:chat", with_bot_id=True)
    storage = RedisStorage(redis, key_builder=keys, state_ttl=LASTS, data_ttl=LASTS)
    # A killed bot leaves the lock of the chat it spoke with; it lapses with the claim of the update, not later.
    lock = {"timeout": updates.LEASE.total_seconds()}
    isolation = RedisEventIsolation(redis, key_builder=keys, lock_kwargs=lock)
    made = Dispatcher(storage=storage, fsm_strategy=FSMStrategy.USER_IN_TOPIC, events_isolation=isolation)
    made.update.outer_middleware(Recognise())
    for observer in (made.message, made.callback_query):
        observer.middleware(Transaction())
    for router in ROUTERS:
        router._parent_router = None  # tests make several engines in one process
        made.include_router(router)
    return made


def run() -> None:
    """Work until SIGTERM or SIGINT."""
    uvloop.run(_until_signal(get_settings()))


async def _until_signal(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    db.configure(settings, settings.pool_size)
    logging.getLogger("aiogram").setLevel(logging.WARNING)
    try:
        await work(settings, stop)
    finally:
        await db.dispose()
    logger.info("the bot has stopped")


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Feed, and with Telegram poll or keep the webhook, until `stop` is set. The pools are open already."""
    dsn = str(settings.database_direct_url)
    engine = dispatcher(str(settings.redis_url))
    async with bots(settings) as found:
        feeder = Feeder(engine, found)
        tasks = [
            asyncio.create_task(live.ringer(dsn)),
            asyncio.create_task(listen(dsn, feeder.woken)),
            asyncio.create_task(feeder.run()),
            asyncio.create_task(_tidy()),
            *_telegram(settings, found),
        ]
        logger.info("the bot is ready")
        await _wait(tasks, stop)
    await engine.storage.close()


def _telegram(settings: Settings, found: dict[ChatBot, Bot]) -> list[asyncio.Task[None]]:
    bot = found.get(ChatBot.TELEGRAM)
    return [asyncio.create_task(telegram.keep(settings, bot))] if bot else []


async def _wait(tasks: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]  # no part ends by itself unless something is wrong
    for task in (*tasks, stopped):
        task.cancel()
    await asyncio.wait([*tasks, stopped])
    for task in failed:
        task.result()


async def _tidy() -> None:
    while True:
        await tidy()
        await asyncio.sleep(TIDY_SECONDS)


async def tidy() -> None:
    """Forget what is old; while the database is away there is time for that later, and the conversations go on."""
    try:
        await updates.forget_old()
    except Exception as error:
        if not db.is_away(error):
            raise
        logger.warning("the database does not answer the bot", extra={"doing": "tidying"})
