"""The factory's own rules about changes, at work on what it asks and on what partners ask."""

from decimal import Decimal
from uuid import UUID

import pytest

import portal.contracts.service_fields  # noqa: F401 - registers how a contract is found
from portal.approvals.effects import settle
from portal.approvals.inputs import Condition, Op
from portal.approvals.model import ApprovalPoint, CaseStatus
from portal.approvals.rules import NotAsked, OwnRequest
from portal.approvals.service import Decision, latest_case
from portal.changes import service_asking
from portal.changes.model import ChangeStatus
from portal.changes.service import get_change
from portal.changes.service_reviewing import RefusedByRules, SecondPersonNeeded, answers, drop_cases, review
from portal.contracts.inputs import SetRate
from portal.contracts.service import get_contract
from portal.contracts.service_rates import set_rate
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.fields.inputs import NewField, WriteValues
from portal.fields.model import FieldKind, Holder
from portal.fields.service import create_field, write_values
from tests.approvals.makers import APPROVE, FIRM, REFUSE, all_of, approvers, make_colleague, put_in_force, rules_of
from tests.changes.makers import FIRM as FIRM_DAY
from tests.changes.makers import agree, ask, counter, day, delivery, lines, state, step, wish
from tests.contracts.makers import make_item
from tests.factories import Tenant, fetch

D = Decimal
S = ChangeStatus


def system(tenant: Tenant) -> Actor:
    return Actor.system(tenant.id, tenant.factory.party_id)


async def reviewed(tenant: Tenant, change_id: UUID) -> ChangeStatus:
    return (await step(system(tenant), review, change_id)).status


async def offered(actor: Actor, change_id: UUID) -> list[str]:
    """What the page offers this person to do."""
    async with unit_of_work(actor) as session:
        return sorted(await answers(session, actor, await get_change(session, actor, change_id)))


async def test_a_rule_agrees_to_what_a_partner_asks_and_it_is_applied(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    await put_in_force(tenant, rules_of((all_of(FIRM), APPROVE)))
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, change.id) is S.APPLIED
    assert await reviewed(tenant, change.id) is S.APPLIED  # the job may run twice
    assert await lines(tenant.customer, made) == [(120, day(FIRM_DAY), "confirmed")]


async def test_a_rule_refuses_and_the_partner_reads_its_reason_and_nothing_else(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    await put_in_force(tenant, rules_of((all_of(FIRM), REFUSE)))
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, change.id) is S.DECLINED
    (row,) = await fetch(
        tenant.customer, "select decline_reason, decided_name from change_request where id = $1", change.id
    )
    assert tuple(row) == ("Too late", "")
    assert await lines(tenant.customer, made) == [(100, day(FIRM_DAY), "proposed")]


async def test_two_approvers_in_order_decide_and_the_partner_sees_only_that_it_is_in_review(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    planner, sales = await make_colleague(tenant, Role.PLANNER), await make_colleague(tenant, Role.SALES)
    await put_in_force(tenant, rules_of((all_of(FIRM), approvers(Role.PLANNER, Role.SALES))))
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, change.id) is S.IN_REVIEW
    with pytest.raises(NotAsked):
        await agree(sales, change.id)
    assert (await offered(sales, change.id), await offered(planner, change.id)) == (
        ["counter"],  # an answer that is others' to give is not offered
        ["accept", "counter", "decline"],
    )
    assert (await agree(planner, change.id)).status is S.IN_REVIEW
    assert await lines(tenant.customer, made) == [(100, day(FIRM_DAY), "proposed")]
    async with unit_of_work(sales) as session:
        case = await latest_case(session, sales, change.id)
        assert case is not None
        assert (D(case.facts["change_quantity"]), case.facts["unit"]) == (D(20), ["H87"])
        await settle(session, sales, case.id, case.version, Decision.APPROVE)
    assert await state(tenant.customer, change.id) == "applied"
    verbs = await fetch(tenant.customer, "select verb from timeline where subject_id = $1 order by id", change.id)
    assert [row["verb"] for row in verbs] == ["submitted", "in_review", "accepted", "applied"]


