"""Quantities with a UN/ECE unit and money with an ISO 4217 currency. Never float; rounded once, on the way out."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from portal.core.errors import Invalid
from portal.core.i18n import N_, NBSP, _, number

SCALE = Decimal("0.000001")  # what NUMERIC(18,6) keeps

# UN/ECE Recommendation 20 and 21 code -> (decimal places that have a meaning, name as shown after a figure)
UNITS: dict[str, tuple[int, str]] = {
    "H87": (0, N_("pcs")),
    "XPK": (0, N_("packs")),
    "XBX": (0, N_("boxes")),
    "SET": (0, N_("sets")),
    "PR": (0, N_("pairs")),
    "KGM": (3, N_("kg")),
    "GRM": (3, N_("g")),
    "TNE": (6, N_("t")),
    "MTR": (3, N_("m")),
    "MTK": (3, N_("m²")),
    "MTQ": (3, N_("m³")),
    "LTR": (3, N_("l")),
}
STEPS = {unit: Decimal(1).scaleb(-places) for unit, (places, _name) in UNITS.items()}  # the smallest quantity of each
ONE = {"packs": "pack", "boxes": "box", "sets": "set", "pairs": "pair"}  # English alone counts one in another form
CURRENCY_PLACES = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "KWD": 3, "BHD": 3, "TND": 3}  # all others: 2


class UnknownUnit(Invalid):
    code = "unknown-unit"
    text = N_("“{unit}” is not a known unit. Use one of: {known}.")


class MixedUnits(Invalid):
    code = "mixed-units"
    text = N_("{left} and {right} cannot be added: the units differ.")


class TooFine(Invalid):
    code = "too-fine"
    text = N_("{quantity} has too many decimals: {unit} is counted with {places} places.")


def check_unit(unit: str) -> None:
    """Raise UnknownUnit unless the code is one the portal can show and round."""
    if unit not in UNITS:
        raise UnknownUnit(field="unit", unit=unit, known=", ".join(UNITS))


def check_scale(quantity: Decimal, unit: str, field: str = "quantity") -> None:
    """Raise TooFine when the quantity has more decimals than its unit has a meaning for."""
    places = UNITS[unit][0]
    if quantity != round_to_unit(quantity, unit):
        raise TooFine(field=field, quantity=quantity, unit=UNITS[unit][1], places=places)


def round_to_unit(quantity: Decimal, unit: str) -> Decimal:
    """The quantity at the unit's precision, half up. 100.002 pieces are 100 pieces."""
    return quantity.quantize(STEPS[unit], rounding=ROUND_HALF_UP)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """The amount at the currency's smallest unit, half up."""
    return amount.quantize(Decimal(1).scaleb(-CURRENCY_PLACES.get(currency, 2)), rounding=ROUND_HALF_UP)


def show_quantity(quantity: Decimal, unit: str) -> str:
    """1,200 pcs or 1,200 件, with a no-break space."""
    name = _(UNITS[unit][1])
    return f"{number(quantity)}{NBSP}{ONE.get(name, name) if quantity == 1 else name}"


def signed_quantity(difference: Decimal, unit: str) -> str:
    """+80 pcs or −80 pcs; 0 pcs without a sign."""
    return ("+" if difference > 0 else "") + show_quantity(difference, unit)


def show_money(amount: Decimal, currency: str) -> str:
    """CNY 1,280,000.00: the ISO code first, so that no reader takes one dollar for another."""
    return f"{currency}{NBSP}{number(round_money(amount, currency), CURRENCY_PLACES.get(currency, 2))}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """So much of a unit. Two units never mix."""

    value: Decimal
    unit: str

    def __add__(self, other: Self) -> "Quantity":
        self._same(other)
        return Quantity(self.value + other.value, self.unit)

    def __sub__(self, other: Self) -> "Quantity":
        self._same(other)
        return Quantity(self.value - other.value, self.unit)

    def _same(self, other: Self) -> None:
        if self.unit != other.unit:
            raise MixedUnits(left=str(self), right=str(other))

    def __str__(self) -> str:
        return show_quantity(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Money:
    """So much of a currency. Two currencies never mix."""

    value: Decimal
    currency: str

    def __add__(self, other: Self) -> "Money":
        self._same(other)
        return Money(self.value + other.value, self.currency)

    def __sub__(self, other: Self) -> "Money":
        self._same(other)
        return Money(self.value - other.value, self.currency)

    def _same(self, other: Self) -> None:
        if self.currency != other.currency:
            raise MixedUnits(left=str(self), right=str(other))

    def __str__(self) -> str:
        return show_money(self.value, self.currency)
