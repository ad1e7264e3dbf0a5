"""Delivery notes and receipts: who may move one on, what a count means, how much may still be shipped or accepted.

Pure: everything comes in as an argument. Tolerance is on the schedule line's original total, never on one delivery
and never on what remains of it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.quantities import UNITS, check_scale, round_to_unit
from portal.core.states import Move, Side, StateTable
from portal.schedules.rules import limits
from portal.shipments.model import Problem, ShipmentStatus

S = ShipmentStatus
SELLER, BUYER = (Side.SELLER,), (Side.BUYER,)

SHIPMENT_STATES = StateTable(
    Move("send", by=SELLER, source=(S.DRAFT,), target=S.SENT),
    Move("change", by=SELLER, source=(S.SENT,), target=S.SENT),  # carrier, truck, day; quantities never
    Move("receive_part", by=BUYER, source=(S.SENT, S.PARTLY_RECEIVED), target=S.PARTLY_RECEIVED),
    Move("receive", by=BUYER, source=(S.SENT, S.PARTLY_RECEIVED), target=S.RECEIVED),
    Move("close", by=BUYER, source=(S.PARTLY_RECEIVED, S.RECEIVED), target=S.CLOSED),
    Move("withdraw", by=SELLER, source=(S.DRAFT, S.SENT), target=S.WITHDRAWN),  # only before anything has arrived
)
ON_THE_WAY = (S.SENT, S.PARTLY_RECEIVED)  # waits for the buyer's count
COUNTS_AS_SHIPPED = (S.SENT, S.PARTLY_RECEIVED, S.RECEIVED, S.CLOSED)
ZERO = Decimal(0)


class QuantityNeeded(Invalid):
    code = "quantity-needed"
    text = N_("Enter a quantity above zero, or leave the delivery off this delivery note.")


class OverShipped(Invalid):
    code = "over-shipped"
    text = N_(
        "{quantity} is more than may still be shipped: {left} {unit} of at most {high} in all. Lower the quantity."
    )


class OverReceived(Invalid):
    code = "over-received"
    text = N_("Only {left} {unit} may still be accepted, {high} in all. Reject the excess or ask for a change.")


class NegativeCount(Invalid):
    code = "negative-count"
    text = N_("A count cannot be below zero.")


class ProblemNeeded(Invalid):
    code = "problem-needed"
    text = N_("{counted} of {announced} counted. Say what happened to the difference.")


class CountDoesNotAddUp(Invalid):
    code = "count-does-not-add-up"
    text = N_(
        "Accepted {accepted} and rejected {rejected} are not the {counted} that were counted. Correct one of them."
    )


class AlreadyCounted(Conflict):
    code = "already-counted"
    text = N_("This line of the delivery note was already counted. Look at its receipt; a correction is made there.")


# Shipping ----------------------------------------------------------------------------------------------------------


def standing_shipped(shipped: Decimal, short: Decimal, rejected: Decimal) -> Decimal:
    """What of the shipped total still serves the order: what never arrived or was refused may be shipped again."""
    return shipped - short - rejected


def shippable_quantity(ordered: Decimal, already_shipped: Decimal, over_percent: Decimal, unit: str) -> Decimal:
    """What may still be shipped: the original total with its over-delivery less all that was shipped. May be negative.

    already_shipped: `standing_shipped` of all delivery notes of the line that were not withdrawn.
    Test: 100 with 10 %: 50, then 60 passes; after 110 nothing.
    """
    return limits(ordered, ZERO, over_percent, unit).high - already_shipped


def check_shippable(
    ordered: Decimal, already_shipped: Decimal, quantity: Decimal, over_percent: Decimal, unit: str
) -> None:
    """Raise QuantityNeeded, TooFine, or OverShipped with the figure that is left."""
    if quantity <= 0:
        raise QuantityNeeded(field="quantity")
    check_scale(quantity, unit)
    left = shippable_quantity(ordered, already_shipped, over_percent, unit)
    if round_to_unit(quantity, unit) > left:
        high = left + already_shipped
        raise OverShipped(field="quantity", quantity=quantity, left=max(left, ZERO), high=high, unit=UNITS[unit][1])


# Receiving ---------------------------------------------------------------------------------------------------------


class Count(NamedTuple):
    """What a receipt line says: announced = counted + short, counted = accepted + rejected.

    short: not there, or there as another item; negative when more was there than announced.
    """

    announced: Decimal
    counted: Decimal
    accepted: Decimal
    rejected: Decimal
    short: Decimal
    problem: Problem | None


def count_line(announced: Decimal, good: Decimal, problem: Problem | None = None) -> Count:
    """The figures behind one entry at the dock: so many good pieces of those announced, and what the rest is.

    Of 800 with 760 good: not on the truck: counted 760, 40 short. Damaged: counted 800, 40 rejected. Wrong part:
    counted 760, 40 short of this item (they came as another). Counted again: all 800 are there after all.
    An excess is counted and accepted; `check_receivable` bounds it. Raises NegativeCount, or ProblemNeeded when pieces
    are missing and nothing is said about them.
    """
    if good < 0:
        raise NegativeCount(field="counted")
    if good >= announced or problem is Problem.COUNTED_AGAIN:
        good = max(good, announced)
        return Count(announced, good, good, ZERO, announced - good, None)
    match problem:
        case None:
            raise ProblemNeeded(field="problem", counted=good, announced=announced)
        case Problem.DAMAGED:
            return Count(announced, announced, good, announced - good, ZERO, problem)
        case _:
            return Count(announced, good, good, ZERO, announced - good, problem)


def check_count(
    announced: Decimal, counted: Decimal, accepted: Decimal, rejected: Decimal, problem: Problem | None
) -> Count:
    """The same figures entered one by one. Raises NegativeCount, CountDoesNotAddUp or ProblemNeeded."""
    if min(counted, accepted, rejected) < 0:
        raise NegativeCount(field="counted")
    if accepted + rejected != counted:
        raise CountDoesNotAddUp(field="accepted", counted=counted, accepted=accepted, rejected=rejected)
    if problem is None and (rejected > 0 or counted < announced):
        raise ProblemNeeded(field="problem", counted=accepted, announced=announced)
    return Count(announced, counted, accepted, rejected, announced - counted, problem)


def check_receivable(
    ordered: Decimal, already_accepted: Decimal, accepted: Decimal, over_percent: Decimal, unit: str
) -> None:
    """Raise OverReceived when this receipt takes the line's accepted total above its over-delivery tolerance.

    Goods that were let through when shipped are not refused here for the same total: both use one limit.
    """
    high = limits(ordered, ZERO, over_percent, unit).high
    if round_to_unit(already_accepted + accepted, unit) > high:
        left = max(high - already_accepted, ZERO)
        raise OverReceived(field="counted", left=left, high=high, unit=UNITS[unit][1])


def check_uncounted(counted_before: bool) -> None:
    """Raise AlreadyCounted for a delivery note's line that has a receipt line."""
    if counted_before:
        raise AlreadyCounted


def receive_action(lines_announced: int, lines_counted: int) -> str:
    """Which move a receipt is: `receive` once every line of the delivery note is counted, else `receive_part`."""
    return "receive" if lines_counted >= lines_announced else "receive_part"


def is_settled(counts: Iterable[Count]) -> bool:
    """Whether a wholly counted delivery note can close at once: nothing short, rejected or in excess."""
    return all(count.short == 0 and count.rejected == 0 for count in counts)
