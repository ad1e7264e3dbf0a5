"""Reports on the real history: known answers, the same on page, interface and file; each reader sees its own only."""

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction, Scope
from portal.core.db import read, unit_of_work
from portal.core.settings import Settings
from portal.schedules.reads_known import as_known
from portal.schedules.rules_history import TooManyWeeks, steadiness_by_contract
from portal.schedules.rules_known import Stood
from portal.scorecards import reads_history
from portal.scorecards.reads import By, Performance, Report, Selection, deliveries
from portal.scorecards.reads_history import Asked, Source
from portal.sync import scms_releases
from portal.sync.scms_writer import write
from portal.web.reports import figures_of
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.test_api import calling
from tests.factories import Tenant, analyze, fetch, make_contract, make_deliveries, make_tenant, today
from tests.sync.samples import history

DAY = date(2014, 6, 30)
VALUE = Decimal("1313198967.28")


@pytest.fixture(scope="module")
async def whole(database: Settings) -> Tenant:
    """A workspace with the whole set, read only."""
    tenant = await make_tenant(str(database.database_url))
    system = Actor.system(tenant.id, tenant.factory.party_id)
    async with unit_of_work(system) as session:
        await write(session, system, history())
    await analyze(str(database.database_url))
    return tenant


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    return create_app(database)


async def report(actor: Actor, **chosen: object) -> Report:
    selection = Selection(**{"until": today(), "day": today(), **chosen})  # type: ignore[arg-type]
    async with read(actor) as connection:
        return await deliveries(connection, actor, selection)


async def partner(tenant: Tenant, name: str) -> Actor:
    (row,) = await fetch(tenant.factory, "select id from party where tenant_id = $1 and name = $2", tenant.id, name)
    return Actor(tenant.id, row["id"], Scope.PARTNER, Role.PARTNER_ADMIN)


def row_of(found: Report, name: str) -> Performance:
    return next(row for row in found.rows if row.party_name == name)


async def test_the_total_is_the_known_answer(whole: Tenant) -> None:
    found = await report(whole.factory, day=DAY)
    total = found.total
    assert (total.lines, total.on_time, total.rate) == (8287, 7332, Decimal("0.884759"))
    assert (total.orders, total.orders_on_time, total.overdue) == (5032, 4477, 8)
    assert total.values == {"USD": VALUE}
    assert len(found.rows) == 97
    aurobindo = row_of(found, "Aurobindo Pharma Limited")
    assert (aurobindo.on_time, aurobindo.lines) == (467, 551)


async def test_deliveries_without_an_order_make_no_order_late(tenant: Tenant) -> None:
    found = await report(tenant.factory)
    (figure,) = (one for one in figures_of(found) if one.label == "Orders on time")
    assert (found.total.orders, figure.value) == (0, "–")
    assert figure.caption == "none of these deliveries has an order number"


@pytest.mark.parametrize("by", list(By))
async def test_rows_add_up_to_the_total_however_they_are_cut(whole: Tenant, by: By) -> None:
    found = await report(whole.factory, by=by, day=DAY)
    for name in ("lines", "on_time", "overdue"):
        assert sum(getattr(row, name) for row in found.rows) == getattr(found.total, name)
    assert sum((row.values or {}).get("USD", Decimal(0)) for row in found.rows) == VALUE


async def test_directions_and_dates_cut_the_same_deliveries(whole: Tenant) -> None:
    whole_lines = (await report(whole.factory)).total.lines
    sale = (await report(whole.factory, direction=Direction.SALE)).total.lines
    purchase = (await report(whole.factory, direction=Direction.PURCHASE)).total.lines
    assert sale + purchase == whole_lines
    before = (await report(whole.factory, until=date(2010, 12, 31))).total.lines
    after = (await report(whole.factory, since=date(2011, 1, 1))).total.lines
    assert before + after == whole_lines


async def test_a_partner_sees_its_own_and_a_reader_without_prices_no_value(whole: Tenant) -> None:
    supplier = await partner(whole, "Aurobindo Pharma Limited")
    found = await report(supplier)
    assert [(row.party_name, row.lines) for row in found.rows] == [("Aurobindo Pharma Limited", 551)]
    assert found.total.values is not None
    blind = await report(replace(supplier, role=Role.VIEWER))
    assert (blind.total.lines, blind.total.values) == (551, None)
    other = await report(supplier, party_id=(await partner(whole, "Zambia")).party_id)
    assert (other.total.lines, other.rows) == (0, [])


