"""Tables from outside come in as text, whole or not at all, and nothing hostile gets as far as the parser."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.errors import Invalid
from portal.core.i18n import Language, catalogue
from portal.sync import table as tables
from portal.sync.child import REFUSALS, read_in_child
from portal.sync.findings import REASONS, REMARKS
from portal.sync.table import Limits, Table, read_table
from portal.sync.workbook import shown

SMALL = Limits(file_bytes=2_000_000, unpacked_bytes=3_000_000, rows=1_000, columns=20, cells=10_000)
TEXT = 'Name,Amount\nCôte d\'Ivoire,"1,5"\n合同,=1+1\n'
ROWS = [("Côte d'Ivoire", "1,5"), ("合同", "=1+1")]


def rows(table: Table) -> list[tuple[str, ...]]:
    return [table.row(at) for at in range(len(table))]


def workbook(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        fill(book)
    return buffer.getvalue()


def repacked(data: bytes, part: str, content: bytes) -> bytes:
    """The same workbook with one part replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return buffer.getvalue()


def plain_workbook() -> bytes:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Deliveries")
        sheet.write_row(0, 0, ["Name", "Amount"])
        sheet.write_row(1, 0, ["Zambia", 12])

    return workbook(fill)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_encodings_are_told_apart_by_the_bytes(encoding: str) -> None:
    text = TEXT if encoding != "gb18030" else "名称,数量\n合同,要货计划\n供应商,锁定区\n"
    table = read_table(text.encode(encoding), "a.csv")
    assert (table.header, rows(table)[-1][0]) in ((("Name", "Amount"), "合同"), (("名称", "数量"), "供应商"))


