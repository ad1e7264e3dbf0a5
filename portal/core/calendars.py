"""Working calendars, periods and deadlines. Business dates are dates of a site; instants are UTC.

A weekday is a number with Monday as 0, as in Python and in the site's row. No function reads a clock: `now` and
`today` come in as arguments.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from portal.core.errors import Invalid
from portal.core.i18n import N_

DAY = timedelta(days=1)
MIDNIGHT = time(0)
OPENS, CLOSES = time(8), time(18)  # office hours in which an answer is expected
SEARCH_DAYS = 400  # a calendar without one working day in more than a year is a mistake, not a holiday
WEEKDAYS = frozenset(range(5))


class NoWorkingDay(Invalid):
    code = "no-working-day"
    text = N_("The calendar has no working day near {day}. Correct the site's working days.")


class UnknownTimeZone(Invalid):
    code = "unknown-time-zone"
    text = N_("“{zone}” is not a known time zone. Use a name such as Asia/Shanghai or Europe/Berlin.")


class WrongHours(Invalid):
    code = "wrong-hours"
    text = N_("The office closes at {closes}, which is not after it opens at {opens}. Enter a later closing time.")


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The working days of a site: a weekly pattern, holidays taken out of it, make-up days put in."""

    weekdays: frozenset[int] = WEEKDAYS
    holidays: frozenset[date] = frozenset()
    extra_days: frozenset[date] = frozenset()  # worked although the pattern says no: make-up days

    @classmethod
    def of(cls, weekdays: Iterable[int], exceptions: Iterable[tuple[date, bool]] = ()) -> Self:
        """From a site's weekly pattern and its days out of pattern, each with whether it is worked."""
        days = list(exceptions)
        return cls(
            frozenset(weekdays),
            frozenset(day for day, working in days if not working),
            frozenset(day for day, working in days if working),
        )

    def is_working(self, day: date) -> bool:
        """A make-up day is worked even when the same day is also listed as a holiday."""
        return day in self.extra_days or (day.weekday() in self.weekdays and day not in self.holidays)

    def next_working(self, day: date) -> date:
        """The day itself when it is worked, else the first working day after it. Raises NoWorkingDay."""
        return self._search(day, DAY)

    def previous_working(self, day: date) -> date:
        """The day itself when it is worked, else the last working day before it. Raises NoWorkingDay."""
        return self._search(day, -DAY)

    def add_working_days(self, day: date, count: int) -> date:
        """The count-th working day after the day (before it when negative); 0 is the day itself, worked or not."""
        step = DAY if count >= 0 else -DAY
        for _ in range(abs(count)):
            day = self._search(day + step, step)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after start, up to and with end; negative when end is earlier.

        The inverse of `add_working_days`: between(d, add(d, n)) is n.
        """
        if end < start:
            return -sum(self.is_working(end + DAY * n) for n in range((start - end).days))
        return sum(self.is_working(start + DAY * n) for n in range(1, (end - start).days + 1))

    def _search(self, day: date, step: timedelta) -> date:
        found = day
        for _ in range(SEARCH_DAYS):
            if self.is_working(found):
                return found
            found += step
        raise NoWorkingDay(day=day)


def moved(day: date, calendar: WorkingCalendar, rule: str, earliest: date = date.min) -> date:
    """A date that falls on a closed day, moved by a rule: earlier, later, nearest (a tie goes earlier) or keep.

    earliest: before it nothing is moved, so what would be goes later. Raises NoWorkingDay.
    """
    if rule == "keep" or calendar.is_working(day):
        return day
    later = calendar.next_working(day)
    if rule == "later":
        return later
    before = calendar.previous_working(day)
    if before < earliest or (rule == "nearest" and later - day < day - before):
        return later
    return before


def closed_days(calendar: WorkingCalendar, first: date, last: date) -> list[date]:
    """The days from first to last, both inclusive, on which nobody works."""
    days = (first + DAY * n for n in range((last - first).days + 1))
    return [day for day in days if not calendar.is_working(day)]


def delivery_days(
    start: date,
    end: date,
    calendar: WorkingCalendar,
    weekdays: Iterable[int] = (),
    month_days: Iterable[int] = (),
    rule: str = "later",
) -> list[date]:
    """The days of one period [start, end) on which goods are due, in order.

    weekdays: agreed delivery weekdays, Monday is 0; month_days: agreed days of the month, 31 means the last one.
    With neither, goods are due on the period's first working day. An agreed day that is not worked moves by the rule
    (see `moved`) within the period; agreed days that meet become one. Empty when the period
    has no working day.
    """
    first = calendar.next_working(start)
    if first >= end:
        return []
    agreed = _agreed_days(start, end, frozenset(weekdays), frozenset(month_days))
    due = set()
    for day in agreed:
        worked = moved(day, calendar, rule, earliest=start)
        due.add(worked if worked < end else calendar.previous_working(day))
    return sorted(due) or [first]


def _agreed_days(start: date, end: date, weekdays: frozenset[int], month_days: frozenset[int]) -> Iterator[date]:
    """The agreed days of [start, end); a month's last day stands for the numbers that the month lacks."""
    offsets = range((end - start).days)
    if weekdays:
        first = start.weekday()
        yield from (start + DAY * n for n in offsets if (first + n) % 7 in weekdays)
    for day in (start + DAY * n for n in offsets if month_days):
        last = (day + DAY).day == 1
        if day.day in month_days or (last and max(month_days) > day.day):
            yield day


