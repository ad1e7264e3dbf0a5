"""Schedules over the interface: versions, keys, pages, and what each side reads back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.core.access import permissions_of
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from tests.factories import Tenant, fetch, make_contract
from tests.schedules.test_service import published


@asynccontextmanager
async def calling(settings: Settings, actor: Actor) -> AsyncIterator[httpx.AsyncClient]:
    """A program of this company, with a key of its administrator."""
    scopes = sorted(permissions_of(actor.scope, actor.role))
    async with unit_of_work(actor) as session:
        _, token = await create_key(session, actor, CreateKey(name="test", role=actor.role, scopes=scopes))
    transport = httpx.ASGITransport(app=create_app(settings))  # type: ignore[arg-type, unused-ignore]
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example", headers=headers) as client:
        yield client


def confirm(line_id: object, version: int, **headers: str) -> dict[str, Any]:
    return {
        "url": f"/api/v1/schedule-lines/{line_id}/confirm",
        "json": {"splits": []},
        "headers": {"if-match": f'"{version}"', **headers},
    }


async def test_a_program_confirms_and_the_other_side_reads_it_back(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    async with calling(database, tenant.supplier) as supplier:
        answer = await supplier.post(**confirm(line_id, 2))
        assert (answer.status_code, answer.headers["etag"]) == (200, '"3"'), answer.text
    async with calling(database, tenant.factory) as factory:
        shown = await factory.get(f"/api/v1/schedule-lines/{line_id}")
        history = await factory.get(f"/api/v1/schedule-lines/{line_id}/history")
    body = shown.json()
    assert (body["line"]["status"], body["line"]["confirmed_quantity"]) == ("confirmed", "100.000000")
    assert [part["quantity"] for part in body["promises"]] == ["100.000000"]
    assert (history.json()[0]["verb"], history.json()[0]["channel"]) == ("confirmed", "api")


@pytest.mark.parametrize(("headers", "status"), [({}, 428), ({"if-match": '"1"'}, 412), ({"if-match": "x"}, 412)])
async def test_a_write_without_the_version_in_force_is_refused(
    tenant: Tenant, database: Settings, headers: dict[str, str], status: int
) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    async with calling(database, tenant.supplier) as supplier:
        answer = await supplier.post(f"/api/v1/schedule-lines/{line_id}/confirm", json={"splits": []}, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert not await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line_id)


async def test_the_same_key_twice_confirms_once(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    key = {"idempotency-key": str(uuid4())}
    async with calling(database, tenant.supplier) as supplier:
        first = await supplier.post(**confirm(line_id, 2, **key))
        again = await supplier.post(**confirm(line_id, 2, **key))
        other = await supplier.post(
            f"/api/v1/schedule-lines/{line_id}/confirm",
            json={"splits": [{"quantity": "1", "delivery_date": "2030-01-01"}]},
            headers={"if-match": '"3"', **key},
        )
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert first.headers["etag"] == again.headers["etag"] == '"3"'
    assert other.json()["type"].endswith("idempotency-key-reused")
    assert len(await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line_id)) == 1


async def test_foreign_and_absent_lines_are_answered_alike(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.SALE)
    async with calling(database, tenant.supplier) as supplier:
        foreign = await supplier.post(**confirm(line_id, 2))
        absent = await supplier.post(**confirm(uuid4(), 2))
    assert foreign.status_code == absent.status_code == 404
    assert {**foreign.json(), "request_id": ""} == {**absent.json(), "request_id": ""}


async def test_pages_follow_the_cursor_without_gap_or_repeat(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, ("A100", "A120"))
    async with calling(database, tenant.factory) as factory:
        base = f"/api/v1/contracts/{made.contract.id}"
        generated = await factory.post(f"{base}/schedule-lines/generate", json={})
        released = await factory.post(f"{base}/releases", json={}, headers={"if-match": '"1"'})
        assert (generated.status_code, released.status_code) == (201, 201), (generated.text, released.text)
        seen: list[str] = []
        cursor: str | None = None
        while True:
            params = {"limit": "20", "contract_id": str(made.contract.id), **({"cursor": cursor} if cursor else {})}
            page = (await factory.get("/api/v1/schedule-lines", params=params)).json()
            seen += [row["id"] for row in page["items"]]
            if (cursor := page["next"]) is None:
                break
        releases = (await factory.get(f"{base}/releases")).json()
        release = (await factory.get(f"{base}/releases/1")).json()
    assert len(seen) == len(set(seen)) == generated.json()["lines"]
    assert [row["number"] for row in releases] == [1]
    assert len(release["lines"]) == len(seen)


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJhIiwiYiJd"])
async def test_a_broken_cursor_is_refused_in_words(tenant: Tenant, database: Settings, cursor: str) -> None:
    async with calling(database, tenant.factory) as factory:
        answer = await factory.get("/api/v1/schedule-lines", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "bad-cursor")


async def test_unreadable_and_unknown_bodies_are_refused(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    address, seen = f"/api/v1/schedule-lines/{line_id}/confirm", {"if-match": '"2"'}
    async with calling(database, tenant.supplier) as supplier:
        broken = await supplier.post(address, content=b"{", headers={**seen, "content-type": "application/json"})
        wrong = await supplier.post(address, json={"splits": [{"quantity": "-1", "delivery_date": "x"}]}, headers=seen)
    assert (broken.status_code, wrong.status_code) == (400, 422)
    assert {error["field"] for error in wrong.json()["errors"]} == {
        "splits.0.quantity", "splits.0.delivery_date",
    }  # fmt: skip
    assert not await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line_id)


async def test_what_is_wrong_with_a_field_is_said_in_the_readers_language(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    address, body = f"/api/v1/schedule-lines/{line_id}/confirm", {"splits": [{"quantity": "-1", "delivery_date": "x"}]}
    chinese, seen = {"accept-language": "zh-CN"}, {"if-match": '"2"'}
    async with calling(database, tenant.supplier) as supplier:
        english = await supplier.post(address, json=body, headers=seen)
        wrong = await supplier.post(address, json=body, headers=seen | chinese)
        query = await supplier.get("/api/v1/schedule-lines", params={"limit": "many"}, headers=chinese)
    assert english.json()["errors"] == [
        {"field": "splits.0.quantity", "detail": "Enter a number above 0."},
        {"field": "splits.0.delivery_date", "detail": "“x” is not a date. Write it as 2026-11-24."},
    ]
    assert wrong.json()["errors"] == [
        {"field": "splits.0.quantity", "detail": "请填写大于 0 的数。"},
        {"field": "splits.0.delivery_date", "detail": "“x”不是日期。请写成 2026-11-24。"},
    ]
    assert query.json()["errors"] == [{"field": "limit", "detail": "“many”不是整数。请写成 12。"}]
    assert not await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line_id)


async def test_without_a_key_nothing_is_told(tenant: Tenant, database: Settings) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    transport = httpx.ASGITransport(app=create_app(database))  # type: ignore[arg-type, unused-ignore]
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as nobody:
        for headers in ({}, {"authorization": "Bearer clk_nothing"}, {"authorization": "Basic x"}):
            answer = await nobody.get(f"/api/v1/schedule-lines/{line_id}", headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def events_after(client: httpx.AsyncClient, cursor: str | None = None) -> Any:
    """The next events. One shows as soon as no older transaction is open, and other tests on the server have some."""
    for _ in range(200):
        found = (await client.get("/api/v1/release-events", params={"cursor": cursor} if cursor else {})).json()
        if found["items"]:
            break
        await asyncio.sleep(0.05)
    return found


async def test_a_translator_follows_releases_and_fetches_each_whole(tenant: Tenant, database: Settings) -> None:
    made, line_id = await published(tenant, Direction.PURCHASE)
    await published(tenant, Direction.SALE)
    async with calling(database, tenant.factory) as factory, calling(database, tenant.supplier) as supplier:
        first = await events_after(supplier)
        assert [(each["event"], each["contract_id"]) for each in first["items"]] == [
            ("ReleasePublished", str(made.contract.id))
        ]
        (event,) = first["items"]
        found = await supplier.get(f"/api/v1/releases/{event['release_id']}")
        told, contract = found.json()["told"], found.json()["contract"]
        assert (contract["contract_number"], told["release"]["number"], told["standing"]["kind"]) == (
            made.contract.number, 1, "forecast",
        )  # fmt: skip
        assert [(line["schedule_line_id"], line["contract_line_id"]) for line in told["lines"]] == [
            (str(line_id), str(made.line.id))
        ]
        part = told["contents"]["parts"][str(made.line.id)]
        assert (part["cum_received"], part["documents"]) == ("0", [])
        path = f"/api/v1/contracts/{made.contract.id}/releases/1/acknowledge"
        assert (await supplier.post(path, headers={"if-match": found.headers["etag"]})).status_code == 200
        again = await events_after(supplier, first["cursor"])
        assert [each["event"] for each in again["items"]] == ["ReleaseAcknowledged"]
        last = (await supplier.get("/api/v1/release-events", params={"cursor": again["cursor"]})).json()
        assert last == {"items": [], "cursor": again["cursor"]}
        both = (await factory.get("/api/v1/release-events", params={"limit": 2})).json()
        rest = (await factory.get("/api/v1/release-events", params={"cursor": both["cursor"]})).json()
        assert [each["event"] for each in (*both["items"], *rest["items"])] == [
            "ReleasePublished", "ReleasePublished", "ReleaseAcknowledged",
        ]  # fmt: skip
        known = f"/api/v1/contracts/{made.contract.id}/known"
        before = (await supplier.get(known, params={"as_of": "2001-01-01T00:00:00"})).json()
        assert (before["forecast"], before["lines"]) == (None, [])
        now = (await supplier.get(known)).json()
        assert (now["forecast"], now["lines"][0]["stood"], now["lines"][0]["quantity"]) == (1, "proposed", "100.000000")
        assert (await supplier.get(known, params={"as_of": "long ago"})).status_code in (400, 422)
        bad = await factory.get("/api/v1/release-events", params={"cursor": "W1tdXQ"})
        assert (bad.status_code, bad.json()["type"].rpartition("/")[2]) == (422, "bad-cursor")
