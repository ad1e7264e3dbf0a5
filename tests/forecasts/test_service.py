"""Commits to a forecast: what the seller promises, what the buyer reads, and what is refused."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.ids import uuid7
from portal.core.quantities import TooFine
from portal.core.states import WrongSide
from portal.core.versions import Stale
from portal.forecasts import reads, service, service_requests
from portal.forecasts.reads import Measure
from portal.forecasts.rules import Exceptional, GivenTwice, NoForecast, NotAPeriod, OneWay, ReleaseMoved, Span
from portal.forecasts.service import SetCommitTerms
from tests.factories import Made, Tenant, fetch, firm_may_change, make_contract, today
from tests.forecasts.makers import cells, committed, exceptions, make_forecast, period, planned, week

D = Decimal


async def set_terms(actor: Actor, made: Made, **terms: Any) -> None:
    async with unit_of_work(actor) as session:
        await service.set_terms(session, actor, made.contract.id, SetCommitTerms(**terms), 0)


async def ask(tenant: Tenant, made: Made) -> Any:
    """What the job does after a release."""
    system = Actor.system(tenant.id, tenant.factory.party_id)
    query = "select id from release where contract_id = $1 order by number desc limit 1"
    ((release_id,),) = await fetch(tenant.factory, query, made.contract.id)
    async with unit_of_work(system) as session:
        return await service_requests.ask(session, system, made.contract.id, release_id)


async def statuses(actor: Actor, made: Made) -> list[tuple[int, str]]:
    query = "select release_no, status from commit_request where contract_id = $1 order by id"
    return [tuple(row) for row in await fetch(actor, query, made.contract.id)]


@pytest.mark.parametrize("direction", list(Direction))
async def test_a_share_of_everything_is_committed_and_both_sides_read_it(tenant: Tenant, direction: Direction) -> None:
    made = await make_forecast(tenant, {1: 100, 3: 51, 30: 40}, direction)
    seller = tenant.supplier if direction is Direction.PURCHASE else tenant.factory
    await committed(seller, made, percent=D(50), weeks=26)
    ours, theirs = await cells(tenant.factory, made), await cells(tenant.partner(direction), made)
    assert ours == theirs
    assert {number: (cell.forecast, cell.committed) for number, cell in ours.items()} == {
        1: (D(100), D(49)),
        3: (D(51), D(26)),
        30: (D(40), None),
    }  # 75.5 is 75 in all, and the running total decides who gets the piece
    verbs = await fetch(
        tenant.factory, "select verb from timeline where subject_id = $1 and verb = 'forecast_committed'",
        made.contract.id,
    )  # fmt: skip
    events = await fetch(tenant.factory, "select name from outbox where name = 'ForecastCommitted'")
    assert (len(verbs), len(events)) == (1, 1)


async def test_a_later_commit_changes_what_it_names_and_keeps_the_rest(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200})
    await committed(tenant.supplier, made, 0, percent=D(100))
    await committed(tenant.supplier, made, 1, periods=[period(made, 2, 150)])
    found = await cells(tenant.factory, made)
    assert {number: cell.committed for number, cell in found.items()} == {1: 100, 2: 150}
    async with read(tenant.factory) as connection:
        versions = await reads.commits(connection, tenant.factory, made.contract.id)
    assert [(row.number, row.release_no, row.way) for row in versions] == [(2, 1, "periods"), (1, 1, "percent")]


async def test_a_month_is_spread_over_its_weeks_as_the_forecast_is(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {5: 100, 6: 100, 7: 100, 8: 100, 9: 100})
    month = week(7).replace(day=1)
    inside = [number for number in range(5, 10) if week(number).replace(day=1) == month]
    said = period(made, 7, 99).model_copy(update={"start": month})
    await committed(tenant.supplier, made, periods=[said], span=Span.MONTH)
    found = await cells(tenant.supplier, made)
    assert sum(cell.committed or 0 for cell in found.values()) == 99
    assert [number for number, cell in found.items() if cell.committed] == inside


async def refused(tenant: Tenant, actor: Actor, made: Made, kind: type[PortalError], **said: Any) -> None:
    with pytest.raises(kind):
        await committed(actor, made, **said)
    assert await fetch(tenant.factory, "select 1 from supply_commit where contract_id = $1", made.contract.id) == []


async def test_what_cannot_be_committed_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100})
    seller, buyer = tenant.supplier, tenant.factory
    for kind, said in (
        (ReleaseMoved, {"percent": D(100), "release": 7}),
        (Stale, {"percent": D(100), "version": 3}),
        (OneWay, {}),
        (OneWay, {"percent": D(100), "periods": [period(made, 1, 5)]}),
        (NotFound, {"periods": [period(made, 1, 5).model_copy(update={"contract_line_id": uuid7()})]}),
        (NotAPeriod, {"periods": [period(made, -1, 5)]}),
        (NotAPeriod, {"periods": [period(made, 1, 5).model_copy(update={"start": week(1) + timedelta(days=1)})]}),
        (GivenTwice, {"periods": [period(made, 1, 5), period(made, 1, 6)]}),
        (TooFine, {"periods": [period(made, 1, 5).model_copy(update={"quantity": D("0.5")})]}),
    ):
        await refused(tenant, seller, made, kind, **said)
    await refused(tenant, buyer, made, WrongSide, percent=D(100))
    await refused(tenant, tenant.as_role(seller, Role.VIEWER), made, Forbidden, percent=D(100))
    await refused(tenant, replace(seller, contract_ids=frozenset()), made, NotFound, percent=D(100), release=1)
    await refused(tenant, tenant.customer, made, NotFound, percent=D(100), release=1)


async def test_without_a_release_there_is_nothing_to_commit_to(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await refused(tenant, tenant.supplier, made, NoForecast, percent=D(100), release=0)


async def test_exceptions_name_what_changed_and_what_is_missing(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200})
    await firm_may_change(tenant.factory, made.contract.id)
    assert await exceptions(tenant.factory) == []
    await committed(tenant.supplier, made, periods=[period(made, 1, 100), period(made, 2, 180)])
    (under,) = await exceptions(tenant.factory)
    assert (under.kind, under.week, under.forecast, under.committed) == (Exceptional.UNDER, week(2), D(200), D(180))
    await planned(tenant, made, {1: 50})
    found = await exceptions(tenant.supplier)
    assert [(row.kind, row.week, row.forecast, row.answered) for row in found] == [
        (Exceptional.CHANGED, week(1), D(150), D(100)),
        (Exceptional.UNDER, week(2), D(200), D(200)),
    ]
    assert [row.kind for row in await exceptions(tenant.factory, kind=Exceptional.CHANGED)] == [Exceptional.CHANGED]
    assert await exceptions(tenant.factory, contract_id=uuid7()) == []
    assert await exceptions(tenant.customer) == []
    await committed(tenant.supplier, made, percent=D(100))
    assert await exceptions(tenant.factory) == []


async def test_confirmed_deliveries_are_no_gap(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 9: 10})
    await committed(tenant.supplier, made, periods=[period(made, 9, 10)])
    assert [row.week for row in await exceptions(tenant.factory)] == [week(1)]
    from portal.schedules import service as schedules

    query = "select id, version from schedule_line where contract_id = $1 and status = 'proposed'"
    ((line_id, version),) = await fetch(tenant.supplier, query, made.contract.id)
    async with unit_of_work(tenant.supplier) as session:
        await schedules.confirm_line(session, tenant.supplier, line_id, version, schedules.ConfirmLine())
    assert await exceptions(tenant.factory) == []


async def test_a_release_asks_for_a_commit_once_and_the_answer_ends_it(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100})
    assert await ask(tenant, made) is None  # nothing is asked for here
    await set_terms(tenant.factory, made, weeks=8)
    assert await ask(tenant, made) is not None
    assert await ask(tenant, made) is None
    await planned(tenant, made, {2: 50})
    await ask(tenant, made)
    assert await statuses(tenant.supplier, made) == [(1, "superseded"), (2, "open")]
    await committed(tenant.supplier, made, percent=D(100))
    assert await statuses(tenant.factory, made) == [(1, "superseded"), (2, "answered")]
    await planned(tenant, made, {40: 10})  # beyond what is asked for
    assert await ask(tenant, made) is None


async def test_no_answer_in_time_is_an_exception_until_it_comes(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100})
    await set_terms(tenant.factory, made)
    request = await ask(tenant, made)
    system = Actor.system(tenant.id, tenant.factory.party_id)
    for expected in (1, 0):
        async with unit_of_work(system) as session:
            assert await service_requests.lapse(session, system, request.due_at + timedelta(seconds=1)) == expected
    (late,) = await exceptions(tenant.supplier, kind=Exceptional.LATE)
    assert (late.kind, late.contract_id, late.due_at) == (Exceptional.LATE, made.contract.id, request.due_at)
    await committed(tenant.supplier, made, percent=D(100))
    assert await exceptions(tenant.factory) == []
    assert await statuses(tenant.factory, made) == [(1, "answered")]
    names = [row["name"] for row in await fetch(tenant.factory, "select name from outbox where name like 'Commit%'")]
    assert sorted(names) == ["CommitAsked", "CommitLapsed"]


async def test_only_the_factory_says_what_is_asked_for(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100})
    with pytest.raises(Forbidden):
        await set_terms(tenant.supplier, made)
    await set_terms(tenant.factory, made, weeks=8)
    with pytest.raises(Stale):
        await set_terms(tenant.factory, made, weeks=9)
    async with unit_of_work(tenant.factory) as session:
        await service.end_terms(session, tenant.factory, made.contract.id, 1)
    assert await fetch(tenant.supplier, "select 1 from commit_terms") == []


async def test_accuracy_compares_what_stood_weeks_before_with_what_was_called(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    base = (tenant.id, made.contract.party_id, made.contract.id)
    due = week(-2) + timedelta(days=1)
    async with unit_of_work(tenant.factory) as session:
        from portal.core import db

        connection = await db.driver(session)
        line, release = uuid7(), uuid7()
        await connection.execute(
            "insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no,"
            " due_date, requested_date, unit, ordered_quantity, under_percent, over_percent, status, reject_reason,"
            " supply_state, supply_note, confirmed_quantity, shipped_quantity, received_quantity, rejected_quantity,"
            " ship_to_code, version) values ($1, $4, $2, $3, $5, 1, '', $6, $6, 'H87', 80, 0, 0, 'closed', '',"
            " 'unknown', '', 0, 0, 0, 0, '', 1)",
            *(*base, line, made.line.id, due),
        )
        await connection.execute(
            "insert into release (tenant_id, id, party_id, contract_id, number, calculated_on, horizon_end,"
            " published_at, published_by, note) values ($1, $4, $2, $3, 1, $5, $6, $7, '', '')",
            *(*base, release, week(-9), due, clock.now()),
        )
        await connection.execute(
            "insert into release_line (tenant_id, id, party_id, release_id, schedule_line_id, contract_line_id,"
            " due_date, quantity, zone, level) values ($1, $3, $2, $4, $5, $6, $7, 100, 'forecast', 'plan')",
            *(tenant.id, made.contract.party_id, uuid7(), release, line, made.line.id, due),
        )
    async with read(tenant.supplier) as connection:
        head = await reads.head(connection, tenant.supplier, made.contract.id)
        called = await reads.accuracy_of(connection, tenant.supplier, head, today())
        received = await reads.accuracy_of(connection, tenant.supplier, head, today(), Measure.RECEIVED)
    by_lag = {found.lag: found for found in called[made.line.id]}
    assert (by_lag[4].forecast, by_lag[4].actual) == (D(100), D(80))
    assert (by_lag[4].bias, by_lag[4].error) == (D("0.25"), D("0.25"))
    assert by_lag[13].weeks == 0
    assert called[None] == called[made.line.id]
    assert received[None][0].bias is None  # nothing arrived
