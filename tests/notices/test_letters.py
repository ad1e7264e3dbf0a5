"""A forgotten password and an invitation by mail, through a real mail server."""

import os
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest
from litestar import Litestar

from jobs import invitations, letters
from jobs.subscribers import Occurrence
from portal.accounts import identity, recovery, service, service_joining
from portal.accounts.events import MemberInvited
from portal.app import create_app
from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.settings import Settings, get_settings, variable
from portal.notices.mail import Mail
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import PASSWORD, make_person, new_email
from tests.accounts.test_identity import as_identity
from tests.factories import Tenant
from tests.notices.test_mail import Box, box, parts

__all__ = ["box"]
NEW = "seven lanterns of brass"


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


@pytest.fixture
async def mailed(box: Box, database: Settings) -> AsyncIterator[Box]:
    """A portal whose mail arrives in a box."""
    given = {"smtp_url": box.url, "mail_from": "Calloff <portal@example.com>"}
    os.environ.update({variable(name): value for name, value in given.items()})
    get_settings.cache_clear()
    yield box
    for name in given:
        os.environ[variable(name)] = getattr(database, name) or ""
    get_settings.cache_clear()


def mails_to(box: Box, address: str) -> list[EmailMessage]:
    """What came for one person. Links that other tests asked for arrive as well."""
    return [mail for mail in box.messages if mail["To"] == address]


async def link_in(box: Box, address: str) -> str:
    """Send what waits; the path of the link in the person's newest mail."""
    await letters.send_links(Mail(get_settings()))
    plain, _html = parts(mails_to(box, address)[-1])
    found = re.search(r"http://[^/]+(/\S+)", plain)
    assert found is not None
    return found.group(1)


async def test_a_forgotten_password_is_set_anew_once(app: Litestar, tenant: Tenant, mailed: Box) -> None:
    person = await make_person(tenant.customer, Role.CLERK)
    async with browsing(app) as browser:
        await browser.open("/forgotten")
        asked = await browser.send("/forgotten", email=person.email.upper())
        path = await link_in(mailed, person.email)
        page = await browser.open(path)
        weak = await browser.send(path, password="short")
        done = await browser.send(path, password=NEW)
        signed_out = await identity.signed_in(person.token)
        again = await browser.open(path)
        twice = await browser.send(path, password="another good password")

    assert "a link is on its way" in text_of(asked)
    (mail,) = mails_to(mailed, person.email)
    assert mail["List-Unsubscribe"] is None
    assert page.status_code == 200
    assert weak.status_code == 422
    assert (done.status_code, done.headers["location"]) == (303, "/sign-in?done=password")
    assert signed_out is None  # every session ended
    assert (again.status_code, twice.status_code) == (404, 404)
    assert "This link was used or is over." in text_of(again)
    assert await identity.check_sign_in(person.email, NEW, "203.0.113.9") is not None
    assert await identity.check_sign_in(person.email, PASSWORD, "203.0.113.10") is None


async def test_nobody_learns_which_addresses_have_accounts(
    app: Litestar, tenant: Tenant, mailed: Box, database: Settings
) -> None:
    person = await make_person(tenant.customer, Role.CLERK)
    said, unknown = [], new_email()
    async with browsing(app, address="203.0.113.77") as browser:
        for address in (person.email, unknown):
            await browser.open("/forgotten")
            answer = await browser.send("/forgotten", email=address)
            said.append((answer.status_code, text_of(answer), len(answer.content)))
    await letters.send_links(Mail(get_settings()))

    assert said[0] == said[1]
    assert mails_to(mailed, unknown) == []
    rows = await as_identity(database, "select token_hash from password_token where user_id = $1", person.user_id)
    plain, _html = parts(mails_to(mailed, person.email)[0])
    assert len(rows) == 1
    assert rows[0]["token_hash"] not in plain


async def test_asking_often_sends_little_and_guessing_is_stopped(app: Litestar, tenant: Tenant, mailed: Box) -> None:
    person = await make_person(tenant.customer, Role.CLERK)
    statuses = []
    async with browsing(app, address="203.0.113.78") as browser:
        for _ in range(11):
            await browser.open("/forgotten")
            statuses.append((await browser.send("/forgotten", email=person.email)).status_code)
    await letters.send_links(Mail(get_settings()))

    assert statuses == [200] * 10 + [429]
    assert len(mails_to(mailed, person.email)) == 3


async def test_without_a_mail_server_the_page_says_whom_to_ask(app: Litestar) -> None:
    async with browsing(app) as browser:
        page = await browser.open("/forgotten")
        answer = await browser.send("/forgotten", email="somebody@example.com")

    assert "Ask your administrator for a new password." in text_of(page)
    assert "Ask your administrator for a new password." in text_of(answer)


async def test_a_disabled_person_gets_no_link(tenant: Tenant, mailed: Box) -> None:
    person = await make_person(tenant.customer, Role.CLERK)
    await recovery.ask(person.email, "203.0.113.79")
    path = await link_in(mailed, person.email)
    await service_joining.disable_user(person.email)
    await recovery.ask(person.email, "203.0.113.79")

    with pytest.raises(NotFound):
        await recovery.set_password(path.rpartition("/")[2], NEW)
    await letters.send_links(Mail(get_settings()))
    assert len(mails_to(mailed, person.email)) == 1


async def invited(tenant: Tenant, actor: Actor) -> tuple[str, Occurrence]:
    data = service.InviteMember(email=new_email(), name="Inga", role=Role.CLERK)
    async with db.unit_of_work(actor) as session:
        member = await service.invite_member(session, actor, actor.party_id, data)
    return data.email, Occurrence(uuid7(), actor.party_id, actor.member_id, clock.now(), MemberInvited(member.id))


async def test_an_invitation_comes_by_mail(app: Litestar, tenant: Tenant, mailed: Box) -> None:
    address, occurrence = await invited(tenant, tenant.customer)
    system = Actor.system(tenant.id, tenant.factory.party_id)
    await invitations.invite(system, occurrence)
    plain, _html = parts(mailed.messages[-1])
    found = re.search(r"http://[^/]+(/invitations/\S+)", plain)

    assert mailed.messages[-1]["To"] == address
    assert mailed.messages[-1]["Subject"] == "Work for Aurora"
    assert found is not None
    async with browsing(app) as browser:
        page = await browser.open(found.group(1))
    assert "Work for Aurora" in text_of(page)


async def test_without_a_mail_server_an_invitation_is_passed_on_by_hand(tenant: Tenant) -> None:
    _address, occurrence = await invited(tenant, tenant.customer)

    await invitations.invite(Actor.system(tenant.id, tenant.factory.party_id), occurrence)