def test_latin_1_is_not_taken_for_chinese() -> None:
    table = read_table("Country,City\nCôte d'Ivoire,Bouaké\nGuinée,Nzérékoré\n".encode("latin-1"), "a.csv")
    assert rows(table) == [("Côte d'Ivoire", "Bouaké"), ("Guinée", "Nzérékoré")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_end_are_found(delimiter: str, end: str) -> None:
    text = end.join([delimiter.join(["A", '"B, C; D"', "E"]), delimiter.join(["1", '"x,;|\t"', "3"]), ""])
    table = read_table(text.encode(), "a.csv")
    assert (table.header, rows(table)) == (("A", "B, C; D", "E"), [("1", "x,;|\t", "3")])


def test_gzip_is_unpacked_in_all_its_members() -> None:
    packed = gzip.compress(TEXT[:20].encode()) + gzip.compress(TEXT[20:].encode())
    assert rows(read_table(packed, "a.csv.gz")) == ROWS


def test_text_that_looks_like_a_formula_stays_text() -> None:
    cells = ["=1+1", "+49", "-2", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "１２", "007", "1e5", "TRUE"]
    table = read_table("A\n{}\n".format("\n".join(cells)).encode(), "a.csv")
    assert table.columns == [cells]

    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for at, cell in enumerate(["A", *cells]):
            sheet.write_string(at, 0, cell)

    assert read_table(workbook(fill), "a.xlsx").columns == [cells]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    table = read_table(b'\nA,B\n1,2\n\n"3\n4",5\n,\n6,7\n', "a.csv")
    assert (rows(table), table.numbers) == ([("1", "2"), ("3\n4", "5"), ("6", "7")], [3, 5, 7])


def test_uneven_rows_are_noted_and_levelled() -> None:
    table = read_table(b"A,B,C\n1,2,3\n4,5\n6,7,8,9\n1,2,3,,\n", "a.csv")
    assert table.uneven == [(3, 2), (4, 4)]
    assert rows(table) == [("1", "2", "3"), ("4", "5", ""), ("6", "7", "8"), ("1", "2", "3")]


def test_empty_columns_on_the_right_are_dropped() -> None:
    assert read_table(b"A,B,,\n1,2,,\n", "a.csv").header == ("A", "B")


def test_workbook_cells_become_the_text_a_csv_would_hold() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("hidden").hide()
        sheet = book.add_worksheet("data")
        sheet.activate()
        sheet.write_row(1, 1, ["A", "B", "C", "D", "E"])
        sheet.write_datetime(2, 1, date(2006, 6, 2), book.add_format({"num_format": "d-mmm-yy"}))
        sheet.write_row(2, 2, [19, 6.2, 1e15, True])
        book.add_worksheet("more").write_row(0, 0, ["x", "y"])

    table = read_table(workbook(fill), "a.xlsx")
    assert rows(table) == [("", "2006-06-02", "19", "6.2", "1000000000000000", "TRUE")]
    assert (table.numbers, table.ignored_sheets) == ([3], ("more",))


def test_a_number_never_gets_an_exponent_or_binary_noise() -> None:
    assert [shown(cell) for cell in (0.1 + 0.2, 1e-7, 29.0, -0.5)] == ["0.3", "0.0000001", "29", "-0.5"]
    assert len(shown(1e300)) == 301


def bomb_of_zeros() -> bytes:
    return gzip.compress(b"A,B\n" + b"0" * 50_000_000)


def bomb_of_cells() -> bytes:
    """A workbook of a few kilobytes whose sheet unpacks to 100 MB."""
    sheet = b"<worksheet><sheetData>" + b"<row r='1'><c r='A1'/></row>" * 4_000_000
    return repacked(plain_workbook(), "xl/worksheets/sheet1.xml", sheet)


def far_cell(reference: str) -> bytes:
    sheet = f'<worksheet><sheetData><row r="1"><c r="{reference}"><v>1</v></c></row></sheetData></worksheet>'
    return repacked(plain_workbook(), "xl/worksheets/sheet1.xml", sheet.encode())


def liar() -> bytes:
    """A part that declares fewer bytes than it unpacks to."""
    data = bytearray(repacked(plain_workbook(), "xl/styles.xml", b" " * 500_000))
    central = data.rindex(b"xl/styles.xml") - 46
    data[central + 24 : central + 28] = (100).to_bytes(4, "little")
    return bytes(data)


def encrypted() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


REFUSED: dict[str, Callable[[], bytes]] = {
    "file-too-large": lambda: b"A,B\n" + b"1,2\n" * 600_000,
    "unpacked-too-large": bomb_of_zeros,
    "unpacked-too-large ": bomb_of_cells,
    "too-many-rows": lambda: b"A,B\n" + b"1,2\n" * 2_000,
    "too-many-rows ": lambda: b"A,B\n1,2" + b"\n" * 1_900_000,
    "too-many-rows  ": lambda: far_cell("B1048576"),
    "too-many-columns": lambda: b"A" + b"," * 1_000_000 + b"\n",
    "too-many-columns ": lambda: b"A,B\n1" + b"," * 1_000_000 + b"\n",
    "too-many-columns  ": lambda: far_cell("XFD2"),
    "too-many-cells": lambda: far_cell("T900"),
    "cell-too-long": lambda: b"A,B\n1," + b"x" * 40_000 + b"\n",
    "cell-too-long ": lambda: b"A,B\n1," + b"x" * 400_000 + b"\n",
    "nul-byte": lambda: b"A,B\n1,2\n3,\0\n",
    "nul-byte ": lambda: "A,B\n1,2\n3,\0\n".encode("utf-16"),
    "broken-text": lambda: "A,B\n1,2\n".encode("utf-16") + b"\x00\xd8",
    "broken-quotes": lambda: b'A,B\n1,2\n"x"y,3\n',
    "broken-quotes ": lambda: b'A,B\n1,2\n"never closed,3\n' + b"4,5\n" * 40,
    "broken-archive": lambda: gzip.compress(TEXT.encode())[:-12],
    "broken-archive ": lambda: plain_workbook()[:-200],
    "broken-archive  ": liar,
    "locked-workbook": encrypted,
    "not-a-table": lambda: b"%PDF-1.7",
    "not-a-table ": lambda: b"PK\x05\x06" + bytes(18),
    "empty-table": lambda: b"",
    "empty-table ": lambda: b"A,B\n\n",
    "empty-table  ": lambda: workbook(lambda book: book.add_worksheet() and None),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_no_table_or_too_much_is_refused_with_its_reason(code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_table(REFUSED[code](), "a.csv", SMALL)
    assert refusal.value.code == code.strip()
    assert "{" not in str(refusal.value)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"A,B\n1,2\n3,\0\n", {"row": 3, "column": 2}),
        (b'A,B\n1,2\n"x"y,3\n', {"row": 3}),
        (b"A;B\n1;2\n" + b"x" * 40_000 + b";1\n", {"row": 3, "column": "A"}),
        (b"A,B\n1,2\n1" + b"," * 90_000, {"row": 3, "columns": 90_001}),
    ],
)
def test_a_refusal_names_the_place(data: bytes, place: dict[str, int | str]) -> None:
    with pytest.raises(Invalid) as refusal:
        read_table(data, "a.csv", SMALL)
    assert place.items() <= refusal.value.data.items()


