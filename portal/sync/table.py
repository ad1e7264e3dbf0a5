"""Uploaded tables, read as columns of text. Nothing is guessed: a cell is what the file says, letter by letter.

CSV (UTF-8, UTF-16, GB18030, Latin-1; comma, semicolon, tab or bar; plain or gzip) and XLSX. What is too big, packed too
tightly or no table at all is refused before it is parsed. Uploads of strangers go through `child.read_in_child`.
"""

import codecs
import csv
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from portal.core.errors import Invalid
from portal.core.i18n import N_

MB = 1024 * 1024
CHUNK = 256  # rows turned into columns at a time; small enough that the cells are still in the processor's cache
LOOKED_AT = 20  # lines of a file without known heading, for its separator
LONG_LINE = 65_536  # characters from which a line is checked for its number of columns before it is split


class Limits(Struct, frozen=True):
    """How much of a file is read. Bytes, rows without the heading, and for a child process memory and time."""

    file_bytes: int = 64 * MB
    unpacked_bytes: int = 96 * MB
    rows: int = 200_000
    columns: int = 200
    cells: int = 8_000_000  # of a worksheet's used area, filled or not
    cell_characters: int = 32_767
    child_memory: int = 256 * MB
    child_seconds: int = 10


UPLOAD = Limits()


class FileTooLarge(Invalid):
    code = "file-too-large"
    text = N_("The file is larger than {limit} MB. Split it into parts, or save it as CSV and pack it with gzip.")


class UnpackedTooLarge(Invalid):
    code = "unpacked-too-large"
    text = N_("Unpacked, the file is larger than {limit} MB. Split it into parts.")


class TooManyRows(Invalid):
    code = "too-many-rows"
    text = N_("The table has more than {limit} rows: row {row} is not read any more. Split it into parts.")


class TooManyColumns(Invalid):
    code = "too-many-columns"
    text = N_("Row {row} has {columns} columns; at most {limit} are read. Remove the columns that are not needed.")


class TooManyCells(Invalid):
    code = "too-many-cells"
    text = N_("The sheet reaches to row {row} and column {columns}. Delete what stands far outside the table.")


class CellTooLong(Invalid):
    code = "cell-too-long"
    text = N_("Row {row}, column {column}: the cell has more than {limit} characters. Shorten it.")


class NulByte(Invalid):
    code = "nul-byte"
    text = N_("Row {row}, column {column} holds a NUL byte, which is no text. Save the table again as CSV (UTF-8).")


class BrokenText(Invalid):
    code = "broken-text"
    text = N_("Row {row}: the text is damaged and cannot be read as {encoding}. Save the table again as CSV (UTF-8).")


class BrokenQuotes(Invalid):
    code = "broken-quotes"
    text = N_("From row {row} on a quotation mark is not closed or stands in the wrong place. Mend it in the file.")


class BrokenArchive(Invalid):
    code = "broken-archive"
    text = N_("The packed file is damaged and cannot be unpacked. Save it again and send it once more.")


class LockedWorkbook(Invalid):
    code = "locked-workbook"
    text = N_("The workbook is protected with a password. Save it without a password.")


class NotATable(Invalid):
    code = "not-a-table"
    text = N_("“{name}” is not a table that can be read. Save it as XLSX or as CSV; CSV may be packed with gzip.")


class EmptyTable(Invalid):
    code = "empty-table"
    text = N_("“{name}” holds no rows below a heading. Choose the file that holds the data.")


class Table(Struct, frozen=True):
    """A heading and columns of text, all of the same length. Cells are shared strings, so repetition is cheap."""

    name: str
    header: tuple[str, ...]
    columns: list[list[str]]
    numbers: list[int]  # the row each record stands in, as a spreadsheet counts; the heading is row 1
    uneven: list[tuple[int, int]] = []  # rows with another number of cells than the heading: (row, cells)
    ignored_sheets: tuple[str, ...] = ()  # a workbook's other sheets that hold something

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, index: int) -> tuple[str, ...]:
        """The cells of one record, counted from 0."""
        return tuple(column[index] for column in self.columns)


Shape = Callable[[Iterator[list[str]], str, Limits], Table]


def read_table(source: Path | bytes, filename: str, limits: Limits = UPLOAD, shape: "Shape | None" = None) -> Table:
    """Read a table by its content, whatever its name says. Raises one of the refusals above, never anything else."""
    data = load(source, limits)
    name = Path(filename).name[:120]
    if data.startswith(b"\x1f\x8b"):
        data = _gunzip(data, limits)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        from portal.sync.workbook import read_workbook  # imported late: a CSV needs no spreadsheet library

        return read_workbook(data, name, limits, shape or _columns)
    if data.startswith(b"\xd0\xcf\x11\xe0"):  # the container of old or encrypted workbooks
        raise LockedWorkbook if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k" in data else NotATable(name=name)
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf")):
        raise NotATable(name=name)
    return _read_csv(data, name, limits, shape or _columns)


