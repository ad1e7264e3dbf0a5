"""One stand-in for Telegram, one bot process's work, for all tests of a worker: real HTTP, real polling, real rows."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress

import pytest
from litestar import Litestar

from bot import telegram
from bot.channels import bots
from bot.feeding import Feeder, listen
from bot.main import dispatcher
from portal.accounts import bot_state
from portal.accounts.model_chats import ChatBot
from portal.app import create_app
from portal.core import live
from portal.core.settings import Settings, get_settings, variable
from portal.dev.telegram.client import World, standing_in
from portal.dev.telegram.world import DEMO_NAME, DEMO_TOKEN
from portal.dev.telegram.world import World as Served
from tests.bot.makers import House

SECRET = "a-secret-that-telegram-alone-knows"


@pytest.fixture(scope="session")
async def world(database: Settings) -> AsyncIterator[World]:
    """The stand-in, with numbers of updates that no other one has used on this database, and of people whom no other
    worker's has: what was said to each lies in the one Valkey of all."""
    served = Served()
    served.first_user = 10**9 + secrets.randbelow(10**11)
    for made in served.bots.values():
        made.updates.last_id = secrets.randbelow(10**9)
    async with standing_in(served) as running:
        await running.limits(on=False)
        yield running


@pytest.fixture(scope="session")
def chatting(database: Settings, world: World) -> Settings:
    """The settings of a portal whose Telegram is the stand-in."""
    return database.model_copy(
        update={"telegram_token": DEMO_TOKEN, "telegram_api": world.url, "telegram_secret": SECRET}
    )


@pytest.fixture(scope="session")
async def feeder(chatting: Settings, world: World) -> AsyncIterator[Feeder]:
    """What `portal bot` runs, in this process."""
    dsn = str(chatting.database_direct_url)
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(bots(chatting))
        made = Feeder(dispatcher(str(chatting.redis_url)), found)
        parts = [live.ringer(dsn), live.listen(dsn), listen(dsn, made.woken), made.run()]
        tasks = [asyncio.create_task(part) for part in parts]
        tasks.append(asyncio.create_task(telegram.poll(chatting, found[ChatBot.TELEGRAM])))
        yield made
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def telegram_set(chatting: Settings) -> Iterator[None]:
    """The web's settings know the bot while the test runs."""
    names = ("telegram_token", "telegram_api", "telegram_secret")
    before = {variable(name): os.environ.get(variable(name)) for name in names}
    os.environ.update({variable(name): str(getattr(chatting, name)) for name in names})
    get_settings.cache_clear()
    yield
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    get_settings.cache_clear()


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    return create_app(database)


@pytest.fixture
async def house(app: Litestar, world: World, feeder: Feeder, telegram_set: None) -> House:
    """Web, bot and stand-in together."""
    from redis.asyncio import Redis

    redis: Redis = Redis.from_url(str(get_settings().redis_url))
    await bot_state.note(redis, {"username": DEMO_NAME, "pending": 0, "error": ""})
    await redis.aclose()
    return House(app, world, feeder)
