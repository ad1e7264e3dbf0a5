"""Contracts and items over the interface: every answer as a caller's program reads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.core.access import Permission, Role, permissions_of
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.settings import Settings
from tests.contracts.makers import make_draft, make_item, make_proposed, new_line
from tests.factories import Tenant, fetch, today

BASE = "/api/v1/contracts"


@asynccontextmanager
async def calling(settings: Settings, actor: Actor, role: Role | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A program with a key of the actor's company."""
    role = role or actor.role
    scopes = sorted(permissions_of(actor.scope, role) & permissions_of(actor.scope, actor.role))
    data = CreateKey(name="ERP", scopes=[Permission(scope) for scope in scopes], role=role)
    async with unit_of_work(actor) as session:
        _key, token = await create_key(session, actor, data)
    transport = httpx.ASGITransport(app=create_app(settings))  # type: ignore[arg-type, unused-ignore]
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
        yield client


def body_of(tenant: Tenant, *codes: str, **more: Any) -> dict[str, Any]:
    line = {"foq": "600", "cadence": "week", "pack_size": "40", "ship_to_code": "WUX"}
    price = {"valid_from": "2026-01-01", "price": "12.500001"}
    return {
        "party_id": str(tenant.customer.party_id),
        "direction": "sale",
        "currency": "CNY",
        "valid_from": today().isoformat(),
        "lines": [{"item_code": code, **line, "prices": [price]} for code in codes],
        **more,
    }


def matching(response: httpx.Response) -> dict[str, str]:
    """The version just read, as the next write carries it."""
    return {"if-match": response.headers["etag"]}


async def test_a_contract_lives_over_the_wire_and_both_sides_read_the_same(tenant: Tenant, database: Settings) -> None:
    await make_item(tenant, "A100")
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        made = await factory.post(BASE, json=body_of(tenant, "A100"))
        assert made.status_code == 201, made.text
        url = f"{BASE}/{made.json()['id']}"
        assert (made.json()["status"], made.json()["actions"]) == ("draft", ["propose"])
        assert (await customer.get(url)).status_code == 404

        proposed = await factory.post(f"{url}/propose", headers=matching(made))
        assert proposed.json()["actions"] == ["withdraw"]
        seen = await customer.get(url)
        assert seen.json()["actions"] == ["accept", "counter", "decline"]
        accepted = await customer.post(f"{url}/accept", headers=matching(seen))
        assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
        active = await factory.post(f"{url}/activate", headers=matching(accepted))
        done = await factory.post(f"{url}/complete", headers=matching(active))
        assert (done.json()["status"], done.json()["actions"], done.headers["etag"]) == ("completed", [], '"5"')

        ours, theirs = (await factory.get(url)).json(), (await customer.get(url)).json()
        history = (await customer.get(f"{url}/history")).json()
    assert ours == theirs
    assert ours["lines"][0]["prices"][0]["price"] == "12.500001"
    assert Decimal(ours["lines"][0]["foq"]) == 600
    assert [entry["verb"] for entry in history] == ["completed", "activated", "accepted", "proposed", "created"]
    assert history[2]["data"]["sha256"] == ours["content_sha256"]


async def test_writes_carry_the_version_they_saw(tenant: Tenant, database: Settings) -> None:
    contract = await make_proposed(tenant)
    async with calling(database, tenant.customer) as customer:
        without = await customer.post(f"{BASE}/{contract.id}/accept")
        stale = await customer.post(f"{BASE}/{contract.id}/accept", headers={"if-match": '"1"'})
    assert (without.status_code, stale.status_code) == (428, 412)
    assert (without.json()["type"].rsplit("/")[-1], stale.json()["type"].rsplit("/")[-1]) == ("version-needed", "stale")
    rows = await fetch(tenant.factory, "select status, version from contract where id = $1", contract.id)
    assert tuple(rows[0]) == ("proposed", 2)


