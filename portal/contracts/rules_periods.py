"""What is agreed for the periods of a line: from its fixed quantity and band, typed, or as its history suggests.

Pure: everything comes in as an argument, and every quantity is in the line's unit.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from portal.contracts.inputs_buckets import SetPeriods
from portal.contracts.model_buckets import BucketCadence
from portal.contracts.rules import LineTerms, band
from portal.core.calendars import periods
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.core.quantities import check_scale, round_to_unit

ZERO = Decimal(0)
DAY = timedelta(days=1)
LEAST_DELIVERIES = 12  # in a line's history, below which no fixed quantity is proposed


class PeriodsOverlap(Invalid):
    code = "periods-overlap"
    text = N_("Two periods share the day {day}. Let each begin on the day on which the one before ends.")


class PeriodEmpty(Invalid):
    code = "period-empty"
    text = N_("The period that begins on {start} ends on {end}, before it has a day. Enter a later end.")


class OutsideContract(Invalid):
    code = "period-outside-contract"
    text = N_("The period from {start} is not inside the contract's validity, which is from {first} to {last}.")


class LimitsOutOfOrder(Invalid):
    code = "limits-out-of-order"
    text = N_("The floor {floor}, the target {target} and the ceiling {ceiling} have to rise in this order.")


# What is agreed ----------------------------------------------------------------------------------------------------


class Agreed(NamedTuple):
    """The quantity of one period [start, end)."""

    cadence: BucketCadence
    start: date
    end: date
    floor: Decimal
    target: Decimal
    ceiling: Decimal


def agreed_periods(line: LineTerms, first: date, last: date | None, until: date) -> list[Agreed]:
    """The periods of a line's fixed quantity from the contract's first day to its last, or to `until` without one.

    A period that the contract's first or last day cuts has target and floor in proportion to its days, but the whole
    ceiling: which of its days are delivery days is not known here. Without a fixed quantity there is none.
    """
    if line.foq is None or line.cadence is None:
        return []
    cadence = BucketCadence(line.cadence.value)
    stop = until if last is None else last + DAY
    found = []
    for start, end in periods(cadence.value, first, stop):
        begins, ends = max(start, first), end if last is None else min(end, stop)
        if ends <= begins:  # an amendment took the line out before it began
            continue
        floor, target, ceiling = band(
            line.foq, line.band_below_percent, line.band_above_percent, line.pack_size, line.unit
        )
        if (begins, ends) != (start, end):
            days, whole = (ends - begins).days, (end - start).days
            floor = round_to_unit(floor * days / whole, line.unit)
            target = max(round_to_unit(target * days / whole, line.unit), floor)
        found.append(Agreed(cadence, begins, ends, floor, target, max(ceiling, target)))
    return found


def monthly_periods(
    target: Decimal, line: LineTerms, since: date, validity: tuple[date, date | None], months: int
) -> list[Agreed]:
    """Months with one target and the line's band around it, from the month of a day on: so many, as far as the
    contract is valid. A cut month keeps the whole target. None when the contract ends before."""
    floor, target, ceiling = band(target, line.band_below_percent, line.band_above_percent, line.pack_size, line.unit)
    first, last = validity
    begin = since.replace(day=1)
    until = date(begin.year + (begin.month - 1 + months) // 12, (begin.month - 1 + months) % 12 + 1, 1)
    stop = until if last is None else min(until, last + DAY)
    return [
        Agreed(BucketCadence.MONTH, max(start, first), min(end, stop), floor, target, ceiling)
        for start, end in periods("month", max(begin, first), stop)
    ]


def typed_periods(said: SetPeriods) -> list[Agreed]:
    """The periods of a list as they are agreed."""
    return [Agreed(said.cadence, one.start, one.end, one.floor, one.target, one.ceiling) for one in said.periods]


def check_periods(agreed: Sequence[Agreed], first: date, last: date | None, unit: str) -> list[Agreed]:
    """Periods as somebody typed them, in order of date. The field of a refusal names the place in the given list."""
    places = sorted(range(len(agreed)), key=lambda n: agreed[n].start)
    before: date | None = None
    for n in places:
        one = agreed[n]
        if one.end <= one.start:
            raise PeriodEmpty(field=f"periods.{n}.end", start=one.start, end=one.end)
        if one.start < first or (last is not None and one.end > last + DAY):
            shown = last or date.max
            raise OutsideContract(field=f"periods.{n}.start", start=one.start, first=first, last=shown)
        if before is not None and one.start < before:
            raise PeriodsOverlap(field=f"periods.{n}.start", day=one.start)
        for name in ("floor", "target", "ceiling"):
            check_scale(getattr(one, name), unit, field=f"periods.{n}.{name}")
        if not ZERO <= one.floor <= one.target <= one.ceiling:
            limits = {"floor": one.floor, "target": one.target, "ceiling": one.ceiling}
            raise LimitsOutOfOrder(field=f"periods.{n}.target", **limits)
        before = one.end
    return [agreed[n] for n in places]


# From history ------------------------------------------------------------------------------------------------------


class Suggestion(NamedTuple):
    """What a line's history says about a fixed quantity a month."""

    deliveries: int
    months: int  # with demand
    target: Decimal | None  # the median of these months; none: too few deliveries, the line stays a pure call-off


def suggest(history: Iterable[tuple[date, Decimal]], unit: str) -> Suggestion:
    """The median of the months in which anything was asked for, at the unit's precision.

    history: due date and quantity of each delivery. Fewer than 12 deliveries prove no rhythm.
    """
    months: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    deliveries = 0
    for due, quantity in history:
        deliveries += 1
        months[due.year, due.month] += quantity
    if deliveries < LEAST_DELIVERIES:
        return Suggestion(deliveries, len(months), None)
    return Suggestion(deliveries, len(months), round_to_unit(median(months.values()), unit))
