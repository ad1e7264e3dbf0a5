"""Twelve ways to make the bot do what it must not. Each has no effect, which is read back, and a clear answer."""

import secrets
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from bot.keyboards import pack
from portal.accounts import chats, service
from portal.accounts.chats import ChatName
from portal.accounts.model_chats import ChatBot
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import driver, unit_of_work
from portal.core.settings import Settings
from tests.accounts.browser import browsing
from tests.accounts.makers import Person, make_person
from tests.accounts.test_identity import as_identity
from tests.bot.conftest import SECRET
from tests.bot.makers import House, Linked, line_now
from tests.factories import Made, Tenant, fetch, make_contract, make_deliveries, make_tenant

HEADER = "X-Telegram-Bot-Api-Secret-Token"
UNTOUCHED = ("proposed", 1)


async def asked(tenant: Tenant, count: int = 1) -> tuple[Made, list[Any]]:
    """Deliveries that wait for the supplier's answer."""
    made = await make_contract(tenant, Direction.PURCHASE)
    return made, await make_deliveries(tenant, made, [800] * count, status="proposed")


async def card_of(who: Linked, made: Made) -> Any:
    """The card of the contract's only delivery on the phone."""
    await who.phone.say(made.contract.number)
    return await who.phone.wait_for(made.contract.number)


async def state(tenant: Tenant, line: Any) -> tuple[str, int]:
    now = await line_now(tenant.factory, line.id)
    return now["status"], now["version"]


async def post(app: Litestar, body: Any, secret: str | None) -> int:
    headers = {} if secret is None else {HEADER: secret}
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
        return (await client.post("/bot/telegram", json=body, headers=headers)).status_code


def said(chat_id: int, text: str) -> dict[str, Any]:
    """An update as Telegram sends it."""
    person = {"id": chat_id, "is_bot": False, "first_name": "Eve"}
    chat = {"id": chat_id, "type": "private", "first_name": "Eve"}
    message = {"message_id": 1, "date": 1_790_000_000, "chat": chat, "from": person, "text": text}
    return {"update_id": 2**50 + secrets.randbelow(2**50), "message": message}


async def stored(settings: Settings, update_id: int) -> int:
    rows = await as_identity(settings, "select count(*) from bot_update where update_id = $1", update_id)
    return int(rows[0][0])


# --- the webhook ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper()])
async def test_a_forged_webhook_call_is_refused(house: House, database: Settings, secret: str | None) -> None:
    update = said(42, "/start")

    assert await post(house.app, update, secret) == 401
    assert await stored(database, update["update_id"]) == 0


async def test_without_a_secret_of_our_own_every_call_is_refused(app: Litestar, database: Settings) -> None:
    """No bot is set up in this portal; an empty secret equals an empty header, and opens nothing."""
    update = said(42, "/start")

    assert [await post(app, update, secret) for secret in (None, "", SECRET)] == [401, 401, 401]
    assert await stored(database, update["update_id"]) == 0


@pytest.mark.parametrize("body", [[], "x", {}, {"update_id": "7"}, {"update_id": -1}, {"update_id": 2**70}, 7])
async def test_a_webhook_call_that_is_no_update_is_refused(house: House, body: Any) -> None:
    assert await post(house.app, body, SECRET) in {400, 422}


async def test_a_replayed_update_does_nothing_more(house: House, tenant: Tenant, database: Settings) -> None:
    made, (line,) = await asked(tenant)
    ben = await house.linked(tenant.supplier)
    await card_of(ben, made)
    await ben.phone.press("Confirm")
    pressed = [u for u in await house.world.updates() if "callback_query" in u][-1]

    assert await post(house.app, pressed, SECRET) == 200
    await house.world.replay(pressed["update_id"])
    await house.quiet()

    assert await state(tenant, line) == ("confirmed", 2)
    assert len(await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line.id)) == 1
    assert await stored(database, pressed["update_id"]) == 1


# --- buttons ----------------------------------------------------------------------------------------------------------


async def test_a_forwarded_button_asks_whoever_presses_it(house: House, tenant: Tenant) -> None:
    made, (line,) = await asked(tenant)
    ben, eve = await house.linked(tenant.supplier), await house.linked(tenant.customer)
    card = await card_of(ben, made)
    await eve.phone.say("/language")
    own = await eve.phone.wait_for("Which language?")

    answer = await eve.phone.forge(card.data[0], message=own.id)

    assert (answer.alert, answer.text) == (True, "There is nothing here, or it is not shared with your company.")
    assert await state(tenant, line) == UNTOUCHED


