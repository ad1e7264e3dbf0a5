"""Delivery notes and receipts over the interface: versions, keys, pages, and what the other company reads back."""

import asyncio
import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest

from portal.accounts.service_keys import CreateKey, create_key
from portal.core.access import Permission, Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.files import drawn_anew
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.schedules.model import ScheduleLine
from portal.shipments.counting import Receive
from portal.shipments.model import Receipt, Shipment
from tests.factories import Tenant, fetch, make_contract, make_deliveries, rows_of, today
from tests.schedules.test_api import calling
from tests.shipments.makers import counting, photo, receive, sent, sums

SHIPMENTS, RECEIPTS = "/api/v1/shipments", "/api/v1/receipts"


async def open_lines(tenant: Tenant, direction: Direction = Direction.PURCHASE) -> list[ScheduleLine]:
    return await make_deliveries(tenant, await make_contract(tenant, direction), [800, 400])


def note(number: str, *lines: tuple[ScheduleLine, str]) -> dict[str, Any]:
    return {"number": number, "lines": [{"line_id": str(line.id), "quantity": quantity} for line, quantity in lines]}


def seen(version: int) -> dict[str, str]:
    return {"if-match": f'"{version}"'}


async def test_a_supplier_ships_and_the_factory_receives(tenant: Tenant, database: Settings) -> None:
    first, second = await open_lines(tenant)
    async with calling(database, tenant.supplier) as supplier, calling(database, tenant.factory) as factory:
        made = await supplier.post(SHIPMENTS, json=note("ASN-1", (first, "800"), (second, "400")))
        assert (made.status_code, made.headers["etag"], made.json()["actions"]) == (201, '"1"', ["change", "withdraw"])
        shipment = (await factory.get(f"{SHIPMENTS}/{made.json()['id']}")).json()
        assert (shipment["shipment"]["number"], shipment["actions"]) == ("ASN-1", ["receive"])
        line = shipment["lines"][0]["id"]
        count = {"lines": [{"shipment_line_id": line, "good": "760", "problem": "damaged", "note": "wet"}]}
        address = f"{SHIPMENTS}/{made.json()['id']}/receipts"
        posted = await factory.post(address, json=count, headers=seen(1))
        assert (posted.status_code, posted.json()["number"]) == (201, "R-1"), posted.text
        assert posted.json()["received_on"] == today().isoformat()
        rest = await factory.post(address, json={}, headers=seen(2))
        assert rest.status_code == 201

        read = (await supplier.get(f"{RECEIPTS}/{posted.json()['id']}")).json()
        assert [(r["accepted"], r["rejected"], r["problem"], r["note"]) for r in read["lines"]] == [
            ("760.000000", "40.000000", "damaged", "wet")
        ]
        after = (await supplier.get(f"{SHIPMENTS}/{made.json()['id']}")).json()
        assert (after["shipment"]["status"], after["shipment"]["version"]) == ("received", 3)
        history = (await supplier.get(f"{SHIPMENTS}/{made.json()['id']}/history")).json()
        assert sorted((entry["verb"], entry["channel"]) for entry in history) == [
            ("received", "api"), ("received", "api"), ("sent", "api")
        ]  # fmt: skip
    assert await sums(tenant.supplier, first) == (800, 760, 40, "confirmed", None)
    assert await sums(tenant.supplier, second) == (400, 400, 0, "closed", "complete")


async def test_a_receipt_is_corrected_and_the_former_names_its_successor(tenant: Tenant, database: Settings) -> None:
    first, _ = await open_lines(tenant)
    shipment, (announced,) = await sent(tenant, (first, 800))
    receipt = await receive(tenant.factory, shipment, Receive())
    count = {"lines": [{"shipment_line_id": str(announced.id), "good": "760", "problem": "not_on_truck"}]}
    async with calling(database, tenant.factory) as factory, calling(database, tenant.supplier) as supplier:
        assert (await supplier.post(f"{RECEIPTS}/{receipt.id}/correct", json=count)).status_code in {403, 409}
        fixed = await factory.post(f"{RECEIPTS}/{receipt.id}/correct", json=count)
        assert (fixed.status_code, fixed.json()["corrects_id"]) == (201, str(receipt.id))
        former = (await supplier.get(f"{RECEIPTS}/{receipt.id}")).json()
        assert former["receipt"]["replaced_by"] == fixed.json()["id"]
    assert await sums(tenant.supplier, first) == (800, 760, 0, "confirmed", None)


@pytest.mark.parametrize(("headers", "status"), [({}, 428), (seen(7), 412), ({"if-match": "x"}, 412)])
@pytest.mark.parametrize("action", ["receipts", "withdraw"])
async def test_a_write_without_the_version_in_force_is_refused(
    tenant: Tenant, database: Settings, action: str, headers: dict[str, str], status: int
) -> None:
    first, _ = await open_lines(tenant)
    shipment, _ = await sent(tenant, (first, 800))
    async with calling(database, tenant.factory if action == "receipts" else tenant.supplier) as client:
        answer = await client.post(f"{SHIPMENTS}/{shipment.id}/{action}", json={}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(0,)]
    assert (await sums(tenant.factory, first))[0] == 800


