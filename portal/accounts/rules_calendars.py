"""Days and hours of a site: public holidays of China, shutdowns, receiving hours. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from portal.core.calendars import DAY
from portal.core.errors import Invalid
from portal.core.i18n import N_

LONGEST = timedelta(days=92)
HOLIDAYS: dict[str, str] = {
    "New Year's Day": N_("New Year's Day"),
    "Spring Festival": N_("Spring Festival"),
    "Tomb-sweeping Day": N_("Tomb-sweeping Day"),
    "Labour Day": N_("Labour Day"),
    "Dragon Boat Festival": N_("Dragon Boat Festival"),
    "Mid-autumn Festival": N_("Mid-autumn Festival"),
    "National Day": N_("National Day"),
    "Anti-Fascist 70th Day": N_("Victory Day"),
}


class NotAnnounced(Invalid):
    code = "holidays-not-announced"
    text = N_("The holidays of {year} are not known yet: {first} to {last} are. Enter them by hand once announced.")


class ShutdownTooLong(Invalid):
    code = "shutdown-too-long"
    text = N_("A shutdown ends on its first day or later, at most {most} days after it. Correct the last day.")


class NothingToClose(Invalid):
    code = "nothing-to-close"
    text = N_("The site does not work on any of these days anyway. Choose other days.")


class WindowsOverlap(Invalid):
    code = "windows-overlap"
    text = N_("Hours end after they begin, and those of one day do not overlap: {opens} to {closes} does not fit.")


def holidays(year: int, weekdays: Sequence[int]) -> list[tuple[date, bool, str]]:
    """(day, worked, name) of each day of a year that differs from the week's pattern, as the State Council announced.

    Raises NotAnnounced for years that the calendar does not know.
    """
    import chinese_calendar  # imported late: few ask for it

    first, last = min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year
    if not first <= year <= last:
        raise NotAnnounced(field="year", year=str(year), first=str(first), last=str(last))
    found = [
        (day, False, HOLIDAYS.get(name, name))
        for day, name in chinese_calendar.holidays.items()
        if day.year == year and day.weekday() in weekdays
    ]
    found += [
        (day, True, HOLIDAYS.get(name, name))
        for day, name in chinese_calendar.workdays.items()
        if day.year == year and day.weekday() not in weekdays
    ]
    return sorted(found)


def shutdown_days(first: date, last: date, weekdays: Iterable[int]) -> list[date]:
    """The days of the weekly pattern from first to last. Raises ShutdownTooLong, NothingToClose."""
    if not timedelta(0) <= last - first <= LONGEST:
        raise ShutdownTooLong(field="last", most=LONGEST.days)
    worked = set(weekdays)
    days = [first + DAY * n for n in range((last - first).days + 1)]
    closed = [day for day in days if day.weekday() in worked]
    if not closed:
        raise NothingToClose(field="first")
    return closed


def minutes(clock: str) -> int:
    """After midnight: 07:30 is 450."""
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def clock(minutes_: int) -> str:
    return f"{minutes_ // 60:02}:{minutes_ % 60:02}"


def checked_windows(windows: Iterable[tuple[int, str, str]]) -> list[tuple[int, int, int]]:
    """(weekday, opens, closes) in minutes, in order. Raises WindowsOverlap."""
    found = sorted((day, minutes(opens), minutes(closes)) for day, opens, closes in windows)
    before = (-1, 0, 0)
    for day, opens, closes in found:
        if closes <= opens or (day == before[0] and opens < before[2]):
            raise WindowsOverlap(field="windows", opens=clock(opens), closes=clock(closes))
        before = (day, opens, closes)
    return found
