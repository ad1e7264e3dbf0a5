"""The seller's answer to a delivery: in what it differs from what was asked, what follows, and what a lapse does.

Pure. A deviation is what lies outside of what the contract tolerates: a quantity outside the delivery tolerance, a day
more than the tolerated days early or late, another price. An answer inside tolerance is no deviation and changes
nothing that was agreed. Two dates: the goods leave on the despatch date and are there on the delivery date.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from portal.contracts.model import DateRule, DeviationRule, Lapse
from portal.core.calendars import DAY, WorkingCalendar, moved
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.quantities import STEPS, UNITS, round_to_unit
from portal.core.states import Move, Side, StateTable
from portal.schedules.model import ConfirmationStatus
from portal.schedules.rules import OutsideTolerance, limits

A = ConfirmationStatus
SELLER, BUYER = (Side.SELLER,), (Side.BUYER,)

# One answer with all its parts. `give` is an answer inside what the contract allows; `ask` is one that deviates.
ANSWER_STATES = StateTable(
    Move("accept", by=BUYER, source=(A.NEEDS_APPROVAL,), target=A.VALID),
    Move("decline", by=BUYER, source=(A.NEEDS_APPROVAL,), target=A.DECLINED),
    Move("replace", by=SELLER, source=(A.NEEDS_APPROVAL,), target=A.REPLACED),
    Move("close", by=BUYER, source=(A.NEEDS_APPROVAL, A.VALID), target=A.CLOSED),
)


class Deviation(StrEnum):
    """In what an answer differs from what was asked."""

    QUANTITY = "quantity"
    EARLIER = "earlier"
    LATER = "later"
    PRICE = "price"


class DeviationForbidden(Invalid):
    code = "deviation-forbidden"
    text = N_("The contract allows no such answer: {kind}. Answer as asked, or ask for a change of the contract.")


class TwoDates(Invalid):
    code = "two-dates"
    text = N_("Every part needs the day of delivery or of despatch.")


class DespatchAfterDelivery(Invalid):
    code = "despatch-after-delivery"
    text = N_("Goods that leave on {despatch} cannot be there on {delivery}. Correct one of the two days.")


class NothingToDecide(Conflict):
    code = "nothing-to-decide"
    text = N_("No answer of this delivery waits for a decision any more. Look at its current state.")


class NotOnBehalf(Invalid):
    code = "not-on-behalf"
    text = N_("Only the factory can enter what a supplier said elsewhere.")


class Policy(NamedTuple):
    """What the contract says of answers; the usual where it says nothing."""

    quantity: DeviationRule = DeviationRule.FORBIDDEN
    earlier: DeviationRule = DeviationRule.FREE
    later: DeviationRule = DeviationRule.APPROVAL
    price: DeviationRule = DeviationRule.FORBIDDEN
    early_days: int = 0
    late_days: int = 0

    def of(self, kind: Deviation) -> DeviationRule:
        rule: DeviationRule = getattr(self, kind.value)
        return rule


@lru_cache(maxsize=1000)  # a mass command asks for that of one contract over and over
def policy(
    quantity: str | None, earlier: str | None, later: str | None, price: str | None,
    early_days: int | None, late_days: int | None,
) -> Policy:  # fmt: skip
    """The policy of a contract's columns, where nothing means the usual."""
    usual = Policy()
    return Policy(
        DeviationRule(quantity or usual.quantity),
        DeviationRule(earlier or usual.earlier),
        DeviationRule(later or usual.later),
        DeviationRule(price or usual.price),
        early_days or 0,
        late_days or 0,
    )


class Asked(NamedTuple):
    """What the buyer asked for, with its tolerances. price: per unit, where one is known."""

    quantity: Decimal
    under_percent: Decimal
    over_percent: Decimal
    unit: str
    due: date
    price: Decimal | None = None


class Said(NamedTuple):
    """All that holds with this answer. final: nothing more will come, so less than asked is a deviation too."""

    total: Decimal
    days: Sequence[date]
    final: bool = False
    price: Decimal | None = None


def deviations(asked: Asked, said: Said, terms: Policy, today: date) -> list[Deviation]:
    """In what the answer differs. Today is never late for an overdue delivery: nobody can do better."""
    low, high = limits(asked.quantity, asked.under_percent, asked.over_percent, asked.unit)
    total = round_to_unit(said.total, asked.unit)
    found = [Deviation.QUANTITY] if total > high or (said.final and total < low) else []
    if any(day < asked.due - timedelta(days=terms.early_days) for day in said.days):
        found.append(Deviation.EARLIER)
    if any(day > max(asked.due, today) + timedelta(days=terms.late_days) for day in said.days):
        found.append(Deviation.LATER)
    if said.price is not None and said.price != asked.price:
        found.append(Deviation.PRICE)
    return found


