"""From an event to the messages of those whom it concerns; one card an object, edited when it moves on."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from jobs.outbox import Tenant as Place
from jobs.periods import close_periods
from portal.accounts.model import MemberStatus
from portal.accounts.service import RestrictMember, restrict_member
from portal.contracts.inputs import Decline
from portal.contracts.inputs_buckets import SetTerms
from portal.contracts.model_buckets import Consequence
from portal.contracts.service import get_contract
from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.ids import uuid7
from portal.notices import rules
from portal.notices.model import Kind
from portal.schedules.model import SupplyState
from portal.schedules.rules import RejectReason
from portal.schedules.service import (
    ConfirmLine,
    NoteSupply,
    RejectLine,
    Split,
    ask_again,
    confirm_line,
    note_supply,
    reject_line,
)
from portal.shipments.counting import Receive
from portal.shipments.service import NewShipment, ShippedLine, ship
from portal.shipments.service_receipts import receive
from tests.changes.makers import FIRM, agree, ask, delivery, wish
from tests.contracts.bucket_makers import consumed, make_committed, span
from tests.contracts.makers import make_proposed, step
from tests.contracts.versions import from_day, make_active, run_day, take, wanting
from tests.factories import ZONE, Tenant, fetch, make_contract, make_deliveries, make_member, today
from tests.notices.conftest import Post
from tests.notices.test_compose import published


async def hire(tenant: Tenant, like: Actor, role: Role) -> Actor:
    """One more person of a company."""
    member = make_member(tenant.id, like.party_id, uuid7(), role)
    async with db.unit_of_work(tenant.factory) as session:
        session.add(member)
    return replace(like, member_id=member.id, role=role)


async def line_of(tenant: Tenant, contract_id: UUID) -> UUID:
    ((line_id,),) = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", contract_id)
    found: UUID = line_id
    return found


async def test_a_release_asks_the_seller_and_the_answer_edits_its_card(post: Post, tenant: Tenant) -> None:
    clerk = await hire(tenant, tenant.supplier, Role.CLERK)
    planner = await hire(tenant, tenant.factory, Role.PLANNER)
    await post.awake(clerk, planner, tenant.supplier, tenant.customer)
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    await post.pass_on()
    asked = post.read(clerk)

    async with db.unit_of_work(clerk) as session:
        await confirm_line(session, clerk, await line_of(tenant, made.contract.id), None, ConfirmLine())
    await post.pass_on()

    assert asked == ["Release 1 is published: please confirm 1 delivery"]
    assert post.read(clerk) == ["Release 1 is published"]
    (message,) = post.chat.of(f"{clerk.member_id.hex}@example.com")  # type: ignore[union-attr]
    assert message.card.state == "All deliveries are answered."
    assert [button.label for row in message.card.buttons for button in row] == ["Open the page"]
    assert post.read(tenant.supplier) == []  # the administrator is not told of daily work
    assert post.read(tenant.customer) == []
    assert post.read(planner) == []  # a confirmation comes with the summary, unless wished otherwise


async def test_an_event_that_comes_twice_is_told_once(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    await published(tenant, Direction.PURCHASE, [800])
    await post.happen()
    await post.pass_on()
    await post.pass_on()

    assert len(post.read(tenant.supplier)) == 1


async def test_nobody_is_told_of_what_they_did_themselves(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.factory)
    await published(tenant, Direction.SALE, [800])  # the factory publishes and sells
    await post.pass_on()

    assert post.read(tenant.factory) == []


async def test_who_wished_hears_of_a_confirmation_at_once(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.factory, kinds={Kind.CONFIRMED: "at_once", Kind.REJECTED: "off"})
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    line_id = await line_of(tenant, made.contract.id)
    part = Split(quantity=Decimal(300), delivery_date=today() + timedelta(days=5))
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line_id, None, ConfirmLine(splits=[part]))
    await post.pass_on()

    assert post.read(tenant.factory) == ["A delivery was confirmed"]
    (message,) = post.chat.of(f"{tenant.factory.member_id.hex}@example.com")  # type: ignore[union-attr]
    assert "Confirmed 300 of 800\u00a0pcs" in message.card.facts


async def test_a_refusal_a_new_question_and_a_risk(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.factory, tenant.supplier)
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    line_id = await line_of(tenant, made.contract.id)
    await post.pass_on()
    async with db.unit_of_work(tenant.supplier) as session:
        await reject_line(session, tenant.supplier, line_id, None, RejectLine(reason=RejectReason.CAPACITY))
    await post.pass_on()
    async with db.unit_of_work(tenant.factory) as session:
        await ask_again(session, tenant.factory, line_id, None)
    await post.pass_on()
    async with db.unit_of_work(tenant.supplier) as session:
        note = NoteSupply(state=SupplyState.AT_RISK, note="casting 2 days late")
        await note_supply(session, tenant.supplier, line_id, None, note)
    await post.pass_on()

    refusal, risk = post.chat.of(f"{tenant.factory.member_id.hex}@example.com")  # type: ignore[union-attr]
    assert refusal.former[0].title == "A delivery was refused: please decide what follows"
    assert risk.card.title == "A delivery is at risk"
    assert "At risk: casting 2 days late" in risk.card.facts
    assert post.read(tenant.supplier)[-1] == "Please confirm a delivery"


async def test_goods_on_the_way_and_what_was_counted(post: Post, tenant: Tenant) -> None:
    dock = await hire(tenant, tenant.customer, Role.CLERK)
    shipper = await hire(tenant, tenant.factory, Role.WAREHOUSE)
    await post.awake(dock, shipper, tenant.supplier)
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    async with db.unit_of_work(tenant.factory) as session:
        note = NewShipment(number="ASN-7", lines=[ShippedLine(line_id=line.id, quantity=Decimal(800))])
        shipment = await ship(session, tenant.factory, note)
    await post.pass_on()
    told = post.read(dock)
    (entry,) = await fetch(dock, "select id from shipment_line where shipment_id = $1", shipment.id)
    short = {"shipment_line_id": entry["id"], "good": Decimal(760), "problem": "not_on_truck"}
    async with db.unit_of_work(dock) as session:
        await receive(session, dock, shipment.id, None, Receive.model_validate({"lines": [short]}))
    await post.pass_on()

    assert told == ["Goods are on the way: please count them on arrival"]
    (message,) = post.chat.of(f"{dock.member_id.hex}@example.com")  # type: ignore[union-attr]
    assert message.card.state.startswith("R-1 · Received by your company, ")
    assert message.card.title == "Delivery note"  # nobody is asked any more
    assert post.read(shipper) == ["A receipt differs from the delivery note"]
    assert post.read(tenant.supplier) == []


async def test_a_restricted_colleague_hears_of_their_contracts_only(post: Post, tenant: Tenant) -> None:
    one = await hire(tenant, tenant.supplier, Role.CLERK)
    all_of_it = await hire(tenant, tenant.supplier, Role.CLERK)
    await post.awake(one, all_of_it)
    first, _ = await published(tenant, Direction.PURCHASE, [100])
    async with db.unit_of_work(tenant.factory) as session:
        restriction = RestrictMember(restricted=True, contract_ids=[first.contract.id])
        await restrict_member(session, tenant.factory, one.member_id, 1, restriction)  # type: ignore[arg-type]
    second, _ = await published(tenant, Direction.PURCHASE, [200])
    await post.pass_on()

    subjects = [m.card.subject for m in post.chat.of(f"{one.member_id.hex}@example.com")]  # type: ignore[union-attr]
    assert subjects == [first.contract.number]
    assert len(post.read(all_of_it)) == 2
    assert second.contract.number not in str(post.chat.of(f"{one.member_id.hex}@example.com"))  # type: ignore[union-attr]


async def test_who_left_gets_nothing_not_even_what_was_planned(post: Post, tenant: Tenant) -> None:
    clerk = await hire(tenant, tenant.supplier, Role.CLERK)
    await post.awake(clerk)
    await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)
        await connection.execute("update member set status = $1 where id = $2", MemberStatus.REMOVED, clerk.member_id)
    await post.deliver()
    await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()

    assert post.read(clerk) == []
    rows = await fetch(tenant.factory, "select state, error from dispatch where member_id = $1", clerk.member_id)
    assert [tuple(row) for row in rows] == [("dead", "The person is not a member any more.")]


async def test_what_was_answered_before_it_was_sent_is_not_sent(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    made, _release = await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, await line_of(tenant, made.contract.id), None, ConfirmLine())
    await post.deliver()

    assert post.read(tenant.supplier) == []
    (notice,) = await fetch(tenant.supplier, "select status from notice where tenant_id = $1", tenant.id)
    assert notice["status"] == "superseded"


async def test_the_log_is_seen_by_the_company_and_the_factory_and_nobody_else(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()
    query = "select channel, state, summary from dispatch where tenant_id = $1"

    (own,) = await fetch(tenant.supplier, query, tenant.id)
    (seen,) = await fetch(tenant.factory, query, tenant.id)

    assert tuple(own)[:2] == ("email", "sent")
    assert own["summary"].startswith("Release 1 is published: please confirm 1 delivery\n")
    assert own == seen
    assert await fetch(tenant.customer, query, tenant.id) == []


async def test_no_message_ever_names_a_price(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.factory, tenant.supplier, tenant.customer, kinds=dict.fromkeys(Kind, "at_once"))
    made, _release = await published(tenant, Direction.PURCHASE, [100, 200])
    lines = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, lines[0]["id"], None, ConfirmLine())
    await post.pass_on()
    await post.time_passes(rules.instant(today(), 18 * 60 + 45, ZONE))
    await post.time_passes(rules.instant(today(), 9 * 60, ZONE))
    await post.deliver(rules.instant(today(), 19 * 60, ZONE))
    texts = [m.card.text for found in post.chat.messages.values() for m in found]
    texts += [former.text for found in post.chat.messages.values() for m in found for former in m.former]

    assert len(texts) >= 3
    assert not any("12.5" in text or "CNY" in text for text in texts)


async def test_an_offered_change_of_a_contract_asks_the_other_company_and_its_answer_edits_the_card(
    post: Post, tenant: Tenant
) -> None:
    planner = await hire(tenant, tenant.factory, Role.PLANNER)
    await post.awake(tenant.customer, tenant.supplier, planner)
    contract = await make_active(tenant)
    await post.pass_on()
    await take(tenant.factory, "amend", contract, from_day(today() + timedelta(days=30), 720))
    await post.pass_on()
    asked = "A change of a contract was offered: please review it"
    assert post.read(tenant.customer)[-1] == asked
    assert post.read(tenant.supplier) == []

    await take(tenant.customer, "decline_amendment", contract, Decline(reason="too much"))
    await post.pass_on()
    assert post.read(tenant.customer)[-1] == "A contract is in force", "what was answered asks no more"
    assert post.read(planner)[-1] == "A contract is in force"


async def test_the_answer_to_a_change_reaches_the_administrator_who_asked_for_it(post: Post, tenant: Tenant) -> None:
    chief, clerk = (
        await hire(tenant, tenant.supplier, Role.PARTNER_ADMIN),
        await hire(tenant, tenant.supplier, Role.CLERK),
    )
    await post.awake(chief, clerk)
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    await post.pass_on()
    others = await hire(tenant, tenant.supplier, Role.PARTNER_ADMIN)
    await post.awake(others)
    await agree(tenant.factory, (await ask(chief, made, wish(line_id, quantity=Decimal(90)))).id)
    await post.pass_on()

    assert [post.read(reader)[-1:] for reader in (chief, clerk)] == [["A change was agreed and applied"]] * 2
    assert post.read(others) == []  # daily work that others of the company do


async def test_the_answer_to_a_counter_offer_reaches_the_company_that_made_it(post: Post, tenant: Tenant) -> None:
    planner = await hire(tenant, tenant.factory, Role.PLANNER)
    await post.awake(tenant.customer, planner)
    contract = await make_proposed(tenant)
    await step(tenant.customer, "counter", contract.id, data=wanting(480))
    await post.pass_on()
    assert post.read(planner)[-1] == "A counter-offer to a contract was made: please review it"
    await step(tenant.factory, "decline", contract.id, data=Decline(reason="too little"))
    await post.pass_on()
    assert post.read(tenant.customer)[-1] == "A contract was declined"


async def test_both_companies_hear_that_a_period_ended_below_its_floor_and_what_follows(
    post: Post, tenant: Tenant
) -> None:
    planner = await hire(tenant, tenant.factory, Role.PLANNER)
    await post.awake(tenant.customer, tenant.supplier, planner)
    made = await make_committed(tenant, span(-20, 0), terms=SetTerms(consequence=Consequence.DISCUSS))
    await consumed(tenant.factory, made, 40, in_days=-5)
    await close_periods(Place(tenant.id, tenant.factory.party_id), clock.now())
    await post.pass_on()
    for reader in (tenant.supplier, planner):
        assert post.read(reader) == ["A period has ended below its floor"]
    texts = [m.card.text for found in post.chat.messages.values() for m in found]
    assert all("Below the floor was agreed: both sides talk about it" in text for text in texts)
    assert post.read(tenant.customer) == []


@pytest.mark.parametrize(("days", "told"), [(2, 2), (20, 0)])
async def test_what_ended_long_before_it_was_looked_at_is_nobodys_news(
    post: Post, tenant: Tenant, days: int, told: int
) -> None:
    """Whoever brings in the contracts of ten years gets no message about each of them."""
    planner = await hire(tenant, tenant.factory, Role.PLANNER)
    contract = await make_active(tenant)
    await post.awake(tenant.customer, planner)
    await post.happen()
    async with db.unit_of_work(tenant.factory) as session:
        row = await get_contract(session, tenant.factory, contract.id, lock=True)
        row.valid_to = today() - timedelta(days=days)
        row.valid_from = min(row.valid_from, row.valid_to)
    notices = "select id from notice where tenant_id = $1"  # of either company
    before = len(await fetch(tenant.factory, notices, tenant.id)) + len(
        await fetch(tenant.customer, notices, tenant.id)
    )
    await run_day(tenant, clock.now())
    await post.pass_on()
    after = len(await fetch(tenant.factory, notices, tenant.id)) + len(await fetch(tenant.customer, notices, tenant.id))
    assert after - before == told
    status = await fetch(tenant.factory, "select status from contract where id = $1", contract.id)
    assert status[0]["status"] == "expired"


async def test_both_companies_hear_that_a_contract_ends_soon(post: Post, tenant: Tenant) -> None:
    planner = await hire(tenant, tenant.factory, Role.PLANNER)
    await post.awake(tenant.customer, tenant.supplier, planner)
    contract = await make_active(tenant, notice_days=60)
    await post.happen()
    assert contract.valid_to is not None
    async with db.unit_of_work(tenant.factory) as session:
        row = await get_contract(session, tenant.factory, contract.id, lock=True)
        row.valid_to = today() + timedelta(days=20)
    await run_day(tenant, clock.now())
    await post.pass_on()
    for reader in (tenant.customer, planner):
        assert post.read(reader)[-1] == "A contract ends soon: please agree on what follows"
    assert post.read(tenant.supplier) == []
