"""Working calendars, periods and deadlines, by example and by law, in zones that change their clocks oddly."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.calendars import (
    DAY,
    NoWorkingDay,
    UnknownTimeZone,
    WorkingCalendar,
    WrongHours,
    check_time_zone,
    day_begins,
    deadline,
    delivery_days,
    local_today,
    period_end,
    period_start,
    periods,
)

ZONES = ["Asia/Shanghai", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
MON_TO_FRI = WorkingCalendar()
# The Spring Festival of 2026 in China: 15 to 23 February free, the Saturdays before and after worked instead.
CHINA = WorkingCalendar.of(
    range(5),
    [(date(2026, 2, d), False) for d in range(15, 24)] + [(date(2026, 2, 14), True), (date(2026, 2, 28), True)],
)

days = st.dates(date(2000, 1, 1), date(2060, 12, 31))
zones = st.sampled_from(ZONES)
cadences = st.sampled_from(["week", "month", "quarter"])
instants = st.datetimes(datetime(2000, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
calendars = st.builds(
    WorkingCalendar,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 2, 28)), max_size=20),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 2, 28)), max_size=5),
)
near = st.dates(date(2025, 12, 1), date(2026, 3, 31))


def test_a_make_up_saturday_is_worked_and_a_holiday_is_not() -> None:
    assert CHINA.is_working(date(2026, 2, 14))
    assert not CHINA.is_working(date(2026, 2, 16))
    assert not CHINA.is_working(date(2026, 2, 7))


def test_a_day_in_a_long_holiday_moves_to_the_working_days_around_it() -> None:
    assert CHINA.next_working(date(2026, 2, 16)) == date(2026, 2, 24)
    assert CHINA.previous_working(date(2026, 2, 16)) == date(2026, 2, 14)
    assert CHINA.next_working(date(2026, 2, 14)) == date(2026, 2, 14)


def test_working_days_are_counted_over_a_weekend() -> None:
    friday = date(2026, 11, 20)
    assert MON_TO_FRI.add_working_days(friday, 1) == date(2026, 11, 23)
    assert MON_TO_FRI.add_working_days(friday, 0) == friday
    assert MON_TO_FRI.add_working_days(date(2026, 11, 23), -1) == friday


def test_a_calendar_without_working_days_is_refused_instead_of_searched_for_ever() -> None:
    with pytest.raises(NoWorkingDay):
        WorkingCalendar(frozenset()).next_working(date(2026, 1, 1))


@given(calendars, near, st.integers(-40, 40))
def test_counting_working_days_undoes_adding_them(calendar: WorkingCalendar, day: date, count: int) -> None:
    moved = calendar.add_working_days(day, count)
    assert calendar.working_days_between(day, moved) == count
    assert count == 0 or calendar.is_working(moved)


@given(calendars, near)
def test_the_next_working_day_is_worked_and_none_lies_between(calendar: WorkingCalendar, day: date) -> None:
    found = calendar.next_working(day)
    assert calendar.is_working(found)
    assert not any(calendar.is_working(day + DAY * n) for n in range((found - day).days))


def test_iso_week_53_of_2026_is_one_period_over_the_turn_of_the_year() -> None:
    found = list(periods("week", date(2026, 12, 28), date(2027, 1, 5)))
    assert found == [(date(2026, 12, 28), date(2027, 1, 4)), (date(2027, 1, 4), date(2027, 1, 11))]
    assert date(2027, 1, 3).isocalendar()[:2] == (2026, 53)


def test_february_of_a_leap_year_ends_after_its_29th() -> None:
    assert period_end("month", date(2028, 2, 1)) == date(2028, 3, 1)
    assert period_start("quarter", date(2028, 2, 29)) == date(2028, 1, 1)


@given(cadences, days, st.integers(0, 800))
def test_periods_are_gapless_half_open_and_cover_the_range(cadence: str, start: date, length: int) -> None:
    until = start + timedelta(days=length + 1)
    found = list(periods(cadence, start, until))
    assert found[0][0] <= start < found[0][1]
    assert found[-1][0] < until <= found[-1][1]
    assert all(left[1] == right[0] for left, right in pairwise(found))


@given(cadences, days)
def test_every_day_lies_in_the_one_period_that_starts_at_its_start(cadence: str, day: date) -> None:
    first = period_start(cadence, day)
    assert first <= day < period_end(cadence, first)
    assert period_start(cadence, first) == first
    if cadence == "week":
        assert first.isocalendar()[:2] == day.isocalendar()[:2]


def test_goods_are_due_on_the_first_working_day_where_nothing_else_is_agreed() -> None:
    assert delivery_days(date(2026, 2, 23), date(2026, 3, 2), CHINA) == [date(2026, 2, 24)]


def test_agreed_weekdays_move_to_working_days_of_the_same_period() -> None:
    """Monday 23 February is a holiday; Sunday moves back, because the next working day is in the next week."""
    found = delivery_days(date(2026, 2, 23), date(2026, 3, 2), CHINA, weekdays=[0, 6])
    assert found == [date(2026, 2, 24), date(2026, 2, 28)]


def test_the_31st_means_the_last_day_of_a_shorter_month() -> None:
    found = delivery_days(date(2026, 2, 1), date(2026, 3, 1), MON_TO_FRI, month_days=[15, 31])
    assert found == [date(2026, 2, 16), date(2026, 2, 27)]


def test_a_week_without_a_working_day_has_no_delivery_day() -> None:
    assert delivery_days(date(2026, 2, 16), date(2026, 2, 23), CHINA) == []


@given(calendars, cadences, near, st.sets(st.integers(0, 6)), st.sets(st.integers(1, 31), max_size=4))
def test_delivery_days_are_working_days_inside_the_period(
    calendar: WorkingCalendar, cadence: str, day: date, weekdays: set[int], month_days: set[int]
) -> None:
    start = period_start(cadence, day)
    end = period_end(cadence, start)
    found = delivery_days(start, end, calendar, weekdays, month_days)
    assert found == sorted(set(found))
    assert all(start <= due < end and calendar.is_working(due) for due in found)
    if not found:
        assert calendar.next_working(start) >= end


@settings(max_examples=1500)
@given(days, zones)
def test_a_business_date_survives_the_way_through_utc(day: date, zone: str) -> None:
    begins, ends = day_begins(day, zone), day_begins(day + DAY, zone)
    assert local_today(begins, zone) == day
    assert local_today(ends - timedelta(microseconds=1), zone) == day
    assert timedelta(hours=22) < ends - begins < timedelta(hours=26)


@settings(max_examples=1500)
@given(instants, zones)
def test_an_instant_lies_in_exactly_its_own_business_date(now: datetime, zone: str) -> None:
    today = local_today(now, zone)
    assert day_begins(today, zone) <= now < day_begins(today + DAY, zone)


def test_a_day_begins_at_one_where_the_clock_skips_midnight() -> None:
    begins = day_begins(date(2018, 11, 4), "America/Sao_Paulo")
    assert begins.astimezone(ZoneInfo("America/Sao_Paulo")).time() == time(1)


def test_an_unknown_zone_is_refused_with_an_example() -> None:
    check_time_zone("Australia/Lord_Howe")
    with pytest.raises(UnknownTimeZone) as refused:
        check_time_zone("Beijing")
    assert "Asia/Shanghai" in str(refused.value)


def shanghai(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_sixteen_working_hours_over_a_weekend() -> None:
    """Friday 17:40 leaves 20 minutes; Monday takes 10 hours, Tuesday the rest."""
    due = deadline(shanghai(20, 17, 40), 16, "Asia/Shanghai", MON_TO_FRI)
    assert due == shanghai(24, 13, 40)
    assert due.tzinfo is UTC


def test_an_answer_asked_at_night_counts_from_the_next_opening() -> None:
    assert deadline(shanghai(20, 22), 2, "Asia/Shanghai", MON_TO_FRI) == shanghai(23, 10)
    assert deadline(shanghai(23, 5), 2, "Asia/Shanghai", MON_TO_FRI) == shanghai(23, 10)


def test_a_full_day_of_hours_is_due_when_the_office_closes() -> None:
    assert deadline(shanghai(23, 8), 10, "Asia/Shanghai", MON_TO_FRI) == shanghai(23, 18)


def test_the_night_of_a_changed_clock_is_as_long_as_it_really_is() -> None:
    """Around the clock in Berlin, 25 October 2026 has 25 hours."""
    always = WorkingCalendar(frozenset(range(7)))
    start = day_begins(date(2026, 10, 25), "Europe/Berlin")
    due = deadline(start, 25, "Europe/Berlin", always, opens=time(0), closes=time(0))
    assert due == day_begins(date(2026, 10, 26), "Europe/Berlin")


def test_an_office_that_closes_before_it_opens_is_refused() -> None:
    with pytest.raises(WrongHours):
        deadline(shanghai(20, 9), 1, "Asia/Shanghai", MON_TO_FRI, opens=time(9), closes=time(8))


@given(instants, st.integers(0, 80), zones)
def test_a_deadline_falls_into_office_hours_of_a_working_day(start: datetime, hours: int, zone: str) -> None:
    due = deadline(start, hours, zone, MON_TO_FRI)
    local = due.astimezone(ZoneInfo(zone))
    assert due >= start
    assert MON_TO_FRI.is_working(local.date())
    assert time(8) <= local.time() <= time(18)


@given(instants, st.integers(0, 40), st.integers(0, 40), zones)
def test_more_hours_are_never_due_earlier(start: datetime, hours: int, more: int, zone: str) -> None:
    assert deadline(start, hours, zone, CHINA) <= deadline(start, hours + more, zone, CHINA)
