"""Reading a stranger's file in a process of its own, with a lid on its memory and its time.

The mechanism is `portal.core.child`. Whatever happens to the child, the caller sees a table or a refusal.
"""

import json
import sys
from array import array
from pathlib import Path
from typing import Any

import msgspec

from portal.core import child
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.sync import table as tables
from portal.sync.table import MB, UPLOAD, Limits, Table


class TooSlow(Invalid):
    code = "file-too-slow"
    text = N_("The file could not be read within {seconds} seconds. Save it as CSV, or split it into parts.")


class TooMuchMemory(Invalid):
    code = "file-too-much-memory"
    text = N_("The file needs more than {limit} MB of memory to be read. Save it as CSV, or split it into parts.")


class Unreadable(Invalid):
    code = "file-unreadable"
    text = N_("The file could not be read. Save it as CSV (UTF-8) and send it again.")


REFUSALS: dict[str, type[Invalid]] = {
    kind.code: kind
    for kind in (*vars(tables).values(), TooSlow, TooMuchMemory)
    if isinstance(kind, type) and issubclass(kind, Invalid) and kind is not Invalid
}


class Packed(msgspec.Struct, frozen=True):
    """A table on its way: each column as its different texts and, per row, the place of its text among them."""

    name: str
    header: tuple[str, ...]
    texts: list[list[str]]
    places: list[bytes]  # unsigned 32 bit numbers
    numbers: bytes
    uneven: list[tuple[int, int]]
    ignored_sheets: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True):
    code: str
    data: dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    tables: list[Packed] = []
    refused: Refused | None = None


def read_in_child(source: Path | bytes, filename: str, limits: Limits = UPLOAD) -> Table:
    """Read an untrusted upload. Blocks for at most twice `child_seconds`. Raises Invalid, never anything else."""
    return _read("table", source, filename, limits)[0]


def read_grid_in_child(source: Path | bytes, filename: str, limits: Limits = UPLOAD) -> Table:
    """The same of a table whose heading nobody knows yet: all of its rows."""
    return _read("grid", source, filename, limits)[0]


def read_book_in_child(source: Path | bytes, filename: str, limits: Limits = UPLOAD) -> list[Table]:
    """The same of an untrusted workbook, with all of its sheets."""
    return _read("book", source, filename, limits)


def _read(what: str, source: Path | bytes, filename: str, limits: Limits) -> list[Table]:
    arguments = [what, filename, json.dumps(msgspec.to_builtins(limits))]
    try:
        said = child.answer_of("portal.sync.child:main", source, arguments, limits.child_seconds)
    except child.ChildTooSlow:
        raise TooSlow(seconds=limits.child_seconds) from None
    except child.ChildTooLarge:
        raise TooMuchMemory(limit=limits.child_memory // MB) from None
    except child.ChildFailed:
        raise Unreadable from None
    answer = msgspec.msgpack.decode(said, type=Answer)
    if answer.refused:
        raise REFUSALS[answer.refused.code](**answer.refused.data)
    assert answer.tables  # one of the two is always there
    return [unpack(table) for table in answer.tables]


def main() -> None:
    """The child: limits first, then the file. Runs with what to read, the file name and the limits as arguments."""
    what, filename, text = sys.argv[-3:]
    limits = msgspec.json.decode(text, type=Limits)
    child.close_the_lid(limits.child_memory, limits.child_seconds)
    try:
        data = sys.stdin.buffer.read(limits.file_bytes + 1)
        if what == "book":
            answer = Answer(tables=[pack(table) for table in tables.read_book(data, filename, limits)])
        else:
            shape = tables.as_grid if what == "grid" else None
            answer = Answer(tables=[pack(tables.read_table(data, filename, limits, shape))])
    except Invalid as refusal:
        answer = Answer(refused=Refused(refusal.code, {key: _plain(value) for key, value in refusal.data.items()}))
    except MemoryError:
        answer = Answer(refused=Refused(TooMuchMemory.code, {"limit": limits.child_memory // MB}))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    sys.stdout.buffer.flush()


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def pack(table: Table) -> Packed:
    texts: list[list[str]] = []
    places: list[bytes] = []
    for column in table.columns:
        place = {text: at for at, text in enumerate(dict.fromkeys(column))}
        texts.append(list(place))
        places.append(array("I", map(place.__getitem__, column)).tobytes())
    numbers = array("I", table.numbers).tobytes()
    return Packed(table.name, table.header, texts, places, numbers, table.uneven, table.ignored_sheets)


def unpack(packed: Packed) -> Table:
    columns = [
        list(map(texts.__getitem__, array("I", places)))
        for texts, places in zip(packed.texts, packed.places, strict=True)
    ]
    numbers = list(array("I", packed.numbers))
    return Table(packed.name, packed.header, columns, numbers, packed.uneven, packed.ignored_sheets)
