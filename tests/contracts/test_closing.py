"""The end of periods, and the law of the ledger: whatever happens, both sides read the same sums and none is lost."""

from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.outbox import Tenant as Place
from jobs.periods import close_periods
from portal.contracts import service_buckets
from portal.contracts.events import PeriodClosed
from portal.contracts.inputs_buckets import AllowOverCall, SetTerms
from portal.contracts.model_buckets import Assignment, Carry, Consequence
from portal.contracts.rules_buckets import OverCeiling
from portal.contracts.service import get_line
from portal.contracts.service_buckets import Goods
from portal.contracts.service_commitments import PeriodOver, allow_over_call
from portal.contracts.service_periods import open_periods, refresh_periods
from portal.core.actor import Direction
from portal.core.db import driver, unit_of_work
from portal.core.ids import uuid7
from portal.schedules import service
from tests.contracts.bucket_makers import called, consumed, days, figures, make_committed, periods, span
from tests.factories import ZONE, Made, Tenant, fetch, make_contract

D = Decimal
THREE = (span(0, 10), span(10, 20), span(20, 30))


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(ZONE))


async def close(tenant: Tenant, day: date, hour: int = 12) -> int:
    return await close_periods(Place(tenant.id, tenant.factory.party_id), at(day, hour))


async def test_a_period_closes_on_its_day_in_the_contracts_zone_and_a_second_run_writes_nothing(tenant: Tenant) -> None:
    made = await make_committed(tenant, *THREE, terms=SetTerms(shortfall_carry=Carry.NEXT))
    await consumed(tenant.factory, made, 90)
    assert await close(tenant, days(9), 23) == 0
    assert await close(tenant, days(10), 0) == 1
    assert await figures(tenant, made) == [{"called": 90, "carried_out": -10}, {"carried_in": 10}, {}]
    assert await close(tenant, days(10)) == 0
    first, second, _ = await periods(tenant.supplier, made.contract)
    assert (first.target, first.outlook.remaining) == (D(100), D(0))  # never an edited target
    assert second.target == 100
    assert second.outlook[:3] == (D(90), D(110), D(130))
    rows = await fetch(tenant.supplier, "select data from timeline where verb = 'period_closed'")
    assert [(row[0]["missing"], row[0]["carried"], row[0]["consequence"]) for row in rows] == [
        ("0", "10.000000", "none")
    ]
    query = "select count(*) from outbox where name = $1 and tenant_id = $2"
    assert (await fetch(tenant.factory, query, PeriodClosed.__name__, tenant.id))[0][0] == 1


async def test_what_is_carried_may_be_called_off_and_an_excess_may_not(tenant: Tenant) -> None:
    made = await make_committed(tenant, *THREE, terms=SetTerms(shortfall_carry=Carry.NEXT, excess_carry=Carry.NEXT))
    await consumed(tenant.factory, made, 90)
    await close(tenant, days(10))
    await consumed(tenant.factory, made, 130, in_days=12)
    await close(tenant, days(20))
    assert (await figures(tenant, made))[2] == {"carried_in": -20}
    with pytest.raises(OverCeiling) as refused:
        await consumed(tenant.factory, made, 101, in_days=22)
    assert refused.value.data["left"] == 100


async def test_what_stays_below_the_floor_has_its_consequence(tenant: Tenant) -> None:
    made = await make_committed(tenant, *THREE, terms=SetTerms(consequence=Consequence.INVOICE))
    await consumed(tenant.factory, made, 70)
    await close(tenant, days(10))
    (row,) = await fetch(tenant.supplier, "select data from timeline where verb = 'period_closed'")
    assert (D(row[0]["missing"]), row[0]["consequence"], row[0]["since"]) == (D(10), "invoice", str(days(0)))


async def test_a_delivery_given_back_after_the_end_corrects_what_was_carried(tenant: Tenant) -> None:
    spans = (span(0, 45), span(45, 60))
    made = await make_committed(tenant, *spans, terms=SetTerms(shortfall_carry=Carry.TO_END))
    line_id = await called(tenant, made, 40, in_days=40)
    await close(tenant, days(45))
    assert await figures(tenant, made) == [{"called": 40, "carried_out": -60}, {"carried_in": 60}]
    async with unit_of_work(tenant.factory) as session:
        await service.cancel_line(session, tenant.factory, line_id, None)
    assert await close(tenant, days(46)) == 1
    assert await figures(tenant, made) == [{"carried_out": -100}, {"carried_in": 100}]
    assert await close(tenant, days(46)) == 0


async def test_nobody_allows_an_over_call_of_a_closed_period(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-20, -1), span(-1, 20))
    await close(tenant, days(0))
    first, _ = await periods(tenant.factory, made.contract)
    allow = AllowOverCall(quantity=D(1), reason="too late")
    with pytest.raises(PeriodOver):
        async with unit_of_work(tenant.factory) as session:
            await allow_over_call(session, tenant.factory, made.contract.id, first.id, allow)
    assert await figures(tenant, made) == [{}, {}]


