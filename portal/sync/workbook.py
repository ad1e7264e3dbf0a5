"""XLSX as text. The archive is measured before it is parsed, because a small one can unpack to gigabytes."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import TypeVar

from msgspec.structs import replace
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    XmlError,
    ZipError,
)

from portal.sync.table import (
    MB,
    BrokenArchive,
    EmptyTable,
    Limits,
    LockedWorkbook,
    NotATable,
    NulByte,
    Shape,
    Table,
    TooManyCells,
    TooManyColumns,
    TooManyRows,
    UnpackedTooLarge,
    from_records,
)

T = TypeVar("T")
PART = 1 * MB  # bytes of a sheet looked at in one go
OVERLAP = 64  # no cell reference is longer, so none is lost between two parts
REFERENCE = re.compile(rb"\br\s*=\s*[\"']\s*([A-Za-z]{0,9})(\d{1,9})")
Cell = str | float | int | bool | date | datetime | time | object


def read_workbook(data: bytes, name: str, limits: Limits, shape: Shape = from_records) -> Table:
    """The first visible sheet that holds something; formulas count with their last result."""
    return _opened(data, name, limits, partial(_first_sheet, shape))


def read_sheets(data: bytes, name: str, limits: Limits) -> list[Table]:
    """All sheets that hold rows below a heading, hidden ones too; each table has its sheet's name."""
    return _opened(data, name, limits, _all_sheets)


def _opened(data: bytes, name: str, limits: Limits, read: Callable[[CalamineWorkbook, str, Limits], T]) -> T:
    """Read the workbook, measured first. Raises one of the refusals of `table`, never anything else."""
    _measure(data, name, limits)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            return read(book, name, limits)
    except PasswordError:
        raise LockedWorkbook from None
    except (CalamineError, XmlError, ZipError, OSError, ValueError):
        raise BrokenArchive from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # the Rust reader gave up; it has no public name to catch
            raise BrokenArchive from None
        raise


def _all_sheets(book: CalamineWorkbook, name: str, limits: Limits) -> list[Table]:
    found = []
    for sheet in book.sheets_metadata:
        if sheet.typ is not SheetTypeEnum.WorkSheet:
            continue
        content = book.get_sheet_by_name(sheet.name)
        if not content.height:
            continue
        try:
            found.append(from_records(_records(content), sheet.name, limits))
        except EmptyTable:
            continue  # a heading alone
    if not found:
        raise EmptyTable(name=name)
    return found


def _first_sheet(shape: Shape, book: CalamineWorkbook, name: str, limits: Limits) -> Table:
    filled = []
    for sheet in book.sheets_metadata:
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
            content = book.get_sheet_by_name(sheet.name)
            if content.height:
                filled.append(content)
    if not filled:
        raise EmptyTable(name=name)
    table = shape(_records(filled[0]), name, limits)
    return replace(table, ignored_sheets=tuple(sheet.name for sheet in filled[1:]))


def _records(sheet: CalamineSheet) -> Iterator[list[str]]:
    """Rows of text from the sheet's first row on, as the reader numbers them; `iter_rows` omits empty left columns."""
    margin = [""] * (sheet.start or (0, 0))[1]
    for cells in sheet.iter_rows():
        yield margin + [cell if type(cell) is str else shown(cell) for cell in cells]


def shown(cell: Cell) -> str:
    """A typed cell as the text a CSV would hold: 19, 6.2, 2006-06-02. Never an exponent, never binary noise."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case int():
            return str(cell)
        case float():
            text = format(cell, ".15g")  # a spreadsheet keeps 15 digits; the rest is binary noise
            return format(Decimal(text), "f") if "e" in text else text
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _measure(data: bytes, name: str, limits: Limits) -> None:
    """Refuse an archive that is too big when unpacked, and a sheet whose used area is too wide or too long."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if not any(part.filename == "xl/workbook.xml" for part in parts):
                raise NotATable(name=name)
            if sum(part.file_size for part in parts) > limits.unpacked_bytes or len(parts) > 2_000:
                raise UnpackedTooLarge(limit=limits.unpacked_bytes // MB)
            for part in parts:
                _measure_part(archive, part, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
        raise BrokenArchive from None


def _measure_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: Limits) -> None:
    """Unpack one part completely, which proves its declared size, and follow how far a sheet's cells reach."""
    is_sheet = part.filename.startswith("xl/worksheets/") and part.filename.endswith(".xml")
    rows, columns, tail = 0, 0, b""
    with archive.open(part) as content:
        while piece := content.read(PART):
            if not is_sheet:
                continue
            if b"\0" in piece:
                raise NulByte(row=rows + 1, column=1)
            found = REFERENCE.findall(tail + piece)
            tail = piece[-OVERLAP:]
            rows = max(rows, max((int(digits) for _, digits in found), default=0))
            columns = max(columns, max(map(_column, {letters for letters, _ in found}), default=0))
    if columns > limits.columns:
        raise TooManyColumns(row=rows, columns=columns, limit=limits.columns)
    if rows > limits.rows + 1:
        raise TooManyRows(limit=limits.rows, row=limits.rows + 2)
    if rows * columns > limits.cells:
        raise TooManyCells(row=rows, columns=columns)


def _column(letters: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
