"""What the rows of one delivery say in a workbook of answers, and what became of the delivery meanwhile. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct

from portal.core.i18n import N_
from portal.schedules.rules import NothingPromised
from portal.sync.rules_sheets import (
    FIXED,
    FIXED_MEND,
    FOREIGN,
    FOREIGN_MEND,
    MISSING,
    MISSING_MEND,
    Refused,
    RowSaid,
    Values,
    read_cells,
)
from portal.sync.sheet_answer_words import parts_text, refusal_text
from portal.sync.sheet_columns import BY_NAME, Reply, Sheet, YesNo

ANSWERING = ("confirmed", "delivery_date", "despatch_date", "price", "reply", "reason", "final", "note")
NO_DELIVERY = N_("The row names no delivery.")
NO_DELIVERY_MEND = N_("Copy the whole row of the delivery, with its hidden columns, for each further part.")
NO_QUANTITY = N_("There is a date, a price, a reason or a note, but no answer.")
NO_QUANTITY_MEND = N_("Write the quantity, or choose whether to confirm or to refuse the delivery.")
DAYS = ("delivery_date", "despatch_date")
BOTH = N_("The delivery is both confirmed and refused.")
BOTH_MEND = N_("Keep one of the two.")


Part = tuple[Decimal, date | None, date | None]  # so much, there on this day, leaving on that one; one day at least


class Answered(Struct, frozen=True):
    """One delivery's answer: parts, or a refusal (without parts)."""

    key: str
    rows: tuple[int, ...]
    parts: tuple[Part, ...] = ()
    refuse: bool = False
    reason: str = ""
    note: str = ""
    final: bool = False
    price: Decimal | None = None

    @property
    def text(self) -> str:
        return refusal_text(self.reason) if self.refuse else parts_text(self.parts, self.price)

    def repeats(self, said: Iterable[tuple[Decimal, date, date | None, Decimal | None]]) -> bool:
        """Whether that is what was said already: quantity, both days and price of every part, as far as named here."""
        left = list(said)
        for quantity, there, leaves in sorted(self.parts, key=lambda part: None in part):  # what is exact first
            wanted = (quantity, there, leaves, self.price)
            same = [each for each in left if all(mine in (None, his) for mine, his in zip(wanted, each, strict=True))]
            if not same:
                return False
            left.remove(same[0])
        return not left


def grouped(rows: Sequence[RowSaid]) -> tuple[dict[str, list[RowSaid]], list[Refused]]:
    """The rows that say something by their delivery; those that name none are refused."""
    found: dict[str, list[RowSaid]] = {}
    refused = []
    for said in rows:
        if not any(said.cells.get(name, "").strip() for name in ANSWERING):
            continue
        if said.key:
            found.setdefault(said.key, []).append(said)
        else:
            refused.append(Refused(said.sheet, said.row, "", NO_DELIVERY, {}, NO_DELIVERY_MEND))
    return found, refused


def read_answer(
    key: str, rows: Sequence[RowSaid], base: Values | None, version: int | None, today: date
) -> Answered | list[Refused]:
    """What the rows of one delivery say together; else why not, one refusal at least."""
    if base is None or any(said.version not in ("", str(version)) for said in rows):
        return [Refused(said.sheet, said.row, "", FOREIGN, {}, FOREIGN_MEND) for said in rows]
    values, refused = [], list[Refused]()
    for said in rows:
        mine, bad = read_cells(said)
        refused += bad or [
            Refused(said.sheet, said.row, name, FIXED, {"before": base[name]}, FIXED_MEND)
            for name, value in mine.items()
            if BY_NAME[Sheet.ANSWERS][name].fixed and value != base[name]
        ]
        values.append(mine)
    return refused or _together(key, rows, values, base, today)


def _together(
    key: str, rows: Sequence[RowSaid], values: Sequence[Values], base: Values, today: date
) -> Answered | list[Refused]:
    """One answer of all rows: the first reason counts, notes are joined."""
    replies = {mine.get("reply", "") for mine in values} - {""}
    quantities = [mine.get("confirmed", "") for mine in values]
    refuse = Reply.REFUSE in replies
    if refuse and (any(quantities) or len(replies) > 1):
        return _all(rows, "reply", BOTH, BOTH_MEND)
    reason = next((text for mine in values if (text := mine.get("reason", ""))), "")
    if refuse and not reason:
        return _all(rows, "reason", MISSING, MISSING_MEND)
    notes = dict.fromkeys(text for mine in values if (text := mine.get("note", "")))
    parts = list[Part]()
    for said, mine, text in zip(rows, values, quantities, strict=True):
        if refuse:
            continue
        if not text and (len(rows) > 1 or mine.get("reply") != Reply.CONFIRM):
            return [Refused(said.sheet, said.row, "confirmed", NO_QUANTITY, {}, NO_QUANTITY_MEND)]
        quantity = Decimal(text or base["quantity"])
        if not quantity:
            return [Refused(said.sheet, said.row, "confirmed", NothingPromised.text)]
        parts.append((quantity, *_days(mine, base, today)))
    final = any(mine.get("final") == YesNo.YES for mine in values)
    price = next((Decimal(text) for mine in values if (text := mine.get("price", ""))), None)
    at = tuple(said.row for said in rows)
    return Answered(key, at, tuple(parts), refuse, reason, " ".join(notes), final, None if refuse else price)


def _days(mine: Values, base: Values, today: date) -> tuple[date | None, date | None]:
    """(delivery, despatch) of one row; neither: the day asked for, or today if that has passed."""
    there, leaves = (date.fromisoformat(day) if (day := mine.get(name)) else None for name in DAYS)
    if there is None and leaves is None:
        there = max(date.fromisoformat(base["due_date"]), today)
    return there, leaves


def _all(rows: Sequence[RowSaid], column: str, text: str, mend: str) -> list[Refused]:
    return [Refused(said.sheet, said.row, column, text, {}, mend) for said in rows]
