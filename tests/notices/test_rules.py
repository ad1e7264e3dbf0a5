"""Who is told, and when it may arrive: quiet hours over changes of the clock, summaries, demands that rise."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.access import Role
from portal.core.actor import Scope
from portal.core.calendars import WorkingCalendar
from portal.notices import rules
from portal.notices.model import Choice, Kind, Urgency
from portal.notices.rules import Place, Recipient, Wishes, WrongHour, next_allowed

ZONES = ("Asia/Shanghai", "Europe/Berlin", "Europe/Moscow", "America/New_York", "Australia/Lord_Howe")
USUAL = Wishes()


def place(holidays: frozenset[date] = frozenset(), extra_days: frozenset[date] = frozenset()) -> Place:
    return Place("Europe/Berlin", WorkingCalendar(holidays=holidays, extra_days=extra_days))


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2026-11-24T10:00", "2026-11-24T10:00"),  # a Tuesday
        ("2026-11-24T19:59", "2026-11-24T19:59"),
        ("2026-11-24T20:00", "2026-11-25T07:30"),
        ("2026-11-24T03:00", "2026-11-24T07:30"),
        ("2026-11-27T21:00", "2026-11-30T07:30"),  # over the weekend
        ("2026-12-24T21:00", "2026-12-28T07:30"),  # and a holiday before it
        ("2026-10-24T12:00", "2026-10-26T07:30"),  # over the night in which the clock goes back
        ("2026-03-27T23:00", "2026-03-30T07:30"),  # and forward
    ],
)
def test_what_comes_in_quiet_hours_waits_for_the_next_working_morning(now: str, allowed: str) -> None:
    here = place(holidays=frozenset({date(2026, 12, 25)}))
    assert next_allowed(berlin(now), here, USUAL) == berlin(allowed)


def test_quiet_hours_that_end_in_a_skipped_hour_end_when_the_clock_jumps() -> None:
    sunday = frozenset(range(7))
    here = Place("Europe/Berlin", WorkingCalendar(sunday))
    wishes = Wishes(quiet_from=22 * 60, quiet_to=2 * 60 + 30)  # 02:30 does not exist on 29 March 2026
    assert next_allowed(berlin("2026-03-29T00:30"), here, wishes) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_quiet_hours_that_end_in_a_repeated_hour_end_the_first_time() -> None:
    here = Place("Europe/Berlin", WorkingCalendar(frozenset(range(7))))
    wishes = Wishes(quiet_from=22 * 60, quiet_to=2 * 60 + 30)
    assert next_allowed(berlin("2026-10-25T01:00"), here, wishes) == berlin("2026-10-25T02:30")
    second = berlin("2026-10-25T02:45", fold=1)
    assert next_allowed(second, here, wishes) == second


def test_a_quiet_noon_is_kept_too() -> None:
    wishes = Wishes(quiet_from=12 * 60, quiet_to=13 * 60)
    assert next_allowed(berlin("2026-11-24T12:20"), place(), wishes) == berlin("2026-11-24T13:00")
    assert next_allowed(berlin("2026-11-24T23:20"), place(), wishes) == berlin("2026-11-24T23:20")


def test_a_line_stop_wakes_only_who_agreed() -> None:
    night = berlin("2026-11-24T02:00")
    agreed = Wishes(wake_for_line_stop=True)
    assert next_allowed(night, place(), agreed, Urgency.LINE_STOP) == night
    assert next_allowed(night, place(), agreed, Urgency.DEADLINE) == berlin("2026-11-24T07:30")
    assert next_allowed(night, place(), USUAL, Urgency.LINE_STOP) == berlin("2026-11-24T07:30")


@given(
    st.integers(0, 3 * 366 * 24 * 60).map(lambda n: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=n)),
    st.sampled_from(ZONES),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_the_next_allowed_moment_is_allowed_and_never_earlier(now: datetime, zone: str, begins: int, ends: int) -> None:
    wishes, here = Wishes(quiet_from=begins, quiet_to=ends), Place(zone, WorkingCalendar())
    found = next_allowed(now, here, wishes)
    assert now <= found <= now + timedelta(days=4)
    assert next_allowed(found, here, wishes) == found
    assert found.astimezone(ZoneInfo(zone)).weekday() < 5


def test_the_summary_comes_at_the_persons_hour_on_working_days() -> None:
    assert rules.digest_day(berlin("2026-11-24T07:59"), place(), USUAL) is None
    assert rules.digest_day(berlin("2026-11-24T08:00"), place(), USUAL) == date(2026, 11, 24)
    assert rules.digest_day(berlin("2026-11-24T21:00"), place(), USUAL) is None  # nobody reads it any more
    assert rules.digest_day(berlin("2026-11-28T08:00"), place(), USUAL) is None  # a Saturday
    make_up = place(extra_days=frozenset({date(2026, 11, 28)}))
    assert rules.digest_day(berlin("2026-11-28T08:00"), make_up, USUAL) == date(2026, 11, 28)


def test_the_evening_comes_before_the_quiet() -> None:
    assert rules.evening(USUAL) == 19 * 60 + 30
    assert rules.evening(Wishes(quiet_from=0, quiet_to=0)) == 18 * 60 + 30
    assert rules.evening_day(berlin("2026-11-24T19:29"), place(), USUAL) is None
    assert rules.evening_day(berlin("2026-11-24T19:30"), place(), USUAL) == date(2026, 11, 24)


def test_a_delivery_is_reminded_of_three_working_days_before() -> None:
    calendar = WorkingCalendar(holidays=frozenset({date(2026, 11, 25)}))
    assert rules.reminder_begins(date(2026, 11, 26), WorkingCalendar()) == date(2026, 11, 23)
    assert rules.reminder_begins(date(2026, 11, 30), calendar) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("hours", "level"), [(-25, []), (-24, [1]), (-1, [1]), (0, [2]), (3.9, [2]), (4, [3]), (24 * 6, [3]), (24 * 7, [])]
)
def test_a_demand_for_an_answer_rises(hours: float, level: list[int]) -> None:
    respond_by = berlin("2026-11-24T12:00")
    assert list(rules.levels(respond_by + timedelta(hours=hours), respond_by)) == level


def who(
    role: Role, scope: Scope = Scope.PARTNER, contracts: frozenset[object] | None = None, **wishes: object
) -> Recipient:
    return Recipient(uuid4(), role, scope, contracts, Wishes(**wishes), "x@example.com")  # type: ignore[arg-type]


def test_workers_are_told_and_administrators_only_where_nobody_else_can() -> None:
    admin, clerk, viewer = who(Role.PARTNER_ADMIN), who(Role.CLERK), who(Role.VIEWER)
    assert rules.told([admin, clerk, viewer], Kind.TO_CONFIRM) == [clerk]
    assert rules.told([admin, viewer], Kind.TO_CONFIRM) == [admin]
    assert rules.told([admin, clerk], Kind.TO_CONFIRM, actor_id=clerk.member_id) == []
    assert rules.told([admin, clerk], Kind.CONTRACT) == [admin]


def test_deputies_answer_only_what_they_may_and_see() -> None:
    contract, other = uuid4(), uuid4()
    clerk, viewer = who(Role.CLERK), who(Role.VIEWER)
    restricted = who(Role.CLERK, contracts=frozenset({other}))
    for deputy, expected in ((clerk, [clerk]), (viewer, []), (restricted, [])):
        absent = who(Role.CLERK, deputy_id=deputy.member_id)
        people = [clerk, viewer, restricted, absent]
        assert rules.deputies(people, [absent], Kind.OVERDUE, contract) == expected


def test_what_a_person_chose_holds_and_what_is_unknown_does_not() -> None:
    assert rules.choice(USUAL, Kind.TO_CONFIRM) is Choice.AT_ONCE
    assert rules.choice(USUAL, Kind.CONFIRMED) is Choice.DIGEST
    assert rules.choice(Wishes(kinds={"confirmed": "off"}), Kind.CONFIRMED) is Choice.OFF
    assert rules.choice(Wishes(kinds={"confirmed": "loudly"}), Kind.CONFIRMED) is Choice.DIGEST
    assert rules.choice(Wishes(evening_summary=False), Kind.AGREED) is Choice.OFF


def test_ways_are_tried_in_the_persons_order() -> None:
    have = ["email", "portal", "telegram"]
    assert rules.ordered(have, USUAL) == ["telegram", "email", "portal"]
    assert rules.ordered(have, Wishes(channels=["portal", "fax"])) == ["portal", "telegram", "email"]


def test_hours_are_read_as_people_write_them() -> None:
    assert [rules.minutes(text, "digest_at") for text in ("08:00", "8:05", "23:59", "0：00")] == [480, 485, 1439, 0]
    assert rules.clock_time(485) == "08:05"
    for text in ("24:00", "8", "8:5", "", "8:60", "-1:00", "٨:٠x"):
        with pytest.raises(WrongHour):
            rules.minutes(text, "digest_at")
