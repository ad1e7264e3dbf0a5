"""Writing the SCMS history: the known answers out of the database, once however often, all of it or nothing."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from portal.sync.scms import parse
from portal.sync.scms_file import ScmsFile
from portal.sync.scms_rows import ID, PROJECT
from portal.sync.scms_writer import RowsRefused, Written, write
from portal.sync.table import Table
from tests.factories import Tenant, analyze, fetch, make_tenant
from tests.sync.samples import history, picked, some, whole_set, with_cell

TABLES = (
    *("party", "site", "item", "contract", "contract_note", "contract_line", "contract_price", "schedule_line"),
    *("release", "release_line", "shipment", "shipment_line", "receipt", "receipt_line", "timeline", "audit"),
)


async def bring_in(tenant: Tenant, file: ScmsFile) -> Written:
    system = Actor.system(tenant.id, tenant.factory.party_id)
    async with unit_of_work(system) as session:
        return await write(session, system, file)


async def counts(tenant: Tenant) -> dict[str, int]:
    """Rows of the tenant by table."""
    parts = " union all ".join(f"select '{name}', count(*) from {name} where tenant_id = $1" for name in TABLES)
    return dict(await fetch(tenant.factory, parts, tenant.id))


async def one(actor: Actor, query: str, *values: Any) -> Any:
    (row,) = await fetch(actor, query, actor.tenant_id, *values)
    return row[0]


def supplier_named(tenant: Tenant, party_id: Any) -> Actor:
    return replace_party(tenant.supplier, party_id)


def replace_party(actor: Actor, party_id: Any) -> Actor:
    return Actor(actor.tenant_id, party_id, Scope.PARTNER, Role.PARTNER_ADMIN)


@pytest.fixture(scope="module")
async def whole(database: Settings) -> Tenant:
    """A workspace that holds the whole set. Read only: the tests of this module share it."""
    tenant = await make_tenant(str(database.database_url))
    await bring_in(tenant, history())
    await analyze(str(database.database_url))
    return tenant


# --- the known answers ------------------------------------------------------------------------------------------------


async def test_the_database_holds_the_known_answers(whole: Tenant) -> None:
    rows = await counts(whole)
    assert (rows["schedule_line"], rows["release_line"], rows["shipment_line"], rows["receipt_line"]) == (8287,) * 4
    assert (rows["contract"], rows["contract_line"], rows["release"], rows["contract_note"]) == (558, 1834, 558, 472)
    assert rows["party"] == 3 + 65 + 32
    assert await one(whole.factory, "select count(distinct order_no) from schedule_line where tenant_id = $1") == 5032
    value = await one(whole.factory, "select sum(stated_value) from schedule_line where tenant_id = $1")
    assert value == Decimal("1313198967.28")
    on_time = "select count(*) from schedule_line where tenant_id = $1 and last_received_on <= due_date"
    assert await one(whole.factory, on_time) == 7332
    overdue = "select count(*) from schedule_line where tenant_id = $1 and due_date <= $2 and last_received_on > $2"
    assert await one(whole.factory, overdue, date(2014, 6, 30)) == 8


async def test_a_vendors_lines_are_its_own(whole: Tenant) -> None:
    party = await one(whole.factory, "select id from party where tenant_id = $1 and name = 'Aurobindo Pharma Limited'")
    supplier = supplier_named(whole, party)
    lines = await fetch(
        supplier, "select last_received_on <= due_date as good from schedule_line where tenant_id = $1", whole.id
    )
    assert (sum(line["good"] for line in lines), len(lines)) == (467, 551)


async def test_sums_are_those_of_the_documents(whole: Tenant) -> None:
    differing = """
    select count(*) from schedule_line l
    join shipment_line s on s.tenant_id = l.tenant_id and s.schedule_line_id = l.id
    join receipt_line r on r.tenant_id = l.tenant_id and r.schedule_line_id = l.id and r.shipment_line_id = s.id
    where l.tenant_id = $1
        and (l.shipped_quantity, l.received_quantity, l.status) is distinct from (s.quantity, r.accepted, 'closed')"""
    assert await one(whole.factory, differing) == 0


async def test_a_supplier_never_learns_the_customers_reference(whole: Tenant) -> None:
    """No text that a supplier reads holds a project code, and of the notes it reads nothing at all."""
    codes = sorted({contract.project_code for contract in history().contracts})
    party = await one(whole.factory, "select id from party where tenant_id = $1 and name = 'Aurobindo Pharma Limited'")
    supplier = supplier_named(whole, party)
    seen = 0
    for table in ("contract", "contract_line", "schedule_line", "release", "shipment", "receipt", "timeline", "party"):
        rows = await fetch(supplier, f"select t::text as text from {table} t where tenant_id = $1", whole.id)
        seen += len(rows)
        assert not [row["text"] for row in rows for code in codes if code in row["text"]]
    assert seen > 1700
    assert await one(whole.factory, "select count(*) from party where tenant_id = $1") == 100
    assert await one(supplier, "select count(*) from party where tenant_id = $1") == 1


async def test_a_customer_finds_its_project_code_as_its_reference(whole: Tenant) -> None:
    party = await one(whole.factory, "select id from party where tenant_id = $1 and name = 'Zambia'")
    customer = replace_party(whole.customer, party)
    references = await fetch(customer, "select partner_reference from contract where tenant_id = $1", whole.id)
    assert references
    assert all(row["partner_reference"].endswith(("-T01", "-T30", "-T06")) or row[0] for row in references)


async def test_each_contract_tells_of_the_import_once(whole: Tenant) -> None:
    rows = await fetch(whole.factory, "select data from timeline where tenant_id = $1 and verb = 'imported'", whole.id)
    assert (len(rows), sum(row["data"]["lines"] for row in map(_parsed, rows))) == (558, 8287)
    assert await one(whole.factory, "select count(*) from audit where tenant_id = $1 and action like '%applied'") == 1


def _parsed(row: Any) -> dict[str, Any]:
    import json

    return {"data": json.loads(row["data"]) if isinstance(row["data"], str) else row["data"]}


# --- again ------------------------------------------------------------------------------------------------------------


async def test_the_same_rows_in_another_order_change_nothing(whole: Tenant) -> None:
    before = await counts(whole)
    table = whole_set()
    backwards = parse(picked(table, list(reversed(range(len(table))))))
    for file in (history(), backwards):
        assert await bring_in(whole, file) == Written(0, 0, 8287)
    assert await counts(whole) == before


async def test_a_later_file_adds_what_is_new(tenant: Tenant) -> None:
    assert (await bring_in(tenant, parse(some(40)))).fresh == 40
    again = await bring_in(tenant, parse(some(400)))
    assert (again.fresh, again.known) == (360, 40)
    pieces = await counts(tenant)
    whole = await make_like(tenant)
    await bring_in(whole, parse(some(400)))
    at_once = await counts(whole)
    for table in (
        "party",
        "item",
        "contract",
        "contract_line",
        "contract_price",
        "schedule_line",
        "shipment",
        "receipt",
    ):
        assert pieces[table] == at_once[table]
    numbers = (
        "select count(*) from (select contract_id, line_no from schedule_line where tenant_id = $1 group by 1, 2) n"
    )
    assert await one(tenant.factory, numbers) == 400


async def make_like(tenant: Tenant) -> Tenant:
    from portal.core.settings import get_settings

    return await make_tenant(str(get_settings().database_url))


# --- refusals ---------------------------------------------------------------------------------------------------------


async def test_a_known_line_that_reads_otherwise_is_refused_with_row_and_column(tenant: Tenant) -> None:
    await bring_in(tenant, parse(some(40)))
    before = await counts(tenant)
    changed = with_cell(some(60), 7, "Line Item Quantity", "77")
    with pytest.raises(RowsRefused) as refused:
        await bring_in(tenant, parse(changed))
    assert [(one.row, one.column, one.code) for one in refused.value.refused] == [(7, ID, "known-otherwise")]
    assert await counts(tenant) == before


async def test_a_known_delivery_note_of_another_order_is_refused(tenant: Tenant) -> None:
    table = some(40)
    await bring_in(tenant, parse(table))
    before = await counts(tenant)
    new = with_cell(with_cell(picked(table, [0]), 2, ID, "999999"), 2, "PO / SO #", "SCMS-999999")
    with pytest.raises(RowsRefused) as refused:
        await bring_in(tenant, parse(new))
    assert [one.code for one in refused.value.refused] == ["known-shipment"]
    assert await counts(tenant) == before


async def test_one_bad_row_and_nothing_is_written(tenant: Tenant) -> None:
    before = await counts(tenant)
    bad: Table = with_cell(some(40), 30, PROJECT, "")
    with pytest.raises(RowsRefused):
        await bring_in(tenant, parse(bad))
    assert await counts(tenant) == before


async def test_an_import_that_breaks_off_leaves_nothing(tenant: Tenant) -> None:
    before = await counts(tenant)
    system = Actor.system(tenant.id, tenant.factory.party_id)

    async def break_off(done: int) -> None:
        if done > 25:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        async with unit_of_work(system) as session:
            await write(session, system, parse(some(40)), tell=break_off)
    assert await counts(tenant) == before


async def test_twenty_imports_at_once_are_one(tenant: Tenant) -> None:
    file = parse(some(60))
    done = await asyncio.gather(*(bring_in(tenant, file) for _ in range(20)))
    assert sorted(result.fresh for result in done) == [0] * 19 + [60]
    assert (await counts(tenant))["schedule_line"] == 60


async def test_a_planned_line_waits_for_its_seller(tenant: Tenant) -> None:
    """A file with open lines, as the demo's: the seller is asked, and the zones count from its release date."""
    from portal.sync.scms_demo import bundled, shift_to
    from tests.factories import today

    await bring_in(tenant, shift_to(bundled(), today()))
    rows = await fetch(
        tenant.factory,
        "select status, zone, level, count(*), count(respond_by) as asked from schedule_line"
        " where tenant_id = $1 and status <> 'closed' group by 1, 2, 3",
        tenant.id,
    )
    by_status: dict[str, int] = {}
    for row in rows:
        by_status[row["status"]] = by_status.get(row["status"], 0) + row["count"]
        assert row["asked"] == (row["count"] if row["status"] == "proposed" else 0)
    assert by_status == {"published": 1252 + 17, "proposed": 25}
    on_the_way = "select count(*) from shipment where tenant_id = $1 and status = 'sent' and received_on is null"
    assert await one(tenant.factory, on_the_way.replace(" and received_on is null", "")) > 5
