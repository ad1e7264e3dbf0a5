"""Lines that are split, joined or exchanged on the same cumulative curve keep what was promised for it."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.schedules.rules import limits
from portal.schedules.rules_difference import ChangeKind, Frozen, compare
from portal.schedules.rules_regrouping import Member, Promised, Step, Wanted, hand_on, regrouped

D = Decimal
PART, OTHER = UUID(int=1), UUID(int=2)
DAY = date(2026, 12, 7)
End = tuple[int, int]  # quantity, days after DAY


def member(number: int, before: End | None, after: End | None, part: UUID = PART, barred: bool = False) -> Member:
    def place(end: End | None) -> tuple[Step, Decimal] | None:
        return None if end is None else (Step(part, "GATE 3", None, DAY + timedelta(days=end[1])), D(end[0]))

    return Member(UUID(int=number), place(before), place(after), barred)


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ([(100, 0, 60, 0), (0, 0, 40, 0)], {1, 2}),  # split
        ([(60, 0, 100, 0), (40, 0, 0, 0)], {1, 2}),  # joined
        ([(100, 0, 100, 7), (100, 7, 100, 0)], {1, 2}),  # exchanged
        ([(100, 0, 60, 0), (0, 0, 30, 0)], set()),  # less in all
        ([(100, 0, 60, 0), (0, 0, 40, 1)], set()),  # a part of it a day later
        ([(100, 0, 100, 7), (0, 0, 100, 0)], set()),  # replaced, and more is asked for a week later
        ([(100, 0, 60, 0), (0, 0, 40, 0), (50, 3, 70, 3)], {1, 2}),  # another day changed by itself
    ],
)
def test_a_change_keeps_the_curve_or_is_a_new_request(members: list[tuple[int, int, int, int]], kept: set[int]) -> None:
    made = [
        member(n, (was, on) if was else None, (now, then) if now else None)
        for n, (was, on, now, then) in enumerate(members, start=1)
    ]
    assert {line.int for line in regrouped(made)} == kept
    sides = [[(one.line_id, one.before) for one in made], [(one.line_id, one.after) for one in made]]
    lines = [[Frozen(line_id, PART, end[0].day, end[1]) for line_id, end in side if end] for side in sides]
    told = {change.there.line_id.int for change in compare(*lines).lines if change.kind is ChangeKind.REGROUPED}
    assert told == kept  # and the comparison of the two releases says just that


def test_what_waits_for_a_decision_or_lies_beyond_what_is_told_is_a_new_request() -> None:
    split = [member(1, (100, 0), (60, 0)), member(2, None, (40, 0))]
    assert regrouped([split[0]._replace(barred=True), split[1]]) == set()
    assert regrouped(split, DAY) == {UUID(int=1), UUID(int=2)}
    assert regrouped(split, DAY - timedelta(days=1)) == set()
    elsewhere = member(2, None, (40, 0), part=OTHER)
    assert regrouped([split[0], elsewhere]) == set()


def wanted(*quantities: int, under: int = 0, over: int = 0) -> list[Wanted]:
    return [Wanted(UUID(int=n), D(q), D(under), D(over), "H87") for n, q in enumerate(quantities, start=1)]


def promised(*parts: End) -> list[Promised]:
    return [Promised(D(q), DAY + timedelta(days=days), UUID(int=n)) for n, (q, days) in enumerate(parts, start=50)]


@pytest.mark.parametrize(
    ("parts", "lines", "expected"),
    [
        ([(100, 0)], wanted(60, 40), [[(60, 0)], [(40, 0)]]),
        ([(60, 0), (40, 0)], wanted(100), [[(60, 0), (40, 0)]]),
        ([(60, 0)], wanted(60, 40), [[(60, 0)], []]),  # the rest is still to be confirmed
        ([(40, 3), (60, 0)], wanted(50, 50), [[(50, 0)], [(10, 0), (40, 3)]]),
        ([(98, 0)], wanted(60, 40, under=5), [[(59, 0)], [(39, 0)]]),
        ([(105, 0)], wanted(60, 40, over=5), [[(63, 0)], [(42, 0)]]),
        ([(101, 0)], wanted(50, 50, over=1), None),  # 1 % of 50 pieces is none: no line takes the one too many
        ([], wanted(60, 40), [[], []]),
    ],
)
def test_promises_go_on_with_the_lines_that_make_the_step(
    parts: list[End], lines: list[Wanted], expected: list[list[End]] | None
) -> None:
    found = hand_on(promised(*parts), lines)
    told = found and [[(int(p.quantity), (p.day - DAY).days) for p in found[line.line_id]] for line in lines]
    assert (told or None) == expected


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 20)), max_size=6),
    st.lists(st.integers(1, 200), min_size=1, max_size=6),
    st.integers(0, 20),
)
def test_nothing_promised_is_lost_or_made(parts: list[End], quantities: list[int], over: int) -> None:
    given_parts, lines = promised(*parts), wanted(*quantities, under=5, over=over)
    found = hand_on(given_parts, lines)
    if found is None:
        assert sum(q for q, _ in parts) > sum(quantities)
        return
    handed = [part for each in found.values() for part in each]
    assert sum(p.quantity for p in handed) == sum(p.quantity for p in given_parts)
    assert {(p.row, p.day) for p in handed} == {(p.row, p.day) for p in given_parts}
    for line in lines:
        assert sum(p.quantity for p in found[line.line_id]) <= limits(line.quantity, D(0), D(over), "H87").high
