"""A factory's own spreadsheet under a mapping: each row's cells as values, or why a cell cannot be read. Pure."""

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from portal.core.i18n import _, render
from portal.sync.cells import Bad, bad, name
from portal.sync.findings import REASONS, shortened
from portal.sync.own_fields import BY_NAME, Kind, OwnField, Target
from portal.sync.own_values import DayOrder, Marks, cadence, day, number, unit_of
from portal.sync.table import Table

# What a contract says once; rows below may leave it out, as they do where cells were merged.
HEAD = ("number", "partner", "title", "partner_reference", "payment_terms", "currency", "valid_from", "valid_to")
FILLED = (*HEAD, "cut_over")
CURRENCIES = {"人民币": "CNY", "rmb": "CNY", "cny": "CNY", "美元": "USD", "usd": "USD", "欧元": "EUR", "eur": "EUR"}


class FileMapping(Struct, frozen=True):
    """How a file is read: where its heading is, what its columns hold, how days and numbers are written."""

    target: Target
    header: int  # the row of the heading, as a spreadsheet counts
    columns: dict[str, int]  # field -> column, from 0
    days: DayOrder = DayOrder.YEAR_FIRST
    marks: Marks = Marks.POINT
    fill_down: bool = True
    direction: str = ""  # of new contracts; empty: what the partner is
    currency: str = ""  # where the file names none


class OwnRefused(Struct, frozen=True):
    """One cell that keeps a row out: where it stands, what it holds, what is wrong, how to mend it."""

    row: int
    column: str  # as the file calls it
    cell: str
    text: str
    data: dict[str, Any] = {}
    mend: str = ""

    @property
    def reason(self) -> str:
        return render(self.text, self.data)

    @property
    def told(self) -> str:
        return render(self.mend, self.data) if self.mend else ""


class OwnRow(Struct, frozen=True):
    """One row that can be read. values: field -> typed value; what is empty is left out."""

    row: int
    values: dict[str, Any]


class Grid(Struct, frozen=True):
    """The file as rows of text, heading and title and all."""

    name: str
    numbers: list[int]
    rows: list[list[str]]

    def at(self, row: int) -> int:
        """The place of a row by its number; the first one when there is none of it."""
        return self.numbers.index(row) if row in self.numbers else 0

    def header(self, row: int) -> list[str]:
        """The headings; one that is left empty is named as a spreadsheet names its column."""
        return [cell.strip() or letter(at) for at, cell in enumerate(self.rows[self.at(row)])]

    def below(self, row: int) -> Iterator[tuple[int, list[str]]]:
        at = self.at(row) + 1
        return zip(self.numbers[at:], self.rows[at:], strict=True)


def letter(column: int) -> str:
    """0 is A, 26 is AA."""
    text, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = string.ascii_uppercase[rest] + text
    return text


def grid_of(table: Table) -> Grid:
    rows = [list(cells) for cells in zip(*table.columns, strict=True)]
    return Grid(table.name, table.numbers, rows)


def read_rows(grid: Grid, said: FileMapping) -> tuple[list[OwnRow], list[OwnRefused]]:
    """The rows below the heading. A row with a cell that cannot be read is refused with each such cell."""
    header = grid.header(said.header)
    fields = BY_NAME[said.target]
    good: list[OwnRow] = []
    refused: list[OwnRefused] = []
    above: dict[str, str] = {}
    for row, cells in grid.below(said.header):
        texts = {field: cells[column].strip() for field, column in said.columns.items() if column < len(cells)}
        if not any(texts.values()):
            continue
        if said.fill_down:
            above = texts = _filled(texts, above)
        values, bads = _values(texts, fields, said)
        for field, why in bads.items():
            refused.append(refusal(row, header, said, field, texts.get(field, ""), why))
        if not bads:
            good.append(OwnRow(row, values))
    return good, refused


def refusal(row: int, header: Sequence[str], said: FileMapping, field: str, cell: str, why: Bad) -> OwnRefused:
    text, mend = REASONS[why.code]
    return OwnRefused(row, heading(header, said, field), shortened(cell), text, dict(why.data), mend)


def heading(header: Sequence[str], said: FileMapping, field: str) -> str:
    """The column of a field as the file calls it; a field without column by its own name."""
    column = said.columns.get(field)
    if column is not None and column < len(header):
        return header[column]
    known = BY_NAME[said.target].get(field)
    return _(known.label) if known else ""


def _filled(texts: Mapping[str, str], above: Mapping[str, str]) -> dict[str, str]:
    """A row that names no contract goes on with the one above, and with what that says once."""
    if texts.get("number") or not above:
        return dict(texts)
    return {field: text or (above.get(field, "") if field in FILLED else "") for field, text in texts.items()}


def _values(
    texts: Mapping[str, str], fields: Mapping[str, OwnField], said: FileMapping
) -> tuple[dict[str, Any], dict[str, Bad]]:
    values: dict[str, Any] = {}
    bads: dict[str, Bad] = {}
    for field in fields.values():
        text = texts.get(field.name, "")
        if not text:
            if field.needed:
                bads[field.name] = Bad("blank")
            continue
        value = _value(field, text, said)
        if isinstance(value, Bad):
            bads[field.name] = value
        elif isinstance(value, tuple):
            values[field.name] = value[0]
            if value[1] is not None and values.setdefault("unit", value[1]) != value[1]:
                bads[field.name] = bad("unit-differs", text, unit=values["unit"])
        else:
            values[field.name] = value
    return values, bads


def _value(field: OwnField, text: str, said: FileMapping) -> Any:
    match field.kind:
        case Kind.DAY:
            return day(text, said.days)
        case Kind.NUMBER if field.name == "price":
            found = number(text, said.marks)
            return found if isinstance(found, Bad) else found[0]
        case Kind.NUMBER:
            return number(text, said.marks)
        case Kind.WHOLE:
            return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else bad("own-number", text)
        case Kind.UNIT:
            return unit_of(text) or bad("unknown-unit", text)
        case Kind.CADENCE:
            return cadence(text)
        case _ if field.name == "currency":
            return CURRENCIES.get(text.casefold(), text.upper())
        case _:
            return name(field.longest)(text)


def lacking(target: Target, columns: Mapping[str, int]) -> list[str]:
    """The labels of what has to be mapped and is not."""
    return [field.label for field in BY_NAME[target].values() if field.needed and field.name not in columns]
