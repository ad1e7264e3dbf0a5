"""Cards say what is, in the reader's language and scope, with buttons for what the reader may do. Never a price."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.contracts import service_life
from portal.contracts.model import ContractStatus
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.errors import Forbidden, NotFound
from portal.core.i18n import Language
from portal.core.ids import uuid7
from portal.notices.actions import AlreadyTaken, Verb, finish_action, make_action, refused_press, take_action
from portal.notices.cards import Button, Card, Wanted, in_pairs, number_only, shortened
from portal.notices.compose import card_for, cards_for
from portal.notices.compose_days import day_id
from portal.notices.model import Kind
from portal.schedules.model import SupplyState
from portal.schedules.service import ConfirmLine, NoteSupply, confirm_line, note_supply
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from portal.shipments.counting import Receive
from portal.shipments.service import NewShipment, ShippedLine, ship
from portal.shipments.service_receipts import receive
from tests.changes.makers import FIRM, agree, ask, counter, delivery, refuse, wish
from tests.factories import Made, Tenant, fetch, make_contract, make_deliveries, make_member, today
from tests.shipments.makers import sent


async def card(actor: Actor, kind: str, object_id: UUID, purpose: str = "") -> Card:
    async with db.unit_of_work(actor) as session:
        return await card_for(session, actor, kind, object_id, purpose)


def labels(made: Card) -> list[str]:
    return [button.label for row in made.buttons for button in row]


async def published(tenant: Tenant, direction: Direction, quantities: list[int], **terms: Any) -> tuple[Made, UUID]:
    """A contract with a release whose deliveries wait for the seller. Returns the release's id."""
    made = await make_contract(tenant, direction, foq=None, **terms)
    async with db.unit_of_work(tenant.factory) as session:
        for no, quantity in enumerate(quantities):
            order = CallOff(
                contract_line_id=made.line.id, quantity=Decimal(quantity), due_date=today() + timedelta(days=5 + no)
            )
            await call_off(session, tenant.factory, made.contract.id, order)
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    query = "select id from release where tenant_id = $1 and contract_id = $2"
    ((release_id,),) = await fetch(tenant.factory, query, tenant.id, made.contract.id)
    return made, release_id


async def test_a_delivery_to_confirm_and_what_became_of_it(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    ((line_id,),) = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)

    asked = await card(tenant.supplier, "schedule_line", line_id, Kind.TO_CONFIRM)
    same = await card(tenant.supplier, "schedule_line", line_id, Kind.TO_CONFIRM)
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line_id, None, ConfirmLine())
    answered = await card(tenant.supplier, "schedule_line", line_id, Kind.TO_CONFIRM)
    other = await card(tenant.factory, "schedule_line", line_id, Kind.CONFIRMED)

    assert asked.title == "Please confirm a delivery"
    assert asked.subject == f"A100 Bearing housing · {made.contract.number}"
    assert asked.facts[0].startswith("800\u00a0pcs · ")
    assert asked.deadline.startswith("Confirm by ")
    assert labels(asked) == ["Confirm", "Will be late", "Problem", "Open the page", "Ask for a change"]
    form = asked.buttons[-1][-1]
    assert form.form  # a chat may open it within itself
    assert form.url.endswith(f"/changes/new?line={line_id}")
    assert same == asked  # the same buttons, not new ones each time it is looked at
    assert answered.state.startswith("Confirmed by your company, ")
    assert "Confirm" not in labels(answered)
    assert other.state.startswith("Confirmed by Castings, ")
    assert labels(other) == ["Open the page", "Ask for a change"]
    assert other.deadline == "For your information; nothing is asked of you."


async def test_a_release_asks_for_all_its_deliveries_at_once(tenant: Tenant) -> None:
    made, release_id = await published(tenant, Direction.PURCHASE, [100, 200, 300, 400, 500, 600])

    asked = await card(tenant.supplier, "release", release_id, Kind.TO_CONFIRM)
    chinese = await card(replace(tenant.supplier, language=Language.ZH), "release", release_id, Kind.TO_CONFIRM)
    buyer = await card(tenant.factory, "release", release_id, Kind.RELEASED)

    assert asked.title == "Release 1 is published: please confirm 6 deliveries"
    assert len(asked.facts) == 6
    assert asked.facts[-1] == "and 1 more"
    assert labels(asked) == ["Confirm 6 deliveries", "Open the page"]
    assert chinese.title == "第 1 版要货计划已发布，请确认 6 笔交付"
    assert labels(chinese) == ["确认 6 笔交付", "打开网页"]
    assert buyer.title == "Release 1 is published"
    assert made.contract.number in buyer.subject
    assert labels(buyer) == ["Open the page"]


