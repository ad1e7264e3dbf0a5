"""The audit log and the failed events as pages, file and interface."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar import Litestar

from jobs import outbox, sealing
from jobs.subscribers import Occurrence, Subscriber
from jobs.worker import try_once
from portal.accounts.service_keys import CreateKey, create_key
from portal.app import create_app
from portal.core import db
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.journal import Subject, record
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Tenant, fetch
from tests.jobs.conftest import deliveries, happen, note, noted, place


@pytest.fixture(scope="module")
async def app(database: Settings) -> Litestar:
    return create_app(database)


@asynccontextmanager
async def program(app: Litestar, actor: Actor, *scopes: Permission) -> AsyncIterator[httpx.AsyncClient]:
    """A program with a key of the actor's company."""
    async with db.unit_of_work(actor) as session:
        _, token = await create_key(session, actor, CreateKey(name="archive", scopes=list(scopes)))
    transport = httpx.ASGITransport(cast(Any, app))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example", headers=headers) as client:
        yield client


async def act(actor: Actor, verb: str, count: int = 1, **data: Any) -> None:
    """Deeds on the actor's own company."""
    for _ in range(count):
        async with db.unit_of_work(actor) as session:
            record(session, actor, Subject("party", actor.party_id, actor.party_id), verb, **data)


# --- the log ----------------------------------------------------------------------------------------------------------


async def test_the_log_shows_who_did_what_and_everybody_is_under_the_factorys_eyes(
    app: Litestar, tenant: Tenant
) -> None:
    auditor = await make_person(tenant.factory, Role.AUDITOR)
    supplier = await make_person(tenant.supplier, Role.PARTNER_ADMIN, "Ben Castor")
    await act(supplier.actor, "edited", fields=["name", "country"])

    async with browsing(app, auditor.token) as browser:
        said = text_of(await browser.open("/audit"))
        mine = text_of(await browser.open("/audit?member=castor"))
        none = text_of(await browser.open("/audit?member=nobody"))

    for text in (said, mine):
        assert "Ben Castor" in text
        assert "Partner · edited" in text
        assert "Fields: name, country" in text
    assert "No entry fits this choice." in none


async def test_the_log_is_searched_by_document_day_and_kind(app: Litestar, tenant: Tenant) -> None:
    admin = await make_person(tenant.factory, Role.ADMIN)
    await act(tenant.supplier, "edited")
    await act(tenant.customer, "renamed")

    async with browsing(app, admin.token) as browser:
        one = text_of(await browser.open(f"/audit?subject={tenant.supplier.party_id}"))
        kind = text_of(await browser.open("/audit?kind=contract"))
        past = text_of(await browser.open("/audit?until=2020-01-01"))
        wrong = await browser.open("/audit?since=yesterday")

    assert ("Partner · edited" in one, "Partner · renamed" in one) == (True, False)
    assert "No entry fits this choice." in kind
    assert "No entry fits this choice." in past
    assert (wrong.status_code, "is not a date" in text_of(wrong)) == (422, True)


async def test_a_page_has_fifty_entries_and_leads_to_the_next(app: Litestar, tenant: Tenant) -> None:
    admin = await make_person(tenant.factory, Role.ADMIN)
    await act(tenant.factory, "edited", 60)

    async with browsing(app, admin.token) as browser:
        first = await browser.open("/audit?kind=party")
        address = first.text.partition('href="/audit?kind=party&amp;cursor=')[2].partition('"')[0]
        second = await browser.open(f"/audit?kind=party&cursor={address}")

    assert (first.text.count("Partner · edited"), second.text.count("Partner · edited")) == (50, 10)


@pytest.mark.parametrize("path", ["/audit", "/audit/export", "/audit/chain"])
async def test_only_auditors_and_administrators_of_the_factory_read_the_log(
    app: Litestar, tenant: Tenant, path: str
) -> None:
    answers = {}
    for company, role in (
        (tenant.factory, Role.ADMIN),
        (tenant.factory, Role.AUDITOR),
        (tenant.factory, Role.VIEWER),
        (tenant.supplier, Role.PARTNER_ADMIN),
    ):
        person = await make_person(company, role)
        async with browsing(app, person.token) as browser:
            answers[role] = (await browser.open(path)).status_code
    assert list(answers.values()) == [200, 200, 403, 403]


async def test_the_file_holds_every_entry_and_no_formula(app: Litestar, tenant: Tenant) -> None:
    admin = await make_person(tenant.factory, Role.ADMIN, "=HYPERLINK(1)")
    await act(admin.actor, "edited", fields=["@cmd"])

    async with browsing(app, admin.token) as browser:
        answer = await browser.client.get("/audit/export?kind=party")

    head, *rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert head[:4] == ["Time (UTC)", "Who", "Company", "Action"]
    assert [(row[1], row[3]) for row in rows] == [("'=HYPERLINK(1)", "party.edited")]
    assert "attachment" in answer.headers["content-disposition"]


