"""Penalties for late deliveries: days, cap, price, version in force, and the same figures on both sides."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from portal.app import create_app
from portal.contracts.model import Contract
from portal.contracts.model_buckets import PriceBasis
from portal.contracts.rules_penalties import Clause, days_late, price_day
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.settings import Settings
from portal.schedules.model import ScheduleLine
from portal.shipments.service_penalties import Penalties, penalties
from tests.accounts.browser import text_of
from tests.contracts.test_api import calling
from tests.factories import Made, Tenant, make_contract, make_deliveries, today
from tests.paper.test_pages import signed_in
from tests.shipments.makers import counting, receive, sent

D = Decimal
MAY = date(2026, 5, 4)


def test_a_share_grows_by_the_day_up_to_the_cap() -> None:
    clause = Clause(D("0.5"), D(5))
    assert [clause.share(days) for days in (0, 1, 9, 10, 30)] == [0, D("0.005"), D("0.045"), D("0.05"), D("0.05")]
    assert [clause.capped(days) for days in (9, 10, 11)] == [False, True, True]
    assert Clause(D("0.5"), None).share(300) == D("1.5")  # without a cap it goes on
    assert [Clause(None, None).share(9), Clause(D(1), D(0)).share(9)] == [0, 0]


def test_early_and_on_the_day_cost_nothing() -> None:
    assert [days_late(MAY, MAY + timedelta(days=n)) for n in (-3, 0, 1, 40)] == [0, 0, 1, 40]


def test_the_price_is_that_of_the_agreed_basis() -> None:
    ordered, arrived, period = MAY - timedelta(days=30), MAY + timedelta(days=3), MAY.replace(day=1)
    chosen = [price_day(basis, MAY, arrived, ordered, period) for basis in PriceBasis]
    assert chosen == [arrived, ordered, period]
    assert [price_day(basis, MAY, arrived, None, None) for basis in PriceBasis] == [arrived, MAY, MAY]


async def read_by(actor: Actor, contract: Contract) -> Penalties:
    async with unit_of_work(actor) as session:
        return await penalties(session, actor, contract.id)


async def late_contract(tenant: Tenant) -> tuple[Made, list[ScheduleLine]]:
    """A purchase at 0.5 % a day up to 2 %: three confirmed deliveries of 100, due 10, 3 and 0 days ago."""
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    async with unit_of_work(tenant.factory) as session:
        contract = await session.merge(made.contract)
        contract.penalty_percent, contract.penalty_cap_percent = D("0.5"), D(2)
    return made, await overdue(tenant, made, 10, 3, 0)


async def overdue(tenant: Tenant, made: Made, *days: int) -> list[ScheduleLine]:
    """Confirmed deliveries of 100 each that were due so many days ago."""
    lines = []
    for line, ago in zip(await make_deliveries(tenant, made, [100] * len(days)), days, strict=True):
        async with unit_of_work(tenant.factory) as session:
            row = await session.merge(line)
            row.due_date = today() - timedelta(days=ago)
        lines.append(row)
    return lines


async def test_both_sides_read_what_came_late_and_what_is_still_to_come(tenant: Tenant, database: Settings) -> None:
    made, lines = await late_contract(tenant)
    shipment, (first,) = await sent(tenant, (lines[0], 40))
    await receive(tenant.factory, shipment, counting(first, 40))
    seen = await read_by(tenant.supplier, made.contract)
    assert seen == await read_by(tenant.factory, made.contract)
    said = {(one.days, one.quantity, one.share, one.capped, one.receipt_id is None) for one in seen.items}
    assert said == {
        (10, D(40), D("0.02"), True, False),
        (10, D(60), D("0.02"), True, True),
        (3, D(100), D("0.015"), False, True),
    }
    assert {one.price for one in seen.items} == {D("12.5")}
    assert (seen.settled, seen.running, seen.unpriced) == (D("10.00"), D("15.00") + D("18.75"), 0)

    app = create_app(database)
    async with signed_in(app, tenant.supplier) as supplier:
        page = text_of(await supplier.open(f"/contracts/{made.contract.id}/penalties"))
        assert "2%, the cap" in page
        assert "10 days late" in page
        assert "0.5% of the value per day late, at most 2%" in page
        assert "Penalties" in text_of(await supplier.open(f"/contracts/{made.contract.id}"))
        delivery = text_of(await supplier.open(f"/schedule-lines/{lines[1].id}"))
        assert "CNY 12.50 Why this price The contract's price from" in delivery.replace("\xa0", " ")
    async with calling(database, tenant.factory) as program:
        answer = (await program.get(f"/api/v1/contracts/{made.contract.id}/penalties")).json()
    assert [D(answer[name]) for name in ("settled", "running")] == [seen.settled, seen.running]
    assert answer["items"][0]["price_why"]


async def test_nobody_else_and_no_role_without_prices_reads_them(tenant: Tenant) -> None:
    made, _ = await late_contract(tenant)
    with pytest.raises(NotFound):
        await read_by(tenant.customer, made.contract)
    with pytest.raises(Forbidden):
        await read_by(tenant.as_role(tenant.factory, Role.WAREHOUSE), made.contract)
    none = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await overdue(tenant, none, 9)
    assert (await read_by(tenant.supplier, none.contract)).items == []  # no penalty was agreed
