"""A release that waits for an approver, in words."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core import i18n
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.schedules.reads_board import BoardLine
from portal.schedules.reads_held import HeldRelease
from portal.schedules.rules_hold import Verdict

VERDICTS = {
    Verdict.UP: N_("more than the tolerance"),
    Verdict.DOWN: N_("less than the tolerance"),
    Verdict.NEW: N_("is new"),
    Verdict.DROPPED: N_("is not asked for any more"),
}


class HeldView(Struct, frozen=True):
    """What is held, by whom it was prepared, and each contract line outside the tolerance as one row."""

    version: int
    prepared_at: Any
    prepared_name: str
    prepared_by: UUID | None
    note: str
    rows: list[tuple[str, str, str, str, str]]  # part, verdict, by when, before, after


def held_view(held: HeldRelease, lines: Sequence[BoardLine]) -> HeldView:
    """The held release for the page that decides it."""
    parts = {str(line.id): line for line in lines}
    rows = [_row(one, parts[one["part"]]) for one in held.out if one["part"] in parts]
    return HeldView(
        held.version,
        held.prepared_at,
        held.prepared_name if held.prepared_by else "",
        held.prepared_by,
        held.note,
        rows,
    )


def _row(one: dict[str, Any], line: BoardLine) -> tuple[str, str, str, str, str]:
    before, after = (show_quantity(Decimal(one[side]), line.unit) for side in ("before", "after"))
    when = i18n.day(date.fromisoformat(one["day"]), year=True) if one["day"] else _(one["level"] or "")
    return line.item_code, _(VERDICTS[Verdict(one["verdict"])]), when, before, after
