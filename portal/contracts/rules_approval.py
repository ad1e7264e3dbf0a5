"""What an offer means in figures, for those who approve it before the partner is shown it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from portal.contracts.inputs import Agreed, AgreedLine, NewPrice
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on
from portal.core.calendars import DAY, periods
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.tables import ZERO

PERCENT = Decimal("0.000001")


class OfferStep(StrEnum):
    """What the factory is about to bind itself to."""

    PROPOSAL = "proposal"
    COUNTER = "counter"
    ACCEPTANCE = "acceptance"  # of what the partner offered
    AMENDMENT = "amendment"


class ContractMovedOn(Conflict):
    code = "contract-moved-on"
    text = N_("Contract {number} was changed after this approval was asked. Whoever asked has to send it again.")


@dataclass(frozen=True, slots=True)
class Figures:
    """The size of an offer, in the contract's currency. None: not known."""

    value: Decimal | None
    before: Decimal | None
    prices_changed: bool
    price_percent: Decimal | None  # the largest change of a price, with its sign

    @property
    def change(self) -> Decimal | None:
        return None if self.value is None or self.before is None else self.value - self.before

    @property
    def percent(self) -> Decimal | None:
        return _share(self.value, self.before)


def figures(after: Agreed, before: Agreed | None, day: date) -> Figures:
    """What an offer is worth, and how much that is more or less than what holds. before: none for a new contract."""
    if before is None:
        return Figures(value_of(after, day), None, False, None)
    changes = [_price_change(price, old.prices) for old, price in _new_prices(before, after)]
    known = [change for change in changes if change is not None]
    largest = max(known, key=abs, default=None)
    return Figures(value_of(after, day), value_of(before, day), bool(changes), largest)


def value_of(said: Agreed, day: date) -> Decimal | None:
    """Quantities over the validity times the prices of a day; none unless every quantity has a price.

    The quantity of a line is its target, else its fixed order quantity in each period of a contract with an end.
    """
    total = None
    for line in said.lines:
        quantity = _quantity(line, said)
        if quantity is None:
            continue
        try:
            price = price_on(line.prices, max(day, min((price.valid_from for price in line.prices), default=day)))
        except (NoPrice, AmbiguousPrice):
            return None
        total = (total or ZERO) + quantity * price.per_unit
    return total


def _quantity(line: AgreedLine, said: Agreed) -> Decimal | None:
    if line.target_quantity is not None:
        return line.target_quantity
    if line.foq is None or line.cadence is None or said.valid_to is None:
        return None
    return line.foq * sum(1 for _ in periods(line.cadence, said.valid_from, said.valid_to + DAY))


def _new_prices(before: Agreed, after: Agreed) -> Iterator[tuple[AgreedLine, NewPrice]]:
    """The prices of lines that both have, which only the later one says."""
    lines = {line.line_no: line for line in before.lines}
    for line in after.lines:
        old = lines.get(line.line_no)
        for price in line.prices if old is not None else ():
            if old is not None and price not in old.prices:
                yield old, price


def _price_change(price: NewPrice, former: Sequence[NewPrice]) -> Decimal | None:
    try:
        old = price_on(
            former, price.valid_from, price.order_no, delivery=price.from_quantity, before=price.from_quantity
        )
    except (NoPrice, AmbiguousPrice):
        return None
    return _share(price.price / price.price_unit, old.per_unit)


def _share(new: Decimal | None, old: Decimal | None) -> Decimal | None:
    """How much more than the old one, in per cent; none from nothing."""
    if new is None or old is None or old == 0:
        return None
    return ((new - old) / old * 100).quantize(PERCENT)


def months(said: Agreed) -> Decimal | None:
    """The length of the validity in months, a part of one as a whole; none without an end."""
    if said.valid_to is None:
        return None
    return Decimal((said.valid_to.year - said.valid_from.year) * 12 + said.valid_to.month - said.valid_from.month + 1)
