"""An address that leads nowhere: whoever is signed in keeps the menu and the language, others see a page alone."""

from uuid import uuid4

import pytest
from litestar import Litestar

from portal.accounts import identity
from portal.app import create_app
from portal.core import db
from portal.core.access import Role
from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Tenant

NOWHERE = "/no-such-page"
MENU = 'id="menu"'


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


@pytest.mark.parametrize(("language", "said"), [(Language.EN, "To what waits for me"), (Language.ZH, "回到我的待办")])
async def test_it_looks_like_a_known_address_with_nothing_behind_it(
    app: Litestar, tenant: Tenant, language: Language, said: str
) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    await identity.change_user(person.user_id, language=language)
    async with browsing(app, person.token) as browser:
        unknown, absent = await browser.open(NOWHERE), await browser.open(f"/contracts/{uuid4()}")
        typed = await browser.send(NOWHERE, anything="at all")
        fragment = await browser.client.get(NOWHERE, headers={"hx-request": "true"})
    assert (unknown.status_code, MENU in unknown.text, said in text_of(unknown)) == (404, True, True)
    assert text_of(unknown) == text_of(absent)
    assert (typed.status_code, MENU in typed.text) == (404, True)
    assert (fragment.status_code, MENU in fragment.text) == (404, False)


async def test_nobody_and_whoever_was_signed_out_see_it_alone(app: Litestar) -> None:
    async with browsing(app) as browser:
        alone = await browser.open(NOWHERE)
        browser.client.cookies.set("session", "of-yesterday")
        over = await browser.open(NOWHERE)
    assert [(answer.status_code, MENU in answer.text) for answer in (alone, over)] == [(404, False)] * 2
    assert text_of(alone) == text_of(over)
    assert "To the start page" in text_of(alone)


async def test_a_database_that_is_away_costs_the_menu_and_not_the_answer(
    app: Litestar, tenant: Tenant, database: Settings
) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    await db.dispose()
    db.configure(database.model_copy(update={"database_identity_url": "postgresql+asyncpg://nobody@127.0.0.1:1/none"}))
    async with browsing(app) as browser:
        browser.client.cookies.set("session", person.token)
        away = await browser.open(NOWHERE)
        await db.dispose()
        db.configure(database)
        back = await browser.open(NOWHERE)
    assert [(answer.status_code, MENU in answer.text) for answer in (away, back)] == [(404, False), (404, True)]