async def test_the_same_key_twice_is_one_shipment_and_one_receipt(tenant: Tenant, database: Settings) -> None:
    first, _ = await open_lines(tenant)
    async with calling(database, tenant.supplier) as supplier, calling(database, tenant.factory) as factory:
        key = {"idempotency-key": str(uuid4())}
        body = note("ASN-1", (first, "800"))
        answers = await asyncio.gather(*(supplier.post(SHIPMENTS, json=body, headers=key) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        for name in ("content-type", "etag", "location"):
            assert len({answer.headers[name] for answer in answers}) == 1, name
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 3
        changed = await supplier.post(SHIPMENTS, json=note("ASN-2", (first, "1")), headers=key)
        assert changed.status_code == 422
        address = f"{SHIPMENTS}/{answers[0].json()['id']}/receipts"
        posts = [factory.post(address, json={}, headers=seen(1) | key) for _ in range(4)]
        assert len({answer.json()["id"] for answer in await asyncio.gather(*posts)}) == 1
    for model in (Shipment, Receipt):
        assert await fetch(tenant.factory, rows_of(model), tenant.id) == [(1,)]


async def test_refusals_name_the_field_and_change_nothing(tenant: Tenant, database: Settings) -> None:
    first, second = await open_lines(tenant)
    (sold,) = await make_deliveries(tenant, await make_contract(tenant, Direction.SALE), [10])
    attempts = [
        (note("ASN-1", (first, "800"), (second, "401")), 422, "lines.1.quantity"),
        (note("", (first, "1")), 422, None),
        (note("A\nB", (first, "1")), 422, None),
        (note("ASN-1"), 422, None),
        (note("ASN-1", (first, "0")), 422, None),
        (note("ASN-1", (first, "NaN")), 422, None),
        (note("ASN-1", (first, "1.5")), 422, "lines.0.quantity"),
        (note("ASN-1", (first, "1"), (sold, "1")), 404, None),
        (note("ASN-1", (first, "1")) | {"party_id": str(tenant.customer.party_id)}, 422, None),
        (note("ASN-1", (first, "1")) | {"shipped_on": "2999-01-01"}, 422, "shipped_on"),
    ]
    async with calling(database, tenant.supplier) as supplier:
        for body, status, field in attempts:
            answer = await supplier.post(SHIPMENTS, json=body)
            assert answer.status_code == status, (body, answer.text)
            assert field is None or answer.json()["errors"][0]["field"] == field
    assert await fetch(tenant.factory, rows_of(Shipment), tenant.id) == [(0,)]
    assert (await sums(tenant.factory, first))[0] == 0


async def test_foreign_and_absent_documents_answer_alike(tenant: Tenant, database: Settings) -> None:
    first, _ = await open_lines(tenant)
    shipment, (announced,) = await sent(tenant, (first, 800))
    picture = await drawn_anew(photo())
    receipt = await receive(tenant.factory, shipment, counting(announced, 800), picture)
    (row,) = await fetch(tenant.factory, "select id from photo where tenant_id = $1", tenant.id)
    async with calling(database, tenant.supplier) as supplier:
        own = await supplier.get(f"{RECEIPTS}/{receipt.id}/photos/{row['id']}")
        assert (own.status_code, own.headers["content-type"]) == (200, "image/jpeg")
        assert (await supplier.get(f"{RECEIPTS}/{uuid7()}/photos/{row['id']}")).status_code == 404

    def same(answer: httpx.Response) -> tuple[Any, ...]:
        body = answer.json()
        return answer.status_code, body["detail"], sorted(body)

    async with calling(database, tenant.customer) as stranger:
        for address, real in ((SHIPMENTS, shipment.id), (RECEIPTS, receipt.id)):
            answers = [await stranger.get(f"{address}/{document}") for document in (real, uuid7())]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert same(answers[0]) == same(answers[1])
        for path in (f"{SHIPMENTS}/{shipment.id}/withdraw", f"{SHIPMENTS}/{shipment.id}/receipts"):
            assert (await stranger.post(path, json={}, headers=seen(1))).status_code == 404
        assert (await stranger.get(SHIPMENTS)).json()["items"] == []
        assert (await stranger.get(RECEIPTS)).json()["items"] == []


async def test_a_key_of_a_viewer_reads_and_cannot_write(tenant: Tenant, database: Settings) -> None:
    first, _ = await open_lines(tenant)
    shipment, _ = await sent(tenant, (first, 100))
    async with unit_of_work(tenant.supplier) as session:
        _, token = await create_key(
            session, tenant.supplier, CreateKey(name="r", role=Role.VIEWER, scopes=[Permission.READ])
        )
    async with calling(database, tenant.supplier) as client:
        client.headers["authorization"] = f"Bearer {token}"
        assert (await client.get(f"{SHIPMENTS}/{shipment.id}")).status_code == 200
        assert (await client.post(SHIPMENTS, json=note("ASN-2", (first, "1")))).status_code == 403
        assert (await client.post(f"{SHIPMENTS}/{shipment.id}/withdraw", headers=seen(1))).status_code == 403
    assert (await sums(tenant.factory, first))[0] == 100


async def test_cursor_pages_hold_every_note_once(tenant: Tenant, database: Settings) -> None:
    first, _ = await open_lines(tenant)
    for _ in range(5):
        shipment, _ = await sent(tenant, (first, 10))
        await receive(tenant.factory, shipment, Receive())
    async with calling(database, tenant.supplier) as client:
        for address in (SHIPMENTS, RECEIPTS):
            found, cursor = [], None
            while True:
                page = (await client.get(address, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
                found += [item["id"] for item in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
            assert len(found) == len(set(found)) == 5
        received = (await client.get(SHIPMENTS, params={"view": "received", "direction": "purchase"})).json()
        assert len(received["items"]) == 5
        one = (await client.get(SHIPMENTS, params={"search": shipment.number})).json()
        assert [item["id"] for item in one["items"]] == [str(shipment.id)]
        broken = base64.urlsafe_b64encode(b'["x"]').decode()
        for query in ({"cursor": broken}, {"limit": 201}, {"view": "nothing"}):
            assert (await client.get(SHIPMENTS, params=query)).status_code in {400, 422}


async def test_the_seller_says_anew_when_the_goods_come(tenant: Tenant, database: Settings) -> None:
    first, _ = await open_lines(tenant)
    shipment, _ = await sent(tenant, (first, 800))
    address, said = f"{SHIPMENTS}/{shipment.id}/transport", {"carrier": "Deppon", "expected_on": str(today())}
    async with calling(database, tenant.supplier) as supplier, calling(database, tenant.factory) as factory:
        assert (await supplier.post(address, json=said)).status_code == 428
        assert (await supplier.post(address, json=said, headers=seen(7))).status_code == 412
        assert (await factory.post(address, json=said, headers=seen(1))).status_code == 409, "the buyer drives nothing"
        early = await supplier.post(address, json={"expected_on": "2020-01-01"}, headers=seen(1))
        assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "expected_on")
        assert (await factory.get(f"{SHIPMENTS}/{shipment.id}")).headers["etag"] == '"1"'

        changed = await supplier.post(address, json=said, headers=seen(1))
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"'), changed.text
        again = await supplier.post(address, json=said, headers=seen(2))
        assert again.headers["etag"] == '"2"', "the same words change nothing"
        read = (await factory.get(f"{SHIPMENTS}/{shipment.id}")).json()["shipment"]
        assert (read["carrier"], read["expected_on"]) == ("Deppon", str(today()))
        (entry, _sent) = (await factory.get(f"{SHIPMENTS}/{shipment.id}/history")).json()
        assert (entry["verb"], entry["data"]["before"]["carrier"], entry["data"]["after"]["carrier"]) == (
            *("transport_changed", "", "Deppon"),
        )
        await receive(tenant.factory, shipment, Receive(), version=2)
        assert (await supplier.post(address, json={}, headers=seen(3))).status_code == 409
    told = await fetch(tenant.factory, "select count(*) from outbox where name = 'ShipmentChanged'")
    assert told == [(1,)]
    assert await sums(tenant.factory, first) == (800, 800, 0, "closed", "complete")


async def test_photos_come_over_the_interface_while_a_receipt_can_be_corrected(
    tenant: Tenant, database: Settings
) -> None:
    first, _ = await open_lines(tenant)
    shipment, (announced,) = await sent(tenant, (first, 800))
    receipt = await receive(tenant.factory, shipment, counting(announced, 800))
    address = f"{RECEIPTS}/{receipt.id}/photos"
    one = ("file", ("damage.jpg", photo(), "image/jpeg"))
    async with calling(database, tenant.factory) as factory, calling(database, tenant.supplier) as supplier:
        for refused in (
            await supplier.post(address, files=[one]),
            await factory.post(address, files=[("other", ("a.jpg", photo()))]),
            await factory.post(address, files=[one, ("file", ("a.jpg", b"no picture"))]),
            await factory.post(address, json={}),
        ):
            assert refused.status_code in {400, 409, 422}, refused.text
        assert (await factory.get(f"{RECEIPTS}/{receipt.id}")).json()["photos"] == []

        added = await factory.post(address, files=[one, one])
        assert added.status_code == 201, added.text
        assert len(added.json()) == 1, "the same picture twice is one"
        assert (await factory.post(address, files=[one])).json() == added.json()
        seen_by_other = (await supplier.get(f"{RECEIPTS}/{receipt.id}")).json()["photos"]
        assert seen_by_other == added.json()
        assert (await supplier.get(f"{address}/{seen_by_other[0]['id']}")).content[:2] == b"\xff\xd8"
        verbs = [entry["verb"] for entry in (await supplier.get(f"{SHIPMENTS}/{shipment.id}/history")).json()]
        assert verbs.count("photos_added") == 1