def check_allowed(found: Iterable[Deviation], asked: Asked, said: Said, terms: Policy) -> bool:
    """Whether the buyer has to decide. Raises OutsideTolerance or DeviationForbidden for what cannot be given."""
    rules = {kind: terms.of(kind) for kind in found}
    for kind, rule in rules.items():
        if rule is DeviationRule.FORBIDDEN:
            if kind is Deviation.QUANTITY:
                low, high = limits(asked.quantity, asked.under_percent, asked.over_percent, asked.unit)
                unit = UNITS[asked.unit][1]
                raise OutsideTolerance(field="quantity", quantity=said.total, low=low, high=high, unit=unit)
            field = "price" if kind is Deviation.PRICE else "delivery_date"
            raise DeviationForbidden(field=field, kind=kind)
    return DeviationRule.APPROVAL in rules.values()


class Agreed(NamedTuple):
    """What is agreed after a deviation was accepted; none: as before."""

    due: date | None
    quantity: Decimal | None
    price: Decimal | None


def agreed(found: Iterable[Deviation], said: Said) -> Agreed:
    """The agreed day is the one on which the last part comes; the day first asked for is kept beside it for ever."""
    kinds = set(found)
    return Agreed(
        max(said.days) if kinds & {Deviation.EARLIER, Deviation.LATER} else None,
        said.total if Deviation.QUANTITY in kinds else None,
        said.price if Deviation.PRICE in kinds else None,
    )


# Two dates -----------------------------------------------------------------------------------------------------------


def delivery_of(despatch: date, transit_days: int, receiving: WorkingCalendar, rule: DateRule) -> date:
    """The day on which goods are there: after the days in transit, moved when the receiving site is closed then."""
    return moved(despatch + DAY * transit_days, receiving, rule, earliest=despatch)


def despatch_of(delivery: date, transit_days: int, sending: WorkingCalendar) -> date:
    """The last day on which goods can leave to be there in time: a day on which the sender works."""
    return sending.previous_working(delivery - DAY * transit_days)


def both_dates(
    delivery: date | None, despatch: date | None, transit_days: int | None, receiving: WorkingCalendar,
    sending: WorkingCalendar, rule: DateRule,
) -> tuple[date, date | None]:  # fmt: skip
    """(delivery, despatch), the missing one computed from the other; without days in transit no despatch is known."""
    if delivery is None and despatch is None:
        raise TwoDates(field="delivery_date")
    if delivery is None:
        assert despatch is not None
        return delivery_of(despatch, transit_days or 0, receiving, rule), despatch
    if despatch is None:
        return delivery, None if transit_days is None else despatch_of(delivery, transit_days, sending)
    if despatch > delivery:
        raise DespatchAfterDelivery(field="despatch_date", despatch=despatch, delivery=delivery)
    return delivery, despatch


# Without an answer ---------------------------------------------------------------------------------------------------


def deemed_quantity(
    lapse: Lapse, ordered: Decimal, confirmed: Decimal, previous: Decimal, percent: Decimal | None, unit: str
) -> Decimal:
    """What counts as confirmed after the deadline, beside what was confirmed before; 0 where a lapse confirms nothing.

    previous: what had been confirmed when the request changed. Never more than was asked.
    """
    match lapse:
        case Lapse.DEEMED:
            whole = ordered
        case Lapse.PREVIOUS:
            whole = previous
        case Lapse.PERCENT:
            step = STEPS[unit]
            whole = (ordered * (percent or 0) / 100).quantize(step, ROUND_FLOOR)
        case _:
            return Decimal(0)
    return max(min(whole, ordered) - confirmed, Decimal(0))


# Several lines --------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One line of a curve: what was asked and what was confirmed for a day."""

    due: date
    ordered: Decimal
    confirmed: Decimal


def running_difference(rows: Iterable[Row]) -> list[tuple[Decimal, Decimal]]:
    """(difference of this line, of all lines up to it) in the order given: confirmed less asked."""
    running, found = Decimal(0), []
    for row in rows:
        running += row.confirmed - row.ordered
        found.append((row.confirmed - row.ordered, running))
    return found
