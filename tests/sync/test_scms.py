"""The SCMS history: its known answers, its dirt, and what makes two files the same content."""

import gzip
import io
import random
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.actor import Direction
from portal.sync import scms_rows as col
from portal.sync.cells import Bad, amount, canonical_number, day
from portal.sync.scms import item_code, order_date, parse
from portal.sync.scms_demo import ANCHOR, write_csv
from portal.sync.scms_figures import figures, on_time_by_vendor, overdue
from portal.sync.table import Table, read_table
from tests.sync.samples import history, picked, some, whole_set, with_cell


def test_known_answers() -> None:
    assert figures(history()) == {
        "rows": 8287,
        "refused": 0,
        "changed": 0,
        "parties_vendor": 66,
        "project_codes": 140,
        "orders": 5032,
        "contracts": 558,
        "price_lines": 1834,
        "lines": 8287,
        "lines_on_time": 7332,
        "orders_on_time": 4477,
        "value_usd": Decimal("1313198967.28"),
    }


def test_known_answers_by_vendor_and_day() -> None:
    by_vendor = on_time_by_vendor(history())
    assert by_vendor["Aurobindo Pharma Limited"] == (467, 551)
    assert sum(good for good, _ in by_vendor.values()) == 7332
    assert len(overdue(history(), ANCHOR)) == 8


def test_parties_and_contracts_in_both_directions() -> None:
    file = history()
    assert (len(file.suppliers), len(file.customers), len(file.ship_tos)) == (65, 32, 43)
    assert Counter(contract.direction for contract in file.contracts) == {Direction.SALE: 86, Direction.PURCHASE: 472}
    assert "SCMS from RDC" not in {supplier.name for supplier in file.suppliers}
    for contract in file.contracts:
        if contract.direction is Direction.SALE:
            assert file.customers[contract.partner].name == contract.ship_to.country
        else:
            assert file.suppliers[contract.partner].name == contract.vendor


def test_codes_and_keys_are_unique() -> None:
    file = history()
    for keys in (
        [party.code for party in (file.factory, *file.suppliers, *file.customers)],
        [item.code for item in file.items],
        [contract.external_id for contract in file.contracts],
        [line.external_id for line in file.contract_lines],
        [shipment.number for shipment in file.shipments],
        file.lines.external_id,
        file.lines.payload_hash,
    ):
        assert len(set(keys)) == len(keys)
    assert len(file.shipments) == 5692
    assert item_code("Efavirenz 600mg, tablets, 30 Tabs") == "EFAV-YL7VMW"


def test_every_line_agrees_with_its_shipment_and_contract() -> None:
    file = history()
    lines = file.lines
    for at, (line, shipment) in enumerate(zip(lines.contract_line, lines.shipment, strict=True)):
        assert shipment is not None
        document = file.shipments[shipment]
        assert document.contract == file.contract_lines[line].contract
        assert (document.order_no, document.received_on) == (lines.order_no[at], lines.received_on[at])
        assert lines.order_date[at] <= lines.due[at]


def test_where_the_price_list_is_ambiguous_the_own_price_stays() -> None:
    file = history()
    groups = Counter(
        (price.contract_line, price.order_no, price.order_date) for price in file.prices if price.ambiguous
    )
    listed = {(price.contract_line, price.order_no, price.order_date, price.price) for price in file.prices}
    lines = file.lines
    own = set(zip(lines.contract_line, lines.order_no, lines.order_date, lines.price, strict=True))
    assert len(groups) == 44
    assert own == listed


def test_dirt_is_remarked_by_row_and_column_and_refuses_nothing() -> None:
    counts = {(remark.code, remark.column): len(remark.rows) for remark in history().remarks}
    assert counts == {
        ("text-in-date", col.PQ_DATE): 2143,
        ("text-in-date", col.PO_DATE): 4589,
        ("figure-elsewhere", col.WEIGHT): 1919,
        ("text-in-number", col.WEIGHT): 1208,
        ("figure-elsewhere", col.FREIGHT): 1919,
        ("text-in-number", col.FREIGHT): 1354,
        ("empty", col.INSURANCE): 237,
        ("not-given", col.MODE): 292,
        ("value-differs", col.VALUE): 502,
        ("zero", col.VALUE): 16,
        ("zero", col.PRICE): 17,
        ("several-prices", col.PRICE): 106,
        ("ordered-after-due", col.PO_DATE): 4,
        ("no-order-date", col.PO_DATE): 1563,
        ("recorded-early", col.RECORDED): 3,
        ("like-another", col.ID): 12,
    }
    note = next(history().remarks[0].notes())
    assert (note.row, note.column, note.text) == (2, col.PQ_DATE, "“Pre-PQ Process” stands in place of a date.")


