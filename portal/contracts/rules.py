"""Who may move a contract on, what its lines may say, the band around a fixed quantity, the price in force on a day.

Pure: everything comes in as an argument. The protocols name the fields of the contract rows, so that a row, an input
model and a test value all fit.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from portal.contracts.model import Cadence, ContractStatus
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_
from portal.core.quantities import UNITS, check_scale, check_unit
from portal.core.states import BOTH, Move, Side, StateTable

S = ContractStatus

# The table speaks of seller and buyer, and either may be the factory. That one company proposes and the *other*
# answers is a second rule: `check_answered_by_other`, which `contract_actions` and `contract_target` apply.
CONTRACT_STATES = StateTable(
    Move("propose", by=BOTH, source=(S.DRAFT,), target=S.PROPOSED),
    Move("accept", by=BOTH, source=(S.PROPOSED,), target=S.ACCEPTED),
    Move("decline", by=BOTH, source=(S.PROPOSED,), target=S.DRAFT),
    Move("withdraw", by=BOTH, source=(S.PROPOSED,), target=S.DRAFT),
    Move("activate", by=BOTH, source=(S.ACCEPTED,), target=S.ACTIVE),
    Move("complete", by=BOTH, source=(S.ACTIVE,), target=S.COMPLETED),
)
ANSWERS = frozenset({"accept", "decline"})  # taken by the company that was asked
TAKEN_BACK = frozenset({"withdraw"})  # taken by the company that proposed


class OwnProposal(Forbidden):
    code = "own-proposal"
    text = N_("Your company proposed this contract, so the other company answers. You can withdraw the proposal.")


class NotYourProposal(Forbidden):
    code = "not-your-proposal"
    text = N_("The other company proposed this contract, so only it can withdraw. You can decline it.")


class NothingAgreed(Invalid):
    code = "nothing-agreed"
    text = N_("A contract needs at least one line before it can be proposed.")


class AlreadyEnded(Conflict):
    code = "already-ended"
    text = N_("The contract ended on {valid_to}, so it cannot become active. Agree on a later end first.")


class OpenLines(Conflict):
    code = "open-lines"
    text = N_("{count} deliveries are still open. Receive, close or cancel them before completing the contract.")


class EndBeforeStart(Invalid):
    code = "end-before-start"
    text = N_("The contract would end on {valid_to}, before it begins on {valid_from}. Enter a later end.")


class UnknownCurrency(Invalid):
    code = "unknown-currency"
    text = N_("“{currency}” is not a currency code. Use the three letters of ISO 4217, such as EUR or CNY.")


class CadenceWithoutQuantity(Invalid):
    code = "cadence-without-quantity"
    text = N_("A fixed quantity and its period belong together. Enter both, or neither for a pure call-off.")


class NotPositive(Invalid):
    code = "not-positive"
    text = N_("{value} is not above zero. Enter a positive quantity, or leave the field empty where it is optional.")


class NotNegative(Invalid):
    code = "negative"
    text = N_("{value} is below zero. Enter zero or more.")


class WrongPercent(Invalid):
    code = "wrong-percent"
    text = N_("{value}% is not possible here. Enter 0 to {high} with at most two decimals.")


class MinimumNotInPacks(Invalid):
    code = "minimum-not-in-packs"
    text = N_("The minimum order quantity {minimum} is not a multiple of the pack size {pack}. Enter whole packs.")


class MinimumAboveQuantity(Invalid):
    code = "minimum-above-quantity"
    text = N_(
        "The minimum order quantity {minimum} is above the fixed quantity {foq}. Lower it or choose a longer period."
    )


class TargetBelowQuantity(Invalid):
    code = "target-below-quantity"
    text = N_(
        "The target quantity {target} is less than one period's fixed quantity {foq}. Raise it or lower the other."
    )


class ZonesOutOfOrder(Invalid):
    code = "zones-out-of-order"
    text = N_(
        "Both zones count from the release date: trade-off days ({tradeoff}) cannot be fewer than firm days ({firm})."
    )


class WrongWeekday(Invalid):
    code = "wrong-weekday"
    text = N_("Delivery weekdays are numbers from 0 (Monday) to 6 (Sunday), each once.")


class NoPrice(Conflict):
    code = "no-price"
    text = N_("The contract has no price for {day}. Add a price that is valid from that day or earlier.")


class AmbiguousPrice(Conflict):
    code = "ambiguous-price"
    text = N_("The contract has {count} different prices from {day} on. Keep one, or state the price on the delivery.")


# Life --------------------------------------------------------------------------------------------------------------


def check_answered_by_other(action: str, proposed_by_us: bool) -> None:
    """Raise OwnProposal when we answer our own proposal, NotYourProposal when we withdraw another company's."""
    if action in ANSWERS and proposed_by_us:
        raise OwnProposal
    if action in TAKEN_BACK and not proposed_by_us:
        raise NotYourProposal


