"""The imports page and its interface: a file is checked before anybody applies it, and applied as a whole."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from portal.sync.scms_demo import write_csv
from portal.sync.service_runs import go_on
from portal.sync.table import Table
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Tenant, fetch
from tests.sync.samples import some, with_cell


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    return create_app(database)


@asynccontextmanager
async def signed_in(app: Litestar, company: Actor, role: Role | None = None) -> AsyncIterator[Browser]:
    person = await make_person(company, role or company.role, "Ann Weber")
    async with browsing(app, person.token) as browser:
        yield browser


def as_file(table: Table, folder: Path) -> bytes:
    path = folder / "deliveries.csv"
    write_csv(table, path)
    return path.read_bytes()


async def work(tenant: Tenant, run_id: str) -> None:
    """What the worker does when it hears of the run."""
    await go_on(Actor.system(tenant.id, tenant.factory.party_id), UUID(run_id))


async def lines_of(tenant: Tenant) -> int:
    (row,) = await fetch(tenant.factory, "select count(*) from schedule_line where tenant_id = $1", tenant.id)
    return int(row[0])


async def post_file(browser: Browser, content: bytes) -> httpx.Response:
    data = {"_csrf_token": browser.form_token}
    return await browser.client.post("/imports", data=data, files={"file": ("deliveries.csv", content, "text/csv")})


async def send(browser: Browser, content: bytes) -> str:
    """Send a file by the form; returns the run."""
    answer = await post_file(browser, content)
    assert answer.status_code == 303
    return answer.headers["location"].rpartition("/")[2]


async def test_a_file_is_previewed_then_applied_as_a_whole(app: Litestar, tenant: Tenant, tmp_path: Path) -> None:
    async with signed_in(app, tenant.factory, Role.PLANNER) as browser:
        run_id = await send(browser, as_file(some(40), tmp_path))
        assert "every 1s" in (await browser.open(f"/imports/{run_id}")).text
        await work(tenant, run_id)
        shown = text_of(await browser.open(f"/imports/{run_id}"))
        assert "Ready to apply" in shown
        assert "Nothing is written yet" in shown
        assert await lines_of(tenant) == 0
        assert (await browser.send(f"/imports/{run_id}/apply")).status_code == 303
        await work(tenant, run_id)
        await work(tenant, run_id)  # the job may run twice
        page = await browser.open(f"/imports/{run_id}")
        assert "40 new deliveries" in text_of(page)
        assert "every 1s" not in page.text
        assert await lines_of(tenant) == 40
        assert "deliveries.csv" in text_of(await browser.open("/imports"))
        assert (await browser.send(f"/imports/{run_id}/apply")).status_code == 409
        again = await send(browser, as_file(some(40), tmp_path))
        await work(tenant, again)
        same = await browser.open(f"/imports/{again}")
        assert ("Nothing to write" in text_of(same), "Apply the file" in text_of(same)) == (True, False)


async def test_a_refused_file_lists_every_row_and_writes_nothing(app: Litestar, tenant: Tenant, tmp_path: Path) -> None:
    bad = with_cell(with_cell(some(40), 5, "Line Item Quantity", "many"), 9, "Country", "Atlantis")
    async with signed_in(app, tenant.factory) as browser:
        run_id = await send(browser, as_file(bad, tmp_path))
        await work(tenant, run_id)
        page = await browser.open(f"/imports/{run_id}")
        assert 'data-label="Row">5</th>' in page.text, "on a phone the number stands without its column"
        shown = text_of(page)
        assert "“many” is not a number." in shown
        assert "“Atlantis” is not a country" in shown
        assert (await browser.send(f"/imports/{run_id}/apply")).status_code == 409
        table = await browser.open(f"/imports/{run_id}/refused?kind=csv")
        rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
        assert [row[:2] for row in rows[1:]] == [["5", "Line Item Quantity"], ["9", "Country"]]
    assert await lines_of(tenant) == 0


async def test_a_file_that_is_no_table_says_so(app: Litestar, tenant: Tenant) -> None:
    async with signed_in(app, tenant.factory) as browser:
        run_id = await send(browser, b"\x00\x01\x02 no table at all")
        await work(tenant, run_id)
        assert "Refused" in text_of(await browser.open(f"/imports/{run_id}"))
        answer = await post_file(browser, b"")
        assert answer.status_code == 422
        assert "not empty" in text_of(answer)


async def test_imports_are_the_factorys(app: Litestar, tenant: Tenant, tmp_path: Path) -> None:
    async with signed_in(app, tenant.factory) as browser:
        run_id = await send(browser, as_file(some(20), tmp_path))
    for company, role, expected in (
        (tenant.customer, Role.PARTNER_ADMIN, {403, 404}),
        (tenant.supplier, Role.PARTNER_ADMIN, {403, 404}),
        (tenant.factory, Role.VIEWER, {403}),
    ):
        async with signed_in(app, company, role) as other:
            assert (await other.open("/imports")).status_code in expected
            assert (await other.open(f"/imports/{run_id}")).status_code in expected
            assert (await other.send(f"/imports/{run_id}/apply")).status_code in expected


async def test_the_interface_imports_the_same_way(app: Litestar, tenant: Tenant, tmp_path: Path) -> None:
    async with unit_of_work(tenant.factory) as session:
        scopes = [Permission.READ, Permission.RUN_IMPORTS]
        _key, token = await create_key(session, tenant.factory, key_for(scopes))
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(cast(Any, app))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal/api/v1", headers=headers) as api:
        sent = await api.post("/imports", files={"file": ("d.csv", as_file(some(40), tmp_path), "text/csv")})
        assert sent.status_code == 202, sent.text
        run_id = sent.json()["id"]
        await work(tenant, run_id)
        found = (await api.get(f"/imports/{run_id}")).json()
        assert (found["status"], found["new"], found["figures"]["lines"]) == ("previewed", 40, 40)
        assert (await api.post(f"/imports/{run_id}/apply")).status_code == 202
        await work(tenant, run_id)
        found = (await api.get(f"/imports/{run_id}")).json()
        assert (found["status"], found["done"], found["changed"] > 40) == ("applied", 40, True)
        assert Decimal(found["figures"]["value_usd"]) > 0
        assert [row["id"] for row in (await api.get("/imports")).json()["items"]] == [run_id]


def key_for(scopes: list[Permission]) -> Any:
    return CreateKey(name="importer", role=Role.PLANNER, scopes=scopes)
