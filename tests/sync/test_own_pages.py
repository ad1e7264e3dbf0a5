"""The pages, the interface and the command of a factory's own spreadsheets."""

from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.core.access import Permission
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from portal.sync.own_command import bring
from portal.sync.own_fields import Target
from portal.sync.service_own import UnknownMapping
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.makers import make_item
from tests.factories import Tenant, fetch
from tests.sync.books import state
from tests.sync.own_files import gb_csv

HEAD = ("合同编号", "客户", "料号", "数量", "单价", "开始日期", "备注")
ROWS = (
    ("HT-1", "Aurora", "A100", "1,200 pcs", "12.50", "2026年8月15日", ""),
    ("HT-2", "Aurora", "A100", "many", "12.50", "2026年8月15日", ""),
)
CHOSEN = ["number", "partner", "item_code", "target_quantity", "price", "valid_from", ""]
MADE = "select id, number from contract where tenant_id = $1"


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    return create_app(database)


async def sent(browser: Browser, content: bytes, target: str = "contracts") -> httpx.Response:
    data = {"_csrf_token": browser.form_token, "target": target}
    files = {"file": ("own.csv", content, "application/octet-stream")}
    return await browser.client.post("/imports/own", data=data, files=files)


async def test_a_file_is_mapped_tried_applied_and_taken_back_in_pages(app: Litestar, tenant: Tenant) -> None:
    await make_item(tenant, "A100")
    before = await state(tenant)
    person = await make_person(tenant.factory, tenant.factory.role, "Ann Weber")
    async with browsing(app, person.token) as browser:
        await browser.open("/imports/own")
        assert (await sent(browser, b"")).status_code == 422
        assert (await sent(browser, gb_csv(HEAD, *ROWS), "people")).status_code == 422
        where = (await sent(browser, gb_csv(("框架合同",), HEAD, *ROWS))).headers["location"]
        shown = await browser.open(where)
        assert "Columns to be mapped" in text_of(shown)
        assert "1,200 pcs · many" in text_of(shown)
        assert '<option value="target_quantity" selected>' in shown.text
        assert "column A" in text_of(await browser.open(f"{where}?header=3"))
        form = {"header": "2", "column": CHOSEN, "fill_down": "yes", "currency": "cny", "save_as": "客户表"}
        twice = await browser.send(f"{where}/mapping", **form | {"column": ["number", "number"]})
        assert (twice.status_code, "Two columns are mapped" in text_of(twice)) == (422, True)
        few = await browser.send(f"{where}/mapping", **form | {"column": ["number"]})
        assert "Say which column holds: Partner, Item code, Valid from." in text_of(few)
        assert (await browser.send(f"{where}/mapping", **form)).status_code == 303
        tried = text_of(await browser.open(where))
        assert "Nothing is written yet" in tried
        assert "“many” is not a number." in tried
        assert (await browser.send(f"{where}/apply")).status_code == 303
        assert (await browser.open(f"{where}/rest")).content.startswith(b"PK")
        assert "HT-1" in text_of(await browser.open(where))
        assert "客户表" in text_of(await browser.open("/imports/own"))
        assert "own.csv" in text_of(await browser.open("/imports"))
        assert len(await fetch(tenant.factory, MADE, tenant.id)) == 1
        assert (await browser.send(f"{where}/undo")).status_code == 303
        assert "Taken back as a whole" in text_of(await browser.open(where))
    assert (await state(tenant))[:3] == before[:3]


async def test_the_interface_does_the_same(app: Litestar, tenant: Tenant) -> None:
    await make_item(tenant, "A100")
    scopes = [Permission.READ, Permission.RUN_IMPORTS, Permission.EDIT_CONTRACTS, Permission.SEE_PRICES]
    async with unit_of_work(tenant.factory) as session:
        _key, secret = await create_key(session, tenant.factory, CreateKey(name="ERP", scopes=scopes, days=3))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type, unused-ignore]
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, headers=headers, base_url="http://portal.example") as client:
        answer = await client.post(
            "/api/v1/own-imports",
            data={"target": "contracts"},
            files={"file": ("own.csv", gb_csv(HEAD, *ROWS), "application/octet-stream")},
        )
        assert answer.status_code == 201, answer.text
        run = answer.json()
        assert [column["field"] for column in run["columns"]] == CHOSEN
        where = f"/api/v1/own-imports/{run['id']}"
        columns = {column["field"]: column["column"] for column in run["columns"] if column["field"]}
        tried = await client.post(f"{where}/mapping", json={"header": 1, "columns": columns, "currency": "CNY"})
        assert (tried.json()["good"], tried.json()["refused"][0]["value"]) == (1, "many")
        applied = (await client.post(f"{where}/apply")).json()
        assert (applied["status"], applied["documents"][0]["label"]) == ("applied", "HT-1")
        assert (await client.get(f"/api/v1/contracts/{applied['documents'][0]['id']}")).json()["number"] == "HT-1"
        assert (await client.post(f"{where}/apply")).status_code == 409
        assert (await client.post(f"{where}/undo")).json()["status"] == "undone"
        assert (await client.get(where)).json()["status"] == "undone"


async def test_the_command_tries_and_applies(tenant: Tenant, database: Settings) -> None:
    await make_item(tenant, "A100")
    (row,) = await fetch(tenant.factory, "select code from tenant where tenant_id = $1", tenant.id)
    given = (str(database.database_url), gb_csv(HEAD, *ROWS), "own.csv", Target.CONTRACTS.value, row["code"])
    with pytest.raises(UnknownMapping):
        await bring(*given, "nothing of this name", dry_run=True)
    before = await state(tenant)
    found = await bring(*given, None, dry_run=True)
    assert (found.good, len(found.refused)) == (1, 1)
    assert await state(tenant) == before
    found = await bring(*given, None, dry_run=False)
    (made,) = await fetch(tenant.factory, MADE, tenant.id)
    assert (UUID(str(made["id"])), made["number"]) == (found.made[0].id, "HT-1")
