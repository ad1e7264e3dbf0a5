"""Items in pages."""

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core.access import Role
from portal.core.ids import uuid7
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.makers import make_item
from tests.factories import Tenant, fetch


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)


async def test_an_item_is_added_changed_and_named_by_a_partner(tenant: Tenant, app: Litestar) -> None:
    person = await make_person(tenant.factory, Role.PLANNER)
    async with browsing(app, person.token) as browser:
        await browser.open("/items/new")
        new = {"code": "A100", "description": "Bearing housing", "unit": "H87", "revision": "C", "category": ""}
        made = await browser.send("/items", **new)
        here = made.headers["location"]
        twice = await browser.send("/items", **new)
        changed = {"description": "Bearing housing", "unit": "KGM", "revision": "", "category": "Castings"}
        assert (await browser.send(here, **changed, version="1")).status_code == 303
        number = {"party_id": str(tenant.customer.party_id), "part_no": "AD-88120", "version": "2"}
        assert (await browser.send(f"{here}/part-numbers", **number)).status_code == 303
        stale = await browser.send(here, **changed, version="1")
        empty = await browser.send(here, **(changed | {"description": ""}), version="3")
        page = text_of(await browser.open(here))
        listed = text_of(await browser.open("/items?q=ad-8"))
        offered = await browser.open("/items/options?item_code=a1")
    assert (twice.status_code, "already an item with the code “A100”" in text_of(twice)) == (409, True)
    assert (stale.status_code, "you saw version 1, now it is 3" in text_of(stale)) == (409, True)
    assert (empty.status_code, "Fill in this field." in text_of(empty)) == (422, True)
    assert "AD-88120" in page
    assert "A100" in listed
    assert '<option value="A100">' in offered.text
    rows = await fetch(
        tenant.factory, "select unit, revision, category, version from item where tenant_id = $1", tenant.id
    )
    assert [tuple(row) for row in rows] == [("KGM", "", "Castings", 3)]


async def test_a_viewer_reads_and_a_partner_finds_nothing(tenant: Tenant, app: Litestar) -> None:
    item = await make_item(tenant, "A100")
    viewer = await make_person(tenant.factory, Role.VIEWER)
    customer = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    async with browsing(app, viewer.token) as ours, browsing(app, customer.token) as theirs:
        page = await ours.open(f"/items/{item.id}")
        refused = await ours.send(f"/items/{item.id}", description="Z", unit="H87", version="1")
        absent = [
            await theirs.open(path)
            for path in ("/items", "/items/new", "/items/options", f"/items/{item.id}", f"/items/{uuid7()}")
        ]
        sent = await theirs.send(f"/items/{item.id}", description="Z", unit="H87", version="1")
    assert page.status_code == 200
    assert "Save item" not in page.text
    assert refused.status_code == 403
    assert [answer.status_code for answer in (*absent, sent)] == [404] * 6
    rows = await fetch(tenant.factory, "select description, version from item where id = $1", item.id)
    assert tuple(rows[0]) == ("Bearing housing", 1)
