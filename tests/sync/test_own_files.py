"""A factory's own spreadsheet: suggested, mapped, tried, applied, and taken back as a whole."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from portal.contracts.inputs import WriteNote
from portal.contracts.service import get_contract, get_lines
from portal.contracts.service_notes import write_note
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.settings import Settings
from portal.sync import service_own
from portal.sync.own_fields import Target
from portal.sync.own_values import DayOrder, Marks
from portal.sync.service_own import ActedOn, AlreadyApplied, LineNotMapped, NotMapped
from portal.sync.service_runs import NotReady
from tests.contracts.makers import make_item
from tests.factories import Tenant, fetch, make_contract, make_tenant, today
from tests.sync.books import state
from tests.sync.own_files import book, brought, done, gb_csv, mapped, undone

HEAD = ("合同编号", "供应商", "料号", "品名", "单位", "数量", "含税单价", "生效日期", "截止日期", "备注")
NUMBERS = "select number, party_name, direction, status from contract where tenant_id = $1 order by number"


async def items(tenant: Tenant) -> None:
    for code in ("A100", "B200"):
        await make_item(tenant, code)


def chinese() -> bytes:
    """GB18030 with a title, merged cells as a CSV keeps them, Chinese dates, numbers with groups and units."""
    return gb_csv(
        ("2026 年度采购框架合同", *[""] * 9),
        HEAD,
        ("HT-2026-01", "Castings", "A100", "轴承座", "件", "1,200 pcs", "12.50", "2026年8月15日", "2027年8月14日", ""),
        ("", "", "B200", "端盖", "件", "800", "3.2", "", "", "急"),
        ("HT-2026-02", "Castnigs", "A100", "轴承座", "件", "500", "12.50", "2026年8月15日", "", ""),
        ("HT-2026-03", "S", "X999", "未知", "件", "500", "12.50", "2026年13月1日", "", ""),
        ("HT-2026-04", "s", "A100", "轴承座", "公斤", "500", "12.50", "2026/8/15", "", ""),
    )


async def test_a_chinese_csv_becomes_drafts_and_its_bad_rows_come_back(tenant: Tenant) -> None:
    await items(tenant)
    run_id, found = await brought(tenant.factory, Target.CONTRACTS, chinese())
    assert (found.mapping.header, found.mapping.columns["valid_from"], found.mapping.currency) == (2, 7, "CNY")
    assert "price" not in found.mapping.columns  # with tax: nobody but the person may say that it is the price
    before = await state(tenant)
    columns = found.mapping.columns | {"price": 6}
    found = await mapped(tenant.factory, run_id, found, "采购合同", columns=columns)
    assert (found.rows, found.good, len(found.made)) == (5, 2, 1)
    assert [(each.row, each.column, each.cell) for each in found.refused] == [
        (5, "供应商", "Castnigs"),
        (6, "生效日期", "2026年13月1日"),
        (7, "单位", "公斤"),
    ]
    assert "“Castings” comes closest" in found.refused[0].told
    assert await state(tenant) == before
    found = await done(tenant.factory, run_id)
    (row,) = await fetch(tenant.factory, NUMBERS, tenant.id)
    assert tuple(row) == ("HT-2026-01", "Castings", "purchase", "draft")
    async with unit_of_work(tenant.factory) as session:
        one, other = await get_lines(session, tenant.factory, found.made[0].id)
        assert (one.target_quantity, other.item_code, other.description) == (Decimal(1200), "B200", "端盖")
        run = await service_own.get_run(session, tenant.factory, run_id)
        head, rest = service_own.left_over(await service_own.read_grid(tenant.factory, run), found)
    assert (len(rest), head[-1], rest[0][1]) == (3, "Reason", "Castnigs")
    with pytest.raises(NotReady):
        await done(tenant.factory, run_id)
    again, suggested = await brought(tenant.factory, Target.CONTRACTS, chinese())
    assert (suggested.saved, suggested.mapping.columns["price"]) == ("采购合同", 6)
    await mapped(tenant.factory, again, suggested)
    with pytest.raises(AlreadyApplied):
        await done(tenant.factory, again)
    await undone(tenant.factory, run_id)
    assert (await state(tenant))[:4] == before[:4]
    await mapped(tenant.factory, again, suggested)
    assert len((await done(tenant.factory, again)).made) == 1


async def test_an_import_that_somebody_worked_on_stays_whole(tenant: Tenant) -> None:
    await items(tenant)
    rows = [(f"HT-{n}", "Castings", "A100", "", "", 10 * n, "", today(), "", "") for n in (1, 2, 3)]
    run_id, found = await brought(tenant.factory, Target.CONTRACTS, book(HEAD, *rows), "own.xlsx")
    await mapped(tenant.factory, run_id, found)
    made = (await done(tenant.factory, run_id)).made
    async with unit_of_work(tenant.factory) as session:
        await write_note(session, tenant.factory, made[1].id, WriteNote(note="ours"))
    before = await state(tenant)
    with pytest.raises(ActedOn) as told:
        await undone(tenant.factory, run_id)
    assert "HT-2" in str(told.value)
    assert "HT-1" not in str(told.value)
    assert await state(tenant) == before
    async with unit_of_work(tenant.factory) as session:
        for one in made:
            assert (await get_contract(session, tenant.factory, one.id)).version == one.version


def plan(number: str, item: str) -> bytes:
    """A workbook with a title and the maker above the heading, merged cells, typed dates, and a remark below."""
    due = today() + timedelta(days=20)
    return book(
        ("要货计划", None, None, None, None),
        ("制表：王芳", None, None, None, None),
        ("合同号", "料号", "交期", "数量", "订单号"),
        (number, item, due, "1,200 pcs", "PO-7"),
        (None, item, f"{due.year}年{due.month}月{due.day}日", 80, 450012),
        (None, "NOWHERE", due, 80, None),
        (None, item, "soon", 80, None),
        (None, item, due, "80 kg", None),
        (None, item, due - timedelta(days=400), 80, None),
        merged=("A1:E1", "A4:A9"),
    )


async def test_a_workbook_with_a_title_and_merged_cells_becomes_deliveries(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    content = plan(made.contract.number, made.line.item_code)
    run_id, found = await brought(tenant.factory, Target.SCHEDULE, content, "plan.xlsx")
    assert (found.mapping.header, len(found.mapping.columns)) == (3, 5)
    found = await mapped(tenant.factory, run_id, found)
    assert [(each.row, each.column) for each in found.refused] == [(6, "料号"), (7, "交期"), (8, "数量"), (9, "交期")]
    found = await done(tenant.factory, run_id)
    query = "select ordered_quantity::int, order_no, status from schedule_line where contract_id = $1 order by line_no"
    lines = [tuple(row) for row in await fetch(tenant.factory, query, made.contract.id)]
    assert lines == [(1200, "PO-7", "draft"), (80, "450012", "draft")]
    assert await fetch(tenant.supplier, query, made.contract.id) == []
    await undone(tenant.factory, run_id)
    assert await fetch(tenant.factory, query, made.contract.id) == []


async def test_a_european_csv_needs_its_marks_and_says_so(tenant: Tenant) -> None:
    await items(tenant)
    content = (
        "Contract;Customer code;Part no;Qty;Price;Start;End\r\n"
        "K-1;c;A100;1.200;12,50;01.02.2027;31.12.2027\r\n"
    ).encode("latin-1")  # fmt: skip
    run_id, found = await brought(tenant.factory, Target.CONTRACTS, content)
    bad = await mapped(tenant.factory, run_id, found)
    assert [(each.column, each.cell) for each in bad.refused] == [
        ("Start", "01.02.2027"), ("End", "31.12.2027"), ("Price", "12,50"),
    ]  # fmt: skip
    good = await mapped(tenant.factory, run_id, found, days=DayOrder.DAY_FIRST, marks=Marks.COMMA)
    assert (good.refused, good.good) == ([], 1)


async def test_what_is_needed_has_to_be_mapped_and_foreign_hands_get_nothing(
    tenant: Tenant, database: Settings
) -> None:
    made = await make_contract(tenant)
    content = plan(made.contract.number, made.line.item_code)
    other = await make_tenant(str(database.database_url))
    for actor in (tenant.customer, replace(tenant.factory, role=Role.SALES)):
        with pytest.raises(Forbidden):
            await brought(actor, Target.SCHEDULE, content, "plan.xlsx")
    run_id, found = await brought(tenant.factory, Target.SCHEDULE, content, "plan.xlsx")
    with pytest.raises(NotMapped, match="Due date"):
        await mapped(tenant.factory, run_id, found, columns={"number": 0, "item_code": 1})
    with pytest.raises(LineNotMapped):
        await mapped(tenant.factory, run_id, found, columns={"number": 0, "due_date": 2, "quantity": 3})
    await mapped(tenant.factory, run_id, found)
    before = await state(tenant)
    for actor in (tenant.customer, other.factory):
        for deed in (done, undone):
            with pytest.raises((Forbidden, NotFound)):
                await deed(actor, run_id)
    with pytest.raises(NotReady):
        await undone(tenant.factory, run_id)
    assert await state(tenant) == before
