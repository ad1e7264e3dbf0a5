"""Whole conversations on the phone, read back from the other company's side."""

import re
from decimal import Decimal

import pytest

from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.accounts.browser import browsing
from tests.accounts.makers import make_person
from tests.bot.makers import House, line_now
from tests.factories import Tenant, fetch, make_contract, make_deliveries, make_tenant
from tests.shipments.makers import photo, sent, sums


async def test_a_supplier_confirms_a_delivery_that_they_asked_for_by_its_part(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="proposed")
    ben = await house.linked(tenant.supplier)

    await ben.phone.say("where is A100?")
    card = await ben.phone.wait_for("A100")
    assert card.labels[:3] == ["Confirm", "Will be late", "Problem"]
    answer = await ben.phone.press("Confirm")

    assert answer.text == "Confirmed: 800\u00a0pcs"
    shown = await ben.phone.wait_for("Confirmed by your company")
    assert shown.id == card.id
    assert await line_now(tenant.factory, line.id) == {
        "status": "confirmed", "version": 2, "confirmed_quantity": Decimal(800), "supply_state": "unknown"
    }  # fmt: skip


async def test_a_supplier_who_will_be_late_asks_for_another_day(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="confirmed")
    ben = await house.linked(tenant.supplier)
    await ben.phone.say(made.contract.number)
    await ben.phone.wait_for("A100")

    await ben.phone.press("Will be late")
    days = await ben.phone.wait_for("New date?")
    await ben.phone.press(days.labels[0])
    await ben.phone.wait_for("Reason?")
    await ben.phone.press("Capacity")
    card = await ben.phone.wait_for("please check and send")
    assert "The agreed day stays until the other company agrees to another one." in card.text
    answer = await ben.phone.press("Send request")

    assert answer.text is not None
    assert answer.text.startswith("C-1 is sent. The other company must agree")
    now = await line_now(tenant.factory, line.id)
    assert (now["status"], now["version"]) == ("confirmed", 1)  # nothing moves before the buyer agrees
    (change,) = await fetch(tenant.factory, "select * from change_request where tenant_id = $1", tenant.id)
    assert (change["status"], change["way"], change["reason"]) == ("submitted", "seller", "capacity")
    (part,) = await fetch(tenant.factory, "select * from change_part where change_id = $1", change["id"])
    assert part["line_id"] == line.id
    assert part["pieces"]["of"][0]["due_date"] > line.due_date.isoformat()


async def test_a_problem_is_described_in_words_and_a_photo(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="confirmed")
    ben = await house.linked(tenant.supplier)
    await ben.phone.say(made.contract.number)
    await ben.phone.wait_for("A100")

    await ben.phone.press("Problem")
    await ben.phone.wait_for("What is the problem?")
    await ben.phone.press("Quality")
    await ben.phone.wait_for("choose how urgent")
    await ben.phone.photo(photo((60, 40)))
    await ben.phone.wait_for("1 photo is added")
    await ben.phone.say("Cracks in the casting")
    await ben.phone.wait_for("“Cracks in the casting”")
    answer = await ben.phone.press("Line stop risk")

    assert answer.text is not None
    assert answer.text.startswith("W-1 is sent.")
    (report,) = await fetch(tenant.factory, "select * from line_report where line_id = $1", line.id)
    assert (report["note"], report["urgency"], report["reason"]) == ("Cracks in the casting", "line_stop", "quality")
    assert len(await fetch(tenant.factory, "select 1 from line_report_photo where report_id = $1", report["id"])) == 1


