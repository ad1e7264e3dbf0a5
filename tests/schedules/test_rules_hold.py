"""Whether a release goes out by itself: three tests on the running totals, any one of which is enough."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from portal.schedules.model import Level
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_hold import Tolerance, Verdict, by_curve, by_template, is_within

DAY = date(2026, 12, 1)
PART = UUID(int=1)


def plan(*entries: tuple[int, int]) -> list[Frozen]:
    """Each entry a day from the first and a quantity."""
    return [
        Frozen(UUID(int=100 + no), PART, DAY + timedelta(days=day), Decimal(quantity))
        for no, (day, quantity) in enumerate(entries)
    ]


def verdict(before: list[Frozen], after: list[Frozen], tolerance: Tolerance) -> Verdict:
    (found,) = by_curve(before, after, tolerance)
    return found.verdict


def test_the_quantity_test_passes_up_to_its_limit() -> None:
    before = plan((0, 100), (7, 100))
    assert verdict(before, plan((0, 110), (7, 100)), Tolerance(quantity=Decimal(10))) is Verdict.WITHIN
    assert verdict(before, plan((0, 111), (7, 100)), Tolerance(quantity=Decimal(10))) is Verdict.UP
    assert verdict(before, plan((0, 89), (7, 100)), Tolerance(quantity=Decimal(10))) is Verdict.DOWN


def test_the_percent_test_is_of_the_old_running_total() -> None:
    before = plan((0, 100), (7, 100))
    assert verdict(before, plan((0, 100), (7, 110)), Tolerance(percent=Decimal(5))) is Verdict.WITHIN  # 10 of 200
    assert verdict(before, plan((0, 110), (7, 90)), Tolerance(percent=Decimal(5))) is Verdict.UP  # 10 of 100


def test_the_time_test_lets_a_delivery_move_within_its_days() -> None:
    before = plan((0, 100), (7, 100))
    assert verdict(before, plan((2, 100), (7, 100)), Tolerance(days=2)) is Verdict.WITHIN
    assert verdict(before, plan((3, 100), (7, 100)), Tolerance(days=2)) is Verdict.DOWN
    assert verdict(before, plan((0, 100), (5, 100)), Tolerance(days=2)) is Verdict.WITHIN


def test_any_one_test_is_enough_and_the_day_that_decided_is_told() -> None:
    before, after = plan((0, 100), (7, 100)), plan((0, 100), (7, 100), (8, 60))
    assert verdict(before, after, Tolerance(Decimal(10), Decimal(30), 1)) is Verdict.WITHIN  # 30 % of 200 are 60
    (found,) = by_curve(before, after, Tolerance(Decimal(10), Decimal(20), 1))
    assert (found.verdict, found.day, found.delta) == (Verdict.UP, DAY + timedelta(days=8), Decimal(60))


def test_a_part_that_is_new_or_dropped_is_outside() -> None:
    free = Tolerance(Decimal(10**6), Decimal(999), 92)
    assert [one.verdict for one in by_curve([], plan((0, 5)), free)] == [Verdict.NEW]
    assert [one.verdict for one in by_curve(plan((0, 5)), [], free)] == [Verdict.DROPPED]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 90)), min_size=1, max_size=8))
def test_what_did_not_change_is_within_the_narrowest_tolerance(entries: list[tuple[int, int]]) -> None:
    assert is_within(by_curve(plan(*entries), plan(*entries), Tolerance()))


def test_the_template_compares_by_level_and_holds_the_firm_zone_to_nothing() -> None:
    def at(level: Level, quantity: int) -> list[tuple[Frozen, Level]]:
        return [(plan((0, quantity))[0], level)]

    def told(level: Level, before: int, after: int) -> Verdict:
        (found,) = by_template(at(level, before), at(level, after))
        return found.verdict

    assert told(Level.FIRM, 100, 100) is Verdict.WITHIN
    assert told(Level.BACKLOG, 100, 101) is Verdict.UP  # counts as firm
    assert (told(Level.MAKE, 100, 105), told(Level.MAKE, 100, 94)) == (Verdict.WITHIN, Verdict.DOWN)
    assert (told(Level.BUY, 100, 120), told(Level.BUY, 100, 85)) == (Verdict.WITHIN, Verdict.WITHIN)
    assert (told(Level.PLAN, 100, 150), told(Level.PLAN, 100, 74)) == (Verdict.WITHIN, Verdict.DOWN)