async def test_the_factorys_own_change_stays_a_draft_until_a_second_person_agreed(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=FIRM_DAY)
    buyer, other = await make_colleague(tenant, Role.BUYER), await make_colleague(tenant, Role.BUYER)
    await put_in_force(tenant, rules_of((all_of(FIRM), approvers(Role.BUYER))))
    draft = await ask(buyer, made, wish(line_id, quantity=D(150)))
    assert (draft.status, await state(tenant.supplier, draft.id)) == (S.DRAFT, None)
    for who in (buyer, other):
        async with unit_of_work(who) as session:
            case = await latest_case(session, who, draft.id)
            assert case is not None
            if who is buyer:
                with pytest.raises(OwnRequest):
                    await settle(session, who, case.id, case.version, Decision.APPROVE)
            else:
                await settle(session, who, case.id, case.version, Decision.APPROVE)
    assert await state(tenant.supplier, draft.id) == "submitted"


async def test_rules_bind_the_factorys_own_words_too(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    await put_in_force(tenant, rules_of((all_of(FIRM), REFUSE)))
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    with pytest.raises(RefusedByRules):
        await agree(tenant.factory, change.id)
    with pytest.raises(SecondPersonNeeded):
        await counter(tenant.factory, change.id, wish(line_id, quantity=D(110)))
    with pytest.raises(RefusedByRules):
        await ask(tenant.factory, made, wish(line_id, quantity=D(110)))
    assert await state(tenant.customer, change.id) == "submitted"


async def test_nobody_decides_about_what_was_taken_back(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, change.id) is S.IN_REVIEW  # without rules a person answers
    await step(tenant.customer, service_asking.withdraw_change, change.id)
    async with unit_of_work(system(tenant)) as session:
        await drop_cases(session, system(tenant), change.id)
        case = await latest_case(session, tenant.factory, change.id)
    assert case is not None
    assert (case.status, case.point) == (CaseStatus.WITHDRAWN, ApprovalPoint.CHANGE)


async def test_a_rule_about_a_change_looks_at_the_items_category_and_at_custom_fields(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    await make_item(tenant, made.line.item_code, category="Castings")
    castings = Condition(fact="item_category", op=Op.ANY_OF, values=["Castings"])
    old = Condition(fact="contract.since", op=Op.LESS, values=["2020-01-01"])
    by_them = Condition(fact="requester_role", op=Op.ANY_OF, values=[tenant.customer.role.value])
    made_here = Condition(fact="line.mould", op=Op.ANY_OF, values=["yes"])
    async with unit_of_work(tenant.factory) as session:
        field = NewField(holder=Holder.CONTRACT, key="since", label_zh="起始", label_en="Since", kind=FieldKind.DATE)
        await create_field(session, tenant.factory, field)
        field = NewField(holder=Holder.LINE, key="mould", label_zh="模具", label_en="Mould", kind=FieldKind.YES_NO)
        await create_field(session, tenant.factory, field)
    await put_in_force(tenant, rules_of((all_of(castings, old, made_here, by_them), APPROVE), otherwise=REFUSE))
    first = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, first.id) is S.DECLINED  # nobody has said since when
    async with unit_of_work(tenant.factory) as session:
        said = WriteValues(values={"since": "2019-12-31"})
        await write_values(session, tenant.factory, Holder.CONTRACT, made.contract.id, said)
        said = WriteValues(values={"mould": "yes"})
        await write_values(session, tenant.factory, Holder.LINE, made.line.id, said)
    second = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, second.id) is S.APPLIED


async def test_the_value_of_a_change_is_weighed_in_the_own_currency(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM_DAY)
    async with unit_of_work(tenant.factory) as session:
        (await get_contract(session, tenant.factory, made.contract.id, lock=True)).currency = "EUR"
        await set_rate(session, tenant.factory, SetRate(base="EUR", quote="CNY", day=day(-1), rate=D(8)))
    large = Condition(fact="value", op=Op.AT_LEAST, values=["12000"])  # 120 at EUR 12.50 each
    await put_in_force(tenant, rules_of((all_of(large), REFUSE), otherwise=APPROVE))
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(120)))
    assert await reviewed(tenant, change.id) is S.DECLINED
    assert await lines(tenant.customer, made) == [(100, day(FIRM_DAY), "proposed")]