def period_start(cadence: str, day: date) -> date:
    """The first day of the ISO week, month or quarter that holds the day; cadence: week, month or quarter."""
    match cadence:
        case "week":
            return day - DAY * day.weekday()
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    raise ValueError(f"cadence {cadence!r}")


def period_end(cadence: str, start: date) -> date:
    """The first day after the period that begins on start: periods are half-open."""
    if cadence == "week":
        return start + 7 * DAY
    months = start.year * 12 + start.month - 1 + (1 if cadence == "month" else 3)
    return date(months // 12, months % 12 + 1, 1)


def periods(cadence: str, start: date, until: date) -> Iterator[tuple[date, date]]:
    """The whole periods [first day, first day after) that share a day with [start, until), in order, without gaps."""
    first = period_start(cadence, start)
    while first < until:
        end = period_end(cadence, first)
        yield first, end
        first = end


@cache
def _time_zones() -> frozenset[str]:
    """All names, read from the disk once: walking the database costs some 10 ms."""
    return frozenset(available_timezones())


def check_time_zone(zone: str) -> None:
    """Raise UnknownTimeZone unless the name is in the IANA time zone database."""
    if zone not in _time_zones():
        raise UnknownTimeZone(field="time_zone", zone=zone)


def local_today(now: datetime, zone: str) -> date:
    """The business date in a zone at an aware instant."""
    if now.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return now.astimezone(ZoneInfo(zone)).date()


def day_begins(day: date, zone: str) -> datetime:
    """The UTC instant at which a business date begins, also where the clock skips midnight."""
    return datetime.combine(day, MIDNIGHT, ZoneInfo(zone)).astimezone(UTC)


def deadline(
    start: datetime,
    hours: Decimal | int,
    zone: str,
    calendar: WorkingCalendar,
    opens: time = OPENS,
    closes: time = CLOSES,
) -> datetime:
    """The UTC instant by which an answer is due: so many office hours after an aware start.

    hours: working hours, at least 0; only time between opens and closes (local, 0:00 is the end of the day) on working
    days counts, measured in real time, so a day with a change of clock is as long as it really is. An answer due at
    the end of a day is due when the office closes, not when it opens next. Raises WrongHours, NoWorkingDay.
    """
    if start.tzinfo is None:
        raise ValueError("an instant needs its zone")
    if closes != MIDNIGHT and closes <= opens:
        raise WrongHours(field="closes", opens=f"{opens:%H:%M}", closes=f"{closes:%H:%M}")
    left = timedelta(microseconds=int(Decimal(hours) * 3_600_000_000))
    day = calendar.next_working(local_today(start, zone))
    while True:
        begins, ends = _office_hours(day, zone, opens, closes)
        begins = max(begins, start)
        if begins < ends and left <= ends - begins:
            return (begins + left).astimezone(UTC)
        left -= max(ends - begins, timedelta(0))
        day = calendar.next_working(day + DAY)


def _office_hours(day: date, zone: str, opens: time, closes: time) -> tuple[datetime, datetime]:
    """When the office of a zone opens and closes on a day, as UTC instants, so that differences are real time."""
    where = ZoneInfo(zone)
    closing_day = day + DAY if closes == MIDNIGHT else day
    return (
        datetime.combine(day, opens, where).astimezone(UTC),
        datetime.combine(closing_day, closes, where).astimezone(UTC),
    )
