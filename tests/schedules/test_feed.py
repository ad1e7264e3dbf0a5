"""Calendar feeds: the days of a delivery, and who can fetch them for how long."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

import httpx
import pytest
from icalendar import Calendar
from litestar import Litestar

from portal.accounts import identity
from portal.accounts.service import remove_member
from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.i18n import Language
from portal.core.settings import Settings
from portal.schedules import service, service_feeds
from portal.schedules.model import LineStatus
from portal.schedules.rules_feed import EventStatus, entries
from portal.schedules.service_feeds import NewFeed, TooManyFeeds, make_feed, revoke_feed
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import Person, make_person
from tests.accounts.test_identity import as_identity
from tests.accounts.test_keys import calling, make_key
from tests.factories import Tenant, fetch, today
from tests.schedules.test_service import confirming, published

D = Decimal
DUE, LATER = date(2026, 12, 7), date(2026, 12, 9)
OPEN, YES, NO = EventStatus.TENTATIVE, EventStatus.CONFIRMED, EventStatus.CANCELLED


@pytest.mark.parametrize(
    ("status", "promised", "expected"),
    [
        ("proposed", [], [(0, DUE, D(100), OPEN)]),
        ("confirmed", [(D(60), DUE), (D(40), LATER)], [(0, DUE, D(60), YES), (1, LATER, D(40), YES)]),
        ("confirmed", [(D(98), LATER)], [(0, LATER, D(98), YES)]),  # inside tolerance: nothing is open
        ("partly_confirmed", [(D(60), DUE)], [(0, DUE, D(60), YES), (1, DUE, D(40), OPEN)]),
        ("partly_confirmed", [(D(30), LATER), (D(30), LATER)], [(0, DUE, D(40), OPEN), (1, LATER, D(60), YES)]),
        ("rejected", [], [(0, DUE, D(100), OPEN)]),
        ("cancelled", [(D(60), DUE)], [(0, DUE, D(100), NO)]),
        ("closed", [], [(0, DUE, D(100), YES)]),
    ],
)
def test_a_delivery_stands_on_its_promised_days_and_the_rest_on_the_due_date(
    status: str, promised: Any, expected: Any
) -> None:
    assert [tuple(entry) for entry in entries(LineStatus(status), DUE, D(100), promised)] == expected


async def fetched(app: Litestar, address: str, method: str = "GET", **headers: str) -> httpx.Response:
    """As a calendar program asks: no cookie, no key."""
    transport = httpx.ASGITransport(cast(Any, app))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
        return await client.request(method, address[address.index("/calendar/") :], headers=headers)


def events(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


async def fed(person: Person, **more: Any) -> tuple[Any, str]:
    async with unit_of_work(person.actor) as session:
        return await make_feed(session, person.actor, person.member_id, NewFeed(name="Phone", **more))


async def test_both_sides_see_the_delivery_in_their_words_and_language(tenant: Tenant, database: Settings) -> None:
    app = create_app(database)
    made, line_id = await published(tenant, Direction.PURCHASE, 1200)
    other, _ = await published(tenant, Direction.SALE, 500)
    supplier = await make_person(tenant.supplier, Role.CLERK)
    planner = await make_person(tenant.factory, Role.PLANNER)
    await identity.change_user(supplier.user_id, language=Language.ZH)
    _feed, theirs = await fed(supplier)
    _feed, ours = await fed(planner)
    _feed, only = await fed(planner, contract_id=other.contract.id)
    due = today() + timedelta(days=7)
    (asked,) = events(await fetched(app, theirs))  # nothing of the customer's contract
    assert str(asked["summary"]) == "待交货，未确认：1,200 件 A100"
    assert (str(asked["status"]), asked["dtstart"].dt, int(asked["sequence"])) == ("TENTATIVE", due, 2)
    assert "12.5" not in str(asked)
    assert made.contract.number in str(asked["description"])
    async with unit_of_work(tenant.supplier) as session:
        await service.confirm_line(session, tenant.supplier, line_id, 2, confirming(700, 500))
    first, second = sorted(events(await fetched(app, ours)), key=lambda event: event["dtstart"].dt)[:2]
    assert {str(first["summary"]), str(second["summary"])} == {"Receive 500 pcs A100", "Receive 700 pcs A100"}
    assert {int(first["sequence"]), str(first["status"])} == {3, "CONFIRMED"}
    assert {str(first["uid"]).partition("@")[0], str(second["uid"]).partition("@")[0]} == {
        str(line_id), f"{line_id}-2",
    }  # fmt: skip
    assert str(asked["uid"]) in {str(first["uid"]), str(second["uid"])}  # the same event, in its next version
    assert len(events(await fetched(app, ours))) == 3
    assert [str(event["summary"]) for event in events(await fetched(app, only))] == [
        "To deliver, not confirmed: 500 pcs A100"
    ]


async def test_an_unchanged_calendar_is_not_sent_twice_and_the_last_use_is_shown(
    tenant: Tenant, database: Settings
) -> None:
    app = create_app(database)
    await published(tenant, Direction.SALE)
    person = await make_person(tenant.customer, Role.CLERK)
    made, address = await fed(person)
    first = await fetched(app, address)
    assert first.headers["cache-control"].startswith("private")
    assert "set-cookie" not in first.headers
    again = await fetched(app, address, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    asked = await fetched(app, address, "HEAD")
    assert (asked.status_code, asked.content) == (200, b"")
    told = ("etag", "content-length", "content-type", "cache-control")
    assert [asked.headers[name] for name in told] == [first.headers[name] for name in told]
    assert (await fetched(app, "/calendar/" + "x" * 43 + ".ics", "HEAD")).status_code == 404
    secret = address.rpartition("/")[2].removesuffix(".ics")
    [row] = await as_identity(database, "select * from calendar_token where feed_id = $1", made.id)
    assert secret not in str(row)
    async with browsing(app, person.token) as browser:
        page = await browser.open("/profile/calendars")
        assert "last fetched" in text_of(page)
        assert secret not in page.text
        shown = await browser.send("/profile/calendars", name="Desk")
        assert "/calendar/" in shown.text
        refused = await browser.send("/profile/calendars", name="")
        assert (refused.status_code, "Fill in this field." in text_of(refused)) == (422, True)


async def test_a_feed_ends_when_it_is_revoked_and_with_its_person(tenant: Tenant, database: Settings) -> None:
    app = create_app(database)
    person = await make_person(tenant.supplier, Role.CLERK)
    feed, address = await fed(person)
    _feed, kept = await fed(person)
    wrong = await fetched(app, "/calendar/" + "x" * 43 + ".ics")
    for colleague in (tenant.as_role(tenant.supplier, Role.VIEWER), tenant.factory):
        with pytest.raises((Forbidden, NotFound)):
            async with unit_of_work(colleague) as session:
                await revoke_feed(session, colleague, person.member_id, feed.id)
    assert (await fetched(app, address)).status_code == 200
    async with browsing(app, person.token) as browser:
        answer = await browser.send(f"/profile/calendars/{feed.id}/revoke")
        assert answer.status_code == 303
    revoked = await fetched(app, address)
    assert (revoked.status_code, wrong.status_code) == (404, 404)
    assert set(revoked.headers) == set(wrong.headers)
    async with unit_of_work(tenant.supplier) as session:
        await remove_member(session, tenant.supplier, person.member_id, 1)
    assert (await fetched(app, kept)).status_code == 404
    assert {row["revoked_at"] is None for row in await fetch(tenant.supplier, "select * from calendar_feed")} == {
        True, False,
    }  # fmt: skip


async def test_programs_make_and_end_feeds_and_one_person_has_so_many(tenant: Tenant, database: Settings) -> None:
    app = create_app(database)
    person = await make_person(tenant.customer, Role.CLERK)
    _key, token = await make_key(tenant.customer)
    path = f"/members/{person.member_id}/calendar-feeds"
    async with calling(app, token) as client:
        key = {"idempotency-key": "feed-1"}
        made = (await client.post(path, json={"name": "ERP"}, headers=key)).json()
        assert (await fetched(app, made["address"])).status_code == 200
        assert "address" not in (await client.post(path, json={"name": "ERP"}, headers=key)).json()
        assert [feed["name"] for feed in (await client.get(path)).json()] == ["ERP"]
        assert (await client.delete(f"{path}/{made['id']}")).status_code == 204
        bad = await client.post(path, json={"name": "", "contract_id": str(made["id"])})
        assert bad.status_code == 422
        assert (await client.post(path, json={"name": "x", "contract_id": str(made["id"])})).status_code == 404
    assert (await fetched(app, made["address"])).status_code == 404
    async with unit_of_work(person.actor) as session:
        for _ in range(service_feeds.MOST):
            await make_feed(session, person.actor, person.member_id, NewFeed(name="Phone"))
        with pytest.raises(TooManyFeeds):
            await make_feed(session, person.actor, person.member_id, NewFeed(name="Phone"))
