"""Cells and headings of a factory's own spreadsheet, as people write them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contracts.model import Cadence
from portal.sync.cells import Bad
from portal.sync.own_fields import BY_NAME as FIELDS
from portal.sync.own_fields import Target, fitting, header_row, likeness, suggest
from portal.sync.own_rows import FileMapping, Grid, read_rows
from portal.sync.own_values import DayOrder, Marks, cadence, day, number, unit_of

D = Decimal


@pytest.mark.parametrize(
    "cell",
    ["2026年8月15日", "2026-08-15", "2026/8/15", "2026.8.15", "20260815", "15-Aug-26", "２０２６年８月１５日",
     "2026-08-15 00:00:00", "2026 年 8 月 15 日"],
)  # fmt: skip
def test_days_that_can_mean_one_thing_only_are_read(cell: str) -> None:
    assert day(cell, DayOrder.YEAR_FIRST) == date(2026, 8, 15)


def test_days_that_can_mean_two_need_the_mapping() -> None:
    assert day("3/4/2027", DayOrder.DAY_FIRST) == date(2027, 4, 3)
    assert day("3/4/2027", DayOrder.MONTH_FIRST) == date(2027, 3, 4)
    for cell, code in (("3/4/2027", "unclear-date"), ("soon", "own-date"), ("2026-02-30", "own-date")):
        found = day(cell, DayOrder.YEAR_FIRST)
        assert isinstance(found, Bad)
        assert found.code == code


@pytest.mark.parametrize(
    ("cell", "marks", "value", "unit"),
    [
        ("1,200 pcs", Marks.POINT, "1200", "H87"),
        ("1 200,5 kg", Marks.COMMA, "1200.5", "KGM"),
        ("1.234,56", Marks.COMMA, "1234.56", None),
        ("¥12.50", Marks.POINT, "12.50", None),
        ("800件", Marks.POINT, "800", "H87"),
        ("１２００", Marks.POINT, "1200", None),
    ],
)
def test_numbers_with_groups_and_units_are_read(cell: str, marks: Marks, value: str, unit: str | None) -> None:
    assert number(cell, marks) == (D(value), unit)


@pytest.mark.parametrize("cell", ["1,20", "1.200,5", "about 3", "12 dozen", "-4", "1,2,3", "", "1e5", "99999999999999"])
def test_numbers_that_are_not_certain_are_refused(cell: str) -> None:
    assert isinstance(number(cell, Marks.POINT), Bad)


@given(value=st.decimals(0, 10**9, places=3), group=st.booleans())
def test_every_number_reads_back_in_both_ways_of_writing(value: Decimal, group: bool) -> None:
    text = f"{value:,.3f}" if group else f"{value:.3f}"
    assert number(text, Marks.POINT) == (value, None)
    assert number(text.translate(str.maketrans(",.", ".,")), Marks.COMMA) == (value, None)


def test_units_and_periods_by_what_they_are_called() -> None:
    assert [unit_of(name) for name in ("件", "KG", "公斤", "m²", "Pcs.", "H87", "bushel")] == [
        *("H87", "KGM", "KGM", "MTK", "H87", "H87", None)
    ]
    assert cadence("每月") is Cadence.MONTH
    assert cadence("Weekly") is Cadence.WEEK


def test_headings_are_found_in_both_languages_each_once() -> None:
    assert suggest(Target.CONTRACTS, ["合同编号", "供应商名称", "料号（图号）", "单价（元）", "生效日期", "备注"]) == {
        "number": 0, "partner": 1, "item_code": 2, "price": 3, "valid_from": 4,
    }  # fmt: skip
    assert suggest(Target.SCHEDULE, ["Contract No.", "Part Number", "Delivery date", "Qty", "PO"]) == {
        "number": 0, "item_code": 1, "due_date": 2, "quantity": 3, "order_no": 4,
    }  # fmt: skip
    assert likeness(FIELDS[Target.SCHEDULE]["due_date"], "Delivry date") > 82
    assert suggest(Target.SCHEDULE, ["Colour", "Remarks"]) == {}


def test_the_heading_is_found_below_a_title() -> None:
    rows = [
        ["2026年度要货计划", "", "", ""],
        ["制表：王芳", "", "", ""],
        ["合同号", "料号", "交期", "数量"],
        ["C1", "A", "x", "1"],
    ]
    assert header_row(Target.SCHEDULE, rows) == 2


def test_a_saved_mapping_fits_where_all_its_headings_are() -> None:
    saved = {"number": "合同号", "quantity": "需要 数量"}
    assert fitting(Target.SCHEDULE, ["数量", "需要数量", "合同号"], saved) == {"number": 2, "quantity": 1}
    assert fitting(Target.SCHEDULE, ["数量", "合同号"], saved) is None


def test_a_row_without_contract_goes_on_with_the_one_above_and_no_further() -> None:
    columns = {"number": 0, "partner": 1, "item_code": 2, "valid_from": 3, "valid_to": 4}
    cells = [
        ["No", "Partner", "Item", "From", "To"],
        ["C1", "Aurora", "A", "2027-01-01", "2027-12-31"],
        ["", "", "B", "", ""],
        ["C2", "Aurora", "C", "2027-02-01", ""],
    ]
    grid = Grid("x", [1, 2, 3, 4], cells)
    good, refused = read_rows(grid, FileMapping(Target.CONTRACTS, 1, columns))
    assert refused == []
    assert [(row.values["number"], row.values.get("valid_to")) for row in good] == [
        ("C1", date(2027, 12, 31)), ("C1", date(2027, 12, 31)), ("C2", None),
    ]  # fmt: skip
    _good, refused = read_rows(grid, FileMapping(Target.CONTRACTS, 1, columns, fill_down=False))
    assert {(each.row, each.column) for each in refused} == {(3, "No"), (3, "Partner"), (3, "From")}