def read_book(source: Path | bytes, filename: str, limits: Limits = UPLOAD) -> list[Table]:
    """Every sheet of a workbook, as `read_table` reads one. Raises NotATable for what is no workbook."""
    data = load(source, limits)
    name = Path(filename).name[:120]
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        encrypted = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k" in data
        raise LockedWorkbook if encrypted else NotATable(name=name)
    from portal.sync.workbook import read_sheets  # imported late, as above

    return read_sheets(data, name, limits)


def load(source: Path | bytes, limits: Limits) -> bytes:
    """The bytes of an upload, never more than the limit."""
    if isinstance(source, bytes):
        data = source
    else:
        with source.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    if len(data) > limits.file_bytes:
        raise FileTooLarge(limit=limits.file_bytes // MB)
    return data


def _gunzip(data: bytes, limits: Limits) -> bytes:
    """Unpack every member of a gzip file, giving up as soon as the limit is passed."""
    parts: list[bytes] = []
    room = limits.unpacked_bytes
    try:
        while data.startswith(b"\x1f\x8b"):
            member = zlib.decompressobj(31)
            part = member.decompress(data, room + 1)
            if len(part) > room:
                raise UnpackedTooLarge(limit=limits.unpacked_bytes // MB)
            if not member.eof:
                raise BrokenArchive
            room -= len(part)
            parts.append(part)
            data = member.unused_data
    except zlib.error:
        raise BrokenArchive from None
    return b"".join(parts)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _read_csv(data: bytes, name: str, limits: Limits, shape: Shape) -> Table:
    if len(data) > limits.unpacked_bytes:
        raise UnpackedTooLarge(limit=limits.unpacked_bytes // MB)
    encoding = _encoding(data)
    delimiter = _delimiter(data[:LONG_LINE].decode(encoding, "ignore"), LOOKED_AT if shape is as_grid else 1)
    if not encoding.startswith("utf-16") and b"\0" in data:
        before = data[: data.index(b"\0")]
        column = before.rpartition(b"\n")[2].count(delimiter.encode()) + 1
        raise NulByte(row=before.count(b"\n") + 1, column=column)
    try:
        return shape(_records(data, encoding, delimiter, limits), name, limits)
    except csv.Error:
        raise BrokenQuotes(row=_last_row(_records(data, encoding, delimiter, limits)) + 1) from None
    except UnicodeDecodeError:
        raise BrokenText(row=_last_row(_records(data, encoding, delimiter, limits)) + 1, encoding=encoding) from None


def _records(data: bytes, encoding: str, delimiter: str, limits: Limits) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding, newline="")
    return csv.reader(_lines(text, delimiter, limits), delimiter=delimiter, strict=True)


def _last_row(records: Iterator[list[str]]) -> int:
    """How many rows can be read before the one that cannot: only an error pays for counting."""
    number = 0
    try:
        for _ in records:
            number += 1
    except (csv.Error, UnicodeDecodeError):
        return number
    return number


def _encoding(data: bytes) -> str:
    """The first encoding that fits: the byte order mark, then UTF-8, then GB18030 or Latin-1 by how bytes pair up."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):  # without a mark: every other byte is zero
        if len(data) > 8 and data[start:400:2].count(0) * 10 > len(data[start:400:2]) * 9:
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy_encoding(data)
    return "utf-8-sig"


def _legacy_encoding(data: bytes) -> str:
    """Chinese letters are two bytes, mostly both high; European accents stand alone between plain letters."""
    runs = re.findall(rb"[\x80-\xff]+", data[: 4 * MB])
    paired = sum(len(run) % 2 == 0 for run in runs)
    if paired * 2 < len(runs):
        return "latin-1"
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return "latin-1"
    return "gb18030"


def _delimiter(head: str, lines: int = 1) -> str:
    """The separator that stands most often in one of the first lines, outside quotation marks."""
    first = re.split(r"[\r\n]+", head.lstrip("\ufeff\r\n"), maxsplit=lines)[:lines]
    bare = [re.sub(r'"[^"]*"', "", line) for line in first]
    return max(",;\t|", key=lambda mark: max(line.count(mark) for line in bare))


def _lines(text: Iterable[str], delimiter: str, limits: Limits) -> Iterator[str]:
    """The lines, stopping at one that would explode into far too many cells or holds an endless one."""
    for number, line in enumerate(text, 1):
        if len(line) > LONG_LINE:
            cells = line.split(delimiter, limits.columns * 10)
            if len(cells) > limits.columns * 10:
                raise TooManyColumns(row=number, columns=line.count(delimiter) + 1, limit=limits.columns)
            longest = max(range(len(cells)), key=lambda at: len(cells[at]))
            if len(cells[longest]) > LONG_LINE:
                raise CellTooLong(row=number, column=longest + 1, limit=limits.cell_characters)
        if "\0" in line:
            raise NulByte(row=number, column=line[: line.index("\0")].count(delimiter) + 1)
        yield line


def _columns(records: Iterator[list[str]], name: str, limits: Limits) -> Table:
    """Turn records into columns. Equal texts of a column become one object: 100,000 rows stay under 100 MB."""
    header, number = _header(records, name, limits)
    width = len(header)
    columns: list[list[str]] = [[] for _ in header]
    seen: list[dict[str, str]] = [{} for _ in header]
    numbers: list[int] = []
    uneven: list[tuple[int, int]] = []
    while chunk := list(islice(records, CHUNK)):
        first, number = number + 1, number + len(chunk)
        kept: Iterable[int] = range(first, number + 1)
        if {*map(len, chunk)} != {width} or not all(map(itemgetter(0), chunk)):
            chunk, kept = _level(chunk, first, width, uneven, limits)
        if number > limits.rows + 1:
            raise TooManyRows(limit=limits.rows, row=limits.rows + 2)
        numbers.extend(kept)
        for column, texts, cells in zip(columns, seen, zip(*chunk, strict=True), strict=False):
            column.extend(map(texts.setdefault, cells, cells))
    _check_lengths(header, columns, seen, numbers, limits)
    table = _trimmed(Table(name, header, columns, numbers, uneven))
    if not numbers or not any(table.header):
        raise EmptyTable(name=name)
    return table


def _header(records: Iterator[list[str]], name: str, limits: Limits) -> tuple[tuple[str, ...], int]:
    """The first row that is not blank, and its number."""
    for number, cells in enumerate(records, 1):
        if len(cells) > limits.columns:
            raise TooManyColumns(row=number, columns=len(cells), limit=limits.columns)
        if any(cells):
            return tuple(cell.strip() for cell in cells), number
        if number > limits.rows:
            raise TooManyRows(limit=limits.rows, row=limits.rows + 2)
    raise EmptyTable(name=name)


def _level(
    chunk: list[list[str]], first: int, width: int, uneven: list[tuple[int, int]], limits: Limits
) -> tuple[list[list[str]], list[int]]:
    """Drop blank rows, and note rows that are too short or too long while cutting them to the heading's width."""
    level: list[list[str]] = []
    kept: list[int] = []
    for number, cells in enumerate(chunk, first):
        if not any(cells):
            continue
        if len(cells) > limits.columns:
            raise TooManyColumns(row=number, columns=len(cells), limit=limits.columns)
        if len(cells) < width or any(cells[width:]):
            uneven.append((number, len(cells)))
        level.append((cells + [""] * width)[:width])
        kept.append(number)
    return level, kept


def _check_lengths(
    header: tuple[str, ...], columns: list[list[str]], seen: list[dict[str, str]], numbers: list[int], limits: Limits
) -> None:
    for title, column, texts in zip(header, columns, seen, strict=True):
        if max(map(len, texts), default=0) > limits.cell_characters:
            longest = max(texts, key=len)
            row = numbers[column.index(longest)]
            raise CellTooLong(row=row, column=title, limit=limits.cell_characters)


def _trimmed(table: Table) -> Table:
    """Without the empty columns on the right that spreadsheets like to leave behind."""
    width = len(table.header)
    while width and not table.header[width - 1] and not any(table.columns[width - 1]):
        width -= 1
    return replace(table, header=table.header[:width], columns=table.columns[:width])


def from_records(records: Iterator[list[str]], name: str, limits: Limits) -> Table:
    """A table from rows of text cells, for the other readers."""
    return _columns(records, name, limits)


def as_grid(records: Iterator[list[str]], name: str, limits: Limits) -> Table:
    """All rows as they stand, where nobody knows yet which one is the heading: a title may stand above it."""
    width = limits.columns
    table = _columns(chain([[str(at + 1) for at in range(width)]], records), name, limits)
    while width and not any(table.columns[width - 1]):
        width -= 1
    numbers = [number - 1 for number in table.numbers]
    return replace(table, header=table.header[:width], columns=table.columns[:width], numbers=numbers, uneven=[])
