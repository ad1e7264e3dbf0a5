"""People, partners and sites as a browser meets them."""

from datetime import date

import pytest
from litestar import Litestar

from portal.accounts import identity, reads
from portal.accounts.second_factor import begin
from portal.core.access import Role
from portal.core.i18n import Language
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.factors import enrolled
from tests.accounts.makers import make_person, new_email
from tests.factories import Tenant, make_contract


async def invite(browser: Browser, party_id: object, email: str, role: str) -> str:
    """Send the form of the page; returns where it leads."""
    answer = await browser.send("/people", party_id=str(party_id), email=email, name="Eva Müller", role=role)
    assert answer.status_code == 303, text_of(answer)
    return answer.headers["location"]


async def test_the_factory_adds_a_partner_invites_its_administrator_who_then_invites_a_clerk(
    app: Litestar, tenant: Tenant
) -> None:
    lena = await make_person(tenant.factory, Role.ADMIN)
    async with browsing(app, lena.token) as browser:
        made = await browser.send("/partners", code="NORD", name="Nordwerk", country="Germany", is_customer="yes")
        partner = made.headers["location"]
        assert "Invite its first administrator" in text_of(await browser.open(partner))
        party_id = partner.split("/")[2].partition("?")[0]
        boss = new_email()
        assert await invite(browser, party_id, boss, "partner_admin") == f"/partners/{party_id}?done=invited"
        page = await browser.open(f"/partners/{party_id}")
        link = page.text.partition("http://127.0.0.1")[2].partition('"')[0]
        link = link[link.index("/") :]
        assert boss in page.text
    async with browsing(app) as browser:
        await browser.open(link)
        assert (await browser.send(link, name="Bo", password="seven blue herons")).status_code == 303
        assert "Nordwerk" in text_of(await browser.open("/people"))
        assert await invite(browser, party_id, new_email(), "clerk") == "/people?done=invited"
        assert "Open invitations" in text_of(await browser.open("/people"))


async def test_who_comes_in_without_a_chosen_language_is_written_to_in_that_of_the_page(
    app: Litestar, tenant: Tenant
) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    email = new_email()
    async with browsing(app, ann.token) as browser:
        await browser.open("/people")
        await invite(browser, tenant.customer.party_id, email, "clerk")
        link = (await browser.open("/people")).text.partition("http://127.0.0.1")[2].partition('"')[0]
        link = link[link.index("/") :]
    for language, told in (("zh-CN", Language.ZH), ("en", Language.ZH)):
        async with browsing(app) as browser:
            browser.client.headers["accept-language"] = language
            if told.value == language:
                await browser.open(link)
                await browser.send(link, name="王芳", password="seven blue herons")
            else:
                await browser.open("/sign-in")
                await browser.send("/sign-in", email=email, password="seven blue herons", next="/")
            assert browser.session
            signed = await identity.signed_in(browser.session)
            assert signed is not None
            assert signed.language is told