async def test_the_same_key_twice_makes_one_contract(tenant: Tenant, database: Settings) -> None:
    await make_item(tenant, "A100")
    async with calling(database, tenant.factory) as factory:
        headers = {"idempotency-key": "order-17"}
        first, second = [await factory.post(BASE, json=body_of(tenant, "A100"), headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    rows = await fetch(tenant.factory, "select count(*) from contract where tenant_id = $1", tenant.id)
    assert rows[0][0] == 1


async def test_foreign_and_absent_answer_alike_on_every_address(tenant: Tenant, database: Settings) -> None:
    contract = await make_proposed(tenant)
    match = {"if-match": '"2"'}
    async with calling(database, tenant.supplier) as supplier:
        for ending, method, json in (
            ("", "GET", None),
            ("/history", "GET", None),
            ("/accept", "POST", None),
            ("/decline", "POST", {"reason": "no"}),
        ):
            answers = [
                await supplier.request(method, f"{BASE}/{some}{ending}", json=json, headers=match)
                for some in (contract.id, uuid7())
            ]
            assert [answer.status_code for answer in answers] == [404, 404]
            for answer in answers:
                answer.json().pop("request_id", None)
            bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
            assert bodies[0] == bodies[1]
        assert (await supplier.get(BASE)).json() == {"items": [], "next": None}
    rows = await fetch(tenant.factory, "select status, version from contract where id = $1", contract.id)
    assert tuple(rows[0]) == ("proposed", 2)


async def test_prices_are_null_for_a_role_that_may_not_see_them(tenant: Tenant, database: Settings) -> None:
    contract = await make_proposed(tenant)
    async with calling(database, tenant.customer, Role.CLERK) as clerk:
        hidden = (await clerk.get(f"{BASE}/{contract.id}")).json()
    async with calling(database, tenant.customer) as admin:
        shown = (await admin.get(f"{BASE}/{contract.id}")).json()
    assert hidden["lines"][0]["prices"] is None
    assert [price["price"] for price in shown["lines"][0]["prices"]] == ["12.500000"]
    assert "'12.5" not in str(hidden)  # as a price begins; a time of day may hold these digits


async def test_a_viewer_writes_nothing(tenant: Tenant, database: Settings) -> None:
    contract = await make_draft(tenant)
    await make_item(tenant, "A100")
    match = {"if-match": '"1"'}
    async with calling(database, tenant.factory, Role.VIEWER) as viewer:
        answers = [
            await viewer.post(BASE, json=body_of(tenant, "A100")),
            await viewer.post(f"{BASE}/{contract.id}/propose", headers=match),
            await viewer.post(f"{BASE}/{contract.id}/lines", headers=match, json={"item_code": "A100"}),
            await viewer.post("/api/v1/items", json={"code": "Z", "description": "Z", "unit": "H87"}),
        ]
        assert (await viewer.get(f"{BASE}/{contract.id}")).json()["actions"] == []
    assert [answer.status_code for answer in answers] == [403] * 4
    rows = await fetch(tenant.factory, "select version from contract where tenant_id = $1", tenant.id)
    assert [row[0] for row in rows] == [1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "Yuan"}, "currency"),
        ({"valid_to": "2020-01-01"}, "valid_to"),
        ({"colour": "red"}, "colour"),
        ({"party_id": str(uuid7())}, "party_id"),
    ],
)
async def test_what_is_wrong_is_named_by_its_field(
    tenant: Tenant, database: Settings, change: dict[str, Any], field: str
) -> None:
    await make_item(tenant, "A100")
    async with calling(database, tenant.factory) as factory:
        answer = await factory.post(BASE, json=body_of(tenant, "A100", **change))
    assert answer.status_code == 422, answer.text
    assert field in answer.text
    rows = await fetch(tenant.factory, "select count(*) from contract where tenant_id = $1", tenant.id)
    assert rows[0][0] == 0


