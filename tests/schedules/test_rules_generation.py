"""Lines from fixed quantities: totals that never drift, working days, packs, and one line per delivery once."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from portal.contracts.model import Cadence
from portal.core.calendars import WorkingCalendar, periods
from portal.schedules.rules_generation import Delivery, Generation, generate

D = Decimal
MON_TO_FRI = WorkingCalendar()
SPRING_FESTIVAL = WorkingCalendar.of(range(5), [(date(2026, 2, d), False) for d in range(15, 24)])
MONDAY = date(2026, 1, 5)


class Line(NamedTuple):
    foq: Decimal | None = D(800)
    cadence: Cadence | None = Cadence.WEEK
    unit: str = "H87"
    pack_size: Decimal = D(1)
    minimum_order: Decimal = D(0)
    delivery_weekdays: tuple[int, ...] = ()
    generated_until: date | None = None
    carried_remainder: Decimal = D(0)


def run(line: Line, weeks: int, calendar: WorkingCalendar = MON_TO_FRI, start: date = MONDAY) -> Generation:
    return generate(line, start, None, calendar, start, start + timedelta(weeks=weeks))


def quantities(generation: Generation) -> list[int]:
    return [int(delivery.quantity) for delivery in generation.deliveries]


def test_a_weekly_quantity_is_due_on_each_first_working_day() -> None:
    assert run(Line(), weeks=2).deliveries == [
        Delivery(MONDAY, MONDAY, D(800)),
        Delivery(date(2026, 1, 12), date(2026, 1, 12), D(800)),
    ]


def test_rounding_to_packs_is_mended_by_the_next_delivery() -> None:
    assert quantities(run(Line(foq=D(100), pack_size=D(40)), weeks=6)) == [120, 80, 120, 80, 120, 80]


def test_a_period_is_split_over_its_delivery_weekdays() -> None:
    found = run(Line(foq=D(1000), pack_size=D(40), delivery_weekdays=(1, 3)), weeks=1)
    assert [(d.due_date, d.quantity) for d in found.deliveries] == [
        (date(2026, 1, 6), D(520)),
        (date(2026, 1, 8), D(480)),
    ]


def test_delivery_days_of_the_month_are_used_when_agreed() -> None:
    line = Line(foq=D(900), cadence=Cadence.MONTH)
    found = generate(
        line, date(2026, 2, 1), None, MON_TO_FRI, date(2026, 2, 1), date(2026, 3, 1), month_days=[1, 15, 31]
    )
    assert [(d.due_date.day, d.quantity) for d in found.deliveries] == [(2, D(300)), (16, D(300)), (27, D(300))]


def test_a_week_that_is_all_holiday_is_delivered_with_the_next() -> None:
    found = run(Line(), weeks=3, calendar=SPRING_FESTIVAL, start=date(2026, 2, 9))
    assert [(d.due_date, d.quantity) for d in found.deliveries] == [
        (date(2026, 2, 9), D(800)),
        (date(2026, 2, 24), D(1600)),
    ]


def test_nothing_is_due_outside_the_validity() -> None:
    """1 January 2026 is a Thursday: its week's Monday is in the contract before, its Thursday in this one."""
    line = Line(delivery_weekdays=(0, 3))
    found = generate(line, date(2026, 1, 1), date(2026, 1, 12), MON_TO_FRI, date(2025, 12, 1), date(2026, 3, 1))
    assert [(d.due_date, d.quantity) for d in found.deliveries] == [
        (date(2026, 1, 1), D(400)),
        (date(2026, 1, 5), D(400)),
        (date(2026, 1, 8), D(400)),
        (date(2026, 1, 12), D(400)),
    ]


def test_two_contracts_in_succession_share_the_week_between_them() -> None:
    """No day is delivered twice and none is lost at the turn of the year."""
    line, end = Line(delivery_weekdays=(0, 3)), date(2027, 1, 31)
    old = generate(line, date(2026, 12, 1), date(2026, 12, 31), MON_TO_FRI, date(2026, 12, 7), end).deliveries
    new = generate(line, date(2027, 1, 1), None, MON_TO_FRI, date(2026, 12, 7), end).deliveries
    whole = generate(line, date(2026, 12, 1), None, MON_TO_FRI, date(2026, 12, 7), end).deliveries
    assert [*old, *new] == whole


def test_what_is_past_is_not_made_up() -> None:
    found = generate(Line(), date(2026, 1, 1), None, MON_TO_FRI, date(2026, 6, 3), date(2026, 6, 15))
    assert [d.due_date for d in found.deliveries] == [date(2026, 6, 8)]


def test_the_same_run_twice_adds_nothing() -> None:
    first = run(Line(), weeks=4)
    again = Line(generated_until=first.generated_until, carried_remainder=first.carried_remainder)
    assert run(again, weeks=4) == Generation([], first.generated_until, first.carried_remainder)


def test_a_pure_call_off_has_no_lines_of_its_own() -> None:
    assert run(Line(foq=None, cadence=None), weeks=12) == Generation([], None, D(0))