async def test_administrators_see_who_has_a_second_factor(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    eva = await make_person(tenant.customer, Role.CLERK)
    await begin(ann.user_id, ann.email)  # begun is not yet set up
    assert not any(row.second_factor for row in await reads.list_members(tenant.customer, limit=10))
    await enrolled(eva)
    found = {row.email: row.second_factor for row in await reads.list_members(tenant.customer, limit=10)}
    assert (found[ann.email], found[eva.email]) == (False, True)
    async with browsing(app, ann.token) as browser:
        assert text_of(await browser.open("/people")).count("set up") == 1


async def test_a_refused_invitation_keeps_what_was_typed(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    async with browsing(app, ann.token) as browser:
        fields = {"party_id": str(tenant.customer.party_id), "name": "Eva Müller", "role": "finance"}
        wrong = await browser.send("/people", email="eva at nord", **fields)
        assert (wrong.status_code, 'value="eva at nord"' in wrong.text) == (422, True)
        assert 'value="finance" selected' in wrong.text
        twice = await browser.send("/people", email=ann.email, **fields)
        assert (twice.status_code, "belongs to this company already" in text_of(twice)) == (422, True)
    assert len(await reads.list_members(tenant.customer, limit=10)) == 2


async def test_a_member_is_given_a_role_restricted_and_removed_on_their_page(app: Litestar, tenant: Tenant) -> None:
    made = await make_contract(tenant)
    ann, eva = (
        await make_person(tenant.customer, Role.PARTNER_ADMIN),
        await make_person(tenant.customer, Role.CLERK, "Eva"),
    )
    path = f"/people/{eva.member_id}"
    async with browsing(app, ann.token) as browser:
        assert made.contract.number in text_of(await browser.open(path))
        assert (await browser.send(f"{path}/role", version="1", role="finance")).status_code == 303
        stale = await browser.send(f"{path}/role", version="1", role="viewer")
        assert (stale.status_code, "changed meanwhile" in text_of(stale)) == (409, True)
        empty = await browser.send(f"{path}/restriction", version="2", restricted="yes")
        assert (empty.status_code, "at least one contract" in text_of(empty)) == (422, True)
        chosen = {"version": "2", "restricted": "yes", "contract_ids": str(made.contract.id), "ship_to_codes": "WUXI"}
        assert (await browser.send(f"{path}/restriction", **chosen)).status_code == 303
        assert "Some contracts" in text_of(await browser.open("/people"))
        assert (await browser.send(f"{path}/remove", version="3")).headers["location"] == "/people?done=removed"
        assert (await browser.open(path)).status_code == 404
    found = await identity.signed_in(eva.token)
    assert found is not None
    assert found.actor is None


async def test_the_last_administrator_is_told_why_they_cannot_go(app: Litestar, tenant: Tenant) -> None:
    async with browsing(app, (await make_person(tenant.customer, Role.PARTNER_ADMIN)).token) as browser:
        path = f"/people/{tenant.customer.member_id}"
        assert (await browser.send(f"{path}/remove", version="1")).status_code == 303
        [row] = await reads.list_members(tenant.customer, limit=5)
        refused = await browser.send(f"/people/{row.id}/remove", version=str(row.version))
        assert (refused.status_code, "last administrator" in text_of(refused)) == (409, True)


async def test_foreign_and_absent_people_partners_and_sites_are_answered_alike(app: Litestar, tenant: Tenant) -> None:
    ann, ben = await make_person(tenant.customer, Role.PARTNER_ADMIN), await make_person(tenant.supplier, Role.CLERK)
    absent = "01900000-0000-7000-8000-000000000000"
    async with browsing(app, ann.token) as browser:
        for path in ("/people/{}", "/partners/{}"):
            pages = [await browser.open(path.format(found)) for found in (ben.member_id, absent)]
            assert [page.status_code for page in pages] == [404, 404]
            assert pages[0].text.replace(str(ben.member_id), absent) == pages[1].text
        for action in ("role", "restriction", "remove", "invitation"):
            fields = {"role": {"version": "1", "role": "viewer"}, "invitation": {}}.get(action, {"version": "1"})
            answer = await browser.send(f"/people/{ben.member_id}/{action}", **fields)
            assert answer.status_code == 404
    found = await identity.signed_in(ben.token)
    assert found is not None
    assert found.actor == ben.actor


@pytest.mark.parametrize("role", [Role.CLERK, Role.VIEWER])
async def test_other_roles_do_not_get_the_pages_of_administrators(app: Litestar, tenant: Tenant, role: Role) -> None:
    ann = await make_person(tenant.customer, role)
    async with browsing(app, ann.token) as browser:
        menu = (await browser.open("/profile")).text
        for path in ("/people", "/keys"):
            assert (await browser.open(path)).status_code == 403
            assert f'href="{path}"' not in menu
        assert (await browser.open("/partners")).status_code == 404
        assert (await browser.open("/sites")).status_code == 200
        assert (await browser.open("/sites/new")).status_code == 403


async def test_the_factory_keeps_a_sites_calendar(app: Litestar, tenant: Tenant) -> None:
    lena = await make_person(tenant.factory, Role.PLANNER)
    async with browsing(app, lena.token) as browser:
        fields = {"code": "WUXI-3", "name": "Gate 3", "time_zone": "Asia/Shanghai", "weekdays": ["0", "1", "5"]}
        wrong = await browser.send("/sites", party_id=str(tenant.factory.party_id), **fields | {"time_zone": "Wuxi"})
        assert (wrong.status_code, "not a known time zone" in text_of(wrong)) == (422, True)
        assert 'value="5" checked' in wrong.text
        made = await browser.send("/sites", party_id=str(tenant.factory.party_id), **fields)
        path = made.headers["location"].partition("?")[0]
        assert "Mon Tue Sat" in text_of(await browser.open(path))
        answer = await browser.send(f"{path}/days", day="2026-10-01", working="false", name="National Day")
        assert answer.status_code == 303
        assert "1 Oct 2026 Thu Holiday National Day" in text_of(await browser.open(path)).replace("\u00a0", " ")
        assert (await browser.send(f"{path}/days/clear", day="2026-10-01")).status_code == 303
        [site] = await reads.list_sites(tenant.factory, limit=5)
        edit = {"version": str(site.version), "name": "Gate 4", "time_zone": "Asia/Shanghai", "weekdays": "2"}
        assert (await browser.send(path, **edit)).status_code == 303
        assert (await browser.send(path, **edit)).status_code == 409
    site, days = await reads.get_site(tenant.factory, site.id)
    assert (site.name, site.weekdays, days) == ("Gate 4", [2], [])
    assert date(2026, 10, 1) not in [item.day for item in days]


@pytest.mark.parametrize("language", list(Language))
async def test_every_page_shows_hostile_names_as_text_in_both_languages(
    app: Litestar, tenant: Tenant, language: Language
) -> None:
    lena = await make_person(tenant.factory, Role.ADMIN)
    evil = "<img src=x onerror=alert(1)>\"'{{6007*7}}"
    await identity.change_user(lena.user_id, name=evil, language=language)
    async with browsing(app, lena.token) as browser:
        made = await browser.send("/partners", code="EVIL", name=evil, country=evil, is_supplier="yes")
        partner = made.headers["location"]
        party_id = partner.split("/")[2].partition("?")[0]
        await browser.send("/people", party_id=party_id, email=new_email(), name=evil, role="viewer")
        site = await browser.send(
            "/sites", party_id=party_id, code="E", name=evil, address=evil, time_zone="Asia/Tokyo", weekdays="0"
        )
        await browser.send("/keys", name=evil, scopes="read", days="0")
        paths = ["/people", "/partners", "/partners?q=EVIL", "/partners/new", partner, "/sites", "/sites/new", "/keys"]
        for path in [*paths, site.headers["location"], "/profile", "/companies", f"/people/{lena.member_id}"]:
            page = await browser.open(path)
            assert page.status_code == 200, path
            assert f'lang="{language}"' in page.text
            assert "<img" not in page.text
            assert "42049" not in text_of(page)
