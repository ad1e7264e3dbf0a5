"""Quantities, units and money: never mixed, never float, rounded once."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.i18n import NBSP, Language, speaking
from portal.core.quantities import (
    UNITS,
    MixedUnits,
    Money,
    Quantity,
    TooFine,
    UnknownUnit,
    check_scale,
    check_unit,
    round_money,
    round_to_unit,
    show_money,
    show_quantity,
    signed_quantity,
)

D = Decimal
units = st.sampled_from(sorted(UNITS))
amounts = st.decimals(D("-99999999"), D("99999999"), places=6)
parts = st.lists(st.integers(0, 10**12), min_size=1, max_size=20)


def test_a_hundred_kilograms_and_two_grams_are_more_than_a_hundred() -> None:
    """Reported of another system: 100.002 accepted against 100 at 0 % tolerance."""
    assert round_to_unit(D("100.002"), "KGM") > D(100)


def test_a_piece_has_no_decimals() -> None:
    assert round_to_unit(D("100.002"), "H87") == D(100)
    with pytest.raises(TooFine) as refused:
        check_scale(D("100.002"), "H87")
    assert str(refused.value) == "100.002 has too many decimals: pcs is counted with 0 places."
    check_scale(D("100.000000"), "H87")


def test_halves_round_up_as_people_do() -> None:
    assert round_money(D("2.675"), "CNY") == D("2.68")
    assert round_to_unit(D("0.5"), "H87") == D(1)


def test_yen_have_no_cents_and_dinars_have_three_places() -> None:
    assert show_money(D("1280000.4"), "JPY") == f"JPY{NBSP}1,280,000"
    assert show_money(D("1.2345"), "KWD") == f"KWD{NBSP}1.235"


def test_an_unknown_unit_names_the_known_ones() -> None:
    with pytest.raises(UnknownUnit) as refused:
        check_unit("PCE")
    assert "H87" in str(refused.value)


def test_the_unit_is_shown_in_the_readers_language() -> None:
    assert show_quantity(D(1200), "H87") == f"1,200{NBSP}pcs"
    with speaking(Language.ZH):
        assert show_quantity(D(1200), "H87") == f"1,200{NBSP}件"


def test_units_and_currencies_refuse_to_mix() -> None:
    with pytest.raises(MixedUnits):
        Quantity(D(1), "H87") + Quantity(D(1), "KGM")
    with pytest.raises(MixedUnits):
        Money(D(1), "CNY") - Money(D(1), "USD")
    assert Quantity(D(2), "KGM") - Quantity(D(5), "KGM") == Quantity(D(-3), "KGM")


@given(parts)
def test_split_and_rejoin_leaves_no_residue(micros: list[int]) -> None:
    pieces = [D(n).scaleb(-6) for n in micros]
    whole = sum(pieces, D(0))
    assert whole - sum(reversed(pieces), D(0)) == 0
    assert Fraction(whole) == sum(Fraction(n, 10**6) for n in micros)


@given(amounts, units)
def test_rounding_is_idempotent_and_moves_by_half_a_step_at_most(amount: D, unit: str) -> None:
    rounded = round_to_unit(amount, unit)
    step = D(1).scaleb(-UNITS[unit][0])
    assert round_to_unit(rounded, unit) == rounded
    assert abs(rounded - amount) * 2 <= step


@given(st.integers(0, 10**6), st.integers(1, 5000))
def test_packs_to_pieces_and_back_is_exact(packs: int, per_pack: int) -> None:
    pieces = D(packs) * per_pack
    assert pieces / per_pack == packs


def test_a_difference_of_quantities_has_a_sign_and_a_unit() -> None:
    said = [signed_quantity(D(n), "H87") for n in (80, -80, 0)]
    assert said == [f"+80{NBSP}pcs", f"−80{NBSP}pcs", f"0{NBSP}pcs"]
