"""Applied changes that the factory's ERP does not show yet: how long they wait, and how they are marked."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portal.changes.model import ChangeRequest
from portal.changes.rules_erp import late_before, waited
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.calendars import DAY, WorkingCalendar
from portal.core.db import driver, unit_of_work
from portal.core.settings import Settings
from tests.accounts.browser import text_of
from tests.changes.makers import another, ask, delivery, wish
from tests.changes.test_pages import person
from tests.contracts.test_api import calling
from tests.factories import Tenant, fetch

D = Decimal
PAGE = "/changes/not-in-erp"
V1 = f"/api/v1{PAGE.replace('/changes', '/change-requests')}"


@pytest.mark.parametrize("days", [1, 3, 8])
def test_what_was_applied_before_the_day_has_waited_longer(days: int) -> None:
    calendar = WorkingCalendar(holidays=frozenset({date(2026, 10, day) for day in range(1, 8)}))
    for today in (date(2026, 9, 25) + DAY * n for n in range(25)):
        before = late_before(today, days, calendar)
        assert waited(before, today, calendar) <= days < waited(before - DAY, today, calendar) + 1
        assert all(waited(before - DAY * n, today, calendar) > days for n in range(1, 12))
        assert all(waited(before + DAY * n, today, calendar) <= days for n in range((today - before).days + 1))


async def applied(tenant: Tenant, count: int) -> list[ChangeRequest]:
    """Changes that a buyer asked inside the band, the first of them applied three weeks ago."""
    made, line_id = await delivery(tenant, Direction.PURCHASE)
    lines = [line_id, *[await another(tenant, made, 100, 50 + n) for n in range(1, count)]]
    found = [await ask(tenant.factory, made, wish(line, quantity=D(110))) for line in lines]
    async with unit_of_work(tenant.factory) as session:
        aged = "update change_request set applied_at = applied_at - $2::interval where id = $1"
        await (await driver(session)).execute(aged, found[0].id, timedelta(days=21))
    return found


async def states(tenant: Tenant) -> list[tuple[str, str]]:
    query = "select erp_state, erp_reference from change_request where tenant_id = $1 order by id"
    return [(row[0], row[1]) for row in await fetch(tenant.factory, query, tenant.id)]


async def test_the_page_names_what_waits_and_marks_several_at_once(database: Settings, tenant: Tenant) -> None:
    first, second, third = await applied(tenant, 3)
    ticked = [f"{one.id}:{one.version}" for one in (first, second)]
    nothing = [("not_sent", "")] * 3
    async with person(database, tenant.factory, Role.ADMIN) as browser:
        today = text_of(await browser.open("/"))
        assert "Not yet in the ERP 1 " in today
        assert "applied " in today
        shown = text_of(await browser.open(PAGE))
        assert "3 changes wait, 1 of them longer than 3 working days" in shown
        assert shown.index(f"{first.number} ") < shown.index(f"{third.number} ")
        assert shown.count("too long") == 1
        late = text_of(await browser.open(f"{PAGE}?late=yes&erp=not_sent"))
        assert (f"{first.number} " in late, "too long" in late) == (True, True)
        assert "No change fits this choice." in text_of(await browser.open(f"{PAGE}?erp=sent"))

        for wrong, said in (
            ({"reference": "4500018233"}, "No change was ticked."),
            ({"change": ticked, "reference": " "}, "The ERP's reference is missing."),
            ({"change": [ticked[0], f"{second.id}:1"], "reference": "4500018233"}, "changed"),
        ):
            refused = await browser.send(PAGE, **wrong)
            assert (refused.status_code in {409, 422}, said in text_of(refused)) == (True, True)
            assert await states(tenant) == nothing
        assert (await browser.send(PAGE, change=ticked, reference="4500018233")).status_code == 303
        assert "shown there · 4500018233" in text_of(await browser.open(f"/changes/{first.id}"))
        assert "Not yet in the ERP 1" not in text_of(await browser.open("/"))

        assert (await browser.send(f"{PAGE}/days", working_days=0)).status_code == 422
        assert (await browser.send(f"{PAGE}/days", working_days=1)).status_code == 303
        export = await browser.open(f"{PAGE}/export?kind=csv")
        assert (f"{third.number}," in export.text, f"{first.number}," in export.text) == (True, False)
    assert await states(tenant) == [("echoed", "4500018233")] * 2 + nothing[:1]
    async with person(database, tenant.supplier, Role.PARTNER_ADMIN) as browser:
        assert (await browser.open(PAGE)).status_code == 404
        assert "4500018233" not in (await browser.open(f"/changes/{first.id}")).text
        assert "Not yet in the ERP" not in (await browser.open("/changes")).text


async def test_the_interface_says_what_waits_and_marks_all_or_nothing(database: Settings, tenant: Tenant) -> None:
    first, second = await applied(tenant, 2)
    async with unit_of_work(tenant.factory) as session:  # agreed, and not applied yet
        waits = "update change_request set status = 'accepted', applied_at = null where id = $1"
        await (await driver(session)).execute(waits, second.id)
    marks = [{"change_id": str(one.id), "version": one.version} for one in (first, second)]
    async with calling(database, tenant.factory) as erp, calling(database, tenant.supplier) as supplier:
        (row,) = (await erp.get(V1, params={"late": "true"})).json()["items"]
        assert (row["number"], row["late"], 10 < row["working_days"] < 16) == (first.number, True, True)
        refused = await erp.post(V1, json={"changes": marks, "reference": "4500018233"})
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "change-not-applied")
        assert await states(tenant) == [("not_sent", "")] * 2
        assert (await supplier.get(V1)).status_code == 404
        assert (await supplier.post(V1, json={"changes": marks[:1], "reference": "4500018233"})).status_code == 403
        assert (await supplier.put("/api/v1/erp-days", json={"working_days": 9})).status_code == 403
        done = await erp.post(V1, json={"changes": marks[:1], "reference": "4500018233"})
        assert (done.status_code, done.json()[0]["erp_reference"]) == (200, "4500018233")
        assert (await erp.get(V1)).json()["items"] == []
        assert (await erp.put("/api/v1/erp-days", json={"working_days": 9})).json() == {"working_days": 9}
        assert (await erp.get("/api/v1/erp-days")).json() == {"working_days": 9}
