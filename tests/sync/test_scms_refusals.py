"""Every way in which an SCMS file can be wrong is told with row, column, reason and remedy."""

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from portal.core.i18n import Language, speaking
from portal.sync import scms_rows as col
from portal.sync.scms import parse
from portal.sync.scms_demo import repeat, write_csv
from portal.sync.scms_figures import figures
from portal.sync.scms_file import ScmsFile
from portal.sync.table import read_table
from tests.sync.samples import some, whole_set, with_cell


@pytest.mark.parametrize(
    ("title", "cell", "code"),
    [
        (col.ID, " ", "blank"),
        (col.ID, "x" * 41, "too-long"),
        (col.PROJECT, "", "blank"),
        (col.PROJECT, "100-CI\u202e-T01", "hidden-character"),
        (col.VENDOR, "A\u200bB", "hidden-character"),
        (col.VENDOR, "V" * 76, "too-long"),
        (col.ITEM, "two\nlines", "hidden-character"),
        (col.ORDER, "", "blank"),
        (col.SHIPMENT, "", "blank"),
        (col.COUNTRY, "Atlantis", "unknown-country"),
        (col.WAY, "By Pigeon", "unknown-way"),
        (col.WAY, "", "blank"),
        (col.WAY, "From RDC", "way-against-vendor"),
        (col.DUE, "31-Feb-06", "not-a-date"),
        (col.DUE, "2-Jux-06", "not-a-date"),
        (col.DUE, "２-Jun-06", "not-a-date"),
        (col.DUE, "", "blank"),
        (col.DUE, "0006-06-02", "absurd-date"),
        (col.DELIVERED, "Date Not Captured", "not-a-date"),
        (col.DELIVERED, "9999-12-31", "absurd-date"),
        (col.QUANTITY, "0", "not-positive"),
        (col.QUANTITY, "-5", "not-positive"),
        (col.QUANTITY, "-0", "not-positive"),
        (col.QUANTITY, "1.5", "too-fine"),
        (col.QUANTITY, "1,000", "not-a-number"),
        (col.QUANTITY, "１２", "not-a-number"),
        (col.QUANTITY, "١٢", "not-a-number"),
        (col.QUANTITY, "NaN", "not-a-number"),
        (col.QUANTITY, "Infinity", "not-a-number"),
        (col.QUANTITY, "1e400", "not-a-number"),
        (col.QUANTITY, "=19", "not-a-number"),
        (col.QUANTITY, "1" + "0" * 400, "too-large"),
        (col.QUANTITY, "1000000000", "too-large"),
        (col.PRICE, "-0.01", "negative"),
        (col.PRICE, "29 USD", "not-a-number"),
        (col.PRICE, "0.0000001", "too-fine"),
        (col.VALUE, "", "blank"),
        (col.VALUE, "1" + "0" * 12, "too-large"),
    ],
)
def test_a_bad_cell_is_refused_with_row_column_reason_and_remedy(title: str, cell: str, code: str) -> None:
    file = parse(with_cell(some(), 9, title, cell))
    assert [(refusal.row, refusal.column, refusal.code) for refusal in file.refused] == [(9, title, code)]
    for language in Language:
        with speaking(language):
            assert file.refused[0].reason
            assert file.refused[0].mend
            assert "{" not in file.refused[0].reason
    assert (len(file.lines), file.rows, figures(file)["refused"]) == (39, 40, 1)


def test_an_id_with_two_contents_is_refused() -> None:
    table = some()
    file = parse(with_cell(table, 9, col.ID, table.columns[0][3]))
    assert [(refusal.row, refusal.column, refusal.code) for refusal in file.refused] == [(9, col.ID, "duplicate-id")]
    assert file.refused[0].data["other"] == 5


def test_a_project_with_two_countries_is_refused() -> None:
    table = some()
    projects = table.columns[table.header.index(col.PROJECT)]
    row = next(at for at in range(1, 40) if projects[at] in projects[:at]) + 2
    file = parse(with_cell(table, row, col.COUNTRY, "Libya"))
    assert [(refusal.row, refusal.column, refusal.code) for refusal in file.refused] == [
        (row, col.COUNTRY, "two-countries")
    ]


@pytest.mark.parametrize(("title", "cell"), [(col.ORDER, "SCMS-1"), (col.DELIVERED, "1-Jan-09")])
def test_a_shipment_of_two_orders_or_days_is_refused(title: str, cell: str) -> None:
    table = some(400)
    shipments = table.columns[table.header.index(col.SHIPMENT)]
    row = next(at for at in range(1, 400) if shipments[at] == shipments[at - 1]) + 2
    file = parse(with_cell(table, row, title, cell))
    assert {(refusal.column, refusal.code) for refusal in file.refused} == {(col.SHIPMENT, "split-shipment")}
    assert row in {refusal.row for refusal in file.refused}


def test_headings_must_be_those_of_the_file() -> None:
    table = some()
    header = ("id ", "Project Code", "Project Code", "Order", *table.header[4:])
    file = parse(replace(table, header=header))
    assert {(refusal.row, refusal.column, refusal.code) for refusal in file.refused} == {
        (1, "PQ #", "missing-column"),
        (1, "PO / SO #", "missing-column"),
        (1, "Project Code", "repeated-column"),
        (1, "Order", "unknown-column"),
    }
    assert (len(file.lines), file.contracts) == (0, [])


def test_columns_may_stand_in_any_order() -> None:
    table = some()
    turned = replace(table, header=table.header[::-1], columns=table.columns[::-1])
    assert parse(turned).digest == parse(table).digest


def test_a_shifted_row_is_refused_once(tmp_path: Path) -> None:
    write_csv(some(5), tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace(",", "", 4)
    lines[4] += ",more"
    file = parse(read_table("\n".join(lines).encode(), "a.csv"))
    assert [(refusal.row, refusal.column, refusal.code) for refusal in file.refused] == [
        (3, whole_set().header[29], "uneven-row"),
        (5, "34", "uneven-row"),
    ]


def test_a_hopeless_file_lists_every_row_but_not_every_cell() -> None:
    table = repeat(some(), 3_000)
    nonsense = replace(table, columns=[["?"] * len(table) for _ in table.header])
    refused = parse(nonsense).refused
    assert {refusal.row for refusal in refused} == set(range(2, 3_002))
    assert len(refused) < 4_100


def test_text_that_looks_like_a_formula_is_kept_as_text() -> None:
    file = parse(with_cell(some(), 9, col.ITEM, '=HYPERLINK("http://x")'))
    assert file.refused == []
    assert '=HYPERLINK("http://x")' in {item.description for item in file.items}


def test_nonsense_never_does_more_than_refuse() -> None:
    chance = random.Random(7)
    cells = [
        "",
        " ",
        "-1",
        "1e9",
        "NaN",
        "∞",
        "１",
        "9" * 500,
        "=1+1",
        "\u202e",
        "\x1f",
        "31-Feb-06",
        "1/1/0001",
        "a|b",
    ]
    for _ in range(250):
        table = some(25)
        for _ in range(chance.randint(1, 5)):
            other = chance.choice(table.columns)[chance.randrange(25)]
            table = with_cell(table, chance.randint(2, 26), chance.choice(table.header), chance.choice([*cells, other]))
        file = parse(table)
        assert len(file.lines) + len({refusal.row for refusal in file.refused}) + _repeated(file) == 25
        for refusal in file.refused:
            assert refusal.column in table.header
            assert 2 <= refusal.row <= 26
            assert refusal.reason
            assert refusal.mend


def _repeated(file: ScmsFile) -> int:
    return sum(len(remark.rows) for remark in file.remarks if remark.code == "same-again")
