"""The pages a seller ships on and a buyer receives on: without scripts, sent again from a queue, and refused."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar

from portal.accounts.model import MemberRestriction
from portal.app import create_app
from portal.core import files as store
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.schedules.model import ScheduleLine
from portal.shipments.model import Photo, Receipt, Shipment, ShipmentLine
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Made, Tenant, fetch, make_contract, make_deliveries, rows_of, today
from tests.shipments.makers import photo, png_bomb, sent, sums

D = Decimal


@pytest.fixture
def app(database: Settings) -> Litestar:
    return create_app(database)


@asynccontextmanager
async def signed_in(app: Litestar, actor: Actor, role: Role) -> AsyncIterator[Browser]:
    """A colleague of this role at the browser."""
    person = await make_person(actor, role)
    async with browsing(app, person.token) as browser:
        yield browser


@dataclass
class OnTheWay:
    """Two lines of one delivery note that a factory or a customer waits for."""

    made: Made
    lines: list[ScheduleLine]
    shipment: Shipment
    announced: list[ShipmentLine]

    @property
    def count(self) -> str:
        return f"/shipments/{self.shipment.id}/receipts"

    def fields(self, *received: str, **more: Any) -> dict[str, Any]:
        """The form as a browser sends it, with so much received of each line."""
        counts = {f"received.{line.id}": text for line, text in zip(self.announced, received, strict=True)}
        return {"version": "1", **counts, **more}


async def on_the_way(tenant: Tenant, direction: Direction = Direction.SALE) -> OnTheWay:
    made = await make_contract(tenant, direction)
    lines = await make_deliveries(tenant, made, [800, 400])
    shipment, announced = await sent(tenant, (lines[0], 800), (lines[1], 400), direction=direction)
    return OnTheWay(made, lines, shipment, announced)


async def post_files(
    browser: Browser, path: str, fields: dict[str, Any], pictures: list[tuple[str, bytes]], **headers: str
) -> httpx.Response:
    """The multipart form of the receipt page."""
    data = {"_csrf_token": browser.form_token, **fields}
    uploads = [(name, ("2026-11-24.jpg", content, "image/jpeg")) for name, content in pictures]
    return await browser.client.post(path, data=data, files=uploads or {"none": ("", b"")}, headers=headers)


# --- shipping ---------------------------------------------------------------------------------------------------------


async def test_a_supplier_ships_from_the_page_and_the_factory_reads_it(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, pack_size=D(40))
    first, second, later = await make_deliveries(tenant, made, [800, 400, 100])
    async with signed_in(app, tenant.supplier, Role.CLERK) as browser:
        only = await browser.open("/shipments/new")
        assert f'name="quantity.{first.id}"' in only.text
        other = await make_contract(tenant, Direction.PURCHASE)
        await make_deliveries(tenant, other, [50])
        choice = await browser.open("/shipments/new")
        for each in (made, other):
            assert f"/shipments/new?contract={each.contract.id}" in choice.text
        form = await browser.open(f"/shipments/new?line={first.id}")
        assert [str(first.id) in box for box in re.findall(r"<input type=\"checkbox\"[^>]*checked", form.text)] == [
            True
        ]
        assert f'name="quantity.{first.id}" type="text" value="800"' in form.text
        assert "Quantity, in pcs" in text_of(form)
        assert "Quantity per package, in pcs" in text_of(form)
        lines = {f"quantity.{first.id}": "1,200", f"quantity.{second.id}": "400", "line": [str(first.id)]}
        refused = await browser.send(f"/shipments?contract={made.contract.id}", number="ASN-9", **lines)
        assert refused.status_code == 422
        assert "1,200 is more than may still be shipped" in text_of(refused)
        assert 'value="ASN-9"' in refused.text
        lines |= {"line": [str(first.id), str(second.id)], f"quantity.{first.id}": "800"}
        lines |= {f"lot.{first.id}": "L7", "vehicle": "苏B·7K218", "shipped_on": today().isoformat()}
        done = await browser.send(f"/shipments?contract={made.contract.id}", number="ASN-9", **lines)
        assert done.status_code == 303, text_of(done)
        page = await browser.open(done.headers["location"])
        assert "20 boxes × 40" in text_of(page)
        again = await browser.send(f"/shipments?contract={made.contract.id}", number="ASN-9", line=[str(later.id)],
                                   **{f"quantity.{later.id}": "1"})  # fmt: skip
        assert again.status_code == 409
        assert "ASN-9 was already sent" in text_of(again)
        assert "New delivery note" in text_of(await browser.open("/shipments"))
    bought = await on_the_way(tenant)
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:  # who buys has nothing to send
        bought_list = text_of(await browser.open("/shipments"))
        assert (bought.shipment.number in bought_list, "New delivery note" in bought_list) == (True, False)
    async with signed_in(app, tenant.factory, Role.WAREHOUSE) as browser:
        waiting = text_of(await browser.open("/receipts"))
        assert "ASN-9" in waiting
        assert "苏B·7K218" in waiting
        assert "L7" in text_of(await browser.open(done.headers["location"]))
    assert (await sums(tenant.factory, first))[0] == 800
    assert (await sums(tenant.factory, later))[0] == 0


async def test_a_delivery_note_has_its_code_and_its_paper(tenant: Tenant, app: Litestar, database: Settings) -> None:
    truck = await on_the_way(tenant)
    async with signed_in(app, tenant.customer, Role.VIEWER) as browser:
        code = await browser.client.get(f"/shipments/{truck.shipment.id}/code.svg")
        paper = text_of(await browser.open(f"/shipments/{truck.shipment.id}/note"))
    assert code.headers["content-type"].startswith("image/svg+xml")
    assert code.text.startswith(("<?xml", "<svg"))
    assert f"{database.base_url}/r/{truck.shipment.scan_token}" in paper
    assert truck.shipment.number in paper


async def test_a_note_is_withdrawn_from_its_page(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    async with signed_in(app, tenant.factory, Role.SALES) as browser:
        await browser.open(f"/shipments/{truck.shipment.id}")
        assert (await browser.send(f"/shipments/{truck.shipment.id}/withdraw", version="2")).status_code == 409
        assert (await browser.send(f"/shipments/{truck.shipment.id}/withdraw", version="1")).status_code == 303
        assert "Withdrawn" in text_of(await browser.open("/shipments?view=withdrawn"))
    assert (await sums(tenant.customer, truck.lines[0]))[0] == 0


# --- scanning ---------------------------------------------------------------------------------------------------------


async def test_a_code_opens_the_receipt_for_its_buyer_only(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    address = f"/r/{truck.shipment.scan_token}"
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        assert (await browser.open(address)).headers["location"] == f"/receipts/new?shipment={truck.shipment.id}"
        for typed in (truck.shipment.number, f"https://elsewhere.example{address}"):
            found = await browser.client.get("/scan", params={"number": typed})
            assert found.headers["location"] == f"/receipts/new?shipment={truck.shipment.id}"
        unknown = await browser.open("/scan?number=ASN-0")
        assert (unknown.status_code, "No delivery note with this number" in text_of(unknown)) == (404, True)
        assert "camera=(self)" in unknown.headers["permissions-policy"]
    async with signed_in(app, tenant.factory, Role.WAREHOUSE) as browser:
        assert (await browser.open(address)).headers["location"] == f"/shipments/{truck.shipment.id}"
    async with signed_in(app, tenant.supplier, Role.CLERK) as browser:
        foreign, absent = await browser.open(address), await browser.open("/r/nothing")
        assert foreign.status_code == absent.status_code == 404
        assert text_of(foreign) == text_of(absent)
        assert (await browser.open(f"/receipts/new?shipment={truck.shipment.id}")).status_code == 404
    async with browsing(app) as nobody:
        answer = await nobody.open(address)
        assert answer.headers["location"] == f"/sign-in?next=/r/{truck.shipment.scan_token}"


# --- receiving --------------------------------------------------------------------------------------------------------


async def test_a_customer_counts_without_a_script_and_adds_a_photo(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    short = truck.announced[0].id
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        page = await browser.open(f"/receipts/new?shipment={truck.shipment.id}")
        said = text_of(page)
        for words in ("Confirm receipt", "Not on the truck", "Counted again", "Confirm 2 lines", "Hengyuan Precision"):
            assert words in said
        assert f'name="received.{short}" inputmode="decimal" autocomplete="off" required value="800"' in page.text
        fields = truck.fields("760", "400", **{f"reason.{short}": "damaged", f"note.{short}": "One box wet."})
        fields["request_id"] = re.findall(r'name="request_id" value="([^"]+)"', page.text)[0]
        answer = await post_files(browser, truck.count, fields, [(f"photo.{short}", photo())])
        assert answer.status_code == 303, text_of(answer)
        posted = await browser.open(answer.headers["location"])
        assert "40 pcs rejected · Damaged" in text_of(posted)
        assert "Correct the count" in text_of(posted)
    async with signed_in(app, tenant.factory, Role.VIEWER) as browser:
        seen = await browser.open(answer.headers["location"])
        assert "One box wet." in text_of(seen)
        assert "Correct the count" not in text_of(seen)
        picture = await browser.client.get(re.findall(r'src="(/photos/[^"]+)"', seen.text)[0])
        assert (picture.headers["content-type"], picture.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    async with signed_in(app, tenant.supplier, Role.PARTNER_ADMIN) as browser:
        assert (await browser.open(answer.headers["location"])).status_code == 404
        assert (await browser.client.get(picture.url.path)).status_code == 404
    assert await sums(tenant.factory, truck.lines[0]) == (800, 760, 40, "confirmed", None)
    assert await sums(tenant.factory, truck.lines[1]) == (400, 400, 0, "closed", "complete")


async def test_a_queue_may_send_its_entry_again_and_again(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    key = str(uuid4())
    fields = truck.fields("760", "400", **{f"reason.{truck.announced[0].id}": "not_on_truck"})
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        await browser.open(f"/receipts/new?shipment={truck.shipment.id}")
        sends = [post_files(browser, truck.count, fields, [], **{"idempotency-key": key}) for _ in range(5)]
        answers = await asyncio.gather(*sends)
        assert {(a.status_code, a.headers.get("location")) for a in answers} == {(303, f"/receipts/{key}")}
        final = await browser.client.get(f"/receipts/{key}")
        assert final.status_code == 200
        other = truck.fields("800", "400")
        changed = await post_files(browser, truck.count, other, [], **{"idempotency-key": key})
        assert changed.status_code == 409
        late = await post_files(browser, truck.count, other, [], **{"idempotency-key": str(uuid4())})
        assert late.status_code == 409
        assert re.search(r'role="alert"|<h1>[^<]+</h1>\s*<p>', late.text)
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(1,)]
    assert (await sums(tenant.factory, truck.lines[0]))[1] == 760


async def test_what_cannot_be_accepted_keeps_what_was_typed_and_stores_nothing(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    first = truck.announced[0].id
    damaged = {f"reason.{first}": "damaged", f"note.{first}": "Eine Kiste nass"}
    picture = (f"photo.{first}", photo())
    attempts: list[tuple[dict[str, Any], list[tuple[str, bytes]], int, str]] = [
        (truck.fields("760", "400"), [picture], 422, "760 of 800 counted"),
        (truck.fields("many", "400", **damaged), [picture], 422, "“many” is not a quantity"),
        (truck.fields("760", "1,5", **damaged), [picture], 422, "“1,5” is not a quantity"),
        (truck.fields("760", "400", **damaged), [(f"photo.{first}", b"<svg/>")], 422, "not a photo"),
        (truck.fields("760", "400", **damaged), [picture, (f"photo.{first}", png_bomb())], 422, "million pixels"),
        (truck.fields("760", "400", **damaged), [picture] * 7, 422, "up to 6 photos"),
        (truck.fields("760", "400", **damaged) | {"version": "3"}, [picture], 409, "you saw version 3"),
        (truck.fields("760", "400", **damaged | {f"reason.{first}": "stolen"}), [picture], 422, "Choose one of"),
        (truck.fields("900", "400"), [picture], 422, "may still be accepted"),
    ]
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        await browser.open(f"/receipts/new?shipment={truck.shipment.id}")
        for fields, pictures, status, sentence in attempts:
            answer = await post_files(browser, truck.count, fields, pictures)
            assert (answer.status_code, sentence in text_of(answer)) == (status, True), text_of(answer)
            assert f'value="{fields[f"received.{first}"]}"' in answer.text
            assert ("Eine Kiste nass" in answer.text) == (f"note.{first}" in fields)
    for model in (Receipt, Photo):
        assert await fetch(tenant.factory, rows_of(model), tenant.id) == [(0,)]
    assert not store.folder(tenant.id).exists()
    assert (await sums(tenant.factory, truck.lines[0]))[1:4] == (0, 0, "confirmed")


async def test_a_miscount_is_corrected_from_the_receipt(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    first = truck.announced[0].id
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        await browser.open(f"/receipts/new?shipment={truck.shipment.id}")
        fields = truck.fields("760", "400", **{f"reason.{first}": "damaged"})
        posted = await post_files(browser, truck.count, fields, [(f"photo.{first}", photo())])
        address = posted.headers["location"] + "/correct"
        form = await browser.open(address)
        assert f'required value="760" aria-describedby="error-{first}"' in form.text
        again = await post_files(browser, address, truck.fields("800", "400"), [])
        assert again.status_code == 303, text_of(again)
        assert "corrects an earlier one" in text_of(await browser.open(again.headers["location"]))
        assert "no longer counts" in text_of(await browser.open(posted.headers["location"]))
        assert (await post_files(browser, address, truck.fields("1", "400"), [])).status_code == 409
    assert await sums(tenant.factory, truck.lines[0]) == (800, 800, 0, "closed", "complete")
    assert await fetch(tenant.factory, rows_of(Photo), tenant.id) == [(2,)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
async def test_who_only_reads_sees_no_buttons_and_is_refused(tenant: Tenant, app: Litestar, role: Role) -> None:
    truck = await on_the_way(tenant)
    async with signed_in(app, tenant.customer, role) as browser:
        page = text_of(await browser.open(f"/shipments/{truck.shipment.id}"))
        assert "Confirm receipt" not in page
        assert (await browser.open(f"/receipts/new?shipment={truck.shipment.id}")).status_code == 403
        answer = await post_files(browser, truck.count, truck.fields("800", "400"), [])
        assert answer.status_code == 403
        assert (await browser.open("/shipments/new")).status_code == 403
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(0,)]


async def test_a_form_without_its_token_has_no_effect(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        browser.form_token = "another"
        answer = await post_files(browser, truck.count, truck.fields("800", "400"), [])
        assert answer.status_code == 403
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(0,)]


async def test_a_restricted_colleague_sees_only_its_contracts(tenant: Tenant, app: Litestar) -> None:
    mine, hidden = await on_the_way(tenant), await on_the_way(tenant)
    person = await make_person(tenant.customer, Role.CLERK)
    async with unit_of_work(tenant.customer) as session:
        session.add(
            MemberRestriction(
                tenant_id=tenant.id,
                party_id=tenant.customer.party_id,
                member_id=person.member_id,
                contract_id=mine.made.contract.id,
            )
        )
        await session.connection()
        from portal.accounts.model import Member

        member = await session.get(Member, (tenant.id, person.member_id))
        assert member is not None
        member.restricted = True
        session.add(member)
    async with browsing(app, person.token) as browser:
        for path in ("/shipments", "/receipts"):
            shown = text_of(await browser.open(path))
            assert (mine.shipment.number in shown, hidden.shipment.number in shown) == (True, False)
        assert (await browser.open(f"/shipments/{hidden.shipment.id}")).status_code == 404
        assert (await browser.open(f"/r/{hidden.shipment.scan_token}")).status_code == 404
        assert (await post_files(browser, hidden.count, hidden.fields("800", "400"), [])).status_code == 404
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(0,)]


async def test_pages_of_both_languages_say_the_same(tenant: Tenant, app: Litestar) -> None:
    truck = await on_the_way(tenant)
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        browser.client.cookies.set("language", "zh-CN")
        for path in ("/shipments", "/receipts", f"/shipments/{truck.shipment.id}", "/scan", "/shipments/new"):
            page = await browser.open(path)
            assert (page.status_code, "收货" in page.text) == (200, True)
        counting = text_of(await browser.open(f"/receipts/new?shipment={truck.shipment.id}"))
    for words in ("收货确认", "应收", "实收", "车上没有", "货物破损", "物料不符", "重新清点", "确认 2 行收货"):
        assert words in counting


async def test_lists_go_on_by_keys(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [1000])
    async with unit_of_work(tenant.factory) as session:
        base: dict[str, Any] = {"tenant_id": tenant.id, "party_id": tenant.customer.party_id}
        notes = [
            Shipment(**base, id=uuid7(), number=f"N{no}", year=2026, direction=Direction.SALE, shipped_on=today(),
                     scan_token=uuid4().hex)
            for no in range(60)
        ]  # fmt: skip
        session.add_all(notes)
        await session.flush()
        session.add_all(
            ShipmentLine(**base, shipment_id=note.id, schedule_line_id=line.id, contract_id=made.contract.id,
                         line_no=1, quantity=D(1), unit="H87")
            for note in notes
        )  # fmt: skip
    async with signed_in(app, tenant.customer, Role.CLERK) as browser:
        first = await browser.open("/shipments")
        following = re.findall(r'href="(/shipments\?cursor=[^"]+)"', first.text)[0]
        second = await browser.open(following.replace("&amp;", "&"))
    found = [re.findall(r">(N\d+)</a>", page.text) for page in (first, second)]
    assert [len(page) for page in found] == [50, 10]
    assert len({*found[0], *found[1]}) == 60
