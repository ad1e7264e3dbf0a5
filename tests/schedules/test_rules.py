"""Schedule lines: moves, tolerance, confirmations, zones and levels."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contracts.model import DayUnit
from portal.core.calendars import WorkingCalendar
from portal.core.quantities import TooFine
from portal.core.states import Side, WrongSide, WrongState
from portal.schedules import rules
from portal.schedules.model import CloseReason, Level, LineStatus, Zone
from portal.schedules.rules import LINE_STATES, Fences, confirm_status, fences, level_of, limits, zone_of

D = Decimal
S = LineStatus
TODAY = date(2026, 11, 23)  # a Monday
MON_TO_FRI = WorkingCalendar()
quantities = st.integers(1, 10**6).map(D)
percents = st.decimals(D(0), D(100), places=2)
near = st.dates(date(2026, 6, 1), date(2027, 6, 1))


# Moves -------------------------------------------------------------------------------------------------------------


def test_the_seller_answers_a_proposed_line_and_the_buyer_does_not() -> None:
    assert LINE_STATES.actions(S.PROPOSED, Side.SELLER) == ["confirm", "confirm_part", "reject"]
    assert LINE_STATES.actions(S.PROPOSED, Side.BUYER) == ["close", "cancel"]
    with pytest.raises(WrongSide):
        LINE_STATES.target(S.PROPOSED, "confirm", Side.BUYER)


def test_a_seller_cannot_move_a_confirmed_line_alone() -> None:
    """Known mistake: a supplier's date change in a portal takes effect at once with no acceptance step."""
    assert LINE_STATES.actions(S.CONFIRMED, Side.SELLER) == []
    with pytest.raises(WrongState):
        LINE_STATES.target(S.CONFIRMED, "confirm", Side.SELLER)


def test_imported_history_closes_by_its_receipt_without_confirmation() -> None:
    assert LINE_STATES.target(S.PUBLISHED, "close", Side.BUYER) is S.CLOSED


def test_a_partly_confirmed_line_waits_for_the_rest() -> None:
    assert LINE_STATES.target(S.PARTLY_CONFIRMED, "confirm", Side.SELLER) is S.CONFIRMED
    assert LINE_STATES.target(S.PARTLY_CONFIRMED, "confirm_part", Side.SELLER) is S.PARTLY_CONFIRMED


def test_a_rejected_line_is_asked_again_or_cancelled_by_the_buyer() -> None:
    assert LINE_STATES.actions(S.REJECTED, Side.BUYER) == ["ask_again", "cancel"]
    assert LINE_STATES.actions(S.REJECTED, Side.SELLER) == []


def test_a_draft_may_be_dropped_by_the_side_that_made_it() -> None:
    for side in Side:
        assert LINE_STATES.actions(S.DRAFT, side) == ["publish", "cancel"]


def test_a_firm_or_shipped_line_is_not_cancelled_alone() -> None:
    rules.check_cancellation(None, shipped=D(0))
    rules.check_cancellation(Zone.FORECAST, shipped=D(0))
    with pytest.raises(rules.FirmLine):
        rules.check_cancellation(Zone.FIRM, shipped=D(0))
    with pytest.raises(rules.GoodsOnTheWay):
        rules.check_cancellation(Zone.TRADEOFF, shipped=D(1))


def test_a_decision_on_an_older_version_is_stale() -> None:
    rules.check_version(seen=3, current=3)
    with pytest.raises(rules.Stale) as refused:
        rules.check_version(seen=3, current=4)
    assert refused.value.data == {"seen": 3, "current": 4}


# Tolerance ---------------------------------------------------------------------------------------------------------


def test_limits_are_rounded_inwards_to_the_unit() -> None:
    assert limits(D(33), D(10), D(10), "H87") == (D(30), D(36))
    assert limits(D(33), D(10), D(10), "KGM") == (D("29.7"), D("36.3"))
    assert limits(D(100), D(0), D(0), "H87") == (D(100), D(100))


def test_a_hundred_and_two_grams_do_not_pass_as_a_hundred() -> None:
    """Known mistake: 100.002 accepted against 100 at 0 % tolerance. In pieces it is no quantity at all."""
    with pytest.raises(rules.OutsideTolerance) as refused:
        confirm_status(D(100), D("100.002"), D(0), D(0), "KGM")
    assert str(refused.value).startswith("100.002 is more than agreed: 100 to 100 kg")
    with pytest.raises(TooFine):
        rules.check_promises([(D("100.002"), TODAY)], "H87", TODAY)


def test_a_line_is_complete_from_the_requested_quantity_less_its_tolerance() -> None:
    assert not rules.delivered_complete(D(1000), D(979), D(2), "H87")
    assert rules.delivered_complete(D(1000), D(980), D(2), "H87")
    assert rules.close_reason(D(1000), D(980), D(2), "H87") is CloseReason.SHORT
    assert rules.close_reason(D(1000), D(1020), D(2), "H87") is CloseReason.COMPLETE


