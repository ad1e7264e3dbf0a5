"""The price that applies and why: scales, orders, days, and every receipt of the real history."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contracts import service, service_drafts
from portal.contracts.inputs import NewPrice
from portal.contracts.model import PriceTier
from portal.contracts.rules import check_line
from portal.contracts.rules_prices import (
    AmbiguousPrice,
    MixedScale,
    PriceReason,
    StepWithoutScale,
    TwoPrices,
    check_prices,
    price_on,
    sentence,
)
from portal.contracts.rules_rates import NoRate, convert
from portal.core.db import unit_of_work
from portal.core.i18n import Language, speaking
from tests.contracts.makers import make_draft
from tests.factories import Tenant
from tests.sync.samples import history

D = Decimal
JAN, JUL = date(2026, 1, 1), date(2026, 7, 1)


def step(price: str, start: int, tier: PriceTier = PriceTier.CUMULATIVE, day: date = JAN, order: str = "") -> NewPrice:
    return NewPrice(valid_from=day, price=D(price), from_quantity=D(start), tier=tier, order_no=order)


SCALE = [step("12", 0), step("11", 1_000), step("10", 5_000)]


@pytest.mark.parametrize(
    ("before", "price"), [(0, "12"), (999, "12"), (1_000, "11"), (4_999, "11"), (5_000, "10"), (90_000, "10")]
)
def test_a_cumulative_scale_counts_what_was_delivered_before(before: int, price: str) -> None:
    found = price_on(SCALE, JUL, before=D(before), delivery=D(100_000))
    assert (found.price, found.tier) == (D(price), PriceTier.CUMULATIVE)


def test_a_scale_by_delivery_counts_this_delivery_alone() -> None:
    scale = [step("12", 0, PriceTier.DELIVERY), step("11", 500, PriceTier.DELIVERY)]
    assert price_on(scale, JUL, delivery=D(499), before=D(9_000)).price == D(12)
    assert price_on(scale, JUL, delivery=D(500)).price == D(11)


def test_a_newer_scale_replaces_the_older_one_and_an_order_has_its_own() -> None:
    newer = [*SCALE, step("9", 0, day=JUL), step("7", 5_000, order="PO-1"), step("8", 0, order="PO-1")]
    assert price_on(newer, JUL, before=D(6_000)).price == D(9)
    assert price_on(newer, JUL, "PO-1", before=D(6_000))[:3] == (D(7), D(1), PriceReason.ORDER)
    assert price_on(newer, JAN, "PO-2", before=D(6_000)).price == D(10)
    assert price_on(newer, JUL, "PO-1", own=D(0)).why is PriceReason.OWN


def test_the_sentence_says_why_in_both_languages() -> None:
    found = price_on(SCALE, JUL, before=D(1_200))
    assert sentence(found, "pcs").replace("\xa0", " ") == (
        "The contract's price from 1 Jan 2026 on, once 1,000 pcs were delivered."
    )
    with speaking(Language.ZH):
        assert sentence(found, "件") == "合同自 2026年1月1日起的价格，累计交货达到 1,000 件后适用。"
        assert sentence(price_on([], JAN, own=D(1)), "件") == "该笔交付自身注明的价格。"
    for why in (price_on(SCALE, JUL), price_on([step("1", 0, PriceTier.ALL)], JUL)):
        assert sentence(why, "pcs").replace("\xa0", " ") == "The contract's price from 1 Jan 2026 on."


@pytest.mark.parametrize(
    ("prices", "refusal", "field"),
    [
        ([step("1", 0), step("2", 0)], TwoPrices, "prices.1.valid_from"),
        ([step("1", 0), step("2", 9, PriceTier.DELIVERY)], MixedScale, "prices.1.tier"),
        ([step("1", 9, PriceTier.ALL)], StepWithoutScale, "prices.0.tier"),
    ],
)
def test_prices_that_say_two_things_are_refused(prices: list[NewPrice], refusal: type[Exception], field: str) -> None:
    with pytest.raises(refusal) as refused:
        check_prices(prices)
    assert refused.value.field == field  # type: ignore[attr-defined]


@given(st.lists(st.integers(0, 9_999), min_size=1, max_size=6, unique=True), st.integers(0, 12_000))
def test_a_falling_scale_never_asks_more_for_more(starts: list[int], before: int) -> None:
    scale = [step(str(100 - n), start) for n, start in enumerate(sorted({0, *starts}))]
    assert price_on(scale, JUL, before=D(before + 1)).price <= price_on(scale, JUL, before=D(before)).price


async def test_a_scale_is_written_step_by_step_and_a_step_is_replaced(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    async with unit_of_work(tenant.factory) as session:
        (line,) = await service.get_lines(session, tenant.factory, contract.id)
        for price in (step("12", 0, day=JUL), step("11", 1_000, day=JUL), step("10.5", 1_000, day=JUL)):
            await service_drafts.set_price(session, tenant.factory, contract.id, line.id, price)
        wrong = step("9", 2_000, PriceTier.DELIVERY, JUL)
        with pytest.raises(MixedScale) as refused:
            await service_drafts.set_price(session, tenant.factory, contract.id, line.id, wrong)
        found = await service.price_for(session, line, JUL, before=D(1_500))

    assert refused.value.field == "tier"
    assert (found.price, found.from_quantity) == (D("10.5"), D(1_000))


class PriceOnly(NamedTuple):
    """A line with a price and no quantity at all."""

    unit: str = "H87"
    foq: None = None
    cadence: None = None
    target_quantity: Decimal | None = None
    band_below_percent: Decimal = D(20)
    band_above_percent: Decimal = D(20)
    pack_size: Decimal = D(1)
    minimum_order: Decimal = D(0)
    under_percent: Decimal = D(0)
    over_percent: Decimal = D(0)
    firm_days: int = 28
    tradeoff_days: int = 63
    delivery_weekdays: tuple[int, ...] = ()
    take_or_pay_quantity: Decimal | None = None


def test_a_price_only_line_has_no_cap_and_a_zero_never_switches_one_off() -> None:
    from portal.contracts.rules import NotPositive, remaining_quantity

    check_line(PriceOnly())
    with pytest.raises(NotPositive):
        check_line(PriceOnly(target_quantity=D(0)))
    assert remaining_quantity(D(0), D(7)) == D(-7)


# The real history ----------------------------------------------------------------------------------------------------


def test_each_receipt_of_the_history_finds_the_price_that_applied() -> None:
    """By the list of its contract line, order and day; where the list is ambiguous the line's own price decides."""
    file = history()
    lists: dict[int, list[NewPrice]] = {}
    seen = set()
    for line, order, day, price in rows(file):
        if (key := (line, order, day, price)) not in seen:
            seen.add(key)
            lists.setdefault(line, []).append(NewPrice(valid_from=day, order_no=order, price=price))

    ambiguous = 0
    for line, order, day, price in rows(file):
        assert price_on(lists[line], day, order, own=price).price == price
        try:
            assert price_on(lists[line], day, order).price == price
        except AmbiguousPrice:
            ambiguous += 1
    groups: dict[tuple[int, str, date], set[Decimal]] = {}
    for line, order, day, price in rows(file):
        groups.setdefault((line, order, day), set()).add(price)
    assert sum(len(prices) > 1 for prices in groups.values()) == 44
    assert ambiguous == sum(len(groups[line, order, day]) > 1 for line, order, day, _ in rows(file))


