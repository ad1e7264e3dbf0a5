"""Cumulative quantities (CUM) of one contract line: what was asked, shipped and received since its start.

Nothing here is clipped: a negative figure is a discrepancy to show. Quantities are in the contract line's unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

Entry = tuple[date, Decimal]  # so much on a day
ZERO = Decimal(0)


class CountBy(StrEnum):
    """Which date of a delivery decides whether it counts in a cumulative period."""

    RECEIPT = "receipt"
    DESPATCH = "despatch"


class Movement(NamedTuple):
    """One shipment line with what was received of it; received_on is empty while it is on the way."""

    despatched_on: date
    shipped: Decimal
    received_on: date | None = None
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    short: Decimal = ZERO  # announced less counted, recorded when the shipment line was closed


class Cumulative(NamedTuple):
    """The cumulative figures of one contract line on one day."""

    requested: Decimal
    shipped: Decimal
    received: Decimal
    in_transit: Decimal  # negative: more was received than sent
    open: Decimal  # still to be shipped for the requests up to the day
    ahead_behind: Decimal  # shipped less requested: + ahead, - behind


def cum_requested(lines: Iterable[Entry], day: date, base: Decimal = ZERO) -> Decimal:
    """The opening balance plus all lines due up to and on the day. Test: 55, then 20 and 30, is 75, then 105."""
    return base + sum((quantity for due, quantity in lines if due <= day), ZERO)


def counting(movements: Iterable[Movement], since: date, by: CountBy = CountBy.RECEIPT) -> list[Movement]:
    """The movements that count in the cumulative period that begins on `since`.

    A delivery counts whole, on both sides, by one of its dates: were it shipped in the old period and received in the
    new one, the quantity in transit would be wrong for ever. What has no receipt yet will have one later, so it counts.
    """
    if by is CountBy.DESPATCH:
        return [m for m in movements if m.despatched_on >= since]
    return [m for m in movements if m.received_on is None or m.received_on >= since]


def straddling(movements: Iterable[Movement], since: date) -> list[Movement]:
    """The deliveries sent before the new period and received in it or not yet: to be shown before a reset."""
    return [m for m in movements if m.despatched_on < since and (m.received_on is None or m.received_on >= since)]


def cum_shipped(movements: Iterable[Movement], base: Decimal = ZERO) -> Decimal:
    return base + sum((m.shipped for m in movements), ZERO)


def cum_received(movements: Iterable[Movement], base: Decimal = ZERO, count_rejected: bool = True) -> Decimal:
    """Accepted plus, by default, rejected and not yet returned; returns do not lower it."""
    return base + sum((m.accepted + (m.rejected if count_rejected else ZERO) for m in movements), ZERO)


def in_transit(shipped: Decimal, received: Decimal, short: Decimal = ZERO) -> Decimal:
    """Sent, not received and not recorded as short. Test: 800 shipped, 760 counted, 40 recorded short is 0."""
    return shipped - received - short


def open_requirement(requested: Decimal, received: Decimal, on_the_way: Decimal) -> Decimal:
    """What must still be shipped for the requests up to a day. Test: 800 requested, 760, none on the way is +40."""
    return requested - received - on_the_way


def ahead_behind(shipped: Decimal, requested_today: Decimal) -> Decimal:
    """+ ahead, - behind the requests due by the end of today."""
    return shipped - requested_today


def net_requirement(their_requested: Decimal, their_received: Decimal, shipped_since: Decimal) -> Decimal:
    """What the customer's own figures ask of us. shipped_since: our shipments after the last one it has received."""
    return their_requested - their_received - shipped_since


def cumulative_on(lines: Iterable[Entry], movements: Sequence[Movement], day: date, base: Decimal = ZERO) -> Cumulative:
    """All figures of one contract line at the end of a day, from what counts in its cumulative period."""
    requested = cum_requested(lines, day, base)
    shipped, received = cum_shipped(movements, base), cum_received(movements, base)
    on_the_way = in_transit(shipped, received, sum((m.short for m in movements), ZERO))
    return Cumulative(
        requested,
        shipped,
        received,
        on_the_way,
        open_requirement(requested, received, on_the_way),
        ahead_behind(shipped, requested),
    )


# Curves for the chart ----------------------------------------------------------------------------------------------


def cumulative_points(entries: Iterable[Entry], base: Decimal = ZERO) -> list[Entry]:
    """The running total after each day that has entries: one point a day, ascending."""
    total, points = base, list[Entry]()
    for day, group in groupby(sorted(entries, key=itemgetter(0)), key=itemgetter(0)):
        total += sum((quantity for _, quantity in group), ZERO)
        points.append((day, total))
    return points


def aligned(
    curves: Mapping[str, Sequence[Entry]],
    start: date,
    end: date,
    last_days: Mapping[str, date] | None = None,
    base: Decimal = ZERO,
) -> tuple[list[date], dict[str, list[Decimal | None]]]:
    """Step curves on one common axis of days from start to end, as the chart wants them.

    curves: points of `cumulative_points`, by name. last_days: where a curve ends (delivered goods end today); after it
    the value is None. The axis holds start, end, the last days and each day on which any curve steps.
    """
    limits = dict(last_days or {})
    steps = {day for points in curves.values() for day, _ in points} | set(limits.values())
    days = sorted({start, end} | {day for day in steps if start <= day <= end})
    return days, {name: _on_axis(points, days, limits.get(name, end), base) for name, points in curves.items()}


def _on_axis(points: Sequence[Entry], days: Sequence[date], last: date, base: Decimal) -> list[Decimal | None]:
    values = list[Decimal | None]()
    total, n = base, 0
    for day in days:
        while n < len(points) and points[n][0] <= day:
            total, n = points[n][1], n + 1
        values.append(total if day <= last else None)
    return values