def test_the_minimum_order_uses_fewer_days_before_it_moves_quantity() -> None:
    found = run(Line(foq=D(900), minimum_order=D(400), delivery_weekdays=(0, 2, 4)), weeks=1)
    assert [(d.due_date.weekday(), d.quantity) for d in found.deliveries] == [(0, D(450)), (2, D(450))]


def test_rounding_never_goes_below_the_minimum_order() -> None:
    """In packs of 40, 100 a week would be 120 and 80; the minimum of 120 skips a week instead."""
    found = run(Line(foq=D(100), pack_size=D(40), minimum_order=D(100)), weeks=10)
    assert set(quantities(found)) == {120}
    assert abs(sum(quantities(found)) - 1000) < 120


def test_month_quarter_and_leap_day() -> None:
    start = date(2028, 2, 1)
    line = Line(foq=D(10), cadence=Cadence.MONTH)
    months = generate(line, start, None, MON_TO_FRI, start, date(2028, 5, 1)).deliveries
    assert [d.due_date for d in months] == [date(2028, 2, 1), date(2028, 3, 1), date(2028, 4, 3)]
    quarters = generate(
        line._replace(cadence=Cadence.QUARTER), date(2028, 1, 1), None, MON_TO_FRI, date(2028, 1, 1), date(2028, 7, 1)
    ).deliveries
    assert [d.due_date for d in quarters] == [date(2028, 1, 3), date(2028, 4, 3)]


# Laws --------------------------------------------------------------------------------------------------------------

starts = st.dates(date(2025, 1, 1), date(2028, 12, 31))
calendars = st.builds(
    WorkingCalendar,
    st.just(frozenset(range(5))),
    st.frozensets(st.dates(date(2025, 1, 1), date(2029, 12, 31)), max_size=60),
)
lines = st.builds(
    Line,
    foq=st.integers(1, 20_000).map(D),
    cadence=st.sampled_from(Cadence),
    pack_size=st.integers(1, 500).map(D),
    delivery_weekdays=st.sets(st.integers(0, 6), max_size=3).map(tuple),
    unit=st.just("H87"),
    minimum_order=st.just(D(0)),
    generated_until=st.none(),
    carried_remainder=st.just(D(0)),
)


@given(lines, calendars, starts, st.integers(1, 400))
def test_totals_never_drift_by_a_pack(line: Line, calendar: WorkingCalendar, day: date, length: int) -> None:
    assert line.cadence is not None
    assert line.foq is not None
    until = day + timedelta(days=length)
    whole = list(periods(line.cadence, day, until))
    start = whole[0][0]
    found = generate(line, start, None, calendar, start, until)
    total = sum((d.quantity for d in found.deliveries), D(0))
    assert total + found.carried_remainder == line.foq * len(whole)
    if calendar.next_working(whole[-1][0]) < whole[-1][1]:
        assert abs(total - line.foq * len(whole)) < line.pack_size
    for n, (_, end) in enumerate(whole, start=1):
        if calendar.next_working(whole[n - 1][0]) < end:
            so_far = sum((d.quantity for d in found.deliveries if d.due_date < end), D(0))
            assert abs(so_far - line.foq * n) < line.pack_size


@given(lines, calendars, starts, st.integers(1, 400))
def test_dates_are_working_days_of_their_period_in_order_and_whole_packs(
    line: Line, calendar: WorkingCalendar, start: date, length: int
) -> None:
    last = start + timedelta(days=length)
    found = generate(line, start, last, calendar, start, last + timedelta(days=1)).deliveries
    assert [d.due_date for d in found] == sorted({d.due_date for d in found})
    for delivery in found:
        assert calendar.is_working(delivery.due_date)
        assert start <= delivery.due_date <= last
        assert delivery.period_start <= delivery.due_date
        assert delivery.quantity > 0
        assert delivery.quantity % line.pack_size == 0


@given(lines, calendars, starts, st.lists(st.integers(1, 120), min_size=1, max_size=5))
def test_a_horizon_rolled_in_steps_gives_the_same_as_one_long_run(
    line: Line, calendar: WorkingCalendar, start: date, steps: list[int]
) -> None:
    rolled, state = list[Delivery](), line
    for days in accumulate(steps):
        part = generate(state, start, None, calendar, start, start + timedelta(days=days))
        rolled += part.deliveries
        state = state._replace(generated_until=part.generated_until, carried_remainder=part.carried_remainder)
    assert rolled == generate(line, start, None, calendar, start, start + timedelta(days=sum(steps))).deliveries


@given(lines, st.integers(1, 2000).map(D), starts)
def test_the_minimum_order_is_kept_and_the_total_stays_within_one_lot(line: Line, minimum: D, start: date) -> None:
    least = -(-minimum // line.pack_size) * line.pack_size
    found = generate(line._replace(minimum_order=least), start, None, MON_TO_FRI, start, start + timedelta(days=300))
    assert all(d.quantity >= least for d in found.deliveries)
    assert -max(least, line.pack_size) < found.carried_remainder < line.pack_size