def test_most_pairs_of_vendor_and_item_had_several_prices() -> None:
    file = history()
    pairs: dict[tuple[str, int], set[Decimal]] = {}
    for at, (line, _order, _day, price) in enumerate(rows(file)):
        contract_line = file.contract_lines[file.lines.contract_line[at]]
        assert contract_line is file.contract_lines[line]
        if price > 0:
            pairs.setdefault((file.contracts[contract_line.contract].vendor, contract_line.item), set()).add(price)
    assert (len(pairs), sum(len(prices) > 1 for prices in pairs.values())) == (450, 263)


def rows(file: object) -> list[tuple[int, str, date, Decimal]]:
    """Contract line, order, order date and price of every delivery."""
    lines = file.lines  # type: ignore[attr-defined]
    return list(zip(lines.contract_line, lines.order_no, lines.order_date, lines.price, strict=True))


# Rates ---------------------------------------------------------------------------------------------------------------


class Rate(NamedTuple):
    base: str
    quote: str
    day: date
    rate: Decimal


RATES = [Rate("EUR", "CNY", JAN, D("7.80")), Rate("EUR", "CNY", JUL, D("8")), Rate("CNY", "USD", JAN, D("0.14"))]


def test_amounts_are_converted_at_the_newest_rate_of_the_day_in_either_direction() -> None:
    assert convert(D(100), "EUR", "CNY", date(2026, 6, 30), RATES) == (D(780), JAN)
    assert convert(D(100), "EUR", "CNY", JUL, RATES) == (D(800), JUL)
    assert convert(D(800), "CNY", "EUR", JUL, RATES) == (D(100), JUL)
    assert convert(D(5), "CNY", "CNY", JUL, []) == (D(5), None)
    with pytest.raises(NoRate):
        convert(D(1), "EUR", "USD", JUL, RATES)
    with pytest.raises(NoRate):
        convert(D(1), "EUR", "CNY", date(2025, 12, 31), RATES)
