"""Receiving at the dock on a phone: counted short with a reason and a photo, without network, and what stays behind."""

import asyncio
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import BrowserContext, Error, FilePayload, Page, expect

from portal.accounts import identity
from portal.core.db import unit_of_work
from portal.shipments import service_receipts
from portal.shipments.counting import Receive
from tests.browser.photos import box_photo
from tests.browser.site import PHONE, Site, watched
from tests.browser.world import PASSWORD, World, arriving
from tests.factories import fetch

pytestmark = pytest.mark.browser

FIRST = "[data-count]:first-of-type"
PHOTO: FilePayload = {"name": "dock.jpg", "mimeType": "image/jpeg", "buffer": box_photo()}


async def receipts_of(world: World, shipment_id: str) -> list[Any]:
    """(accepted, rejected, problem, note) of every line received of a delivery note, as the seller reads them."""
    query = (
        "select l.accepted, l.rejected, l.problem, l.note from receipt_line l join shipment_line s"
        " on s.tenant_id = l.tenant_id and s.id = l.shipment_line_id"
        " where l.tenant_id = $1 and s.shipment_id = $2 order by s.line_no"
    )
    return [tuple(row) for row in await fetch(world.factory, query, world.factory.tenant_id, UUID(shipment_id))]


async def photos_of(world: World, shipment_id: str) -> int:
    query = (
        "select count(*) from photo p join receipt r on r.tenant_id = p.tenant_id and r.id = p.receipt_id"
        " where p.tenant_id = $1 and r.shipment_id = $2"
    )
    (row,) = await fetch(world.factory, query, world.factory.tenant_id, UUID(shipment_id))
    return int(row[0])


async def count_short(page: Page) -> None:
    """760 instead of 800: one box is damaged."""
    line = page.locator(FIRST)
    await line.get_by_role("button", name="One box less").click()
    await expect(line.get_by_label("Received")).to_have_value("760")
    await line.get_by_label("Damaged").check()
    await line.get_by_label("Note for the supplier").fill("One box wet.")


async def at_the_dock(site: Site, world: World, number: str) -> tuple[BrowserContext, Page, str]:
    """The count of a new delivery note, opened on a phone whose worker has kept the page."""
    shipment = await arriving(world, number)
    context = await site.person(world, "customer", PHONE, worker=True)
    page, _trouble = await watched(context)
    await page.goto(f"/receipts/new?shipment={shipment}")
    kept = "async (at) => Boolean(await (await caches.open('calloff-pages')).match(at))"
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    for _ in range(100):
        if await page.evaluate(kept, page.url):
            return context, page, shipment
        await asyncio.sleep(0.1)
    raise AssertionError("the worker did not keep the receipt page")


async def test_a_short_count_is_confirmed_with_its_reason_and_a_photo(site: Site, world: World) -> None:
    shipment = await arriving(world, "ASN-20")
    page, trouble = await site.page(world, "customer", f"/receipts/new?shipment={shipment}", PHONE)
    line = page.locator(FIRST)
    await expect(line.get_by_text("Complete")).to_be_visible()
    await expect(line.get_by_text("What happened")).to_be_hidden()
    await count_short(page)
    await expect(line.get_by_text("40 short")).to_be_visible()
    await expect(line.get_by_text("What happened to the 40 pcs?")).to_be_visible()
    await line.locator("[type=file]").set_input_files(PHOTO)
    await expect(line.locator(".cf-photos img")).to_be_visible()
    await expect(page.locator("[data-sum]")).to_contain_text("760 of 800 and 400 of 400 pcs")
    await page.get_by_role("button", name="Confirm 2 lines").click()

    await expect(page).to_have_url(f"{site.address}/receipts/{page.url.rpartition('/')[2]}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Receipt")
    assert await receipts_of(world, shipment) == [
        (Decimal(760), Decimal(40), "damaged", "One box wet."),
        (Decimal(400), Decimal(0), None, ""),
    ]
    assert await photos_of(world, shipment) == 1
    assert trouble.lines == []


async def test_a_difference_without_a_reason_is_asked_for_at_once(site: Site, world: World) -> None:
    shipment = await arriving(world, "ASN-21")
    page, trouble = await site.page(world, "customer", f"/receipts/new?shipment={shipment}", PHONE)
    await page.locator(FIRST).get_by_role("button", name="One box more").click()
    await page.get_by_role("button", name="Confirm 2 lines").click()
    await expect(page.locator(FIRST).get_by_text("Choose what happened.")).to_be_visible()
    assert await page.evaluate("document.activeElement.name.startsWith('reason.')")
    assert await receipts_of(world, shipment) == []
    assert trouble.lines == []