async def test_a_delivery_note_is_counted_from_its_card(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    async with db.unit_of_work(tenant.factory) as session:
        note = NewShipment(number="ASN-1", lines=[ShippedLine(line_id=line.id, quantity=Decimal(800))])
        shipment = await ship(session, tenant.factory, note)

    asked = await card(tenant.customer, "shipment", shipment.id, Kind.SHIPPED)
    seller = await card(tenant.factory, "shipment", shipment.id, Kind.SHIPPED)
    async with db.unit_of_work(tenant.customer) as session:
        await receive(session, tenant.customer, shipment.id, None, Receive())
    counted = await card(tenant.factory, "shipment", shipment.id, Kind.RECEIVED)
    own = await card(tenant.customer, "shipment", shipment.id, Kind.SHIPPED)

    assert (own.title, labels(own)) == ("Delivery note", ["Correct within 15 minutes", "Open the page"])
    assert own.buttons[0][0].afterwards  # so that nobody is asked to count what is counted
    assert labels(counted) == ["Open the page"]
    assert labels(asked) == ["All complete", "Count", "Open the page"]
    assert asked.facts[0] == "A100 800\u00a0pcs"
    assert labels(seller) == ["Open the page"]
    assert counted.facts[0] == "A100: 800 of 800\u00a0pcs accepted"
    assert counted.state.startswith("R-1 · Received by Aurora, ")


async def test_a_contract_is_reviewed_on_its_page(tenant: Tenant) -> None:
    made = await make_contract(tenant, status=ContractStatus.DRAFT)
    async with db.unit_of_work(tenant.factory) as session:
        await service_life.propose(session, tenant.factory, made.contract.id)

    asked = await card(tenant.customer, "contract", made.contract.id, Kind.CONTRACT)

    assert asked.title == "A contract was proposed: please review it"
    assert labels(asked) == ["Review"]
    assert asked.buttons[0][0].url.endswith(f"/contracts/{made.contract.id}")
    with pytest.raises(NotFound):
        await card(tenant.supplier, "contract", made.contract.id, Kind.CONTRACT)


async def test_a_day_without_work_says_so(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await make_deliveries(tenant, made, [5, 5, 5])
    later = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, later, [5])
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)
        await connection.execute("update schedule_line set due_date = due_date + 9 where id = $1", line.id)
    assert tenant.customer.member_id is not None
    object_id = day_id(tenant.customer.member_id, "digest", today())

    nothing = await card(tenant.customer, "digest", object_id)
    supplier = await card(tenant.supplier, "digest", object_id)

    (fact,) = nothing.facts
    assert fact.startswith("Nothing waits for you. Next delivery ")
    assert any(fact.startswith("Due ") for fact in supplier.facts)


async def test_a_digest_counts_what_waits_and_confirms_it(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800, 400])
    lines = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    async with db.unit_of_work(tenant.supplier) as session:
        risk = NoteSupply(state=SupplyState.AT_RISK, note="casting 2 days late")
        await note_supply(session, tenant.supplier, lines[0]["id"], None, risk)

    made_card = await card(tenant.supplier, "digest", uuid7())

    assert made_card.facts[0].startswith("To confirm: 2 (first by ")
    assert any(fact.startswith("At risk: A100 ") for fact in made_card.facts)
    assert labels(made_card) == ["Confirm 2 deliveries", "Show risks", "Open the page"]


