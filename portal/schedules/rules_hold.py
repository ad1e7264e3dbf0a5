"""Whether a new release may go out by itself or waits for a person: change tolerance on the cumulative curve.

Single buckets say little: a delivery that moves by a day is a loss in one week and a gain in the next. So the running
totals are compared, day by day, and each of three tests is enough. A template of percentages by commitment level is the
alternative. None of this decides a change request; it decides only who sees a release before the partner does.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from portal.schedules.model import Level
from portal.schedules.rules_difference import Frozen

ZERO = Decimal(0)
HUNDRED = Decimal(100)
Steps = Mapping[date, Decimal]  # what is asked for on each day


class Verdict(StrEnum):
    """What a new release makes of one contract line."""

    WITHIN = "within"
    UP = "up"
    DOWN = "down"
    NEW = "new"
    DROPPED = "dropped"


class Tolerance(NamedTuple):
    """The three tests; none of a kind: that test is not made."""

    quantity: Decimal | None = None  # at any day, in the contract line's unit
    percent: Decimal | None = None  # of the old running total at that day
    days: int | None = None  # the new running total may be reached so many days earlier or later


class Limit(NamedTuple):
    """How much less and more of a level a release may ask for, in per cent of the release before."""

    below: Decimal
    above: Decimal


Template = Mapping[Level, Limit]
DEFAULT_TEMPLATE: Template = {
    Level.FIRM: Limit(ZERO, ZERO),
    Level.MAKE: Limit(Decimal(5), Decimal(5)),
    Level.BUY: Limit(Decimal(15), Decimal(20)),
    Level.PLAN: Limit(Decimal(25), Decimal(50)),
}


class PartVerdict(NamedTuple):
    """The verdict on one contract line, with the day and the difference that decided."""

    part_id: UUID
    verdict: Verdict
    day: date | None = None
    before: Decimal = ZERO  # running total, or the level's total for a template
    after: Decimal = ZERO
    level: Level | None = None

    @property
    def delta(self) -> Decimal:
        return self.after - self.before


def is_within(verdicts: Iterable[PartVerdict]) -> bool:
    """Whether the whole release is inside: one contract line outside holds it."""
    return all(one.verdict is Verdict.WITHIN for one in verdicts)


def by_curve(before: Iterable[Frozen], after: Iterable[Frozen], tolerance: Tolerance) -> list[PartVerdict]:
    """One verdict a contract line of either release, by its running totals."""
    old, new = _by_part(before), _by_part(after)
    return [_curve_verdict(part, old.get(part, {}), new.get(part, {}), tolerance) for part in {**old, **new}]


def _by_part(lines: Iterable[Frozen]) -> dict[UUID, dict[date, Decimal]]:
    found: dict[UUID, dict[date, Decimal]] = {}
    for line in lines:
        days = found.setdefault(line.part_id, {})
        days[line.due] = days.get(line.due, ZERO) + line.quantity
    return found


def _curve_verdict(part: UUID, old: Steps, new: Steps, tolerance: Tolerance) -> PartVerdict:
    if not old or not new:
        total = sum((new or old).values(), ZERO)
        kind = Verdict.NEW if new else Verdict.DROPPED
        return PartVerdict(part, kind, min(new or old), *((ZERO, total) if new else (total, ZERO)))
    late = {day + timedelta(days=tolerance.days or 0) for day in old}  # where a delay is longer than allowed
    days = sorted({*old, *new, *late})
    was, now = _running(old, days), _running(new, days)
    out = [day for day in days if not _passes(day, was, now, tolerance, old)]
    if not out:
        return PartVerdict(part, Verdict.WITHIN)
    worst = max(out, key=lambda day: abs(now[day] - was[day]))
    kind = Verdict.UP if now[worst] > was[worst] else Verdict.DOWN
    return PartVerdict(part, kind, worst, was[worst], now[worst])


def _running(steps: Steps, days: list[date]) -> dict[date, Decimal]:
    return dict(zip(days, accumulate(steps.get(day, ZERO) for day in days), strict=True))


def _passes(
    day: date, was: Mapping[date, Decimal], now: Mapping[date, Decimal], tolerance: Tolerance, old: Steps
) -> bool:
    """Whether any of the three tests passes at a day."""
    difference = abs(now[day] - was[day])
    if not difference:
        return True
    if tolerance.quantity is not None and difference <= tolerance.quantity:
        return True
    if tolerance.percent is not None and difference * HUNDRED <= tolerance.percent * was[day]:
        return True
    if tolerance.days is None:
        return False
    window = timedelta(days=tolerance.days)
    return _total(old, day - window) <= now[day] <= _total(old, day + window)


def _total(steps: Steps, day: date) -> Decimal:
    return sum((quantity for due, quantity in steps.items() if due <= day), ZERO)


def by_template(
    before: Iterable[tuple[Frozen, Level]], after: Iterable[tuple[Frozen, Level]], template: Template = DEFAULT_TEMPLATE
) -> list[PartVerdict]:
    """One verdict a contract line, by what it asks for at each level. Backlog and immediate count as firm."""
    old, new = _by_level(before), _by_level(after)
    return [_level_verdict(part, old.get(part, {}), new.get(part, {}), template) for part in {**old, **new}]


def _by_level(lines: Iterable[tuple[Frozen, Level]]) -> dict[UUID, dict[Level, Decimal]]:
    found: dict[UUID, dict[Level, Decimal]] = {}
    for line, level in lines:
        at = level if level in DEFAULT_TEMPLATE else Level.FIRM
        sums = found.setdefault(line.part_id, {})
        sums[at] = sums.get(at, ZERO) + line.quantity
    return found


def _level_verdict(
    part: UUID, old: Mapping[Level, Decimal], new: Mapping[Level, Decimal], template: Template
) -> PartVerdict:
    if not old or not new:
        total = sum((new or old).values(), ZERO)
        kind = Verdict.NEW if new else Verdict.DROPPED
        return PartVerdict(part, kind, None, *((ZERO, total) if new else (total, ZERO)))
    for level, limit in template.items():
        was, now = old.get(level, ZERO), new.get(level, ZERO)
        if now * HUNDRED > was * (HUNDRED + limit.above):
            return PartVerdict(part, Verdict.UP, None, was, now, level)
        if now * HUNDRED < was * (HUNDRED - limit.below):
            return PartVerdict(part, Verdict.DOWN, None, was, now, level)
    return PartVerdict(part, Verdict.WITHIN)
