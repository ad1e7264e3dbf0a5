"""An approval that arrives in a chat: refused with a reason, approved with one press, never by whoever asked."""

from collections.abc import AsyncIterator

import pytest

from bot.channels import chat_channels
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.approvals.service import get_case
from portal.core.access import Role
from portal.core.db import unit_of_work
from portal.core.settings import get_settings
from portal.notices.channels import Channel
from tests.approvals.makers import all_of, approvers, ask_for, put_in_force, rules_of
from tests.bot.makers import House
from tests.bot.test_notices import pass_on
from tests.factories import Tenant
from tests.notices.channel import MemoryChat
from tests.notices.conftest import Post

POINT = ApprovalPoint.STATEMENT  # nothing follows from its decisions yet


@pytest.fixture
async def channels(house: House) -> AsyncIterator[dict[str, Channel]]:
    """What the worker sends by."""
    found = chat_channels(get_settings())
    yield found
    for channel in found.values():
        await channel.close()


async def status(tenant: Tenant, case: ApprovalCase) -> tuple[CaseStatus, str, str]:
    async with unit_of_work(tenant.factory) as session:
        found, (step,) = await get_case(session, tenant.factory, case.id)
    return found.status, step.note, step.decided_via


async def test_a_request_is_decided_where_it_arrives(
    house: House, tenant: Tenant, channels: dict[str, Channel]
) -> None:
    finance = await house.linked(tenant.factory, Role.FINANCE)
    await Post(tenant, MemoryChat()).awake(finance.actor)
    await put_in_force(tenant, rules_of((all_of(), approvers(Role.FINANCE))), POINT)
    async with unit_of_work(tenant.factory) as session:
        first = await ask_for(session, tenant.factory, {"difference_percent": "5"}, point=POINT)
    await pass_on(tenant, channels)

    await finance.phone.wait_for("Your approval is asked")
    await finance.phone.press("Refuse")
    answer = await finance.phone.press("Too little notice")
    assert answer.text == "Refused: C-1"
    assert await status(tenant, first) == (CaseStatus.REFUSED, "Too little notice", "chat")

    async with unit_of_work(tenant.factory) as session:
        second = await ask_for(session, tenant.factory, {"difference_percent": "37"}, point=POINT)
    await house.quiet()
    await pass_on(tenant, channels)
    await finance.phone.wait_for("37")
    answer = await finance.phone.press("Approve")
    assert answer.text == "Approved: C-1"
    assert await status(tenant, second) == (CaseStatus.APPROVED, "", "chat")
