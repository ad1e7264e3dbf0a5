"""The portal as people meet it: a server of its own on this run's database, one Chromium, people signed in."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.browser.axe import Axe
from tests.browser.server import BROWSER_ARGS, serving
from tests.browser.site import Site
from tests.browser.words import CHINESE, ENGLISH
from tests.browser.world import World, make_world

expect.set_options(timeout=10_000)  # the machine may be busy with other tests


@pytest.fixture(scope="session")
async def address(database: Settings) -> AsyncIterator[str]:
    """The portal in a process of its own, on the database that the tests write to."""
    async with serving() as base:
        yield base


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for all tests of this worker."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGS)
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


@pytest.fixture(scope="session")
def axe() -> Axe:
    """What this worker has asked of axe so far."""
    return Axe()


@pytest.fixture
async def site(address: str, browser: Browser) -> AsyncIterator[Site]:
    """Opens pages for people; every page it opened is closed afterwards."""
    opened = Site(address, browser)
    yield opened
    await opened.close()
