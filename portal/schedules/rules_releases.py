"""Releases: their states, when one is due, what it may say of the firm zone, and how its lines are gathered.

Pure. A release is first prepared (the factory's own) and, once published, stands with the partner; the two state tables
are in the order in which a release lives through them.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from portal.core.calendars import WorkingCalendar, period_end, period_start
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.states import BOTH, Move, StateTable
from portal.schedules.model import ReleaseStatus, Span, Trigger
from portal.schedules.model_releases import PreparedStatus
from portal.schedules.rules_difference import Frozen

ZERO = Decimal(0)
P, R = PreparedStatus, ReleaseStatus

# The factory prepares and publishes the releases of both directions; who of its people may is in the access table.
PREPARED_STATES = StateTable(
    Move("check", by=BOTH, source=(P.DRAFT,), target=P.CHECKED),
    Move("hold", by=BOTH, source=(P.CHECKED,), target=P.HELD),
    Move("approve", by=BOTH, source=(P.CHECKED, P.HELD), target=P.APPROVED),
    Move("publish", by=BOTH, source=(P.APPROVED,), target=P.PUBLISHED),
    Move("discard", by=BOTH, source=(P.CHECKED, P.HELD), target=P.DISCARDED),
)
# The partner answers, whichever side of the contract it is on. A rejected release stays to be seen.
RELEASE_STATES = StateTable(
    Move("deliver", by=BOTH, source=(R.PUBLISHED,), target=R.DELIVERED),
    Move("acknowledge", by=BOTH, source=(R.PUBLISHED, R.DELIVERED), target=R.ACKNOWLEDGED),
    Move("reject", by=BOTH, source=(R.PUBLISHED, R.DELIVERED), target=R.REJECTED),
    Move("supersede", by=BOTH, source=(R.PUBLISHED, R.DELIVERED, R.ACKNOWLEDGED), target=R.SUPERSEDED),
)


class ReleaseAnswered(Conflict):
    code = "release-answered"
    text = N_(
        "Deliveries of release {number} are answered or shipped already, so it cannot be rejected as a whole. "
        "Reject the deliveries that do not fit."
    )


class OlderRelease(Conflict):
    code = "older-release"
    text = N_("Release {number} is not the newest one any more. Answer release {newest}.")


class ReleaseOutdated(Conflict):
    code = "release-outdated"
    text = N_("The deliveries have changed since this release was held. Prepare it again, then approve.")


class OwnApproval(Conflict):
    code = "own-approval"
    text = N_("You prepared this release yourself. A colleague approves what was held.")


class BadPattern(Invalid):
    code = "release-pattern"
    text = N_("Choose every how many days (1 to 366), or at least one weekday, for this trigger.")


class SpansOutOfOrder(Invalid):
    code = "spans-out-of-order"
    text = N_("Single days come first, then weeks, then months up to the horizon. Enter spans that rise in this order.")


# When ----------------------------------------------------------------------------------------------------------------


def is_due(trigger: Trigger, every_days: int, weekdays: Sequence[int], last: date | None, today: date) -> bool:
    """Whether the calendar asks for a release today. last: the day of the last run; one a day at most.

    On change is asked every day; whether the change is worth a release is the tolerance's to say.
    """
    if trigger is Trigger.MANUAL or (last is not None and last >= today):
        return False
    match trigger:
        case Trigger.EVERY:
            return last is None or (today - last).days >= every_days
        case Trigger.WEEKDAYS:
            return today.weekday() in weekdays
        case _:
            return True


def check_pattern(trigger: Trigger, every_days: int, weekdays: Sequence[int]) -> None:
    """Raise BadPattern unless the trigger has what it needs."""
    if trigger is Trigger.EVERY and not 1 <= every_days <= 366:
        raise BadPattern(field="every_days")
    if trigger is Trigger.WEEKDAYS and not weekdays:
        raise BadPattern(field="weekdays")


def is_overdue(status: ReleaseStatus, answer_by: datetime | None, now: datetime) -> bool:
    """Whether the partner should have acknowledged the release by now, and did not."""
    return status in (R.PUBLISHED, R.DELIVERED) and answer_by is not None and answer_by <= now


# The firm zone -------------------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """What a release says of one line, and of the new one that is split from it."""

    quantity: Decimal
    due: date
    rest: Decimal = ZERO  # a line of its own
    rest_due: date | None = None


def transmitted(
    quantity: Decimal, due: date, published: tuple[Decimal, date] | None, firm_until: date, fence_end: date
) -> Wanted:
    """Only what was told is firm. quantity, due: what the factory wants now; published: what was last told, if ever.

    fence_end: the first working day after the firm zone. Published 100, wanted 80: 100. Published 100, wanted 130: 100
    and 30 at the fence end. Never published: nothing is firm, so the line moves to the fence end. A line whose last
    told date is still beyond the firm zone is changed as wanted, but not into the zone.
    """
    if published is None:
        return Wanted(quantity, due if due > firm_until else fence_end)
    told, told_due = published
    if told_due > firm_until:
        return Wanted(quantity, due if due > firm_until else fence_end)
    if quantity > told:
        return Wanted(told, told_due, quantity - told, fence_end)
    return Wanted(told, told_due)


# Two kinds -----------------------------------------------------------------------------------------------------------


def in_force(forecast: Iterable[Frozen], jit: Iterable[Frozen], jit_until: date | None) -> list[Frozen]:
    """What is asked for now: up to the JIT horizon the JIT release alone, beyond it the forecast. None: no JIT."""
    if jit_until is None:
        return sorted(forecast, key=_by_day)
    near = [line for line in jit if line.due <= jit_until]
    return sorted([*near, *(line for line in forecast if line.due > jit_until)], key=_by_day)


def _by_day(line: Frozen) -> tuple[date, UUID, UUID]:
    return line.due, line.part_id, line.line_id


# How it is told ------------------------------------------------------------------------------------------------------


class Spans(NamedTuple):
    """Up to which day a release tells single days and weeks; what lies beyond is told by months."""

    daily_until: date
    weekly_until: date


def spans_of(start: date, daily_days: int, weekly_days: int, calendar: WorkingCalendar) -> Spans:
    """daily_days: working days, of the receiving site; weekly_days: calendar days from the start."""
    daily = calendar.add_working_days(start, daily_days)
    return Spans(daily, max(daily, start + timedelta(days=weekly_days)))


def check_spans(daily_days: int, weekly_days: int, horizon_days: int) -> None:
    """Raise SpansOutOfOrder unless days, weeks and horizon follow each other."""
    if not 0 <= daily_days <= weekly_days <= horizon_days:
        raise SpansOutOfOrder(field="weekly_days")


class Gathered(NamedTuple):
    """So much of one contract line in one day, week or month, with the lines it is made of."""

    part_id: UUID
    span: Span
    day: date  # the day itself, the week's Monday, the month's first working day; see `_dated`
    quantity: Decimal
    parts: tuple[Frozen, ...]


def gather(lines: Iterable[Frozen], spans: Spans | None, calendar: WorkingCalendar) -> list[Gathered]:
    """Lines by contract line and day, week or month; each line in exactly one, so totals stay. None: by days."""
    found: dict[tuple[date, UUID, Span], list[Frozen]] = {}
    for line in lines:
        span, day = _dated(line.due, spans, calendar)
        found.setdefault((day, line.part_id, span), []).append(line)
    return [
        Gathered(part, span, day, sum((one.quantity for one in parts), ZERO), tuple(parts))
        for (day, part, span), parts in sorted(found.items(), key=lambda entry: (entry[0][0], entry[0][1], entry[0][2]))
    ]


def _dated(due: date, spans: Spans | None, calendar: WorkingCalendar) -> tuple[Span, date]:
    """Where a due date is told. What the span before left of a week or month is dated its first working day."""
    if spans is None or due <= spans.daily_until:
        return Span.DAY, due
    if due <= spans.weekly_until:
        return Span.WEEK, _first("week", due, spans.daily_until, calendar)
    return Span.MONTH, _first("month", due, spans.weekly_until, calendar)


def _first(cadence: str, due: date, before: date, calendar: WorkingCalendar) -> date:
    start = period_start(cadence, due)
    if cadence == "week" and start > before:
        return start  # a Monday, worked or not
    first = calendar.next_working(max(start, before + timedelta(days=1)))
    return min(first, period_end(cadence, start) - timedelta(days=1))
