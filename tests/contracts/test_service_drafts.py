"""Writing contracts: numbers, lines, prices, and nothing when one of them is wrong."""

import asyncio
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from portal.contracts import service, service_drafts
from portal.contracts.inputs import ChangeContract, ChangeLine, NewPrice
from portal.contracts.lines import UnknownItem
from portal.contracts.model import Cadence
from portal.contracts.rules import MinimumNotInPacks
from portal.contracts.rules_prices import NoPrice, PriceReason, TwoPrices
from portal.contracts.service_drafts import NoDraft, NumberTaken, RestrictedWriter, WrongPartner
from portal.core import clock
from portal.core.actor import Direction
from portal.core.calendars import local_today
from portal.core.db import unit_of_work
from portal.core.errors import Invalid
from portal.core.ids import uuid7
from tests.contracts.makers import head, history, make_draft, make_item, make_proposed, new_contract, new_line, step
from tests.factories import Tenant, fetch, today


async def test_a_restricted_writer_cannot_begin_contracts_it_would_not_see(tenant: Tenant) -> None:
    writer = replace(tenant.factory, contract_ids=frozenset())

    async with unit_of_work(writer) as session:
        with pytest.raises(RestrictedWriter):
            await service_drafts.create_contract(session, writer, new_contract(tenant))


async def test_quantities_and_prices_are_kept_to_the_last_of_six_decimals(tenant: Tenant) -> None:
    await make_item(tenant, "KG", category="")
    async with unit_of_work(tenant.factory) as session:
        line = new_line(
            "KG",
            unit="TNE",
            foq=Decimal("0.000003"),
            pack_size=Decimal("0.000001"),
            prices=[NewPrice(valid_from=today(), price=Decimal("123456789012.123457"))],
        )
        contract = await service_drafts.create_contract(
            session, tenant.factory, new_contract(tenant, Direction.SALE, line)
        )

    rows = await fetch(
        tenant.factory,
        "select l.foq::text, l.pack_size::text, p.price::text from contract_line l join contract_price p"
        " on p.contract_line_id = l.id where l.contract_id = $1",
        contract.id,
    )
    assert tuple(rows[0]) == ("0.000003", "0.000001", "123456789012.123457")


async def test_numbers_count_per_partner_and_direction_and_skip_what_was_typed(tenant: Tenant) -> None:
    year = local_today(clock.now(), tenant.factory.time_zone).year
    typed = await make_draft(tenant, number=f"FC-{year}-002")
    numbers = [(await make_draft(tenant)).number for _ in range(2)]
    bought = [(await make_draft(tenant, Direction.PURCHASE)).number for _ in range(2)]

    assert typed.number == f"FC-{year}-002"
    assert numbers == [f"FC-{year}-001", f"FC-{year}-003"]
    assert bought == [f"PC-{year}-001", f"PC-{year}-002"]  # a purchase is told from a sale by its number
    with pytest.raises(NumberTaken):
        await make_draft(tenant, number=numbers[0])


async def test_a_contract_needs_a_partner_who_trades_in_its_direction(tenant: Tenant) -> None:
    async with unit_of_work(tenant.factory) as session:
        for party_id in (tenant.supplier.party_id, tenant.factory.party_id, uuid7()):
            with pytest.raises(WrongPartner):
                await service_drafts.create_contract(
                    session, tenant.factory, new_contract(tenant, Direction.SALE, party_id=party_id)
                )


async def test_one_wrong_line_of_fifty_writes_nothing_and_names_its_place(tenant: Tenant) -> None:
    for n in range(3):
        await make_item(tenant, f"P{n}")
    good = [new_line(f"P{n % 3}") for n in range(50)]

    async def refused(line: Any, kind: type[Invalid]) -> str | None:
        lines = [*good[:30], line, *good[31:]]
        with pytest.raises(kind) as error:
            await make_draft(tenant, Direction.SALE, *lines)
        return error.value.field

    assert await refused(new_line("NONE"), UnknownItem) == "lines.30.item_code"
    assert await refused(new_line("P1", minimum_order=Decimal(50)), MinimumNotInPacks) == "lines.30.minimum_order"
    twice = [NewPrice(valid_from=today(), price=Decimal(n)) for n in (1, 2)]
    assert await refused(new_line("P1", prices=twice), TwoPrices) == "lines.30.prices.1.valid_from"
    for table in ("contract", "contract_line", "contract_price", "document_number"):
        rows = await fetch(tenant.factory, f"select count(*) from {table} where tenant_id = $1", tenant.id)
        assert rows[0][0] == 0


async def test_fifty_lines_with_prices_are_cost_well_under_fifty_milliseconds_of_work(tenant: Tenant) -> None:
    for n in range(50):
        await make_item(tenant, f"P{n:02}")
    took = []
    for _ in range(5):
        data = new_contract(tenant, Direction.SALE, *(new_line(f"P{n:02}") for n in range(50)))
        started = time.process_time()
        async with unit_of_work(tenant.factory) as session:
            contract = await service_drafts.create_contract(session, tenant.factory, data)
        took.append(time.process_time() - started)

    async with unit_of_work(tenant.factory) as session:
        lines = await service.get_lines(session, tenant.factory, contract.id)
    assert [line.line_no for line in lines] == list(range(1, 51))
    assert min(took) < 0.05, took


