"""The page that looks like a phone, in a real browser: a link opens it, what is pressed reaches the bot."""

import asyncio
from collections.abc import AsyncIterator
from itertools import product

import aiohttp
import pytest
from aiogram import Bot
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from portal.dev.telegram.client import World
from tests.browser.server import BROWSER_ARGS
from tests.dev.conftest import picture

pytestmark = pytest.mark.browser
MARKUP = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text="Confirm", callback_data="v1:a", style="success")],
        [InlineKeyboardButton(text="Problem", callback_data="v1:b", style="danger")],
    ]
)


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGS)
        yield launched
        await launched.close()


async def answer_presses(bot: Bot, *, alert: bool) -> None:
    """Wait for one press and answer it."""
    presses: list[CallbackQuery] = []
    while not presses:
        updates = await bot.get_updates(timeout=5)
        presses = [update.callback_query for update in updates if update.callback_query]
        await bot.get_updates(offset=updates[-1].update_id + 1)
    await bot.answer_callback_query(presses[0].id, f"Heard {presses[0].data}", show_alert=alert)


async def test_a_link_starts_the_bot_and_a_press_is_answered(world: World, bot: Bot, browser: Browser) -> None:
    lena = await world.user("Lena")
    page = await browser.new_page(locale="en-GB")
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    await page.goto(f"{world.url}/{world.bot}?start=t_9f2")
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator(".mine .text")).to_have_text("/start t_9f2")
    assert [update.message and update.message.text for update in await bot.get_updates()] == ["/start t_9f2"]

    sent = await bot.send_message(
        lena.id, "<b>Delivery</b> 😀 <i>in 3 days</i>", parse_mode="HTML", reply_markup=MARKUP
    )
    await expect(page.locator(".theirs b")).to_have_text("Delivery")
    await expect(page.locator(".theirs i")).to_have_text("in 3 days")
    for label, alert in (("Confirm", False), ("Problem", True)):
        answering = asyncio.create_task(answer_presses(bot, alert=alert))
        await page.get_by_role("button", name=label, exact=True).click()
        await answering
    await expect(page.locator("#toast")).to_have_text("Heard v1:a")
    await expect(page.get_by_role("dialog")).to_contain_text("Heard v1:b")
    await page.get_by_role("button", name="Close").click()

    await bot.edit_message_text("Confirmed.", chat_id=lena.id, message_id=sent.message_id)
    await expect(page.locator(".theirs .foot")).to_contain_text("edited")
    await expect(page.locator(".keyboard")).to_have_count(0)
    await page.get_by_label("Message").fill("<img src=x> thanks")
    await page.keyboard.press("Enter")
    await expect(page.locator(".mine .text").last).to_have_text("<img src=x> thanks")
    await page.locator("#file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    await expect(page.locator(".mine img")).to_have_count(1)
    assert trouble == []
    await everywhere(page)


async def everywhere(page: Page) -> None:
    """Both languages, both widths: nothing wider than the screen, nothing that axe finds."""
    for name, width in product(("中文", "English"), (1440, 390)):
        await page.set_viewport_size({"width": width, "height": 844})
        if width == 1440:
            await page.get_by_role("button", name=name, exact=True).click()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


async def test_another_person_has_another_phone(world: World, bot: Bot, browser: Browser) -> None:
    lena = await world.user("Lena")
    await lena.say("/start")
    await bot.send_message(lena.id, "for Lena only")
    page = await browser.new_page(locale="zh-CN")
    await page.goto(world.url)
    await expect(page.locator(".theirs .text")).to_have_text("for Lena only")
    group = await world.group("Castings", lena, forum=True)
    topic = await bot.create_forum_topic(group, "FC-ONE")
    await bot.send_message(group, "for all")
    await bot.send_message(group, "in the topic", message_thread_id=topic.message_thread_id)
    await page.locator("#chat").select_option("Castings › FC-ONE")
    await expect(page.locator(".theirs .text")).to_have_text("in the topic")
    await page.locator("#text").fill("heard")
    await page.keyboard.press("Enter")
    await expect(page.locator(".mine .text")).to_have_text("heard")
    await page.locator("#chat").select_option("Castings")
    await expect(page.locator(".theirs .text")).to_have_text("for all")
    await expect(page.locator(".mine")).to_have_count(0)
    await page.get_by_label("另一位用户的姓名").fill("陈丽")
    await page.get_by_role("button", name="添加").click()
    await expect(page.get_by_role("button", name="陈丽")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".theirs")).to_have_count(0)
    await expect(page.locator("#start")).to_have_text("开始")
    await page.get_by_label("新群聊的名称，包含以上所有人").fill("工厂群")
    await page.get_by_role("button", name="建群").click()
    await expect(page.locator("#with")).to_have_text("工厂群")
    made = next(chat for chat in (await world.state())["chats"] if chat.get("title") == "工厂群")
    named = await bot.create_forum_topic(made["id"], "FC-TWO")
    await page.locator("#chat").select_option("工厂群 › FC-TWO")
    await expect(page.locator("#with")).to_have_text("FC-TWO · 工厂群")
    assert named.name == "FC-TWO"
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_page_loads_nothing_from_elsewhere(world: World) -> None:
    async with aiohttp.ClientSession() as session, session.get(world.url) as response:
        assert "script-src 'self'" in response.headers["Content-Security-Policy"]
        text = await response.text()
    assert "http" not in text
    assert "style=" not in text
