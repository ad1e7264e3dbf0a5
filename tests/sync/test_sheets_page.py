"""The pages and the interface of contract workbooks: out, back, a look at what changes, applied."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from litestar import Litestar

from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.contracts.service import get_lines
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.makers import make_draft
from tests.factories import Tenant, today
from tests.sync.books import edited, state, write

FOQ = "Fixed quantity per period"


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    return create_app(database)


@asynccontextmanager
async def signed_in(app: Litestar, company: Actor, role: Role | None = None) -> AsyncIterator[Browser]:
    person = await make_person(company, role or company.role, "Ann Weber")
    async with browsing(app, person.token) as browser:
        yield browser


async def post_book(browser: Browser, content: bytes, day: str = "") -> httpx.Response:
    data = {"_csrf_token": browser.form_token, "effective_from": day or today().isoformat()}
    sent = {"file": ("contracts.xlsx", content, "application/octet-stream")}
    return await browser.client.post("/contracts/sheets", data=data, files=sent)


async def test_a_workbook_goes_out_comes_back_and_is_applied(app: Litestar, tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    async with signed_in(app, tenant.factory, Role.BUYER) as browser:
        assert "/contracts/sheets" in (await browser.open("/contracts")).text
        await browser.open("/contracts/sheets")
        out = await browser.open(f"/contracts/workbook?contract={contract.id}")
        assert "attachment" in out.headers["content-disposition"]
        book = edited(out.content, write("Lines", 2, FOQ, 800), write("Lines", 2, "Pack size", -3))
        answer = await post_book(browser, edited(book, write("Lines", 2, "Pack size", 40)))
        where = answer.headers["location"]
        shown = text_of(await browser.open(where))
        assert "Nothing is applied yet" in shown
        assert "Drafts change as soon as you apply." in shown
        assert "800" in shown
        assert (await browser.send(f"{where}/apply")).status_code == 303
        assert "1 draft was changed." in text_of(await browser.open(where))
        assert (await browser.send(f"{where}/apply")).status_code == 409
        where = (await post_book(browser, book)).headers["location"]
        assert "is below zero" in text_of(await browser.open(where))
        rest = await browser.open(f"{where}/rest")
        assert rest.content.startswith(b"PK")
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        assert line.foq == 800


async def test_what_is_no_workbook_of_ours_is_refused_beside_its_field(app: Litestar, tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    async with signed_in(app, tenant.factory) as browser:
        out = (await browser.open("/contracts/workbook")).content
        before = await state(tenant)
        plain = edited(out, lambda book: book.remove(book["calloff"]))
        for content, day, said in (
            (b"", "", "Choose a file that is not empty."),
            (b"PK\x03\x04 no more", "", "damaged"),
            (plain, "", "This is no workbook that the portal made for this page."),
            (out, "soon", "“soon” is not a date."),
        ):
            answer = await post_book(browser, content, day)
            assert answer.status_code == 422
            assert said in text_of(answer)
    assert await state(tenant) == before
    assert contract.version == 1


async def test_workbooks_are_the_factorys_writers(app: Litestar, tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    for company, role in ((tenant.customer, Role.PARTNER_ADMIN), (tenant.factory, Role.WAREHOUSE)):
        async with signed_in(app, company, role) as browser:
            assert "/contracts/sheets" not in (await browser.open("/contracts")).text
            for path in ("/contracts/sheets", "/contracts/workbook", f"/contracts/workbook?contract={contract.id}"):
                assert (await browser.client.get(path)).status_code in {403, 404}


async def test_programs_do_the_same_with_a_key(app: Litestar, tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    scopes = [Permission.READ, Permission.EDIT_CONTRACTS, Permission.SEE_PRICES]
    async with unit_of_work(tenant.factory) as session:
        _, token = await create_key(session, tenant.factory, CreateKey(name="erp", scopes=scopes))
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type, unused-ignore]
    headers = {"Authorization": f"Bearer {token}"}
    base = "http://portal.example/api/v1/contract-workbooks"
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        out = await client.get(f"{base}/export", params={"status": "draft"})
        assert out.status_code == 200
        book = edited(out.content, write("Lines", 2, FOQ, 800), write("Prices", 2, "Price", "free"))
        sent = {"file": ("contracts.xlsx", book, "application/octet-stream")}
        answer = await client.post(base, files=sent, data={"effective_from": today().isoformat()})
        assert answer.status_code == 201
        found = answer.json()
        assert [(row["field"], row["now"], row["workbook"]) for row in found["changes"]] == [("foq", "600", "800")]
        assert [(row["sheet"], row["row"], row["column"]) for row in found["refused"]] == [("prices", 2, "price")]
        done = (await client.post(f"{base}/{found['id']}/apply", json={"mine": []})).json()
        assert (done["status"], done["drafts"], done["offers"]) == ("applied", 1, 0)
        assert (await client.get(f"{base}/{found['id']}")).json() == done
        assert (await client.get(f"{base}/{found['id']}/rest")).content.startswith(b"PK")
        assert (await client.post(f"{base}/{found['id']}/apply", json={"mine": []})).status_code == 409
        bad = await client.post(base, files=sent, data={"effective_from": "soon"})
        assert bad.status_code in {400, 422}
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        assert line.foq == 800