def test_over_delivery_shows_a_negative_open_quantity() -> None:
    """Known mistake: remaining quantity clipped at zero, so that over-consumption is invisible."""
    assert rules.open_quantity(D(800), D(840)) == D(-40)


def test_a_closed_partly_received_line_consumes_what_was_received() -> None:
    """Known mistake: it gives its whole quantity back to the contract."""
    assert rules.consumed_quantity(S.CLOSED, D(100), received=D(60)) == D(60)
    assert rules.consumed_quantity(S.CANCELLED, D(100), received=D(0)) == D(0)


def test_drafts_consume_nothing_and_open_lines_their_order() -> None:
    """Known mistake: quotations or drafts counted as consumption."""
    assert rules.consumed_quantity(S.DRAFT, D(100), received=D(0)) == D(0)
    for status in rules.OPEN:
        assert rules.consumed_quantity(status, D(100), received=D(60)) == D(100)


@given(quantities, percents, percents, st.sampled_from(["H87", "KGM", "TNE"]))
def test_limits_hold_the_ordered_quantity_and_never_more_than_the_percentages(
    ordered: D, under: D, over: D, unit: str
) -> None:
    low, high = limits(ordered, under, over, unit)
    assert ordered * (100 - under) / 100 <= low <= ordered <= high <= ordered * (100 + over) / 100


# Confirmation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promised", "status"),
    [(1, S.PARTLY_CONFIRMED), (949, S.PARTLY_CONFIRMED), (950, S.CONFIRMED), (1000, S.CONFIRMED), (1200, S.CONFIRMED)],
)
def test_the_sum_of_the_parts_decides(promised: int, status: LineStatus) -> None:
    """1000 ordered, 5 % less or 20 % more agreed."""
    assert confirm_status(D(1000), D(promised), D(5), D(20), "H87") is status
    assert LINE_STATES.target(S.PROPOSED, rules.CONFIRM_ACTION[status], Side.SELLER) is status


def test_more_than_the_tolerance_is_refused_with_its_limits() -> None:
    with pytest.raises(rules.OutsideTolerance) as refused:
        confirm_status(D(1000), D(1201), D(5), D(20), "H87")
    assert str(refused.value) == (
        "1,201 is more than agreed: 950 to 1,200 pcs are within tolerance. Lower it or ask for a change."
    )


def test_two_answers_share_the_tolerance_of_the_original_quantity() -> None:
    """100 + 10 %: 50 promised, then 60 more passes, then nothing."""
    assert confirm_status(D(100), D(50) + D(60), D(0), D(10), "H87") is S.CONFIRMED
    with pytest.raises(rules.OutsideTolerance):
        confirm_status(D(100), D(50) + D(60) + D(1), D(0), D(10), "H87")


def test_the_rest_of_a_split_is_unconfirmed_and_not_refused() -> None:
    promised = rules.check_promises([(D(60), TODAY), (D(36), TODAY + timedelta(days=7))], "H87", TODAY)
    assert promised == D(96)
    assert confirm_status(D(100), promised, D(0), D(0), "H87") is S.PARTLY_CONFIRMED
    assert rules.default_promise(D(100), promised, TODAY, TODAY) == (D(4), TODAY)


def test_a_promise_needs_a_quantity_and_a_day_to_come() -> None:
    yesterday = TODAY - timedelta(days=1)
    for parts in ([], [(D(0), TODAY)], [(D(10), TODAY), (D(-1), TODAY)]):
        with pytest.raises(rules.NothingPromised):
            rules.check_promises(parts, "H87", TODAY)
    with pytest.raises(rules.PromiseInPast):
        rules.check_promises([(D(10), yesterday)], "H87", TODAY)
    with pytest.raises(rules.NothingPromised):
        confirm_status(D(100), D(0), D(100), D(0), "H87")


def test_one_press_on_an_overdue_line_promises_today() -> None:
    assert rules.default_promise(D(800), D(0), TODAY - timedelta(days=3), TODAY) == (D(800), TODAY)
    assert rules.default_promise(D(800), D(0), TODAY + timedelta(days=3), TODAY) == (D(800), TODAY + timedelta(days=3))


def test_another_reason_has_to_be_explained() -> None:
    rules.check_rejection(rules.RejectReason.CAPACITY, "")
    rules.check_rejection(rules.RejectReason.OTHER, "strike at the port")
    with pytest.raises(rules.ReasonNeeded):
        rules.check_rejection(rules.RejectReason.OTHER, "  ")


def test_a_reopened_line_stands_where_its_promises_put_it() -> None:
    assert LINE_STATES.target(S.CLOSED, "reopen", Side.BUYER) is S.PUBLISHED
    statuses = [rules.status_by_promises(D(100), D(promised), D(5), "H87") for promised in (0, 94, 95)]
    assert statuses == [S.PUBLISHED, S.PARTLY_CONFIRMED, S.CONFIRMED]


