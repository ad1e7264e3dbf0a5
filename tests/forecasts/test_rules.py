"""Periods, shares, exceptions and accuracy, as pure rules with worked figures."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.forecasts import rules
from portal.forecasts.rules import Exceptional, Span, Told

D = Decimal
MONDAY = date(2026, 11, 23)
quantities = st.integers(0, 10_000).map(Decimal)


def test_months_hold_the_weeks_whose_monday_lies_in_them() -> None:
    found = rules.periods(MONDAY, 8, Span.MONTH)
    assert [(one.start, list(one.weeks)) for one in found] == [
        (date(2026, 11, 1), [0, 1]),  # 23 and 30 November
        (date(2026, 12, 1), [2, 3, 4, 5]),
        (date(2027, 1, 1), [6, 7]),
    ]
    assert [list(one.weeks) for one in rules.periods(MONDAY, 2, Span.WEEK)] == [[0], [1]]


@given(st.integers(1, 52), st.integers(0, 400), st.sampled_from(list(Span)))
def test_every_week_lies_in_exactly_one_period(weeks: int, later: int, span: Span) -> None:
    found = rules.periods(MONDAY + timedelta(weeks=later), weeks, span)
    assert [week for period in found for week in period.weeks] == list(range(weeks))


@given(quantities, st.lists(quantities, min_size=1, max_size=52), st.sampled_from(["H87", "KGM"]))
def test_a_total_survives_being_spread(total: Decimal, weights: list[Decimal], unit: str) -> None:
    parts = rules.spread(total, weights, unit)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert all(part >= 0 for part in parts)


def test_parts_are_whole_pieces_and_follow_the_forecast() -> None:
    assert rules.spread(D(100), [D(1)] * 3, "H87") == [33, 33, 34]
    assert rules.spread(D(100), [D(0), D(300), D(100)], "H87") == [0, 75, 25]
    assert rules.spread(D(90), [D(0), D(0)], "H87") == [90, 0]
    assert rules.share_of([D(7), D(7)], D(50), "H87") == [3, 4]
    assert sum(rules.share_of([D(5), D(5), D(5)], D("33.33"), "H87")) == 4  # 4.9995 promised as 4, never as 5


def test_confirmed_deliveries_count_as_committed_at_least() -> None:
    assert rules.covered(None, D(0)) is None
    assert rules.covered(None, D(80)) == 80
    assert rules.covered(D(50), D(80)) == 80
    assert rules.covered(D(100), D(80)) == 100
    assert rules.gap(D(100), D(80)) == -20
    assert rules.gap(D(100), None) is None


@pytest.mark.parametrize(
    ("forecast", "answered", "committed", "percent", "kind"),
    [
        (100, 100, 100, 0, None),
        (100, 100, 99, 0, Exceptional.UNDER),
        (100, 100, 95, 5, None),  # 5 % below is agreed
        (100, 100, 94, 5, Exceptional.UNDER),
        (120, 100, 120, 0, Exceptional.CHANGED),  # even where it still fits: it was another question
        (80, 100, 100, 0, Exceptional.CHANGED),
        (0, 100, 100, 0, Exceptional.CHANGED),  # gone
        (100, None, None, 0, Exceptional.UNDER),  # never committed to
        (0, None, None, 0, None),
    ],
)
def test_what_needs_attention(
    forecast: int, answered: int | None, committed: int | None, percent: int, kind: Exceptional | None
) -> None:
    seen = None if answered is None else D(answered)
    assert rules.exceptional(D(forecast), seen, None if committed is None else D(committed), D(percent)) is kind


def test_bias_and_error_are_shares_of_what_was_called() -> None:
    found = rules.accuracy(4, [(D(100), D(80)), (D(50), D(50)), (D(30), D(60))])
    assert (found.weeks, found.bias, found.error) == (3, D(-10) / 190, D(50) / 190)
    assert rules.accuracy(4, [(D(100), D(0))])[4:] == (None, None)


def test_a_forecast_counts_by_the_release_that_stood_so_long_before_and_looked_so_far() -> None:
    releases = {
        "r1": Told(MONDAY - timedelta(weeks=10), MONDAY + timedelta(weeks=1)),
        "r2": Told(MONDAY - timedelta(weeks=6), MONDAY + timedelta(weeks=1)),
        "r3": Told(MONDAY - timedelta(weeks=3), MONDAY + timedelta(weeks=1)),
    }
    assert [rules.release_for(MONDAY, lag, releases) for lag in (4, 8, 13)] == ["r2", "r1", None]
    short = {"r1": Told(MONDAY - timedelta(weeks=6), MONDAY - timedelta(days=1))}
    assert rules.release_for(MONDAY, 4, short) is None
