"""What the head and the lines of a contract may say, the band around a fixed quantity.

Pure: everything comes in as an argument. The protocols name the fields of the contract rows, so that a row, an input
model and a test value all fit.
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple, Protocol

from portal.contracts.model import Cadence, Lapse
from portal.core.errors import Invalid, Reading
from portal.core.i18n import N_
from portal.core.quantities import STEPS, check_scale, check_unit

INCOTERMS = ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF")  # ICC 2020
MOST_NOTICE = 730


class WrongIncoterm(Invalid):
    code = "wrong-incoterm"
    text = N_("“{incoterm}” is not an Incoterm of 2020. Use one of: {known}.")


class PlaceWithoutIncoterm(Invalid):
    code = "place-without-incoterm"
    text = N_("A named place belongs to an Incoterm. Choose the Incoterm too, or leave the place empty.")


class CapWithoutPenalty(Invalid):
    code = "cap-without-penalty"
    text = N_("A cap belongs to a penalty per day. Enter the penalty too, or leave the cap empty.")


class TakeOrPayWithoutTarget(Invalid):
    code = "take-or-pay-without-target"
    text = N_("Take-or-pay needs a target quantity of at least {minimum}. Enter the target, or lower take-or-pay.")


class NoticeOutOfRange(Invalid):
    code = "notice-out-of-range"
    text = N_("Notice is given 1 to {most} days before the end. Enter a number of days in that range.")


class LapseWithoutPercent(Invalid):
    code = "lapse-without-percent"
    text = N_("A share of the request needs its percentage, and only it has one. Enter 1 to 100, or leave it empty.")


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


# Head --------------------------------------------------------------------------------------------------------------


def check_contract(valid_from: date, valid_to: date | None, currency: str) -> None:
    """Raise EndBeforeStart, UnknownCurrency or both. valid_to: the last day, inclusive; none: until further notice."""
    reading = Reading()
    with reading.part():
        if valid_to is not None and valid_to < valid_from:
            raise EndBeforeStart(field="valid_to", valid_from=valid_from, valid_to=valid_to)
    with reading.part():
        check_currency(currency)
    reading.done()


def check_currency(currency: str, field: str = "currency") -> None:
    """Raise UnknownCurrency unless it has the form of an ISO 4217 code."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise UnknownCurrency(field=field, currency=currency)


class HeadTerms(Protocol):
    """What the head of a contract says of trade, in the fields of its row."""

    @property
    def incoterm(self) -> str: ...
    @property
    def incoterm_place(self) -> str: ...
    @property
    def take_or_pay_percent(self) -> Decimal | None: ...
    @property
    def penalty_percent(self) -> Decimal | None: ...
    @property
    def penalty_cap_percent(self) -> Decimal | None: ...
    @property
    def notice_days(self) -> int | None: ...
    @property
    def lapse(self) -> Lapse | None: ...
    @property
    def lapse_percent(self) -> Decimal | None: ...


def check_head(head: HeadTerms) -> None:
    """Raise what is wrong with the terms of trade, of several fields together; `field` names the row's field."""
    reading = Reading()
    with reading.part():
        if head.incoterm and head.incoterm not in INCOTERMS:
            raise WrongIncoterm(field="incoterm", incoterm=head.incoterm, known=", ".join(INCOTERMS))
        if head.incoterm_place and not head.incoterm:
            raise PlaceWithoutIncoterm(field="incoterm")
    for name in ("take_or_pay_percent", "penalty_percent", "penalty_cap_percent"):
        value = getattr(head, name)
        with reading.part():
            if value is not None:
                _check_percent(value, 100, name)
    with reading.part():
        if head.penalty_cap_percent is not None and head.penalty_percent is None:
            raise CapWithoutPenalty(field="penalty_percent")
    with reading.part():
        if head.notice_days is not None and not 1 <= head.notice_days <= MOST_NOTICE:
            raise NoticeOutOfRange(field="notice_days", most=MOST_NOTICE)
    with reading.part():
        share = head.lapse_percent
        if (head.lapse is Lapse.PERCENT) != (share is not None) or (share is not None and not 0 < share <= 100):
            raise LapseWithoutPercent(field="lapse_percent")
    reading.done()