async def test_page_interface_and_file_say_the_same(app: Litestar, whole: Tenant, database: Settings) -> None:
    person = await make_person(whole.factory, Role.FINANCE, "Ann Weber")
    async with browsing(app, person.token) as browser:
        shown = text_of(await browser.open(f"/reports?day={DAY}"))
        for figure in ("88.5%", "7,332 of 8,287 deliveries", "4,477", "of 5,032 orders", "USD 1,313,198,967.28"):
            assert figure in shown.replace("\u00a0", " ")
        assert "Overdue 8 at the end of 30 Jun 2014" in shown.replace("\u00a0", " ")
        assert "Aurobindo Pharma Limited 551 467" in shown
        assert "not later than the due date" in shown
        file = await browser.open(f"/reports/export?day={DAY}&kind=csv")
        rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert rows[-1][2:] == ["8287", "7332", "0.884759", "5032", "4477", "8", "1313198967.28"]
        assert (await browser.open("/reports?since=yesterday")).status_code == 422
    async with calling(database, whole.factory) as api:
        answer = (await api.get(f"/api/v1/reports/deliveries?day={DAY}")).json()
        total = answer["total"]
        assert (total["lines"], total["on_time"], total["on_time_rate"]) == (8287, 7332, "0.884759")
        assert (total["orders_on_time"], total["overdue"]) == (4477, 8)
        assert Decimal(total["values"]["USD"]) == VALUE
        names: list[str] = []
        cursor = ""
        while True:
            page = (await api.get(f"/api/v1/reports/deliveries?limit=40{cursor}")).json()
            names += [item["party_name"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert len(set(names)) == len(names) == 97


async def test_what_is_not_received_is_overdue_and_not_on_time(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    await make_deliveries(tenant, made, [100, 50, 70])  # due today, tomorrow and after
    found = await report(tenant.customer)
    assert (found.total.lines, found.total.on_time, found.total.overdue) == (1, 0, 1)
    assert found.total.values == {"CNY": Decimal(1250)}
    hidden = replace(tenant.customer, contract_ids=frozenset())
    assert (await report(hidden)).total.lines == 0


YEAR = (date(2013, 1, 7), date(2013, 12, 30))  # 52 Mondays


async def test_the_history_has_its_stability_on_page_interface_and_file_as_the_command_prints_it(
    whole: Tenant, app: Litestar, database: Settings
) -> None:
    asked = Asked(Source.HISTORY, *YEAR, Direction.SALE)
    async with read(whole.factory) as connection:
        found = await reads_history.stability(connection, whole.factory, asked)
        with pytest.raises(TooManyWeeks):
            await reads_history.stability(connection, whole.factory, replace_since(asked))
    file = history()
    by_contract = steadiness_by_contract(scms_releases.history(file), YEAR[0], 52)
    printed = scms_releases.steadiness_by_partner(file, by_contract)
    assert {row.party_name: (row.pairs, row.firm_lines) for row in found} == {
        name: (one.pairs, one.firm_lines) for name, one in printed.items()
    }
    zimbabwe = next(row for row in found if row.party_name == "Zimbabwe")
    assert (zimbabwe.pairs, zimbabwe.stability, zimbabwe.mean_notice) == (153, Decimal("0.9967"), Decimal("35.5"))

    query = f"?source=history&direction=sale&since={YEAR[0]}&until={YEAR[1]}"
    ann = await make_person(whole.factory, Role.PLANNER)
    async with browsing(app, ann.token) as browser:
        page = text_of(await browser.open(f"/reports/stability{query}"))
        exported = await browser.open(f"/reports/stability/export{query}&kind=csv")
        wrong = [await browser.open(f"/reports/stability?{text}") for text in ("since=soon", "source=x")]
    assert "Zimbabwe 153 99.7% 1 35.5" in page
    rows = list(csv.reader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert ["Zimbabwe", "153", "0.9967", "1", "35.5"] in rows
    assert len(rows) == len(found) + 1
    assert [row.party_name for row in found] == sorted((row.party_name for row in found), key=str.lower)
    assert [answer.status_code for answer in wrong] == [422, 422]
    async with calling(database, whole.factory) as client:
        told = (await client.get(f"/api/v1/reports/stability{query}")).json()
    assert [row["stability"] for row in told["rows"] if row["party_name"] == "Zimbabwe"] == ["0.9967"]

    zambia = await partner(whole, "Zambia")
    async with read(zambia) as connection:
        assert [row.party_name for row in await reads_history.stability(connection, zambia, asked)] == ["Zambia"]


def replace_since(asked: Asked) -> Asked:
    """Eleven years of weeks."""
    return Asked(asked.source, date(2003, 1, 6), asked.until)


async def test_what_imported_documents_moved_is_known_of_a_past_moment(whole: Tenant) -> None:
    (row,) = await fetch(
        whole.factory,
        "select contract_id, count(*) as lines from schedule_line where tenant_id = $1 group by 1 order by 2 desc, 1"
        " limit 1",
        whole.id,
    )
    async with read(whole.factory) as connection:
        found = await as_known(connection, whole.factory, row["contract_id"], clock.now())
        before = await as_known(connection, whole.factory, row["contract_id"], clock.now() - timedelta(days=1))
    assert len(found.lines) == row["lines"]
    assert {(line.stood, line.shipped == line.received == line.quantity) for line in found.lines} == {
        (Stood.CLOSED, True)
    }
    assert before.lines == []
