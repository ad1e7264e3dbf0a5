"""Entries and lists of documents: every worked figure of the semantics, and laws that hold for any deliveries."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.schedules.rules_cumulative import CountBy, Movement, counting
from portal.shipments import rules_cumulating as rules
from portal.shipments.model_cumulative import EntryKind, Figure
from portal.shipments.rules_cumulating import Agreed, Document, Parting, Policy

D = Decimal
DAY = date(2026, 1, 1)


def day(n: int) -> date:
    return DAY + timedelta(days=n)


def opening(quantity: int, n: int = 0) -> Agreed:
    return Agreed(EntryKind.OPENING, None, D(quantity), None, day(n))


def reset(quantity: int, sync: int, execution: int) -> Agreed:
    return Agreed(EntryKind.RESET, None, D(quantity), day(sync), day(execution))


def test_an_opening_figure_of_55_with_lines_of_20_and_30_is_75_then_105() -> None:
    lines = [(day(3), D(20)), (day(9), D(30))]
    seen = [rules.figures_on(lines, [], [opening(55)], Policy(), day(n), DAY).requested for n in (1, 3, 9)]
    assert seen == [55, 75, 105]


def test_800_shipped_760_counted_40_short_leaves_nothing_in_transit_and_40_open() -> None:
    moved = [Movement(day(1), D(800), day(2), D(760), D(0), D(40))]
    found = rules.figures_on([(day(1), D(800))], moved, [], Policy(), day(5), DAY)
    assert [found.in_transit, found.open, found.ahead_behind] == [0, 40, 0]


def test_more_received_than_sent_shows_as_negative() -> None:
    moved = [Movement(day(1), D(100), day(2), D(120))]
    assert rules.figures_on([], moved, [], Policy(), day(5), DAY).in_transit == -20


@pytest.mark.parametrize(("by", "expected"), [(CountBy.RECEIPT, (100, 100)), (CountBy.DESPATCH, (0, 0))])
def test_goods_in_flight_at_the_sync_date_count_whole_on_both_sides_or_on_neither(
    by: CountBy, expected: tuple[int, int]
) -> None:
    """Shipped on 28 December, received on 3 January, sync on 31 December."""
    moved = [Movement(date(2025, 12, 28), D(100), date(2026, 1, 3), D(100))]
    switch = Agreed(EntryKind.RESET, None, D(0), date(2025, 12, 31), date(2026, 1, 10))
    found = rules.figures_on([], moved, [switch], Policy(by), date(2026, 1, 31), date(2025, 1, 1))
    assert [found.shipped, found.received] == list(expected)
    assert found.in_transit == 0


def test_a_reset_counts_documents_posted_before_it_was_executed_and_leaves_the_past_as_it_was() -> None:
    moved = [Movement(day(n), D(10), day(n), D(10)) for n in (1, 11, 12)]
    entries = [reset(500, sync=10, execution=20)]
    at = {n: rules.figures_on([], moved, entries, Policy(), day(n), DAY).shipped for n in (12, 19, 20)}
    assert at == {12: 30, 19: 30, 20: 520}


def test_corrections_add_from_their_day_on_and_end_with_the_period() -> None:
    entries = [
        Agreed(EntryKind.CORRECTION, Figure.RECEIVED, D(-5), None, day(3)),
        Agreed(EntryKind.CORRECTION, Figure.SHIPPED, D(7), None, day(4)),
        reset(0, sync=10, execution=10),
    ]
    seen = [rules.figures_on([], [], entries, Policy(), day(n), DAY) for n in (2, 3, 4, 10)]
    assert [one.received for one in seen] == [0, -5, -5, 0]
    assert [one.shipped for one in seen] == [0, 0, 7, 0]


def test_rejected_units_count_or_not_but_are_never_in_transit() -> None:
    moved = [Movement(day(1), D(100), day(2), D(90), D(10))]
    counted, left = (rules.figures_on([], moved, [], Policy(count_rejected=c), day(5), DAY) for c in (True, False))
    assert [counted.received, left.received] == [100, 90]
    assert counted.in_transit == left.in_transit == 0


quantities = st.integers(1, 900).map(Decimal)
movements = st.lists(
    st.tuples(st.integers(0, 40), quantities, st.integers(0, 20), st.integers(0, 100)).map(
        lambda t: Movement(day(t[0]), t[1], day(t[0] + t[2]), (t[1] * t[3] / 100).to_integral_value(),
                           D(0), t[1] - (t[1] * t[3] / 100).to_integral_value())
    ),
    max_size=25,
)  # fmt: skip


@given(movements, st.sampled_from(list(CountBy)), st.integers(0, 30))
def test_without_corrections_curves_only_rise_and_transit_is_what_is_on_the_way(
    moved: list[Movement], by: CountBy, sync: int
) -> None:
    entries = [reset(3, sync, sync)]
    seen = [rules.figures_on([], moved, entries, Policy(by), day(n), day(0)) for n in range(sync, 62)]
    for before, after in pairwise(seen):
        assert before.shipped <= after.shipped
        assert before.received <= after.received
    for n, found in enumerate(seen, start=sync):
        inside = counting(moved, day(sync), by)
        left = sum((m.shipped for m in inside if m.despatched_on <= day(n) < (m.received_on or date.max)), D(0))
        assert found.in_transit == left
        assert found.open == found.requested - found.received - found.in_transit
    assert seen[-1].in_transit == 0  # all arrived


def notes(*pairs: tuple[str, int]) -> list[Document]:
    return [Document(number, day(n), D(quantity)) for n, (number, quantity) in enumerate(pairs)]


REST = (("ASN-3", 60), ("ASN-4", 40))
OURS = notes(("ASN-1", 100), ("ASN-2", 80), ("ASN-3", 60), ("ASN-4", 40))


@pytest.mark.parametrize(
    ("theirs", "kind", "number", "difference", "common", "total", "all_of_it"),
    [
        (notes(("asn-1", 100), ("ASN-2", 70), *REST), "differs", "ASN-2", -10, "ASN-1", 100, True),
        (notes(("ASN-1", 100), ("ASN-3", 60), ("ASN-4", 40)), "missing_there", "ASN-2", -80, "ASN-1", 100, True),
        (notes(("ASN-1", 100), ("ASN-3", 50)), "missing_there", "ASN-2", -80, "ASN-1", 100, False),
        ([*OURS, Document("X-9", day(1), D(5))], "missing_here", "X-9", 5, "ASN-2", 180, True),
        ([], "missing_there", "ASN-1", -100, "", 0, False),
    ],
)  # fmt: skip
def test_the_first_document_that_disagrees_is_named(
    theirs: list[Document], kind: str, number: str, difference: int, common: str, total: int, all_of_it: bool
) -> None:
    found = rules.bisect(OURS, theirs)
    assert found is not None
    assert (found.kind, found.number, found.last_common) == (Parting(kind), number, common)
    assert [found.difference, found.agreed_until] == [difference, total]
    assert found.explains_all is all_of_it


@given(st.lists(quantities, min_size=1, max_size=20, unique=False), st.data())
def test_equal_lists_are_alike_and_one_spoilt_document_is_found(amounts: list[Decimal], data: st.DataObject) -> None:
    ours = [Document(f"N{n:03}", day(n), amount) for n, amount in enumerate(amounts)]
    assert rules.bisect(ours, list(reversed(ours))) is None
    n = data.draw(st.integers(0, len(ours) - 1))
    spoilt = [one._replace(quantity=one.quantity + 1) if no == n else one for no, one in enumerate(ours)]
    found = rules.bisect(ours, spoilt)
    assert found is not None
    assert (found.number, found.explains_all) == (f"N{n:03}", True)
    assert found.difference == 1


def test_what_both_agreed_to_correct_of_a_document_is_part_of_it() -> None:
    theirs = [OURS[0]._replace(quantity=OURS[0].quantity - 20), *OURS[1:]]
    corrected = rules.summed([*OURS, Document(f" {OURS[0].number.lower()} ", day(9), Decimal(-20))])
    assert rules.bisect(corrected, theirs) is None
    unknown = rules.summed([*OURS, Document("Z-1", day(9), Decimal(5)), Document("Z-1", day(9), Decimal(-5))])
    assert rules.bisect(unknown, OURS) is None  # a document that was corrected to nothing need not be in the other list


def test_what_is_left_for_the_seller_counts_despatches_after_the_last_document_they_know() -> None:
    assert rules.shipped_after(OURS, " asn-2 ") == 100
    assert rules.shipped_after(OURS, "ASN-4") == 0
    assert rules.shipped_after(OURS, "ASN-9") is None
