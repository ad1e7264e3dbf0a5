"""How the periods of a contract are used, in words: the same on pages, in the comparison of versions and on paper."""

from decimal import Decimal
from typing import Any, Protocol

from portal.contracts.model_buckets import Assignment, Carry, Consequence, PriceBasis
from portal.contracts.rules_carry import UseOfPeriods as Carried
from portal.core import i18n
from portal.core.i18n import N_, _

USE_LABELS: dict[str, str] = {
    "assignment": N_("A quantity counts in its period"),
    "shortfall_carry": N_("A shortfall is"),
    "shortfall_periods": N_("Shortfall: number of periods"),
    "shortfall_cap_percent": N_("Shortfall: at most, in % of the target"),
    "excess_carry": N_("An excess is"),
    "excess_periods": N_("Excess: number of periods"),
    "excess_cap_percent": N_("Excess: at most, in % of the target"),
    "consequence": N_("Below the floor"),
    "over_call_percent": N_("Over-call tolerance, in % of the original ceiling"),
    "call_low_percent": N_("One call-off: at least, in % of the target"),
    "call_high_percent": N_("One call-off: at most, in % of the target"),
    "price_basis": N_("Price of a period's quantities"),
}
CARRIES: dict[Carry, str] = {
    Carry.NONE: N_("not carried on"),
    Carry.NEXT: N_("carried into the next period"),
    Carry.PERIODS: N_("carried on for {n} periods"),
    Carry.TO_END: N_("carried on until the contract ends"),
}
CONSEQUENCES: dict[Consequence, str] = {
    Consequence.NONE: N_("nothing"),
    Consequence.INVOICE: N_("the rest is invoiced"),
    Consequence.EXTEND: N_("the contract is extended"),
    Consequence.DISCUSS: N_("both sides talk about it"),
}
ASSIGNMENTS: dict[str, str] = {
    "requested": N_("by the requested date"),
    "despatch": N_("by the day of despatch"),
    "receipt": N_("by the day of receipt"),
}
BASES: dict[str, str] = {
    "receipt_date": N_("of the day of receipt"),
    "order_date": N_("of the day of the order"),
    "period_start": N_("of the period's first day"),
}
CARRY_CHOICES: dict[Carry, str] = {
    Carry.NONE: N_("not carried on"),
    Carry.NEXT: N_("carried into the next period"),
    Carry.PERIODS: N_("carried on for so many periods"),
    Carry.TO_END: N_("carried on until the contract ends"),
}
CHOICES: dict[str, dict[Any, str]] = {
    "assignment": ASSIGNMENTS,
    "shortfall_carry": CARRY_CHOICES,
    "excess_carry": CARRY_CHOICES,
    "consequence": CONSEQUENCES,
    "price_basis": BASES,
}


class UseOfPeriods(Carried, Protocol):
    """All that the words need: of a row, and of an agreed text."""

    @property
    def assignment(self) -> Assignment: ...
    @property
    def consequence(self) -> Consequence: ...
    @property
    def over_call_percent(self) -> Decimal: ...
    @property
    def price_basis(self) -> PriceBasis: ...


def use_choices() -> dict[str, list[tuple[str, str]]]:
    """What a form offers, by field."""
    return {name: [(str(value), _(word)) for value, word in words.items()] for name, words in CHOICES.items()}


def use_word(name: str, value: str) -> str:
    """One term of a content as its field of a form names it."""
    if name in CHOICES:
        return next(_(word) for known, word in CHOICES[name].items() if known == value)
    return i18n.number(Decimal(value)) + ("%" if name.endswith("_percent") else "")


def terms_words(terms: UseOfPeriods) -> list[tuple[str, str]]:
    """How the periods are used, in words."""
    known = [
        (_("A quantity counts in its period"), _(ASSIGNMENTS[terms.assignment.value])),
        (_("A shortfall is"), carry_words(terms.shortfall_carry, terms.shortfall_periods, terms.shortfall_cap_percent)),
        (_("An excess is"), carry_words(terms.excess_carry, terms.excess_periods, terms.excess_cap_percent)),
        (_("Below the floor"), _(CONSEQUENCES[terms.consequence])),
        (_("Above the ceiling"), over_call_words(terms)),
        (_("Price"), _(BASES[terms.price_basis.value])),
    ]
    if terms.call_low_percent is not None or terms.call_high_percent is not None:
        low, high = terms.call_low_percent or Decimal(0), terms.call_high_percent
        limits = _("{low}% to {high}% of the target").format(
            low=i18n.number(low), high="" if high is None else i18n.number(high)
        )
        known.append((_("One call-off"), limits))
    return known


def over_call_words(terms: UseOfPeriods) -> str:
    if not terms.over_call_percent:
        return _("only when somebody allows it")
    return _("up to {percent}% more without asking").format(percent=i18n.number(terms.over_call_percent))


def carry_words(carry: Carry, periods: int | None, cap: Decimal | None) -> str:
    words = _(CARRIES[carry]).format(n=periods or 0)
    if carry is Carry.NONE or cap is None:
        return words
    return words + " · " + _("at most {percent}% of the target").format(percent=i18n.number(cap))
