"""The grid in which a schedule is edited: its columns, what a cell holds, and what another number in it does. Pure."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from portal.core.calendars import DAY, WorkingCalendar, delivery_days
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.schedules import rules_packs
from portal.schedules.model import LineStatus, Zone
from portal.schedules.rules import OPEN
from portal.schedules.rules_packs import Packed, PackWarning

MOST_COLUMNS = 53


class By(StrEnum):
    """What a column is."""

    DAY = "day"
    WEEK = "week"


class CellFixed(Conflict):
    code = "cell-fixed"
    text = N_("{part}, {column}: {fixed} is firm, answered or on its way. Enter at least that, or ask for a change.")


class CellChanged(Conflict):
    code = "cell-changed"
    text = N_("{part}, {column}: it is {now} by now, not {was}. Look at it again and decide.")


class CellPast(Invalid):
    code = "cell-past"
    text = N_("{part}, {column}: no day of it is left to deliver on. Use a later column.")


class Column(NamedTuple):
    """The days [first, end) of one column."""

    first: date
    end: date


class Held(NamedTuple):
    """One schedule line in a cell. fixed: it is firm, shipped or ended, so the grid cannot change it."""

    id: UUID
    quantity: Decimal
    fixed: bool
    draft: bool
    due: date


class Deed(NamedTuple):
    """What is done: a line set to a quantity, 0 takes it back; without a line one is added."""

    line_id: UUID | None
    quantity: Decimal


def columns(by: By, first: date, count: int) -> list[Column]:
    """Columns one after another; weeks begin on Mondays."""
    step = timedelta(days=7 if by is By.WEEK else 1)
    begin = first - DAY * first.weekday() if by is By.WEEK else first
    return [Column(begin + step * n, begin + step * (n + 1)) for n in range(count)]


def column_at(by: By, first: date) -> Column:
    """The column that begins on a day. A week's begins on its Monday."""
    return columns(by, first, 1)[0]


def is_fixed(status: str, zone: str | None, shipped: Decimal) -> bool:
    """Whether only an agreed change may touch a published line: it is firm, shipped, or ended."""
    return zone == Zone.FIRM or shipped > 0 or status not in (*OPEN, LineStatus.DRAFT)


def total(held: Sequence[Held]) -> Decimal:
    return sum((line.quantity for line in held), Decimal(0))


def plan(held: Sequence[Held], wanted: Decimal) -> list[Deed] | None:
    """The fewest changes that make the cell hold the wanted quantity; None when what is fixed is more than that.

    The difference goes to the last line that can change; one that would fall to nothing is taken back, and the rest of
    the difference goes to the line before it.
    """
    difference = wanted - total(held)
    deeds: list[Deed] = []
    free = [line for line in held if not line.fixed]
    if difference > 0:
        return [Deed(free[-1].id, free[-1].quantity + difference)] if free else [Deed(None, difference)]
    for line in reversed(free):
        if difference >= 0:
            break
        left = max(line.quantity + difference, Decimal(0))
        deeds.append(Deed(line.id, left))
        difference += line.quantity - left
    return None if difference < 0 else deeds


def loose(line: Packed, column: Column, held: Sequence[Held], quantity: Decimal) -> list[PackWarning]:
    """The warning about a cell's quantity, if it does not fill its packs. What is fixed is left as it is."""
    return rules_packs.loose(line, column.first, quantity, total([one for one in held if one.fixed]))


def day_in(column: Column, calendar: WorkingCalendar, weekdays: Sequence[int], rule: str, today: date) -> date | None:
    """The day in a column on which a new delivery is due: an agreed one, from today on; none when all have passed."""
    if column.end - column.first == DAY:
        return column.first if column.first >= today else None
    days = [day for day in delivery_days(*column, calendar, weekdays, rule=rule) if day >= today]
    if days:
        return days[0]
    later = calendar.next_working(max(column.first, today))
    return later if later < column.end else None
