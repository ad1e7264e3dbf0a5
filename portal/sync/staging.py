"""Bulk loads: columns of text into temporary tables by COPY, from where one statement a table writes the rows.

Row-level security forbids COPY into the tables themselves; the temporary ones end with the transaction.
"""

import io
import os
import time
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from portal.core.db import Driver

NULL = r"\N"
_SPECIAL = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def new_ids(count: int) -> list[str]:
    """Version 7 UUIDs as 32 hex digits. All of their bits after the time are random, so that the distance between
    two of them tells nobody how many rows lie between."""
    now = f"{time.time_ns() // 1_000_000:012x}7"
    noise = os.urandom(10 * count).hex()
    variant = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
    return [
        now + noise[at : at + 3] + variant[noise[at + 3]] + noise[at + 4 : at + 19] for at in range(0, 20 * count, 20)
    ]


def new_tokens(count: int) -> list[str]:
    """Opaque tokens of 128 random bits for links and labels, 32 hex digits."""
    noise = os.urandom(16 * count).hex()
    return [noise[at : at + 32] for at in range(0, 32 * count, 32)]


def spelled(column: Iterable[Any]) -> Iterable[str]:
    """A column as COPY reads it. Equal values are spelled once."""
    short: dict[Any, str] = {None: NULL, "": ""}
    for value in column:
        text = short.get(value)
        if text is None:
            text = short[value] = str(value).translate(_SPECIAL)
        yield text


async def stage(connection: Driver, table: str, **columns: tuple[str, Sequence[Any]]) -> None:
    """Make a temporary table that ends with the transaction, and fill it. columns: name=(SQL type, values)."""
    heads = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
    await connection.execute(f"create temp table {table} ({heads}) on commit drop")
    texts = [values if kind == "uuid" and None not in values else spelled(values) for kind, values in columns.values()]
    body = "\n".join(map("\t".join, zip(*texts, strict=True)))
    if body:
        await connection.copy_to_table(
            table, source=io.BytesIO((body + "\n").encode()), columns=list(columns), schema_name="pg_temp"
        )
    await connection.execute(f"analyze {table}")


def same(value: Any, count: int) -> list[Any]:
    """A column with one value."""
    return list(repeat(value, count))
