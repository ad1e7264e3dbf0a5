"""What the factory's own rules hold back before a partner is told: told from the rows, and from the other side."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

import portal.contracts.effects  # noqa: F401 - registers what approvals lead to
from portal.approvals.effects import settle
from portal.approvals.inputs import Condition, Op
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.approvals.rules import OwnRequest
from portal.approvals.service import Decision, open_cases
from portal.contracts import service
from portal.contracts.inputs import Amendment, ChangeContract, LineOffer, NewPrice
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.rules_approval import ContractMovedOn
from portal.contracts.service_drafts import change_contract
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import NotFound
from tests.approvals.makers import REFUSE, all_of, approvers, make_colleague, put_in_force, rules_of
from tests.contracts.makers import make_draft, make_item, new_line, step
from tests.contracts.versions import make_active, offers, take
from tests.factories import Tenant, fetch, today, unlike_a_quantity

CONTRACT, PRICE = ApprovalPoint.CONTRACT, ApprovalPoint.PRICE
LARGE = all_of(Condition(fact="value", op=Op.MORE, values=["10000"]))


async def priced(tenant: Tenant, quantity: Decimal) -> Contract:
    """A draft over so many pieces at 12.50."""
    code = f"A-{unlike_a_quantity()}"
    await make_item(tenant, code)
    return await make_draft(tenant, Direction.SALE, new_line(code, target_quantity=quantity))


async def waiting(tenant: Tenant, contract: Contract) -> list[ApprovalCase]:
    async with unit_of_work(tenant.factory) as session:
        return await open_cases(session, tenant.factory, contract.id)


async def answer(by: Actor, case: ApprovalCase, verdict: Decision = Decision.APPROVE) -> ApprovalCase:
    async with unit_of_work(by) as session:
        return await settle(session, by, case.id, case.version, verdict, "see the budget")


async def status(by: Actor, contract: Contract) -> ContractStatus:
    async with unit_of_work(by) as session:
        return (await service.get_contract(session, by, contract.id)).status


async def test_a_large_contract_is_proposed_in_the_requesters_name_once_finance_has_approved(tenant: Tenant) -> None:
    finance, sales = await make_colleague(tenant, Role.FINANCE), await make_colleague(tenant, Role.SALES, "Mia")
    await put_in_force(tenant, rules_of((LARGE, approvers(Role.FINANCE))), CONTRACT)
    contract = await priced(tenant, Decimal(1000))
    await step(sales, "propose", contract.id)

    (case,) = await waiting(tenant, contract)
    assert (case.label, case.facts["value"], case.facts["step"]) == (contract.number, "12500.000000", ["proposal"])
    with pytest.raises(OwnRequest):
        await answer(sales, case)
    with pytest.raises(NotFound):  # the partner was told nothing
        await status(tenant.customer, contract)
    assert (await answer(finance, case)).status is CaseStatus.APPROVED
    assert await status(tenant.customer, contract) is ContractStatus.PROPOSED
    said = "select member_name from timeline where subject_id = $1 and verb = 'proposed'"
    assert [row["member_name"] for row in await fetch(tenant.customer, said, contract.id)] == ["Mia"]


async def test_a_refusal_leaves_the_draft_and_a_small_contract_is_proposed_at_once(tenant: Tenant) -> None:
    finance = await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, rules_of((LARGE, approvers(Role.FINANCE))), CONTRACT)
    large = await priced(tenant, Decimal(801))
    small = await priced(tenant, Decimal(800))
    for contract in (large, small):
        await step(tenant.factory, "propose", contract.id)
    (case,) = await waiting(tenant, large)
    await answer(finance, case, Decision.REFUSE)

    assert [await status(tenant.factory, contract) for contract in (large, small)] == [
        ContractStatus.DRAFT,
        ContractStatus.PROPOSED,
    ]


async def test_a_draft_that_was_changed_meanwhile_is_not_proposed(tenant: Tenant) -> None:
    finance = await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, rules_of((LARGE, approvers(Role.FINANCE))), CONTRACT)
    contract = await priced(tenant, Decimal(1000))
    await step(tenant.factory, "propose", contract.id)
    (case,) = await waiting(tenant, contract)
    terms = ChangeContract(currency="CNY", valid_from=today(), title="Other")
    async with unit_of_work(tenant.factory) as session:
        await change_contract(session, tenant.factory, contract.id, terms)
    with pytest.raises(ContractMovedOn):
        await answer(finance, case)
    assert [each.id for each in await waiting(tenant, contract)] == [case.id]
    await step(tenant.factory, "propose", contract.id)
    (again,) = await waiting(tenant, contract)
    assert again.id != case.id


async def test_a_price_change_of_exactly_the_limit_passes_and_above_it_waits(tenant: Tenant) -> None:
    buyer = await make_colleague(tenant, Role.BUYER)
    above = all_of(Condition(fact="price_change_percent", op=Op.BEYOND, values=["20"]))
    await put_in_force(tenant, rules_of((above, approvers(Role.BUYER))), PRICE)
    contract = await make_active(tenant)

    def dearer(price: str, in_days: int) -> Amendment:
        day = today() + timedelta(days=in_days)
        return Amendment(
            effective_from=day, lines=[LineOffer(line_no=1, prices=[NewPrice(valid_from=day, price=Decimal(price))])]
        )

    assert await take(tenant.factory, "amend", contract, dearer("15.00", 30)) is not None  # 12.50 and 20 %
    await take(tenant.factory, "withdraw_amendment", contract)
    assert await take(tenant.factory, "amend", contract, dearer("15.01", 30)) is None
    (case,) = await waiting(tenant, contract)
    assert (case.point, case.facts["price_change_percent"]) == (PRICE, "20.080000")
    before = await offers(tenant.customer, contract)
    await answer(buyer, case)
    assert len(await offers(tenant.customer, contract)) == len(before) + 1

    await put_in_force(tenant, rules_of((all_of(), REFUSE)), CONTRACT)
    await take(tenant.factory, "withdraw_amendment", contract)
    assert await take(tenant.factory, "amend", contract, dearer("13.00", 40)) is None
    assert await waiting(tenant, contract) == []  # refused by rule at once
    assert await take(tenant.customer, "amend", contract, dearer("13.00", 40)) is not None  # theirs is theirs
    await take(tenant.factory, "accept_amendment", contract)
    assert (await offers(tenant.factory, contract))[-1][1] == "proposed"  # the factory's own word is held back too


async def test_a_role_that_may_not_write_contracts_can_still_let_one_go_on(tenant: Tenant) -> None:
    finance = await make_colleague(tenant, Role.FINANCE)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))), CONTRACT)
    contract = await make_draft(tenant)
    await step(tenant.factory, "propose", contract.id)
    (case,) = await waiting(tenant, contract)
    await answer(replace(finance), case)
    assert await status(tenant.factory, contract) is ContractStatus.PROPOSED
