"""The terms of a contract's line in words, the same on pages and on paper."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from portal.contracts.model import DateRule, DeviationRule, Lapse
from portal.contracts.rules import AgreedTerms, band
from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import CURRENCY_PLACES, UNITS, show_quantity

NO_PACK = Decimal(1)  # of the line's own unit
PACKAGES = {"XPK", "XBX"}  # units that are packages themselves
EVERY = {"week": N_("{quantity} a week"), "month": N_("{quantity} a month"), "quarter": N_("{quantity} a quarter")}

ANSWER_LABELS: dict[str, str] = {
    "deviation_quantity": N_("A quantity that differs"),
    "deviation_earlier": N_("An earlier day"),
    "deviation_later": N_("A later day"),
    "deviation_price": N_("A price that differs"),
    "early_days": N_("Days early that are tolerated"),
    "late_days": N_("Days late that are tolerated"),
    "lapse": N_("Without an answer in time"),
    "lapse_percent": N_("Share of the request, in %"),
    "transit_days": N_("Days in transit"),
    "date_rule": N_("A closed day moves"),
}
ANSWER_WORDS: dict[str, str] = {
    DeviationRule.FREE: N_("holds at once"),
    DeviationRule.APPROVAL: N_("needs the buyer's approval"),
    DeviationRule.FORBIDDEN: N_("is not possible"),
    Lapse.NOTHING: N_("it is only noted"),
    Lapse.REMIND: N_("the seller is reminded"),
    Lapse.ESCALATE: N_("deputy and administrator are told"),
    Lapse.DEEMED: N_("the request counts as confirmed"),
    Lapse.PREVIOUS: N_("the previous confirmation counts"),
    Lapse.PERCENT: N_("a share of the request counts as confirmed"),
    DateRule.EARLIER: N_("to the working day before"),
    DateRule.LATER: N_("to the next working day"),
    DateRule.NEAREST: N_("to the nearest working day"),
    DateRule.KEEP: N_("not at all"),
}


def foq_words(line: AgreedTerms) -> str:
    """600 pcs a week, or that there is no fixed quantity."""
    if line.foq is None or line.cadence is None:
        return _("Pure call-off, in {unit}").format(unit=_(UNITS[line.unit][1]))
    return _(EVERY[line.cadence.value]).format(quantity=show_quantity(line.foq, line.unit))


def band_words(line: AgreedTerms) -> str:
    """The band in quantities with its percentages; nothing without a fixed quantity."""
    if line.foq is None:
        return ""
    found = band(line.foq, line.band_below_percent, line.band_above_percent, line.pack_size, line.unit)
    if found.floor == found.ceiling:
        return _("fixed, no band")
    return _("{low} to {high} ({below}% / {above}%)").format(
        low=i18n.number(found.floor),
        high=i18n.number(found.ceiling),
        below=i18n.signed(-line.band_below_percent),
        above=i18n.signed(line.band_above_percent),
    )


def pack_words(line: AgreedTerms) -> str:
    """The pack, and the least that is delivered at once. A pack of one unit is none."""
    if line.pack_size == NO_PACK:
        words = _("Any whole quantity")
    else:
        said = _("Multiples of {quantity}") if line.unit in PACKAGES else _("Packs of {quantity}")
        words = said.format(quantity=show_quantity(line.pack_size, line.unit))
    if line.minimum_order:
        words += " · " + _("at least {quantity}").format(quantity=show_quantity(line.minimum_order, line.unit))
    return words


def tolerance_words(line: AgreedTerms) -> str:
    """How far a delivery's total may differ."""
    below, above = i18n.signed(-line.under_percent), i18n.signed(line.over_percent)
    if not line.under_percent and not line.over_percent:
        return _("no delivery tolerance")
    return _("delivery tolerance {below}% / {above}%").format(below=below, above=above)


def validity(first: date, last: date | None) -> str:
    """1 Jan 2027 – 31 Dec 2027, or from a day on."""
    begins = i18n.day(first, year=True)
    if last is None:
        return _("from {day}").format(day=begins)
    return f"{begins} – {i18n.day(last, year=True)}"


