"""Which days of a calendar one delivery stands on. Pure."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from portal.schedules.model import LineStatus

ZERO = Decimal(0)
ENDED = {LineStatus.CANCELLED, LineStatus.CLOSED}


class EventStatus(StrEnum):
    """As calendars know it."""

    TENTATIVE = "TENTATIVE"  # asked, not promised
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Entry(NamedTuple):
    """So much of a delivery on one day. no: its place among the delivery's entries, 0 for the first."""

    no: int
    day: date
    quantity: Decimal
    status: EventStatus


def entries(status: LineStatus, due: date, ordered: Decimal, promised: Iterable[tuple[Decimal, date]]) -> list[Entry]:
    """What is promised on its own day, and what nobody promised yet on the due date; one entry a day and kind.

    100 asked for the 7th, 60 promised for the 7th and 40 for the 9th: 60 and 40. Only 60 promised: 60, and 40 open.
    """
    if status is LineStatus.CANCELLED:
        return [Entry(0, due, ordered, EventStatus.CANCELLED)]
    by_day: dict[date, Decimal] = {}
    for quantity, day in promised:
        by_day[day] = by_day.get(day, ZERO) + quantity
    found = [(day, quantity, EventStatus.CONFIRMED) for day, quantity in by_day.items()]
    rest = ordered - sum(by_day.values(), ZERO)
    if status is LineStatus.CLOSED and not found:
        found = [(due, ordered, EventStatus.CONFIRMED)]  # delivered without having been confirmed
    elif rest > 0 and status not in {LineStatus.CONFIRMED, LineStatus.CLOSED}:
        found.append((due, rest, EventStatus.TENTATIVE))
    return [Entry(no, *each) for no, each in enumerate(sorted(found, key=lambda each: (each[0], each[2])))]