async def test_without_network_a_receipt_is_kept_over_a_reload_and_sent_once(site: Site, world: World) -> None:
    context, page, shipment = await at_the_dock(site, world, "ASN-22")
    await context.set_offline(True)
    await expect(page.locator("[data-offline]")).to_contain_text("There is no network.")
    await count_short(page)
    await page.locator(FIRST).locator("[type=file]").set_input_files(PHOTO)
    await page.get_by_role("button", name="Save on this device").click()
    await expect(page.locator("[data-offline]")).to_contain_text("1 receipt waiting to be sent")
    await expect(page.get_by_role("button", name="Saved on this device")).to_be_disabled()

    await page.reload()
    await expect(page.locator("[data-offline]")).to_contain_text("1 receipt waiting to be sent")
    assert await receipts_of(world, shipment) == []

    await context.set_offline(False)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Receipt R-", timeout=15_000)
    await page.reload()
    assert await receipts_of(world, shipment) == [
        (Decimal(760), Decimal(40), "damaged", "One box wet."),
        (Decimal(400), Decimal(0), None, ""),
    ]
    assert await photos_of(world, shipment) == 1
    assert await page.evaluate("localStorage.getItem('calloff-waiting')") is None


async def test_a_receipt_sent_too_late_stays_with_its_reason_until_somebody_decides(site: Site, world: World) -> None:
    context, page, shipment = await at_the_dock(site, world, "ASN-23")
    await context.set_offline(True)
    await expect(page.locator("[data-offline]")).to_contain_text("There is no network.")
    await count_short(page)
    await page.get_by_role("button", name="Save on this device").click()
    await expect(page.locator("[data-offline]")).to_contain_text("1 receipt waiting to be sent")
    async with unit_of_work(world.customer) as session:
        await service_receipts.receive(session, world.customer, UUID(shipment), None, Receive())

    await context.set_offline(False)
    refused = page.locator("[data-refused] li")
    await expect(refused).to_contain_text("ASN-23: Not accepted:", timeout=15_000)
    other = await arriving(world, "ASN-24")
    await page.goto(f"/receipts/new?shipment={other}")
    await expect(refused).to_contain_text("ASN-23: Not accepted:")
    await refused.get_by_role("button", name="Discard").click()
    await expect(refused).to_have_count(0)
    assert [row[0] for row in await receipts_of(world, shipment)] == [Decimal(800), Decimal(400)]


async def test_a_count_that_cannot_be_is_refused_beside_its_field(site: Site, world: World) -> None:
    shipment = await arriving(world, "ASN-25")
    page, trouble = await site.page(world, "customer", f"/receipts/new?shipment={shipment}", PHONE)
    trouble.refusals = True
    line = page.locator(FIRST)
    await line.get_by_label("Received").fill("2000")
    await line.get_by_label("Counted again").check()
    await page.get_by_role("button", name="Confirm 2 lines").click()
    await expect(line.locator("[data-error]")).to_be_visible()
    await expect(line.get_by_label("Received")).to_have_value("2000")
    assert await receipts_of(world, shipment) == []
    assert trouble.lines == []


async def test_after_signing_out_nothing_of_the_company_is_left_to_go_back_to(site: Site, world: World) -> None:
    token = await identity.sign_in(world.emails["customer"], PASSWORD, "dock", "net-dock")
    assert token is not None
    context = await site.person(None, "", worker=True)
    await context.add_cookies([{"name": "session", "value": token, "url": site.address}])
    page, _trouble = await watched(context)
    shipment = await arriving(world, "ASN-26")
    for path in ("/schedules", "/contracts/{contract_id}/schedule", f"/receipts/new?shipment={shipment}", "/"):
        await page.goto(world.address(path))
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.locator(".cf-person summary").click()
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url("**/sign-in")

    for _ in range(4):
        await page.go_back()
        await page.wait_for_load_state()
        assert "/sign-in" in page.url
        assert "FC-2026-014" not in await page.content()
    await context.set_offline(True)
    for path in ("/schedules", f"/receipts/new?shipment={shipment}"):
        with pytest.raises(Error, match=r"ERR_INTERNET_DISCONNECTED|ERR_FAILED"):
            await page.goto(world.address(path))
    await context.set_offline(False)
    await page.goto("/sign-in")
    held = await page.evaluate(
        "async () => { const all = []; for (const name of await caches.keys())"
        " for (const request of await (await caches.open(name)).keys()) all.push(new URL(request.url).pathname);"
        " return JSON.stringify(all); }"
    )
    assert {path.split("/")[1] for path in json.loads(held)} <= {"static"}
