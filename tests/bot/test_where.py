"""Where is my order: what was agreed and promised first, what of it is under way, and which one where several fit."""

from datetime import timedelta
from decimal import Decimal

from portal.accounts import updates
from portal.accounts.model_chats import ChatBot
from portal.core.actor import Direction
from portal.core.db import driver, unit_of_work
from portal.core.i18n import Language, speaking
from portal.notices.wording import day
from portal.schedules.service import ConfirmLine, confirm_line
from portal.shipments.counting import Receive
from portal.shipments.service import NewShipment, ShippedLine, ship
from tests.bot.makers import House
from tests.bot.test_attacks import said
from tests.bot.test_words import HALF_WIDTH, missing
from tests.factories import Tenant, fetch, make_contract, make_deliveries, today
from tests.notices.test_compose import published
from tests.notices.test_planning import line_of
from tests.shipments.makers import photo, receive, sent


async def test_an_order_tells_what_is_agreed_and_what_of_it_is_under_way(house: House, tenant: Tenant) -> None:
    made, _release = await published(tenant, Direction.PURCHASE, [800])
    line = await line_of(tenant, made.contract.id)
    lena = await house.linked(tenant.factory, language=Language.ZH)
    ben = await house.linked(tenant.supplier)
    due = today() + timedelta(days=5)

    await lena.phone.say(f"{made.contract.number} 到哪了？")
    with speaking(Language.ZH):
        before = await lena.phone.wait_for(f"要求 {day(due)}交付，尚未商定")
    assert "尚未发货。" in before.text
    async with unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, line, None, ConfirmLine())
        note = NewShipment(number="ASN-7", expected_on=due, lines=[ShippedLine(line_id=line, quantity=Decimal(300))])
        shipment = await ship(session, tenant.supplier, note)
    await ben.phone.say("where is A100?")
    card = await ben.phone.wait_for("under way")
    for line_of_text in (
        f"Agreed: 800\u00a0pcs, {day(due)}",
        f"First promised for {day(due)}",
        f"ASN-7: 300\u00a0pcs under way, expected {day(due)}",
    ):
        assert line_of_text in card.text
    await ben.phone.press("ASN-7")
    await ben.phone.wait_for("Delivery note")

    await receive(tenant.factory, shipment, Receive())
    await lena.phone.say(f"{made.contract.number} 到哪了？")
    after = await lena.phone.wait_for("ASN-7：已收 300，共 300")
    assert "已收货 300，共 800" in after.text
    assert missing(after.text) == []
    assert HALF_WIDTH.search(after.text) is None


async def test_several_that_fit_are_asked_about_and_one_that_is_over_is_found(house: House, tenant: Tenant) -> None:
    one, other = await make_contract(tenant, Direction.SALE), await make_contract(tenant, Direction.SALE)
    await make_deliveries(tenant, one, [800])
    await make_deliveries(tenant, other, [50], order_no="PO-4711")
    ann = await house.linked(tenant.customer)

    await ann.phone.say("where is A100?")
    which = await ann.phone.wait_for("Several deliveries fit. Which one is meant?")
    assert len(which.labels) == 2
    await ann.phone.say("where is my order?")
    any_ = await ann.phone.wait_for("Which order? Choose a delivery")
    assert len(any_.labels) == 2
    await ann.phone.say("where is A100, order PO-4711?")
    await ann.phone.wait_for("50\u00a0pcs", after=any_.id)

    async with unit_of_work(tenant.factory) as session:
        await (await driver(session)).execute(
            "update schedule_line set status = 'closed', received_quantity = 50, shipped_quantity = 50,"
            " close_reason = 'complete' where tenant_id = $1 and order_no = 'PO-4711'",
            tenant.id,
        )
    await ann.phone.say("when does PO-4711 arrive?")
    over = await ann.phone.wait_for("Received 50 of 50\u00a0pcs")
    assert other.contract.number in over.text
    await ann.phone.say("where is PO-4712?")
    await ann.phone.wait_for("Nothing is found for “PO-4712”.")