def contract_actions(status: ContractStatus, side: Side, proposed_by_us: bool) -> list[str]:
    """What our company can do with the contract now. proposed_by_us: whether our company made the live proposal."""
    not_ours = ANSWERS if proposed_by_us else TAKEN_BACK
    return [action for action in CONTRACT_STATES.actions(status, side) if action not in not_ours]


def contract_target(status: ContractStatus, action: str, by: Side, proposed_by_us: bool) -> ContractStatus:
    """The state after the action. Raises WrongSide, WrongState, OwnProposal or NotYourProposal."""
    target = CONTRACT_STATES.target(status, action, by)
    check_answered_by_other(action, proposed_by_us)
    return target


def check_proposable(line_count: int) -> None:
    """Raise NothingAgreed for a contract without lines."""
    if line_count < 1:
        raise NothingAgreed


def check_activation(valid_to: date | None, today: date) -> None:
    """Raise AlreadyEnded when the last day of validity has passed; active before the first day is allowed."""
    if valid_to is not None and valid_to < today:
        raise AlreadyEnded(valid_to=valid_to)


def check_completion(open_lines: int) -> None:
    """Raise OpenLines while any schedule line of any contract line is open: one used-up line completes nothing."""
    if open_lines > 0:
        raise OpenLines(count=open_lines)


def check_contract(valid_from: date, valid_to: date | None, currency: str) -> None:
    """Raise EndBeforeStart or UnknownCurrency. valid_to is the last day, inclusive; none: until further notice."""
    if valid_to is not None and valid_to < valid_from:
        raise EndBeforeStart(field="valid_to", valid_from=valid_from, valid_to=valid_to)
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise UnknownCurrency(field="currency", currency=currency)


# Lines -------------------------------------------------------------------------------------------------------------


class LineTerms(Protocol):
    """What one contract line says, in the fields of its row."""

    @property
    def unit(self) -> str: ...
    @property
    def foq(self) -> Decimal | None: ...
    @property
    def cadence(self) -> Cadence | None: ...
    @property
    def target_quantity(self) -> Decimal | None: ...
    @property
    def band_below_percent(self) -> Decimal: ...
    @property
    def band_above_percent(self) -> Decimal: ...
    @property
    def pack_size(self) -> Decimal: ...
    @property
    def minimum_order(self) -> Decimal: ...
    @property
    def under_percent(self) -> Decimal: ...
    @property
    def over_percent(self) -> Decimal: ...
    @property
    def firm_days(self) -> int: ...
    @property
    def tradeoff_days(self) -> int: ...
    @property
    def delivery_weekdays(self) -> Sequence[int]: ...


def check_line(line: LineTerms) -> None:
    """Raise the first thing wrong with a contract line; the error's `field` names the row's field.

    The fixed quantity need not be a multiple of the pack size: generation carries the remainder.
    """
    check_unit(line.unit)
    _check_quantities(line)
    for name in ("band_below_percent", "under_percent"):
        _check_percent(getattr(line, name), 100, name)
    for name in ("band_above_percent", "over_percent"):
        _check_percent(getattr(line, name), 999, name)
    if line.firm_days < 0:
        raise NotNegative(field="firm_days", value=line.firm_days)
    if line.tradeoff_days < line.firm_days:
        raise ZonesOutOfOrder(field="tradeoff_days", firm=line.firm_days, tradeoff=line.tradeoff_days)
    weekdays = line.delivery_weekdays
    if len(set(weekdays)) != len(weekdays) or not all(0 <= day <= 6 for day in weekdays):
        raise WrongWeekday(field="delivery_weekdays")


