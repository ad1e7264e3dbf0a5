"""The person's page, the log, and the same over the interface."""

import csv
import io

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.settings import Settings
from portal.notices.model import Choice, Kind
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Tenant, fetch
from tests.notices.conftest import Post
from tests.notices.test_compose import published
from tests.notices.test_reminding import at
from tests.schedules.test_api import calling

FORM = {"digest_at": "09:15", "quiet_from": "21:00", "quiet_to": "06:00", "first": "email", "second": "telegram"}


@pytest.fixture(scope="module")
def app(database: Settings) -> Litestar:
    return create_app(database)


async def preference(actor: Actor) -> list[object]:
    return await fetch(
        actor, "select * from preference where tenant_id = $1 and member_id = $2", actor.tenant_id, actor.member_id
    )


async def test_a_person_chooses_and_sees_the_choice_again(app: Litestar, tenant: Tenant) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    deputy = await make_person(tenant.supplier, Role.CLERK, "Wang Min")
    async with browsing(app, person.token) as browser:
        page = await browser.open("/profile/notifications")
        answer = await browser.send(
            "/profile/notifications",
            **FORM,
            version="0",
            kind=["confirmed:at_once", "rejected:off"],
            deputy=str(deputy.member_id),
            wake_for_line_stop="yes",
        )
        again = await browser.open(answer.headers["location"])

    assert page.status_code == 200
    assert "Quiet from" in text_of(page)
    assert answer.status_code == 303
    assert "Your choices are saved." in text_of(again)
    for shown in ('value="09:15"', 'confirmed:at_once" selected', 'rejected:off" selected', "Wang Min"):
        assert shown in again.text
    (row,) = await preference(person.actor)
    assert (row["digest_at"], row["quiet_from"], row["channels"], row["evening_summary"]) == (  # type: ignore[index]
        555, 1260, ["email", "telegram"], False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"digest_at": "25:00"}, "“25:00” is not a time of day."),
        ({"first": "fax"}, "“fax” is not a way of sending messages."),
        ({"version": "3"}, "This was changed meanwhile"),
        ({"deputy": "01a221fc-b1ba-7500-993b-7454bc99b0e3"}, "Choose a deputy among the active people"),
    ],
)
async def test_a_wrong_choice_is_refused_and_changes_nothing(
    app: Litestar, tenant: Tenant, changed: dict[str, str], sentence: str
) -> None:
    person = await make_person(tenant.supplier, Role.CLERK)
    async with browsing(app, person.token) as browser:
        answer = await browser.send("/profile/notifications", **({**FORM, "version": "0"} | changed))

    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert await preference(person.actor) == []


async def test_only_the_factorys_administrators_decide_what_leaves_the_house(app: Litestar, tenant: Tenant) -> None:
    detail = "select chat_detail from tenant where tenant_id = $1"
    people = [
        await make_person(tenant.supplier, Role.PARTNER_ADMIN),
        await make_person(tenant.factory, Role.PLANNER),
        await make_person(tenant.factory, Role.ADMIN),
    ]
    said = []
    for person in people:
        async with browsing(app, person.token) as browser:
            page = await browser.open("/profile/notifications")
            answer = await browser.send("/profile/notifications/detail", chat_detail="number_only")
            ((now,),) = await fetch(tenant.factory, detail, tenant.id)
            said.append(("What may leave the house" in page.text, answer.status_code, now))

    assert said == [(False, 403, "full"), (False, 403, "full"), (True, 303, "number_only")]


async def test_the_log_shows_what_was_sent_to_ones_own_company(app: Litestar, post: Post, tenant: Tenant) -> None:
    clerk = await make_person(tenant.supplier, Role.CLERK, "Ben Cole")
    await post.awake(clerk.actor)
    made, _release = await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()
    factory = await make_person(tenant.factory, Role.PLANNER)
    customer = await make_person(tenant.customer, Role.CLERK)
    texts = {}
    for name, person in (("own", clerk), ("factory", factory), ("customer", customer)):
        async with browsing(app, person.token) as browser:
            texts[name] = text_of(await browser.open("/messages"))
            if name == "own":
                nothing = text_of(await browser.open("/messages?view=failed"))
                found = text_of(await browser.open("/messages?member=ben&channel=email&view=sent"))
                bad = await browser.open("/messages?since=yesterday")
                file = await browser.open("/messages/export")

    said = f"Release 1 is published: please confirm 1 delivery · {made.contract.number}"
    assert said in texts["own"]
    assert said in texts["factory"]
    assert "No message was sent yet." in texts["customer"]
    assert "No message fits this choice." in nothing
    assert said in found
    assert bad.status_code == 422
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert rows[1][1:5] == ["Ben Cole", "Castings", "email", "sent"]


async def test_words_beside_a_status_are_an_element(app: Litestar, post: Post, tenant: Tenant) -> None:
    """A phone puts a status that is alone in its cell beside the row's name; bare words do not count as company."""
    clerk = await make_person(tenant.supplier, Role.CLERK)
    await post.awake(clerk.actor)
    await post.time_passes(at(9))  # the daily summary, which has no page of its own
    async with browsing(app, clerk.token) as browser:
        page = (await browser.open("/messages")).text

    assert '<span><span>Daily summary of what waits</span> <span class="cf-tag cf-tag-waiting">' in page
    assert "<span>Daily summary of what waits <span" not in page


async def test_a_program_reads_and_sets_choices_of_its_company(tenant: Tenant, database: Settings) -> None:
    member = tenant.supplier.member_id
    path = f"/api/v1/members/{member}/notifications"
    async with calling(database, tenant.supplier) as supplier:
        first = await supplier.get(path)
        body = {"kinds": {"confirmed": "off"}, "digest_at": "07:45"}
        blind = await supplier.put(path, json=body)
        stale = await supplier.put(path, json=body, headers={"if-match": '"4"'})
        done = await supplier.put(path, json=body, headers={"if-match": first.headers["etag"]})
        wrong = await supplier.put(path, json={"kinds": {"gossip": "off"}}, headers={"if-match": '"1"'})
        clock = await supplier.put(path, json={"digest_at": "noon"}, headers={"if-match": '"1"'})
    async with calling(database, tenant.factory) as factory:
        foreign = await factory.get(path)

    assert (first.headers["etag"], first.json()["kinds"]["confirmed"]) == ('"0"', "digest")
    assert [blind.status_code, stale.status_code, done.status_code] == [428, 412, 200]
    assert done.json()["kinds"] == first.json()["kinds"] | {"confirmed": "off"}
    assert set(done.json()["kinds"]) == {kind.value for kind in Kind}
    assert (wrong.status_code, clock.status_code) == (422, 422)
    assert "“noon” is not a time of day." in clock.json()["detail"]
    assert foreign.status_code == 404
    (row,) = await preference(tenant.supplier)
    assert (row["version"], row["kinds"]) == (1, {"confirmed": Choice.OFF.value})  # type: ignore[index]


async def test_a_program_pages_through_the_log(post: Post, tenant: Tenant, database: Settings) -> None:
    await post.awake(tenant.supplier)
    for _ in range(3):
        await published(tenant, Direction.PURCHASE, [100])
    await post.pass_on()
    async with calling(database, tenant.supplier) as supplier:
        page = (await supplier.get("/api/v1/messages", params={"limit": 2})).json()
        rest = (await supplier.get("/api/v1/messages", params={"limit": 2, "cursor": page["next"]})).json()

    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert {row["what"] for row in page["items"] + rest["items"]} == {"sent"}
    assert len({row["id"] for row in page["items"] + rest["items"]}) == 3
