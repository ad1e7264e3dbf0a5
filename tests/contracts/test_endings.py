"""Contracts suspended, terminated and expired, and what they are reminded of, proven on both sides."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.contracts import service
from portal.contracts.inputs import Decline, Reason, Terminate
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.rules_life import (
    EndsTooEarly,
    OnlyByCalendar,
    SuspendedByOther,
    contract_target,
)
from portal.core.actor import Actor, Channel, Direction, Origin
from portal.core.db import unit_of_work
from portal.core.errors import PortalError
from portal.core.states import Side, WrongState
from portal.schedules.rules import DraftsOutside
from portal.schedules.service_release import (
    CallOff,
    Generate,
    NotInForce,
    OutsideValidity,
    Publish,
    call_off,
    generate_lines,
    publish_release,
)
from tests.contracts.bucket_makers import consumed, make_committed, span
from tests.contracts.makers import events, head, history, make_draft, make_item, make_proposed, new_line, step
from tests.contracts.versions import make_active, noon, run_day, wanting
from tests.factories import Tenant, fetch, today

DAY = timedelta(days=1)
BOTH = pytest.mark.parametrize("direction", list(Direction))


# Suspended, terminated, expired --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["factory", "customer"])
async def test_nothing_is_called_off_while_suspended_and_who_suspended_resumes(tenant: Tenant, who: str) -> None:
    actor: Actor = getattr(tenant, who)
    other = tenant.customer if who == "factory" else tenant.factory
    contract = await make_active(tenant)
    await step(actor, "suspend", contract.id, data=Reason(reason="The line stands still."))

    async with unit_of_work(tenant.factory) as session:
        for deed in (generate_lines(session, tenant.factory, contract.id, Generate()),
                     publish_release(session, tenant.factory, contract.id, None, Publish())):  # fmt: skip
            with pytest.raises(NotInForce) as refused:
                await deed
            assert "suspended" in str(refused.value)
    with pytest.raises(SuspendedByOther):
        await step(other, "resume", contract.id)
    assert (await head(other, contract.id) or ())[0] == "suspended"
    async with unit_of_work(other) as session:
        seen = await service.get_contract(session, other, contract.id)
        assert "resume" not in service.actions(seen, other)
    await step(actor, "resume", contract.id)
    assert (await head(other, contract.id) or ())[0] == "active"


async def test_a_termination_takes_place_on_the_morning_after_its_last_day(tenant: Tenant) -> None:
    contract, last = await make_active(tenant), today() + 3 * DAY
    with pytest.raises(EndsTooEarly):
        await step(tenant.customer, "terminate", contract.id, data=Terminate(reason="r", last_day=today() - DAY))
    await step(tenant.customer, "terminate", contract.id, data=Terminate(reason="We close.", last_day=last))

    assert (await head(tenant.factory, contract.id) or ())[0] == "active"
    (line_id,) = [
        row[0] for row in await fetch(tenant.factory, "select id from contract_line where contract_id=$1", contract.id)
    ]
    order = CallOff(contract_line_id=line_id, quantity=Decimal(40), due_date=last + DAY)
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(OutsideValidity):
            await call_off(session, tenant.factory, contract.id, order)
    await run_day(tenant, noon(3))
    assert (await head(tenant.factory, contract.id) or ())[0] == "active"
    await run_day(tenant, noon(4))
    assert (await head(tenant.customer, contract.id) or ())[0] == "terminated"
    with pytest.raises(WrongState):
        await step(tenant.factory, "resume", contract.id)


async def test_a_termination_of_today_ends_the_contract_at_once(tenant: Tenant) -> None:
    contract = await make_active(tenant)
    await step(tenant.factory, "terminate", contract.id, data=Terminate(reason="Agreed.", last_day=today()))
    assert (await head(tenant.customer, contract.id) or ())[0] == "terminated"


async def test_a_contract_expires_on_the_day_after_its_last_once_and_is_reminded_of_before(tenant: Tenant) -> None:
    contract = await make_active(tenant, valid_to=today() + 40 * DAY, notice_days=30)

    told = [(await run_day(tenant, noon(ahead)))["ended"] for ahead in (5, 11, 12, 40, 41, 42)]

    assert told == [0, 0, 0, 0, 1, 0]
    assert (await head(tenant.customer, contract.id) or ())[0] == "expired"
    names = await events(tenant, contract.id)
    assert names[3:] == ["ContractEndingSoon", "ContractExpired"]
    with pytest.raises(OnlyByCalendar):
        contract_target(ContractStatus.ACTIVE, "expire", Side.SELLER, proposed_by_us=True)


async def test_too_little_called_off_is_told_once_a_month(tenant: Tenant) -> None:
    await make_item(tenant, "A100")
    contract = await make_draft(
        tenant, Direction.SALE, new_line("A100", target_quantity=Decimal(31_200)), valid_to=today() + 364 * DAY
    )
    await step(tenant.factory, "propose", contract.id)
    await step(tenant.customer, "accept", contract.id)
    await step(tenant.factory, "activate", contract.id)

    for ahead in (80, 95, 96, 124, 126):
        await run_day(tenant, noon(ahead))

    assert (await events(tenant, contract.id))[3:] == ["ContractUnderused", "ContractUnderused"]


async def test_a_period_that_is_called_off_too_slowly_for_its_floor_is_told(tenant: Tenant) -> None:
    slow, fast = [(await make_committed(tenant, span(0, 100))) for _ in range(2)]
    await consumed(tenant.factory, fast, 40)
    for ahead in (
        20,
        30,
        40,
    ):  # 80 in 100 days: on day 30 under 19.2 is too little, day 20 is early
        await run_day(tenant, noon(ahead))
    told = [await events(tenant, made.contract.id) for made in (slow, fast)]
    assert told == [["ContractUnderused"], []]


async def test_an_end_that_came_nearer_leaves_no_draft_behind_it(tenant: Tenant) -> None:
    contract = await make_active(tenant)
    async with unit_of_work(tenant.factory) as session:
        await generate_lines(session, tenant.factory, contract.id, Generate())
    await step(tenant.factory, "terminate", contract.id, data=Terminate(reason="r", last_day=today() + 30 * DAY))

    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(DraftsOutside):
            await publish_release(session, tenant.factory, contract.id, None, Publish())
    released = await fetch(tenant.customer, "select count(*) from release where contract_id = $1", contract.id)
    assert released[0][0] == 0


@BOTH
@pytest.mark.parametrize("by_factory", [True, False])
async def test_every_step_from_every_state_is_offered_or_refused_without_effect(
    tenant: Tenant, direction: Direction, by_factory: bool
) -> None:
    actor = tenant.factory if by_factory else tenant.partner(direction)
    given_data: dict[str, dict[str, Any]] = {
        "counter": {"data": wanting(480)},
        "decline": {"data": Decline(reason="no")},
        "suspend": {"data": Reason(reason="r")},
        "terminate": {"data": Terminate(reason="r", last_day=today())},
        "complete": {"open_lines": 0},
    }
    contract = await make_proposed(tenant, direction)
    for status in ContractStatus:
        async with unit_of_work(tenant.factory) as session:
            row = await session.get(Contract, (tenant.id, contract.id))
            assert row is not None
            row.status, row.suspended_by = status, ""
            allowed = set(service.actions(row, actor)) - {"amend"}
        before = (await head(tenant.factory, contract.id), await history(tenant.factory, contract.id))
        for action in ("propose", "accept", "counter", "decline", "withdraw", "activate", "suspend", "resume",
                       "terminate", "complete"):  # fmt: skip
            if action in allowed:
                continue
            with pytest.raises(PortalError):
                await step(actor, action, contract.id, **given_data.get(action, {}))
        assert (await head(tenant.factory, contract.id), await history(tenant.factory, contract.id)) == before


async def test_an_acceptance_by_key_is_evidence_too(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer.via(Channel.API), "accept", contract.id, origin=Origin("203.0.113.9", "curl"))
    rows = await fetch(
        tenant.factory, "select answered_via, answered_from from contract_revision where contract_id = $1", contract.id
    )
    assert [tuple(row) for row in rows] == [("api", "203.0.113.9")]
