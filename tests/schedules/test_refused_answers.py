"""Rejecting a delivery and declining an answer: every refusal leaves the sums, the history and what is told alone."""

from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.core.states import WrongSide, WrongState
from portal.schedules.rules import ReasonNeeded, RejectReason, Stale
from portal.schedules.rules_answers import NothingToDecide
from portal.schedules.service import ConfirmLine, RejectLine, reject_line
from portal.schedules.service_deviations import DeclineAnswer, decline_answer
from tests.accounts.browser import text_of
from tests.factories import Tenant, traces
from tests.schedules.answers import answer, answers_of, asked, line_of, promising
from tests.web.refusals import EN, ZH, signed_in

NO_CAPACITY, UNSAID = RejectLine(reason=RejectReason.CAPACITY), RejectLine(reason=RejectReason.OTHER, note=" ")


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


def named(tenant: Tenant, who: str) -> Actor:
    """supplier, or supplier viewer."""
    company, _, role = who.partition(" ")
    actor: Actor = getattr(tenant, company)
    return tenant.as_role(actor, Role(role)) if role else actor


async def standing(tenant: Tenant, line_id: UUID) -> list[Any]:
    """The line and every answer to it as the supplier reads them, with the history; audit and outbox as the factory."""
    line = await line_of(tenant.supplier, line_id)
    return [tuple(line), await answers_of(tenant.supplier, line_id), await traces(tenant, tenant.supplier)]


# --- rejecting --------------------------------------------------------------------------------------------------------


async def reject(actor: Actor, line_id: UUID, data: RejectLine, version: int | None = None) -> None:
    async with unit_of_work(actor) as session:
        await reject_line(session, actor, line_id, version, data)


@pytest.mark.parametrize(
    ("who", "data", "version", "refusal"),
    [
        ("factory", NO_CAPACITY, None, WrongSide),
        ("factory viewer", NO_CAPACITY, None, Forbidden),
        ("supplier viewer", NO_CAPACITY, None, Forbidden),
        ("customer", NO_CAPACITY, None, NotFound),
        ("supplier", NO_CAPACITY, 1, Stale),
        ("supplier", UNSAID, None, ReasonNeeded),
    ],
)
async def test_a_refused_rejection_changes_nothing(
    tenant: Tenant, who: str, data: RejectLine, version: int | None, refusal: type[PortalError]
) -> None:
    _, line_id = await asked(tenant)
    before = await standing(tenant, line_id)
    with pytest.raises(refusal):
        await reject(named(tenant, who), line_id, data, version)
    assert await standing(tenant, line_id) == before


async def test_what_is_confirmed_or_rejected_is_not_rejected_again(tenant: Tenant) -> None:
    _, confirmed = await asked(tenant)
    await answer(tenant.supplier, confirmed, ConfirmLine())
    _, rejected = await asked(tenant)
    await reject(tenant.supplier, rejected, NO_CAPACITY)
    for line_id in (confirmed, rejected):
        before = await standing(tenant, line_id)
        with pytest.raises(WrongState):
            await reject(tenant.supplier, line_id, NO_CAPACITY)
        assert await standing(tenant, line_id) == before


@pytest.mark.parametrize(
    ("language", "unsaid", "late"),
    [
        (EN, "Say in a few words why, so that the buyer can act on it.", "you saw version 1, now it is 2"),
        (ZH, "请简要说明原因，以便买方处理。", "您看到的是第 1 版，现在是第 2 版"),
    ],
)
async def test_the_delivery_says_why_it_was_not_rejected(
    tenant: Tenant, app: Litestar, language: Language, unsaid: str, late: str
) -> None:
    _, line_id = await asked(tenant)
    before = await standing(tenant, line_id)
    async with signed_in(app, tenant.supplier, language) as browser:
        await browser.open(f"/schedule-lines/{line_id}")
        for said, fields in (
            (unsaid, {"version": "2", "reason": "other", "note": ""}),
            (late, {"version": "1", "reason": "capacity"}),
        ):
            told = text_of(await browser.send(f"/schedule-lines/{line_id}/reject", **fields))
            assert said in told
    assert await standing(tenant, line_id) == before


# --- declining an answer ----------------------------------------------------------------------------------------------


async def decline(actor: Actor, line_id: UUID, version: int | None = None) -> None:
    async with unit_of_work(actor) as session:
        await decline_answer(session, actor, line_id, version, DeclineAnswer(reason="The line would stop."))


@pytest.mark.parametrize(
    ("who", "version", "refusal"),
    [
        ("supplier", None, WrongSide),
        ("customer", None, NotFound),
        ("factory", 2, Stale),
        ("factory viewer", None, Forbidden),
        ("supplier viewer", None, Forbidden),
    ],
)
async def test_a_refused_declining_changes_nothing(
    tenant: Tenant, who: str, version: int | None, refusal: type[PortalError]
) -> None:
    _, line_id = await asked(tenant)
    await answer(tenant.supplier, line_id, promising((100, 12)))
    before = await standing(tenant, line_id)
    with pytest.raises(refusal):
        await decline(named(tenant, who), line_id, version)
    assert await standing(tenant, line_id) == before


async def test_an_answer_that_does_not_wait_is_not_declined(tenant: Tenant) -> None:
    _, unanswered = await asked(tenant)
    _, agreed = await asked(tenant)
    await answer(tenant.supplier, agreed, ConfirmLine())
    _, declined = await asked(tenant)
    await answer(tenant.supplier, declined, promising((100, 12)))
    await decline(tenant.factory, declined)
    for line_id in (unanswered, agreed, declined):
        before = await standing(tenant, line_id)
        with pytest.raises(NothingToDecide):
            await decline(tenant.factory, line_id)
        assert await standing(tenant, line_id) == before


@pytest.mark.parametrize(
    ("language", "late", "nothing"),
    [
        (EN, "you saw version 2, now it is 3", "No answer of this delivery waits for a decision any more."),
        (ZH, "您看到的是第 2 版，现在是第 3 版", "这笔交付已没有待决定的答复。"),
    ],
)
async def test_the_delivery_says_why_the_answer_was_not_declined(
    tenant: Tenant, app: Litestar, language: Language, late: str, nothing: str
) -> None:
    _, line_id = await asked(tenant)
    await answer(tenant.supplier, line_id, promising((100, 12)))
    _, unanswered = await asked(tenant)
    before = [await standing(tenant, one) for one in (line_id, unanswered)]
    async with signed_in(app, tenant.factory, language) as browser:
        for one, version, said in ((line_id, "2", late), (unanswered, "2", nothing)):
            await browser.open(f"/schedule-lines/{one}")
            answered = await browser.send(f"/schedule-lines/{one}/decline-answer", version=version, reason="No.")
            assert (answered.status_code, said in text_of(answered)) == (409, True)
    assert [(await standing(tenant, one))[:2] for one in (line_id, unanswered)] == [each[:2] for each in before]
