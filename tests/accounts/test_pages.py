"""Sign-in, companies, invitations and the own account as a browser meets them."""

import os

from litestar import Litestar

from portal.accounts import identity
from portal.accounts.service import InviteMember, invite_member, remove_member
from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import PASSWORD, make_person, new_email
from tests.factories import Tenant, make_tenant


def here() -> str:
    """An address that no other test comes from."""
    return "2001:db8:" + ":".join(f"{byte:x}" for byte in os.urandom(2)) + "::1"


async def invited(company: Actor, email: str, role: Role = Role.CLERK) -> str:
    """The link that somebody gets."""
    async with unit_of_work(company) as session:
        member = await invite_member(
            session, company, company.party_id, InviteMember(email=email, name="Eva", role=role)
        )
    found = await identity.open_invitations(company.tenant_id, [member.id])
    return identity.invitation_link(found[member.id].id)


# --- signing in -------------------------------------------------------------------------------------------------------


async def test_a_person_signs_in_and_comes_back_to_the_page_they_asked_for(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.factory, Role.ADMIN)
    async with browsing(app) as browser:
        asked = await browser.open("/sites?cursor=")
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/sites%3Fcursor%3D")
        assert "Sign in" in text_of(await browser.open(asked.headers["location"]))
        answer = await browser.send("/sign-in", email=f" {ann.email.upper()} ", password=PASSWORD, next="/sites")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sites")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert (await browser.open("/people")).status_code == 200


