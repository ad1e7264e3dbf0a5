"""Answers and commits by workbook: what they say, who may send them, and that nothing is run over."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook

from portal.app import create_app
from portal.contracts.model import DeviationRule
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.i18n import Language, speaking
from portal.core.settings import Settings
from portal.forecasts.rules import Span
from portal.sync import service_books, sheet_answers, sheet_commits
from portal.sync.service_runs import NotReady
from portal.sync.sheet_book import NotASheet
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.accounts.test_keys import calling, make_key
from tests.factories import Tenant, fetch, firm_may_change, make_contract, make_deliveries, today
from tests.forecasts.makers import cells, committed, make_forecast, period, planned, week
from tests.schedules.answers import answer, answers_of, asked, line_of, promising
from tests.sync.books import Edit, edited, write

D = Decimal
TERMS: dict[str, Any] = {"deviation_quantity": DeviationRule.APPROVAL, "deviation_later": DeviationRule.APPROVAL}


async def exported(actor: Actor, on_behalf: bool = False) -> bytes:
    async with unit_of_work(actor) as session:
        return await sheet_answers.export(session, actor, None, on_behalf)


async def sent(actor: Actor, book: bytes) -> tuple[UUID, Any]:
    async with unit_of_work(actor) as session:
        run = await service_books.upload(session, actor, "answers.xlsx", book)
        return run.id, service_books.found_of(run)


async def applied(actor: Actor, run_id: UUID, *mine: int) -> Any:
    async with unit_of_work(actor) as session:
        return service_books.found_of(await service_books.apply(session, actor, run_id, mine))


def copied(row: int) -> Edit:
    """The whole row once more below, with its hidden columns."""

    def edit(book: Any) -> None:
        page = book.worksheets[0]
        below = page.max_row + 1
        for column in range(1, page.max_column + 1):
            page.cell(below, column).value = page.cell(row, column).value

    return edit


def rows_of(content: bytes) -> list[list[Any]]:
    return [list(row) for row in load_workbook(BytesIO(content)).worksheets[0].values]


async def waiting(tenant: Tenant, quantities: Sequence[int]) -> list[UUID]:
    """Deliveries that wait for the supplier, due on days of next week in the order given."""
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    lines = await make_deliveries(tenant, made, list(quantities), status="proposed")
    return [line.id for line in sorted(lines, key=lambda line: line.due_date)]


async def test_good_rows_are_applied_and_the_others_come_back_with_their_reasons(tenant: Tenant) -> None:
    lines = await waiting(tenant, [100, 200, 300, 400, 500, 600])
    book = await exported(tenant.supplier)
    head, first, *_rest = rows_of(book)
    assert head[:2] == ["Key (do not change)", "Version (do not change)"]
    assert first[head.index("Asked for")] == 100
    filled = edited(
        book,
        write("Answers", 2, "Confirmed quantity", 60),
        copied(2),  # row 8
        write("Answers", 8, "Confirmed quantity", 40),
        write("Answers", 8, "Delivery date", today() + timedelta(days=40)),
        write("Answers", 3, "Answer", "confirm the delivery"),
        write("Answers", 4, "Answer", "refuse the delivery"),
        write("Answers", 4, "Reason of the answer", "No capacity"),
        write("Answers", 5, "Confirmed quantity", "many"),
        write("Answers", 6, "Note", "we shall see"),
    )
    run_id, found = await sent(tenant.supplier, filled)
    assert (found.confirmed + found.waiting, found.rejected, found.conflicts) == (2, 1, [])
    assert [(each.row, each.column) for each in found.refused] == [(5, "confirmed"), (6, "confirmed")]
    assert {(await line_of(tenant.factory, line))["status"] for line in lines} == {"proposed"}  # only tried
    done = await applied(tenant.supplier, run_id)
    assert (done.changes, len(done.refused)) == (found.changes, 2)
    statuses = [(await line_of(tenant.factory, line))["status"] for line in lines]
    assert statuses[1:] == ["confirmed", "rejected", "proposed", "proposed", "proposed"]
    assert min(await answers_of(tenant.factory, lines[0]))[0] == 40
    async with unit_of_work(tenant.supplier) as session:
        rest = await service_books.left_over(session, tenant.supplier, run_id)
    reasons = [row[-1] for row in rows_of(rest)[1:]]
    assert [len(reasons), "“many” is not a number." in reasons[0], "but no answer" in reasons[1]] == [2, True, True]
    with pytest.raises(NotReady):
        await applied(tenant.supplier, run_id)
    mended = edited(rest, write("Answers", 2, "Confirmed quantity", 400), write("Answers", 3, "Confirmed quantity", 0))
    _id, again = await sent(tenant.supplier, mended)
    assert (again.confirmed, [each.row for each in again.refused]) == (1, [3])


async def test_what_differs_goes_the_way_of_the_page_and_what_changed_meanwhile_is_shown(tenant: Tenant) -> None:
    made, line_id = await asked(tenant, **TERMS)
    _made, other = await asked(tenant)
    book = await exported(tenant.supplier)
    late = today() + timedelta(days=30)
    row = next(at for at, cell in enumerate(rows_of(book), start=1) if cell[0] == str(line_id))
    filled = edited(
        book, write("Answers", row, "Confirmed quantity", 80), write("Answers", row, "Nothing more follows", "yes"),
        write("Answers", row, "Delivery date", late), write("Answers", 5 - row, "Confirmed quantity", 100),
    )  # fmt: skip
    run_id, found = await sent(tenant.supplier, filled)
    assert (found.confirmed, found.waiting) == (1, 1)
    await answer(tenant.supplier, line_id, promising((100, 7)))  # a colleague, on the page
    await answer(tenant.supplier, other, promising((100, 7)))  # just what the workbook says
    done = await applied(tenant.supplier, run_id)
    assert (done.changes, done.refused, len(done.conflicts)) == ([], [], 1)
    (conflict,) = done.conflicts
    due = today() + timedelta(days=7)
    assert (conflict.base, conflict.before, conflict.after) == (f"100@{due}", f"answered:100@{due}", f"80@{late}")
    with speaking(Language.ZH):
        assert "80\u00a0件" in conflict.sentence
    assert await answers_of(tenant.factory, line_id) == [(100, "valid")]
    run_id, found = await sent(tenant.supplier, filled)
    insisted = await applied(tenant.supplier, run_id, 0)  # a confirmed delivery has no second answer
    assert (insisted.changes, len(insisted.refused), insisted.conflicts) == ([], 1, [])
    assert await answers_of(tenant.factory, line_id) == [(100, "valid")]
    assert made.contract.number in insisted.where.popitem()[1]


async def test_a_workbook_names_the_day_of_despatch_and_another_price_as_the_page_does(tenant: Tenant) -> None:
    terms = {**TERMS, "deviation_price": DeviationRule.APPROVAL, "transit_days": 3, "late_days": 9}
    _made, line_id = await asked(tenant, **terms)
    book = await exported(tenant.supplier)
    leaves, there = (today() + timedelta(days=days) for days in (4, 7))
    filled = edited(
        book, write("Answers", 2, "Confirmed quantity", 60), write("Answers", 2, "Despatch date", leaves),
        write("Answers", 2, "Price per unit, if it differs", 12.8), copied(2),
        write("Answers", 3, "Confirmed quantity", 40), write("Answers", 3, "Delivery date", there),
    )  # fmt: skip
    run_id, found = await sent(tenant.supplier, filled)
    (change,) = found.changes
    assert change.after == f"60@<{leaves} 40@{there}<{leaves} *12.8"
    assert "at 12.8" in change.sentence
    assert found.waiting == 1
    await applied(tenant.supplier, run_id)
    told = "select quantity, delivery_date, despatch_date, price from confirmation where line_id = $1 order by quantity"
    forty, sixty = await fetch(tenant.factory, told, line_id)
    assert tuple(forty) == (D(40), there, leaves, D("12.8"))
    assert (sixty["quantity"], sixty["despatch_date"], sixty["price"]) == (D(60), leaves, D("12.8"))
    _id, again = await sent(tenant.supplier, filled)
    assert (again.changes, again.conflicts, again.refused) == ([], [], [])  # it says just that already
    wrong = edited(filled, write("Answers", 3, "Despatch date", there + timedelta(days=1)))
    _id, found = await sent(tenant.supplier, wrong)
    assert (found.changes, len(found.conflicts)) == ([], 1)


async def test_the_factory_enters_what_its_supplier_said_elsewhere(tenant: Tenant) -> None:
    _made, line_id = await asked(tenant)
    own = await exported(tenant.supplier)
    with pytest.raises(Forbidden):  # nobody speaks for itself on behalf of itself
        await exported(tenant.supplier, on_behalf=True)
    with pytest.raises(NotASheet):  # what another company was given
        await sent(tenant.factory, edited(own))
    book = edited(await exported(tenant.factory, on_behalf=True), write("Answers", 2, "Answer", "confirm"))
    buyer = tenant.as_role(tenant.factory, Role.BUYER)
    run_id, found = await sent(buyer, book)
    assert found.confirmed == 1
    for stranger in (tenant.supplier, tenant.as_role(tenant.factory, Role.VIEWER)):
        with pytest.raises((NotFound, Forbidden)):
            await applied(stranger, run_id)
    await applied(buyer, run_id)
    line = await line_of(tenant.supplier, line_id)
    assert (line["status"], line["confirmed_quantity"]) == ("confirmed", D(100))


async def test_commits_come_by_workbook_and_a_moved_forecast_is_for_the_seller_to_decide(tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100, 2: 200, 3: 300, 30: 40})
    await firm_may_change(tenant.factory, made.contract.id)
    await committed(tenant.supplier, made, periods=[period(made, 1, 90)])
    async with unit_of_work(tenant.supplier) as session:
        book = await sheet_commits.export(session, tenant.supplier, made.contract.id, Span.WEEK)
    head, *rows = rows_of(book)
    assert [row[head.index("Committed")] for row in rows] == [90, None, None, None]
    filled = edited(
        book, write("Commits", 2, "Committed", 95), write("Commits", 3, "Committed", 200),
        write("Commits", 4, "Committed", 300.5), write("Commits", 5, "Committed", 40),
    )  # fmt: skip
    run_id, found = await sent(tenant.supplier, filled)
    assert (len(found.changes), [each.row for each in found.refused], found.number) == (3, [4], 2)
    await planned(tenant, made, {2: 60})  # another release: the second week is 260 now
    await committed(tenant.supplier, made, periods=[period(made, 1, 80)])  # and a colleague committed
    done = await applied(tenant.supplier, run_id)
    assert [(each.field, each.base, each.before, each.after) for each in done.conflicts] == [
        ("committed", "90", "80", "95"),
        ("forecast", "200", "260", "200"),
    ]
    assert (done.number, done.release_no) == (3, 2)
    theirs = await cells(tenant.factory, made)
    assert {number: cell.committed for number, cell in theirs.items()} == {1: D(80), 2: None, 3: None, 30: D(40)}
    emptied = edited(book, write("Commits", 2, "Committed", None))
    _id, found = await sent(tenant.supplier, emptied)
    assert ([each.column for each in found.refused], found.number) == (["committed"], None)
    with pytest.raises(Forbidden):
        async with unit_of_work(tenant.supplier) as session:
            await sheet_commits.export(
                session, tenant.as_role(tenant.supplier, Role.VIEWER), made.contract.id, Span.WEEK
            )


async def test_pages_and_programs_send_the_same_workbooks(tenant: Tenant, database: Settings) -> None:
    app = create_app(database)
    made = await make_forecast(tenant, {1: 100, 6: 200})
    clerk = await make_person(tenant.supplier, Role.CLERK)
    await waiting(tenant, [500])
    async with browsing(app, clerk.token) as browser:
        page = text_of(await browser.open("/workbooks"))
        assert "Download what waits for your answer" in page
        assert "suppliers" not in page
        book = (await browser.open("/answers/workbook")).content
        count = len(rows_of(book)) - 1
        filled = edited(book, *(write("Answers", at + 2, "Answer", "confirm the delivery") for at in range(count)))
        refused = await sending(browser, b"no workbook")
        assert refused.status_code == 422
        assert "Nothing" not in text_of(refused)
        answered = await sending(browser, filled)
        where = answered.headers["location"]
        shown = text_of(await browser.open(where))
        assert f"Confirmed: {count} deliver" in shown
        assert "500 pcs on" in shown
        assert (await browser.send(f"{where}/apply")).status_code == 303
        assert "Applied" in text_of(await browser.open(where))
        assert "Commit by workbook" in text_of(await browser.open(f"/contracts/{made.contract.id}/forecast"))
    _key, token = await make_key(tenant.supplier, [Permission.READ, Permission.CONFIRM_LINES])
    async with calling(app, token) as client:
        asked_for = {"contract_id": str(made.contract.id), "span": "month"}
        months = (await client.get("/workbooks/commits", params=asked_for)).content
        filled = edited(months, write("Commits", 2, "Committed", 90))
        run = (await client.post("/workbooks", files={"file": ("commits.xlsx", filled)})).json()
        assert (run["kind"], run["status"], run["commit_no"]) == ("commits", "previewed", 1)
        done = (await client.post(f"/workbooks/{run['id']}/apply", json={})).json()
        assert (done["status"], done["changes"][0]["workbook"]) == ("applied", "90")
        assert (await client.get("/workbooks/answers")).status_code == 200
    assert sum((cell.committed or D(0) for cell in (await cells(tenant.factory, made)).values()), D(0)) == 90
    assert week(1) > today()


async def sending(browser: Any, content: bytes) -> Any:
    return await browser.client.post(
        "/workbooks", data={"_csrf_token": browser.form_token}, files={"file": ("answers.xlsx", content)}
    )
