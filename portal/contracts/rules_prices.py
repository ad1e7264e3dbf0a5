"""The price that applies, and why: by day, by order, by quantity. One function for pages, interface and exports.

Pure, as `rules.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from portal.contracts.model import PriceTier
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, render

ZERO = Decimal(0)


class NoPrice(Conflict):
    code = "no-price"
    text = N_("The contract has no price for {day}. Add a price that is valid from that day or earlier.")


class AmbiguousPrice(Conflict):
    code = "ambiguous-price"
    text = N_("The contract has {count} different prices from {day} on. Keep one, or state the price on the delivery.")


class TwoPrices(Invalid):
    code = "two-prices"
    text = N_("Two prices begin on {day}. Keep one of them.")


class MixedScale(Invalid):
    code = "mixed-scale"
    text = N_("The prices from {day} on count quantities in different ways. Use one way for all steps of a scale.")


class StepWithoutScale(Invalid):
    code = "step-without-scale"
    text = N_("A price from a quantity on needs to say which quantity counts: all deliveries so far, or one delivery.")


class PriceRow(Protocol):
    """A price from a day on, for everything (order_no empty) or for one order; perhaps one step of a scale."""

    @property
    def valid_from(self) -> date: ...
    @property
    def order_no(self) -> str: ...
    @property
    def price(self) -> Decimal: ...
    @property
    def price_unit(self) -> Decimal: ...
    @property
    def tier(self) -> PriceTier: ...
    @property
    def from_quantity(self) -> Decimal: ...


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
    tier: PriceTier = PriceTier.ALL
    from_quantity: Decimal = ZERO  # where the step of the scale begins that was reached

    @property
    def per_unit(self) -> Decimal:
        return self.price / self.price_unit


def price_on(
    prices: Iterable[P],
    day: date,
    order_no: str = "",
    own: Decimal | None = None,
    *,
    delivery: Decimal = ZERO,
    before: Decimal = ZERO,
) -> PriceFound:
    """The price in force on a day.

    own: a price stated on the schedule line itself, per unit; it wins, also when it is zero. Else the latest prices
    valid from the day or earlier: those agreed for the order before those of the list; of another order never. Of a
    scale, the highest step that is reached by `delivery`, the quantity of this delivery, or by `before`, what the
    contract line had delivered before it: a delivery across a step has one price, that of where it begins.
    Raises NoPrice, or AmbiguousPrice when two different prices fit equally.
    """
    if own is not None:
        return PriceFound(own, Decimal(1), PriceReason.OWN, None)
    valid = [row for row in prices if row.valid_from <= day and _reached(row, delivery, before)]
    for wanted, why in ((order_no, PriceReason.ORDER), ("", PriceReason.LIST)):
        fitting = [row for row in valid if row.order_no == wanted]
        if fitting and (wanted or why is PriceReason.LIST):
            return _latest(fitting, why)
    raise NoPrice(day=day)


def _reached(row: PriceRow, delivery: Decimal, before: Decimal) -> bool:
    quantity = {PriceTier.CUMULATIVE: before, PriceTier.DELIVERY: delivery}.get(row.tier, row.from_quantity)
    return quantity >= row.from_quantity


def _latest(rows: Sequence[P], why: PriceReason) -> PriceFound:
    since, step = max((row.valid_from, row.from_quantity) for row in rows)
    newest = {row.price / row.price_unit: row for row in rows if (row.valid_from, row.from_quantity) == (since, step)}
    if len(newest) > 1:
        raise AmbiguousPrice(day=since, count=len(newest))
    (row,) = newest.values()
    return PriceFound(row.price, row.price_unit, why, since, row.tier, row.from_quantity)


# gettext needs whole sentences: Chinese builds them in another order.
SENTENCES: dict[tuple[PriceReason, PriceTier], str] = {
    (PriceReason.OWN, PriceTier.ALL): N_("The price stated on the delivery itself."),
    (PriceReason.ORDER, PriceTier.ALL): N_("The price agreed for order {order_no}, from {since} on."),
    (PriceReason.ORDER, PriceTier.CUMULATIVE): N_(
        "The price agreed for order {order_no}, from {since} on, once {step} {unit} were delivered."
    ),
    (PriceReason.ORDER, PriceTier.DELIVERY): N_(
        "The price agreed for order {order_no}, from {since} on, for deliveries of {step} {unit} or more."
    ),
    (PriceReason.LIST, PriceTier.ALL): N_("The contract's price from {since} on."),
    (PriceReason.LIST, PriceTier.CUMULATIVE): N_(
        "The contract's price from {since} on, once {step} {unit} were delivered."
    ),
    (PriceReason.LIST, PriceTier.DELIVERY): N_(
        "The contract's price from {since} on, for deliveries of {step} {unit} or more."
    ),
}


def sentence(found: PriceFound, unit: str, order_no: str = "") -> str:
    """Why the price applies, in the reader's language. unit: the name that is shown after a figure."""
    tier = found.tier if found.from_quantity else PriceTier.ALL
    text = SENTENCES[found.why, tier]
    return render(text, {"since": found.since, "order_no": order_no, "step": found.from_quantity, "unit": unit})


def check_prices(prices: Sequence[PriceRow]) -> None:
    """Raise what keeps these prices of one line from saying one thing: TwoPrices, MixedScale, StepWithoutScale."""
    seen = set()
    scales: dict[tuple[date, str], PriceTier] = {}
    for n, price in enumerate(prices):
        key = (price.valid_from, price.order_no)
        if price.from_quantity and price.tier is PriceTier.ALL:
            raise StepWithoutScale(field=f"prices.{n}.tier")
        if (*key, price.from_quantity) in seen:
            raise TwoPrices(field=f"prices.{n}.valid_from", day=price.valid_from)
        if scales.setdefault(key, price.tier) is not price.tier:
            raise MixedScale(field=f"prices.{n}.tier", day=price.valid_from)
        seen.add((*key, price.from_quantity))
