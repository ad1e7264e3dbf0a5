"""Rules without code and without script: built, tried, put in force, and a request decided by them, all in pages."""

from decimal import Decimal

import pytest

from portal.app import create_app
from portal.approvals.facts import stored
from portal.approvals.model import ApprovalPoint, CaseStatus
from portal.approvals.service import get_case
from portal.approvals.words import fact_rows
from portal.core.access import Role
from portal.core.db import unit_of_work
from portal.core.i18n import Language, speaking
from portal.core.settings import Settings
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.approvals.makers import ask_for
from tests.factories import Tenant

RULES = "/rules/statement"  # nothing follows from its decisions yet
ROWS = {"g0.join": "and", "join": "or", "c0.group": "0", "c0.fact": "difference_percent"}


async def test_an_administrator_builds_a_rule_in_pages_and_finance_decides_by_it(
    database: Settings, tenant: Tenant
) -> None:
    app = create_app(database)
    admin, finance = await make_person(tenant.factory, Role.ADMIN), await make_person(tenant.factory, Role.FINANCE)
    async with browsing(app, admin.token) as browser:
        await browser.open(RULES)
        await browser.send(f"{RULES}/draft", version="0", do="begin")
        form = await browser.send(
            f"{RULES}/rule",
            version="1",
            do="add",
            **{"new.fact": "difference_percent", "new.group": "0", "name": "Large"},
        )
        assert 'name="c0.op"' in form.text
        said = {**ROWS, "version": "1", "do": "save", "name": "Large", "kind": "approvers", "mode": "order"}
        wrong = await browser.send(f"{RULES}/rule", **said, **{"c0.op": "beyond", "c0.value": "much"})
        assert wrong.status_code == 422
        assert 'id="f-c0.value-error"' in wrong.text  # under its field, without the place that the file names
        assert 'aria-invalid="true" autofocus' in wrong.text  # and the page opens at it
        assert "“much” is not a number" in text_of(wrong)
        assert "rules[1]" not in text_of(wrong)
        made = {**said, "c0.op": "beyond", "c0.value": "20", "a0.role": "finance", "answer_hours": "8"}
        assert (await browser.send(f"{RULES}/rule", **made)).status_code == 303
        shown = text_of(await browser.open(RULES))
        assert "If Relative open difference is more than, up or down, 20" in shown
        assert "Ask Finance; answer within 8 working hours" in shown
        assert "nothing to try the draft on" in text_of(await browser.open(f"{RULES}/trial"))
        assert (await browser.send(f"{RULES}/publish", version="2")).status_code == 303

    async with unit_of_work(tenant.factory) as session:
        case = await ask_for(
            session,
            tenant.factory,
            {"difference_percent": "-20.5", "value": 700},
            point=ApprovalPoint.STATEMENT,
        )
    async with browsing(app, admin.token) as browser:
        await browser.open("/approvals")
        refused = await browser.send(f"/approvals/{case.id}/decide", version=case.version, verdict="approve")
        assert "This step waits for somebody else: Finance." in text_of(refused)
    async with browsing(app, finance.token) as browser:
        assert "C-1" in text_of(await browser.open("/approvals"))
        page = text_of(await browser.open(f"/approvals/{case.id}"))
        assert "CNY 700.00" in page.replace("\u00a0", " ")
        await browser.send(f"/approvals/{case.id}/decide", version=case.version, verdict="approve")
    async with unit_of_work(tenant.factory) as session:
        found, _steps = await get_case(session, tenant.factory, case.id)
    assert found.status is CaseStatus.APPROVED
    async with browsing(app, admin.token) as browser:
        await browser.open(RULES)
        await browser.send(f"{RULES}/draft", version="3", do="begin")
        assert "Of 1 request since" in text_of(await browser.open(f"{RULES}/trial"))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (Language.EN, [("Change of the quantity", "−204 pcs"), ("Reason", "Demand has changed")]),
        (Language.ZH, [("数量变化", "−204 件"), ("原因", "需求变化")]),
    ],
)
def test_facts_are_told_with_their_units_and_in_words(language: Language, told: list[tuple[str, str]]) -> None:
    facts = {"change_quantity": Decimal(-204), "unit": "H87", "reason": "demand"}
    known = stored(ApprovalPoint.CHANGE, facts)
    with speaking(language):
        rows = fact_rows(ApprovalPoint.CHANGE, known, "CNY", (), prices=True)
    assert [(label, value.replace("\u00a0", " ")) for label, value in rows] == told
