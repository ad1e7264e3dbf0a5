"""The seller answers on the board, by keyboard and by mouse; the other side's open page follows by itself."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from portal.core.actor import Actor
from tests.browser.site import PHONE, Site
from tests.browser.world import World
from tests.factories import fetch, today

pytestmark = pytest.mark.browser

BOARD = "/contracts/{purchase_id}/schedule"
FOCUS_IS_IN = "(selector) => document.activeElement.closest(selector) !== null"


async def stored(actor: Actor, line_id: str) -> tuple[str, Decimal, str]:
    """Status, confirmed quantity and reason of a line as this company reads them."""
    query = "select status, confirmed_quantity, reject_reason from schedule_line where tenant_id = $1 and id = $2"
    (row,) = await fetch(actor, query, actor.tenant_id, UUID(line_id))
    return row["status"], row["confirmed_quantity"], row["reject_reason"]


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there, as somebody without a mouse does."""
    for _ in range(150):
        await page.keyboard.press("Tab")
        if await page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


async def test_the_seller_confirms_from_the_board_by_keyboard_alone(site: Site, world: World) -> None:
    line = world.ids["asked_line"]
    page, trouble = await site.page(world, "supplier", BOARD)
    await tab_to(page, f"#line-{line} .cf-answers > form button")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    await page.keyboard.press("Enter")

    await expect(page.locator(f"#line-{line}")).to_contain_text("Confirmed: 500")
    assert outline == "solid"
    assert await page.evaluate(FOCUS_IS_IN, f"#line-{line}"), "the focus was lost with the button"
    await expect(page.locator("#cf-live")).to_contain_text("Confirmed: 500")
    assert await stored(world.factory, line) == ("confirmed", Decimal(500), "")
    assert trouble.lines == []


async def test_the_seller_splits_a_delivery_over_two_days(site: Site, world: World) -> None:
    line = world.ids["asked_again"]
    page, trouble = await site.page(world, "supplier", BOARD)
    card = page.locator(f"#line-{line}")
    await card.get_by_text("Other answer").click()
    await card.get_by_label("Quantity").first.fill("300")
    await card.get_by_role("button", name="Add a day").click()
    assert await page.evaluate(FOCUS_IS_IN, f"#line-{line} [data-row]:nth-of-type(2)")
    await card.get_by_label("Quantity").nth(1).fill("200")
    await card.get_by_label("Delivery date").nth(1).fill((today() + timedelta(days=20)).isoformat())
    await card.get_by_role("button", name="Confirm these quantities").click()

    await expect(card.get_by_role("button", name="Confirm these quantities")).to_have_count(0)
    query = "select quantity, delivery_date from confirmation where tenant_id = $1 and line_id = $2 order by quantity"
    parts = await fetch(world.factory, query, world.factory.tenant_id, UUID(line))
    assert [part["quantity"] for part in parts] == [200, 300]
    assert parts[0]["delivery_date"] == today() + timedelta(days=20)
    await page.goto(f"/schedule-lines/{line}")  # the board may have let go of what is answered by now
    await expect(page.locator("main")).to_contain_text("the buyer decides")  # a part comes later than asked
    assert await stored(world.factory, line) == ("proposed", Decimal(0), "")
    assert trouble.lines == []


async def test_the_seller_rejects_with_a_reason_and_the_buyer_reads_it(site: Site, world: World) -> None:
    line = world.ids["asked_more"]
    page, trouble = await site.page(world, "supplier", BOARD, PHONE)
    card = page.locator(f"#line-{line}")
    await card.get_by_text("Other answer").click()
    await card.get_by_label("Reason").select_option("capacity")
    await card.get_by_label("Note for the buyer").fill("Furnace two stands still until Friday.")
    await card.get_by_role("button", name="Reject this delivery").click()
    await expect(card).to_contain_text("Rejected")

    buyer, _ = await site.page(world, "factory", "/schedule-lines/{asked_more}")
    await expect(buyer.locator("#history")).to_contain_text("Furnace two stands still until Friday.")
    assert await stored(world.factory, line) == ("rejected", Decimal(0), "capacity")
    assert trouble.lines == []


async def test_an_answer_that_is_refused_keeps_what_was_typed_and_says_why(site: Site, world: World) -> None:
    line = world.ids["asked_plain"]
    page, trouble = await site.page(world, "supplier", BOARD)
    trouble.refusals = True
    card = page.locator(f"#line-{line}")
    await card.get_by_text("Other answer").click()
    await card.get_by_label("Quantity").first.fill("9000")
    await card.get_by_role("button", name="Confirm these quantities").click()

    quantity = card.get_by_label("Quantity").first
    await expect(quantity).to_have_accessible_description(re.compile("500"))
    await expect(quantity).to_have_value("9000")
    assert await stored(world.factory, line) == ("proposed", Decimal(0), "")
    assert trouble.lines == []


async def test_the_buyers_open_board_follows_the_sellers_answer(site: Site, world: World) -> None:
    line = world.ids["asked_live"]
    board, trouble = await site.page(world, "factory", BOARD)
    waiting = board.locator(f"#waiting #line-{line}")
    await expect(waiting).to_be_visible()
    await expect(board.locator("[data-htmx-powered]").first).to_be_attached()

    seller, _ = await site.page(world, "supplier", "/schedule-lines/{asked_live}")
    await seller.get_by_role("button", name="Confirm R120").click()
    await expect(seller.locator(f"#line-{line}")).to_contain_text("Confirmed: 500")

    await expect(waiting).to_have_count(0, timeout=15_000)
    assert trouble.lines == []


async def test_a_refresh_waits_while_somebody_is_answering(site: Site, world: World) -> None:
    page, trouble = await site.page(world, "supplier", BOARD)
    card = page.locator(f"#line-{world.ids['asked_plain']}")
    await card.get_by_text("Other answer").click()
    await card.get_by_role("button", name="Add a day").click()
    async with page.expect_request("**/counts"):
        await page.evaluate("document.body.dispatchEvent(new CustomEvent('lines'))")
    await page.wait_for_timeout(600)
    assert await card.locator("[data-row]").count() == 2

    async with page.expect_response("**/schedule"):
        await card.get_by_text("Other answer").click()
    await expect(card.locator("[data-row]")).to_have_count(1)
    assert trouble.lines == []


async def test_one_press_confirms_everything_that_waits(site: Site, world: World) -> None:
    page, trouble = await site.page(world, "factory", "/contracts/{contract_id}/schedule", PHONE)
    every = re.compile(r"Confirm \d+ deliver(y|ies)")  # how many wait depends on the day of the week
    await page.locator(".cf-action-bar").get_by_role("button", name=every).click()

    await expect(page.locator("#waiting")).to_contain_text("Nothing waits here.")
    assert await page.locator(".cf-action-bar").count() == 0
    assert await stored(world.customer, world.ids["line_id"]) == ("confirmed", Decimal(800), "")
    assert trouble.lines == []