async def test_a_whole_chain_is_confirmed_and_a_changed_entry_is_named(
    app: Litestar, tenant: Tenant, database: Settings
) -> None:
    admin = await make_person(tenant.factory, Role.ADMIN)
    await act(tenant.supplier, "edited", 5)
    await sealing.seal(place(tenant))
    async with browsing(app, admin.token) as browser:
        whole = text_of(await browser.open("/audit/chain"))
        owner = await asyncpg.connect(db.asyncpg_dsn(str(database.database_url)))
        await owner.execute(
            "update audit set data = '{\"forged\": true}' where tenant_id = $1 and seal_no = 2", tenant.id
        )
        await owner.close()
        broken = text_of(await browser.open("/audit/chain"))

    assert "The chain is whole" in whole
    assert "The chain is broken" in broken
    assert "Entry 2 was changed after it was sealed." in broken


async def test_programs_page_through_the_log_and_check_the_chain(app: Litestar, tenant: Tenant) -> None:
    await act(tenant.supplier, "edited", 5, note="x")
    async with program(app, tenant.factory, Permission.READ, Permission.READ_AUDIT) as client:
        await sealing.seal(place(tenant))
        seen: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = (await client.get("/api/v1/audit", params={"limit": 2, "cursor": cursor or None})).json()
            seen += answer["items"]
            cursor = answer["next"]
        edited = (await client.get("/api/v1/audit?action=party.edited")).json()["items"]
        chain = (await client.get("/api/v1/audit/chain")).json()
    async with program(app, tenant.factory, Permission.READ) as narrow:
        refused = [(await narrow.get(path)).status_code for path in ("/api/v1/audit", "/api/v1/audit/chain")]

    assert [entry["id"] for entry in seen] == sorted((entry["id"] for entry in seen), reverse=True)
    assert [(entry["action"], entry["data"]) for entry in edited] == [("party.edited", {"note": "x"})] * 5
    assert (chain["whole"], chain["breaks"], chain["sealed"]) == (True, [], len(seen))
    assert len(chain["head"]) == 64
    assert refused == [403, 403]


async def test_nobody_can_change_or_remove_an_audit_entry(tenant: Tenant) -> None:
    """Tried as the application's own roles, which beats reading a list of grants."""
    await act(tenant.supplier, "edited")
    await sealing.seal(place(tenant))
    before = await fetch(tenant.factory, "select * from audit where tenant_id = $1 order by id", tenant.id)
    for actor in (tenant.factory, tenant.supplier):
        for table in ("audit", "timeline"):
            for deed in (f"update {table} set data = '{{}}'", f"delete from {table}", f"truncate {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with db.unit_of_work(actor) as session:
                        await (await db.driver(session)).execute(deed)
    forged = (
        "insert into audit (tenant_id, id, party_id, action, subject_id, data, seal_no)"
        " values ($1, $1, $2, 'x', $1, '{}', 1)"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.unit_of_work(tenant.factory) as session:
            await (await db.driver(session)).execute(forged, tenant.id, tenant.factory.party_id)
    assert await fetch(tenant.factory, "select * from audit where tenant_id = $1 order by id", tenant.id) == before


# --- failed events ----------------------------------------------------------------------------------------------------


async def test_a_failed_event_is_shown_and_tried_again_by_an_administrator(app: Litestar, tenant: Tenant) -> None:
    broken = True

    async def tell(session: Any, actor: Actor, occurrence: Occurrence) -> None:
        if broken:
            raise ValueError("the other side is closed")
        await note(session, actor, occurrence.event.thing_id)  # type: ignore[attr-defined]

    subscriptions = {"ThingHappened": (Subscriber("tell", effect=tell),)}

    async def work() -> None:
        for ring in await outbox.due(place(tenant)):
            claimed = await outbox.claim(place(tenant), ring.delivery_id, subscriptions)
            assert claimed is not None
            await try_once(claimed)

    things = await happen(tenant.supplier)
    await outbox.take(place(tenant), subscriptions)
    await work()
    admin = await make_person(tenant.factory, Role.ADMIN)
    async with browsing(app, admin.token) as browser:
        said = text_of(await browser.open("/jobs"))
        assert "ValueError: the other side is closed" in said
        (letter,) = await deliveries(tenant)
        answer = await browser.send("/jobs/try-again", ids=str(letter["id"]))
        assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?done=1")
        broken = False
        await work()
        twice = await browser.send("/jobs/try-again", ids=str(letter["id"]))
        empty = text_of(await browser.open("/jobs"))

    assert await noted(tenant) == things
    assert twice.status_code == 409
    assert "Nothing failed." in empty
    again = "select member_id from audit where tenant_id = $1 and action = 'delivery.tried_again'"
    assert [row["member_id"] for row in await fetch(tenant.factory, again, tenant.id)] == [admin.member_id]


@pytest.mark.parametrize(("scope", "role"), [("factory", Role.AUDITOR), ("supplier", Role.PARTNER_ADMIN)])
async def test_others_neither_see_nor_try_failed_events(app: Litestar, tenant: Tenant, scope: str, role: Role) -> None:
    person = await make_person(tenant.factory if scope == "factory" else tenant.supplier, role)
    async with browsing(app, person.token) as browser:
        answers = [await browser.open("/jobs"), await browser.send("/jobs/try-again", ids=str(tenant.id))]

    assert [answer.status_code for answer in answers] == [403, 403]


async def test_a_live_stream_needs_a_session(app: Litestar) -> None:
    async with browsing(app) as browser:
        assert (await browser.client.get("/live")).status_code == 401
