"""Cumulative quantities: the worked numbers, what counts over a reset, and curves that only step up."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.schedules import rules_cumulative as cum
from portal.schedules.rules_cumulative import CountBy, Movement

D = Decimal
TODAY = date(2026, 11, 23)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
entries = st.lists(st.tuples(days, st.integers(1, 10**6).map(D)), max_size=40)


def after(number: int) -> date:
    return TODAY + timedelta(days=number)


def test_an_opening_balance_is_the_base_of_the_curve() -> None:
    """Start 55, lines 20 and 30: 75, then 105."""
    lines = [(after(0), D(20)), (after(7), D(30))]
    assert [cum.cum_requested(lines, day, base=D(55)) for day in (after(-1), after(0), after(7))] == [55, 75, 105]


def test_a_recorded_shortage_is_not_on_the_way_but_open_again() -> None:
    """800 shipped, 760 counted, 40 recorded short: in transit 0, open +40."""
    sent = [Movement(after(-2), D(800), TODAY, accepted=D(760), short=D(40))]
    figures = cum.cumulative_on([(TODAY, D(800))], sent, TODAY)
    assert [figures.in_transit, figures.open] == [0, 40]
    assert figures.received == 760


def test_what_is_sent_and_not_received_is_in_transit_and_not_open() -> None:
    figures = cum.cumulative_on([(TODAY, D(800))], [Movement(after(-2), D(800))], TODAY)
    assert list(figures) == [800, 800, 0, 800, 0, 0]


def test_a_negative_quantity_in_transit_is_shown() -> None:
    assert cum.in_transit(D(800), D(840)) == D(-40)
    assert cum.open_requirement(D(800), D(840), D(0)) == D(-40)


def test_behind_is_negative_and_ahead_is_positive() -> None:
    assert cum.ahead_behind(D(4600), D(4800)) == D(-200)
    assert cum.ahead_behind(D(1980), D(1820)) == D(160)


def test_rejected_goods_count_as_received_until_they_are_returned() -> None:
    sent = [Movement(after(-2), D(800), TODAY, accepted=D(760), rejected=D(40))]
    assert cum.cum_received(sent) == D(800)
    assert cum.cum_received(sent, count_rejected=False) == D(760)


def test_netting_leaves_out_what_the_customer_has_counted() -> None:
    assert cum.net_requirement(D(5000), D(4200), shipped_since=D(600)) == D(200)


def test_goods_under_way_over_the_reset_count_by_one_date_on_both_sides() -> None:
    """Shipped 28 December, received 3 January, counted again from 31 December."""
    reset = date(2026, 12, 31)
    under_way = Movement(date(2026, 12, 28), D(800), date(2027, 1, 3), accepted=D(800))
    assert cum.straddling([under_way], reset) == [under_way]
    for by, counted in ((CountBy.RECEIPT, 800), (CountBy.DESPATCH, 0)):
        movements = cum.counting([under_way], reset, by)
        assert cum.cum_shipped(movements) == cum.cum_received(movements) == counted
        assert cum.in_transit(cum.cum_shipped(movements), cum.cum_received(movements)) == 0


def test_goods_not_yet_received_are_in_transit_on_both_sides_of_the_reset() -> None:
    under_way = Movement(date(2026, 12, 28), D(800))
    assert cum.counting([under_way], date(2026, 12, 31)) == [under_way]
    assert cum.straddling([under_way], date(2026, 12, 31)) == [under_way]


def test_the_chart_has_one_axis_and_delivered_goods_end_today() -> None:
    planned = cum.cumulative_points([(after(-7), D(800)), (after(7), D(800)), (after(7), D(100))])
    delivered = cum.cumulative_points([(after(-5), D(760))])
    axis, curves = cum.aligned(
        {"planned": planned, "delivered": delivered}, after(-14), after(14), last_days={"delivered": TODAY}
    )
    assert axis == [after(n) for n in (-14, -7, -5, 0, 7, 14)]
    assert curves["planned"] == [0, 800, 800, 800, 1700, 1700]
    assert curves["delivered"] == [0, 0, 760, 760, None, None]


def test_what_was_before_the_chart_begins_is_in_its_first_value() -> None:
    axis, curves = cum.aligned({"planned": [(after(-30), D(500)), (after(1), D(700))]}, TODAY, after(2))
    assert axis == [TODAY, after(1), after(2)]
    assert curves["planned"] == [500, 700, 700]


@given(entries, days, days)
def test_a_cumulative_quantity_never_falls(lines: list[cum.Entry], one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    assert cum.cum_requested(lines, earlier) <= cum.cum_requested(lines, later)


@given(entries, st.integers(0, 1000).map(D))
def test_the_points_of_a_curve_are_the_sums_of_its_lines(lines: list[cum.Entry], base: D) -> None:
    points = cum.cumulative_points(lines, base)
    assert [total for _, total in points] == [cum.cum_requested(lines, day, base) for day, _ in points]
    assert [day for day, _ in points] == sorted({day for day, _ in lines})


@given(entries)
def test_splitting_a_delivery_leaves_the_curve_as_it_is(lines: list[cum.Entry]) -> None:
    split = [part for day, quantity in lines for part in ((day, quantity / 4), (day, quantity * 3 / 4))]
    assert cum.cumulative_points(split) == cum.cumulative_points(lines)


@given(st.lists(st.tuples(days, st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6)), max_size=20))
def test_open_is_what_was_asked_less_what_arrived_or_will(rows: list[tuple[date, int, int, int]]) -> None:
    sent = [Movement(day, D(a), day, accepted=D(b), short=D(c)) for day, a, b, c in rows]
    lines = [(day, D(a)) for day, a, _, _ in rows]
    figures = cum.cumulative_on(lines, sent, date(2026, 12, 31))
    assert figures.open == figures.requested - figures.received - figures.in_transit
    assert figures.in_transit == figures.shipped - figures.received - sum(m.short for m in sent)
