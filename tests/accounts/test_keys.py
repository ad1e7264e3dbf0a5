"""Keys, and the interface of companies, sites and people."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar

from portal.accounts import identity, reads, rules, service_joining
from portal.accounts.service import remove_member
from portal.accounts.service_keys import CreateKey, create_key, revoke_key
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Channel
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person, new_email
from tests.accounts.test_identity import as_identity
from tests.factories import Tenant, fetch

ALL = [Permission.READ, Permission.MANAGE_PEOPLE]


@asynccontextmanager
async def calling(app: Litestar, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A program with a key."""
    transport = httpx.ASGITransport(cast(Any, app))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://portal.example/api/v1", headers=headers
    ) as client:
        yield client


async def make_key(actor: Actor, scopes: list[Permission] | None = None, **more: Any) -> tuple[Any, str]:
    async with unit_of_work(actor) as session:
        return await create_key(session, actor, CreateKey(name="ERP", scopes=ALL if scopes is None else scopes, **more))


async def test_a_key_acts_for_its_company_inside_its_scopes(tenant: Tenant) -> None:
    key, token = await make_key(tenant.customer)
    actor = await identity.actor_of_key(token)
    assert actor is not None
    assert (actor.party_id, actor.channel, actor.member_id) == (tenant.customer.party_id, Channel.API, key.id)
    assert [permission for permission in Permission if actor.may(permission)] == ALL


async def test_only_the_hash_of_a_key_is_stored(tenant: Tenant, database: Settings) -> None:
    key, token = await make_key(tenant.customer)
    assert token.startswith("clk_")
    [row] = await as_identity(database, "select * from api_key_token where key_id = $1", key.id)
    assert token not in str(row)
    [row] = await fetch(tenant.customer, "select * from api_key where id = $1", key.id)
    assert token not in str(row)
    assert token.startswith(row["prefix"])


async def test_a_revoked_key_is_refused_on_the_next_call(app: Litestar, tenant: Tenant) -> None:
    key, token = await make_key(tenant.customer)
    async with calling(app, token) as client:
        assert (await client.get("/me")).status_code == 200
        async with unit_of_work(tenant.customer) as session:
            await revoke_key(session, tenant.customer, key.id)
        refused = await client.get("/me")
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (401, "key-needed")


async def test_keys_end_with_their_time_with_their_maker_and_with_a_disabled_person(
    tenant: Tenant, database: Settings
) -> None:
    boss = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    _key, short = await make_key(tenant.customer, days=1)
    _key, theirs = await make_key(boss.actor)
    assert await identity.actor_of_key(short) is not None
    import asyncpg

    from portal.core.db import asyncpg_dsn

    owner = await asyncpg.connect(asyncpg_dsn(str(database.database_url)))
    await owner.execute("update api_key set expires_at = now() where id = $1", _key.id)
    await owner.close()
    assert await identity.actor_of_key(theirs) is None

    _key, theirs = await make_key(boss.actor)
    first = await identity.actor_of_key(theirs)
    assert first is not None
    _key, grandchild = await make_key(first)
    async with unit_of_work(tenant.customer) as session:
        await remove_member(session, tenant.customer, boss.member_id, 1)
    assert await identity.actor_of_key(theirs) is None
    assert await identity.actor_of_key(grandchild) is None

    other = await make_person(tenant.supplier, Role.PARTNER_ADMIN)
    _key, theirs = await make_key(other.actor)
    await service_joining.disable_user(other.email)
    assert await identity.actor_of_key(theirs) is None
    assert await identity.actor_of_key(short) is not None


