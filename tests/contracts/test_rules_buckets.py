"""The arithmetic of periods, with the worked numbers of the trade and the mistakes that other systems make."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contracts.model import Cadence
from portal.contracts.model_buckets import Assignment, BucketCadence, Carry, EntryKind
from portal.contracts.rules_buckets import (
    Call,
    CallLimits,
    CallOutsideBand,
    Counters,
    Filled,
    NoPeriod,
    OverCeiling,
    Room,
    Standing,
    count,
    highest,
    left_in,
    outlook,
    spread,
    take,
    uncovered,
)
from portal.contracts.rules_carry import (
    Ended,
    Move,
    PeriodsNeeded,
    PeriodsUnused,
    Rule,
    below_floor,
    carry,
    differences,
    rule_of,
)
from portal.contracts.rules_periods import (
    Agreed,
    LimitsOutOfOrder,
    OutsideContract,
    PeriodEmpty,
    PeriodsOverlap,
    agreed_periods,
    check_periods,
    monthly_periods,
    suggest,
)
from portal.core.ids import uuid7

D = Decimal
ONE, TWO, THREE, FOUR = (UUID(int=n) for n in range(1, 5))
LINE = UUID(int=100)
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)


class Terms:
    """A contract line as the rules read it."""

    def __init__(self, **terms: Any) -> None:
        base = {"foq": D(600), "cadence": Cadence.WEEK, "unit": "H87", "pack_size": D(40), "minimum_order": D(0)}
        base |= {"band_below_percent": D(20), "band_above_percent": D(20), "target_quantity": None}
        self.__dict__.update(base | terms)


def terms(**more: Any) -> Any:
    return Terms(**more)


def room(ceiling: int = 100, target: int | None = None, **more: Any) -> Room:
    values: dict[str, Any] = {
        "id": ONE, "contract_line_id": LINE, "start": NOVEMBER, "end": DECEMBER, "target": D(target or ceiling),
        "ceiling": D(ceiling), "unit": "H87", "consumed": D(0), "allowance": D(0), "tolerance_used": D(0),
    }  # fmt: skip
    return Room(**(values | more))


def call(quantity: int, due: date = NOVEMBER, **more: Any) -> Call:
    return Call(uuid7(), LINE, "A100", due, D(quantity), **more)


# --- what is agreed ---------------------------------------------------------------------------------------------------


def test_a_week_of_600_with_20_percent_is_480_to_720() -> None:
    (first, second) = agreed_periods(terms(), date(2026, 11, 2), date(2026, 11, 15), date(2026, 11, 15))
    assert first == Agreed(BucketCadence.WEEK, date(2026, 11, 2), date(2026, 11, 9), D(480), D(600), D(720))
    assert second.start == first.end


def test_a_period_cut_by_the_contract_has_its_share_but_the_whole_ceiling() -> None:
    cut, whole = agreed_periods(terms(), date(2026, 11, 5), date(2026, 11, 15), date(2026, 11, 15))
    assert (cut.start, cut.end, cut.floor, cut.target, cut.ceiling) == (
        date(2026, 11, 5), date(2026, 11, 9), D(274), D(343), D(720)
    )  # fmt: skip
    assert whole.target == 600


def test_a_pure_call_off_has_no_periods() -> None:
    assert agreed_periods(terms(foq=None, cadence=None), NOVEMBER, None, DECEMBER) == []


@pytest.mark.parametrize("cadence", list(Cadence))
@given(first=st.dates(date(2024, 1, 1), date(2030, 1, 1)), days=st.integers(0, 800))
def test_periods_follow_each_other_without_a_gap(cadence: Cadence, first: date, days: int) -> None:
    last = first + timedelta(days=days)
    found = agreed_periods(terms(cadence=cadence), first, last, last)
    assert (found[0].start, found[-1].end) == (first, last + timedelta(days=1))
    assert all(one.end == other.start for one, other in pairwise(found))
    assert all(0 <= one.floor <= one.target <= one.ceiling for one in found)


def test_monthly_periods_end_with_the_contract() -> None:
    found = monthly_periods(D(1200), terms(pack_size=D(1)), date(2026, 11, 20), (NOVEMBER, date(2027, 1, 20)), 12)
    assert [(one.start, one.end) for one in found] == [
        (NOVEMBER, DECEMBER),
        (DECEMBER, date(2027, 1, 1)),
        (date(2027, 1, 1), date(2027, 1, 21)),
    ]
    assert monthly_periods(D(1200), terms(), date(2027, 2, 1), (NOVEMBER, date(2027, 1, 20)), 12) == []


@pytest.mark.parametrize(
    ("refusal", "periods", "field"),
    [
        (PeriodEmpty, [(NOVEMBER, NOVEMBER, 0, 1, 2)], "periods.0.end"),
        (OutsideContract, [(date(2026, 10, 1), NOVEMBER, 0, 1, 2)], "periods.0.start"),
        (LimitsOutOfOrder, [(NOVEMBER, DECEMBER, 3, 2, 4)], "periods.0.target"),
        (
            PeriodsOverlap,
            [(date(2026, 11, 20), DECEMBER, 0, 1, 2), (NOVEMBER, date(2026, 11, 21), 0, 1, 2)],
            "periods.0.start",
        ),
    ],
)  # fmt: skip
def test_typed_periods_that_make_no_sense_are_refused(refusal: Any, periods: list[Any], field: str) -> None:
    agreed = [Agreed(BucketCadence.CUSTOM, a, b, D(c), D(d), D(e)) for a, b, c, d, e in periods]
    with pytest.raises(refusal) as caught:
        check_periods(agreed, NOVEMBER, date(2026, 12, 31), "H87")
    assert caught.value.field == field


# --- calling off ------------------------------------------------------------------------------------------------------


def test_the_over_call_tolerance_is_on_the_original_total() -> None:
    """100 with 10 %: 50, then 60 passes; after 110 nothing. Taken on the remainder it would be 105 in two calls."""
    limits = CallLimits(over_call=D(10))
    assert highest(D(100), D(10), "H87") == 110
    postings = take([call(50), call(60)], [room()], limits, {})
    assert sum(one.quantity for one in postings if one.kind is EntryKind.CALLED) == 110
    assert [one.quantity for one in postings if one.kind is EntryKind.TOLERANCE] == [10]
    full = room(consumed=D(110), tolerance_used=D(10))
    assert left_in(full, D(10)) == 0
    with pytest.raises(OverCeiling) as refused:
        take([call(1)], [full], limits, {})
    assert refused.value.data["left"] == 0


def test_what_was_taken_above_and_given_back_is_noted_once() -> None:
    again = take([call(60)], [room(consumed=D(50), tolerance_used=D(10))], CallLimits(over_call=D(10)), {})
    assert [(one.kind, one.quantity) for one in again] == [(EntryKind.CALLED, D(60))]


def test_a_negative_remainder_is_said_and_never_clipped() -> None:
    with pytest.raises(OverCeiling) as refused:
        take([call(1)], [room(consumed=D(120))], CallLimits(), {})
    assert refused.value.data["left"] == -20
    assert "−20 of at most 100 are left" in str(refused.value)


def test_a_call_beside_every_period_is_refused_and_a_pure_call_off_is_free() -> None:
    spans = {LINE: (NOVEMBER, DECEMBER)}
    with pytest.raises(NoPeriod):
        take([call(5, DECEMBER)], [], CallLimits(), spans)
    assert take([call(5, DECEMBER)], [], CallLimits(), {}) == []
    assert uncovered([call(5, DECEMBER)], [room()]) == {LINE}


def test_the_band_of_one_call_is_not_the_band_of_its_period() -> None:
    limits = CallLimits(low=D(20), high=D(50))
    assert take([call(50), call(20)], [room()], limits, {})
    for quantity in (19, 51):
        with pytest.raises(CallOutsideBand):
            take([call(quantity)], [room()], limits, {})


def test_a_period_without_a_working_day_is_delivered_with_the_next_and_counts_where_it_belongs() -> None:
    week = timedelta(days=7)
    before = room(720, 600, id=ONE, start=NOVEMBER, end=NOVEMBER + week)
    own = room(720, 600, id=TWO, start=NOVEMBER + week, end=NOVEMBER + 2 * week)
    postings = take([call(1200, NOVEMBER + week, generated=True)], [before, own], CallLimits(), {})
    assert [(one.bucket_id, one.quantity) for one in postings] == [(TWO, D(600)), (ONE, D(600))]
    with pytest.raises(OverCeiling):
        take([call(1200, NOVEMBER + week)], [before, own], CallLimits(), {})
    with pytest.raises(OverCeiling):
        take([call(1200, NOVEMBER + week, generated=True)], [before._replace(consumed=D(1)), own], CallLimits(), {})


# --- where goods belong -----------------------------------------------------------------------------------------------


def filled(no: UUID, start: date, waits: int, holds: int = 0, closed: bool = False) -> Filled:
    return Filled(no, start, start + timedelta(days=30), closed, D(waits), D(holds))


def test_a_shipment_is_split_over_periods_oldest_first() -> None:
    places = [filled(TWO, DECEMBER, 400), filled(ONE, NOVEMBER, 100)]
    day = date(2026, 12, 10)
    assert spread(D(150), day, TWO, Assignment.DESPATCH, places) == [(ONE, D(100)), (TWO, D(50))]
    assert spread(D(600), day, TWO, Assignment.DESPATCH, places) == [(ONE, D(100)), (TWO, D(500))]
    assert spread(D(150), day, TWO, Assignment.REQUESTED, places) == [(TWO, D(150))]
    shut = [filled(ONE, NOVEMBER, 100, closed=True), filled(TWO, DECEMBER, 400)]
    assert spread(D(150), day, ONE, Assignment.RECEIPT, shut) == [(TWO, D(150))]


def test_what_is_taken_back_leaves_the_newest_first() -> None:
    places = [filled(ONE, NOVEMBER, 0, 100), filled(TWO, DECEMBER, 0, 50)]
    assert spread(D(-80), DECEMBER, ONE, Assignment.DESPATCH, places) == [(TWO, D(-50)), (ONE, D(-30))]


@given(
    st.integers(-500, 500),
    st.lists(st.tuples(st.integers(-50, 300), st.integers(-50, 300), st.booleans()), max_size=5),
    st.sampled_from(list(Assignment)),
)
def test_nothing_is_lost_when_goods_are_split(quantity: int, places: list[Any], rule: Assignment) -> None:
    ready = [
        filled(UUID(int=n + 1), NOVEMBER + timedelta(days=30 * n), waits, holds, closed)
        for n, (waits, holds, closed) in enumerate(places)
    ]
    parts = spread(D(quantity), date(2026, 12, 20), ONE, rule, ready)
    assert sum((part for _, part in parts), D(0)) == quantity


# --- counters ---------------------------------------------------------------------------------------------------------


def test_without_a_target_nothing_is_complete() -> None:
    """Zero quantity on a price-only line must not read as one hundred per cent."""
    assert outlook(D(0), D(0), D(0), Counters(called=D(5), received=D(5))).completion is None


def test_november_ends_at_9600_of_12000_and_is_400_below_the_floor() -> None:
    seen = outlook(D(10000), D(12000), D(14400), Counters(called=D(9600), received=D(3000)))
    assert (seen.forecast, seen.target, seen.gap, seen.standing) == (D(9600), D(12000), D(-400), Standing.BELOW)
    assert seen.completion == D("0.25")


def test_too_much_shows_as_a_negative_remainder() -> None:
    seen = outlook(D(80), D(100), D(120), Counters(called=D(130), received=D(140)))
    assert (seen.remaining, seen.standing, seen.gap) == (D(-30), Standing.ABOVE, D(10))
    assert Counters(called=D(130), received=D(140)).open == -10


def test_a_closed_partly_received_order_consumes_what_was_received() -> None:
    sums = count([(EntryKind.CALLED, D(100)), (EntryKind.RELEASED, D(-40)), (EntryKind.RECEIVED, D(60))])
    assert (sums.called, sums.received, sums.open) == (D(60), D(60), D(0))


# --- carrying over ----------------------------------------------------------------------------------------------------

NOT, NEXT, END = Rule(0), Rule(1), Rule(None)


def ended(*taken: int, target: int = 100) -> list[Ended]:
    return [Ended(UUID(int=n + 1), D(target), D(quantity)) for n, quantity in enumerate(taken)]


@pytest.mark.parametrize(
    ("taken", "rule", "moves"),
    [
        ((80,), NOT, []),
        ((80,), NEXT, [20]),
        ((80, 100), NEXT, [20]),  # not made up in the next period, so it lapses
        ((80, 10), NEXT, [20, 90]),
        ((80, 10), END, [20, 110]),
        ((80, 100), END, [20, 20]),
        ((80, 110), END, [20, 10]),
        ((80, 0, 0), Rule(2), [20, 120, 200]),
        ((80,), Rule(1, D(5)), [5]),
        ((120,), NEXT, []),
    ],
)
def test_a_shortfall_is_carried_as_agreed(taken: tuple[int, ...], rule: Rule, moves: list[int]) -> None:
    found = carry(ended(*taken), UUID(int=9), rule, NOT, "H87")
    assert [move.quantity for move in found] == moves


def test_an_excess_lowers_the_next_period_and_is_used_up_there() -> None:
    (first,) = carry(ended(130), TWO, NOT, NEXT, "H87")
    assert first == Move(ONE, TWO, D(-30))
    assert [m.quantity for m in carry(ended(130, 70), THREE, NEXT, NEXT, "H87")] == [-30]
    assert [m.quantity for m in carry(ended(130, 60), THREE, NEXT, NEXT, "H87")] == [-30, 10]
    assert [m.quantity for m in carry(ended(130, 100), THREE, NOT, NEXT, "H87")] == [-30]
    assert [m.quantity for m in carry(ended(130, 100), THREE, NOT, END, "H87")] == [-30, -30]


def test_after_the_last_period_nothing_is_carried() -> None:
    assert carry(ended(80), None, END, END, "H87") == []


def test_only_the_difference_is_written() -> None:
    wanted = [Move(ONE, TWO, D(20))]
    assert differences(wanted, {}) == wanted
    assert differences(wanted, {(ONE, TWO): D(20)}) == []
    assert differences([], {(ONE, TWO): D(20)}) == [Move(ONE, TWO, D(-20))]


def test_what_the_next_period_takes_over_is_not_below_the_floor() -> None:
    assert below_floor(D(80), D(0), D(0), D(70)) == 10
    assert below_floor(D(80), D(0), D(30), D(70)) == 0
    assert below_floor(D(80), D(20), D(0), D(90)) == 10


def test_so_many_periods_need_a_number_and_others_have_none() -> None:
    assert rule_of(Carry.PERIODS, 3, None) == Rule(3)
    with pytest.raises(PeriodsNeeded):
        rule_of(Carry.PERIODS, None, None)
    with pytest.raises(PeriodsUnused):
        rule_of(Carry.NEXT, 2, None)


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=8),
    st.sampled_from([NOT, NEXT, Rule(3), END, Rule(None, D(15))]),
    st.sampled_from([NOT, NEXT, Rule(2), END, Rule(1, D(10))]),
)
def test_carrying_moves_from_each_period_to_the_next_and_never_more_than_there_is(
    taken: list[int], shortfall: Rule, excess: Rule
) -> None:
    periods = ended(*taken)
    moves = carry(periods, UUID(int=99), shortfall, excess, "H87")
    ids = [*(one.id for one in periods), UUID(int=99)]
    assert all(ids.index(move.target) == ids.index(move.source) + 1 for move in moves)
    carried = D(0)
    out = {move.source: move.quantity for move in moves}
    for one in periods:
        missing = one.target + carried - one.taken
        carried = out.get(one.id, D(0))
        assert min(missing, D(0)) <= carried <= max(missing, D(0))
    assert carry(periods, UUID(int=99), shortfall, excess, "H87") == moves


# --- from history -----------------------------------------------------------------------------------------------------


def test_a_target_is_the_median_of_the_months_with_demand() -> None:
    history = [(date(2026, month, 5), D(100 * month)) for month in range(1, 7)] * 2
    assert suggest(history, "H87") == (12, 6, D(700))
    assert suggest(history[:11], "H87").target is None
