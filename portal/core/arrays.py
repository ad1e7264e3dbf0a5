"""Columns of rows as parameters for `unnest`: for commands that store rows by the thousand."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

Value = UUID | Decimal | date | int | str | None


def array(values: Sequence[Value]) -> str:
    """An array as PostgreSQL writes it, for a parameter spelled `$1::text::uuid[]`.

    The driver's own way with a list asks two abstract classes about each value and takes five times as long.
    """
    if values and all(value is values[0] for value in values):
        return "{" + ",".join([_written(values[0])] * len(values)) + "}"
    return "{" + ",".join([_written(value) for value in values]) + "}"


def columns(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Rows, at least one, as the arrays of their columns."""
    return [array(column) for column in zip(*rows, strict=True)]


def _written(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
