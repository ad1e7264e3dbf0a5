"""The ledger at work, read back on both sides: calls, confirmations, goods, and two who want the last piece."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.contracts import service_commitments as commitments
from portal.contracts import service_periods
from portal.contracts.inputs_buckets import AllowOverCall, SetPeriods, SetTerms
from portal.contracts.model_buckets import Assignment, BucketCadence, Carry, Consequence
from portal.contracts.rules_buckets import NoPeriod, OverCeiling
from portal.contracts.service_commitments import TermsAgreed
from portal.contracts.service_periods import PeriodsInUse
from portal.core import invariants
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.settings import Settings
from portal.schedules import service
from portal.schedules.service import ConfirmLine, Split
from portal.schedules.service_release import CallOff, Generate, Publish, call_off, generate_lines, publish_release
from portal.shipments import service as shipping
from portal.shipments import service_ledger
from portal.shipments import service_receipts as receiving
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Problem
from portal.shipments.reads_ledger import drafted
from portal.shipments.service import NewShipment, ShippedLine
from tests.contracts.bucket_makers import (
    called,
    consumed,
    days,
    figures,
    make_committed,
    periods,
    span,
    typed,
)
from tests.contracts.makers import make_draft, step
from tests.factories import Made, Tenant, fetch, make_contract, make_deliveries, today

D = Decimal
STATE = "select count(*), coalesce(sum(quantity), 0) from bucket_entry where tenant_id = $1"


async def ledger_rows(tenant: Tenant) -> tuple[Any, ...]:
    (row,) = await fetch(tenant.factory, STATE, tenant.id)
    return tuple(row)


async def ship(tenant: Tenant, made: Made, line_id: Any, quantity: int, number: str = "ASN-1") -> Any:
    seller = tenant.factory if made.contract.direction is Direction.SALE else tenant.supplier
    note = NewShipment(number=number, lines=[ShippedLine(line_id=line_id, quantity=D(quantity))])
    async with unit_of_work(seller) as session:
        return await shipping.ship(session, seller, note)


async def receive(tenant: Tenant, made: Made, shipment: Any, good: int, problem: Problem | None = None) -> Any:
    buyer = tenant.customer if made.contract.direction is Direction.SALE else tenant.factory
    async with unit_of_work(buyer) as session:
        (line,) = await shipping.lines_of(session, buyer, shipment.id)
        count = CountedLine(shipment_line_id=line.id, good=D(good), problem=problem)
        return await receiving.receive(session, buyer, shipment.id, None, Receive(lines=[count]))


@pytest.mark.parametrize("direction", list(Direction))
async def test_every_document_writes_its_entry_and_both_sides_read_the_same(
    tenant: Tenant, direction: Direction
) -> None:
    made = await make_committed(tenant, direction=direction)
    line_id = await called(tenant, made, 100)
    assert await figures(tenant, made) == [{"called": 100}]

    seller = tenant.factory if direction is Direction.SALE else tenant.supplier
    split = ConfirmLine(splits=[Split(quantity=D(60), delivery_date=days(5))])
    async with unit_of_work(seller) as session:
        await service.confirm_line(session, seller, line_id, None, split)
    shipment = await ship(tenant, made, line_id, 100)
    assert await figures(tenant, made) == [{"called": 100, "confirmed": 60, "shipped": 100}]

    await receive(tenant, made, shipment, 90, Problem.DAMAGED)
    assert await figures(tenant, made) == [
        {"called": 100, "confirmed": 60, "shipped": 100, "received": 90, "returned": 10}
    ]
    (row,) = await periods(tenant.factory, made.contract)
    assert (row.sums.open, row.outlook.remaining, row.outlook.completion) == (D(10), D(0), D("0.9"))


async def test_a_stranger_and_a_colleague_restricted_to_another_contract_read_nothing(tenant: Tenant) -> None:
    from dataclasses import replace

    made = await make_committed(tenant)
    other = await make_committed(tenant)
    await called(tenant, made, 100)
    assert await periods(tenant.customer, made.contract) == []
    assert await fetch(tenant.customer, "select 1 from bucket_entry") == []
    clerk = replace(tenant.supplier, contract_ids=frozenset({other.contract.id}))
    assert await periods(clerk, made.contract) == []


async def test_drafts_consume_nothing_and_over_the_ceiling_nothing_is_published(tenant: Tenant) -> None:
    made = await make_committed(tenant)
    for quantity in (100, 60):
        order = CallOff(contract_line_id=made.line.id, quantity=D(quantity), due_date=days(5))
        async with unit_of_work(tenant.factory) as session:
            await call_off(session, tenant.factory, made.contract.id, order)
    assert await figures(tenant, made) == [{}]
    for reader, beside in ((tenant.factory, [D(160)]), (tenant.supplier, [])):  # shown apart, to the factory alone
        async with read(reader) as connection:
            assert list((await drafted(connection, reader, made.contract.id)).values()) == beside

    with pytest.raises(OverCeiling) as refused:
        async with unit_of_work(tenant.factory) as session:
            await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    assert refused.value.data["left"] == 20
    assert await ledger_rows(tenant) == (0, 0)
    rows = await fetch(tenant.factory, "select distinct status from schedule_line where tenant_id = $1", tenant.id)
    assert [row[0] for row in rows] == ["draft"]


async def test_a_call_beside_the_periods_is_refused_before_it_is_drafted(tenant: Tenant) -> None:
    made = await make_committed(tenant)
    order = CallOff(contract_line_id=made.line.id, quantity=D(10), due_date=days(60))
    with pytest.raises(NoPeriod):
        async with unit_of_work(tenant.factory) as session:
            await call_off(session, tenant.factory, made.contract.id, order)
    assert await fetch(tenant.factory, "select 1 from schedule_line where tenant_id = $1", tenant.id) == []


async def test_more_than_the_ceiling_needs_somebody_who_allows_it_with_a_reason(tenant: Tenant) -> None:
    made = await make_committed(tenant)
    await consumed(tenant.factory, made, 120)
    (row,) = await periods(tenant.factory, made.contract)
    allow = AllowOverCall(quantity=D(30), reason="Second line starts early")
    before = await ledger_rows(tenant)
    for actor, refusal in (
        (tenant.supplier, Forbidden),
        (tenant.as_role(tenant.factory, Role.WAREHOUSE), Forbidden),
    ):
        with pytest.raises(refusal):
            async with unit_of_work(actor) as session:
                await commitments.allow_over_call(session, actor, made.contract.id, row.id, allow)
    other = await make_committed(tenant)
    with pytest.raises(NotFound):
        async with unit_of_work(tenant.factory) as session:
            await commitments.allow_over_call(session, tenant.factory, other.contract.id, row.id, allow)
    assert await ledger_rows(tenant) == before

    async with unit_of_work(tenant.factory) as session:
        await commitments.allow_over_call(session, tenant.factory, made.contract.id, row.id, allow)
    await consumed(tenant.factory, made, 30)
    assert await figures(tenant, made) == [{"called": 150, "over_called": 30}]
    with pytest.raises(OverCeiling):
        await consumed(tenant.factory, made, 1)
    (entry,) = await fetch(tenant.supplier, "select member_name, reason from bucket_entry where kind = 'over_call'")
    assert tuple(entry) == ("Lena Vogt", "Second line starts early")


async def test_the_over_call_tolerance_leaves_a_trace_and_ends(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(0, 30, 80, 100, 100), terms=SetTerms(over_call_percent=D(10)))
    await consumed(tenant.factory, made, 50)
    await consumed(tenant.factory, made, 60)
    assert await figures(tenant, made) == [{"called": 110, "over_called": 10}]
    with pytest.raises(OverCeiling):
        await consumed(tenant.factory, made, 1)


async def test_eight_callers_race_for_the_last_piece_and_one_wins(tenant: Tenant) -> None:
    made = await make_committed(tenant)
    await consumed(tenant.factory, made, 119)
    outcomes = await asyncio.gather(*(consumed(tenant.factory, made, 1) for _ in range(8)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, OverCeiling)]
    assert (outcomes.count(None), len(refused)) == (1, 7)
    assert {outcome.data["left"] for outcome in refused} == {0}
    assert "0 of at most 120 are left" in str(refused[0])
    assert await figures(tenant, made) == [{"called": 120}]


async def test_what_is_cancelled_or_closed_short_goes_back(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(0, 60))
    far = await called(tenant, made, 40, in_days=40)  # outside the firm zone, so it can be cancelled
    async with unit_of_work(tenant.factory) as session:
        await service.cancel_line(session, tenant.factory, far, None)
    assert await figures(tenant, made) == [{}]
    (row,) = await periods(tenant.factory, made.contract)
    assert row.outlook.remaining == 100


async def test_a_closed_partly_received_order_gives_back_only_what_never_came(tenant: Tenant) -> None:
    made = await make_committed(tenant, terms=SetTerms())
    (line,) = await make_deliveries(tenant, made, [100], under_percent=D(10), over_percent=D(10))
    async with unit_of_work(tenant.factory) as session:
        await service_ledger.open_ledger(session, tenant.factory, made.contract)
    shipment = await ship(tenant, made, line.id, 95)
    receipt = await receive(tenant, made, shipment, 95)
    assert await figures(tenant, made) == [{"called": 95, "confirmed": 100, "shipped": 95, "received": 95}]

    async with unit_of_work(tenant.factory) as session:  # a miscount: it is open again, and consumes its whole order
        (shipped,) = await shipping.lines_of(session, tenant.factory, shipment.id)
        again = CountedLine(shipment_line_id=shipped.id, good=D(50), problem=Problem.NOT_ON_TRUCK)
        await receiving.correct_receipt(session, tenant.factory, receipt.id, Receive(lines=[again]))
    assert await figures(tenant, made) == [{"called": 100, "confirmed": 100, "shipped": 95, "received": 50}]


async def test_a_withdrawn_delivery_note_takes_its_entries_back(tenant: Tenant) -> None:
    made = await make_committed(tenant)
    shipment = await ship(tenant, made, await called(tenant, made, 100), 100)
    async with unit_of_work(tenant.supplier) as session:
        await shipping.withdraw(session, tenant.supplier, shipment.id, None)
    assert await figures(tenant, made) == [{"called": 100}]
    rows = await fetch(tenant.supplier, "select quantity from bucket_entry where kind = 'shipped' order by id")
    assert [row[0] for row in rows] == [100, -100]


async def test_by_despatch_goods_fill_older_open_periods_first(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-10, 2), span(2, 30), terms=SetTerms(assignment=Assignment.DESPATCH))
    await called(tenant, made, 30, in_days=1)
    later = await called(tenant, made, 100, in_days=9)
    shipment = await ship(tenant, made, later, 80)
    assert await figures(tenant, made) == [{"called": 30, "shipped": 80}, {"called": 100}]
    await receive(tenant, made, shipment, 80)
    assert [row["received"] for row in await figures(tenant, made) if "received" in row] == [80]


async def test_generated_deliveries_fit_their_periods(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=D(810), pack_size=D(40))
    async with unit_of_work(tenant.factory) as session:
        await service_periods.open_periods(session, tenant.factory, made.contract)
        await generate_lines(session, tenant.factory, made.contract.id, Generate())
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    rows = [row for row in await periods(tenant.factory, made.contract) if row.sums.called]
    assert len(rows) >= 25
    assert all(row.floor <= row.sums.called <= row.ceiling for row in rows[1:-1])
    query = "select sum(ordered_quantity) from schedule_line where tenant_id = $1"
    assert sum(row.sums.called for row in rows) == (await fetch(tenant.factory, query, tenant.id))[0][0]


async def test_activation_opens_the_periods_and_the_partner_sees_them_then(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    assert await periods(tenant.factory, contract) == []
    await step(tenant.factory, "propose", contract.id)
    await step(tenant.customer, "accept", contract.id)
    await step(tenant.factory, "activate", contract.id)
    ours = await periods(tenant.factory, contract)
    assert ours == await periods(tenant.customer, contract)
    assert ours[0].period_start == contract.valid_from
    assert ours[-1].period_end == contract.valid_to + timedelta(days=1)  # type: ignore[operator]
    assert await periods(tenant.supplier, contract) == []


async def test_a_drafts_terms_and_periods_are_the_factorys_own_until_it_is_proposed(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    (line_id,) = (
        row[0]
        for row in await fetch(tenant.factory, "select id from contract_line where contract_id = $1", contract.id)
    )
    data = SetPeriods(periods=[typed(span(0, 30)), typed(span(30, 60))])
    terms = SetTerms(shortfall_carry=Carry.NEXT, consequence=Consequence.DISCUSS)
    async with unit_of_work(tenant.factory) as session:
        await commitments.set_terms(session, tenant.factory, contract.id, terms, contract.version)
        changed = await commitments.set_periods(session, tenant.factory, contract.id, line_id, data)
    assert changed.version == 3
    for query in ("select 1 from commitment_bucket", "select 1 from commitment_terms"):
        assert await fetch(tenant.customer, query) == []
    await step(tenant.factory, "propose", contract.id)
    assert await periods(tenant.customer, contract) == await periods(tenant.factory, contract)
    assert len(await fetch(tenant.customer, "select 1 from commitment_terms")) == 1

    with pytest.raises(TermsAgreed):
        async with unit_of_work(tenant.factory) as session:
            await commitments.set_terms(session, tenant.factory, contract.id, SetTerms())
    with pytest.raises(Forbidden):
        async with unit_of_work(tenant.customer) as session:
            await commitments.set_terms(session, tenant.customer, contract.id, SetTerms())
    rows = await fetch(
        tenant.factory, "select shortfall_carry from commitment_terms where contract_id = $1", contract.id
    )
    assert [row[0] for row in rows] == ["next"]


async def test_periods_in_use_stay_as_they_are(tenant: Tenant) -> None:
    made = await make_committed(tenant)
    await consumed(tenant.factory, made, 10)
    with pytest.raises(PeriodsInUse):
        async with unit_of_work(tenant.factory) as session:
            await service_periods.write_periods(session, tenant.factory, made.contract, made.line, [span(0, 9)])
    assert await figures(tenant, made) == [{"called": 10}]


async def test_an_amendment_changes_what_is_to_come_and_keeps_what_was_used(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=D(800))
    async with unit_of_work(tenant.factory) as session:
        await service_periods.open_periods(session, tenant.factory, made.contract)
    await consumed(tenant.factory, made, 700, in_days=8)
    before = await periods(tenant.factory, made.contract)
    made.line.foq = D(400)
    async with unit_of_work(tenant.factory) as session:
        line = await session.merge(made.line)
        assert line.foq == 400
        await session.flush()
        await service_periods.refresh_periods(session, tenant.factory, made.contract, today())
    after = await periods(tenant.supplier, made.contract)
    assert [row.id for row in after] == [row.id for row in before]
    assert {row.target for row in after if row.period_start < today()} <= {D(800), *(row.target for row in before)}
    later = [row for row in after if row.period_start > today()]
    assert {row.target for row in later[:-1]} == {D(400)}
    assert sum(row.sums.called for row in later) == 700  # now above the ceiling, and shown so
    assert {row.cadence for row in after} == {BucketCadence.WEEK}


async def test_without_the_cached_sums_the_pages_figures_are_the_same(tenant: Tenant, database: Settings) -> None:
    import asyncpg

    from portal.core.db import asyncpg_dsn

    made = await make_committed(tenant, terms=SetTerms(over_call_percent=D(10)))
    await consumed(tenant.factory, made, 121)
    before = await periods(tenant.factory, made.contract)
    owner = await asyncpg.connect(asyncpg_dsn(str(database.database_url)))
    try:
        await owner.execute(
            "update commitment_bucket set consumed = 0, allowance = 0, tolerance_used = 0 where tenant_id = $1",
            tenant.id,
        )
        broken = await owner.fetch(f"select * from ({invariants.LEDGER_SUMS}) b where tenant_id = $1", tenant.id)
    finally:
        await owner.close()
    assert await periods(tenant.factory, made.contract) == before
    assert len(broken) == 1
