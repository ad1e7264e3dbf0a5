"""Amounts in another currency, by the rate that was known on a day.

Pure, as `rules.py`. A contract keeps its own currency; only the factory's overviews are converted.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Protocol

from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_


class NoRate(Conflict):
    code = "no-rate"
    text = N_("There is no rate from {base} to {quote} on {day}. Enter one that is valid from that day or earlier.")


class SameCurrency(Invalid):
    code = "same-currency"
    text = N_("A rate needs two different currencies.")


class RateRow(Protocol):
    """What one unit of `base` is worth in `quote` from a day on."""

    @property
    def base(self) -> str: ...
    @property
    def quote(self) -> str: ...
    @property
    def day(self) -> date: ...
    @property
    def rate(self) -> Decimal: ...


class Converted(NamedTuple):
    """An amount in another currency, not rounded, with the day whose rate was taken; none when it is the same."""

    amount: Decimal
    rate_day: date | None


def convert(amount: Decimal, base: str, quote: str, day: date, rates: Iterable[RateRow]) -> Converted:
    """The amount at the newest rate from the day or earlier, in either direction of the pair. Raises NoRate."""
    if base == quote:
        return Converted(amount, None)
    known = [row for row in rates if row.day <= day and {row.base, row.quote} == {base, quote}]
    newest = max(known, key=lambda row: (row.day, row.base == base), default=None)
    if newest is None:
        raise NoRate(base=base, quote=quote, day=day)
    factor = newest.rate if newest.base == base else 1 / newest.rate
    return Converted(amount * factor, newest.day)
