"""What is carried from a period that has ended into the next one, and what follows when it stayed below its floor.

Pure. All ended periods of a line are gone through from the first on, so the same figures always give the same moves;
what was written before is compared with them and only the difference is written.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol
from uuid import UUID

from portal.contracts.model_buckets import Carry
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.core.quantities import round_to_unit

ZERO = Decimal(0)


class PeriodsNeeded(Invalid):
    code = "carry-periods-needed"
    text = N_("Say over how many periods it is carried: a number from 1 on.")


class PeriodsUnused(Invalid):
    code = "carry-periods-unused"
    text = N_("A number of periods belongs to “so many periods” only. Choose that, or leave the number empty.")


class CallBandReversed(Invalid):
    code = "call-band-reversed"
    text = N_("One call-off cannot be at least {low}% and at most {high}% of the target. Let the second be the larger.")


class UseOfPeriods(Protocol):
    """How the periods of a contract are used, wherever it stands."""

    @property
    def shortfall_carry(self) -> Carry: ...
    @property
    def shortfall_periods(self) -> int | None: ...
    @property
    def shortfall_cap_percent(self) -> Decimal | None: ...
    @property
    def excess_carry(self) -> Carry: ...
    @property
    def excess_periods(self) -> int | None: ...
    @property
    def excess_cap_percent(self) -> Decimal | None: ...
    @property
    def call_low_percent(self) -> Decimal | None: ...
    @property
    def call_high_percent(self) -> Decimal | None: ...


class Rule(NamedTuple):
    """How far one kind of difference goes."""

    periods: int | None = 0  # 0: not at all; none: until the contract ends
    cap_percent: Decimal | None = None  # of the period's own target, what is carried out of it at most


class Ended(NamedTuple):
    """A period that is over."""

    id: UUID
    target: Decimal
    taken: Decimal  # called off: open calls with their order, ended ones with what was received
    agreed: Decimal = ZERO  # what both companies carried into it, or negative out of it, beyond the contract's rule
    rules: tuple[Rule, Rule] | None = None  # for shortfall and excess, where others hold than for the newest period


class Move(NamedTuple):
    """So much is carried from one period into the next: a shortfall, or negative an excess."""

    source: UUID
    target: UUID
    quantity: Decimal


def rule_of(carry: Carry, periods: int | None, cap_percent: Decimal | None) -> Rule:
    """From the terms of a contract. Raises PeriodsNeeded or PeriodsUnused."""
    if (carry is Carry.PERIODS) != (periods is not None):
        raise PeriodsNeeded if carry is Carry.PERIODS else PeriodsUnused
    match carry:
        case Carry.NONE:
            return Rule(0, cap_percent)
        case Carry.NEXT:
            return Rule(1, cap_percent)
        case Carry.PERIODS:
            return Rule(periods, cap_percent)
        case Carry.TO_END:
            return Rule(None, cap_percent)


def rules_of(use: UseOfPeriods) -> tuple[Rule, Rule]:
    """For shortfall and for excess. Raises PeriodsNeeded or PeriodsUnused."""
    return (
        rule_of(use.shortfall_carry, use.shortfall_periods, use.shortfall_cap_percent),
        rule_of(use.excess_carry, use.excess_periods, use.excess_cap_percent),
    )


def check_use(use: UseOfPeriods) -> None:
    """Raise PeriodsNeeded, PeriodsUnused or CallBandReversed, with the field."""
    for name in ("shortfall", "excess"):
        try:
            rule_of(getattr(use, f"{name}_carry"), getattr(use, f"{name}_periods"), None)
        except Invalid as error:
            error.field = f"{name}_periods"
            raise
    low, high = use.call_low_percent, use.call_high_percent
    if low is not None and high is not None and high < low:
        raise CallBandReversed(field="call_high_percent", low=low, high=high)


class _Lot(NamedTuple):
    """A difference on its way, with the place of the period it comes from."""

    origin: int
    quantity: Decimal


def carry(ended: Sequence[Ended], following: UUID | None, shortfall: Rule, excess: Rule, unit: str) -> list[Move]:
    """The moves out of each ended period, in order. following: the period after the last one, none at the end.

    What a period takes fills its own target first and then the carried shortfalls, the oldest before the newer. So a
    shortfall that the periods it may go to do not make up lapses, and so does an excess that they do not use up.
    """
    moves: list[Move] = []
    lots: list[_Lot] = []
    for n, period in enumerate(ended):
        into = ended[n + 1].id if n + 1 < len(ended) else following
        short, over = _settled(n, period, lots)
        for_short, for_over = period.rules or (shortfall, excess)
        kept = _young(short, n, for_short, period.target, unit) + [
            _Lot(lot.origin, -lot.quantity) for lot in _young(over, n, for_over, period.target, unit)
        ]
        quantity = sum((lot.quantity for lot in kept), ZERO)
        lots = kept if into is not None else []
        if into is not None and quantity:
            moves.append(Move(period.id, into, quantity))
    return moves


def _settled(n: int, period: Ended, lots: Sequence[_Lot]) -> tuple[list[_Lot], list[_Lot]]:
    """What is missing and what is too much at the end of a period, by where it comes from; one of them is empty."""
    owed = [_Lot(n, period.target + period.agreed), *(lot for lot in lots if lot.quantity > 0)]
    given = [_Lot(n, period.taken), *(_Lot(lot.origin, -lot.quantity) for lot in lots if lot.quantity < 0)]
    while owed and given:
        amount = min(owed[0].quantity, given[0].quantity)
        owed[0] = owed[0]._replace(quantity=owed[0].quantity - amount)
        given[0] = given[0]._replace(quantity=given[0].quantity - amount)
        owed = owed[1:] if owed[0].quantity <= 0 else owed
        given = given[1:] if given[0].quantity <= 0 else given
    return owed, given


def _young(lots: Sequence[_Lot], n: int, rule: Rule, target: Decimal, unit: str) -> list[_Lot]:
    """What may go on to the next period, the oldest first, up to the cap."""
    lots = sorted(lots)
    room = None if rule.cap_percent is None else round_to_unit(target * rule.cap_percent / 100, unit)
    kept = []
    for lot in lots:
        if rule.periods is not None and n - lot.origin >= rule.periods:
            continue
        quantity = lot.quantity if room is None else min(lot.quantity, room)
        room = None if room is None else room - quantity
        if quantity > 0:
            kept.append(_Lot(lot.origin, quantity))
    return kept


def differences(wanted: Sequence[Move], written: Mapping[tuple[UUID, UUID], Decimal]) -> list[Move]:
    """What has to be written so that the ledger says what is wanted."""
    wanted_by = {(move.source, move.target): move.quantity for move in wanted}
    found = []
    for source, target in sorted({*wanted_by, *written}):
        quantity = wanted_by.get((source, target), ZERO) - written.get((source, target), ZERO)
        if quantity:
            found.append(Move(source, target, quantity))
    return found


def below_floor(floor: Decimal, carried_in: Decimal, carried_on: Decimal, taken: Decimal) -> Decimal:
    """What is missing to the floor at the end of a period and was not carried on; 0 when nothing is.

    floor: as agreed; carried_in moves it; carried_on: the shortfall that the next period has taken over.
    """
    return max(floor + carried_in - taken - max(carried_on, ZERO), ZERO)