async def test_a_key_gives_no_right_that_it_does_not_have(tenant: Tenant) -> None:
    _key, token = await make_key(tenant.customer)
    actor = await identity.actor_of_key(token)
    assert actor is not None
    with pytest.raises(rules.WiderThanKey):
        await make_key(actor, [Permission.READ, Permission.SHIP])
    with pytest.raises(rules.ScopeBeyondRole):
        await make_key(tenant.customer, [Permission.RUN_IMPORTS])
    from tests.accounts.test_people import invite

    with pytest.raises(rules.WiderThanKey):
        await invite(actor, actor.party_id, role=Role.PARTNER_ADMIN)
    assert len(await reads.list_keys(tenant.customer, limit=10)) == 1


async def test_who_manages_no_people_has_no_keys_and_foreign_keys_are_absent(tenant: Tenant) -> None:
    clerk = (await make_person(tenant.customer, Role.CLERK)).actor
    with pytest.raises(Forbidden):
        await make_key(clerk)
    key, token = await make_key(tenant.supplier)
    for actor in (tenant.customer, tenant.factory):
        with pytest.raises(NotFound):
            async with unit_of_work(actor) as session:
                await revoke_key(session, actor, key.id)
        assert await reads.list_keys(actor, limit=10) == []
    assert await identity.actor_of_key(token) is not None


async def test_the_interface_says_who_the_key_is(app: Litestar, tenant: Tenant) -> None:
    _key, token = await make_key(tenant.customer)
    async with calling(app, token) as client:
        me = (await client.get("/me")).json()
    assert (me["company_name"], me["scope"], me["permissions"]) == ("Aurora", "partner", ["read", "manage_people"])


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic abc", "Bearer clk_" + "x" * 43])
async def test_without_a_valid_key_nothing_answers(app: Litestar, header: str, tenant: Tenant) -> None:
    async with calling(app, "") as client:
        for path in ("/me", "/parties", "/sites", "/members", "/api-keys"):
            assert (await client.get(path, headers={"Authorization": header})).status_code == 401


async def test_a_session_cookie_opens_no_interface(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.factory, Role.ADMIN)
    async with calling(app, "") as client:
        client.cookies.set("session", ann.token)
        assert (await client.get("/parties")).status_code == 401


async def test_the_factory_keeps_companies_and_sites_over_the_interface(app: Litestar, tenant: Tenant) -> None:
    scopes = [Permission.READ, Permission.MANAGE_MASTER_DATA, Permission.KEEP_CALENDARS]
    _key, token = await make_key(tenant.factory, scopes)
    async with calling(app, token) as client:
        made = await client.post("/parties", json={"code": "NORD", "name": "Nord", "is_supplier": True})
        assert (made.status_code, made.headers["etag"]) == (201, '"1"')
        party = made.json()["id"]
        assert (await client.patch(f"/parties/{party}", json={"name": "Nordwerk"})).status_code == 428
        stale = await client.patch(f"/parties/{party}", json={"name": "Nordwerk"}, headers={"If-Match": '"7"'})
        assert stale.status_code == 412
        changed = await client.patch(f"/parties/{party}", json={"name": "Nordwerk"}, headers={"If-Match": '"1"'})
        assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
        assert (await client.get(f"/parties/{party}")).json()["name"] == "Nordwerk"
        taken = await client.post("/parties", json={"code": "NORD", "name": "Other", "is_supplier": True})
        assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "code")
        site = await client.post(
            "/sites", json={"party_id": party, "code": "DOCK", "name": "Dock", "time_zone": "Europe/Berlin"}
        )
        path = f"/sites/{site.json()['id']}"
        assert (
            await client.put(f"{path}/days/2026-12-25", json={"working": False, "name": "Christmas"})
        ).status_code == 200
        found = (await client.get(path)).json()
        assert found["days"] == [{"day": "2026-12-25", "working": False, "name": "Christmas"}]
        absurd = await client.put(f"{path}/days/1901-01-01", json={"working": False, "name": ""})
        assert (absurd.status_code, [error["field"] for error in absurd.json()["errors"]]) == (422, ["day"])
        assert (await client.delete(f"{path}/days/1901-01-01")).status_code == 404
        assert (await client.delete(f"{path}/days/2026-12-25")).status_code == 200
        assert (await client.delete(f"{path}/days/2026-12-25")).status_code == 404
        assert (
            await client.post("/members", json={"email": new_email(), "name": "X", "role": "viewer"})
        ).status_code == 403


