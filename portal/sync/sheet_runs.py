"""What every workbook that comes back goes through: read, tried and undone; what was refused goes out again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import faults
from portal.core.errors import Invalid, PortalError
from portal.core.journal import part
from portal.sync.child import read_book_in_child
from portal.sync.rules_sheets import Findings, Refused
from portal.sync.sheet_book import Book, OutRow, read_rows, write_book
from portal.sync.sheet_columns import BY_NAME, Sheet
from portal.sync.table import MB, Limits

F = TypeVar("F", bound=Findings)
MOST_ROWS = 40_000  # of one sheet
LIMITS = Limits(file_bytes=8 * MB, unpacked_bytes=48 * MB, rows=MOST_ROWS, columns=60, cells=1_200_000)


class _OnlyTried(Exception):
    """Undoes what was tried."""


async def read_upload(content: bytes, filename: str, sheets: Sequence[Sheet]) -> Book:
    """What an uploaded workbook says in these sheets. Raises Invalid with the field of the file."""
    try:
        return read_rows(await asyncio.to_thread(read_book_in_child, content, filename, LIMITS), sheets)
    except Invalid as error:
        error.field = "file"
        raise


async def tried(session: AsyncSession, deed: Callable[[], Awaitable[F]]) -> F:
    """What a deed would do, with all of it undone."""
    found: F | None = None
    try:
        async with part(session):
            found = await deed()
            raise _OnlyTried
    except _OnlyTried:
        pass
    assert found is not None  # whatever else was raised has left this function
    return found


def taken(found: Findings, mine: Iterable[int]) -> dict[tuple[str, str], str]:
    """The conflicts, by their places, that the user takes: (key, field) -> what holds now and may be replaced."""
    wanted = set(mine)
    return {(each.key, each.field): each.before for at, each in enumerate(found.conflicts) if at in wanted}


async def rows_left(book: Book, found: Findings, sheets: Sequence[Sheet]) -> bytes:
    """The rows that were not applied as a workbook with the reasons, to be mended and sent again."""
    reasons: dict[tuple[str, int], list[str]] = {}
    for refused in found.refused:
        reasons.setdefault((refused.sheet, refused.row), []).append(refused.sentence)
    for conflict in found.conflicts:
        reasons.setdefault((conflict.sheet, conflict.row), []).append(conflict.sentence)
    rows: dict[Sheet, list[OutRow]] = {sheet: [] for sheet in sheets}
    for said in book.rows:
        if said_why := reasons.get((said.sheet, said.row)):
            rows[said.sheet].append(OutRow(said.key, said.version, said.cells, " ".join(said_why)))
    return await asyncio.to_thread(write_book, rows, book.export, raw=True)


def refused_row(sheet: Sheet, row: int, error: PortalError | ValidationError, names: dict[str, str]) -> Refused:
    """A command's refusal as that of a row. names: the column where the command's field has another name."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        error = faults.refusal(fault, str(fault["loc"][0]) if fault["loc"] else "")
    column = (error.field or "").rpartition(".")[2]
    column = names.get(column, column)
    data = {name: value if isinstance(value, int) else str(value) for name, value in error.data.items()}
    return Refused(sheet, row, column if column in BY_NAME[sheet] else "", error.text, data)
