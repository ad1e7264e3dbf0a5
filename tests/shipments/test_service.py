"""Delivery notes: what the seller sends, what the other company reads back, and what a refusal leaves behind."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.ids import uuid7
from portal.core.states import WrongSide, WrongState
from portal.core.versions import Stale
from portal.schedules.model import ScheduleLine
from portal.shipments import rules, rules_documents, service
from portal.shipments.model import Shipment, ShipmentLine, ShipmentStatus
from portal.shipments.service import NewShipment, ShippedLine
from tests.factories import Tenant, fetch, make_contract, make_deliveries, rows_of, today

D = Decimal


def note(number: str, *lines: tuple[ScheduleLine, int], **more: Any) -> NewShipment:
    """A delivery note over so much of each line."""
    shipped = [ShippedLine(line_id=line.id, quantity=D(quantity)) for line, quantity in lines]
    return NewShipment(number=number, lines=shipped, **more)


async def send(actor: Actor, data: NewShipment) -> Shipment:
    async with unit_of_work(actor) as session:
        return await service.ship(session, actor, data)


async def sums(actor: Actor, line_id: UUID) -> tuple[Any, ...]:
    """Shipped quantity, version and status of a line as this company reads them."""
    (row,) = await fetch(actor, "select shipped_quantity, version, status from schedule_line where id = $1", line_id)
    return tuple(row)


async def nothing_was_sent(tenant: Tenant, *lines: ScheduleLine) -> bool:
    """No document, no sum, no history and no event."""
    counts = [(await fetch(tenant.factory, rows_of(model), tenant.id))[0][0] for model in (Shipment, ShipmentLine)]
    (told,) = await fetch(tenant.factory, "select count(*) from outbox where tenant_id = $1", tenant.id)
    (said,) = await fetch(tenant.factory, "select count(*) from timeline where tenant_id = $1", tenant.id)
    versions = [(await sums(tenant.factory, line.id))[:2] for line in lines]
    return [*counts, told[0], said[0]] == [0, 0, 0, 0] and all(found == (0, 1) for found in versions)


async def test_a_seller_ships_against_several_lines_and_the_buyer_reads_it(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, pack_size=D(40))
    first, second = await make_deliveries(tenant, made, [800, 400])
    data = note("ASN-07", (first, 800), (second, 380), carrier="Deppon", vehicle="苏B·7K218", expected_on=today())
    shipment = await send(tenant.supplier, data)

    async with unit_of_work(tenant.factory) as session:
        read = await service.get_shipment(session, tenant.factory, shipment.id)
        lines = await service.lines_of(session, tenant.factory, shipment.id)
    assert (read.number, read.status, read.carrier, read.vehicle) == ("ASN-07", "sent", "Deppon", "苏B·7K218")
    assert read.ship_to_code == "WUXI"
    assert len(read.scan_token) >= 20
    assert [(line.quantity, line.packages, line.package_size) for line in lines] == [
        (D(800), 20, D(40)),
        (D(380), None, None),
    ]
    assert await sums(tenant.factory, first.id) == (800, 2, "confirmed")
    assert await sums(tenant.factory, second.id) == (380, 2, "confirmed")

    history = await fetch(tenant.factory, "select subject, verb from timeline where tenant_id = $1", tenant.id)
    assert sorted(tuple(row) for row in history) == [("schedule_line", "shipped")] * 2 + [("shipment", "sent")]
    audit = await fetch(tenant.factory, "select action, transaction from audit where tenant_id = $1", tenant.id)
    told = await fetch(tenant.factory, "select name, data, transaction from outbox where tenant_id = $1", tenant.id)
    assert sorted(row["action"] for row in audit) == ["schedule_line.shipped"] * 2 + ["shipment.sent"]
    assert [row["name"] for row in told] == ["ShipmentSent"]
    assert len({row["transaction"] for row in [*audit, *told]}) == 1


async def test_a_factory_ships_to_its_customer(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment = await send(tenant.factory, note("ASN-1", (line, 800)))

    async with unit_of_work(tenant.customer) as session:
        read = await service.get_shipment(session, tenant.customer, shipment.id)
        assert service.actions(tenant.customer, read.status, read.direction) == ["receive"]
        assert service.actions(tenant.factory, read.status, read.direction) == ["change", "withdraw"]
    async with unit_of_work(tenant.supplier) as session:
        with pytest.raises(NotFound):
            await service.get_shipment(session, tenant.supplier, shipment.id)


@pytest.mark.parametrize("direction", list(Direction))
async def test_a_buyer_cannot_ship(tenant: Tenant, direction: Direction) -> None:
    made = await make_contract(tenant, direction)
    (line,) = await make_deliveries(tenant, made, [800])
    buyer = tenant.customer if direction is Direction.SALE else tenant.factory
    with pytest.raises(WrongSide):
        await send(buyer, note("ASN-1", (line, 800)))
    assert await nothing_was_sent(tenant, line)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.FINANCE])
async def test_roles_that_only_read_cannot_ship(tenant: Tenant, role: Role) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    with pytest.raises(Forbidden):
        await send(tenant.as_role(tenant.supplier, role), note("ASN-1", (line, 800)))
    assert await nothing_was_sent(tenant, line)


async def test_own_and_foreign_lines_on_one_note_are_all_refused(tenant: Tenant) -> None:
    (own,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    (foreign,) = await make_deliveries(tenant, await make_contract(tenant, Direction.SALE), [800])
    for other in (foreign.id, uuid7()):
        data = note("ASN-1", (own, 100))
        data.lines.append(ShippedLine(line_id=other, quantity=D(1)))
        with pytest.raises(NotFound):
            await send(tenant.supplier, data)
    with pytest.raises(rules_documents.MixedCompanies):
        await send(tenant.factory, note("ASN-1", (foreign, 100), (own, 100)))
    assert await nothing_was_sent(tenant, own, foreign)


async def test_lines_with_too_much_refuse_the_whole_note_and_all_of_them_are_named(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    fits, over, more = await make_deliveries(tenant, made, [100, 100, 100], over_percent=D(10))
    with pytest.raises(rules.OverShipped) as refused:
        await send(tenant.supplier, note("ASN-1", (fits, 100), (over, 111), (more, 200)))
    assert [one.field for one in refused.value.each()] == ["lines.1.quantity", "lines.2.quantity"]
    assert await nothing_was_sent(tenant, fits, over, more)


async def test_twenty_trucks_share_the_tolerance_of_their_line(tenant: Tenant) -> None:
    """10,000 + 2 %: twenty trucks of 510 fit exactly, and not one piece more."""
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [10_000], over_percent=D(2))
    for truck in range(20):
        await send(tenant.supplier, note(f"ASN-{truck}", (line, 510)))
    with pytest.raises(rules.OverShipped):
        await send(tenant.supplier, note("ASN-20", (line, 1)))
    assert await sums(tenant.factory, line.id) == (10_200, 21, "confirmed")


async def test_two_lots_of_one_line_are_checked_together(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [100])
    with pytest.raises(rules.OverShipped):
        await send(tenant.supplier, note("ASN-1", (line, 60), (line, 41)))
    assert await nothing_was_sent(tenant, line)
    await send(tenant.supplier, note("ASN-1", (line, 60), (line, 40)))
    assert await sums(tenant.factory, line.id) == (100, 2, "confirmed")


async def test_a_number_twice_in_a_year_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    await send(tenant.supplier, note("ASN-1", (line, 100)))
    with pytest.raises(rules_documents.DuplicateDeliveryNote) as refused:
        await send(tenant.supplier, note("ASN-1", (line, 200)))
    assert "ASN-1" in str(refused.value)
    assert await sums(tenant.factory, line.id) == (100, 2, "confirmed")
    last_year = today() - timedelta(days=366)
    async with unit_of_work(tenant.factory) as session:
        made.contract.valid_from = last_year
        session.add(made.contract)
    await send(tenant.supplier, note("ASN-1", (line, 200), shipped_on=last_year))
    assert await sums(tenant.factory, line.id) == (300, 3, "confirmed")


async def test_one_number_serves_another_company(tenant: Tenant) -> None:
    """Delivery note numbers are the seller's own; two companies may use the same."""
    (bought,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    (sold,) = await make_deliveries(tenant, await make_contract(tenant, Direction.SALE), [800])
    await send(tenant.supplier, note("1", (bought, 100)))
    await send(tenant.factory, note("1", (sold, 100)))


async def test_the_same_request_twice_is_one_shipment(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    data = note("ASN-1", (line, 800), request_id=uuid7())
    first, second = await asyncio.gather(send(tenant.supplier, data), send(tenant.supplier, data))
    assert first.id == second.id == data.request_id
    assert await sums(tenant.factory, line.id) == (800, 2, "confirmed")
    with pytest.raises(rules_documents.RequestReused):
        await send(tenant.supplier, data.model_copy(update={"number": "ASN-2"}))


async def test_parallel_notes_never_pass_the_tolerance(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [100], over_percent=D(10))
    notes = [note(f"ASN-{no}", (line, 30)) for no in range(8)]
    results = await asyncio.gather(*(send(tenant.supplier, each) for each in notes), return_exceptions=True)
    assert sum(isinstance(result, Shipment) for result in results) == 3
    assert sum(isinstance(result, rules.OverShipped) for result in results) == 5
    assert await sums(tenant.factory, line.id) == (90, 4, "confirmed")


async def test_crossing_notes_do_not_lock_each_other_out(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    first, second = await make_deliveries(tenant, made, [800, 800])
    notes = [note(f"A{no}", (first, 10), (second, 10)) for no in range(6)]
    notes += [note(f"B{no}", (second, 10), (first, 10)) for no in range(6)]
    await asyncio.gather(*(send(tenant.supplier, each) for each in notes))
    assert await sums(tenant.factory, first.id) == await sums(tenant.factory, second.id) == (120, 13, "confirmed")


@pytest.mark.parametrize("status", ["draft", "rejected", "closed", "cancelled"])
async def test_only_lines_that_wait_for_goods_are_shipped(tenant: Tenant, status: str) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800], status=status)
    with pytest.raises(WrongState):
        await send(tenant.factory, note("ASN-1", (line, 100)))
    assert await nothing_was_sent(tenant, line)


async def test_days_and_packages_must_make_sense(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    day = timedelta(days=1)
    with pytest.raises(rules_documents.DayAhead):
        await send(tenant.supplier, note("ASN-1", (line, 100), shipped_on=today() + day))
    with pytest.raises(rules_documents.TooEarly):
        await send(tenant.supplier, note("ASN-1", (line, 100), expected_on=today() - day))
    data = note("ASN-1", (line, 100))
    data.lines[0] = data.lines[0].model_copy(update={"packages": 3, "package_size": D(30)})
    with pytest.raises(rules_documents.PackagesDoNotFit):
        await send(tenant.supplier, data)
    assert await nothing_was_sent(tenant, line)


async def test_a_withdrawn_note_gives_its_quantities_back(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    first, second = await make_deliveries(tenant, made, [800, 400])
    shipment = await send(tenant.supplier, note("ASN-1", (first, 800), (second, 100)))
    async with unit_of_work(tenant.supplier) as session:
        with pytest.raises(Stale):
            await service.withdraw(session, tenant.supplier, shipment.id, 7)
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(WrongSide):
            await service.withdraw(session, tenant.factory, shipment.id, 1)
    async with unit_of_work(tenant.supplier) as session:
        await service.withdraw(session, tenant.supplier, shipment.id, 1)

    async with unit_of_work(tenant.factory) as session:
        read = await service.get_shipment(session, tenant.factory, shipment.id)
    assert (read.status, read.version) == (ShipmentStatus.WITHDRAWN, 2)
    assert await sums(tenant.factory, first.id) == (0, 3, "confirmed")
    assert await sums(tenant.factory, second.id) == (0, 3, "confirmed")
    async with unit_of_work(tenant.supplier) as session:
        with pytest.raises(WrongState):
            await service.withdraw(session, tenant.supplier, shipment.id, 2)
    told = await fetch(tenant.factory, "select name from outbox where tenant_id = $1 order by created_at", tenant.id)
    assert [row["name"] for row in told] == ["ShipmentSent", "ShipmentWithdrawn"]


async def test_a_restricted_colleague_ships_only_its_contracts(tenant: Tenant) -> None:
    mine, others = await make_contract(tenant, Direction.PURCHASE), await make_contract(tenant, Direction.PURCHASE)
    (own,) = await make_deliveries(tenant, mine, [800])
    (hidden,) = await make_deliveries(tenant, others, [800])
    colleague = replace(tenant.supplier, contract_ids=frozenset({mine.contract.id}))
    with pytest.raises(NotFound):
        await send(colleague, note("ASN-1", (own, 100), (hidden, 100)))
    with pytest.raises(NotFound):
        await send(colleague, note("ASN-1", (hidden, 100)))
    assert await nothing_was_sent(tenant, own, hidden)

    mixed = await send(tenant.supplier, note("ASN-1", (own, 100), (hidden, 100)))
    foreign = await send(tenant.supplier, note("ASN-2", (hidden, 100)))
    async with unit_of_work(colleague) as session:
        assert (await service.get_shipment(session, colleague, mixed.id)).number == "ASN-1"
        with pytest.raises(NotFound):
            await service.get_shipment(session, colleague, foreign.id)
        with pytest.raises(rules_documents.PartlyHidden):
            await service.withdraw(session, colleague, mixed.id, 1)
    assert await sums(tenant.factory, own.id) == (100, 2, "confirmed")
