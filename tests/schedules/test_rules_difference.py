"""What changed between two releases: as laws, and the cases that a reader meets."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from portal.schedules.rules_difference import ChangeKind, Frozen, apply, compare

DAY = date(2026, 12, 1)
A, B = UUID(int=101), UUID(int=102)


def line(number: int, quantity: int, days: int = 0, part: UUID = A) -> Frozen:
    return Frozen(UUID(int=number), part, DAY + timedelta(days=days), Decimal(quantity))


@st.composite
def release(draw: st.DrawFn) -> list[Frozen]:
    numbers = draw(st.sets(st.integers(1, 12)))
    parts = {number: A if number % 2 else B for number in numbers}  # a line never changes its contract line
    return [line(n, draw(st.integers(1, 500)), draw(st.integers(0, 20)), parts[n]) for n in sorted(numbers)]


@given(release(), release())
def test_a_release_plus_the_difference_is_the_next_release(before: list[Frozen], after: list[Frozen]) -> None:
    assert sorted(apply(before, compare(before, after))) == sorted(after)


@given(release(), release())
def test_every_line_of_either_release_is_in_exactly_one_change(before: list[Frozen], after: list[Frozen]) -> None:
    changes = compare(before, after).lines
    assert sorted(change.before for change in changes if change.before) == sorted(before)
    assert sorted(change.after for change in changes if change.after) == sorted(after)


@given(release(), release())
def test_the_running_totals_end_where_the_lines_do(before: list[Frozen], after: list[Frozen]) -> None:
    found = compare(before, after)
    totals = {part.part_id: part.total for part in found.parts}
    for part in (A, B):
        more = sum(one.quantity for one in after if one.part_id == part)
        less = sum(one.quantity for one in before if one.part_id == part)
        assert totals.get(part, 0) == more - less
    assert sum(change.delta for change in found.lines) == sum(totals.values())


@given(release())
def test_a_release_does_not_differ_from_itself(one: list[Frozen]) -> None:
    found = compare(one, list(reversed(one)))
    assert not found.changed
    assert found.parts == []


def test_each_kind_of_change_is_told_apart() -> None:
    before = [line(1, 100), line(2, 100), line(3, 100), line(4, 100), line(5, 100)]
    after = [line(1, 130), line(2, 80), line(3, 100, days=3), line(4, 100), line(6, 50, days=9)]
    found = compare(before, after)
    assert [(change.kind, change.delta, change.days) for change in found.lines] == [
        (ChangeKind.UP, Decimal(30), 0),
        (ChangeKind.DOWN, Decimal(-20), 0),
        (ChangeKind.SAME, Decimal(0), 0),
        (ChangeKind.GONE, Decimal(-100), 0),
        (ChangeKind.MOVED, Decimal(0), 3),
        (ChangeKind.NEW, Decimal(50), 0),
    ]
    (part,) = found.parts  # on the first day 100 are gone, 100 moved, and 10 more are asked for
    assert (part.total, part.most, part.most_on) == (Decimal(-40), Decimal(-190), DAY)


def test_a_line_made_anew_on_the_same_day_is_no_cancellation_and_no_new_one() -> None:
    found = compare([line(1, 100)], [line(2, 120)])
    assert [(change.kind, change.delta) for change in found.lines] == [(ChangeKind.UP, Decimal(20))]