async def test_a_contract_without_an_end_always_has_periods_ahead(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE, foq=D(800))
    async with unit_of_work(tenant.factory) as session:
        contract = await session.merge(made.contract)
        contract.valid_to = None
        await session.flush()
        await open_periods(session, tenant.factory, contract)
    before = await periods(tenant.factory, made.contract)
    async with unit_of_work(tenant.factory) as session:  # as if the last year had never been opened
        query = "delete from commitment_bucket where tenant_id = $1 and period_start > $2"
        await (await driver(session)).execute(query, tenant.id, days(300))
    await close(tenant, days(0))
    after = await periods(tenant.customer, made.contract)
    assert [(row.period_start, row.target) for row in after] == [(row.period_start, row.target) for row in before]


# --- the law ----------------------------------------------------------------------------------------------------------

Step = tuple[str, int, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(1, 90), st.sampled_from([3, 13, 23])),
        st.tuples(st.just("allow"), st.integers(1, 40), st.integers(0, 2)),
        st.tuples(st.just("give_back"), st.integers(1, 60), st.integers(0, 2)),
        st.tuples(st.just("receive"), st.integers(1, 60), st.integers(0, 2)),
        st.tuples(st.just("close"), st.sampled_from([10, 20, 30]), st.just(0)),
        st.tuples(st.just("amend"), st.integers(50, 150), st.sampled_from([10, 20])),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.sampled_from([Carry.NONE, Carry.NEXT, Carry.TO_END]), st.sampled_from([Carry.NONE, Carry.NEXT]))
async def test_whatever_happens_the_ledger_is_one_and_never_passes_its_ceiling_unasked(
    tenant: Tenant, steps: list[Step], shortfall: Carry, excess: Carry
) -> None:
    terms = SetTerms(shortfall_carry=shortfall, excess_carry=excess, over_call_percent=D(5))
    made = await make_committed(tenant, *THREE, terms=terms)
    for step in steps:
        await take_step(tenant, made, step)
    rows = await periods(tenant.factory, made.contract)
    assert rows == await periods(tenant.supplier, made.contract)
    assert sum(row.sums.carried_in + row.sums.carried_out for row in rows) == 0
    cached = await fetch(
        tenant.supplier,
        "select id, consumed, allowance, tolerance_used from commitment_bucket where contract_id = $1",
        made.contract.id,
    )
    kept = {row["id"]: row for row in cached}
    for row in rows:
        moved = row.sums.carried_in + row.sums.carried_out + row.sums.over_called
        assert kept[row.id]["consumed"] == row.sums.called
        assert kept[row.id]["allowance"] + kept[row.id]["tolerance_used"] == moved


async def take_step(tenant: Tenant, made: Made, step: Step) -> None:
    """One thing that companies do to a ledger; a refusal is one of its answers."""
    name, quantity, where = step
    rows = await periods(tenant.factory, made.contract)
    match name:
        case "call":
            try:
                await consumed(tenant.factory, made, quantity, in_days=where)
            except OverCeiling:
                assert await periods(tenant.factory, made.contract) == rows
            else:  # only what is agreed, carried or explicitly allowed
                after = await periods(tenant.factory, made.contract)
                (row,) = [row for row in after if row.period_start <= days(where) < row.period_end]
                moved = row.sums.carried_in + row.sums.carried_out + row.sums.over_called
                assert row.sums.called <= row.ceiling + moved
        case "allow":
            async with unit_of_work(tenant.factory) as session:
                try:
                    allow = AllowOverCall(quantity=D(quantity), reason="agreed")
                    await allow_over_call(session, tenant.factory, made.contract.id, rows[where].id, allow)
                except PeriodOver:
                    assert rows[where].closed_at is not None
        case "close":
            await close(tenant, days(quantity))
        case _:
            await change(tenant, made, step)


async def change(tenant: Tenant, made: Made, step: Step) -> None:
    """A call is given back, goods come, or an amendment sets another target for what is to come."""
    name, quantity, where = step
    rows = await periods(tenant.factory, made.contract)
    async with unit_of_work(tenant.factory) as session:
        if name == "give_back":
            amount = min(D(quantity), rows[where].sums.called)
            ids = (made.contract.party_id, rows[where].id, uuid7())
            await service_buckets.give_back(session, tenant.factory, *ids, amount)
            return
        if name == "receive":
            goods = Goods(
                uuid7(), made.contract.party_id, rows[where].id, Assignment.REQUESTED, D(quantity), D(quantity)
            )
            await service_buckets.book_goods(session, tenant.factory, "receipt", uuid7(), days(0), [goods])
            return
        line = await get_line(session, tenant.factory, made.contract.id, made.line.id)
        limits = {"floor": "0", "target": str(quantity), "ceiling": str(quantity)}
        listed = (line.typed_periods or {})["periods"]
        later = [one | limits if one["start"] >= days(where).isoformat() else one for one in listed]
        line.typed_periods = {"cadence": "custom", "periods": later}
        await session.flush()
        document = ("contract_revision", uuid7())
        await refresh_periods(session, tenant.factory, made.contract, days(where), document)
