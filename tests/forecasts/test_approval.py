"""The factory's own approval of what it promises as a seller: on pages, over the interface, unseen by the buyer."""

from decimal import Decimal

import pytest

import portal.forecasts.effects  # noqa: F401 - registers what approvals lead to
from portal.app import create_app
from portal.approvals.effects import settle
from portal.approvals.inputs import Condition, Op
from portal.approvals.model import ApprovalPoint
from portal.approvals.service import Decision, latest_case, open_cases
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from portal.forecasts.rules import CommitRefused, ReleaseMoved, Span
from portal.sync import service_books, sheet_commits
from portal.sync.sheet_bases import FoundCommits
from portal.web.workbook_views import workbook_view
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.approvals.makers import REFUSE, all_of, approvers, put_in_force, rules_of
from tests.contracts.test_api import calling
from tests.factories import Tenant
from tests.forecasts.makers import cells, committed, make_forecast, period, planned
from tests.sync.books import edited, write

D = Decimal
MUCH = Condition(fact="quantity", op=Op.AT_LEAST, values=["150"])
ALL = Condition(fact="forecast_percent", op=Op.AT_LEAST, values=["100"])


async def decide(actor: Actor, contract_id: object, verdict: Decision) -> None:
    async with unit_of_work(actor) as session:
        case = await latest_case(session, actor, contract_id)  # type: ignore[arg-type]
        assert case is not None
        await settle(session, actor, case.id, case.version, verdict, "as agreed")


async def test_a_large_commit_waits_for_a_colleague_and_is_made_in_the_askers_name(
    tenant: Tenant, database: Settings
) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200}, Direction.SALE)
    await put_in_force(tenant, rules_of((all_of(MUCH), approvers(Role.PLANNER))), ApprovalPoint.COMMIT)
    planner = await make_person(tenant.factory, Role.PLANNER)
    small = await committed(tenant.factory, made, periods=[period(made, 1, 90)])
    assert small is not None
    path = f"/api/v1/contracts/{made.contract.id}/forecast"
    async with calling(database, tenant.factory) as factory, calling(database, tenant.customer) as buyer:
        body = {"release": 1, "percent": "100"}
        asked = await factory.post(f"{path}/commits", json=body, headers={"if-match": '"1"'})
        assert (asked.status_code, asked.json()["id"], asked.headers["etag"]) == (202, None, '"1"')
        assert len((await buyer.get(f"{path}/commits")).json()) == 1
        assert (await buyer.get("/api/v1/approvals")).status_code == 404

    buyer_side = await make_person(tenant.customer, Role.CLERK)
    app = create_app(database)
    async with browsing(app, planner.token) as browser:
        page = await browser.open(f"/contracts/{made.contract.id}/forecast")
        assert "A commit waits for a colleague's approval." in text_of(page)
        case = page.text.partition('href="/approvals/')[2].partition('"')[0]
        shown = text_of(await browser.open(f"/approvals/{case}"))
        assert "Quantity, in its unit" in shown
        assert "300" in shown
        assert (await browser.send(f"/approvals/{case}/decide", version=1, verdict="approve")).status_code == 303
        assert "A commit waits" not in text_of(await browser.open(f"/contracts/{made.contract.id}/forecast"))
    async with browsing(app, buyer_side.token) as browser:
        assert "A commit waits" not in text_of(await browser.open(f"/contracts/{made.contract.id}/forecast"))
    found = await cells(tenant.customer, made)
    assert [found[week].committed for week in (1, 2)] == [100, 200]


async def test_what_moved_on_meanwhile_is_not_committed_and_a_refused_one_never(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200}, Direction.SALE)
    await put_in_force(tenant, rules_of((all_of(MUCH), approvers(Role.PLANNER))), ApprovalPoint.COMMIT)
    planner = (await make_person(tenant.factory, Role.PLANNER)).actor
    assert await committed(tenant.factory, made, percent=D(90)) is None
    await planned(tenant, made, {3: 50})
    with pytest.raises(ReleaseMoved):
        await decide(planner, made.contract.id, Decision.APPROVE)
    await decide(planner, made.contract.id, Decision.REFUSE)
    assert [cell.committed for cell in (await cells(tenant.factory, made)).values()] == [None, None, None]


async def test_a_rule_refuses_a_commit_and_a_partners_own_is_none_of_its_business(tenant: Tenant) -> None:
    await put_in_force(tenant, rules_of((all_of(ALL), REFUSE)), ApprovalPoint.COMMIT)
    ours = await make_forecast(tenant, {1: 100}, Direction.SALE)
    with pytest.raises(CommitRefused):
        await committed(tenant.factory, ours, percent=D(100))
    assert (await cells(tenant.customer, ours))[1].committed is None
    theirs = await make_forecast(tenant, {1: 100}, Direction.PURCHASE)
    assert await committed(tenant.supplier, theirs, percent=D(100)) is not None


async def test_a_workbook_says_that_its_commit_waits_and_the_buyer_sees_nothing(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200}, Direction.SALE)
    await put_in_force(tenant, rules_of((all_of(MUCH), approvers(Role.PLANNER))), ApprovalPoint.COMMIT)
    planner = (await make_person(tenant.factory, Role.PLANNER)).actor
    async with unit_of_work(tenant.factory) as session:
        book = await sheet_commits.export(session, tenant.factory, made.contract.id, Span.WEEK)
    filled = edited(book, write("Commits", 2, "Committed", 100), write("Commits", 3, "Committed", 200))
    async with unit_of_work(tenant.factory) as session:
        run = await service_books.upload(session, tenant.factory, "commits.xlsx", filled)
    async with unit_of_work(tenant.factory) as session:
        assert await open_cases(session, tenant.factory, made.contract.id) == []  # a preview asks nobody
        run = await service_books.apply(session, tenant.factory, run.id, ())
        found = service_books.found_of(run)
        assert isinstance(found, FoundCommits)
        assert (found.waits, found.number, len(found.changes)) == (True, None, 2)
        assert "needs a colleague's approval first" in workbook_view(run).sentence
    assert {cell.committed for cell in (await cells(tenant.customer, made)).values()} == {None}
    await decide(planner, made.contract.id, Decision.APPROVE)
    theirs = await cells(tenant.customer, made)
    assert [theirs[number].committed for number in (1, 2)] == [100, 200]
