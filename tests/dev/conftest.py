"""A fresh stand-in for each test and a real aiogram bot that talks to it over HTTP."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from PIL import Image

from portal.dev.telegram.client import Person, World, standing_in


class QuickSession(AiohttpSession):
    """aiogram waits 250 ms for TLS to close; there is none here."""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def bot_for(world: World, token: str | None = None) -> Bot:
    return Bot(token or world.token, session=QuickSession(api=TelegramAPIServer.from_base(world.url)))


def picture(width: int = 40, height: int = 30) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with standing_in() as running:
        yield running


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Bot]:
    async with bot_for(world) as running:
        yield running


@pytest.fixture
async def lena(world: World) -> Person:
    """Somebody who has started the bot, so that it may write."""
    person = await world.user("Lena")
    await person.say("/start")
    return person