def show_price(price: Decimal, currency: str) -> str:
    """A price with all its decimals, at least the currency's own: rounding is for amounts, not for prices."""
    decimals = len(i18n.number(price).partition(".")[2])
    return f"{currency}{i18n.NBSP}{i18n.number(price, max(decimals, CURRENCY_PLACES.get(currency, 2)))}"


class TermsOfTrade(Protocol):
    """What a contract may say beside quantities, dates and prices: of its row, and of an agreed text."""

    @property
    def incoterm(self) -> str: ...
    @property
    def incoterm_place(self) -> str: ...
    @property
    def payment_terms(self) -> str: ...
    @property
    def take_or_pay_percent(self) -> Decimal | None: ...
    @property
    def penalty_percent(self) -> Decimal | None: ...
    @property
    def penalty_cap_percent(self) -> Decimal | None: ...
    @property
    def notice_days(self) -> int | None: ...


ANSWER_CHOICES: dict[str, type[StrEnum]] = {
    **dict.fromkeys(("deviation_quantity", "deviation_earlier", "deviation_later", "deviation_price"), DeviationRule),
    "lapse": Lapse,
    "date_rule": DateRule,
}
USUAL: dict[str, StrEnum] = {
    "deviation_quantity": DeviationRule.FORBIDDEN,
    "deviation_earlier": DeviationRule.FREE,
    "deviation_later": DeviationRule.APPROVAL,
    "deviation_price": DeviationRule.FORBIDDEN,
    "lapse": Lapse.ESCALATE,
    "date_rule": DateRule.LATER,
}
"""What holds where a contract says nothing."""


class AnswerField(Struct, frozen=True):
    """One of these terms as a form shows it; without choices it is a number."""

    name: str
    label: str
    choices: list[tuple[str, str]]
    decimal: bool


def answer_fields() -> list[AnswerField]:
    """The terms of answers as fields of a form, each with the usual as its first choice."""
    return [
        AnswerField(name, _(label), _choices(name), name.endswith("_percent")) for name, label in ANSWER_LABELS.items()
    ]


def _choices(name: str) -> list[tuple[str, str]]:
    if name not in ANSWER_CHOICES:
        return []
    usual = _("As usual: {what}").format(what=_(ANSWER_WORDS[USUAL[name]]))
    return [("", usual), *((value.value, _(ANSWER_WORDS[value])) for value in ANSWER_CHOICES[name])]


def terms_of_answers(contract: Any) -> list[tuple[str, str]]:
    """What a contract says of answers, days in transit and closed days; only what is said."""
    found = [(name, getattr(contract, name)) for name in ANSWER_LABELS]
    return [(_(ANSWER_LABELS[name]), _said(value)) for name, value in found if value is not None]


def _said(value: Any) -> str:
    return _(ANSWER_WORDS[value]) if value in ANSWER_WORDS else i18n.number(value)


def terms_of_trade(contract: TermsOfTrade) -> list[tuple[str, str]]:
    """Incoterm, payment, take-or-pay, penalty and notice in words; empty where nothing was agreed."""
    penalty = ""
    if contract.penalty_percent is not None:
        penalty = _("{percent}% of the value per day late").format(percent=i18n.number(contract.penalty_percent))
        if contract.penalty_cap_percent is not None:
            penalty = _("{penalty}, at most {cap}%").format(
                penalty=penalty, cap=i18n.number(contract.penalty_cap_percent)
            )
    owed = ""
    if contract.take_or_pay_percent is not None:
        owed = _("{percent}% of each target").format(percent=i18n.number(contract.take_or_pay_percent))
    notice = ""
    if contract.notice_days is not None:
        days = ngettext("{n} day before the end", "{n} days before the end", contract.notice_days)
        notice = days.format(n=i18n.number(contract.notice_days))
    return [
        (_("Incoterm"), " ".join(filter(None, (contract.incoterm, contract.incoterm_place)))),
        (_("Payment terms"), contract.payment_terms),
        (_("Take-or-pay"), owed),
        (_("Penalty"), penalty),
        (_("Notice"), notice),
    ]
