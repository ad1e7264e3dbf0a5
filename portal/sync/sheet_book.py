"""The workbook itself: its sheets in the reader's language with hidden keys, and a hidden one about the export."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct

from portal.core.errors import Invalid
from portal.core.i18n import N_, _
from portal.sync.rules_sheets import RowSaid, Values
from portal.sync.sheet_columns import (
    CONTRACT_SHEETS,
    FIELDS,
    KEY,
    REASON,
    TITLES,
    VERSION,
    WORDS,
    Field,
    Kind,
    Sheet,
    folded,
    named,
    word,
)
from portal.sync.table import Table

ABOUT = "calloff"  # the hidden sheet
FORMAT = "1"
EXACT_DIGITS = 15  # more than these a spreadsheet program does not keep in a number


class NotASheet(Invalid):
    code = "not-our-workbook"
    text = N_("This is no workbook that the portal made for this page. Download it here first and edit that file.")


class OtherFormat(Invalid):
    code = "other-workbook-format"
    text = N_("This workbook was made by another version of the portal. Download it again.")


class OutRow(Struct, frozen=True):
    """One row to write. reason: why it comes back."""

    key: str
    version: str
    values: Values
    reason: str = ""


class Book(Struct, frozen=True):
    """What an uploaded workbook says. unknown: headings that mean nothing here, as (sheet, heading)."""

    export: str
    rows: list[RowSaid]
    unknown: list[tuple[str, str]]


# Writing --------------------------------------------------------------------------------------------------------------


def write_book(rows: Mapping[Sheet, Sequence[OutRow]], export: str, *, raw: bool = False) -> bytes:
    """The given sheets in the reader's language. Texts are texts whatever they begin with: nothing in it is a formula.

    raw: the cells are texts as a user wrote them, and are written so.
    """
    import xlsxwriter  # imported late: only exports pay for it

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    styles = {
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
        "fixed": book.add_format({"font_color": "#5B6472", "num_format": "@"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "text": book.add_format({"num_format": "@"}),
        "plain": book.add_format({}),
    }
    for sheet, found in rows.items():
        if sheet is Sheet.FIELDS and not found:
            continue  # no custom field is defined, and a row cannot be added
        _write_sheet(book.add_worksheet(_(TITLES[sheet])), FIELDS[sheet], found, styles, raw=raw)
    about = book.add_worksheet(ABOUT)
    for number, pair in enumerate((("format", "export"), (FORMAT, export))):
        for column, text in enumerate(pair):
            about.write_string(number, column, text)
    about.hide()
    book.close()
    return out.getvalue()


def _write_sheet(
    page: Any, fields: Sequence[Field], rows: Sequence[OutRow], styles: dict[str, Any], *, raw: bool
) -> None:
    reasons = any(row.reason for row in rows)
    heads = [KEY, VERSION, *(field.label for field in fields), *([REASON] if reasons else [])]
    for column, label in enumerate(heads):
        page.write_string(0, column, _(label), styles["head"])
    for number, row in enumerate(rows, start=1):
        page.write_string(number, 0, row.key)
        page.write_string(number, 1, row.version)
        for column, field in enumerate(fields, start=2):
            text = row.values.get(field.name, "")
            if raw:
                page.write_string(number, column, text)
            else:
                _write_cell(page, number, column, field, text, styles)
        if row.reason:
            page.write_string(number, len(fields) + 2, row.reason)
    last = max(len(rows), 1)
    for column, field in enumerate(fields, start=2):
        page.set_column(column, column, _width(field), styles[_style(field)])
        if field.choices:
            words = [word(value) for value in field.choices]
            page.data_validation(1, column, last + 500, column, {"validate": "list", "source": words})
    page.set_column(0, 1, None, None, {"hidden": True})
    page.freeze_panes(1, 4)
    page.autofilter(0, 0, last, len(heads) - 1)


def _style(field: Field) -> str:
    if field.fixed and field.kind is Kind.TEXT:
        return "fixed"
    return {Kind.TEXT: "text", Kind.WEEKDAYS: "text", Kind.DAY: "day"}.get(field.kind, "plain")


def _width(field: Field) -> int:
    return {Kind.TEXT: 22, Kind.DAY: 12}.get(field.kind, 14)


def _write_cell(page: Any, row: int, column: int, field: Field, text: str, styles: dict[str, Any]) -> None:
    style = styles[_style(field)]
    if not text:
        page.write_blank(row, column, None, style)
    elif field.kind is Kind.DAY:
        page.write_datetime(row, column, date.fromisoformat(text), style)
    elif field.kind in (Kind.NUMBER, Kind.PERCENT, Kind.WHOLE) and len(text.replace(".", "")) <= EXACT_DIGITS:
        page.write_number(row, column, Decimal(text), style)
    else:
        page.write_string(row, column, word(text) if text in WORDS and field.choices else text, style)


# Reading --------------------------------------------------------------------------------------------------------------


def read_rows(tables: Iterable[Table], sheets: Iterable[Sheet] = CONTRACT_SHEETS) -> Book:
    """What these sheets of an uploaded workbook say. Raises NotASheet or OtherFormat."""
    by_name = {folded(table.name): table for table in tables}
    about = by_name.get(ABOUT)
    if about is None or about.header[:2] != ("format", "export") or len(about) != 1:
        raise NotASheet
    kind, export = about.row(0)[:2]
    if kind != FORMAT:
        raise OtherFormat
    rows: list[RowSaid] = []
    unknown: list[tuple[str, str]] = []
    for sheet in sheets:
        table = next((by_name[name] for name in named(TITLES[sheet]) if name in by_name), None)
        if table is not None:
            rows += _rows(sheet, table, unknown)
    return Book(export, rows, unknown)


def _rows(sheet: Sheet, table: Table, unknown: list[tuple[str, str]]) -> list[RowSaid]:
    places = _places(sheet, table, unknown)
    key, version = places.pop("", None), places.pop("version", None)
    found = []
    for index, number in enumerate(table.numbers):
        cells = {name: table.columns[column][index] for name, column in places.items()}
        said = RowSaid(
            sheet,
            number,
            table.columns[key][index].strip() if key is not None else "",
            table.columns[version][index].strip() if version is not None else "",
            cells,
        )
        if said.key or any(cell.strip() for cell in cells.values()):
            found.append(said)
    return found


def _places(sheet: Sheet, table: Table, unknown: list[tuple[str, str]]) -> dict[str, int]:
    """Field -> column, by the headings in any language; of two equal headings the first counts."""
    names = {heading: field.name for field in FIELDS[sheet] for heading in named(field.label)}
    names |= dict.fromkeys(named(KEY), "") | dict.fromkeys(named(VERSION), "version")
    places: dict[str, int] = {}
    for column, heading in enumerate(table.header):
        name = names.get(folded(heading))
        if name is None and folded(heading) not in named(REASON) | {""}:
            unknown.append((sheet, heading))
        elif name is not None:
            places.setdefault(name, column)
    if "" not in places:
        raise NotASheet
    return places