def test_the_child_reads_what_we_read(tmp_path: Path) -> None:
    data = b"A,B\n1,2\n\n3,4,5\n"
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert read_in_child(path, "a.csv") == read_in_child(data, "a.csv") == read_table(data, "a.csv")


def test_the_child_tells_the_same_refusal() -> None:
    with pytest.raises(tables.NulByte) as refusal:
        read_in_child(b"A,B\n1,2\n3,\0\n", "a.csv")
    assert refusal.value.data == {"row": 3, "column": 2}


def test_the_child_has_a_lid_on_memory_and_time() -> None:
    strings = b"<sst><si><t>" + b"x" * 30_000 + b"</t></si></sst>"
    cells = b'<row><c t="s"><v>0</v></c></row>' * 60_000  # 60,000 times the same 30,000 letters
    sheet = b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>"

    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet().write_column(0, 0, ["x", "y"])

    bomb = repacked(workbook(fill), "xl/sharedStrings.xml", strings)
    bomb = repacked(bomb, "xl/worksheets/sheet1.xml", sheet)
    assert len(bomb) < 50_000
    with pytest.raises(Invalid) as refusal:
        read_in_child(bomb, "bomb.xlsx", Limits(child_memory=96 * tables.MB, child_seconds=5))
    assert refusal.value.code in ("file-too-much-memory", "file-too-slow")
    with pytest.raises(REFUSALS["file-too-slow"]):
        read_in_child(b"A,B\n" + b'"a,b",2\n' * 7_500_000, "slow.csv", Limits(rows=10_000_000, child_seconds=1))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_was_written_is_what_is_read(records: list[tuple[str, ...]], delimiter: str) -> None:
    quoted = [
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [("a", "b", "c"), *records]
    ]
    kept = [row for row in records if any(row)]
    try:
        assert rows(read_table("\n".join(quoted).encode(), "a.csv")) == kept
    except tables.EmptyTable:
        assert not kept


@pytest.mark.parametrize("kind", ["csv", "gz", "xlsx", "utf-16"])
def test_damaged_files_never_do_more_than_refuse(kind: str) -> None:
    csv = (TEXT + "x,1\n" * 30).encode()
    good = {"csv": csv, "gz": gzip.compress(csv), "xlsx": plain_workbook(), "utf-16": csv.decode().encode("utf-16")}
    chance = random.Random(kind)
    for _ in range(150):
        data = bytearray(good[kind])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randint(1, 40)]
                case 2:
                    data[at:at] = bytes(chance.choices(b'\0",;\n\r\xff=<>&9', k=chance.randint(1, 9)))
                case _:
                    data[at:at] = data[at : at + 60]
        outcome = read_or_refuse(bytes(data))
        if isinstance(outcome, Table):
            assert {len(column) for column in outcome.columns} == {len(outcome)}
        else:
            assert "{" not in str(outcome)


def read_or_refuse(data: bytes) -> Table | Invalid:
    try:
        return read_table(data, "a", SMALL)
    except Invalid as refusal:
        return refusal


def test_every_sentence_of_an_import_is_translated() -> None:
    sentences = {refusal.text for refusal in REFUSALS.values()} | set(REMARKS.values())
    sentences |= {text for pair in REASONS.values() for text in pair}
    assert sentences - set(catalogue(Language.ZH)) == set()
