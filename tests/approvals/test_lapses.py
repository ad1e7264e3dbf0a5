"""Deadlines, deputies, and rules tried on the past."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from portal.approvals import reads
from portal.approvals.inputs import Condition, Op, OutcomeKind
from portal.approvals.model import ApprovalCase, ApprovalPoint, ApprovalStep, CaseStatus, Escalation
from portal.approvals.reads import View
from portal.approvals.rules import DraftMissing, LiveInPast, NoRulesYet, NotAsked
from portal.approvals.rules_matching import compiled
from portal.approvals.rules_trial import tried
from portal.approvals.service import Decision, decide
from portal.approvals.service_lapses import lapse
from portal.approvals.service_sets import begin_draft, discard, in_force, publish, rules_of, write_draft
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.versions import Stale
from portal.notices.service_preferences import get_preference
from tests.approvals import makers
from tests.approvals.makers import APPROVE, FIRM, REFUSE, all_of, approvers, ask_for, make_colleague, put_in_force
from tests.factories import Tenant

CHANGE = ApprovalPoint.CHANGE


async def name_deputy(of: Actor, deputy: Actor) -> None:
    async with unit_of_work(of) as session:
        assert of.member_id is not None
        found = await get_preference(session, of, of.member_id)
        found.deputy_id = deputy.member_id
        session.add(found)


async def waiting_for(person: Actor) -> list[UUID]:
    async with read(person) as connection:
        return [row.id for row in await reads.list_cases(connection, person, View.MINE, limit=10)]


async def run_lapse(tenant: Tenant, now: datetime) -> Escalation:
    async with unit_of_work(tenant.factory) as session:
        await lapse(session, tenant.factory, now)
    async with unit_of_work(tenant.factory) as session:
        return (await session.exec(select(ApprovalStep))).one().escalation


async def test_an_unanswered_request_goes_to_the_deputy_and_then_to_the_administrator(tenant: Tenant) -> None:
    finance, deputy = await make_colleague(tenant, Role.FINANCE, "Zhou"), await make_colleague(tenant, Role.PLANNER)
    sales = await make_colleague(tenant, Role.SALES)
    await name_deputy(finance, deputy)
    await put_in_force(tenant, makers.rules_of((all_of(), approvers(Role.FINANCE, answer_hours=8))))
    async with unit_of_work(sales) as session:
        case = await ask_for(session, sales)
    far = clock.now() + timedelta(days=30)

    assert (await waiting_for(finance), await waiting_for(deputy)) == ([case.id], [])
    assert await run_lapse(tenant, clock.now()) is Escalation.ASKED
    assert await run_lapse(tenant, far) is Escalation.REMINDED
    with pytest.raises(NotAsked):
        async with unit_of_work(deputy) as session:
            await decide(session, deputy, case.id, case.version, Decision.APPROVE)
    assert await run_lapse(tenant, far + timedelta(days=30)) is Escalation.DEPUTIES
    assert (await waiting_for(deputy), await waiting_for(tenant.factory)) == ([case.id], [])
    assert await run_lapse(tenant, far + timedelta(days=60)) is Escalation.ADMINS
    assert await run_lapse(tenant, far + timedelta(days=90)) is Escalation.ADMINS
    assert await waiting_for(tenant.factory) == [case.id]
    async with unit_of_work(deputy) as session:
        after = await decide(session, deputy, case.id, case.version, Decision.APPROVE)
    async with unit_of_work(tenant.factory) as session:
        step = (await session.exec(select(ApprovalStep))).one()
    assert (after.status, step.deputy_of) == (CaseStatus.APPROVED, "Zhou")
    assert await waiting_for(finance) == []


async def test_rules_are_written_as_a_draft_and_hold_from_their_moment(tenant: Tenant) -> None:
    admin, now = tenant.factory, clock.now()
    async with unit_of_work(admin) as session:
        draft = await begin_draft(session, admin, CHANGE)
        with pytest.raises(NoRulesYet):
            await publish(session, admin, CHANGE, draft.version)
        draft = await write_draft(session, admin, CHANGE, makers.rules_of((all_of(), REFUSE)), draft.version)
        with pytest.raises(Stale):
            await write_draft(session, admin, CHANGE, makers.rules_of(), 1)
        with pytest.raises(LiveInPast):
            await publish(session, admin, CHANGE, draft.version, datetime(2020, 1, 1, tzinfo=UTC))
        await publish(session, admin, CHANGE, draft.version, now + timedelta(days=1))
        with pytest.raises(DraftMissing):
            await discard(session, admin, CHANGE, draft.version)
    async with unit_of_work(admin) as session:
        before, _rules = await in_force(session, admin, CHANGE, now)
        after, _rules = await in_force(session, admin, CHANGE, now + timedelta(days=1))
        second = await begin_draft(session, admin, CHANGE)
    assert before is None
    assert after is not None
    assert rules_of(after).rules[0].then == REFUSE
    assert (second.number, rules_of(second).rules) == (2, [])
    planner = await make_colleague(tenant, Role.PLANNER)
    with pytest.raises(Forbidden):
        async with unit_of_work(planner) as session:
            await write_draft(session, planner, CHANGE, makers.rules_of())


async def test_a_draft_is_tried_on_what_people_decided(tenant: Tenant) -> None:
    finance = await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, makers.rules_of((all_of(), approvers(Role.FINANCE))))
    decided: dict[str, ApprovalCase] = {}
    for zone, percent, verdict in (
        ("firm", 5, Decision.REFUSE),
        ("tradeoff", 5, Decision.APPROVE),
        ("forecast", 50, Decision.APPROVE),
    ):
        async with unit_of_work(tenant.factory) as session:
            case = await ask_for(session, tenant.factory, {"zone": zone, "change_percent": percent})
        async with unit_of_work(finance) as session:
            decided[zone] = await decide(session, finance, case.id, case.version, verdict, "so")
    async with unit_of_work(tenant.factory) as session:
        await ask_for(session, tenant.factory, {"zone": "firm"})  # still waits: not past
    small = all_of(Condition(fact="change_percent", op=Op.WITHIN, values=["10"]))
    rules = compiled(CHANGE, makers.rules_of((small, APPROVE), (all_of(FIRM), REFUSE), otherwise=REFUSE))
    async with read(tenant.factory) as connection:
        past = await reads.past_cases(connection, tenant.factory, CHANGE, clock.now() - timedelta(days=90))
    found = tried(rules, past)

    assert (found.total, found.by_people, found.fits, found.no_rule) == (3, 3, [2, 0], 1)
    assert found.would == {OutcomeKind.APPROVE: 2, OutcomeKind.REFUSE: 1, OutcomeKind.APPROVERS: 0}
    assert {(each.case.id, each.rule_no, each.would) for each in found.differences} == {
        (decided["firm"].id, 1, OutcomeKind.APPROVE),
        (decided["forecast"].id, 0, OutcomeKind.REFUSE),
    }
    with pytest.raises(Forbidden):
        async with read(finance) as connection:
            await reads.past_cases(connection, finance, CHANGE, clock.now())


async def test_lists_are_the_factorys_and_say_what_waits_for_whom(tenant: Tenant) -> None:
    finance = await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, makers.rules_of((all_of(), approvers(Role.FINANCE))))
    async with unit_of_work(tenant.factory) as session:
        case = await ask_for(session, tenant.factory)
    async with read(finance) as connection:
        views = {view: len(await reads.list_cases(connection, finance, view, limit=5)) for view in View}
        mine = await reads.count_mine(connection, finance)
    assert (views, mine) == ({View.MINE: 1, View.ASKED: 0, View.WAITING: 1, View.DECIDED: 0}, 1)
    async with read(tenant.customer) as connection:
        with pytest.raises(NotFound):
            await reads.list_cases(connection, tenant.customer, View.WAITING, limit=5)
        assert await reads.count_mine(connection, tenant.customer) == 0
    async with unit_of_work(finance) as session:
        found = (await session.exec(select(ApprovalCase).where(col(ApprovalCase.id) == case.id))).one()
        assert found.requested_by == tenant.factory.member_id
