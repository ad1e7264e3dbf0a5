"""A site's year at a glance, and its receiving hours in words."""

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct
from pydantic import ValidationError

from portal.accounts.reads import DayRow, WindowRow
from portal.accounts.rules_calendars import clock
from portal.accounts.service_calendars import SetWindows
from portal.core import days, i18n
from portal.core.errors import Invalid, Reading
from portal.core.i18n import N_, _

FIRST_YEAR, LAST_YEAR = days.FIRST.year, days.LAST.year
MONDAY = date(2026, 11, 23)  # any Monday: weekdays are named by it


class HoursUnreadable(Invalid):
    code = "hours-unreadable"
    text = N_("“{typed}” on {weekday} is no range of hours. Write it as {example}, several with a comma between.")


class DayCell(Struct, frozen=True):
    """One day of the year."""

    number: str
    css: str = ""  # free (of the week's pattern), off (holiday or shutdown), extra (made up for)
    words: str = ""  # what a reader must know of it


class Month(Struct, frozen=True):
    name: str
    weeks: list[list[DayCell | None]]


class Year(Struct, frozen=True):
    """Twelve months with what lies out of the weekly pattern."""

    year: int
    weekdays: list[str]
    months: list[Month]
    worked: str  # how many days are worked


def year_view(year: int, weekdays: Sequence[int], special_days: Sequence[DayRow]) -> Year:
    """The year of a site that works on these weekdays, with its days out of the pattern."""
    special = {item.day: item for item in special_days if item.day.year == year}
    count = 0
    months = []
    for month in range(1, 13):
        weeks: list[list[DayCell | None]] = []
        for week in calendar.Calendar().monthdatescalendar(year, month):
            cells = [_cell(day, weekdays, special.get(day)) if day.month == month else None for day in week]
            count += sum(1 for cell in cells if cell is not None and cell.css in ("", "extra"))
            weeks.append(cells)
        months.append(Month(i18n.month(date(year, month, 1)), weeks))
    names = [i18n.weekday(MONDAY + timedelta(days=n)) for n in range(7)]
    return Year(year, names, months, i18n.number(count))


def _cell(day: date, weekdays: Sequence[int], special: DayRow | None) -> DayCell:
    number = str(day.day)
    if special is None:
        return DayCell(number) if day.weekday() in weekdays else DayCell(number, "free")
    word = _("worked to make up") if special.working else _("holiday or shutdown")
    said = f"{word}: {_(special.name)}" if special.name else word
    return DayCell(number, "extra" if special.working else "off", said)


def window_words(windows: Sequence[WindowRow]) -> list[tuple[str, str]]:
    """(weekday, hours) of each weekday that has hours of its own."""
    typed = windows_typed(windows)
    return [(i18n.weekday(MONDAY + timedelta(days=n)), hours) for n, hours in enumerate(typed) if hours]


def windows_typed(windows: Sequence[WindowRow]) -> list[str]:
    """The hours of each weekday as somebody would type them."""
    by_day: list[list[str]] = [[] for _n in range(7)]
    for window in windows:
        by_day[window.weekday].append(f"{clock(window.opens)}-{clock(window.closes)}")
    return [", ".join(hours) for hours in by_day]


def read_windows(typed: Sequence[str]) -> SetWindows:
    """Seven texts as receiving hours. Raises HoursUnreadable with the text and the field, day_0 to day_6."""
    reading, found = Reading(), []
    for weekday, text in enumerate(typed):
        with reading.part():
            found += [_window(part, weekday) for part in filter(None, re.split(r"[,;，；、]", text))]
    reading.done()
    return SetWindows.model_validate({"windows": found})


def _window(part: str, weekday: int) -> dict[str, int | str]:
    """One range of hours. Raises HoursUnreadable."""
    hours = re.split(r"[-–—~至]", part.strip().replace("：", ":"))
    if len(hours) != 2:
        raise _unreadable(part, weekday)
    said: dict[str, int | str] = {"weekday": weekday, "opens": hours[0].strip(), "closes": hours[1].strip()}
    try:
        SetWindows.model_validate({"windows": [said]})
    except ValidationError as error:
        raise _unreadable(part, weekday) from error
    return said


def _unreadable(part: str, weekday: int) -> HoursUnreadable:
    day = i18n.weekday(MONDAY + timedelta(days=weekday))
    return HoursUnreadable(field=f"day_{weekday}", typed=part.strip()[:40], weekday=day, example="07:00-11:30")
