"""Whole packs: a delivery asked for by hand may be in parts of a pack, but whoever asks is told at once. Pure.

A warning and never a refusal: what is generated is rounded to packs, yet a last rest or a sample is asked for on
purpose.
"""

from datetime import date
from decimal import ROUND_FLOOR, Decimal
from typing import Protocol
from uuid import UUID

from msgspec import Struct


class Packed(Protocol):
    """What is read of a contract line to see whether packs are whole."""

    @property
    def id(self) -> UUID: ...
    @property
    def item_code(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def pack_size(self) -> Decimal: ...


class PackWarning(Struct, frozen=True):
    """A quantity of one cell, or of one delivery on its day, that does not fill its packs; below: none where that would
    be nothing."""

    contract_line_id: UUID
    column: date
    part: str
    unit: str
    quantity: Decimal
    pack_size: Decimal
    below: Decimal | None
    above: Decimal


def nearest(quantity: Decimal, fixed: Decimal, pack: Decimal) -> tuple[Decimal | None, Decimal] | None:
    """The two quantities around one with whole packs beside what is fixed; None when its packs are whole.

    Test: 505 in packs of 10 lies between 500 and 510; with 5 of it fixed it is whole.
    """
    free = quantity - fixed
    if pack <= 0 or free <= 0 or free % pack == 0:
        return None
    below = fixed + (free / pack).to_integral_value(ROUND_FLOOR) * pack
    return (below or None), below + pack


def loose(line: Packed, first: date, quantity: Decimal, fixed: Decimal = Decimal(0)) -> list[PackWarning]:
    """The warning about a quantity, if it does not fill its packs. first: the day of the delivery, or of its cell."""
    found = nearest(quantity, fixed, line.pack_size)
    if found is None:
        return []
    return [PackWarning(line.id, first, line.item_code, line.unit, quantity, line.pack_size, *found)]
