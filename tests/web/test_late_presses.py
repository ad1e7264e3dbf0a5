"""A button that comes too late: back to its page as it is now, which says once why nothing was done."""

import pytest
from litestar import Litestar
from litestar.response import Redirect

from portal.app import create_app
from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.web import left_word
from tests.accounts.browser import text_of
from tests.factories import Tenant, make_contract, make_deliveries
from tests.shipments.makers import sent
from tests.web.refusals import EN, ZH, rows, signed_in

TABLES = ("shipment", "schedule_line", "timeline", "audit", "outbox")
SAID = {
    EN: "This was changed meanwhile: you saw version 7, now it is 1. Look and decide again. Nothing was done.",
    ZH: "该内容已被修改：您看到的是第 7 版，现在是第 1 版。请查看后重新决定。未做任何更改。",
}


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


def navigating(page: str) -> dict[str, str]:
    """What a browser says when somebody presses a button of a page."""
    return {"accept": "text/html,application/xhtml+xml", "referer": f"http://portal.example{page}"}


async def note(tenant: Tenant) -> str:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [100])
    shipment, _lines = await sent(tenant, (line, 100))
    return f"/shipments/{shipment.id}"


@pytest.mark.parametrize("language", [EN, ZH])
async def test_the_page_comes_back_as_it_is_and_says_once_that_nothing_was_done(
    app: Litestar, tenant: Tenant, language: Language
) -> None:
    page = await note(tenant)
    before = await rows(tenant, *TABLES)
    async with signed_in(app, tenant.supplier, language) as browser:
        await browser.open(page)
        answer = await browser.send(f"{page}/withdraw", navigating(page), version="7")
        assert (answer.status_code, answer.headers["location"]) == (303, page)
        first, second = await browser.open(page), await browser.open(page)
    assert first.status_code == 200
    assert SAID[language] in text_of(first)
    assert 'name="version" value="1"' in first.text
    assert SAID[language] not in text_of(second)
    assert await rows(tenant, *TABLES) == before


async def test_programs_and_whoever_came_from_nowhere_are_answered_where_they_asked(
    app: Litestar, tenant: Tenant
) -> None:
    page = await note(tenant)
    async with signed_in(app, tenant.supplier) as browser:
        await browser.open(page)
        for headers in (
            {},
            navigating(page) | {"accept": "*/*"},
            navigating(page) | {"referer": f"https://elsewhere.example{page}"},
            navigating(page) | {"hx-request": "true"},
        ):
            answer = await browser.send(f"{page}/withdraw", headers, version="7")
            assert (answer.status_code, "you saw version 7" in text_of(answer)) == (409, True)
        assert "you saw version" not in text_of(await browser.open(page))


def test_a_cookie_holds_the_longest_sentence_in_chinese(database: Settings) -> None:
    answer = left_word.leave(Redirect("/"), "交" * 5000, "0" * 64)
    assert len(answer.cookies[0].to_header()) < 4096  # what every browser keeps


async def test_only_the_portal_leaves_words(app: Litestar, tenant: Tenant) -> None:
    """What it left for one session is not shown in another, and what somebody else put there is not shown at all."""
    page = await note(tenant)
    async with signed_in(app, tenant.supplier) as browser, signed_in(app, tenant.supplier) as other:
        await browser.open(page)
        await browser.send(f"{page}/withdraw", navigating(page), version="7")
        word = browser.client.cookies["word"]
        for left in (word, "0" * 64 + "." + word.partition(".")[2], "nonsense", ".", "é.é"):
            carried = f"session={other.session}; word={left}".encode()
            answer = await other.client.get(page, headers=[(b"cookie", carried)])
            assert (answer.status_code, "you saw version" in text_of(answer)) == (200, False)