async def test_confirm_all_in_words_shows_what_would_be_confirmed(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await make_deliveries(tenant, made, [800, 400], status="proposed")
    ben = await house.linked(tenant.supplier, language=Language.ZH)
    ann = await house.linked(tenant.factory)
    states = "select distinct status from schedule_line where tenant_id = $1"

    await ben.phone.say("请全部确认")
    card = await ben.phone.wait_for("全部确认以下交付？")
    assert "800" in card.text
    assert [row[0] for row in await fetch(tenant.factory, states, tenant.id)] == ["proposed"]  # words confirm nothing
    answer = await ben.phone.press("确认 2 笔交付")
    await ann.phone.say("confirm all")
    await ann.phone.wait_for("No delivery waits for your answer.")

    assert answer.text == "已确认 2 笔交付"
    assert [row[0] for row in await fetch(tenant.supplier, states, tenant.id)] == ["confirmed"]


async def test_more_than_six_that_fit_lead_to_the_whole_list(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await make_deliveries(tenant, made, [100 + no for no in range(7)])
    ben = await house.linked(tenant.supplier)
    await ben.phone.say(f"where is {made.contract.number}?")
    card = await ben.phone.wait_for("Several deliveries fit.")
    assert len(card.labels) == 6
    assert card.text.endswith("/schedules")  # no button opens an address that the service does not reach


async def test_a_day_beside_the_part_says_which_delivery_is_meant(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, ("A100",))
    first, second = await make_deliveries(tenant, made, [111, 222])
    async with unit_of_work(tenant.factory) as session:
        moved = "update schedule_line set due_date = due_date + 3 where id = $1"
        await (await driver(session)).execute(moved, second.id)
    ben, lena = await house.linked(tenant.supplier), await house.linked(tenant.factory, language=Language.ZH)

    await ben.phone.say(f"A100 on {second.due_date + timedelta(days=3):%d %b}")
    card = await ben.phone.wait_for("222\u00a0pcs")
    assert "111\u00a0pcs" not in card.text
    await lena.phone.say(f"A100 {first.due_date.month}月{first.due_date.day}日到哪了？")
    card = await lena.phone.wait_for("111\u00a0件")
    assert "222\u00a0件" not in card.text


async def test_what_cannot_be_read_gets_an_answer_all_the_same(house: House, tenant: Tenant) -> None:
    ben = await house.linked(tenant.supplier)
    await ben.phone.say("/tomorrow")
    await ben.phone.wait_for("I do not know this command. /help lists what I can do.")
    voice = said(ben.phone.id, "")
    voice["message"] |= {"voice": {"file_id": "v", "file_unique_id": "v", "duration": 2}}
    del voice["message"]["text"]
    await updates.store(ChatBot.TELEGRAM, voice["update_id"], updates.chat_of(voice), voice)
    await ben.phone.wait_for("I read text and photos only.")
    await ben.phone.say("what can you do?")
    await ben.phone.wait_for("What this chat can do")
    await ben.phone.say("what is the price of A100?")
    await ben.phone.wait_for("Prices stay in the portal.")
    number = await ben.phone.say("thanks")
    await house.quiet()
    await ben.phone.edit(number, "confirm all")
    await ben.phone.wait_for("I read a message only once")


async def test_a_photo_of_a_label_with_the_notes_number_below_it_shows_the_note(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, _lines = await sent(tenant, (line, 800))
    ann = await house.linked(tenant.factory)

    await ann.phone.photo(photo((60, 40)))
    await ann.phone.wait_for("I do not know what this photo belongs to.")
    await ann.phone.photo(photo((60, 40)), shipment.number)
    await ann.phone.wait_for(shipment.number)
    await ann.phone.press("All complete")
    await house.quiet()

    (row,) = await fetch(tenant.factory, "select status from shipment where id = $1", shipment.id)
    assert row["status"] == "received"