async def test_a_line_carries_the_item_the_part_number_and_the_place_as_agreed(tenant: Tenant) -> None:
    from portal.accounts.model import Site
    from portal.catalog.service import ChangeItem, NewPartNumber, add_part_number, change_item

    item = await make_item(tenant, "A100", revision="C")
    customer = tenant.customer.party_id
    async with unit_of_work(tenant.factory) as session:
        await add_part_number(session, tenant.factory, item.id, NewPartNumber(party_id=customer, part_no="AD-1"))
        session.add(
            Site(tenant_id=tenant.id, party_id=customer, code="WUX", name="Aurora Wuxi", country="CN", address="1 Road")
        )
    contract = await make_draft(tenant, Direction.SALE, new_line("A100", ship_to_code="WUX"))
    async with unit_of_work(tenant.factory) as session:
        await change_item(session, tenant.factory, item.id, ChangeItem(description="Coated", revision="D"))
    await step(tenant.factory, "propose", contract.id)

    async with unit_of_work(tenant.customer) as session:
        (line,) = await service.get_lines(session, tenant.customer, contract.id)
    assert (line.description, line.revision, line.partner_part_no) == ("Bearing housing", "C", "AD-1")
    assert (line.ship_to_country, line.ship_to_address, line.unit) == ("CN", "1 Road", "H87")


async def test_a_draft_is_changed_line_by_line_and_every_change_is_a_version(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    await make_item(tenant, "B210")
    factory = tenant.factory
    async with unit_of_work(factory) as session:
        added = await service_drafts.add_line(session, factory, contract.id, new_line("B210"), 1)
        change = ChangeLine(foq=Decimal(80), cadence=Cadence.MONTH, pack_size=Decimal(20))
        await service_drafts.change_line(session, factory, contract.id, added.id, change, 2)
        price = NewPrice(valid_from=date(2026, 1, 1), price=Decimal(9))
        await service_drafts.set_price(session, factory, contract.id, added.id, price, 3)
        later = await service_drafts.set_price(
            session, factory, contract.id, added.id, NewPrice(valid_from=date(2026, 7, 1), price=Decimal(8)), 4
        )
        await service_drafts.remove_price(session, factory, contract.id, added.id, later.id, 5)
        first = (await service.get_lines(session, factory, contract.id))[0]
        await service_drafts.remove_line(session, factory, contract.id, first.id, 6)
        head_terms = ChangeContract(currency="EUR", valid_from=today(), number="K-1", title="Housings")
        await service_drafts.change_contract(session, factory, contract.id, head_terms, 7)

    async with unit_of_work(factory) as session:
        after = await service.get_contract(session, factory, contract.id)
        lines = await service.get_lines(session, factory, contract.id)
        prices = await service.get_prices(session, factory, contract.id)
    assert (after.version, after.currency, after.number, after.valid_to) == (8, "EUR", "K-1", None)
    assert [(line.line_no, line.item_code, line.foq, line.cadence) for line in lines] == [
        (2, "B210", Decimal(80), Cadence.MONTH)
    ]
    assert [(price.valid_from, price.price) for price in prices[added.id]] == [(date(2026, 1, 1), Decimal(9))]
    assert [version for _, version in await history(factory, contract.id)] == list(range(1, 9))


async def test_the_text_of_a_proposed_contract_stands_still(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    factory = tenant.factory

    async with unit_of_work(factory) as session:
        (line,) = await service.get_lines(session, factory, contract.id)
        price = NewPrice(valid_from=today(), price=Decimal(1))
        for attempt in (
            service_drafts.add_line(session, factory, contract.id, new_line(line.item_code)),
            service_drafts.change_line(session, factory, contract.id, line.id, ChangeLine()),
            service_drafts.remove_line(session, factory, contract.id, line.id),
            service_drafts.set_price(session, factory, contract.id, line.id, price),
            service_drafts.change_contract(
                session, factory, contract.id, ChangeContract(currency="EUR", valid_from=today())
            ),
        ):
            with pytest.raises(NoDraft):
                await attempt

    assert await head(factory, contract.id) == ("proposed", 2, True, None)


async def test_the_price_of_a_day_is_the_orders_own_before_the_lists(tenant: Tenant) -> None:
    await make_item(tenant, "A100")
    prices = [
        NewPrice(valid_from=date(2026, 1, 1), price=Decimal(10)),
        NewPrice(valid_from=date(2026, 7, 1), price=Decimal(11)),
        NewPrice(valid_from=date(2026, 1, 1), price=Decimal(9), order_no="PO-1"),
    ]
    contract = await make_draft(tenant, Direction.SALE, new_line("A100", prices=prices))

    async with unit_of_work(tenant.factory) as session:
        (line,) = await service.get_lines(session, tenant.factory, contract.id)
        before = await service.price_for(session, line, date(2026, 6, 30))
        after = await service.price_for(session, line, date(2026, 7, 1))
        order = await service.price_for(session, line, date(2026, 7, 1), "PO-1")
        with pytest.raises(NoPrice):
            await service.price_for(session, line, date(2025, 12, 31))
    assert (before.price, after.price, order.price) == (Decimal(10), Decimal(11), Decimal(9))
    assert order.why is PriceReason.ORDER


async def test_contracts_written_at_once_get_numbers_of_their_own(tenant: Tenant) -> None:
    await make_item(tenant, "A100")

    made = await asyncio.gather(*(make_draft(tenant, Direction.SALE, new_line("A100")) for _ in range(6)))

    year = local_today(clock.now(), tenant.factory.time_zone).year
    assert sorted(contract.number for contract in made) == [f"FC-{year}-{n:03}" for n in range(1, 7)]
