"""Joining by a link that is over, is somebody else's, or with a password that will not do: nobody comes in."""

from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar

from portal.accounts import identity, service_joining
from portal.accounts.service import remove_member, resend_invitation
from portal.accounts.service_joining import ForSomebodyElse, InvitationOver
from portal.app import create_app
from portal.core.access import Role
from portal.core.db import unit_of_work
from portal.core.errors import PortalError
from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import PASSWORD, make_person, new_email, signed
from tests.accounts.test_people import invite, links
from tests.factories import Tenant, fetch, traces
from tests.web.refusals import EN, ZH

MEMBERS = "select id, email, name, role, status, version from member order by id"


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


async def invited(tenant: Tenant, email: str) -> tuple[UUID, str]:
    """Somebody whom the customer invited, and the secret of the link."""
    member_id = await invite(tenant.customer, tenant.customer.party_id, email)
    return member_id, await secret(tenant, member_id)


async def secret(tenant: Tenant, member_id: UUID) -> str:
    return (await links(tenant.customer, tenant.customer.party_id))[member_id].rpartition("/")[2]


async def join(token: str, password: str = PASSWORD) -> str:
    return await service_joining.join_as_new(token, "Eva Müller", password, "test", Language.EN)


async def standing(tenant: Tenant, email: str) -> list[Any]:
    """The members as their company reads them with its history, audit and outbox; the account and its companies."""
    user = await identity.find_user(email)
    companies = await identity.companies_of(user.id) if user else []
    members = [tuple(row) for row in await fetch(tenant.customer, MEMBERS)]
    return [user, companies, members, await traces(tenant, tenant.customer)]


async def refused(tenant: Tenant, email: str, token: str, refusal: type[PortalError], password: str = PASSWORD) -> None:
    before = await standing(tenant, email)
    with pytest.raises(refusal):
        await join(token, password)
    assert await standing(tenant, email) == before


async def test_a_link_brings_one_person_in_once(tenant: Tenant) -> None:
    email = new_email()
    member_id, token = await invited(tenant, email)
    session = await join(token)
    await refused(tenant, email, token, InvitationOver)
    somebody = await make_person(tenant.supplier, Role.CLERK)
    before = await standing(tenant, somebody.email)
    with pytest.raises(InvitationOver):
        await service_joining.join_as(await signed(somebody), token)
    assert await standing(tenant, somebody.email) == before
    found = await identity.signed_in(session)
    assert found is not None
    assert found.actor is not None
    assert found.actor.member_id == member_id  # who came in stays in


async def test_a_second_invitation_ends_the_first_and_a_removal_ends_both(tenant: Tenant) -> None:
    email = new_email()
    member_id, first = await invited(tenant, email)
    async with unit_of_work(tenant.customer) as session:
        await resend_invitation(session, tenant.customer, member_id)
    second = await secret(tenant, member_id)
    await refused(tenant, email, first, InvitationOver)
    async with unit_of_work(tenant.customer) as session:
        await remove_member(session, tenant.customer, member_id, 1)
    for token in (first, second):
        await refused(tenant, email, token, InvitationOver)
    assert await identity.find_user(email) is None


async def test_a_link_is_for_its_address_alone(tenant: Tenant) -> None:
    email = new_email()
    _member_id, token = await invited(tenant, email)
    somebody = await make_person(tenant.supplier, Role.CLERK)
    before = [await standing(tenant, one) for one in (email, somebody.email)]
    with pytest.raises(ForSomebodyElse):
        await service_joining.join_as(await signed(somebody), token)
    assert [await standing(tenant, one) for one in (email, somebody.email)] == before
    assert await join(token)  # the link still works for whom it was made


@pytest.mark.parametrize(
    ("language", "over", "somebody_else", "short"),
    [
        (
            EN,
            "This invitation was used, was taken back or is older than seven days.",
            "This invitation was made for {email}.",
            "8",
        ),
        (ZH, "此邀请已使用、已撤回或已超过七天。", "这份邀请是发给 {email} 的。", "8"),
    ],
)
async def test_the_page_says_why_nobody_came_in(
    tenant: Tenant, app: Litestar, language: Language, over: str, somebody_else: str, short: str
) -> None:
    email = new_email()
    _member_id, token = await invited(tenant, email)
    somebody = await make_person(tenant.supplier, Role.CLERK)
    before = await standing(tenant, email)
    async with browsing(app) as browser:
        await browser.send("/language", language=language.value)
        typed = await browser.send(f"/invitations/{token}", name="Eva Müller", password="short")
        assert (typed.status_code, short in text_of(typed), "Eva Müller" in typed.text) == (422, True, True)
    async with browsing(app, somebody.token) as browser:
        await browser.send("/language", language=language.value)
        foreign = await browser.send(f"/invitations/{token}", name="", password="")
        assert (foreign.status_code, somebody_else.format(email=email) in text_of(foreign)) == (422, True)
    assert await standing(tenant, email) == before

    await join(token)
    before = await standing(tenant, email)
    async with browsing(app) as browser:
        await browser.send("/language", language=language.value)
        shown = await browser.open(f"/invitations/{token}")
        sent = await browser.send(f"/invitations/{token}", name="Eva Müller", password=PASSWORD)
    for answer in (shown, sent):
        assert (answer.status_code, over in text_of(answer)) == (404, True)
    assert await standing(tenant, email) == before
