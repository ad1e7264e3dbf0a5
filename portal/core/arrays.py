"""Columns of rows as parameters for `unnest`: for commands that store rows by the thousand."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

NUL = "\x00"
Value = UUID | Decimal | date | int | str | None


def array(values: Sequence[Value]) -> str:
    """An array as PostgreSQL writes it, for a parameter spelled `$1::text::uuid[]`.

    The driver's own way with a list asks two abstract classes about each value and takes five times as long.
    """
    if len(values) == 1 or (values and all(value is values[0] for value in values)):
        return "{" + ",".join([_written(values[0])] * len(values)) + "}"
    kinds = set(map(type, values))
    if all(issubclass(kind, str) for kind in kinds):
        return _texts(values)  # type: ignore[arg-type]  # all of them are
    if any(kind is NoneType or issubclass(kind, str) for kind in kinds):
        return "{" + ",".join([_written(value) for value in values]) + "}"
    return "{" + ",".join(map(str, values)) + "}"


def columns(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Rows, at least one, as the arrays of their columns."""
    return [array(column) for column in zip(*rows, strict=True)]


def unseen(first: int, kinds: str) -> str:
    """Parameters from $first on as arrays for `unnest` whose lengths the planner does not see.

    It then takes them for a few rows and finds by its key what they are joined with. What it sees in full, a thousand
    ids, it finds by reading a tenant's whole table; and `id = any(...)` beside the join is worse: planned once for all,
    it looks for each of the thousand in all the thousand.
    """
    return ", ".join(f"(select ${n}::text::{kind}[])" for n, kind in enumerate(kinds.split(), first))


def _texts(values: Sequence[str]) -> str:
    """Texts, escaped all at once: none of them holds what stands between them, for PostgreSQL keeps no such sign."""
    whole = NUL.join(values)
    if whole.count(NUL) != len(values) - 1:
        return "{" + ",".join([_written(value) for value in values]) + "}"
    return '{"' + _escaped(whole).replace(NUL, '","') + '"}' if values else "{}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _written(value: Value) -> str:
    if value is None:
        return "NULL"
    return f'"{_escaped(value)}"' if isinstance(value, str) else str(value)