def test_order_date_rule() -> None:
    due = date(2010, 5, 1)
    assert order_date(date(2010, 1, 2), date(2010, 1, 1), due) == date(2010, 1, 2)
    assert order_date(None, date(2010, 1, 1), due) == date(2010, 1, 1)
    assert order_date(None, None, due) == date(2010, 1, 31)
    assert order_date(date(2010, 6, 1), None, due) == due


def test_reordered_rows_keep_their_hashes_and_the_digest() -> None:
    order = list(range(len(whole_set())))
    random.Random(1).shuffle(order)
    shuffled = parse(picked(whole_set(), order))
    hashes = dict(zip(shuffled.lines.external_id, shuffled.lines.payload_hash, strict=True))
    assert hashes == dict(zip(history().lines.external_id, history().lines.payload_hash, strict=True))
    assert shuffled.digest == history().digest
    assert (shuffled.contracts, shuffled.items, shuffled.prices) == (
        history().contracts,
        history().items,
        history().prices,
    )


def test_content_saved_again_in_another_form_is_the_same_content(tmp_path: Path) -> None:
    table = some(300)
    write_csv(table, tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text(encoding="utf-8")
    latin = read_table(text.encode("latin-1"), "a.csv")
    packed = read_table(gzip.compress(text.replace("\n", "\r").encode("utf-16")), "a.csv.gz")
    assert parse(table).digest == parse(latin).digest == parse(packed).digest == parse(as_workbook(table)).digest


def as_workbook(table: Table) -> Table:
    """Saved as a spreadsheet does: numbers as numbers, dates as dates."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet, as_date = book.add_worksheet(), book.add_format({"num_format": "d-mmm-yy"})
        for at, (title, column) in enumerate(zip(table.header, table.columns, strict=True)):
            sheet.write_string(0, at, title)
            for row, cell in enumerate(column, 1):
                found = day(cell)
                if isinstance(found, date):
                    sheet.write_datetime(row, at, found, as_date)
                elif title in col.NUMBERS and not isinstance(amount(cell, Decimal(10**12)), Bad):
                    sheet.write_number(row, at, float(cell))
                else:
                    sheet.write_string(row, at, cell)
    return read_table(buffer.getvalue(), "a.xlsx")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 32), st.integers(2, 41))
def test_any_changed_cell_changes_the_hash_of_its_row_alone(column: int, row: int) -> None:
    table = some()
    changed = with_cell(table, row, table.header[column], table.columns[column][row - 2] + "x")
    before, after = _hashes_of(table), _hashes_of(changed)
    assert [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [row - 2]


dates = st.dates(date(1995, 1, 1), date(2090, 1, 1))


@given(st.none() | dates, st.none() | dates, dates)
def test_an_order_is_never_younger_than_its_due_date(ordered: date | None, quoted: date | None, due: date) -> None:
    assert order_date(ordered, quoted, due) <= due
    if ordered and ordered <= due:
        assert order_date(ordered, quoted, due) == ordered


@given(dates)
def test_a_day_reads_the_same_in_every_spelling(when: date) -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    spelled = (f"{when.day}-{months[when.month - 1]}-{when.year}", f"{when.month}/{when.day}/{when.year}", str(when))
    assert {day(text) for text in spelled} == {when}


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)))
def test_the_digest_knows_no_order(order: list[int]) -> None:
    assert parse(picked(some(12), order)).digest == parse(some(12)).digest


def _hashes_of(table: Table) -> list[str]:
    return col.hashes(dict(zip(table.header, table.columns, strict=True)))


@given(st.decimals(0, 10**9, places=4, allow_nan=False), st.integers(0, 3), st.integers(0, 3))
def test_a_number_has_one_canonical_spelling(number: Decimal, before: int, after: int) -> None:
    spelled = "0" * before + f"{number:f}" + "0" * after
    short = canonical_number(spelled)
    assert Decimal(short) == number
    assert canonical_number(short) == short


def test_a_row_sent_twice_counts_once() -> None:
    table = some()
    twice = parse(picked(table, [*range(40), 7]))
    assert twice.refused == []
    assert twice.digest == parse(table).digest
    assert [(remark.code, remark.rows) for remark in twice.remarks if remark.code == "same-again"] == [
        ("same-again", [42])
    ]
