"""The terms of a contract's line in words, the same on pages and on paper."""

from datetime import date
from decimal import Decimal
from typing import Protocol

from portal.contracts.model import Cadence
from portal.contracts.rules import band
from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import CURRENCY_PLACES, UNITS, show_quantity

EVERY = {"week": N_("{quantity} a week"), "month": N_("{quantity} a month"), "quarter": N_("{quantity} a quarter")}


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
    """The pack, and the least that is delivered at once."""
    words = _("Packs of {quantity}").format(quantity=show_quantity(line.pack_size, line.unit))
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