async def test_goods_are_counted_line_by_line_with_a_reason(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, _lines = await sent(tenant, (line, 800), direction=Direction.SALE)
    ann = await house.linked(tenant.customer)
    await ann.phone.say(f"where is {shipment.number}?")
    await ann.phone.wait_for(shipment.number)

    await ann.phone.press("Count")
    await ann.phone.wait_for("Send the good quantities")
    await ann.phone.say("seven hundred")
    await ann.phone.wait_for("Each line needs one quantity")
    asked = await ann.phone.last()
    await ann.phone.say("-760")  # a minus is no dash to be read over
    await ann.phone.wait_for("Each line needs one quantity", after=asked.id)
    await ann.phone.say("A100 760")
    short = await ann.phone.wait_for("40 short. What happened?")
    assert short.labels[-1] == "Drop"
    await ann.phone.press("Damaged")
    await ann.phone.wait_for("press Done")
    await ann.phone.photo(photo((60, 40)))
    await ann.phone.wait_for("1 photo is added")
    answer = await ann.phone.press("Done")

    assert answer.text == "Receipt R-1: 760\u00a0pcs. The supplier is informed."
    posted = await ann.phone.wait_for("Receipt R-1")
    assert "Correct within 15 minutes" in posted.labels
    assert (await sums(tenant.factory, line))[1:3] == (760, 40)
    assert len(await fetch(tenant.factory, "select 1 from photo where tenant_id = $1", tenant.id)) == 1

    await ann.phone.press("Correct within 15 minutes")
    await ann.phone.wait_for("Send the good quantities", after=posted.id)
    await ann.phone.say("800")
    await ann.phone.wait_for("press Done")
    await ann.phone.press("Done")
    assert (await sums(tenant.factory, line))[1:3] == (800, 0)


@pytest.mark.parametrize(
    ("language", "count", "ask", "said"),
    [
        (
            Language.EN,
            "Count",
            "Send the good quantities",
            "A100: 700.5 has too many decimals: pcs is counted with 0 places."
            " A100: 390.25 has too many decimals: pcs is counted with 0 places.",
        ),
        (
            Language.ZH,
            "清点",
            "请按此顺序发送合格数量",
            "A100：700.5 的小数位过多：单位“件”保留 0 位小数。A100：390.25 的小数位过多：单位“件”保留 0 位小数。",
        ),
    ],
)
async def test_every_wrong_figure_of_a_count_is_told_at_once(
    house: House, tenant: Tenant, language: Language, count: str, ask: str, said: str
) -> None:
    made = await make_contract(tenant, Direction.SALE)
    both = await make_deliveries(tenant, made, [800, 400])
    shipment, _lines = await sent(tenant, (both[0], 800), (both[1], 400), direction=Direction.SALE)
    ann = await house.linked(tenant.customer, language=language)
    await ann.phone.say(shipment.number)
    await ann.phone.wait_for(shipment.number)
    await ann.phone.press(count)
    await ann.phone.wait_for(ask)

    await ann.phone.say("700.5 390.25")
    await ann.phone.wait_for(said)

    assert [(await sums(tenant.factory, line))[1:3] for line in both] == [(0, 0)] * 2
    assert await fetch(tenant.factory, "select 1 from receipt where tenant_id = $1", tenant.id) == []


async def test_every_line_that_cannot_be_posted_is_named(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    lines = await make_deliveries(tenant, made, [800, 400, 200])
    shipment, _lines = await sent(
        tenant, *((line, int(line.ordered_quantity)) for line in lines), direction=Direction.SALE
    )
    ann = await house.linked(tenant.customer)
    await ann.phone.say(shipment.number)
    await ann.phone.wait_for(shipment.number)
    await ann.phone.press("Count")
    await ann.phone.wait_for("Send the good quantities")
    await ann.phone.say("900 500 300")
    await ann.phone.wait_for("press Done")

    await ann.phone.press("Done")
    told = await ann.phone.wait_for("Only 800")  # as a message: a window has no room for all of it

    parts = [f"A100: Only {left} pcs may still be accepted, {left} in all." for left in (800, 400, 200)]
    assert [part in told.text.replace("\xa0", " ") for part in parts] == [True] * 3
    assert [(await sums(tenant.factory, line))[1:3] for line in lines] == [(0, 0)] * 3
    assert await fetch(tenant.factory, "select 1 from receipt where tenant_id = $1", tenant.id) == []


async def test_a_count_that_is_begun_can_be_left(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, _lines = await sent(tenant, (line, 800), direction=Direction.SALE)
    ann = await house.linked(tenant.customer)

    async def begun() -> None:
        await ann.phone.say(shipment.number)
        await house.quiet()
        await ann.phone.press("Count")
        await ann.phone.wait_for("Send the good quantities", after=(await ann.phone.last()).id - 1)

    await begun()
    await ann.phone.press("Drop")
    await house.quiet()
    assert (await ann.phone.last()).labels[:2] == ["All complete", "Count"]
    await begun()
    await ann.phone.say("never mind")
    await ann.phone.wait_for("Nothing was sent.")
    await ann.phone.say("760")
    await ann.phone.wait_for("Nothing is found for “760”")  # no count any more
    await begun()
    await ann.phone.say(f"where is {made.contract.number}?")
    await ann.phone.wait_for(made.contract.number)

    assert (await sums(tenant.factory, line))[1:3] == (0, 0)
    assert await fetch(tenant.factory, "select 1 from receipt where tenant_id = $1", tenant.id) == []


async def test_all_complete_is_one_press(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, _lines = await sent(tenant, (line, 800), direction=Direction.SALE)
    ann = await house.linked(tenant.customer, language=Language.ZH)
    await ann.phone.say(f"{shipment.number} 到哪了")
    await ann.phone.wait_for(shipment.number)

    answer = await ann.phone.press("全部一致")

    assert answer.text == "收货单 R-1：800\u00a0件，已通知供应商。"
    assert (await sums(tenant.factory, line))[1:3] == (800, 0)


async def test_everything_that_waits_is_confirmed_from_the_day_card(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    lines = await make_deliveries(tenant, made, [800, 400, 200], status="proposed")
    ben = await house.linked(tenant.supplier)
    await ben.phone.say("/today")
    await ben.phone.wait_for("To confirm: 3")

    answer = await ben.phone.press("Confirm 3 deliveries")

    assert answer.text == "3 deliveries confirmed"
    assert {(await line_now(tenant.factory, line.id))["status"] for line in lines} == {"confirmed"}


async def test_a_chat_speaks_for_another_company_after_a_switch(
    house: House, tenant: Tenant, database: Settings
) -> None:
    other = await make_tenant(str(database.database_url))
    first = await make_person(tenant.supplier, Role.CLERK)
    await make_person(other.supplier, Role.CLERK, email=first.email)
    phone = await house.world.user("Ben")
    await house.link(first, phone)
    await phone.say("/company")
    choice = await phone.wait_for("For which company?")
    await phone.say("hello")
    await phone.wait_for("This chat speaks for Castings")
    assert len(choice.labels) == 2

    for (
        label
    ) in choice.labels:  # each once, so that it ends with the company that it did not begin with, and comes back
        await phone.press(label, message=choice.id)
        await house.quiet()
        now = next(bubble for bubble in await phone.messages() if bubble.id == choice.id)
        assert (now.text, now.labels) == ("This chat speaks for Castings.", [])  # no button of the company left behind
        await phone.say("/company")
        choice = await phone.wait_for("For which company?", after=choice.id)


async def test_the_language_the_help_and_the_end_of_the_link(house: House, tenant: Tenant) -> None:
    ben = await house.linked(tenant.supplier)
    await ben.phone.say("/language")
    await ben.phone.wait_for("Which language?")
    await ben.phone.press("中文")
    await ben.phone.wait_for("此聊天现在使用中文。")
    await ben.phone.say("/help")
    await ben.phone.wait_for("此聊天能做什么")
    await ben.phone.say("/settings")
    await ben.phone.wait_for("每日 08:00 汇总")
    await ben.phone.say("嗯嗯")
    await ben.phone.wait_for("没有看懂")
    await ben.phone.say("/stop")
    await ben.phone.wait_for("此聊天的绑定已结束")
    await ben.phone.say("/today")
    await ben.phone.wait_for("此聊天未绑定任何人")  # the portal forgot whose it was, and not in which language it spoke
    await house.link(ben.person, ben.phone)
    await ben.phone.say("/today")
    await ben.phone.wait_for("Daily summary")  # linked anew, it speaks the person's own language


async def test_a_chat_that_has_ended_speaks_the_language_of_its_person(house: House, tenant: Tenant) -> None:
    """Of somebody whose app speaks another one, who never chose a language in the chat."""
    from portal.accounts import identity

    li = await house.linked(tenant.supplier)
    await identity.change_user(li.person.user_id, language=Language.ZH)
    await li.phone.say("/stop")
    await li.phone.wait_for("此聊天的绑定已结束")
    await li.phone.say("/today")
    await li.phone.wait_for("此聊天未绑定任何人")
    stranger = await house.world.user("Eve")
    await stranger.say("/today")
    await stranger.wait_for("This chat is not linked to anybody")  # of whom only the app's language is known


async def test_the_chat_is_told_when_it_is_bound_and_unbound(house: House, tenant: Tenant) -> None:
    ben = await house.linked(tenant.supplier)
    await house.tell_chats(tenant.factory.__class__.system(tenant.id, tenant.factory.party_id))
    await ben.phone.wait_for("Linked to Castings. Digest at 08:00, quiet 20:00–07:30.")
    async with browsing(house.app, ben.person.token) as browser:
        page = await browser.open("/profile/chat")
        ended = re.search(r"/profile/chat/([\w-]+)/end", page.text)
        assert ended
        await browser.send(f"/profile/chat/{ended[1]}/end")
    await ben.phone.say("/today")
    await ben.phone.wait_for("This chat is not linked to anybody.")
