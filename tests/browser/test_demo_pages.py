"""The demo as its people see it: real names, sums and codes stay within the pages on a desktop and on a phone."""

import os
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from portal.core import db
from portal.core.settings import Settings
from portal.demo.people import PASSWORD
from portal.demo.seed import seed
from tests.browser.axe import Axe
from tests.browser.server import serving
from tests.browser.site import DESKTOP, HEIGHTS, PHONE, Site, Trouble, violations, watched
from tests.browser.test_pages import NARROW, SETTLE, TOO_WIDE
from tests.databases import Server, create_database, drop_database

pytestmark = pytest.mark.browser

PEOPLE = ("lena.vogt@factory.example", "mary.banda@customer.example", "li.na@supplier.example")
LOCALES = {"li.na@supplier.example": "zh-CN"}
MENU = "() => [...document.querySelectorAll('.cf-nav a')].map((a) => a.getAttribute('href'))"
CONTRACT = re.compile(r"/contracts/[0-9a-f-]{36}")
FIRST = "() => document.querySelector('main tbody th a, main li a')?.getAttribute('href') ?? ''"


@pytest.fixture(scope="module")
async def demo(server: Server, database: Settings) -> AsyncIterator[str]:
    """The demo's data in a database of its own, served."""
    name = f"portal_demo_{os.urandom(4).hex()}"
    settings = await create_database(server, name)
    await db.dispose()
    db.configure(settings)
    await seed(str(settings.database_url))
    await db.dispose()
    db.configure(database)
    async with serving(settings) as address:
        yield address
    await drop_database(server, name)


async def look(page: Page, trouble: Trouble, path: str) -> tuple[list[str], str]:
    """What is wrong on one page, and the first document that it lists."""
    trouble.lines.clear()
    await page.set_viewport_size({"width": DESKTOP, "height": HEIGHTS[DESKTOP]})
    answer = await page.goto(path)
    assert answer is not None
    wrong = [] if answer.ok else [f"answers {answer.status}"]
    wrong += [f"{DESKTOP} px: wider than the window: {name}" for name in await page.evaluate(TOO_WIDE)]
    await page.set_viewport_size({"width": PHONE, "height": HEIGHTS[PHONE]})
    await page.evaluate(SETTLE)
    wrong += [f"{PHONE} px: wider than the window: {name}" for name in await page.evaluate(TOO_WIDE)]
    wrong += [f"{PHONE} px: letter under letter: {name}" for name in await page.evaluate(NARROW)]
    wrong += await Axe().violations(page, contrast=False)
    wrong += [f"policy: {refusal}" for refusal in await violations(page)]
    wrong += [f"console: {line}" for line in trouble.lines]
    return [f"{path}: {problem}" for problem in wrong], await page.evaluate(FIRST)


async def test_the_menu_and_the_first_document_of_each_list(demo: str, browser: Browser) -> None:
    site = Site(demo, browser)
    assert [problem for email in PEOPLE for problem in await all_of(site, email)] == []
    await site.close()


async def all_of(site: Site, email: str) -> list[str]:
    """What is wrong on the pages of one person."""
    context = await site.person(None, locale=LOCALES.get(email, "en-GB"))
    await Axe().prepare(context)
    page, trouble = await watched(context)
    await page.goto("/sign-in")
    await page.locator("[name=email]").fill(email)
    await page.locator("[name=password]").fill(PASSWORD)
    await page.locator("main form button").click()
    await page.wait_for_url("**/")
    wrong: list[str] = []
    seen: set[str] = set()
    for path in [*await page.evaluate(MENU), "/schedules/board", "/schedules?view=to_confirm"]:
        found, first = await look(page, trouble, path)
        wrong += found
        if first.startswith("/") and first not in seen:
            seen.add(first)
            wrong += (await look(page, trouble, first))[0]
            if CONTRACT.fullmatch(first):
                wrong += (await look(page, trouble, f"{first}/schedule"))[0]
    assert len(seen) >= 4
    return wrong
