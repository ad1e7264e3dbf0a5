"""The pictures of the README, taken anew: `python -m tests.browser.pictures`."""

import asyncio
import io
import os
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, async_playwright

from portal.core import db
from portal.core.i18n import Language
from portal.core.settings import Settings, get_settings, variable
from tests.browser.photos import box_photo
from tests.browser.server import BROWSER_ARGS, serving
from tests.browser.site import PHONE, Site
from tests.browser.words import CHINESE, ENGLISH
from tests.browser.world import World, make_world
from tests.conftest import find_chromium
from tests.databases import Server, create_database, running_server

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WEEKS = 12  # of history


def store(name: str, picture: bytes) -> None:
    """As a palette picture: a fifth of the size, and nobody sees the difference."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


async def take(browser: Browser, address: str, english: World, chinese: World) -> None:
    site = Site(address, browser)
    board, _ = await site.page(english, "factory", "/contracts/{contract_id}/schedule")
    await board.set_viewport_size({"width": 1440, "height": 1290})
    await board.wait_for_selector("#count-today .cf-pill")
    await board.wait_for_selector(".cf-chart canvas")
    store("board", await board.screenshot())

    phone, _ = await site.page(
        chinese, "factory", "/contracts/{contract_id}/schedule", PHONE, locale="zh-CN", device_scale_factor=2
    )
    await phone.wait_for_selector("#count-bell .cf-dot")
    store("board-phone", await phone.screenshot())

    dock, _ = await site.page(english, "customer", "/receipts/new?shipment={shipment_id}", PHONE, device_scale_factor=2)
    line = dock.locator("[data-count]").first
    await line.get_by_role("button", name="One box less").click()
    await line.get_by_label("Damaged").check()
    await line.locator("[type=file]").set_input_files({"name": "box", "mimeType": "image/jpeg", "buffer": box_photo()})
    await line.locator(".cf-photos img").wait_for()
    await dock.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    store("receipt-phone", await dock.screenshot())
    await site.close()


async def main(settings: Settings) -> None:
    db.configure(settings)
    url = str(settings.database_url)
    english = await make_world(url, ENGLISH, Language.EN, weeks=WEEKS)
    chinese = await make_world(url, CHINESE, Language.ZH, weeks=WEEKS)
    async with serving() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=BROWSER_ARGS)
        await take(browser, address, english, chinese)
        await browser.close()
    await db.dispose()


async def made(server: Server) -> None:
    settings = await create_database(server, "portal_pictures")
    for field in Settings.model_fields:
        value = getattr(settings, field)
        os.environ[variable(field)] = "" if value is None else str(value)
    get_settings.cache_clear()
    await main(settings)


if __name__ == "__main__":
    with running_server() as running:
        asyncio.run(made(running))
