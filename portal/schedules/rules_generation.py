"""Schedule lines from a fixed order quantity and its cadence, over a rolling horizon.

Each period's quantity is spread over its delivery days and rounded to packs; what rounding leaves over is carried to
the next delivery, so the running total is never a pack or more away from what was agreed. The state between two runs
is two fields of the contract line: `generated_until` and `carried_remainder`. With the same state and calendar the
same lines come out.
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple, Protocol

from portal.contracts.model import Cadence
from portal.core.calendars import DAY, WorkingCalendar, delivery_days, periods
from portal.core.quantities import STEPS, round_to_unit


class FixedTerms(Protocol):
    """What generation reads of a contract line, in the fields of its row."""

    @property
    def foq(self) -> Decimal | None: ...
    @property
    def cadence(self) -> Cadence | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def pack_size(self) -> Decimal: ...
    @property
    def minimum_order(self) -> Decimal: ...
    @property
    def delivery_weekdays(self) -> Sequence[int]: ...
    @property
    def generated_until(self) -> date | None: ...
    @property
    def carried_remainder(self) -> Decimal: ...


class Delivery(NamedTuple):
    """One schedule line to be: due on a working day of the period that begins on period_start."""

    period_start: date
    due_date: date
    quantity: Decimal


class Generation(NamedTuple):
    """The new deliveries in order of date, and the contract line's state after them."""

    deliveries: list[Delivery]
    generated_until: date | None  # periods that begin before this day are done
    carried_remainder: Decimal  # agreed but not yet called off; negative: called off ahead


class Window(NamedTuple):
    """The days on which goods may be due: first and last day, both inclusive; no last day: without end."""

    first: date
    last: date | None

    def holds(self, day: date) -> bool:
        return day >= self.first and (self.last is None or day <= self.last)


def generate(
    line: FixedTerms,
    valid_from: date,
    valid_to: date | None,
    calendar: WorkingCalendar,
    start: date,
    until: date,
    month_days: Sequence[int] = (),
    rule: str = "later",
    published: Sequence[tuple[date, Decimal]] = (),
) -> Generation:
    """The deliveries of all periods that begin before `until` and were not generated before.

    rule: where an agreed day goes that is not worked. published: what stays as it was told, by its day: a period that
    holds some of it has only its rest on the days after.
    start: no delivery is due earlier, and what would have been due earlier is not made up. valid_from, valid_to: the
    contract's first and last day; each delivery date belongs to the contract that is valid on it, so of a period that
    is cut by either end only the share of the dates inside counts. A period without any working day is delivered with
    the next one. Quantities are multiples of the pack size and at least the minimum order quantity; a delivery date
    for which nothing is left has no line. A line without fixed quantity (pure call-off) yields nothing.
    """
    if line.foq is None or line.cadence is None:
        return Generation([], line.generated_until, line.carried_remainder)
    window = Window(max(start, valid_from), valid_to)
    done, carried = line.generated_until, line.carried_remainder
    deliveries: list[Delivery] = []
    span = (line.generated_until or window.first, until if valid_to is None or valid_to >= until else valid_to + DAY)
    pattern = (tuple(line.delivery_weekdays), tuple(month_days))
    for first, end, agreed in _agreed(line.cadence, span, calendar, pattern, rule):
        days = _delivery_dates(line, agreed)
        kept: Sequence[date] = [day for day in days if window.holds(day)]
        undelivered = line.foq if window.holds(first) else Decimal(0)
        due = _share(line.foq, len(kept), len(days), line.unit) if days else undelivered
        if published:
            kept, due = _beside(kept, due, [each for each in published if first <= each[0] < end])
        quantities, carried = _rounded(due, len(kept), carried, line)
        deliveries += [Delivery(first, day, q) for day, q in zip(kept, quantities, strict=True) if q > 0]
        done = end
    return Generation(deliveries, done, carried)


class _Period(NamedTuple):
    """One period [first, end) with its delivery days."""

    first: date
    end: date
    days: Sequence[date]


@lru_cache(maxsize=1024)  # the lines of a contract, and most contracts of a factory, share their days
def _agreed(
    cadence: str,
    span: tuple[date, date],
    calendar: WorkingCalendar,
    pattern: tuple[tuple[int, ...], tuple[int, ...]],
    rule: str,
) -> list[_Period]:
    """pattern: the agreed weekdays and days of the month."""
    found = periods(cadence, *span)
    return [_Period(*each, tuple(delivery_days(*each, calendar, *pattern, rule))) for each in found]


def _delivery_dates(line: FixedTerms, days: Sequence[date]) -> Sequence[date]:
    """As many of the agreed days, evenly spread, as the quantity can serve with the minimum order quantity."""
    if not days or not line.foq or line.minimum_order <= 0:
        return days
    count = max(1, min(len(days), int(line.foq // line.minimum_order)))
    return [days[n * len(days) // count] for n in range(count)]


def _beside(
    days: Sequence[date], due: Decimal, published: Sequence[tuple[date, Decimal]]
) -> tuple[Sequence[date], Decimal]:
    """What is left of a period's dates and quantity beside what is published of it."""
    if not published:
        return days, due
    last = max(day for day, _quantity in published)
    told = sum((quantity for _day, quantity in published), Decimal(0))
    return [day for day in days if day > last], due - told


class Validity(NamedTuple):
    """A contract's first and last day, and where an agreed day goes that is not worked."""

    first: date
    last: date | None
    rule: str = "later"


def remainder_at(
    line: FixedTerms, until: date, given: Decimal, validity: Validity, calendar: WorkingCalendar
) -> Decimal:
    """What was left over before a line's periods up to `until` were made.

    line: its terms as they were then, with `generated_until` the first of these periods and `carried_remainder` what is
    left over after them. given: what is drafted and published of them. What no rounding leaves over is none.
    """
    first = line.generated_until or validity.first
    made = generate(line, validity.first, validity.last, calendar, first, until, rule=validity.rule)
    due = sum((each.quantity for each in made.deliveries), made.carried_remainder) - line.carried_remainder
    rest = line.carried_remainder + given - due
    return rest if abs(rest) <= max(line.pack_size, line.minimum_order) else Decimal(0)


def _share(foq: Decimal, kept: int, of: int, unit: str) -> Decimal:
    return foq if kept == of else round_to_unit(foq * kept / of, unit)


def _rounded(due: Decimal, count: int, carried: Decimal, line: FixedTerms) -> tuple[list[Decimal], Decimal]:
    """A period's quantity on `count` dates, in packs, with what was carried; and what is carried on.

    Each date is rounded on the running total, so that the rounding of one date is mended by the next.
    """
    pack = line.pack_size if line.pack_size > 0 else STEPS[line.unit]
    least = (line.minimum_order / pack).to_integral_value(ROUND_CEILING) * pack if line.minimum_order else Decimal(0)
    quantities: list[Decimal] = []
    given = Decimal(0)
    for n in range(1, count + 1):
        needed = carried + due * n / count - given
        quantity = (needed / pack).to_integral_value(ROUND_HALF_UP) * pack
        quantity = max(quantity, least) if quantity > 0 else Decimal(0)
        quantities.append(quantity)
        given += quantity
    return quantities, carried + due - given