async def test_a_colleague_without_the_right_cannot_press_in_their_place(house: House, tenant: Tenant) -> None:
    made, (line,) = await asked(tenant)
    ben = await house.linked(tenant.supplier)
    viewer = await house.linked(tenant.supplier, Role.VIEWER)
    card = await card_of(ben, made)
    await viewer.phone.say("/language")
    own = await viewer.phone.wait_for("Which language?")

    answer = await viewer.phone.forge(card.data[0], message=own.id)

    assert (answer.alert, answer.text) == (
        True, "Your role does not allow this. An administrator of your company can change it."
    )  # fmt: skip
    assert await state(tenant, line) == UNTOUCHED
    (press,) = await fetch(tenant.factory, "select outcome from press where object_id = $1", line.id)
    assert press["outcome"] == answer.text


@pytest.mark.parametrize(
    "data", [pack(UUID(int=7)), "v1:" + "A" * 22, "v1:short", "confirm:1", "v2:" + "A" * 22, "x" * 64]
)
async def test_a_guessed_or_foreign_id_in_a_button_opens_nothing(house: House, tenant: Tenant, data: str) -> None:
    made, (line,) = await asked(tenant)
    ben = await house.linked(tenant.supplier)
    card = await card_of(ben, made)

    answer = await ben.phone.forge(data, message=card.id)

    assert answer.alert
    assert answer.text in {
        "There is nothing here, or it is not shared with your company.",
        "This button is of an older kind. Send /today for the current state.",
    }
    assert await state(tenant, line) == UNTOUCHED


async def test_a_button_of_an_older_version_shows_the_current_state(house: House, tenant: Tenant) -> None:
    made, (line,) = await asked(tenant)
    ben = await house.linked(tenant.supplier)
    card = await card_of(ben, made)
    async with unit_of_work(tenant.factory) as session:
        await (await driver(session)).execute(
            "update schedule_line set version = 2, ordered_quantity = 900 where id = $1", line.id
        )

    answer = await ben.phone.press("Confirm")

    assert answer.alert
    assert answer.text is not None
    assert answer.text.startswith("This was changed meanwhile: you saw version 1, now it is 2.")
    shown = await ben.phone.wait_for("900")
    assert shown.id == card.id
    assert await state(tenant, line) == ("proposed", 2)
    await ben.phone.press("Confirm")
    assert await state(tenant, line) == ("confirmed", 3)


async def test_the_button_of_somebody_who_was_removed_does_nothing(house: House, tenant: Tenant) -> None:
    made, (line,) = await asked(tenant)
    ben = await house.linked(tenant.supplier)
    card = await card_of(ben, made)
    async with unit_of_work(tenant.supplier) as session:
        await service.remove_member(session, tenant.supplier, ben.person.member_id, 1)

    answer = await ben.phone.press("Confirm")
    await ben.phone.say("/today")
    told = await ben.phone.wait_for("not linked", after=card.id)

    assert answer.alert
    assert "not linked" in (answer.text or "")
    assert "A100" not in told.text
    assert await state(tenant, line) == UNTOUCHED
    live = "select count(*) from chat where member_id = $1 and unbound_at is null and bot = 'telegram'"
    assert (await fetch(tenant.factory, live, ben.person.member_id))[0][0] == 0


async def test_a_double_press_is_done_once_and_answered_alike(house: House, tenant: Tenant) -> None:
    made, (line,) = await asked(tenant)
    ben = await house.linked(tenant.supplier)
    card = await card_of(ben, made)

    first = await ben.phone.press("Confirm", message=card.id)
    second = await ben.phone.forge(card.data[0], message=card.id)

    assert first.text == "Confirmed: 800\u00a0pcs"
    assert second.text == "This was done already: Confirmed: 800\u00a0pcs"
    assert await state(tenant, line) == ("confirmed", 2)
    assert len(await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line.id)) == 1


