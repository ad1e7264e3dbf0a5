"""Lists and the documents behind a figure: the same rule of sight everywhere, and only what is in force counts."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from portal.core.actor import Direction
from portal.core.db import read
from portal.core.errors import NotFound
from portal.core.i18n import NBSP, Language, speaking
from portal.shipments import reads, reads_board, reads_open
from portal.shipments.counting import Receive
from portal.shipments.model import Problem
from portal.shipments.reads import ShipmentFilter, View
from tests.factories import Tenant, make_contract, make_deliveries, today
from tests.shipments.makers import correct, counting, receive, sent

D = Decimal


async def test_figures_open_to_documents_and_a_replaced_one_counts_nothing(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, (announced,) = await sent(tenant, (line, 800))
    receipt = await receive(tenant.factory, shipment, Receive())
    await correct(tenant.factory, receipt, counting(announced, 760, Problem.DAMAGED))

    for reader in (tenant.supplier, tenant.factory):
        async with read(reader) as connection:
            with speaking(Language.ZH):
                documents = await reads.documents_of(connection, reader, line.id)
            by_day = await reads_board.received_by_day(connection, reader, made.line.id)
        assert [(d.kind, d.quantity, d.note) for d in documents] == [
            ("Delivery note", D(800), ""),
            ("Receipt", D(0), "已被更正替代"),
            ("Receipt", D(760), f"拒收 40{NBSP}件 · 货物破损"),
        ]
        assert by_day == [(today(), D(760))]
    async with read(tenant.customer) as connection:
        assert await reads.documents_of(connection, tenant.customer, line.id) == []


async def test_what_waits_is_the_buyers_until_it_is_counted(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    lines = await make_deliveries(tenant, made, [800, 400])
    shipment, (one, _) = await sent(tenant, (lines[0], 800), (lines[1], 400), direction=Direction.SALE)
    for actor, waits in ((tenant.customer, 1), (tenant.factory, 0), (tenant.supplier, 0)):
        async with read(actor) as connection:
            assert len(await reads.to_receive(connection, actor, 10)) == waits
    await receive(tenant.customer, shipment, counting(one, 800))
    async with read(tenant.customer) as connection:
        assert len(await reads.to_receive(connection, tenant.customer, 10)) == 1
    await receive(tenant.customer, shipment, Receive(), version=2)
    async with read(tenant.customer) as connection:
        assert await reads.to_receive(connection, tenant.customer, 10) == []
        wanted = ShipmentFilter(View.RECEIVED, contract_id=made.contract.id)
        assert len(await reads.list_shipments(connection, tenant.customer, wanted, None, 10)) == 1


async def test_list_and_detail_hide_the_same_documents_from_a_restricted_colleague(tenant: Tenant) -> None:
    mine, other = await make_contract(tenant, Direction.SALE), await make_contract(tenant, Direction.SALE)
    (own,) = await make_deliveries(tenant, mine, [800])
    (hidden,) = await make_deliveries(tenant, other, [400])
    mixed, _ = await sent(tenant, (own, 800), (hidden, 100), direction=Direction.SALE)
    foreign, _ = await sent(tenant, (hidden, 300), direction=Direction.SALE)
    colleague = replace(tenant.customer, contract_ids=frozenset({mine.contract.id}))
    async with read(colleague) as connection:
        (row,) = await reads.list_shipments(connection, colleague, ShipmentFilter(), None, 10)
        assert (row.id, row.lines) == (mixed.id, 1)
        assert [line.schedule_line_id for line in await reads.note_lines(connection, colleague, mixed.id)] == [own.id]
        assert [row.id for row in await reads.to_receive(connection, colleague, 10)] == [mixed.id]
        assert await reads.find_shipments(connection, colleague, typed=foreign.number) == []
        assert await reads.documents_of(connection, colleague, hidden.id) == []
        for refused in (reads.get_shipment, reads.scan_token):
            with pytest.raises(NotFound):
                await refused(connection, colleague, foreign.id)
    await receive(colleague, mixed, Receive())
    async with read(colleague) as connection:
        assert await reads.to_receive(connection, colleague, 10) == []


async def test_what_is_left_to_ship_counts_shortages_and_rejections_again(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    line, later = await make_deliveries(tenant, made, [800, 400])
    shipment, (announced,) = await sent(tenant, (line, 700))
    seller = tenant.supplier

    async def left() -> list[Decimal]:
        async with read(seller) as connection:
            lines = await reads_open.open_lines(connection, seller, made.contract.id, today())
            assert [contract.lines for contract in await reads_open.open_contracts(connection, seller)] == [2]
            return [each.left for each in lines]

    assert await left() == [100]
    await receive(tenant.factory, shipment, counting(announced, 650, Problem.DAMAGED))
    assert await left() == [150]
    async with read(seller) as connection:
        assert (await reads_open.open_line(connection, seller, later.id)).due_date == today() + timedelta(days=1)
    async with read(tenant.factory) as connection:
        assert await reads_open.open_contracts(connection, tenant.factory) == []
        with pytest.raises(NotFound):
            await reads_open.contract_head(connection, tenant.factory, made.contract.id)
