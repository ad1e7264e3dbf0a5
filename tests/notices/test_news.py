"""What the daily summary says of the kinds that somebody hears of with it, for both companies."""

from decimal import Decimal

from portal.core import db
from portal.core.actor import Direction
from portal.core.i18n import Language, speaking
from portal.core.ids import uuid7
from portal.notices.model import Choice, Kind
from portal.notices.service_preferences import change_preferences
from portal.schedules import service_answers
from portal.schedules.service import ConfirmLine, confirm_line
from portal.shipments.counting import Receive
from portal.shipments.model import Problem
from tests.changes.makers import FIRM, ask, delivery, refuse, wish
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.forecasts.makers import committed, make_forecast
from tests.notices.test_compose import card, published
from tests.shipments.makers import counting, receive, sent


def since(facts: tuple[str, ...]) -> list[str]:
    return [fact for fact in facts if "since the last summary" in fact]


async def test_the_buyer_reads_in_the_morning_what_was_confirmed(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800, 400])
    lines = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1 order by ordered_quantity",
                        made.contract.id)  # fmt: skip
    before = await card(tenant.factory, "digest", uuid7())
    for line in lines:
        async with db.unit_of_work(tenant.supplier) as session:
            await confirm_line(session, tenant.supplier, line["id"], None, ConfirmLine())
    buyer, seller = await card(tenant.factory, "digest", uuid7()), await card(tenant.supplier, "digest", uuid7())

    assert not any("Confirmed" in fact for fact in before.facts)
    assert "Confirmed since the last summary: 2 deliveries" in buyer.facts
    where = buyer.facts.index("Confirmed since the last summary: 2 deliveries")
    assert buyer.facts[where + 1].startswith("A100 400\u00a0pcs, ")
    assert since(seller.facts) == []  # who confirmed is not told, nor is the other side of the contract


async def test_of_many_the_first_are_named_and_the_others_counted(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [100, 200, 300, 400, 500, 600, 700])
    lines = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    for line in lines:
        async with db.unit_of_work(tenant.supplier) as session:
            await confirm_line(session, tenant.supplier, line["id"], None, ConfirmLine())
    facts = (await card(tenant.factory, "digest", uuid7())).facts

    where = facts.index("Confirmed since the last summary: 7 deliveries")
    assert facts[where + 6] == "and 2 more"


async def test_whoever_is_told_at_once_or_not_at_all_reads_it_in_no_summary(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    ((line_id,),) = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line_id, None, ConfirmLine())
    for choice in (Choice.OFF, Choice.AT_ONCE):
        async with db.unit_of_work(tenant.factory) as session:
            await change_preferences(session, tenant.factory, {"kinds": {Kind.CONFIRMED: choice}})
        assert not any("Confirmed since" in fact for fact in (await card(tenant.factory, "digest", uuid7())).facts)


async def test_a_receipt_with_a_difference_is_one_thing_and_not_two(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    whole, short = await make_deliveries(tenant, made, [800, 400])
    first, _ = await sent(tenant, (whole, 800))
    second, (note_line,) = await sent(tenant, (short, 400))
    await receive(tenant.factory, first, Receive())
    await receive(tenant.factory, second, counting(note_line, 390, Problem.DAMAGED))
    usual = since((await card(tenant.supplier, "digest", uuid7())).facts)
    async with db.unit_of_work(tenant.supplier) as session:
        await change_preferences(session, tenant.supplier, {"kinds": {Kind.DIFFERENCE: Choice.DIGEST}})
    with speaking(Language.EN):
        chosen = since((await card(tenant.supplier, "digest", uuid7())).facts)

    assert usual == ["Received since the last summary: 1 delivery note"]
    assert sorted(chosen) == [
        "Received since the last summary: 1 delivery note",
        "Received with a difference since the last summary: 1 delivery note",
    ]
    assert since((await card(tenant.customer, "digest", uuid7())).facts) == []


async def test_what_is_told_with_the_summary_is_told_there_whatever_it_is_about(tenant: Tenant) -> None:
    """A commit and an acknowledged release are told with the summary unless somebody wishes otherwise; a change that
    was answered, for whoever wishes it so."""
    made = await make_forecast(tenant, {1: 100})
    await committed(tenant.supplier, made, percent=Decimal(80))
    ((release_id, _number),) = await fetch(
        tenant.factory, "select id, number from release where contract_id = $1", made.contract.id
    )
    async with db.unit_of_work(tenant.supplier) as session:
        await service_answers.acknowledge(session, tenant.supplier, release_id)
    agreed_on, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    change = await ask(tenant.factory, agreed_on, wish(line, quantity=Decimal(140)))
    await refuse(tenant.supplier, change.id)
    usual = since((await card(tenant.factory, "digest", uuid7())).facts)
    async with db.unit_of_work(tenant.factory) as session:
        kinds = {Kind.CHANGE: Choice.DIGEST, Kind.CONFIRMED: Choice.OFF, Kind.RELEASED: Choice.OFF}
        await change_preferences(session, tenant.factory, {"kinds": kinds})
    chosen = since((await card(tenant.factory, "digest", uuid7())).facts)

    assert "Committed to since the last summary: forecast of 1 contract" in usual
    assert "Acknowledged since the last summary: 1 release" in usual
    assert not any("change request" in fact for fact in usual)
    assert chosen == ["Answered or ended since the last summary: 1 change request"]
    own = since((await card(tenant.supplier, "digest", uuid7())).facts)
    assert not any("Committed" in fact or "Acknowledged" in fact for fact in own)
