"""The pages of forecasts and the same over the interface, on both sides and in both languages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

from portal.app import create_app
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.settings import Settings
from tests.accounts.browser import Browser, browsing, text_of
from tests.accounts.makers import make_person
from tests.contracts.test_api import calling
from tests.factories import Tenant, firm_may_change
from tests.forecasts.makers import committed, make_forecast, planned, week

D = Decimal
V1 = "/api/v1/contracts"


@asynccontextmanager
async def person(settings: Settings, company: Actor) -> AsyncIterator[Browser]:
    """Somebody of a company who may do its daily work."""
    somebody = await make_person(company, Role.PLANNER if company.is_factory else Role.CLERK)
    async with browsing(create_app(settings), somebody.token) as browser:
        yield browser


async def test_the_forecast_is_committed_over_the_interface(tenant: Tenant, database: Settings) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200})
    path = f"{V1}/{made.contract.id}/forecast"
    said = {"contract_line_id": str(made.line.id), "start": str(week(2)), "quantity": "180"}
    async with calling(database, tenant.factory) as factory, calling(database, tenant.supplier) as supplier:
        before = await supplier.get(path)
        body = {"release": 1, "periods": [said]}
        mute = await supplier.post(f"{path}/commits", json=body)
        wrong = await factory.post(f"{path}/commits", json=body, headers={"if-match": '"0"'})
        done = await supplier.post(f"{path}/commits", json=body, headers={"if-match": before.headers["etag"]})
        stale = await supplier.post(f"{path}/commits", json=body, headers={"if-match": '"0"'})
        ours, theirs = (await factory.get(path)).json(), (await supplier.get(path)).json()
        (found,) = (await factory.get("/api/v1/forecast-exceptions", params={"kind": "under"})).json()[1:]
        versions = (await factory.get(f"{path}/commits")).json()
    assert (before.headers["etag"], mute.status_code, wrong.status_code) == ('"0"', 428, 409)
    assert (done.status_code, done.headers["etag"], stale.status_code) == (201, '"1"', 412)
    assert ours == theirs
    weeks = {one["week"]: one for one in ours["parts"][0]["weeks"]}
    assert D(weeks[str(week(2))]["gap"]) == -20
    assert (found["week"], found["sentence"]) == (str(week(2)), "Committed 180 of 200\u00a0pcs.")
    assert [(one["number"], one["way"]) for one in versions] == [(1, "periods")]


async def test_terms_over_the_interface_carry_a_version(tenant: Tenant, database: Settings) -> None:
    made = await make_forecast(tenant, {1: 100})
    path = f"{V1}/{made.contract.id}/forecast/terms"
    async with calling(database, tenant.factory) as factory, calling(database, tenant.supplier) as supplier:
        refused = await supplier.put(path, json={"weeks": 8}, headers={"if-match": '"0"'})
        set_ = await factory.put(path, json={"weeks": 8}, headers={"if-match": '"0"'})
        stale = await factory.put(path, json={"weeks": 9}, headers={"if-match": '"0"'})
        far = await factory.put(path, json={"weeks": 99}, headers={"if-match": '"1"'})
        terms = (await supplier.get(f"{V1}/{made.contract.id}/forecast")).json()["terms"]
        ended = await factory.delete(path, headers={"if-match": '"1"'})
    assert [answer.status_code for answer in (refused, set_, stale, far, ended)] == [403, 200, 412, 422, 204]
    assert (terms["weeks"], terms["version"]) == (8, 1)


async def test_late_and_changed_commits_come_with_their_sentence(tenant: Tenant, database: Settings) -> None:
    made = await make_forecast(tenant, {1: 100}, Direction.SALE)
    await firm_may_change(tenant.factory, made.contract.id)
    await committed(tenant.factory, made, percent=D(100))
    await planned(tenant, made, {1: 20})
    async with calling(database, tenant.customer) as customer, calling(database, tenant.supplier) as supplier:
        (row,) = (await customer.get("/api/v1/forecast-exceptions")).json()
        foreign = await supplier.get(f"{V1}/{made.contract.id}/forecast")
        none = (await supplier.get("/api/v1/forecast-exceptions")).json()
    assert (row["kind"], row["sentence"]) == ("changed", "The forecast was 100 and is 120\u00a0pcs; committed: 100.")
    assert (foreign.status_code, none) == (404, [])
    assert week(1) + timedelta(weeks=1) == week(2)


async def test_the_page_takes_a_commit_and_shows_a_refused_one_with_what_was_typed(
    tenant: Tenant, database: Settings
) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200})
    path = f"/contracts/{made.contract.id}/forecast"
    async with person(database, tenant.supplier) as supplier, person(database, tenant.factory) as factory:
        page = await supplier.open(path)
        row = {"version": "0", "release": "1", "part": str(made.line.id)}
        wrong = await supplier.send(f"{path}/commit", **row, start=[str(week(1)), str(week(2))], quantity=["90", "ten"])
        done = await supplier.send(f"{path}/commit", **row, start=[str(week(1)), str(week(2))], quantity=["90", ""])
        again = await supplier.send(f"{path}/commit", **row, percent="100%")
        seen = text_of(await factory.open(path))
        export = await factory.open(f"{path}/export?kind=csv")
    assert "Commit to A100" in text_of(page)
    assert (wrong.status_code, again.status_code) == (422, 409)
    assert "“ten” is not a quantity" in text_of(wrong)
    assert 'value="90"' in wrong.text
    assert done.status_code == 303
    assert "Version 1 · Release 1 · by period" in seen
    assert "Commit to A100" not in seen
    rows = export.content.decode("utf-8-sig").splitlines()
    assert rows[1].split(",")[6:] == ["100", "0", "90", "-10", "H87"]


async def test_the_list_names_the_exceptions_and_says_when_there_are_none(tenant: Tenant, database: Settings) -> None:
    made = await make_forecast(tenant, {1: 100})
    async with person(database, tenant.factory) as factory:
        calm = text_of(await factory.open("/forecasts"))
        await committed(tenant.supplier, made, percent=D(90))
        found = text_of(await factory.open("/forecasts?kind=under"))
        none = text_of(await factory.open("/forecasts?kind=changed"))
    assert "Nothing needs attention" in calm
    assert "Committed 90 of 100 pcs." in found
    assert "Nothing fits this choice." in none


async def test_a_release_comes_as_a_table_beside_the_one_before(tenant: Tenant, database: Settings) -> None:
    made = await make_forecast(tenant, {1: 100})
    await firm_may_change(tenant.factory, made.contract.id)
    await planned(tenant, made, {2: 50})
    path = f"/contracts/{made.contract.id}/releases/2/export"
    async with person(database, tenant.supplier) as supplier, person(database, tenant.customer) as customer:
        export = await supplier.open(f"{path}?kind=csv")
        foreign = await customer.open(path)
    _head, same, new = export.content.decode("utf-8-sig").splitlines()
    assert same.split(",")[5:7] == ["100", "H87"]
    assert [cell.strip() for cell in new.split(",")[9:]] == ["New", "", "", "Firm"]
    assert foreign.status_code == 404