async def test_people_are_managed_over_the_interface(app: Litestar, tenant: Tenant) -> None:
    _key, token = await make_key(tenant.customer, [Permission.READ, Permission.MANAGE_PEOPLE])
    async with calling(app, token) as client:
        made = await client.post("/members", json={"email": new_email(), "name": "Eva", "role": "viewer"})
        assert made.status_code == 201, made.text
        path = f"/members/{made.json()['id']}"
        link = (await client.get(f"{path}/invitation")).json()["link"]
        assert "/invitations/" in link
        assert (await client.post(f"{path}/invitation")).status_code == 200
        assert (await client.get(f"{path}/invitation")).json()["link"] != link
        tag = {"If-Match": made.headers["etag"]}
        assert (await client.delete(path)).status_code == 428
        assert (await client.delete(path, headers=tag)).status_code == 204
        assert (await client.get(path)).status_code == 404
        unknown = await client.post("/members", json={"email": "x", "name": "Eva", "role": "king"})
        assert unknown.status_code == 422
        extra = {"email": new_email(), "name": "Eva", "role": "viewer", "status": "active", "tenant_id": str(tenant.id)}
        assert (await client.post("/members", json=extra)).status_code == 422


async def test_a_key_is_told_once_even_when_the_request_is_repeated(app: Litestar, tenant: Tenant) -> None:
    _key, token = await make_key(tenant.customer)
    headers = {"Idempotency-Key": "make-one"}
    body = {"name": "Second", "scopes": ["read"]}
    async with calling(app, token) as client:
        first = await client.post("/api-keys", json=body, headers=headers)
        again = await client.post("/api-keys", json=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["token"].startswith("clk_")
        assert again.json() == {"id": first.json()["id"], "prefix": first.json()["prefix"]}
        listed = await client.get("/api-keys")
        assert len(listed.json()["items"]) == 2
        assert first.json()["token"] not in listed.text
    rows = await fetch(tenant.customer, "select body from idempotency where tenant_id = $1", tenant.id)
    assert first.json()["token"] not in str(rows)


async def test_lists_come_in_cursor_pages(app: Litestar, tenant: Tenant) -> None:
    _key, token = await make_key(tenant.factory, [Permission.READ])
    async with calling(app, token) as client:
        names, cursor = [], None
        while True:
            answer = (await client.get("/parties", params={"limit": 1} | ({"cursor": cursor} if cursor else {}))).json()
            names += [item["name"] for item in answer["items"]]
            if (cursor := answer["next"]) is None:
                break
        assert names == ["Aurora", "Castings", "Hengyuan"]
        for bad in ({"cursor": "?"}, {"limit": 0}, {"limit": 201}):
            assert (await client.get("/parties", params=bad)).status_code == 422


async def test_the_page_shows_a_new_key_once_and_revokes_it(app: Litestar, tenant: Tenant) -> None:
    ann = await make_person(tenant.customer, Role.PARTNER_ADMIN)
    async with browsing(app, ann.token) as browser:
        made = await browser.send("/keys", name="ERP", scopes=["read", "ship"], days="90")
        [key] = await reads.list_keys(tenant.customer, limit=5)
        assert key.prefix in made.text
        assert made.text.count("clk_") == 2
        later = await browser.open("/keys")
        assert later.text.count("clk_") == 1
        assert "Ship" in text_of(later)
        assert (await browser.send("/keys", name="ERP", days="90")).status_code == 422
        assert (await browser.send(f"/keys/{key.id}/revoke")).status_code == 303
        assert "Revoked" in text_of(await browser.open("/keys"))
