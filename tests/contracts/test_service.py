"""Commands on contracts, proven on both sides."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.contracts import service, service_drafts
from portal.contracts.evidence import content, digest
from portal.contracts.inputs import Decline, NewPrice
from portal.contracts.model import ContractStatus
from portal.contracts.rules_life import (
    AlreadyEnded,
    NothingAgreed,
    OpenLines,
    OwnProposal,
)
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.ids import uuid7
from portal.core.states import WrongState
from portal.core.versions import Stale
from portal.schedules.service_contract import complete_contract
from portal.schedules.service_release import CallOff, call_off
from tests.contracts.makers import events, head, history, make_draft, make_proposed, new_contract, new_line, step
from tests.factories import Tenant, fetch, make_contract, make_tenant, today

BOTH = pytest.mark.parametrize("direction", list(Direction))


@BOTH
async def test_a_contract_passes_from_draft_to_completion_and_both_sides_read_the_same(
    tenant: Tenant, direction: Direction
) -> None:
    partner = tenant.partner(direction)
    contract = await make_draft(tenant, direction)

    await step(tenant.factory, "propose", contract.id, 1)
    await step(partner, "accept", contract.id, 2)
    await step(tenant.factory, "activate", contract.id, 3)
    async with unit_of_work(tenant.factory) as session:
        done = await complete_contract(session, tenant.factory, contract.id, 4)

    expected = ("completed", 5, True, partner.member_id)
    assert done.status is ContractStatus.COMPLETED
    assert await head(tenant.factory, contract.id) == await head(partner, contract.id) == expected
    steps = [("created", 1), ("proposed", 2), ("accepted", 3), ("activated", 4), ("completed", 5)]
    assert await history(tenant.factory, contract.id) == await history(partner, contract.id) == steps
    told = ["ContractProposed", "ContractAccepted", "ContractActivated", "ContractCompleted"]
    assert await events(tenant, contract.id) == told


async def test_an_acceptance_keeps_who_when_by_which_way_and_the_digest_of_what_was_agreed(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)

    await step(tenant.customer, "accept", contract.id, 2)

    async with unit_of_work(tenant.factory) as session:
        agreed = await service.get_contract(session, tenant.factory, contract.id)
        lines = await service.get_lines(session, tenant.factory, contract.id)
        prices = await service.get_prices(session, tenant.factory, contract.id)
    (row,) = await fetch(
        tenant.factory,
        "select member_id, member_name, channel, data->>'sha256' as sha256, transaction from timeline"
        " where subject_id = $1 and verb = 'accepted'",
        contract.id,
    )
    audit = await fetch(tenant.factory, "select action from audit where subject_id = $1 order by id", contract.id)
    (outbox,) = await fetch(
        tenant.factory,
        "select transaction, member_id from outbox where name = 'ContractAccepted' and tenant_id = $1",
        tenant.id,
    )
    assert tuple(row)[:4] == (tenant.customer.member_id, "Ann", "page", digest(content(agreed, lines, prices)))
    assert [entry["action"] for entry in audit] == ["contract.created", "contract.proposed", "contract.accepted"]
    assert tuple(outbox) == (row["transaction"], tenant.customer.member_id)
    assert await fetch(tenant.customer, "select 1 from timeline where subject_id = $1", contract.id)


async def test_the_digest_changes_with_any_price_and_with_nothing_that_is_not_agreed(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    async with unit_of_work(tenant.factory) as session:
        lines = await service.get_lines(session, tenant.factory, contract.id)
        prices = await service.get_prices(session, tenant.factory, contract.id)
        before = digest(content(contract, lines, prices))
        contract.version, contract.status = 99, ContractStatus.ACTIVE
        assert digest(content(contract, lines, prices)) == before
        session.expunge_all()
        prices[lines[0].id][0].price += Decimal("0.000001")
        assert digest(content(contract, lines, prices)) != before


async def test_a_draft_is_not_there_for_the_partner_until_it_is_proposed(tenant: Tenant) -> None:
    contract = await make_draft(tenant)

    assert await head(tenant.customer, contract.id) is None
    with pytest.raises(NotFound):
        await step(tenant.customer, "accept", contract.id)

    await step(tenant.factory, "propose", contract.id)
    assert await head(tenant.customer, contract.id) == ("proposed", 2, True, None)
    assert await head(tenant.supplier, contract.id) is None


async def test_a_declined_contract_goes_back_with_the_reason_and_hides_again_once_it_is_rewritten(
    tenant: Tenant,
) -> None:
    contract = await make_proposed(tenant)

    await step(tenant.customer, "decline", contract.id, 2, data=Decline(reason="Too dear."))

    assert await head(tenant.factory, contract.id) == ("draft", 3, True, None)
    (row,) = await fetch(
        tenant.factory, "select data->>'reason' from timeline where subject_id = $1 and verb = 'declined'", contract.id
    )
    assert row[0] == "Too dear."
    assert await events(tenant, contract.id) == ["ContractProposed", "ContractDeclined"]

    async with unit_of_work(tenant.factory) as session:
        line = (await service.get_lines(session, tenant.factory, contract.id))[0]
        price = NewPrice(valid_from=date(2026, 1, 1), price=Decimal(11))
        await service_drafts.set_price(session, tenant.factory, contract.id, line.id, price, 3)
    assert await head(tenant.customer, contract.id) is None


async def test_a_withdrawn_contract_is_the_writers_own_again(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)

    await step(tenant.factory, "withdraw", contract.id, 2)

    assert await head(tenant.factory, contract.id) == ("draft", 3, False, None)
    assert await head(tenant.customer, contract.id) is None


@pytest.mark.parametrize(
    ("who", "action", "refusal"),
    [
        ("factory", "accept", Forbidden),  # nobody accepts their own proposal
        ("customer", "withdraw", Forbidden),
        ("customer", "propose", Forbidden),
        ("factory", "activate", WrongState),
        ("supplier", "accept", NotFound),
    ],
)
async def test_a_step_that_is_not_ones_own_changes_nothing(
    tenant: Tenant, who: str, action: str, refusal: type[Exception]
) -> None:
    contract = await make_proposed(tenant)

    with pytest.raises(refusal):
        await step(getattr(tenant, who), action, contract.id)

    assert await head(tenant.factory, contract.id) == ("proposed", 2, True, None)
    assert await events(tenant, contract.id) == ["ContractProposed"]
    assert await history(tenant.factory, contract.id) == [("created", 1), ("proposed", 2)]


async def test_even_an_actor_with_every_permission_cannot_answer_its_own_proposal(tenant: Tenant) -> None:
    from portal.contracts.rules_life import contract_target
    from portal.core.states import Side

    contract = await make_proposed(tenant)

    with pytest.raises(OwnProposal):
        contract_target(contract.status, "accept", Side.SELLER, proposed_by_us=True)


@pytest.mark.parametrize("role", [Role.CLERK, Role.FINANCE, Role.VIEWER])
async def test_only_the_partners_administrator_accepts(tenant: Tenant, role: Role) -> None:
    contract = await make_proposed(tenant)

    with pytest.raises(Forbidden):
        await step(tenant.as_role(tenant.customer, role), "accept", contract.id)

    assert await head(tenant.factory, contract.id) == ("proposed", 2, True, None)


@pytest.mark.parametrize("role", [Role.WAREHOUSE, Role.PRODUCTION, Role.FINANCE, Role.AUDITOR, Role.VIEWER])
async def test_a_reader_of_the_factory_can_neither_write_nor_propose(tenant: Tenant, role: Role) -> None:
    contract = await make_draft(tenant)
    reader = tenant.as_role(tenant.factory, role)

    with pytest.raises(Forbidden):
        await step(reader, "propose", contract.id)
    async with unit_of_work(reader) as session:
        with pytest.raises(Forbidden):
            await service_drafts.create_contract(session, reader, new_contract(tenant))
        with pytest.raises(Forbidden):
            await service_drafts.add_line(session, reader, contract.id, new_line())

    assert await history(tenant.factory, contract.id) == [("created", 1)]
    assert [
        row[0] for row in await fetch(tenant.factory, "select count(*) from contract where tenant_id = $1", tenant.id)
    ] == [1]


async def test_a_decision_on_another_version_is_refused(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)

    with pytest.raises(Stale) as refused:
        await step(tenant.customer, "accept", contract.id, 1)

    assert refused.value.data == {"seen": 1, "current": 2}
    assert await head(tenant.factory, contract.id) == ("proposed", 2, True, None)


async def test_foreign_and_absent_contracts_are_refused_alike(tenant: Tenant, database: Any) -> None:
    other = await make_tenant(str(database.database_url))
    contract = await make_proposed(tenant)

    for actor in (tenant.supplier, other.factory, other.customer):
        for contract_id in (contract.id, uuid7()):
            async with unit_of_work(actor) as session:
                with pytest.raises(NotFound) as refused:
                    await service.get_contract(session, actor, contract_id)
                assert str(refused.value) == str(NotFound())
                assert await service.get_lines(session, actor, contract_id) == []
                assert await service.get_prices(session, actor, contract_id) == {}


async def test_a_restricted_colleague_sees_and_answers_the_named_contracts_only(tenant: Tenant) -> None:
    mine, others = await make_proposed(tenant), await make_proposed(tenant)
    colleague = replace(tenant.customer, contract_ids=frozenset({mine.id}))

    async with unit_of_work(colleague) as session:
        assert (await service.get_contract(session, colleague, mine.id)).id == mine.id
        assert await service.get_lines(session, colleague, others.id) == []
        with pytest.raises(NotFound):
            await service.get_contract(session, colleague, others.id)
    with pytest.raises(NotFound):
        await step(colleague, "accept", others.id)

    assert (await step(colleague, "accept", mine.id)).status is ContractStatus.ACCEPTED
    assert await head(tenant.factory, others.id) == ("proposed", 2, True, None)


async def test_prices_are_not_shown_to_roles_without_them(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    clerk = tenant.as_role(tenant.customer, Role.CLERK)

    async with unit_of_work(clerk) as session:
        lines = await service.get_lines(session, clerk, contract.id)
        assert await service.get_prices(session, clerk, contract.id) == {}
    async with unit_of_work(tenant.customer) as session:
        prices = await service.get_prices(session, tenant.customer, contract.id)

    assert [price.price for price in prices[lines[0].id]] == [Decimal("12.5")]


async def test_an_empty_contract_cannot_be_proposed(tenant: Tenant) -> None:
    async with unit_of_work(tenant.factory) as session:
        contract = await service_drafts.create_contract(session, tenant.factory, new_contract(tenant))

    with pytest.raises(NothingAgreed):
        await step(tenant.factory, "propose", contract.id)

    assert await head(tenant.factory, contract.id) == ("draft", 1, False, None)


async def test_a_contract_that_has_ended_cannot_come_into_force(tenant: Tenant) -> None:
    contract = await make_draft(tenant, valid_from=today() - timedelta(days=9), valid_to=today() - timedelta(days=1))
    await step(tenant.factory, "propose", contract.id)
    await step(tenant.customer, "accept", contract.id)

    with pytest.raises(AlreadyEnded):
        await step(tenant.factory, "activate", contract.id)

    assert (await head(tenant.factory, contract.id) or ())[0] == "accepted"


async def test_a_contract_with_an_open_delivery_is_not_complete(tenant: Tenant) -> None:
    made = await make_contract(tenant, foq=None)
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(5), due_date=today() + timedelta(days=3))
    async with unit_of_work(tenant.factory) as session:
        await call_off(session, tenant.factory, made.contract.id, order)

    with pytest.raises(OpenLines):
        async with unit_of_work(tenant.factory) as session:
            await complete_contract(session, tenant.factory, made.contract.id)

    assert (await head(tenant.factory, made.contract.id) or ())[0] == "active"


async def test_of_two_answers_at_once_one_counts(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)

    answers = await asyncio.gather(
        step(tenant.customer, "accept", contract.id, 2),
        step(tenant.customer, "decline", contract.id, 2, data=Decline(reason="no")),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["Contract", "Stale"]
    assert (await head(tenant.factory, contract.id) or ())[1] == 3
    assert len(await history(tenant.factory, contract.id)) == 3
    assert len(await events(tenant, contract.id)) == 2