@given(quantities, st.lists(quantities, min_size=1, max_size=8), percents, percents)
def test_the_order_of_the_splits_never_matters(ordered: D, parts: list[D], under: D, over: D) -> None:
    def answer(splits: list[D]) -> LineStatus | None:
        promised = rules.check_promises([(quantity, TODAY) for quantity in splits], "H87", TODAY)
        try:
            return confirm_status(ordered, promised, under, over, "H87")
        except rules.OutsideTolerance:
            return None

    assert answer(parts) == answer(parts[::-1])


# Zones and levels --------------------------------------------------------------------------------------------------


def test_the_default_zones_end_28_and_63_days_after_the_release() -> None:
    ends = fences(TODAY, 28, 63, DayUnit.CALENDAR, MON_TO_FRI)
    assert ends == Fences(date(2026, 12, 21), date(2027, 1, 25))
    found = [ends.zone(TODAY + timedelta(days=days)) for days in (-1, 28, 29, 63, 64)]
    assert found == [Zone.FIRM, Zone.FIRM, Zone.TRADEOFF, Zone.TRADEOFF, Zone.FORECAST]


def test_zones_in_working_days_skip_holidays() -> None:
    calendar = WorkingCalendar.of(range(5), [(date(2026, 11, 26), False)])
    assert fences(TODAY, 5, 10, DayUnit.WORKING, calendar) == Fences(date(2026, 12, 1), date(2026, 12, 8))


def test_a_week_takes_the_zone_of_its_monday() -> None:
    """The week that begins on the last firm day is firm, although its Friday is not."""
    ends = fences(TODAY, 28, 63, DayUnit.CALENDAR, MON_TO_FRI)
    assert ends.zone(date(2026, 12, 21)) is Zone.FIRM
    assert ends.zone(date(2026, 12, 25)) is Zone.TRADEOFF


def test_the_zone_moves_with_the_release_and_not_with_the_day() -> None:
    due = date(2026, 12, 24)
    assert zone_of(due, TODAY, 28, 63, DayUnit.CALENDAR, MON_TO_FRI) is Zone.TRADEOFF
    assert zone_of(due, TODAY + timedelta(days=7), 28, 63, DayUnit.CALENDAR, MON_TO_FRI) is Zone.FIRM


def test_due_and_open_is_backlog_if_released_before_and_immediate_if_first_released_now() -> None:
    ends = Fences(date(2026, 12, 21), date(2027, 1, 25))
    for due in (TODAY - timedelta(days=10), TODAY):
        assert level_of(due, TODAY, ends, still_open=True, published_before=True) is Level.BACKLOG
        assert level_of(due, TODAY, ends, still_open=True, published_before=False) is Level.IMMEDIATE
        assert level_of(due, TODAY, ends, still_open=False, published_before=True) is Level.FIRM
    tomorrow = TODAY + timedelta(days=1)
    assert level_of(tomorrow, TODAY, ends, still_open=True, published_before=True) is Level.FIRM


def test_the_trade_off_zone_may_be_split_into_make_and_buy() -> None:
    ends = Fences(date(2026, 12, 21), date(2027, 1, 25), make_until=date(2027, 1, 4))
    found = [level_of(day, TODAY, ends, True, True) for day in (date(2027, 1, 4), date(2027, 1, 5), date(2027, 1, 26))]
    assert found == [Level.MAKE, Level.BUY, Level.PLAN]
    assert level_of(date(2027, 1, 25), TODAY, ends._replace(make_until=None), True, True) is Level.MAKE


@given(near, near, st.integers(0, 60), st.integers(0, 90), st.sampled_from(DayUnit), st.booleans(), st.booleans())
def test_level_and_zone_agree(
    due: date, released: date, firm: int, more: int, unit: DayUnit, still_open: bool, before: bool
) -> None:
    ends = fences(released, firm, firm + more, unit, MON_TO_FRI)
    level = level_of(due, released, ends, still_open, before)
    zone = Zone.TRADEOFF if level in {Level.MAKE, Level.BUY} else Zone.FORECAST if level is Level.PLAN else Zone.FIRM
    assert zone is ends.zone(due)


def test_the_firm_zone_asks_for_an_answer() -> None:
    assert rules.needs_answer(Zone.FIRM)
    assert not rules.needs_answer(Zone.TRADEOFF)
    assert rules.needs_answer(Zone.FORECAST, asked_earlier=True)


def test_only_the_seller_speaks_of_the_material_behind_an_open_line() -> None:
    rules.check_supply_note(Side.SELLER, S.CONFIRMED)
    with pytest.raises(WrongSide):
        rules.check_supply_note(Side.BUYER, S.CONFIRMED)
    with pytest.raises(WrongState):
        rules.check_supply_note(Side.SELLER, S.CLOSED)
