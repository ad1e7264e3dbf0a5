"""Pages opened within Telegram: signed words become a short session, and nothing else opens one."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from httpx import Response

from bot.keyboards import keyboard_of, opens_within
from portal.accounts import service
from portal.accounts.model_chats import ChatBot
from portal.accounts.rules_factor import code_at, step_of
from portal.core import clock
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.settings import Settings, get_settings, variable
from portal.dev.telegram.world import DEMO_TOKEN
from portal.notices.cards import Card
from portal.notices.wording import opening
from tests.accounts.browser import browsing, text_of
from tests.accounts.test_identity import as_identity
from tests.bot.makers import House, Linked
from tests.factories import Tenant

SESSIONS = "select expires_at - created_at, membership_id from user_session where user_id = $1 and agent = 'a phone'"


def signed(fields: dict[str, str], token: str = DEMO_TOKEN) -> str:
    """Words as Telegram signs them, from its documentation."""
    key = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    text = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    return urlencode(fields | {"hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()})


def words(chat_id: int, *, age: timedelta = timedelta(), token: str = DEMO_TOKEN) -> str:
    user = json.dumps({"id": chat_id, "is_bot": False, "first_name": "Lena"})
    at = int((clock.now() - age).timestamp())
    return signed({"auth_date": str(at), "query_id": os.urandom(8).hex(), "user": user}, token)


async def enter(house: House, init_data: str, to: str = "/receipts", cookie: str = "") -> Response:
    async with browsing(house.app, cookie) as browser:
        browser.client.headers["user-agent"] = "a phone"
        return await browser.send("/app", init_data=init_data, to=to)


async def sessions(settings: Settings, who: Linked) -> list[tuple[timedelta, object]]:
    return [tuple(row) for row in await as_identity(settings, SESSIONS, who.person.user_id)]


async def test_what_the_stand_in_signs_opens_ten_minutes_of_the_chats_company(
    house: House, tenant: Tenant, database: Settings
) -> None:
    lena = await house.linked(tenant.customer)
    opened = await house.world.post(f"users/{lena.phone.id}/web_app")
    page = await enter(house, opened["init_data"], "/receipts")

    assert (page.status_code, page.headers["location"]) == (303, "/receipts")
    assert "Max-Age=600" in page.headers["set-cookie"]
    token = page.cookies["session"]
    async with browsing(house.app, token) as browser:
        assert (await browser.open("/receipts")).status_code == 200
    ((lasts, membership),) = await sessions(database, lena)
    assert lasts == timedelta(minutes=10)
    assert membership is not None
    # The same words once more: a reload is led on, anybody else is refused.
    assert (await enter(house, opened["init_data"], "/receipts", token)).status_code == 303
    again = await enter(house, opened["init_data"])
    assert again.status_code == 403
    assert "This opening was used already." in text_of(again)
    assert len(await sessions(database, lena)) == 1


async def test_forged_stale_unbound_and_revoked_words_open_nothing(
    house: House, tenant: Tenant, database: Settings
) -> None:
    lena, stranger = await house.linked(tenant.customer), await house.world.user("Eve")
    good = words(lena.phone.id)
    fields = dict(parse_qsl(good))
    other = json.dumps({"id": lena.phone.id, "is_bot": False, "first_name": "Eve"})
    stale = words(lena.phone.id, age=timedelta(minutes=11))
    early = words(lena.phone.id, age=-timedelta(minutes=5))
    forged = [
        *("", "x", "hash=1", "a=%ff&hash=%00", good[:-1] + ("0" if good[-1] != "0" else "1")),
        words(lena.phone.id, token="1:another-bot"),
        urlencode(fields | {"user": other}),
        urlencode({name: value for name, value in fields.items() if name != "hash"}),
        signed({"auth_date": fields["auth_date"]}),  # of a channel, without a person
        signed({"auth_date": "soon", "user": other}),
    ]
    said = [(await enter(house, each), "was not opened by your chat") for each in forged]
    said += [(await enter(house, each), "more than ten minutes ago") for each in (stale, early)]
    said += [(await enter(house, words(stranger.id)), "is not linked to anybody")]
    async with unit_of_work(tenant.customer) as session:
        await service.remove_member(session, tenant.customer, lena.person.member_id, 1)
    said += [(await enter(house, words(lena.phone.id)), "is not linked to anybody")]

    for answer, sentence in said:
        assert answer.status_code == 403
        assert sentence in text_of(answer)
        assert "set-cookie" not in answer.headers
    assert await sessions(database, lena) == []


async def test_a_person_with_a_second_factor_signs_in_with_it(house: House, tenant: Tenant, database: Settings) -> None:
    from portal.accounts import second_factor

    lena = await house.linked(tenant.customer)
    set_up = await second_factor.begin(lena.person.user_id, lena.person.email)
    code = code_at(set_up.secret, step_of(clock.now()))
    await second_factor.confirm(lena.person.user_id, code, uuid7())
    answer = await enter(house, words(lena.phone.id))

    assert answer.status_code == 403
    assert "You sign in with a one-time code" in text_of(answer)
    assert await sessions(database, lena) == []


async def test_nobody_is_led_out_of_the_portal(house: House, tenant: Tenant) -> None:
    lena = await house.linked(tenant.customer)
    for to in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert (await enter(house, words(lena.phone.id), to)).headers["location"] == "/"
    async with browsing(house.app, "") as browser:
        page = await browser.open("/app?to=https://evil.example/")
    assert 'name="to" value="/"' in page.text
    assert 'href="/sign-in?next=%2F"' in page.text


# --- the button -------------------------------------------------------------------------------------------------------


@pytest.fixture
def certified() -> Iterator[None]:
    """The portal's address has a certificate."""
    name = variable("base_url")
    before = os.environ.get(name)
    os.environ[name] = "https://portal.example.com"
    get_settings.cache_clear()
    yield
    os.environ.pop(name, None) if before is None else os.environ.update({name: before})
    get_settings.cache_clear()


def test_forms_open_within_private_telegram_chats_over_https_alone(certified: None) -> None:
    path = "/receipts/new?shipment=7"
    card = Card("", "", (), "", "", ((opening(path, form=True), opening("/receipts")),), "")

    def first(*, within: bool) -> dict[str, object]:
        markup = keyboard_of(card, links=False, within=within)
        assert markup is not None
        assert markup.inline_keyboard[0][1].url == "https://portal.example.com/receipts"
        return markup.inline_keyboard[0][0].model_dump(exclude_none=True)

    within, beside = first(within=True), first(within=False)
    address = urlsplit(within["web_app"]["url"])  # type: ignore[index]
    assert (address.scheme, address.path, parse_qs(address.query)) == ("https", "/app", {"to": [path]})
    assert beside["url"] == f"https://portal.example.com{path}"
    assert [opens_within(*place) for place in ((ChatBot.TELEGRAM, 7), (ChatBot.TELEGRAM, -7), (ChatBot.PORTAL, 7))] == [
        True, False, False
    ]  # fmt: skip


def test_without_a_certificate_forms_open_beside_the_chat() -> None:
    assert not opens_within(ChatBot.TELEGRAM, 7)