def _check_quantities(line: LineTerms) -> None:
    if (line.foq is None) != (line.cadence is None):
        raise CadenceWithoutQuantity(field="cadence" if line.cadence is None else "foq")
    # An empty target means "no agreed total". A zero would look the same and silently switch the cap off.
    for name in ("foq", "target_quantity", "pack_size"):
        value = getattr(line, name)
        if value is not None and value <= 0:
            raise NotPositive(field=name, value=value)
    if line.minimum_order < 0:
        raise NotNegative(field="minimum_order", value=line.minimum_order)
    for name in ("foq", "target_quantity", "pack_size", "minimum_order"):
        value = getattr(line, name)
        if value is not None:
            check_scale(value, line.unit, field=name)
    if line.minimum_order % line.pack_size:
        raise MinimumNotInPacks(field="minimum_order", minimum=line.minimum_order, pack=line.pack_size)
    if line.foq is not None and line.minimum_order > line.foq:
        raise MinimumAboveQuantity(field="minimum_order", minimum=line.minimum_order, foq=line.foq)
    if line.foq is not None and line.target_quantity is not None and line.target_quantity < line.foq:
        raise TargetBelowQuantity(field="target_quantity", target=line.target_quantity, foq=line.foq)


def _check_percent(value: Decimal, high: int, field: str) -> None:
    if not 0 <= value <= high or value != round(value, 2):
        raise WrongPercent(field=field, value=value, high=high)


class Band(NamedTuple):
    """How far one period's total may move without approval; all three in the line's unit."""

    floor: Decimal
    target: Decimal
    ceiling: Decimal


def band(foq: Decimal, below_percent: Decimal, above_percent: Decimal, pack: Decimal, unit: str) -> Band:
    """The band around a fixed order quantity, in whole packs (pack 0: in steps of the unit's precision).

    Rounded inwards, so that the agreed percentages are never exceeded, but never past the packs next to the target:
    where the target is not a whole number of packs, rounding with carried remainder must stay inside the band.
    Test: 600 with 20 % is 480 to 720.
    """
    step = pack if pack > 0 else Decimal(1).scaleb(-UNITS[unit][0])
    low = foq * (100 - below_percent) / 100
    high = foq * (100 + above_percent) / 100
    floor = min(_in_steps(low, step, ROUND_CEILING), _in_steps(foq, step, ROUND_FLOOR))
    ceiling = max(_in_steps(high, step, ROUND_FLOOR), _in_steps(foq, step, ROUND_CEILING))
    return Band(floor, foq, ceiling)


def _in_steps(quantity: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (quantity / step).to_integral_value(rounding) * step


def remaining_quantity(target: Decimal | None, consumed: Decimal) -> Decimal | None:
    """What may still be called off against an agreed total. Negative when it was exceeded; none without a total."""
    return None if target is None else target - consumed


# Prices ------------------------------------------------------------------------------------------------------------


class PriceRow(Protocol):
    """A price from a day on, for everything (order_no empty) or for one order."""

    @property
    def valid_from(self) -> date: ...
    @property
    def order_no(self) -> str: ...
    @property
    def price(self) -> Decimal: ...
    @property
    def price_unit(self) -> Decimal: ...


P = TypeVar("P", bound=PriceRow)


class PriceReason(StrEnum):
    """Why this price applies."""

    OWN = "own_price"  # stated on the schedule line itself
    ORDER = "order_price"  # agreed for its order number
    LIST = "list_price"


class PriceFound(NamedTuple):
    """A price in the contract's currency, per price_unit of the line's unit, and why it applies."""

    price: Decimal
    price_unit: Decimal
    why: PriceReason
    since: date | None  # valid from; none for a line's own price

    @property
    def per_unit(self) -> Decimal:
        return self.price / self.price_unit


def price_on(prices: Iterable[P], day: date, order_no: str = "", own: Decimal | None = None) -> PriceFound:
    """The price in force on a day.

    own: a price stated on the schedule line itself, per unit; it wins, also when it is zero. Else the latest price
    valid from the day or earlier: one agreed for the order before one of the list; a price of another order never.
    Raises NoPrice, or AmbiguousPrice when two different prices begin on the same day.
    """
    if own is not None:
        return PriceFound(own, Decimal(1), PriceReason.OWN, None)
    valid = [row for row in prices if row.valid_from <= day]
    for wanted, why in ((order_no, PriceReason.ORDER), ("", PriceReason.LIST)):
        fitting = [row for row in valid if row.order_no == wanted]
        if fitting and (wanted or why is PriceReason.LIST):
            return _latest(fitting, why)
    raise NoPrice(day=day)


def _latest(rows: Sequence[P], why: PriceReason) -> PriceFound:
    since = max(row.valid_from for row in rows)
    newest = {row.price / row.price_unit: row for row in rows if row.valid_from == since}
    if len(newest) > 1:
        raise AmbiguousPrice(day=since, count=len(newest))
    (row,) = newest.values()
    return PriceFound(row.price, row.price_unit, why, since)