async def test_what_is_on_the_way_keeps_its_day(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    part, whole = await make_deliveries(tenant, made, [800, 400])
    await sent(tenant, (part, 300), direction=Direction.PURCHASE)
    await sent(tenant, (whole, 400), direction=Direction.PURCHASE)

    cards = [await card(tenant.supplier, "schedule_line", line.id) for line in (part, whole)]

    assert ["Will be late" in labels(each) for each in cards] == [True, False]
    assert all("Problem" in labels(each) for each in cards)


async def test_a_digest_leads_to_the_delivery_notes_that_wait_for_a_count(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    lines = await make_deliveries(tenant, made, [800, 400])
    for line in lines:
        await sent(tenant, (line, 10), direction=Direction.SALE)
    numbers = await fetch(tenant.factory, "select number from shipment where tenant_id = $1 order by id", tenant.id)

    buyers, sellers = await card(tenant.customer, "digest", uuid7()), await card(tenant.factory, "digest", uuid7())

    asked = [label for label in labels(buyers) if label.startswith("Receive ")]
    assert asked == [f"Receive {row['number']}" for row in numbers]
    assert not any(label.startswith("Receive ") for label in labels(sellers))


def test_buttons_stand_in_pairs_where_their_labels_can_be_read() -> None:
    def rows(*names: str) -> list[int]:
        return [len(row) for row in in_pairs([Button(name, None) for name in names])]

    assert rows("A100", "A120", "A130") == [2, 1]
    assert rows("A100", "NEVI-U6HOGG · Tue 1 Dec") == [1, 1]
    assert rows("收货一二三", "收货") == [2]
    assert rows("收货一二三四五六", "收货") == [1, 1]  # as wide as sixteen letters
    assert rows() == []


async def test_the_evening_says_what_was_agreed(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    ((line_id,),) = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    before = await card(tenant.supplier, "agreed", uuid7())
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line_id, None, ConfirmLine())

    after = await card(tenant.supplier, "agreed", uuid7())

    assert before.facts == ()
    assert after.facts[0] == "Confirmed: 1 delivery"
    assert after.facts[1].startswith("A100 800\u00a0pcs, ")


async def test_the_evening_names_each_deed_for_what_it_is(tenant: Tenant) -> None:
    """A change agreed to is no contract accepted, and a release rejected no delivery refused."""
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    asked = await ask(tenant.factory, made, wish(line, quantity=Decimal(140)))
    await agree(tenant.supplier, asked.id)
    other, second = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    await refuse(tenant.supplier, (await ask(tenant.factory, other, wish(second, quantity=Decimal(140)))).id)
    sold, third = await delivery(tenant, Direction.SALE)
    await ask(tenant.customer, sold, wish(third, quantity=Decimal(110)))  # inside the band: agreed by rule

    supplier = (await card(tenant.supplier, "agreed", uuid7())).facts
    customer = (await card(tenant.customer, "agreed", uuid7())).facts
    factory = (await card(tenant.factory, "agreed", uuid7())).facts

    assert supplier == ("Agreed to: 1 change", "Refused: 1 change")
    assert customer == ("Asked for: 1 change",)
    assert factory == ("Asked for: 2 changes",)


async def test_the_summary_counts_all_that_waits_for_a_role(tenant: Tenant) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    await ask(tenant.supplier, made, wish(line, quantity=Decimal(90)))
    viewer = tenant.as_role(tenant.factory, Role.VIEWER)

    buyer, seller, reader = [
        (await card(actor, "digest", uuid7())).facts for actor in (tenant.factory, tenant.supplier, viewer)
    ]

    (answer,) = [label for label in labels(await card(tenant.factory, "digest", uuid7())) if "Answer" in label]
    assert answer.startswith("Answer C-")  # decided in the chat that tells of it
    assert any(fact.startswith("Changes to answer: 1 (first by ") for fact in buyer)
    assert not any("Changes to answer" in fact for fact in (*seller, *reader))
    assert any(fact.startswith("To confirm: 1") for fact in seller)


async def test_a_counter_offer_does_not_say_that_the_buyer_who_made_it_must_agree(tenant: Tenant) -> None:
    made, line = await delivery(tenant, Direction.PURCHASE)
    asked = await ask(tenant.supplier, made, wish(line, quantity=Decimal(90)))
    await counter(tenant.factory, asked.id, wish(line, quantity=Decimal(95)))

    seller = await card(tenant.supplier, "change_request", asked.id)

    assert seller.title == "A counter-offer was made: please agree or refuse"
    assert "The seller asked for it, so both companies must agree." in seller.facts


async def test_what_a_restricted_colleague_may_not_see_has_no_card(tenant: Tenant) -> None:
    made, release_id = await published(tenant, Direction.PURCHASE, [800])
    ((line_id,),) = await fetch(tenant.factory, "select id from schedule_line where contract_id = $1", made.contract.id)
    restricted = replace(tenant.supplier, contract_ids=frozenset({uuid7()}))

    for kind, object_id in (("schedule_line", line_id), ("release", release_id), ("contract", made.contract.id)):
        with pytest.raises(NotFound):
            await card(restricted, kind, object_id)
    assert (await card(restricted, "digest", uuid7())).facts == ("Nothing waits for you.",)


async def test_cards_for_many_readers_are_those_that_each_would_get(tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    other, release_id = await published(tenant, Direction.PURCHASE, [100])
    lines = {}
    for each in (made, other):
        query = "select id from schedule_line where contract_id = $1"
        ((lines[each.contract.id],),) = await fetch(tenant.factory, query, each.contract.id)
    colleague = replace(tenant.supplier, language=Language.ZH)
    restricted = replace(tenant.supplier, contract_ids=frozenset({other.contract.id}))
    first, second = lines.values()
    readers = [
        Wanted(tenant.supplier, "schedule_line", first, Kind.TO_CONFIRM),
        Wanted(restricted, "schedule_line", first, Kind.TO_CONFIRM),
        Wanted(colleague, "release", release_id, Kind.TO_CONFIRM),
        Wanted(restricted, "schedule_line", second, Kind.REMINDER),
        Wanted(tenant.supplier, "schedule_line", uuid7(), Kind.REMINDER),
        Wanted(colleague, "schedule_line", first, Kind.TO_CONFIRM),
        Wanted(tenant.supplier, "pigeon", first),
    ]
    async with db.unit_of_work(tenant.supplier) as session:
        cards = await cards_for(session, readers)
    again = [
        await card(each.actor, each.object_kind, each.object_id, each.purpose)
        for each, found in zip(readers, cards, strict=True)
        if found is not None
    ]

    assert [found is not None for found in cards] == [True, False, True, True, False, True, False]
    assert [found for found in cards if found is not None] == again  # with the same buttons
    assert cards[0] is not None
    assert cards[5] is not None
    assert (cards[0].title, cards[5].title) == ("Please confirm a delivery", "请确认一笔交付")
    actions = [[button.action_id for row in found.buttons for button in row] for found in (cards[0], cards[5])]
    assert actions[0] == actions[1]  # one member, one object, one version: the same actions, made once
    rows = await fetch(tenant.supplier, "select verb from action where object_id = $1", first)
    assert sorted(row["verb"] for row in rows) == ["confirm", "late", "problem"]


async def test_what_leaves_the_country_is_a_number_and_a_link(tenant: Tenant) -> None:
    made, release_id = await published(tenant, Direction.PURCHASE, [800])
    whole = await card(tenant.supplier, "release", release_id, Kind.TO_CONFIRM)

    said = number_only(whole)

    assert said.facts == ()
    assert made.contract.number in said.subject
    assert "800\u00a0pcs" in whole.text
    assert "800\u00a0pcs" not in said.text
    assert said.link == whole.link


def test_a_card_keeps_to_the_length_of_its_channel() -> None:
    long = Card("What", "Which", tuple(f"figure {n}" for n in range(50)), "by tomorrow", "", (), "https://x/y")

    cut = shortened(long, 120)

    assert len(cut.text) <= 120
    assert cut.facts[-1] == "More on the page."
    assert cut.deadline == "by tomorrow"
    assert shortened(long, 4000) == long


# --- buttons ----------------------------------------------------------------------------------------------------------


async def button(actor: Actor, verb: Verb = Verb.CONFIRM) -> UUID:
    async with db.unit_of_work(actor) as session:
        return (await make_action(session, actor, verb, "schedule_line", uuid7(), 1)).id


async def test_a_button_works_once_and_says_its_first_result_again(tenant: Tenant) -> None:
    action_id = await button(tenant.supplier)
    async with db.unit_of_work(tenant.supplier) as session:
        action = await take_action(session, tenant.supplier, action_id)
        await finish_action(session, tenant.supplier, action, "Confirmed: 800 pcs.", "portal")

    with pytest.raises(AlreadyTaken) as second:
        async with db.unit_of_work(tenant.supplier) as session:
            await take_action(session, tenant.supplier, action_id)

    presses = await fetch(tenant.factory, "select outcome, channel from press where tenant_id = $1", tenant.id)
    assert str(second.value) == "This was done already: Confirmed: 800 pcs."
    assert [tuple(row.values()) for row in presses] == [("Confirmed: 800 pcs.", "portal")]


async def test_a_button_asks_the_one_who_presses_it(tenant: Tenant) -> None:
    action_id = await button(tenant.supplier)
    removed = make_member(tenant.id, tenant.supplier.party_id, uuid7(), Role.CLERK)
    viewer = tenant.as_role(tenant.supplier, Role.VIEWER)
    refused = [
        (tenant.customer, NotFound),  # another company's
        (tenant.factory, NotFound),
        (replace(tenant.supplier, member_id=removed.id), Forbidden),  # nobody of that company any more
        (viewer, Forbidden),
    ]
    for actor, kind in refused:
        with pytest.raises(kind):
            async with db.unit_of_work(actor) as session:
                await take_action(session, actor, action_id)

    async with db.unit_of_work(tenant.supplier) as session:
        await refused_press(session, viewer, action_id, "telegram", "Your role does not allow this.")
    ((used_at,),) = await fetch(tenant.supplier, "select used_at from action where id = $1", action_id)
    assert used_at is None
    assert len(await fetch(tenant.supplier, "select 1 from press where action_id = $1", action_id)) == 1
