"""The portal as people meet it: a server of its own on this run's database, one Chromium, people signed in."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.browser.site import Site
from tests.browser.words import CHINESE, ENGLISH
from tests.browser.world import World, make_world

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STARTING = 20  # seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
async def address(database: Settings) -> AsyncIterator[str]:
    """The portal in a process of its own, on the database that the tests write to."""
    port = free_port()
    found = {"PORTAL_PORT": str(port), "PORTAL_BASE_URL": f"http://127.0.0.1:{port}"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "--factory", "portal.app:create_app", "--port", str(port)),
        *("--log-level", "warning", "--timeout-graceful-shutdown", "1"),
        env=os.environ | found,
    )
    base = found["PORTAL_BASE_URL"]
    try:
        await _answers(base, process)
        yield base
    finally:
        process.terminate()
        await process.wait()


async def _answers(base: str, process: Any) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(STARTING * 10):
            assert process.returncode is None, "the portal did not start"
            try:
                if (await client.get(f"{base}/healthz")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError("the portal did not answer")


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for all tests of this worker."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield launched
        await launched.close()


@pytest.fixture(scope="session")
async def english(database: Settings) -> World:
    """A workspace whose people read English. The tests that only look share it."""
    return await make_world(str(database.database_url), ENGLISH, Language.EN)


@pytest.fixture(scope="session")
async def chinese(database: Settings) -> World:
    """The same in Chinese, its data too."""
    return await make_world(str(database.database_url), CHINESE, Language.ZH)


@pytest.fixture(scope="session")
async def world(database: Settings) -> World:
    """A workspace to change things in; every test takes other lines and delivery notes of it."""
    return await make_world(str(database.database_url), ENGLISH, Language.EN)


@pytest.fixture
async def site(address: str, browser: Browser) -> AsyncIterator[Site]:
    """Opens pages for people; every page it opened is closed afterwards."""
    opened = Site(address, browser)
    yield opened
    await opened.close()