async def test_over_tls_the_cookie_is_pinned_to_the_host(database: Settings, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    before = os.environ["PORTAL_BASE_URL"]
    from portal.core.settings import get_settings

    os.environ["PORTAL_BASE_URL"] = "https://portal.example"
    get_settings.cache_clear()
    try:
        async with browsing(create_app(get_settings())) as browser:
            answer = await browser.send("/sign-in", email=ann.email, password=PASSWORD)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    finally:
        os.environ["PORTAL_BASE_URL"] = before
        get_settings.cache_clear()


async def test_wrong_password_and_unknown_address_get_the_same_page_and_no_cookie(
    app: Litestar, tenant: Tenant
) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with browsing(app, address=here()) as browser:
        wrong = await browser.send("/sign-in", email=ann.email, password="not this one")
        unknown = await browser.send("/sign-in", email="x" + ann.email, password="not this one")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert wrong.text == unknown.text.replace("x" + ann.email, ann.email)
    assert "set-cookie" not in wrong.headers
    assert "set-cookie" not in unknown.headers


async def test_a_planted_session_is_not_the_one_signed_in_with(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with browsing(app) as browser:
        browser.client.cookies.set("session", "planted", domain="portal.example")
        answer = await browser.client.post("/sign-in", data={"email": ann.email, "password": PASSWORD})
        assert answer.status_code == 303
        assert "session=planted" not in answer.headers["set-cookie"]
    assert await identity.signed_in("planted") is None


async def test_signing_out_ends_the_session_on_the_server(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with browsing(app, ann.token) as browser:
        answer = await browser.send("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "storage" not in answer.headers["clear-site-data"]
    async with browsing(app) as thief:
        thief.client.cookies.set("session", ann.token, domain="portal.example")
        assert (await thief.open("/profile")).status_code == 303


async def test_nobody_is_sent_to_another_site_after_signing_in(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\nevil"):
        async with browsing(app) as browser:
            answer = await browser.send("/sign-in", email=ann.email, password=PASSWORD, next=target)
            assert answer.headers["location"] == "/"


async def test_a_forged_forwarded_address_gains_no_more_guesses(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    statuses = []
    async with browsing(app, address=here()) as browser:
        for n in range(14):
            forged = {
                "X-Forwarded-For": f"198.51.100.{n}",
                "X-Real-IP": f"198.51.100.{n}",
                "Forwarded": f"for=198.51.100.{n}",
            }
            answer = await browser.send("/sign-in", forged, email=ann.email, password=f"guess {n}")
            statuses.append(answer.status_code)
    assert statuses == [422] * 10 + [429] * 4


async def test_a_form_of_another_session_or_another_site_changes_nothing(app: Litestar, tenant: Tenant) -> None:
    ann, ben = await make_person(tenant.customer, Role.CLERK), await make_person(tenant.customer, Role.CLERK)
    async with browsing(app, ann.token) as browser, browsing(app, ben.token) as other:
        assert browser.form_token != other.form_token
        mine = browser.form_token
        for forged in ("", "x" * 64, other.form_token):
            browser.form_token = forged
            assert (await browser.send("/profile/name", name="Mallory")).status_code == 403
        browser.form_token = mine
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await browser.send("/profile/name", headers, name="Mallory")).status_code == 403
        assert (await browser.open("/profile/name")).status_code in {404, 405}
    assert (await identity.find_user(ann.email) or ann).email == ann.email
    signed = await identity.signed_in(ann.token)
    assert signed is not None
    assert signed.user_name == "Ann Weber"


# --- companies --------------------------------------------------------------------------------------------------------


async def test_a_person_of_two_companies_chooses_and_an_old_tab_is_refused(
    app: Litestar, tenant: Tenant, database: Settings
) -> None:
    other = await make_tenant(str(database.database_url))
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    await make_person(other.supplier, Role.PARTNER_ADMIN, email=ann.email)
    async with browsing(app) as browser:
        await browser.send("/sign-in", email=ann.email, password=PASSWORD)
        assert (await browser.open("/people")).headers["location"] == "/companies"
        choice = text_of(await browser.open("/companies"))
        assert "Act for Aurora" in choice
        assert "Act for Castings" in choice
        [aurora, castings] = await identity.companies_of(ann.user_id)
        if aurora.live.company_name != "Aurora":
            aurora, castings = castings, aurora
        assert (await browser.send("/companies", membership_id=str(aurora.membership_id))).status_code == 303
        await browser.open("/people")
        old_tab = browser.form_token
        await browser.send("/companies", membership_id=str(castings.membership_id))
        assert "Castings" in text_of(await browser.open("/people"))
        browser.form_token = old_tab
        refused = await browser.send(
            "/people", party_id=str(other.supplier.party_id), email=new_email(), name="X", role="clerk"
        )
        assert refused.status_code == 403


async def test_a_removed_member_is_out_on_the_next_request(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    async with browsing(app, ann.token) as browser:
        assert (await browser.open("/people")).status_code == 200
        async with unit_of_work(tenant.customer) as session:
            await remove_member(session, tenant.customer, ann.member_id, 1)
        assert (await browser.open("/people")).headers["location"] == "/companies"
        assert "No company works with you" in text_of(await browser.open("/companies"))


# --- invitations ------------------------------------------------------------------------------------------------------


async def test_an_invited_person_sets_name_and_password_and_is_in(app: Litestar, tenant: Tenant) -> None:
    email = new_email()
    link = await invited(tenant.customer, email)
    async with browsing(app) as browser:
        page = await browser.open(link)
        assert "Work for Aurora" in text_of(page)
        answer = await browser.send(link, name="Eva Müller", password="seven blue herons")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "Eva Müller" in text_of(await browser.open("/profile"))
    async with browsing(app) as again:  # the link works once
        over = await again.open(link)
        assert (over.status_code, "ask whoever invited you for a new link" in text_of(over)) == (404, True)
        assert (await again.send(link, name="Eve", password="eight red herons")).status_code == 404
    assert await identity.sign_in(email, "seven blue herons", "", here()) is not None
    assert await identity.sign_in(email, "eight red herons", "", here()) is None


async def test_a_common_password_is_refused_and_the_typed_name_stays(app: Litestar, tenant: Tenant) -> None:
    email = new_email()
    link = await invited(tenant.customer, email)
    async with browsing(app) as browser:
        for password in ("password123", "short", "Aurora2026"):
            answer = await browser.send(link, name="Eva Müller", password=password)
            assert answer.status_code == 422
            assert 'value="Eva Müller"' in answer.text
    assert await identity.find_user(email) is None


async def test_somebody_with_an_account_signs_in_and_gains_the_company(
    app: Litestar, tenant: Tenant, database: Settings
) -> None:
    other = await make_tenant(str(database.database_url))
    ann = await make_person(tenant.customer, Role.CLERK)
    link = await invited(other.supplier, ann.email)
    async with browsing(app) as browser:
        assert "Sign in" in text_of(await browser.open(link))
        assert (await browser.send(link, name="Eve", password="seven blue herons")).status_code == 422
        answer = await browser.send("/sign-in", email=ann.email, password=PASSWORD, next=link)
        assert answer.headers["location"] == link
        assert "Join Castings" in text_of(await browser.open(link))
        assert (await browser.send(link)).status_code == 303
        assert "Castings" in text_of(await browser.open("/companies"))
    assert len(await identity.companies_of(ann.user_id)) == 2


async def test_a_foreign_invitation_cannot_be_taken(app: Litestar, tenant: Tenant) -> None:
    ben = await make_person(tenant.supplier, Role.CLERK)
    email = new_email()
    link = await invited(tenant.customer, email)
    async with browsing(app, ben.token) as browser:
        assert "signed in as somebody else" in text_of(await browser.open(link))
        assert (await browser.send(link)).status_code == 422
    assert len(await identity.companies_of(ben.user_id)) == 1
    assert await identity.find_user(email) is None
    async with browsing(app) as guesser:
        guessed = await guesser.open("/invitations/" + "0" * 64)
        absent = await guesser.open("/invitations/x")
        assert (guessed.status_code, absent.status_code) == (404, 404)


async def test_a_withdrawn_invitation_is_gone(app: Litestar, tenant: Tenant) -> None:
    email = new_email()
    link = await invited(tenant.customer, email)
    async with unit_of_work(tenant.customer) as session:
        token = link.rpartition("/")[2]
        opened = await identity.find_invitation(token)
        assert opened is not None
        await remove_member(session, tenant.customer, opened.place.id, 1)
    async with browsing(app) as browser:
        assert (await browser.open(link)).status_code == 404


# --- the own account --------------------------------------------------------------------------------------------------


async def test_language_follows_the_cookie_before_and_the_person_after_signing_in(
    app: Litestar, tenant: Tenant
) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    async with browsing(app) as browser:
        await browser.open("/sign-in")
        answer = await browser.send("/language", language="zh-CN", next="/sign-in")
        assert answer.headers["location"] == "/sign-in"
        assert "登录" in text_of(await browser.open("/sign-in"))
        await browser.send("/sign-in", email=ann.email, password=PASSWORD)
        await browser.open("/profile")
        await browser.send("/language", language="zh-CN", next="/profile")
    async with browsing(app, ann.token) as elsewhere:
        assert 'lang="zh-CN"' in (await elsewhere.open("/profile")).text
    signed = await identity.signed_in(ann.token)
    assert signed is not None
    assert signed.actor is not None
    assert signed.actor.language is Language.ZH


async def test_the_own_name_changes_for_colleagues_too(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    async with browsing(app, ann.token) as browser:
        assert (await browser.send("/profile/name", name="Anna  Weber-Li")).status_code == 303
        assert "Anna Weber-Li" in text_of(await browser.open("/people"))
        pages = {None: "/profile", "/profile?done=password": "/profile?done=password"}
        pages["/profile/name"] = "/profile"  # who is refused twice sends from an address that takes forms only
        pages["/schedules/export"] = "/schedules"  # a file is no page to come back to
        for sent_from, page in pages.items():
            came = {"referer": str(browser.client.base_url.join(sent_from))} if sent_from else {}
            refused = await browser.send("/profile/name", came, name="  ")
            assert (refused.status_code, f'name="next" value="{page}"' in refused.text) == (422, True)
        elsewhere = await browser.send("/profile/name", {"referer": "https://evil.example/contracts"}, name=" ")
        assert 'name="next" value="/profile"' in elsewhere.text


async def test_the_password_page_asks_for_the_present_one_and_ends_other_sessions(
    app: Litestar, tenant: Tenant
) -> None:
    ann = await make_person(tenant.customer, Role.CLERK)
    elsewhere = await identity.sign_in(ann.email, PASSWORD, "", here())
    async with browsing(app, ann.token, here()) as browser:
        wrong = await browser.send("/profile/password", present="guess", new="seven blue herons")
        assert (wrong.status_code, "not your present password" in text_of(wrong)) == (422, True)
        common = await browser.send("/profile/password", present=PASSWORD, new="qwertyuiop")
        assert (common.status_code, "first that others try" in text_of(common)) == (422, True)
        assert (await browser.send("/profile/password", present=PASSWORD, new="seven blue herons")).status_code == 303
        assert (await browser.open("/profile")).status_code == 200
    assert elsewhere is not None
    assert await identity.signed_in(elsewhere) is None