# Lines -------------------------------------------------------------------------------------------------------------


class AgreedTerms(Protocol):
    """What the words need of a line: a row of the database, or a line of the agreed text."""

    @property
    def unit(self) -> str: ...
    @property
    def foq(self) -> Decimal | None: ...
    @property
    def cadence(self) -> Cadence | None: ...
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


class LineTerms(AgreedTerms, Protocol):
    """What one contract line says, in the fields of its row."""

    @property
    def target_quantity(self) -> Decimal | None: ...
    @property
    def firm_days(self) -> int: ...
    @property
    def tradeoff_days(self) -> int: ...
    @property
    def delivery_weekdays(self) -> Sequence[int]: ...
    @property
    def take_or_pay_quantity(self) -> Decimal | None: ...


def check_line(line: LineTerms) -> None:
    """Raise what is wrong with a contract line, of several fields together; `field` names the row's field.

    The fixed quantity need not be a multiple of the pack size: generation carries the remainder.
    """
    check_unit(line.unit)
    reading = Reading()
    with reading.part():
        _check_quantities(line)
    highs = {"band_below_percent": 100, "band_above_percent": 999, "under_percent": 100, "over_percent": 999}
    for name, high in highs.items():
        with reading.part():
            _check_percent(getattr(line, name), high, name)
    with reading.part():
        if line.firm_days < 0:
            raise NotNegative(field="firm_days", value=line.firm_days)
        if line.tradeoff_days < line.firm_days:
            raise ZonesOutOfOrder(field="tradeoff_days", firm=line.firm_days, tradeoff=line.tradeoff_days)
    with reading.part():
        weekdays = line.delivery_weekdays
        if len(set(weekdays)) != len(weekdays) or not all(0 <= day <= 6 for day in weekdays):
            raise WrongWeekday(field="delivery_weekdays")
    reading.done()


def _check_quantities(line: LineTerms) -> None:
    if (line.foq is None) != (line.cadence is None):
        raise CadenceWithoutQuantity(field="cadence" if line.cadence is None else "foq")
    # An empty target means "no agreed total". A zero would look the same and silently switch the cap off.
    for name in ("foq", "target_quantity", "pack_size", "take_or_pay_quantity"):
        value = getattr(line, name)
        if value is not None and value <= 0:
            raise NotPositive(field=name, value=value)
    if line.minimum_order < 0:
        raise NotNegative(field="minimum_order", value=line.minimum_order)
    for name in ("foq", "target_quantity", "pack_size", "minimum_order", "take_or_pay_quantity"):
        value = getattr(line, name)
        if value is not None:
            check_scale(value, line.unit, field=name)
    if line.minimum_order % line.pack_size:
        raise MinimumNotInPacks(field="minimum_order", minimum=line.minimum_order, pack=line.pack_size)
    if line.foq is not None and line.minimum_order > line.foq:
        raise MinimumAboveQuantity(field="minimum_order", minimum=line.minimum_order, foq=line.foq)
    if line.foq is not None and line.target_quantity is not None and line.target_quantity < line.foq:
        raise TargetBelowQuantity(field="target_quantity", target=line.target_quantity, foq=line.foq)
    _check_owed(line)


def _check_owed(line: LineTerms) -> None:
    owed = line.take_or_pay_quantity
    if owed is not None and (line.target_quantity is None or owed > line.target_quantity):
        raise TakeOrPayWithoutTarget(field="take_or_pay_quantity", minimum=owed)


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
    step = pack if pack > 0 else STEPS[unit]
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


def take_or_pay(target: Decimal | None, percent: Decimal | None, quantity: Decimal | None) -> Decimal | None:
    """What is paid even if it is not taken, of a line's target; a quantity of its own wins over the percentage."""
    if quantity is not None:
        return quantity
    return None if target is None or percent is None else target * percent / 100
