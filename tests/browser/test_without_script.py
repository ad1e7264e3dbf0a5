"""Every step of the main job works as plain forms: signing in, confirming, splitting, shipping, receiving."""

from decimal import Decimal
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from tests.browser.site import PHONE, Site
from tests.browser.test_answers import stored
from tests.browser.test_dock import receipts_of
from tests.browser.world import PASSWORD, World, arriving
from tests.factories import fetch

pytestmark = pytest.mark.browser


async def plain(site: Site, world: World, who: str, path: str, width: int = PHONE) -> Page:
    page, _trouble = await site.page(world, who, path, width, java_script_enabled=False)
    return page


async def test_signing_in_and_reading_today(site: Site, world: World) -> None:
    page = await plain(site, world, "", "/schedules")
    await page.get_by_label("E-mail").fill(world.emails["supplier"])
    await page.get_by_label("Password").fill("not the right one")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("E-mail")).to_have_value(world.emails["supplier"])
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{site.address}/schedules")
    await page.get_by_role("button", name="Open the menu").click()
    await page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Today").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Today")


async def test_the_seller_confirms(site: Site, world: World) -> None:
    line = world.ids["plain_line"]
    page = await plain(site, world, "supplier", "/schedule-lines/{plain_line}")
    await page.get_by_role("button", name="Confirm R120").click()
    await expect(page).to_have_url(f"{site.address}/schedule-lines/{line}")
    await expect(page.locator(f"#line-{line}")).to_contain_text("Confirmed: 500")
    assert await stored(world.factory, line) == ("confirmed", Decimal(500), "")


async def test_the_seller_ships(site: Site, world: World) -> None:
    page = await plain(site, world, "supplier", "/shipments/new?line={shippable_line}")
    await page.get_by_label("Number on your paper").fill("NC-700")
    await page.get_by_role("button", name="Send delivery note").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("NC-700")
    query = "select shipped_quantity from schedule_line where tenant_id = $1 and id = $2"
    (row,) = await fetch(world.factory, query, world.factory.tenant_id, UUID(world.ids["shippable_line"]))
    assert row[0] == 500


async def test_the_buyer_receives_short(site: Site, world: World) -> None:
    shipment = await arriving(world, "ASN-30")
    page = await plain(site, world, "customer", "/scan")
    await page.get_by_label("Delivery note number").fill("ASN-30")
    await page.get_by_role("button", name="Open the delivery note").click()
    line = page.locator("[data-count]").first
    await line.get_by_label("Received").fill("760")
    await page.get_by_role("button", name="Confirm 2 lines").click()
    await expect(page.locator("[data-error]:not([hidden])").first).to_be_visible()
    await expect(line.get_by_label("Received")).to_have_value("760")
    await line.get_by_label("Not on the truck").check()
    await page.get_by_role("button", name="Confirm 2 lines").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Receipt R-")
    first, second = await receipts_of(world, shipment)
    assert (first[0], first[2]) == (Decimal(760), "not_on_truck")
    assert second[0] == Decimal(400)