async def test_a_draft_is_written_line_by_line(tenant: Tenant, database: Settings) -> None:
    contract = await make_draft(tenant)
    await make_item(tenant, "B210")
    url = f"{BASE}/{contract.id}"
    async with calling(database, tenant.factory) as factory:
        line = await factory.post(f"{url}/lines", json={"item_code": "B210"}, headers={"if-match": '"1"'})
        line_url = f"{url}/lines/{line.json()['id']}"
        change = {"foq": "80", "cadence": "month", "firm_days": 14, "tradeoff_days": 42}
        changed = await factory.put(line_url, json=change, headers=matching(line))
        price = {"valid_from": "2027-01-01", "price": "9"}
        priced = await factory.post(f"{line_url}/prices", json=price, headers=matching(changed))
        whole = (await factory.get(url)).json()
        price_url = f"{line_url}/prices/{priced.json()['id']}"
        await factory.delete(price_url, headers=matching(priced))
        gone = await factory.delete(line_url, headers={"if-match": '"5"'})
        after = (await factory.get(url)).json()
        renamed = await factory.patch(
            url, json={"currency": "EUR", "valid_from": "2027-01-01", "title": "Castings"}, headers=matching(gone)
        )
    second = whole["lines"][1]
    assert (second["foq"], second["cadence"], second["firm_days"]) == ("80.000000", "month", 14)
    assert [entry["valid_from"] for entry in second["prices"]] == ["2027-01-01"]
    assert (len(after["lines"]), after["version"], renamed.json()["version"]) == (1, 6, 7)


async def test_the_list_pages_without_gaps_and_keeps_to_the_filter(tenant: Tenant, database: Settings) -> None:
    await make_item(tenant, "A100")
    made = [await make_draft(tenant, Direction.SALE, new_line("A100"), title=f"No {n}") for n in range(5)]
    await make_proposed(tenant, Direction.PURCHASE)
    async with calling(database, tenant.factory) as factory:
        rows: list[Any] = []
        cursor, calls = None, 0
        while calls == 0 or cursor:
            params = {"limit": "2", "direction": "sale", "status": "draft"} | ({"cursor": cursor} if cursor else {})
            page = (await factory.get(BASE, params=params)).json()
            rows, cursor, calls = rows + page["items"], page["next"], calls + 1
        found = (await factory.get(BASE, params={"search": "no 3"})).json()["items"]
        by_part = (await factory.get(BASE, params={"search": "a10"})).json()["items"]
        wild = (await factory.get(BASE, params={"search": "%"})).json()["items"]
        bad = [await factory.get(BASE, params=params) for params in ({"cursor": "x"}, {"limit": "201"})]
    assert [row["id"] for row in rows] == [str(contract.id) for contract in reversed(made)]
    assert calls == 3
    assert [row["title"] for row in found] == ["No 3"]
    assert (len(by_part), wild, rows[0]["lines"]) == (5, [], 1)
    assert [answer.status_code for answer in bad] == [422, 422]


async def test_a_key_of_a_restricted_colleague_does_not_exist_so_the_reader_sees_its_contracts_only(
    tenant: Tenant,
) -> None:
    from portal.contracts.reads import ContractFilter, list_contracts
    from portal.core.db import read

    mine, _others = await make_proposed(tenant), await make_proposed(tenant)
    colleague = replace(tenant.customer, contract_ids=frozenset({mine.id}))
    async with read(colleague) as connection:
        rows = await list_contracts(connection, colleague, ContractFilter(), None, 50)
    assert [row.id for row in rows] == [mine.id]


async def test_items_are_the_factorys_alone(tenant: Tenant, database: Settings) -> None:
    item = await make_item(tenant, "A100")
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as customer:
        url = f"/api/v1/items/{item.id}"
        one = await factory.get(url)
        changed = await factory.patch(url, json={"revision": "D"}, headers=matching(one))
        number = {"party_id": str(tenant.customer.party_id), "part_no": "AD-1"}
        added = await factory.post(f"{url}/part-numbers", json=number, headers=matching(changed))
        removed = await factory.delete(
            f"{url}/part-numbers/{added.json()['part_numbers'][0]['id']}", headers=matching(added)
        )
        listed = (await factory.get("/api/v1/items", params={"search": "a1"})).json()["items"]
        theirs = [await customer.get(path) for path in ("/api/v1/items", url, f"/api/v1/items/{uuid7()}")]
        stale = await factory.patch(url, json={"revision": "E"}, headers={"if-match": '"1"'})
    assert (changed.json()["revision"], removed.json()["part_numbers"], stale.status_code) == ("D", [], 412)
    assert [row["code"] for row in listed] == ["A100"]
    assert [answer.status_code for answer in theirs] == [404, 404, 404]
