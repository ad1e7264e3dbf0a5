"""The portal's own chat window: the same conversation by forms, without script and without any account elsewhere."""

import asyncio
import re
from decimal import Decimal

import httpx

from portal.accounts.model_chats import ChatBot
from portal.core.access import Role
from portal.core.actor import Direction
from portal.web.chat import NEWS, events
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person, signed
from tests.bot.makers import House, line_now
from tests.factories import Tenant, fetch, make_contract, make_deliveries
from tests.shipments.makers import photo

KEY = re.compile(r'action="(/chat/messages/[\w-]+/press)".*?</form>', re.DOTALL)


def key(page: httpx.Response, label: str) -> tuple[str, str]:
    """Where the newest button with this label is sent, and what it sends."""
    for form in reversed(list(KEY.finditer(page.text))):
        if found := re.search(rf'name="data" value="([^"]+)">{re.escape(label)}<', form[0]):
            return form[1], found[1]
    raise AssertionError(f"no button {label}: {text_of(page)[-600:]}")


async def test_a_delivery_is_confirmed_in_the_window_without_script(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="proposed")
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(house.app, ben.token) as browser:
        assert "Ask where an order is" in text_of(await browser.open("/chat"))

        answer = await browser.send("/chat/say", text=f"where is {made.contract.number}?")
        assert answer.status_code == 303
        page = await browser.open("/chat")
        await browser.send(key(page, "Confirm")[0], data=key(page, "Confirm")[1])
        await house.quiet(ChatBot.PORTAL)
        after = text_of(await browser.open("/chat"))

    assert "Confirmed by your company" in after
    assert "Confirmed: 800" in after
    assert (await line_now(tenant.factory, line.id))["confirmed_quantity"] == Decimal(800)
    history = "select channel from timeline where subject_id = $1 and verb = 'confirmed'"
    assert (await fetch(tenant.factory, history, line.id))[0]["channel"] == "chat"


async def test_the_open_window_hears_at_once_what_the_bot_says(house: House, tenant: Tenant) -> None:
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(house.app, ben.token) as browser:
        await browser.open("/chat")
        heard = events(await signed(ben), ben.token)
        assert await anext(heard) == NEWS
        await browser.send("/chat/say", text="/help")
        async with asyncio.timeout(20):
            assert await anext(heard) == NEWS  # no heartbeat and no reload in between
        assert "What this chat can do" in text_of(await browser.open("/chat"))
        await heard.aclose()


async def test_a_photo_in_the_window_goes_with_the_report(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="confirmed")
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(house.app, ben.token) as browser:
        await browser.open("/chat")
        await browser.send("/chat/say", text=made.contract.number)
        for label in ("Problem", "Material"):
            page = await browser.open("/chat")
            await browser.send(key(page, label)[0], data=key(page, label)[1])
            await house.quiet(ChatBot.PORTAL)
        form = {"_csrf_token": browser.form_token, "text": "Blow holes"}
        await browser.client.post("/chat/say", data=form, files={"photo": ("a.jpg", photo((60, 40)), "image/jpeg")})
        await house.quiet(ChatBot.PORTAL)
        page = await browser.open("/chat")
        picture = re.search(r'src="(/chat/photos/\w+)"', page.text)
        assert picture
        assert (await browser.client.get(picture[1])).headers["content-type"] == "image/jpeg"
        await browser.send(key(page, "Can wait")[0], data=key(page, "Can wait")[1])
        await house.quiet(ChatBot.PORTAL)

    (report,) = await fetch(tenant.factory, "select id, note from line_report where line_id = $1", line.id)
    assert report["note"] == "Blow holes"
    assert len(await fetch(tenant.factory, "select 1 from line_report_photo where report_id = $1", report["id"])) == 1


async def test_a_button_that_the_message_does_not_have_is_refused(house: House, tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="proposed")
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(house.app, ben.token) as browser:
        await browser.open("/chat")
        await browser.send("/chat/say", text=made.contract.number)
        page = await browser.open("/chat")
        answer = await browser.send(key(page, "Confirm")[0], data="v1:" + "A" * 22)

    assert answer.status_code == 409
    assert "This button is not there any more." in text_of(answer)
    assert (await line_now(tenant.factory, line.id))["version"] == 1


async def test_what_a_partner_typed_stays_text_in_the_window(house: House, tenant: Tenant) -> None:
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(house.app, ben.token) as browser:
        await browser.open("/chat")
        await browser.send("/chat/say", text="<script>alert(1)</script> A1")
        page = await browser.open("/chat")

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; A1" in page.text


async def test_nothing_and_too_much_are_refused_with_a_sentence(house: House, tenant: Tenant) -> None:
    ben = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(house.app, ben.token) as browser:
        await browser.open("/chat")
        empty, long = await browser.send("/chat/say", text="  "), await browser.send("/chat/say", text="x" * 2001)

    assert (empty.status_code, long.status_code) == (422, 422)
    assert "Write a message or add a photo." in text_of(empty)
    assert "A message holds up to 2,000 characters." in text_of(long)
