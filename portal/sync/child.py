"""Reading a stranger's file in a process of its own, with a lid on its memory and its time.

The child gets the file on its standard input and no environment of ours; it answers with plain data, never with
objects that run code when read. Whatever happens to it, the caller sees a table or a refusal.
"""

import json
import logging
import os
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import msgspec

from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.sync import table as tables
from portal.sync.table import MB, UPLOAD, Limits, Table

logger = logging.getLogger(__name__)
START = "from portal.sync.child import main; main()"
STOPPED_BY_CLOCK = -24  # SIGXCPU; named by number because not every system knows it


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


def read_book_in_child(source: Path | bytes, filename: str, limits: Limits = UPLOAD) -> list[Table]:
    """The same of an untrusted workbook, with all of its sheets."""
    return _read("book", source, filename, limits)


def _read(what: str, source: Path | bytes, filename: str, limits: Limits) -> list[Table]:
    try:
        done = _run(what, source, filename, limits)
    except subprocess.TimeoutExpired:
        raise TooSlow(seconds=limits.child_seconds) from None
    return _tables(done, limits)


def _run(what: str, source: Path | bytes, filename: str, limits: Limits) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", START, what, filename, json.dumps(msgspec.to_builtins(limits))]
    environment = {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path), "PYTHONUTF8": "1"}
    longest = 2 * limits.child_seconds  # the child counts processor time only, and a busy machine gives it half
    if isinstance(source, bytes):
        return subprocess.run(command, env=environment, input=source, capture_output=True, timeout=longest)
    with source.open("rb") as file:
        return subprocess.run(command, env=environment, stdin=file, capture_output=True, timeout=longest)


def _tables(done: subprocess.CompletedProcess[bytes], limits: Limits) -> list[Table]:
    if done.returncode == STOPPED_BY_CLOCK:
        raise TooSlow(seconds=limits.child_seconds)
    if done.returncode < 0 or b"MemoryError" in done.stderr:  # Rust aborts when memory is refused, the kernel kills
        raise TooMuchMemory(limit=limits.child_memory // MB)
    if done.returncode:
        logger.error("table reader failed", extra={"stderr": done.stderr[-2000:].decode("utf-8", "replace")})
        raise Unreadable
    answer = msgspec.msgpack.decode(done.stdout, type=Answer)
    if answer.refused:
        raise REFUSALS[answer.refused.code](**answer.refused.data)
    assert answer.tables  # one of the two is always there
    return [unpack(table) for table in answer.tables]


def main() -> None:
    """The child: limits first, then the file. Runs with what to read, the file name and the limits as arguments."""
    what, filename, text = sys.argv[-3:]
    limits = msgspec.json.decode(text, type=Limits)
    _close_the_lid(limits)
    try:
        data = sys.stdin.buffer.read(limits.file_bytes + 1)
        if what == "book":
            answer = Answer(tables=[pack(table) for table in tables.read_book(data, filename, limits)])
        else:
            answer = Answer(tables=[pack(tables.read_table(data, filename, limits))])
    except Invalid as refusal:
        answer = Answer(refused=Refused(refusal.code, {key: _plain(value) for key, value in refusal.data.items()}))
    except MemoryError:
        answer = Answer(refused=Refused(TooMuchMemory.code, {"limit": limits.child_memory // MB}))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))
    sys.stdout.buffer.flush()


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def _close_the_lid(limits: Limits) -> None:
    """Bound memory and processor time, and forbid writing files. Does nothing where the system has no such limits."""
    try:
        import resource
    except ImportError:
        return
    for limit, most in (
        (resource.RLIMIT_DATA, limits.child_memory),
        (resource.RLIMIT_AS, limits.child_memory + 128 * MB),  # libraries mapped but not used count here
        (resource.RLIMIT_CPU, limits.child_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # At the soft limit of time the system says why it stops the process; at the hard one it only kills.
        resource.setrlimit(limit, (allowed, hard if limit == resource.RLIMIT_CPU else allowed))


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
