"""Contracts: who answers a proposal, what a line may say, the band, the price in force on a day."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contracts import rules, rules_life, rules_prices
from portal.contracts.model import Cadence, ContractStatus, PriceTier
from portal.contracts.rules import band, check_line
from portal.contracts.rules_life import contract_actions, contract_target
from portal.contracts.rules_prices import PriceReason, price_on
from portal.core.errors import PortalError
from portal.core.quantities import TooFine, UnknownUnit
from portal.core.states import Side, WrongState

D = Decimal
S = ContractStatus


class Terms(NamedTuple):
    """A good contract line; tests spoil one field."""

    unit: str = "H87"
    foq: Decimal | None = D(600)
    cadence: Cadence | None = Cadence.WEEK
    target_quantity: Decimal | None = D(12000)
    band_below_percent: Decimal = D(20)
    band_above_percent: Decimal = D(20)
    pack_size: Decimal = D(40)
    minimum_order: Decimal = D(80)
    under_percent: Decimal = D(0)
    over_percent: Decimal = D("2.50")
    firm_days: int = 28
    tradeoff_days: int = 63
    delivery_weekdays: tuple[int, ...] = (1, 3)
    take_or_pay_quantity: Decimal | None = None


class Price(NamedTuple):
    valid_from: date
    price: Decimal
    order_no: str = ""
    price_unit: Decimal = D(1)
    tier: PriceTier = PriceTier.ALL
    from_quantity: Decimal = D(0)


# Life --------------------------------------------------------------------------------------------------------------


def test_the_company_that_proposed_cannot_accept_its_own_proposal() -> None:
    with pytest.raises(rules_life.OwnProposal):
        contract_target(S.PROPOSED, "accept", Side.SELLER, proposed_by_us=True)
    assert contract_target(S.PROPOSED, "accept", Side.BUYER, proposed_by_us=False) is S.ACCEPTED


def test_the_answer_does_not_depend_on_who_sells() -> None:
    """The factory proposes as seller to its customers and as buyer to its suppliers."""
    for side in Side:
        assert contract_actions(S.PROPOSED, side, proposed_by_us=True) == ["withdraw"]
        assert contract_actions(S.PROPOSED, side, proposed_by_us=False) == ["accept", "counter", "decline"]


def test_a_proposal_is_withdrawn_by_its_company_only() -> None:
    with pytest.raises(rules_life.NotYourProposal):
        contract_target(S.PROPOSED, "withdraw", Side.SELLER, proposed_by_us=False)
    assert contract_target(S.PROPOSED, "withdraw", Side.SELLER, proposed_by_us=True) is S.DRAFT


def test_a_contract_in_force_has_no_way_back_to_draft() -> None:
    """Known mistake: an amendment sends the whole agreement back to draft and loses the version in force."""
    for status in (S.ACCEPTED, S.ACTIVE, S.COMPLETED):
        for action in ("propose", "decline", "withdraw"):
            with pytest.raises(WrongState):
                contract_target(status, action, Side.SELLER, proposed_by_us=action == "withdraw")


def test_one_used_up_line_does_not_complete_the_contract() -> None:
    with pytest.raises(rules_life.OpenLines) as refused:
        rules_life.check_completion(open_lines=3)
    assert str(refused.value).startswith("3 deliveries are still open.")
    rules_life.check_completion(open_lines=0)


def test_a_contract_that_has_ended_is_not_activated() -> None:
    rules_life.check_activation(date(2026, 12, 31), today=date(2026, 12, 31))
    rules_life.check_activation(None, today=date(2026, 12, 31))
    with pytest.raises(rules_life.AlreadyEnded):
        rules_life.check_activation(date(2026, 12, 31), today=date(2027, 1, 1))


def test_an_empty_contract_is_not_proposed() -> None:
    with pytest.raises(rules_life.NothingAgreed):
        rules_life.check_proposable(0)


def test_a_contract_may_last_one_day_and_use_any_currency() -> None:
    day = date(2026, 2, 28)
    rules.check_contract(day, day, "XOF")
    rules.check_contract(day, None, "CNY")
    with pytest.raises(rules.EndBeforeStart) as refused:
        rules.check_contract(day, date(2026, 2, 27), "USD")
    assert refused.value.field == "valid_to"
    with pytest.raises(rules.UnknownCurrency):
        rules.check_contract(day, None, "usd")


# Lines -------------------------------------------------------------------------------------------------------------


def test_a_good_line_and_a_pure_call_off_pass() -> None:
    check_line(Terms())
    check_line(Terms(foq=None, cadence=None, target_quantity=None, minimum_order=D(0), pack_size=D(1)))


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("unit", "PCS", UnknownUnit),
        ("cadence", None, rules.CadenceWithoutQuantity),
        ("foq", None, rules.CadenceWithoutQuantity),
        ("foq", D(0), rules.NotPositive),
        ("foq", D("600.5"), TooFine),
        ("pack_size", D(0), rules.NotPositive),
        ("minimum_order", D(100), rules.MinimumNotInPacks),
        ("minimum_order", D(-40), rules.NotNegative),
        ("minimum_order", D(640), rules.MinimumAboveQuantity),
        ("target_quantity", D(599), rules.TargetBelowQuantity),
        ("band_below_percent", D(101), rules.WrongPercent),
        ("over_percent", D("2.505"), rules.WrongPercent),
        ("under_percent", D(-1), rules.WrongPercent),
        ("firm_days", -1, rules.NotNegative),
        ("tradeoff_days", 27, rules.ZonesOutOfOrder),
        ("delivery_weekdays", (1, 1), rules.WrongWeekday),
        ("delivery_weekdays", (7,), rules.WrongWeekday),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, refusal: type[PortalError]) -> None:
    with pytest.raises(refusal) as refused:
        check_line(Terms()._replace(**{field: value}))
    assert refused.value.field == field
    assert "{" not in str(refused.value)


def test_a_zero_target_does_not_switch_the_cap_off() -> None:
    """Known mistake: zero quantity on a price-only contract. Empty means no total; zero is refused and caps at zero."""
    with pytest.raises(rules.NotPositive):
        check_line(Terms(target_quantity=D(0)))
    assert rules.remaining_quantity(D(0), consumed=D(10)) == D(-10)
    assert rules.remaining_quantity(None, consumed=D(10)) is None


def test_over_consumption_stays_visible() -> None:
    """Known mistake: remaining quantity clipped at zero."""
    assert rules.remaining_quantity(D(100), consumed=D(130)) == D(-30)


# Band --------------------------------------------------------------------------------------------------------------


def test_the_usual_band_of_600() -> None:
    assert band(D(600), D(20), D(20), D(40), "H87") == (D(480), D(600), D(720))


def test_a_fixed_quantity_has_a_band_of_zero() -> None:
    assert band(D(600), D(0), D(0), D(40), "H87") == (D(600), D(600), D(600))


def test_the_band_is_rounded_inwards_but_holds_the_packs_beside_the_target() -> None:
    assert band(D(100), D(20), D(20), D(30), "H87") == (D(90), D(100), D(120))
    assert band(D(100), D(0), D(0), D(30), "H87") == (D(90), D(100), D(120))
    assert band(D(33), D(10), D(10), D(1), "H87") == (D(30), D(33), D(36))


@given(st.integers(1, 10**6), st.integers(0, 100), st.integers(0, 300), st.integers(1, 5000))
def test_a_band_holds_its_target_and_is_in_whole_packs(foq: int, below: int, above: int, pack: int) -> None:
    floor, target, ceiling = band(D(foq), D(below), D(above), D(pack), "H87")
    assert 0 <= floor <= target <= ceiling
    assert floor % pack == ceiling % pack == 0
    assert floor >= target * (100 - below) / 100 or target - floor < pack
    assert ceiling <= target * (100 + above) / 100 or ceiling - target < pack


# Prices ------------------------------------------------------------------------------------------------------------

JAN, JUL = date(2026, 1, 1), date(2026, 7, 1)
LIST = [Price(JAN, D("4.20")), Price(JUL, D("4.00")), Price(JAN, D("3.90"), "SCMS-17")]


def test_the_latest_price_that_has_begun_applies() -> None:
    assert price_on(LIST, date(2026, 6, 30))[:4] == (D("4.20"), D(1), PriceReason.LIST, JAN)
    assert price_on(LIST, JUL)[:4] == (D("4.00"), D(1), PriceReason.LIST, JUL)


def test_an_orders_own_price_goes_before_the_list_and_never_to_another_order() -> None:
    assert price_on(LIST, JUL, "SCMS-17").why is PriceReason.ORDER
    assert price_on(LIST, JUL, "SCMS-18").price == D("4.00")
    with pytest.raises(rules_prices.NoPrice):
        price_on([Price(JAN, D(1), "SCMS-17")], JUL, "SCMS-18")


def test_before_the_first_price_there_is_none() -> None:
    with pytest.raises(rules_prices.NoPrice) as refused:
        price_on(LIST, date(2025, 12, 31))
    assert "31\u00a0Dec\u00a02025" in str(refused.value)


def test_two_prices_of_one_day_are_ambiguous_until_the_line_has_its_own() -> None:
    twice = [Price(JAN, D("4.20"), "SCMS-17"), Price(JAN, D("4.25"), "SCMS-17")]
    with pytest.raises(rules_prices.AmbiguousPrice):
        price_on(twice, JUL, "SCMS-17")
    assert price_on(twice, JUL, "SCMS-17", own=D("4.25"))[:4] == (D("4.25"), D(1), PriceReason.OWN, None)


def test_zero_is_a_price() -> None:
    assert price_on([], JAN, own=D(0)).price == 0
    assert price_on([Price(JAN, D(0))], JAN).price == 0


def test_a_price_per_hundred_is_the_same_price_as_one_per_piece() -> None:
    assert price_on([Price(JAN, D(420), price_unit=D(100)), Price(JAN, D("4.20"))], JAN).per_unit == D("4.20")
