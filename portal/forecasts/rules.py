"""Forecasts and what a seller commits to: periods, shares, exceptions and how good past forecasts were.

Pure. Quantities are in the contract line's unit. A week is an ISO week and named by its Monday; a month holds the weeks
whose Monday lies in it, so that weeks and months add up to the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple, TypeVar

from portal.core.calendars import period_end, period_start
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.quantities import STEPS
from portal.core.states import Move, Side, StateTable
from portal.forecasts.model import RequestStatus

ZERO = Decimal(0)
WEEK = timedelta(weeks=1)
LONGEST = 52  # weeks ahead
ASKED = 13  # weeks, where nothing else is agreed
LAGS = (4, 8, 13)  # weeks before
MEASURED = 26  # whole weeks of the past that accuracy is measured over
R = RequestStatus

# A commit answers the request, in time or late; the calendar lapses it and the next release takes its place.
REQUEST_STATES = StateTable(
    Move("commit", by=(Side.SELLER,), source=(R.OPEN, R.LAPSED), target=R.ANSWERED),
    Move("lapse", by=(Side.BUYER,), source=(R.OPEN,), target=R.LAPSED),
    Move("supersede", by=(Side.BUYER,), source=(R.OPEN, R.LAPSED), target=R.SUPERSEDED),
)


class Span(StrEnum):
    """How wide the periods of a view are."""

    WEEK = "week"
    MONTH = "month"


class Exceptional(StrEnum):
    """Why a commit needs somebody's eyes."""

    LATE = "late"  # asked for, and the time to answer has passed
    CHANGED = "changed"  # the forecast is not what was committed to
    UNDER = "under"  # less is committed than asked for


class ReleaseMoved(Conflict):
    code = "release-moved"
    text = N_("Release {now} is out; you saw release {seen}. Look at what changed, then commit again.")


class CommitRefused(Conflict):
    code = "commit-refused-by-own-rules"
    text = N_("Your company's rules do not allow this commit: {reason}. Commit to less, or let the rules be changed.")


class NoForecast(Conflict):
    code = "no-forecast"
    text = N_("There is no release of this contract yet, so there is nothing to commit to.")


class OneWay(Invalid):
    code = "commit-one-way"
    text = N_("Commit either a percentage of everything or quantities of periods, not both and not neither.")


class NotAPeriod(Invalid):
    code = "not-a-forecast-period"
    text = N_("{day} does not begin a period from {first} to {last}. Weeks begin on Monday, months on the 1st.")


class GivenTwice(Invalid):
    code = "period-given-twice"
    text = N_("The period from {day} is given twice for the same part. Give it once.")


# Periods --------------------------------------------------------------------------------------------------------------


class Period(NamedTuple):
    """One column: the weeks it holds, by number from the first one."""

    start: date
    weeks: range


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def periods(first: date, weeks: int, span: Span) -> list[Period]:
    """The periods over so many weeks from a Monday on. The first month begins with the first week shown."""
    if span is Span.WEEK:
        return [Period(first + WEEK * n, range(n, n + 1)) for n in range(weeks)]
    found: list[Period] = []
    n = 0
    while n < weeks:
        month = period_start("month", first + WEEK * n)
        end = next((k for k in range(n, weeks) if first + WEEK * k >= period_end("month", month)), weeks)
        found.append(Period(month, range(n, end)))
        n = end
    return found


# Shares ---------------------------------------------------------------------------------------------------------------


def spread(total: Decimal, weights: Sequence[Decimal], unit: str) -> list[Decimal]:
    """A total over weights at the unit's precision: the parts add up to it exactly. Without weights all is the first's.

    Each part is what the running total, rounded down, grows by. Test: 100 pcs over 1, 1, 1 is 33, 33, 34.
    """
    whole = sum(weights, ZERO)
    if not weights:
        return []
    if not whole:
        return [total, *([ZERO] * (len(weights) - 1))]
    step = STEPS[unit]
    sums = [(total * share / whole).quantize(step, ROUND_FLOOR) for share in accumulate(weights)]
    sums[-1] = total
    return [upper - lower for lower, upper in zip([ZERO, *sums], sums, strict=False)]


def share_of(forecast: Sequence[Decimal], percent: Decimal, unit: str) -> list[Decimal]:
    """So many per cent of a forecast: the total rounded down once, because nobody promises more than he said."""
    step = STEPS[unit]
    total = (sum(forecast, ZERO) * percent / 100).quantize(step, ROUND_FLOOR)
    return spread(total, forecast, unit)


def covered(committed: Decimal | None, confirmed: Decimal) -> Decimal | None:
    """What a period can count on: the commit, and at least what is confirmed of its deliveries. None: nothing said."""
    if committed is None:
        return confirmed or None
    return max(committed, confirmed)


def gap(forecast: Decimal, committed: Decimal | None) -> Decimal | None:
    """Committed less forecast: negative is missing. None while nothing is committed."""
    return None if committed is None else committed - forecast


def exceptional(
    forecast: Decimal, answered: Decimal | None, committed: Decimal | None, under_percent: Decimal
) -> Exceptional | None:
    """Whether one period of a contract with a commit needs attention.

    answered: the forecast that the commit saw; none where this period was never committed to. A changed forecast comes
    first: its gap says nothing about the seller.
    """
    if answered is not None and answered != forecast:
        return Exceptional.CHANGED
    least = forecast * (100 - under_percent) / 100
    return Exceptional.UNDER if (committed or ZERO) < least else None


# Accuracy -------------------------------------------------------------------------------------------------------------


class Accuracy(NamedTuple):
    """How good forecasts of one lag were. None where nothing was called off."""

    lag: int  # weeks between the forecast and the week it was for
    weeks: int  # how many weeks are measured
    forecast: Decimal
    actual: Decimal
    bias: Decimal | None  # sum(forecast - actual) / sum(actual): above 0 too much was forecast
    error: Decimal | None  # sum|forecast - actual| / sum(actual)


def accuracy(lag: int, pairs: Iterable[tuple[Decimal, Decimal]]) -> Accuracy:
    """Bias and weighted absolute error of pairs (forecast, actual).

    Test: (100, 80), (50, 50), (30, 60) of 190 in all: bias -10/190, error 50/190.
    """
    known = list(pairs)
    planned, actual = (sum((pair[n] for pair in known), ZERO) for n in (0, 1))
    off = sum((abs(forecast - real) for forecast, real in known), ZERO)
    if not actual:
        return Accuracy(lag, len(known), planned, actual, None, None)
    return Accuracy(lag, len(known), planned, actual, (planned - actual) / actual, off / actual)


Id = TypeVar("Id")


class Told(NamedTuple):
    """A release: when it was calculated and how far it looked."""

    day: date
    horizon_end: date


def release_for(week: date, lag: int, releases: Mapping[Id, Told]) -> Id | None:
    """The release that stood so many weeks before a week, if it looked as far as that week; the newest of them."""
    seen = [
        (told.day, number, key) for number, (key, told) in enumerate(releases.items()) if told.day <= week - WEEK * lag
    ]
    if not seen:
        return None
    key = max(seen, key=lambda one: one[:2])[2]
    return key if releases[key].horizon_end >= week else None
