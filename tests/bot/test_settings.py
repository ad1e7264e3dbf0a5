"""How a person is told, changed by buttons in the chat; and what leaves the house where only numbers may."""

import re

from portal.accounts.model import ChatDetail
from portal.core import db
from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.notices.service_preferences import SetChatDetail, set_chat_detail
from tests.bot.makers import House, Linked, line_now
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.shipments.makers import sent

CHOSEN = (
    "select digest_at, quiet_from, quiet_to, kinds, version from preference where tenant_id = $1 and member_id = $2"
)
FIGURES = re.compile(r"\b(777|13)\b")


async def chosen(who: Linked) -> dict[str, object]:
    rows = await fetch(who.actor, CHOSEN, who.actor.tenant_id, who.person.member_id)
    return dict(rows[0]) if rows else {}


async def test_hours_and_kinds_are_chosen_with_buttons(house: House, tenant: Tenant) -> None:
    lena = await house.linked(tenant.supplier)
    await lena.phone.say("/settings")
    card = await lena.phone.wait_for("Daily summary at 08:00")
    assert card.text.endswith("/profile/notifications")  # no button opens an address that the service does not reach
    await lena.phone.press("Daily summary")
    await lena.phone.wait_for("When shall the daily summary come?")
    answer = await lena.phone.press("07:30")
    await house.quiet()
    await lena.phone.press("Quiet hours")
    await lena.phone.wait_for("When shall nothing disturb you?")
    await lena.phone.press("22:00–07:00")
    await house.quiet()
    await lena.phone.press("What I am told")
    kinds = await lena.phone.wait_for("What are you told, and how?")
    assert "Daily summary of what waits · Every working day" in kinds.labels
    await lena.phone.press("A delivery was refused · At once")
    await lena.phone.wait_for("A delivery was refused: how are you told?")
    await lena.phone.press("With the daily summary")
    await house.quiet()

    last = await lena.phone.message(card.id)
    assert answer.text == "Saved. It counts from now on."
    assert "Daily summary at 07:30" in last.text
    assert "Quiet 22:00–07:00" in last.text
    assert await chosen(lena) == {
        "digest_at": 450, "quiet_from": 1320, "quiet_to": 420, "version": 3,
        "kinds": {"digest": "at_once", "rejected": "digest"},
    }  # fmt: skip


async def test_the_summary_can_be_switched_off_and_nobody_else_chooses(house: House, tenant: Tenant) -> None:
    li = await house.linked(tenant.supplier, language=Language.ZH, name="李雷")
    ben = await house.linked(tenant.supplier)
    await li.phone.say("/settings")
    card = await li.phone.wait_for("免打扰")
    await li.phone.press("每日汇总")
    asked = await li.phone.message(card.id)
    off = asked.data[asked.labels.index("不发每日汇总")]
    await ben.phone.say("/settings")
    other = await ben.phone.wait_for("Daily summary at 08:00")
    refused = await ben.phone.forge(off, message=other.id)
    assert (refused.text or "").startswith("This button was made for a colleague.")
    assert await chosen(li) == {}

    await li.phone.press("不发每日汇总")
    await house.quiet()
    assert (await chosen(li))["kinds"] == {"digest": "off"}
    assert "不发每日汇总" in (await li.phone.message(card.id)).text


async def test_no_answer_tells_figures_where_only_numbers_may_leave(house: House, tenant: Tenant) -> None:
    bought, sold = await make_contract(tenant, Direction.PURCHASE), await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, bought, [777], status="proposed")
    (out,) = await make_deliveries(tenant, sold, [13])
    note, _ = await sent(tenant, (out, 13), direction=Direction.SALE)
    ben, ann = await house.linked(tenant.supplier), await house.linked(tenant.customer)
    await ben.phone.say(bought.contract.number)
    before = await ben.phone.wait_for("777")
    confirm = before.data[before.labels.index("Confirm")]
    async with db.unit_of_work(tenant.factory) as session:
        await set_chat_detail(session, tenant.factory, SetChatDetail(chat_detail=ChatDetail.NUMBER_ONLY))

    answers = [await ben.phone.press(data=confirm, message=before.id)]
    await house.quiet()
    for who, words in ((ben, bought.contract.number), (ann, note.number)):
        for said in ("/today", "/schedule", "where is A100?", words, "/help", "/settings"):
            await who.phone.say(said)
            await house.quiet()
    for who in (ben, ann):
        shown = [bubble for bubble in await who.phone.messages() if bubble.by_bot]
        for bubble in shown:
            assert not FIGURES.search(bubble.text), bubble.text
            assert not {"Confirm", "Problem", "All complete", "Count"} & set(bubble.labels)
        assert any("/today: " in bubble.text for bubble in shown)  # what is about the chat itself is said
    assert [answer.text for answer in answers] == [
        "This workspace sends no figures through this chat. Open the page to see them and to answer there."
    ]
    assert (await line_now(tenant.factory, line.id))["status"] == "proposed"
    assert note.number in "".join(bubble.text for bubble in await ann.phone.messages())
