"""Releases as rules: what is firm, when one is due, which kind wins, how it is told, what cancelling costs."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contracts.model import DayUnit
from portal.core.calendars import WorkingCalendar
from portal.schedules import rules
from portal.schedules.model import Level, ReleaseStatus, Span, Trigger
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_exposure import Exposure, Owed, Shares, SharesOutOfOrder, binding, check_shares, exposure
from portal.schedules.rules_inbound import Asked, Check, Ours, Theirs, check_release
from portal.schedules.rules_known import Known, Stood, known
from portal.schedules.rules_releases import (
    BadPattern,
    SpansOutOfOrder,
    Wanted,
    check_pattern,
    check_spans,
    gather,
    in_force,
    is_due,
    is_overdue,
    spans_of,
    transmitted,
)

MONDAY = date(2026, 11, 30)
FIRM, END = date(2026, 12, 28), date(2026, 12, 29)
D = Decimal


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def line(number: int, due: date, quantity: int = 10, part: int = 1) -> Frozen:
    return Frozen(UUID(int=number), UUID(int=part), due, D(quantity))


# --- only what was told is firm ---------------------------------------------------------------------------------------


def test_published_100_wanted_80_stays_100() -> None:
    assert transmitted(D(80), day(7), (D(100), day(7)), FIRM, END) == Wanted(D(100), day(7))


def test_published_100_wanted_130_is_100_and_30_at_the_fence_end() -> None:
    assert transmitted(D(130), day(7), (D(100), day(7)), FIRM, END) == Wanted(D(100), day(7), D(30), END)


def test_what_was_never_published_moves_to_the_fence_end() -> None:
    assert transmitted(D(50), day(7), None, FIRM, END) == Wanted(D(50), END)
    assert transmitted(D(50), day(60), None, FIRM, END) == Wanted(D(50), day(60))


def test_a_line_beyond_the_firm_zone_changes_but_not_into_it() -> None:
    assert transmitted(D(80), day(45), (D(100), day(40)), FIRM, END) == Wanted(D(80), day(45))
    assert transmitted(D(80), day(7), (D(100), day(40)), FIRM, END) == Wanted(D(80), END)


# --- when -------------------------------------------------------------------------------------------------------------


def test_each_trigger_asks_at_its_time_and_once_a_day() -> None:
    assert not is_due(Trigger.MANUAL, 1, [0], None, MONDAY)
    assert is_due(Trigger.EVERY, 7, [], MONDAY - timedelta(days=7), MONDAY)
    assert not is_due(Trigger.EVERY, 7, [], MONDAY - timedelta(days=6), MONDAY)
    assert is_due(Trigger.WEEKDAYS, 7, [0, 3], MONDAY - timedelta(days=1), MONDAY)
    assert not is_due(Trigger.WEEKDAYS, 7, [1], None, MONDAY)
    assert is_due(Trigger.CHANGE, 7, [], MONDAY - timedelta(days=1), MONDAY)
    assert not is_due(Trigger.CHANGE, 7, [], MONDAY, MONDAY)
    with pytest.raises(BadPattern):
        check_pattern(Trigger.WEEKDAYS, 7, [])


# --- two kinds --------------------------------------------------------------------------------------------------------


def test_a_release_is_overdue_from_its_deadline_until_the_partner_says_something() -> None:
    due = datetime(2026, 12, 7, 9, tzinfo=UTC)
    at = [due - timedelta(seconds=1), due]
    assert [is_overdue(ReleaseStatus.DELIVERED, due, now) for now in at] == [False, True]
    assert not any(is_overdue(status, due, due) for status in (ReleaseStatus.ACKNOWLEDGED, ReleaseStatus.SUPERSEDED))
    assert not is_overdue(ReleaseStatus.PUBLISHED, None, due)


def test_inside_its_horizon_jit_wins_and_beyond_it_the_forecast_stands() -> None:
    forecast = [line(1, day(2)), line(2, day(9)), line(3, day(30))]
    jit = [line(1, day(3), 12), line(4, day(5))]
    assert [(one.line_id.int, int(one.quantity)) for one in in_force(forecast, jit, day(14))] == [
        (1, 12),
        (4, 10),
        (3, 10),
    ]
    assert in_force(forecast, jit, None) == forecast


# --- how it is told ---------------------------------------------------------------------------------------------------

PLAIN = WorkingCalendar()


def test_days_then_weeks_dated_monday_then_months_dated_their_first_working_day() -> None:
    spans = spans_of(MONDAY, 10, 30, PLAIN)
    assert spans == (date(2026, 12, 14), date(2026, 12, 30))
    told = gather(
        [line(1, date(2026, 12, 14)), line(2, date(2026, 12, 15)), line(3, date(2026, 12, 18)),
         line(7, date(2026, 12, 22)), line(8, date(2026, 12, 31)),
         line(4, date(2027, 1, 5)), line(5, date(2027, 1, 29)), line(6, date(2027, 5, 12))],
        spans, PLAIN,
    )  # fmt: skip
    assert [(one.span, one.day, int(one.quantity), len(one.parts)) for one in told] == [
        (Span.DAY, date(2026, 12, 14), 10, 1),
        (Span.WEEK, date(2026, 12, 15), 20, 2),  # what the single days left of that week
        (Span.WEEK, date(2026, 12, 21), 10, 1),
        (Span.MONTH, date(2026, 12, 31), 10, 1),
        (Span.MONTH, date(2027, 1, 1), 20, 2),
        (Span.MONTH, date(2027, 5, 3), 10, 1),  # the first of May is a Saturday
    ]
    with pytest.raises(SpansOutOfOrder):
        check_spans(40, 30, 180)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 99), st.integers(1, 3)), max_size=40))
def test_gathering_keeps_every_line_once_and_the_total_of_each_part(entries: list[tuple[int, int, int]]) -> None:
    lines = [line(no, day(due), quantity, part) for no, (due, quantity, part) in enumerate(entries)]
    told = gather(lines, spans_of(MONDAY, 10, 30, PLAIN), PLAIN)
    assert sorted(one for each in told for one in each.parts) == sorted(lines)
    for part in {one.part_id for one in lines}:
        assert sum(one.quantity for one in told if one.part_id == part) == sum(
            one.quantity for one in lines if one.part_id == part
        )


# --- exposure ---------------------------------------------------------------------------------------------------------


def test_each_level_owes_its_share_of_what_is_open() -> None:
    shares = Shares(D(100), D(60), D(35))
    lines = [
        Owed(D(100), D(40), Level.FIRM, D(10)),  # 60 open: 600
        Owed(D(10), D(0), Level.BACKLOG, D(10)),  # 100
        Owed(D(50), D(0), Level.MAKE, D(10)),  # 60 % of 500
        Owed(D(50), D(0), Level.BUY, D(10)),  # 35 % of 500
        Owed(D(1000), D(0), Level.PLAN, D(10)),  # nothing
        Owed(D(10), D(12), Level.FIRM, D(10)),  # over-delivered: nothing is owed, nothing given back
    ]
    assert exposure(lines, shares) == Exposure(D(700), D(300), D(175))
    assert exposure(lines, shares).total == D(1175)


def test_a_line_drifts_into_a_stricter_level_and_never_into_a_milder_one() -> None:
    assert binding(Level.MAKE, Level.FIRM) is Level.FIRM
    assert binding(Level.FIRM, Level.MAKE) is Level.FIRM
    assert binding(Level.PLAN, Level.BUY) is Level.BUY


def test_shares_rise_with_the_work_done() -> None:
    check_shares(Shares(D(100), D(60), D(60)))
    for wrong in (Shares(D(50), D(60), D(35)), Shares(D(100), D(30), D(35)), Shares(D(100), D(60), D(-1))):
        with pytest.raises(SharesOutOfOrder):
            check_shares(wrong)


def test_the_trade_off_zone_is_split_by_the_go_ahead_for_making() -> None:
    ends = rules.fences(MONDAY, 28, 63, DayUnit.CALENDAR, PLAIN)
    split = rules.split_fences(ends, MONDAY, 42, DayUnit.CALENDAR, PLAIN)
    levels = [rules.level_of(day(n), MONDAY, split, True, True) for n in (0, 28, 29, 42, 43, 63, 64)]
    firm, make, buy = Level.FIRM, Level.MAKE, Level.BUY
    assert levels == [Level.BACKLOG, firm, make, make, buy, buy, Level.PLAN]
    assert rules.split_fences(ends, MONDAY, 7, DayUnit.CALENDAR, PLAIN).make_until == ends.firm_until
    assert rules.split_fences(ends, MONDAY, 99, DayUnit.CALENDAR, PLAIN).make_until == ends.tradeoff_until


# --- a customer's release ---------------------------------------------------------------------------------------------

OURS = {
    "A": Ours(
        day(-300), {"N1": D(500), "N2": D(800)}, FIRM, [Asked(day(7), D(100))], D(1000), D(700),
        places=frozenset({"WUXI"}),
    )
}  # fmt: skip


def checks(number: int = 5, **said: object) -> list[Check]:
    part = {"item": "A", "lines": [Asked(day(7), D(100))]} | said
    return [finding.check for finding in check_release(number, 4, [Theirs(**part)], OURS)]  # type: ignore[arg-type]


def test_a_release_that_fits_has_no_findings() -> None:
    assert checks(last_asn="N2", cum_received=D(800), cum_start=day(-300)) == []


def test_each_thing_that_can_be_wrong_with_a_customers_release_is_found() -> None:
    assert checks(4) == [Check.OLDER]
    assert checks(7) == [Check.SEQUENCE_GAP]
    assert checks(item="B") == [Check.UNKNOWN_ITEM]
    assert checks(place="WUXI") == []
    assert checks(place="SUZHOU") == [Check.UNKNOWN_PLACE]
    assert checks(cum_start=day(0), last_asn="N2", cum_received=D(0)) == [Check.YEAR_CHANGE]
    assert checks(last_asn="N9") == [Check.UNKNOWN_ASN]
    assert checks(last_asn="N1", cum_received=D(460)) == [Check.CUM_MISMATCH]
    assert checks(lines=[Asked(day(7), D(90))]) == [Check.ZONE_CHANGE]
    assert checks(lines=[Asked(day(7), D(100)), Asked(day(70), D(201))]) == [Check.TARGET_EXCEEDED]


def test_only_what_would_lose_or_double_something_stops_a_customers_release() -> None:
    (old,) = check_release(4, 4, [Theirs("A", [Asked(day(7), D(100))])], OURS)
    assert (old.stops, old.sentence) == (True, "Release 4 is not newer than release 4, which is in force.")
    (gap,) = check_release(7, 4, [Theirs("A", [Asked(day(7), D(100))])], OURS)
    assert not gap.stops


# --- as known then ----------------------------------------------------------------------------------------------------


def test_a_line_stands_as_its_history_up_to_the_moment_says() -> None:
    history: list[tuple[str, dict[str, Any]]] = [
        ("asked", {}),
        ("confirmed", {"splits": [{"quantity": "60"}, {"quantity": "40"}]}),
        ("shipped", {"quantity": "100"}),
        ("received", {"accepted": "98", "rejected": "2", "closed": "short"}),
    ]
    assert known(history[:1]) == Known(Stood.ASKED)
    assert known(history[:2]) == Known(Stood.CONFIRMED, D(100))
    assert known(history) == Known(Stood.CLOSED, D(100), D(100), D(98))
    assert known([*history[:2], ("request_changed", {})]) == Known(Stood.PUBLISHED)
    agreed = ("deviation_accepted", {"splits": [{"quantity": "80"}]})
    assert known([history[0], ("deviated", agreed[1]), agreed]) == Known(Stood.CONFIRMED, D(80))