async def test_a_press_after_a_switch_to_another_company_finds_nothing(
    house: House, tenant: Tenant, database: Settings
) -> None:
    other = await make_tenant(str(database.database_url))
    made, (line,) = await asked(tenant)
    first = await make_person(tenant.supplier, Role.CLERK)
    second = await make_person(other.supplier, Role.CLERK, email=first.email)
    phone = await house.world.user("Ben")
    await house.link(first, phone)
    ben = Linked(first, phone)
    card = await card_of(ben, made)
    known = await chats.known(ChatName(ChatBot.TELEGRAM, phone.id))
    assert known is not None
    rows = await as_identity(database, "select id from membership where member_id = $1", second.member_id)
    await chats.switch(known.account_id, first.user_id, rows[0]["id"])

    answer = await phone.press("Confirm", message=card.id)

    assert (answer.alert, answer.text) == (True, "There is nothing here, or it is not shared with your company.")
    assert await state(tenant, line) == UNTOUCHED


# --- links ------------------------------------------------------------------------------------------------------------


async def bound_to(chat_id: int) -> UUID | None:
    return await chats.owner_of(ChatName(ChatBot.TELEGRAM, chat_id))


async def test_a_stolen_link_opened_first_binds_nothing_and_shows_the_thief(house: House, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    eve, phone = await house.world.user("Eve"), await house.world.user("Ann")
    payload = await house.payload(ann)

    await eve.say(f"/start {payload}")
    await eve.wait_for("Approve this chat in the portal")
    await phone.say(f"/start {payload}")
    late = await phone.wait_for("expired")

    assert late.text == "This link has expired. Open My account > Chat in the portal for a new one."
    await eve.say("/today")
    await eve.wait_for("This chat is not linked to anybody.")
    async with browsing(house.app, ann.token) as browser:
        page = await browser.open("/profile/chat")
        assert "Eve" in page.text  # the owner sees who opened it, and says no
        request = page.text.partition("/profile/chat/requests/")[2][:36]
        await browser.send(f"/profile/chat/requests/{request}/refuse")
        assert (await browser.send(f"/profile/chat/requests/{request}/approve")).status_code == 409
    assert (await bound_to(eve.id), await bound_to(phone.id)) == (None, None)


async def test_a_guessed_link_is_refused_and_guessing_stops(house: House, tenant: Tenant) -> None:
    eve = await house.world.user("Eve")
    texts = []
    for _ in range(12):
        number = await eve.say(f"/start {secrets.token_urlsafe(32)}")
        await house.quiet()
        texts += [bubble.text for bubble in await eve.messages() if bubble.by_bot and bubble.id > number]

    assert texts[0] == "This link has expired. Open My account > Chat in the portal for a new one."
    assert texts[-1].startswith("Too many")
    assert await bound_to(eve.id) is None


async def test_nobody_else_can_approve_a_request(house: House, tenant: Tenant) -> None:
    ann, other = await make_person(tenant.customer, Role.CLERK), await make_person(tenant.customer, Role.CLERK)
    eve = await house.world.user("Eve")
    await eve.say(f"/start {await house.payload(ann)}")
    await house.quiet()
    (request,) = await chats.requests_of(ann.user_id)

    async with browsing(house.app, other.token) as browser:
        answer = await browser.send(f"/profile/chat/requests/{request.id}/approve")

    assert answer.status_code == 409
    assert await bound_to(eve.id) is None


async def test_a_chat_that_changes_hands_leaves_its_former_person(house: House, tenant: Tenant) -> None:
    ben = await house.linked(tenant.supplier)
    ann: Person = await make_person(tenant.customer, Role.CLERK)

    await house.link(ann, ben.phone)

    assert await bound_to(ben.phone.id) == ann.user_id
    live = "select count(*) from chat where tenant_id = $1 and bot = 'telegram' and unbound_at is null"
    assert (await fetch(tenant.supplier, live, tenant.id))[0][0] == 0
    assert (await fetch(tenant.customer, live, tenant.id))[0][0] == 1


# --- flood ------------------------------------------------------------------------------------------------------------


async def test_a_flood_is_answered_once_and_does_nothing(house: House, tenant: Tenant) -> None:
    made, (line,) = await asked(tenant)
    eve = await house.world.user("Eve")
    for _ in range(30):
        await eve.say(made.contract.number)
    await house.quiet()

    told = [bubble.text for bubble in await eve.messages() if bubble.by_bot]
    assert len(told) <= 11
    assert told[-1] == "Too many messages. Wait a minute, then go on."
    assert not any("A100" in text for text in told)
    assert await state(tenant, line) == UNTOUCHED
