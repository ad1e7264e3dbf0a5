"""Releases in full, proven on both sides: held, planned, of two kinds, answered, taken back, as known then."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from jobs.outbox import Tenant as Workspace
from jobs.releases import run_releases
from portal.app import create_app
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import driver, read, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.schedules import (
    reads_board,
    reads_known,
    reads_releases,
    reads_zones,
    service,
    service_answers,
    service_holding,
    service_plans,
)
from portal.schedules.model import ReleaseKind, ReleaseStatus, ScheduleLine, Trigger
from portal.schedules.model_releases import HoldBy, PreparedStatus
from portal.schedules.rules_difference import ChangeKind
from portal.schedules.rules_known import Stood
from portal.schedules.rules_releases import OwnApproval, ReleaseAnswered, ReleaseOutdated
from portal.schedules.service_answers import RejectRelease
from portal.schedules.service_holding import Decide, Outcome
from portal.schedules.service_plans import PlanLine, SetPlan, SetTerms
from portal.schedules.service_publishing import Publish
from portal.schedules.service_release import CallOff, call_off
from portal.scorecards import reads_exposure, reads_history
from portal.scorecards.reads_history import Asked, Source
from portal.shipments.counting import Receive
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Made, Tenant, fetch, make_contract, today
from tests.shipments.makers import receive, sent

LINES = (
    "select line_no, ordered_quantity, due_date, status, zone, confirmed_quantity from schedule_line"
    " where contract_id = $1 order by line_no"
)
FIRM = 28


def in_days(number: int) -> date:
    return today() + timedelta(days=number)


async def asked(tenant: Tenant, made: Made, *orders: tuple[int, int]) -> list[UUID]:
    """Draft deliveries, each a quantity due in so many days."""
    async with unit_of_work(tenant.factory) as session:
        wanted = [
            CallOff(contract_line_id=made.line.id, quantity=Decimal(quantity), due_date=in_days(days))
            for quantity, days in orders
        ]
        return [(await call_off(session, tenant.factory, made.contract.id, order)).id for order in wanted]


async def release(tenant: Tenant, made: Made, kind: ReleaseKind = ReleaseKind.FORECAST) -> Outcome:
    async with unit_of_work(tenant.factory) as session:
        return await service_holding.release(session, tenant.factory, made.contract.id, None, Publish(kind=kind))


async def plan(tenant: Tenant, made: Made, **said: Any) -> None:
    """How its releases are made; the firm zone may change unless something else is said."""
    data = SetPlan(**({"only_transmitted": False} | said))
    async with unit_of_work(tenant.factory) as session:
        await service_plans.set_plan(session, tenant.factory, made.contract.id, None, data)


async def change(tenant: Tenant, line_id: UUID, quantity: int, days: int) -> None:
    async with unit_of_work(tenant.factory) as session:
        data = PlanLine(quantity=Decimal(quantity), due_date=in_days(days))
        await service_plans.plan_line(session, tenant.factory, line_id, None, data)


async def seen(actor: Actor, made: Made, number: int) -> tuple[reads_releases.Comparison, reads_releases.StandingRow]:
    """The release as a company sees it."""
    async with read(actor) as connection:
        found = await reads_releases.compared(connection, actor, made.contract.id, number)
        return found, (await reads_releases.standings(connection, actor, made.contract.id, number))[number]


async def confirm(actor: Actor, line_id: UUID) -> None:
    async with unit_of_work(actor) as session:
        await service.confirm_line(session, actor, line_id, None, service.ConfirmLine())


async def test_the_zone_as_published_stays_and_todays_stands_beside_it(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.SALE, foq=None)
    await asked(tenant, made, (10, FIRM + 5), (20, FIRM - 5), (30, 200))
    await release(tenant, made)
    async with unit_of_work(tenant.factory) as session:
        # as if the release had been made ten days ago
        await (await driver(session)).execute(
            "update contract_line set firm_days = firm_days + 10 where contract_id = $1", made.contract.id
        )
    zones = []
    for actor in (tenant.customer, tenant.factory):
        async with read(actor) as connection:
            found = await reads_zones.release_today(connection, actor, made.contract.id, 1, clock.now())
        zones.append([(line.zone, line.zone_today) for line in found.lines])
    person = await make_person(tenant.customer, Role.CLERK)
    async with browsing(create_app(database), person.token) as browser:
        page = text_of(await browser.open(f"/contracts/{made.contract.id}/releases/1"))

    assert zones == [[("firm", "firm"), ("tradeoff", "firm"), ("forecast", "forecast")]] * 2
    assert "Zone as published" in page
    assert "Zone today" in page


async def test_what_came_between_two_releases_is_no_change_on_the_board(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE, foq=None)
    await plan(tenant, made)
    (lasting,) = await asked(tenant, made, (20, 7))
    async with unit_of_work(tenant.factory) as session:
        order = CallOff(contract_line_id=made.line.id, quantity=Decimal(10), due_date=in_days(7))
        made_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        line = (await session.exec(select(ScheduleLine).where(col(ScheduleLine.id) == made_id))).one()
    await release(tenant, made)
    shipment, _lines = await sent(tenant, (line, 10), direction=Direction.SALE)
    await receive(tenant.customer, shipment, Receive())
    await change(tenant, lasting, 25, 7)
    await release(tenant, made)

    found = (await seen(tenant.customer, made, 2))[0]
    counts = found.difference.counts
    assert (found.delivered, counts[ChangeKind.UP], counts[ChangeKind.GONE]) == (1, 1, 0)
    monday = in_days(-today().weekday())
    for actor in (tenant.customer, tenant.factory):
        async with read(actor) as connection:
            deltas = await reads_board.deltas(
                connection, actor, [made.contract.id], monday, monday + timedelta(weeks=13)
            )
        assert list(deltas.values()) == [Decimal(5)]


async def test_a_changed_line_is_asked_anew_and_its_promise_no_longer_counts(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await plan(tenant, made)
    (one,) = await asked(tenant, made, (100, 7))
    await release(tenant, made)
    await confirm(tenant.supplier, one)
    await change(tenant, one, 120, 9)
    assert (await fetch(tenant.supplier, LINES, made.contract.id))[0]["ordered_quantity"] == 100  # not told yet
    await release(tenant, made)

    (row,) = await fetch(tenant.supplier, LINES, made.contract.id)
    query = "select status from confirmation where line_id = $1"
    assert (row["ordered_quantity"], row["due_date"], row["status"]) == (120, in_days(9), "proposed")
    assert row["confirmed_quantity"] == 0
    assert [one["status"] for one in await fetch(tenant.supplier, query, one)] == ["closed"]
    found, _ = await seen(tenant.supplier, made, 2)
    assert [(c.kind, c.delta, c.days) for c in found.difference.lines] == [(ChangeKind.UP, Decimal(20), 2)]


# --- holding ----------------------------------------------------------------------------------------------------------


async def held(tenant: Tenant) -> tuple[Made, UUID]:
    """A contract whose second release leaves the tolerance."""
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    (one,) = await asked(tenant, made, (100, 40))
    await plan(tenant, made, hold_by=HoldBy.CURVE, hold_percent=Decimal(10))
    assert (await release(tenant, made)).number == 1  # nothing to compare with
    await change(tenant, one, 150, 40)
    outcome = await release(tenant, made)
    assert (outcome.number, outcome.prepared_id is not None) == (None, True)
    return made, one


async def test_a_release_outside_its_tolerance_is_held_and_the_partner_learns_nothing(tenant: Tenant) -> None:
    made, _line = await held(tenant)
    contract = made.contract.id
    assert await fetch(tenant.supplier, "select number from release where contract_id = $1", contract) == await fetch(
        tenant.factory, "select number from release where contract_id = $1 and number = 1", contract
    )
    assert (await fetch(tenant.supplier, LINES, contract))[0]["ordered_quantity"] == 100
    verbs = await fetch(tenant.supplier, "select verb from timeline where contract_id = $1", contract)
    assert "held" not in {row["verb"] for row in verbs}
    names = [row["name"] for row in await fetch(tenant.factory, "select name from outbox order by id")]
    assert names.count("ReleasePublished") == 1
    assert names[-1] == "ReleaseHeld"

    with pytest.raises(OwnApproval):  # nothing changed: the next one may
        await _approve(tenant.factory, made)
    colleague = replace(tenant.factory, member_id=uuid7(), name="Paul")
    assert (await _approve(colleague, made)).number == 2
    assert (await fetch(tenant.supplier, LINES, contract))[0]["ordered_quantity"] == 150
    with pytest.raises(NotFound):
        await _approve(colleague, made)


async def _approve(actor: Actor, made: Made) -> Outcome:
    async with unit_of_work(actor) as session:
        return await service_holding.approve_release(session, actor, made.contract.id, None, Decide())


async def test_what_was_held_is_not_published_after_the_deliveries_changed(tenant: Tenant) -> None:
    made, line_id = await held(tenant)
    colleague = replace(tenant.factory, member_id=uuid7())
    await change(tenant, line_id, 160, 40)
    with pytest.raises(ReleaseOutdated):
        await _approve(colleague, made)
    async with unit_of_work(colleague) as session:
        await service_holding.discard_release(session, colleague, made.contract.id, None, Decide(note="too much"))
    (row,) = await fetch(tenant.factory, "select status from prepared_release where waiting or status = 'discarded'")
    assert row["status"] == PreparedStatus.DISCARDED
    assert len(await fetch(tenant.supplier, "select 1 from release where contract_id = $1", made.contract.id)) == 1


# --- two kinds, and the calendar --------------------------------------------------------------------------------------


async def test_a_jit_release_speaks_of_its_horizon_and_replaces_only_its_kind(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await asked(tenant, made, (10, 5), (20, 40))
    await plan(tenant, made, jit_days=14)
    await release(tenant, made)
    await release(tenant, made, ReleaseKind.JIT)
    jit, standing = await seen(tenant.supplier, made, 2)
    assert [line.quantity for line in jit.lines] == [10]
    assert (jit.gone, jit.before.number if jit.before else None, standing.replaces) == ([], 1, None)
    await release(tenant, made)
    assert (await seen(tenant.supplier, made, 1))[1].status is ReleaseStatus.SUPERSEDED
    assert (await seen(tenant.supplier, made, 2))[1].status is ReleaseStatus.PUBLISHED
    third, standing = await seen(tenant.supplier, made, 3)
    assert (third.before.number if third.before else None, standing.replaces) == (1, 1)
    assert not third.difference.changed


async def test_the_calendar_makes_a_release_once_a_day_and_only_where_something_is_worth_it(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=Decimal(80))
    await plan(tenant, made, trigger=Trigger.CHANGE, horizon_days=35, daily_days=5, weekly_days=14)
    workspace = Workspace(tenant.id, tenant.factory.party_id)
    assert await run_releases(workspace) == 1
    assert await run_releases(workspace) == 0
    found, standing = await seen(tenant.supplier, made, 1)
    assert (standing.trigger, len(found.lines) >= 4, standing.weekly_until) == (Trigger.CHANGE, True, in_days(14))
    again = "update release_plan set last_run_on = last_run_on - 1 where contract_id = $1"
    async with unit_of_work(tenant.factory) as session:
        from portal.core.db import driver

        await (await driver(session)).execute(again, made.contract.id)
    assert await run_releases(workspace) == 1  # looked at, and nothing was worth telling
    assert len(await fetch(tenant.supplier, "select 1 from release where contract_id = $1", made.contract.id)) == 1


# --- the partner's answer ---------------------------------------------------------------------------------------------


async def answer(actor: Actor, made: Made, number: int, reason: str = "") -> ReleaseStatus:
    async with unit_of_work(actor) as session:
        if reason:
            data = RejectRelease(reason=reason)
            said = await service_answers.reject_release(session, actor, made.contract.id, number, None, data)
        else:
            said = await service_answers.acknowledge_release(session, actor, made.contract.id, number)
        return said.status


async def test_the_partner_acknowledges_what_its_contract_asks_for(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await asked(tenant, made, (10, 40))
    await plan(tenant, made, answer_hours=16)
    await release(tenant, made)
    before = (await seen(tenant.supplier, made, 1))[1]
    assert before.answer_by is not None
    assert before.answer_by > clock.now()
    with pytest.raises(Forbidden):
        await answer(tenant.factory, made, 1)
    with pytest.raises(NotFound):
        await answer(tenant.customer, made, 1)
    assert (await seen(tenant.factory, made, 1))[1] == before
    assert await answer(tenant.supplier, made, 1) is ReleaseStatus.ACKNOWLEDGED
    after = (await seen(tenant.factory, made, 1))[1]
    assert (after.status, after.answered_by) == (ReleaseStatus.ACKNOWLEDGED, "Ben")


async def test_a_rejected_release_is_taken_back_and_the_one_before_is_in_force(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    (one,) = await asked(tenant, made, (100, 40))
    await release(tenant, made)
    await change(tenant, one, 150, 45)
    await asked(tenant, made, (70, 50))
    outcome = await release(tenant, made)
    assert await answer(tenant.supplier, made, 2, "more than we can make") is ReleaseStatus.REJECTED
    assert outcome.release_id is not None
    system = Actor.system(tenant.id, tenant.factory.party_id)
    for times in (2, 0):  # the second run finds nothing to do
        async with unit_of_work(system) as session:
            assert await service_answers.restore(session, system, outcome.release_id) == times

    rows = await fetch(tenant.supplier, LINES, made.contract.id)  # the new one is a draft again
    assert [(row["ordered_quantity"], row["due_date"]) for row in rows] == [(100, in_days(40))]
    assert (await seen(tenant.supplier, made, 2))[1].status is ReleaseStatus.REJECTED
    assert (await seen(tenant.supplier, made, 1))[1].status is ReleaseStatus.DELIVERED
    await release(tenant, made)
    third, _ = await seen(tenant.supplier, made, 3)
    assert third.before is not None
    assert third.before.number == 1


async def test_a_release_with_answers_is_not_rejected_as_a_whole(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    (one,) = await asked(tenant, made, (100, 7))
    await release(tenant, made)
    await confirm(tenant.supplier, one)
    with pytest.raises(ReleaseAnswered):
        await answer(tenant.supplier, made, 1, "no")
    assert (await seen(tenant.factory, made, 1))[1].status is ReleaseStatus.PUBLISHED


# --- as known then, and exposure --------------------------------------------------------------------------------------


async def test_a_past_moment_knows_nothing_that_came_later_and_no_more_than_the_partner(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await plan(tenant, made)
    (one,) = await asked(tenant, made, (100, 7))
    earlier = clock.now()
    await release(tenant, made)
    first = clock.now()
    await confirm(tenant.supplier, one)
    second = clock.now()
    await change(tenant, one, 120, 9)
    planned = clock.now()
    await release(tenant, made)

    async def then(moment: Any, actor: Actor) -> list[tuple[Decimal, Stood, Decimal]]:
        async with read(actor) as connection:
            found = await reads_known.as_known(connection, actor, made.contract.id, moment)
        return [(line.quantity, line.stood, line.confirmed) for line in found.lines]

    for actor in (tenant.factory, tenant.supplier):
        assert await then(earlier, actor) == []
        assert await then(first, actor) == [(Decimal(100), Stood.ASKED, Decimal(0))]
        assert await then(second, actor) == [(Decimal(100), Stood.CONFIRMED, Decimal(100))]
        assert await then(planned, actor) == [(Decimal(100), Stood.CONFIRMED, Decimal(100))]  # planned is not told
        assert await then(clock.now(), actor) == [(Decimal(120), Stood.ASKED, Decimal(0))]
    with pytest.raises(NotFound):
        await then(first, tenant.customer)


async def test_stability_is_computed_from_the_releases_for_both_sides(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await plan(tenant, made)
    one, _two = await asked(tenant, made, (100, 7), (300, 40))
    await release(tenant, made)
    await change(tenant, one, 120, 7)
    await release(tenant, made)
    published = Asked(Source.RELEASES, today(), today())
    for actor in (tenant.factory, tenant.supplier):
        async with read(actor) as connection:
            (row,) = await reads_history.stability(connection, actor, published)
        assert (row.pairs, row.stability, row.firm_lines, row.mean_notice) == (1, Decimal("0.95"), 1, Decimal(7))
    async with read(tenant.customer) as connection:
        assert await reads_history.stability(connection, tenant.customer, published) == []


async def test_both_sides_see_the_exposure_that_follows_from_the_agreed_shares(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)  # 12.50 each, firm 28 days, trade-off 63
    terms = SetTerms(make_days=42, in_work_percent=Decimal(60), material_percent=Decimal(30))
    async with unit_of_work(tenant.factory) as session:
        await service_plans.set_terms(session, tenant.factory, made.contract.id, None, terms)
    await asked(tenant, made, (100, 7), (100, 35), (100, 50), (100, 90))
    await release(tenant, made)
    for actor in (tenant.factory, tenant.supplier):
        async with read(actor) as connection:
            found = await reads_exposure.exposure_of(connection, actor, made.contract.id, today())
        now = found.now
        assert (now.finished, now.in_work, now.material) == (Decimal(1250), Decimal(750), Decimal(375))
    async with read(tenant.supplier) as connection:  # the days go by without a new release: all of it comes nearer
        later = await reads_exposure.exposure_of(connection, tenant.supplier, made.contract.id, in_days(30))
    nearer = (later.now.finished, later.now.in_work, later.now.material)
    assert nearer == (Decimal(3750), Decimal(0), Decimal(375))
