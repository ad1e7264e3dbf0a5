"""Answers that differ from what was asked: who decides, what is agreed then, and what both sides read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from portal.contracts.model import DeviationRule, Lapse
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import driver, unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.states import WrongSide
from portal.schedules import service
from portal.schedules.rules import RejectReason, Stale
from portal.schedules.rules_answers import DeviationForbidden, NothingToDecide, NotOnBehalf
from portal.schedules.service import ConfirmLine, RejectLine, Split
from portal.schedules.service_deviations import DeclineAnswer, accept_answer, decline_answer
from portal.schedules.service_lapse import lapse_answers
from tests.factories import Tenant, fetch, today
from tests.schedules.answers import answer, answers_of, asked, line_of, promising

FREE, APPROVAL, FORBIDDEN = DeviationRule.FREE, DeviationRule.APPROVAL, DeviationRule.FORBIDDEN
DAY = timedelta(days=1)


async def accept(actor: Actor, line_id: UUID, version: int | None = None) -> None:
    async with unit_of_work(actor) as session:
        await accept_answer(session, actor, line_id, version)


async def decline(actor: Actor, line_id: UUID, reason: str = "The line would stop.") -> None:
    async with unit_of_work(actor) as session:
        await decline_answer(session, actor, line_id, None, DeclineAnswer(reason=reason))


@pytest.mark.parametrize("direction", list(Direction))
async def test_a_later_day_waits_for_the_buyer_who_accepts_it(tenant: Tenant, direction: Direction) -> None:
    _, line_id = await asked(tenant, direction)
    seller, buyer = tenant.factory, tenant.customer
    if direction is Direction.PURCHASE:
        seller, buyer = tenant.supplier, tenant.factory
    await answer(seller, line_id, promising((60, 7), (40, 10), reason=RejectReason.CAPACITY, note="Furnace 2"))

    waiting = await line_of(buyer, line_id)
    assert (waiting["status"], waiting["respond_by"], waiting["confirmed_quantity"]) == ("proposed", None, 0)
    assert waiting["due_date"] == today() + 7 * DAY
    assert await answers_of(buyer, line_id) == [(60, "needs_approval"), (40, "needs_approval")]

    await accept(buyer, line_id, 3)
    for reader in (seller, buyer):
        line = await line_of(reader, line_id)
        assert (line["status"], line["confirmed_quantity"], line["deviation_id"]) == ("confirmed", 100, None)
        assert line["due_date"] == today() + 10 * DAY  # now agreed
        assert line["requested_date"] == today() + 7 * DAY  # as first asked, for ever
        assert line["promised_date"] == today() + 10 * DAY  # the first promise, for ever
    events = await fetch(
        tenant.factory, "select name from outbox where data->>'line_id' = $1 order by id", str(line_id)
    )
    assert [row["name"] for row in events] == ["DeviationOffered", "DeviationAccepted"]


async def test_a_declined_answer_changes_nothing_and_the_seller_is_asked_again(tenant: Tenant) -> None:
    _, line_id = await asked(tenant)
    await answer(tenant.supplier, line_id, promising((100, 12)))
    await decline(tenant.factory, line_id)
    line = await line_of(tenant.supplier, line_id)
    assert (line["status"], line["due_date"], line["confirmed_quantity"]) == ("proposed", today() + 7 * DAY, 0)
    assert line["respond_by"] is not None
    assert line["promised_date"] == today() + 12 * DAY
    assert await answers_of(tenant.supplier, line_id) == [(100, "declined")]
    await answer(tenant.supplier, line_id, ConfirmLine())
    line = await line_of(tenant.factory, line_id)
    assert (line["status"], line["promised_date"]) == ("confirmed", today() + 12 * DAY)


async def test_a_new_answer_takes_the_place_of_one_that_waits(tenant: Tenant) -> None:
    _, line_id = await asked(tenant)
    await answer(tenant.supplier, line_id, promising((100, 12)))
    await answer(tenant.supplier, line_id, promising((100, 9)))
    await answer(tenant.supplier, line_id, ConfirmLine())
    assert await answers_of(tenant.factory, line_id) == [(100, "replaced"), (100, "replaced"), (100, "valid")]
    with pytest.raises(NothingToDecide):
        await accept(tenant.factory, line_id)


async def test_days_inside_the_tolerance_leave_the_agreed_day(tenant: Tenant) -> None:
    _, line_id = await asked(tenant, late_days=3)
    await answer(tenant.supplier, line_id, promising((100, 10)))
    line = await line_of(tenant.factory, line_id)
    assert (line["status"], line["due_date"]) == ("confirmed", today() + 7 * DAY)


async def test_what_is_free_is_agreed_at_once_in_the_partners_own_scope(tenant: Tenant) -> None:
    _, line_id = await asked(tenant, deviation_later=FREE, deviation_quantity=FREE)
    await answer(tenant.supplier, line_id, promising((120, 9)))
    line = await line_of(tenant.factory, line_id)
    assert (line["status"], line["due_date"], line["ordered_quantity"]) == ("confirmed", today() + 9 * DAY, 120)
    assert (line["requested_date"], line["requested_quantity"]) == (today() + 7 * DAY, 100)


async def test_less_than_asked_for_good_is_a_quantity_to_decide(tenant: Tenant) -> None:
    _, line_id = await asked(tenant, deviation_quantity=APPROVAL)
    await answer(tenant.supplier, line_id, promising((80, 7), final=True))
    await accept(tenant.factory, line_id)
    line = await line_of(tenant.supplier, line_id)
    assert (line["status"], line["ordered_quantity"], line["requested_quantity"]) == ("confirmed", 80, 100)


async def test_another_price_is_agreed_for_this_delivery_alone(tenant: Tenant) -> None:
    _, line_id = await asked(tenant, deviation_price=APPROVAL)
    await answer(tenant.supplier, line_id, promising((100, 7), price=Decimal("12.50")))  # the contract's own
    assert (await line_of(tenant.factory, line_id))["price"] is None
    _, line_id = await asked(tenant, deviation_price=APPROVAL)
    await answer(tenant.supplier, line_id, promising((100, 7), price=Decimal("12.80")))
    await accept(tenant.factory, line_id)
    assert (await line_of(tenant.supplier, line_id))["price"] == Decimal("12.80")


async def test_despatch_and_days_in_transit_make_the_delivery_day(tenant: Tenant) -> None:
    _, line_id = await asked(tenant, transit_days=3, late_days=9)
    split = Split(quantity=Decimal(100), despatch_date=today() + 4 * DAY)
    await answer(tenant.supplier, line_id, ConfirmLine(splits=[split]))
    (part,) = await fetch(
        tenant.factory, "select delivery_date, despatch_date from confirmation where line_id = $1", line_id
    )
    assert part["despatch_date"] == today() + 4 * DAY
    assert today() + 7 * DAY <= part["delivery_date"] <= today() + 9 * DAY  # a weekend moves it


@pytest.mark.parametrize(
    ("who", "version", "refusal"),
    [("supplier", None, WrongSide), ("customer", None, NotFound), ("factory", 2, Stale), ("viewer", None, Forbidden)],
)
async def test_a_refused_decision_changes_nothing(
    tenant: Tenant, who: str, version: int | None, refusal: type[PortalError]
) -> None:
    _, line_id = await asked(tenant)
    await answer(tenant.supplier, line_id, promising((100, 12)))
    before = await line_of(tenant.factory, line_id)
    actor = tenant.as_role(tenant.factory, Role.VIEWER) if who == "viewer" else getattr(tenant, who)
    with pytest.raises(refusal):
        await accept(actor, line_id, version)
    assert await line_of(tenant.factory, line_id) == before
    assert await answers_of(tenant.factory, line_id) == [(100, "needs_approval")]


async def test_what_is_forbidden_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    _, line_id = await asked(tenant, deviation_later=FORBIDDEN)
    before = await line_of(tenant.factory, line_id)
    with pytest.raises(DeviationForbidden):
        await answer(tenant.supplier, line_id, promising((100, 12)))
    assert await line_of(tenant.factory, line_id) == before
    assert await answers_of(tenant.factory, line_id) == []


async def test_the_factory_enters_what_its_supplier_said_and_it_is_marked(tenant: Tenant) -> None:
    _, line_id = await asked(tenant)
    await answer(tenant.factory, line_id, promising((100, 7), on_behalf=True))
    (row,) = await fetch(tenant.supplier, "select on_behalf, member_id from confirmation where line_id = $1", line_id)
    assert (row["on_behalf"], row["member_id"]) == (True, tenant.factory.member_id)
    (told,) = await fetch(
        tenant.supplier, "select data from timeline where subject_id = $1 and verb = 'confirmed'", line_id
    )
    assert told["data"]["on_behalf"] is True
    _, refused = await asked(tenant)
    async with unit_of_work(tenant.factory) as session:
        said = RejectLine(reason=RejectReason.CAPACITY, on_behalf=True)
        await service.reject_line(session, tenant.factory, refused, None, said)
    assert (await line_of(tenant.supplier, refused))["status"] == "rejected"


@pytest.mark.parametrize("direction", list(Direction))
async def test_only_the_buying_factory_speaks_for_the_other(tenant: Tenant, direction: Direction) -> None:
    _, line_id = await asked(tenant, direction)
    actor = tenant.factory if direction is Direction.SALE else tenant.supplier
    with pytest.raises((NotOnBehalf, Forbidden)):
        await answer(actor, line_id, promising((100, 7), on_behalf=True))
    assert await answers_of(tenant.factory, line_id) == []


@pytest.mark.parametrize(
    ("terms", "status", "confirmed"),
    [
        ({}, "proposed", 0),
        ({"lapse": Lapse.NOTHING}, "proposed", 0),
        ({"lapse": Lapse.DEEMED}, "confirmed", 100),
        ({"lapse": Lapse.PERCENT, "lapse_percent": Decimal(33)}, "partly_confirmed", 33),
        ({"lapse": Lapse.PREVIOUS}, "proposed", 0),
    ],
)
async def test_a_lapse_does_what_the_contract_says_and_is_never_silent(
    tenant: Tenant, terms: dict[str, Any], status: str, confirmed: int
) -> None:
    _, line_id = await asked(tenant, **terms)
    system = Actor.system(tenant.id, tenant.factory.party_id)
    for expected in (1, 0):  # a second run does nothing
        async with unit_of_work(system) as session:
            assert await lapse_answers(session, system, clock.now() + timedelta(days=30)) == expected
    line = await line_of(tenant.supplier, line_id)
    assert (line["status"], line["confirmed_quantity"], line["deemed"]) == (status, confirmed, confirmed > 0)
    verbs = await fetch(tenant.supplier, "select verb from timeline where subject_id = $1", line_id)
    assert "lapsed" in {row["verb"] for row in verbs}
    assert await fetch(tenant.factory, "select 1 from outbox where name = 'AnswerLapsed' and tenant_id = $1", tenant.id)
    deemed = await fetch(tenant.factory, "select deemed from confirmation where line_id = $1", line_id)
    assert all(row["deemed"] for row in deemed)


@pytest.mark.parametrize("change", ["due_date = due_date + 5", "ordered_quantity = 5", "price = 1"])
async def test_a_partner_cannot_write_what_was_asked(tenant: Tenant, change: str) -> None:
    _, line_id = await asked(tenant)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with unit_of_work(tenant.supplier) as session:
            await (await driver(session)).execute(f"update schedule_line set {change} where id = $1", line_id)
