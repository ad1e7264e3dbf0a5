"""Delivery notes and receipts: one tolerance on the line's total, and what each answer at the dock means."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.quantities import TooFine
from portal.core.states import Side, WrongSide, WrongState
from portal.schedules.model import CloseReason
from portal.schedules.rules import close_reason
from portal.shipments import rules
from portal.shipments.model import Problem, ShipmentStatus
from portal.shipments.rules import SHIPMENT_STATES, Count, check_receivable, check_shippable, count_line

D = Decimal
S = ShipmentStatus
quantities = st.integers(0, 10**6).map(D)


# One tolerance on the original total -------------------------------------------------------------------------------


def test_tolerance_is_on_the_original_total_in_one_call_or_two() -> None:
    """Known mistake: 100 + 10 % taken on the remainder gives 110 in one call but only 105 in two."""
    check_shippable(D(100), D(0), D(50), D(10), "H87")
    check_shippable(D(100), D(50), D(60), D(10), "H87")
    with pytest.raises(rules.OverShipped) as refused:
        check_shippable(D(100), D(110), D(1), D(10), "H87")
    assert str(refused.value) == (
        "1 is more than may still be shipped: 0 pcs of at most 110 in all. Lower the quantity."
    )


def test_twenty_trucks_share_one_tolerance() -> None:
    """10 000 + 2 % share 200 once: twenty trucks of 510 fit exactly, and nothing after them."""
    shipped = D(0)
    for _ in range(20):
        check_shippable(D(10_000), shipped, D(510), D(2), "H87")
        shipped += 510
    assert shipped == 10_200
    with pytest.raises(rules.OverShipped):
        check_shippable(D(10_000), shipped, D(1), D(2), "H87")


def test_nineteen_exact_trucks_leave_the_whole_tolerance_to_the_last() -> None:
    check_shippable(D(10_000), D(9_500), D(700), D(2), "H87")
    with pytest.raises(rules.OverShipped):
        check_shippable(D(10_000), D(9_500), D(701), D(2), "H87")


def test_two_grams_too_many_are_too_many() -> None:
    """Known mistake: 100.002 accepted against 100 at 0 %."""
    with pytest.raises(rules.OverShipped):
        check_shippable(D(100), D(0), D("100.002"), D(0), "KGM")
    with pytest.raises(TooFine):
        check_shippable(D(100), D(0), D("99.5"), D(0), "H87")
    with pytest.raises(rules.QuantityNeeded):
        check_shippable(D(100), D(0), D(0), D(0), "H87")


def test_what_was_short_or_refused_may_be_shipped_again() -> None:
    standing = rules.standing_shipped(D(800), short=D(40), rejected=D(10))
    check_shippable(D(800), standing, D(50), D(0), "H87")
    with pytest.raises(rules.OverShipped):
        check_shippable(D(800), standing, D(51), D(0), "H87")


def test_an_over_shipped_line_shows_a_negative_remainder() -> None:
    assert rules.shippable_quantity(D(100), D(130), D(10), "H87") == D(-20)


@given(st.integers(1, 10**6).map(D), st.integers(0, 50).map(D), st.lists(st.integers(1, 10**5).map(D), max_size=30))
def test_no_sequence_of_accepted_shipments_exceeds_the_limit(ordered: D, over: D, trucks: list[D]) -> None:
    shipped = D(0)
    for quantity in trucks:
        try:
            check_shippable(ordered, shipped, quantity, over, "H87")
        except rules.OverShipped:
            continue
        shipped += quantity
    assert shipped <= ordered * (100 + over) / 100


def test_receipts_share_the_same_limit() -> None:
    check_receivable(D(100), D(50), D(60), D(10), "H87")
    with pytest.raises(rules.OverReceived) as refused:
        check_receivable(D(100), D(50), D(61), D(10), "H87")
    assert str(refused.value).startswith("Only 60 pcs may still be accepted, 110 in all.")


# Answers at the dock -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "counted", "accepted", "rejected", "short"),
    [
        (Problem.NOT_ON_TRUCK, 760, 760, 0, 40),
        (Problem.DAMAGED, 800, 760, 40, 0),
        (Problem.WRONG_PART, 760, 760, 0, 40),
        (Problem.COUNTED_AGAIN, 800, 800, 0, 0),
    ],
)
def test_what_each_answer_means_for_760_of_800(
    problem: Problem, counted: int, accepted: int, rejected: int, short: int
) -> None:
    count = count_line(D(800), D(760), problem)
    assert [int(figure) for figure in count[:5]] == [800, counted, accepted, rejected, short]
    assert count.problem is (None if problem is Problem.COUNTED_AGAIN else problem)


def test_a_difference_needs_an_answer() -> None:
    with pytest.raises(rules.ProblemNeeded) as refused:
        count_line(D(800), D(760))
    assert str(refused.value) == "760 of 800 counted. Say what happened to the difference."
    assert count_line(D(800), D(800)) == Count(D(800), D(800), D(800), D(0), D(0), None)


def test_an_excess_is_counted_and_makes_short_negative() -> None:
    assert count_line(D(800), D(820)) == Count(D(800), D(820), D(820), D(0), D(-20), None)


@given(quantities, quantities, st.sampled_from(list(Problem)))
def test_a_count_adds_up(announced: D, good: D, problem: Problem) -> None:
    count = count_line(announced, good, problem)
    assert count.announced == count.counted + count.short
    assert count.counted == count.accepted + count.rejected
    assert count.rejected >= 0
    assert rules.check_count(*count[:4], problem=problem) == count._replace(problem=problem)


def test_figures_entered_one_by_one_must_add_up_and_be_explained() -> None:
    with pytest.raises(rules.CountDoesNotAddUp):
        rules.check_count(D(800), D(800), D(760), D(30), Problem.DAMAGED)
    with pytest.raises(rules.ProblemNeeded):
        rules.check_count(D(800), D(800), D(760), D(40), None)
    with pytest.raises(rules.NegativeCount):
        rules.check_count(D(800), D(-1), D(-1), D(0), Problem.DAMAGED)
    with pytest.raises(rules.NegativeCount):
        count_line(D(800), D(-1), Problem.DAMAGED)


# Life --------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_the_buyers_and_a_delivery_note_the_sellers() -> None:
    assert SHIPMENT_STATES.actions(S.SENT, Side.BUYER) == ["receive_part", "receive"]
    assert SHIPMENT_STATES.actions(S.SENT, Side.SELLER) == ["change", "withdraw"]
    with pytest.raises(WrongSide):
        SHIPMENT_STATES.target(S.SENT, "receive", Side.SELLER)


def test_a_delivery_note_is_withdrawn_only_before_anything_arrived() -> None:
    assert SHIPMENT_STATES.target(S.SENT, "withdraw", Side.SELLER) is S.WITHDRAWN
    with pytest.raises(WrongState):
        SHIPMENT_STATES.target(S.PARTLY_RECEIVED, "withdraw", Side.SELLER)


def test_a_delivery_note_is_received_when_its_last_line_is_counted() -> None:
    assert rules.receive_action(lines_announced=2, lines_counted=1) == "receive_part"
    assert rules.receive_action(lines_announced=2, lines_counted=2) == "receive"
    with pytest.raises(rules.AlreadyCounted):
        rules.check_uncounted(counted_before=True)


def test_only_a_count_without_difference_is_settled() -> None:
    assert rules.is_settled([count_line(D(800), D(800)), count_line(D(400), D(390), Problem.COUNTED_AGAIN)])
    for problem in (Problem.NOT_ON_TRUCK, Problem.DAMAGED, Problem.WRONG_PART):
        assert not rules.is_settled([count_line(D(800), D(760), problem)])


def test_receipts_close_a_line_complete_or_short_by_its_total() -> None:
    assert close_reason(D(100), D(94), D(5), "H87") is None
    assert close_reason(D(100), D(95), D(5), "H87") is CloseReason.SHORT
    assert close_reason(D(100), D(100), D(5), "H87") is CloseReason.COMPLETE
