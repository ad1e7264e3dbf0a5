"""Whom an approval is told, and what its card can do: only for those who may decide, and never the partner."""

from dataclasses import replace
from decimal import Decimal

import pytest

from portal.approvals.events import ApprovalAsked, ApprovalDecided
from portal.approvals.service import Decision, decide, latest_case
from portal.changes.service_reviewing import review
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.errors import NotFound
from portal.core.journal import Event
from portal.notices.cards import Card
from portal.notices.compose import card_for
from portal.notices.happenings import understood
from portal.notices.model import Kind
from portal.notices.news import News
from tests.approvals.makers import FIRM, all_of, approvers, ask_for, make_colleague, put_in_force, rules_of
from tests.changes.makers import FIRM as FIRM_DAY
from tests.changes.makers import ask as change_asked
from tests.changes.makers import delivery, step, wish
from tests.factories import Tenant


async def news(tenant: Tenant, event: Event) -> tuple[News, ...]:
    system = Actor.system(tenant.id, tenant.factory.party_id)
    async with read(system) as connection:
        happening = await understood(connection, tenant.id, event)
    assert happening is not None
    return happening.news


async def card(reader: Actor, case_id: object) -> Card:
    async with unit_of_work(reader) as session:
        return await card_for(session, reader, "approval_case", case_id)  # type: ignore[arg-type]


async def test_those_who_may_decide_are_told_and_afterwards_whoever_asked(tenant: Tenant) -> None:
    finance, other = await make_colleague(tenant, Role.FINANCE), await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE, answer_hours=8))))
    async with unit_of_work(other) as session:
        case = await ask_for(session, other, {"zone": "firm", "value": 5000})

    (asked,) = await news(tenant, ApprovalAsked(case.id))
    assert (asked.kind, asked.only, asked.due_at is not None) == (Kind.APPROVAL, frozenset([finance.member_id]), True)
    mine, theirs = await card(finance, case.id), await card(other, case.id)
    assert [button.label for button in mine.buttons[0]] == ["Approve", "Refuse", "Open the page"]
    assert [button.label for button in theirs.buttons[0]] == ["Open the page"]
    assert "5,000" not in mine.text
    with pytest.raises(NotFound):
        await card(tenant.customer, case.id)

    async with unit_of_work(finance) as session:
        await decide(session, finance, case.id, case.version, Decision.REFUSE, "Outside the budget")
    (told,) = await news(tenant, ApprovalDecided(case.id))
    assert (told.kind, told.only) == (Kind.APPROVED, frozenset([other.member_id]))
    assert (await card(other, case.id)).state == "Refused: Outside the budget"


async def test_the_card_says_what_the_change_would_be(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=FIRM_DAY)
    planner = await make_colleague(tenant, Role.PLANNER)
    await put_in_force(tenant, rules_of((all_of(FIRM), approvers(Role.PLANNER))))
    change = await change_asked(tenant.supplier, made, wish(line_id, quantity=Decimal(120)))
    await step(Actor.system(tenant.id, tenant.factory.party_id), review, change.id)
    async with unit_of_work(planner) as session:
        case = await latest_case(session, planner, change.id)
    assert case is not None

    asked = await card(planner, case.id)

    assert asked.title == "Your approval is asked"
    assert any("100" in fact and "120" in fact and "→" in fact for fact in asked.facts[:1])
    assert "Zone: firm zone" in asked.facts
    elsewhere = replace(planner, contract_ids=frozenset({case.id}))  # of a colleague who sees other contracts only
    with pytest.raises(NotFound):
        await card(elsewhere, case.id)
