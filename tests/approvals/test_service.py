"""Asked, decided at most once, by whom the rules name: told from the database."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlmodel import col, select

from portal.approvals.inputs import Mode
from portal.approvals.model import ApprovalCase, ApprovalPoint, ApprovalStep, CaseStatus, StepStatus
from portal.approvals.rules import DecidedAlready, DecidedBefore, NobodyToAsk, NotAsked, OwnRequest, RefusalUnsaid
from portal.approvals.service import Decision, decide, get_case, withdraw
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Forbidden, NotFound, PortalError
from portal.core.model import Timeline
from portal.core.versions import Stale
from tests.approvals.makers import (
    APPROVE,
    FIRM,
    REFUSE,
    SMALL,
    all_of,
    approvers,
    ask_for,
    make_colleague,
    put_in_force,
    rules_of,
    something,
)
from tests.factories import Tenant

YES, NO = Decision.APPROVE, Decision.REFUSE


async def stored(tenant: Tenant, case: ApprovalCase) -> tuple[CaseStatus, list[StepStatus]]:
    async with unit_of_work(tenant.factory) as session:
        found, steps = await get_case(session, tenant.factory, case.id)
    return found.status, [step.status for step in steps]


async def asked(tenant: Tenant, by: Actor, **facts: Any) -> ApprovalCase:
    async with unit_of_work(by) as session:
        return await ask_for(session, by, facts)


async def answer(by: Actor, case: ApprovalCase, verdict: Decision = YES, version: int | None = None) -> ApprovalCase:
    async with unit_of_work(by) as session:
        return await decide(session, by, case.id, version or case.version, verdict, "as agreed")


async def test_without_rules_the_own_request_goes_on_and_a_partners_waits_for_a_person(tenant: Tenant) -> None:
    sales = await make_colleague(tenant, Role.SALES)
    own = await asked(tenant, tenant.factory, asked_by="factory")
    async with unit_of_work(tenant.factory) as session:
        theirs = await ask_for(
            session,
            tenant.factory,
            {"asked_by": "partner", "direction": "sale"},
            requested_scope=Scope.PARTNER,
        )

    assert (own.status, own.rule_set_id, own.rule["name"]) == (
        CaseStatus.APPROVED,
        None,
        "Without rules, whoever may do this decides alone",
    )
    assert theirs.status is CaseStatus.WAITING
    assert (await answer(sales, theirs)).status is CaseStatus.APPROVED


async def test_the_first_rule_that_fits_decides_and_is_kept_with_the_facts(tenant: Tenant) -> None:
    await put_in_force(tenant, rules_of((all_of(FIRM), REFUSE), (all_of(SMALL), APPROVE)))
    small = await asked(tenant, tenant.factory, zone="tradeoff", change_percent=Decimal("20.00"))
    firm = await asked(tenant, tenant.factory, zone="firm", change_percent=5)
    large = await asked(tenant, tenant.factory, zone="forecast", change_percent=Decimal("20.000001"))

    assert [(case.status, case.rule_no) for case in (small, firm, large)] == [
        (CaseStatus.APPROVED, 2),
        (CaseStatus.REFUSED, 1),
        (CaseStatus.APPROVED, 0),  # no rule fits: what holds without rules
    ]
    assert small.facts["change_percent"] == "20.00"
    assert firm.rule["then"]["reason"] == "Too late"


async def test_nobody_decides_the_own_request_nor_two_steps_of_one(tenant: Tenant) -> None:
    first, second = await make_colleague(tenant, Role.FINANCE), await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE, Role.FINANCE))))
    case = await asked(tenant, first)

    with pytest.raises(OwnRequest):
        await answer(first, case)
    with pytest.raises(NotAsked):
        await answer(tenant.factory, case)  # an administrator, but nobody asked administrators yet
    assert await stored(tenant, case) == (CaseStatus.WAITING, [StepStatus.OPEN, StepStatus.LATER])
    after = await answer(second, case)
    with pytest.raises(DecidedBefore):
        await answer(second, after)
    assert await stored(tenant, case) == (CaseStatus.WAITING, [StepStatus.APPROVED, StepStatus.OPEN])


async def test_a_limit_ends_the_chain_and_one_refusal_ends_the_case(tenant: Tenant) -> None:
    planner, finance = await make_colleague(tenant, Role.PLANNER), await make_colleague(tenant, Role.FINANCE)
    outcome = approvers(Role.PLANNER, Role.FINANCE)
    outcome.approvers[0].limit = Decimal(50_000)
    await put_in_force(tenant, rules_of((all_of(), outcome)))
    within = await asked(tenant, tenant.factory, value=Decimal("50000.00"))
    above = await asked(tenant, tenant.factory, value=Decimal("-50000.01"))

    assert (await answer(planner, within)).status is CaseStatus.APPROVED
    passed = await answer(planner, above)
    assert passed.status is CaseStatus.WAITING
    assert (await answer(finance, passed, NO)).status is CaseStatus.REFUSED
    assert (await stored(tenant, above))[1] == [StepStatus.APPROVED, StepStatus.REFUSED]


async def test_in_parallel_all_are_asked_at_once_and_a_refusal_needs_a_reason(tenant: Tenant) -> None:
    planner, finance = await make_colleague(tenant, Role.PLANNER), await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.PLANNER, Role.FINANCE, mode=Mode.PARALLEL))))
    case = await asked(tenant, tenant.factory)

    assert (await stored(tenant, case))[1] == [StepStatus.OPEN, StepStatus.OPEN]
    with pytest.raises(RefusalUnsaid):
        async with unit_of_work(planner) as session:
            await decide(session, planner, case.id, case.version, NO, "  ")
    assert (await answer(finance, case, NO)).status is CaseStatus.REFUSED
    assert (await stored(tenant, case))[1] == [StepStatus.DROPPED, StepStatus.REFUSED]
    with pytest.raises(DecidedAlready):
        await answer(planner, case)


async def test_eight_deciders_at_once_decide_a_step_once(tenant: Tenant) -> None:
    people = [await make_colleague(tenant, Role.FINANCE, f"F{n}") for n in range(4)]
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))))
    case = await asked(tenant, tenant.factory)

    async def press(by: Actor, verdict: Decision) -> str:
        try:
            await answer(by, case, verdict)
        except Conflict as refused:
            return refused.code
        return "done"

    presses = [press(person, verdict) for person in people for verdict in (YES, NO)]
    told = await asyncio.gather(*presses)
    async with unit_of_work(tenant.factory) as session:
        decided = (await session.exec(select(ApprovalStep).where(col(ApprovalStep.case_id) == case.id))).one()
        verbs = (await session.exec(select(Timeline.verb).where(col(Timeline.subject_id) == case.id))).all()

    assert sorted(told) == ["decided-already"] * 7 + ["done"]
    assert decided.status in (StepStatus.APPROVED, StepStatus.REFUSED)
    assert sorted(verbs) == sorted(["asked", decided.status.value])


async def test_only_who_asked_or_an_administrator_takes_back_and_asking_again_replaces(tenant: Tenant) -> None:
    finance, sales = await make_colleague(tenant, Role.FINANCE), await make_colleague(tenant, Role.SALES)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))))
    about = something(tenant.factory)
    async with unit_of_work(sales) as session:
        first = await ask_for(session, sales, about=about)
    with pytest.raises(Forbidden):
        async with unit_of_work(finance) as session:
            await withdraw(session, finance, first.id, first.version)
    async with unit_of_work(sales) as session:
        again = await ask_for(session, sales, about=replace(about, version=2))
    with pytest.raises(DecidedAlready):
        await answer(finance, first)
    with pytest.raises(Stale):
        await answer(finance, again, version=7)
    async with unit_of_work(sales) as session:
        await withdraw(session, sales, again.id, again.version)

    assert (await stored(tenant, first)) == (CaseStatus.REPLACED, [StepStatus.DROPPED])
    assert (await stored(tenant, again)) == (CaseStatus.WITHDRAWN, [StepStatus.DROPPED])


async def test_where_nobody_has_the_role_administrators_are_asked_and_where_nobody_is_left_it_is_said(
    tenant: Tenant,
) -> None:
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.PRODUCTION, answer_hours=16))))
    sales = await make_colleague(tenant, Role.SALES)
    case = await asked(tenant, sales)
    assert (await answer(tenant.factory, case)).status is CaseStatus.APPROVED
    with pytest.raises(NobodyToAsk):
        await asked(tenant, tenant.factory)
    async with unit_of_work(tenant.factory) as session:
        assert len((await session.exec(select(ApprovalCase))).all()) == 1


async def test_a_partner_sees_nothing_of_it(tenant: Tenant) -> None:
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))))
    await make_colleague(tenant, Role.FINANCE)
    case = await asked(tenant, tenant.factory, party="C", value=1)
    async with unit_of_work(tenant.customer) as session:
        with pytest.raises(NotFound):
            await get_case(session, tenant.customer, case.id)
        assert (await session.exec(select(Timeline).where(Timeline.subject_id == case.id))).all() == []
    with pytest.raises(PortalError):
        await answer(tenant.customer, case)
    assert ApprovalPoint.CHANGE is case.point
    assert case.requested_at - timedelta(days=1) < case.requested_at
