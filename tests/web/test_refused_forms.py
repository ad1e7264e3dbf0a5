"""A form that is refused comes back with what was typed and the sentence in both languages, and changes nothing."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from litestar import Litestar

from portal.accounts.model import Site
from portal.app import create_app
from portal.contracts.inputs import Amendment, LineOffer
from portal.contracts.model import ContractStatus
from portal.contracts.service_amendments import amend
from portal.core.actor import Direction
from portal.core.days import AHEAD
from portal.core.db import unit_of_work
from portal.core.i18n import Language, day, speaking
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.schedules.service_holding import release
from portal.schedules.service_publishing import Publish
from tests.accounts.browser import text_of
from tests.changes.makers import FIRM, ask, delivery, wish
from tests.contracts.makers import make_proposed
from tests.factories import Made, Tenant, fetch, make_contract, make_deliveries, today
from tests.shipments.makers import sent
from tests.web.refusals import (
    EMPTY,
    EN,
    LONG,
    NO_DATE,
    TONGUES,
    ZH,
    outside,
    rows,
    sentence_at,
    signed_in,
    value_of,
    wrong,
)

D = Decimal


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)


# --- dialogs and small forms ------------------------------------------------------------------------------------------


@TONGUES
async def test_dialogs_of_a_contract_open_again(tenant: Tenant, app: Litestar, language: Language) -> None:
    made = await make_contract(tenant)
    here = f"/contracts/{made.contract.id}"
    before = await rows(tenant, "contract")
    async with signed_in(app, tenant.factory, language) as browser:
        held = await browser.send(f"{here}/suspend", version="1", reason="  ")
        ended = await browser.send(f"{here}/terminate", version="1", reason="x" * 501, last_day="9999-12-31")
        named = await browser.send(f"{here}/template", name=" ")
    assert wrong(held) == {"reason": EMPTY[language]}
    assert re.search(r'<dialog class="cf-dialog" id="suspend"[^>]* open data-refused>', held.text)
    assert wrong(ended) == {"last_day": outside(language), "reason": LONG[language].format(n=500)}
    assert value_of(ended, "last_day") == "9999-12-31"
    assert re.search(r'<dialog class="cf-dialog" id="terminate"[^>]* open data-refused>', ended.text)
    assert not re.search(r'<dialog class="cf-dialog" id="suspend"[^>]* open', ended.text)
    assert wrong(named) == {"name": EMPTY[language]}
    assert await rows(tenant, "contract") == before


async def test_a_refused_step_is_told_where_its_dialog_is_gone(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant, status=ContractStatus.COMPLETED)
    async with signed_in(app, tenant.factory) as browser:
        answer = await browser.send(f"/contracts/{made.contract.id}/suspend", version="1", reason="")
    assert wrong(answer) == {}
    assert EMPTY[EN] in text_of(answer)


@TONGUES
async def test_declining_needs_a_reason_in_its_dialog(tenant: Tenant, app: Litestar, language: Language) -> None:
    proposed = await make_proposed(tenant)
    made = await make_contract(tenant)
    offer = Amendment(effective_from=today(), lines=[LineOffer(line_no=made.line.line_no, foq=D(400))])
    async with unit_of_work(tenant.factory) as session:
        await amend(session, tenant.factory, made.contract.id, offer)
    before = await rows(tenant, "contract", "contract_revision")
    async with signed_in(app, tenant.customer, language) as browser:
        contract = await browser.send(f"/contracts/{proposed.id}/decline", version=str(proposed.version), reason=" ")
        version = await browser.send(f"/contracts/{made.contract.id}/amendment/decline", version="2", reason=" ")
    for answer in (contract, version):
        assert wrong(answer) == {"reason": EMPTY[language]}
        assert re.search(r'<dialog class="cf-dialog" id="decline"[^>]* open data-refused>', answer.text)
    assert await rows(tenant, "contract", "contract_revision") == before


@TONGUES
async def test_a_site_keeps_what_was_typed_of_its_calendar(tenant: Tenant, app: Litestar, language: Language) -> None:
    async with unit_of_work(tenant.factory) as session:
        base: dict[str, Any] = {"tenant_id": tenant.id, "party_id": tenant.factory.party_id}
        site = Site(**base, code=uuid7().hex, name="Gate 3", time_zone="Asia/Shanghai", weekdays=[0, 1, 2, 3, 4])
        session.add(site)
    here = f"/sites/{site.id}"
    before = await rows(tenant, "site", "site_day", "site_window")
    async with signed_in(app, tenant.factory, language) as browser:
        closed = await browser.send(f"{here}/days", day="1901-01-01", working="false", name="Old day")
        unread = await browser.send(f"{here}/days", day="2026-02-30", working="false", name="x" * 81)
        shut = await browser.send(f"{here}/shutdowns", first="9999-12-31", last="", name=" ")
        hours = await browser.send(f"{here}/windows", day_0="early", day_2="07:00-09:00", day_4="25:00-26:00")
    assert wrong(closed) == {"day": outside(language)}
    assert value_of(closed, "name") or "Old day" in closed.text
    assert wrong(unread) == {"day": NO_DATE[language], "name": LONG[language].format(n=80)}
    assert wrong(shut) == {"first": outside(language), "last": EMPTY[language], "name": EMPTY[language]}
    assert set(wrong(hours)) == {"day_0", "day_4"}
    assert [value_of(hours, f"day_{n}") for n in (0, 2, 4)] == ["early", "07:00-09:00", "25:00-26:00"]
    assert await rows(tenant, "site", "site_day", "site_window") == before


@TONGUES
@pytest.mark.parametrize("typed", ["", "abc", "0", "61", "9" * 30])
async def test_the_days_until_today_names_a_change(
    tenant: Tenant, app: Litestar, language: Language, typed: str
) -> None:
    before = await rows(tenant, "tenant")
    async with signed_in(app, tenant.factory, language) as browser:
        answer = await browser.send("/changes/not-in-erp/days", working_days=typed)
    assert list(wrong(answer)) == ["working_days"]
    assert value_of(answer, "working_days") == typed
    assert await rows(tenant, "tenant") == before


async def test_forms_about_drafts_and_releases_come_back(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    await make_deliveries(tenant, made, [800], status="draft")
    here = f"/contracts/{made.contract.id}"
    before = await rows(tenant, "schedule_line", "release")
    async with signed_in(app, tenant.factory) as browser:
        generated = await browser.send(f"{here}/schedule/generate", until="20226-01-01")
        published = await browser.send(f"{here}/schedule/publish", version="1", note="n" * 301)
    assert set(wrong(generated)) == {"until"}
    assert wrong(published) == {"note": LONG[EN].format(n=300)}
    assert re.search(r'<dialog class="cf-dialog" id="publish"[^>]* open data-refused>', published.text)
    assert await rows(tenant, "schedule_line", "release") == before

    async with unit_of_work(tenant.factory) as session:
        await release(session, tenant.factory, made.contract.id, 1, Publish())
    before = await rows(tenant, "release", "release_standing")
    async with signed_in(app, tenant.supplier) as browser:
        rejected = await browser.send(f"{here}/releases/1/reject", version="1", reason=" ")
    assert wrong(rejected) == {"reason": "Say in a few words why, so that the buyer can act on it."}
    assert re.search(r'<dialog class="cf-dialog" id="reject-release"[^>]* open data-refused>', rejected.text)
    assert await rows(tenant, "release", "release_standing") == before


async def test_forms_of_a_delivery_come_back(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant)
    line, _other = await make_deliveries(tenant, made, [800, 400])
    here = f"/schedule-lines/{line.id}"
    before = await rows(tenant, "schedule_line")
    async with signed_in(app, tenant.factory) as browser:
        noted = await browser.send(f"{here}/supply", version="1", state="secured", note="n" * 201)
    assert wrong(noted) == {"note": LONG[EN].format(n=200)}
    assert "n" * 201 in noted.text
    assert await rows(tenant, "schedule_line") == before


@TONGUES
async def test_the_transport_of_a_delivery_note_comes_back(tenant: Tenant, app: Litestar, language: Language) -> None:
    made = await make_contract(tenant)
    (line,) = await make_deliveries(tenant, made, [800])
    shipment, _lines = await sent(tenant, (line, 800), direction=Direction.SALE)
    here = f"/shipments/{shipment.id}/transport"
    before = await rows(tenant, "shipment")
    far = (today() + timedelta(days=400)).isoformat()
    async with signed_in(app, tenant.factory, language) as browser:
        absurd = await browser.send(here, version="1", expected_on="9999-12-31", carrier="c" * 121)
        later = await browser.send(here, version="1", expected_on=far, carrier="Kuehne")
    assert wrong(absurd) == {"expected_on": outside(language), "carrier": LONG[language].format(n=120)}
    assert list(wrong(later)) == ["expected_on"]
    assert (value_of(later, "expected_on"), value_of(later, "carrier")) == (far, "Kuehne")
    assert re.search(r'<dialog class="cf-dialog" id="transport"[^>]* open data-refused>', later.text)
    assert await rows(tenant, "shipment") == before


@TONGUES
async def test_refusing_a_change_and_a_remark_come_back(tenant: Tenant, app: Litestar, language: Language) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)  # in the firm zone the seller is asked
    change = await ask(tenant.factory, made, wish(line_id, quantity=D(120)))
    here = f"/changes/{change.id}"
    tables = ("change_request", "change_part", "timeline")
    before = await rows(tenant, *tables)
    async with signed_in(app, tenant.supplier, language) as browser:
        refused = await browser.send(f"{here}/decline", version=str(change.version), reason=" ")
        remarked = await browser.send(f"{here}/comments", note=" ")
    assert list(wrong(refused)) == ["reason"]
    assert list(wrong(remarked)) == ["note"]
    for said in (*wrong(refused).values(), *wrong(remarked).values()):
        assert bool(re.search(r"[\u4e00-\u9fff]", said)) is (language is ZH), said
    assert await rows(tenant, *tables) == before


# --- days that nobody can mean ----------------------------------------------------------------------------------------


def before_contract(made: Made, day_typed: date, last: date, language: Language) -> str:
    """What is said of a document that is too old for its contract."""
    with speaking(language):
        typed, first = day(day_typed, year=True), day(made.contract.valid_from - AHEAD, year=True)
        until = day(last, year=True)
    if language is ZH:
        return f"{typed}远早于合同生效日。请填写 {first}至 {until}之间的日期。"
    return f"{typed} is long before the contract begins. Enter a day from {first} to {until}."


@TONGUES
async def test_documents_are_not_older_than_their_contract(tenant: Tenant, app: Litestar, language: Language) -> None:
    made = await make_contract(tenant)
    (line,) = await make_deliveries(tenant, made, [800])
    here = f"/contracts/{made.contract.id}"
    old = made.contract.valid_from - AHEAD - timedelta(days=1)
    note = {"number": "N-1", "line": str(line.id), f"quantity.{line.id}": "800"}
    invoice = {"number": "I-1", "line_no": str(made.line.line_no), "quantity": "1"}
    opening = {"place": str(made.line.id), "called": "5", "shipped": "5", "received": "5"}
    tables = ("shipment", "schedule_line", "contract_invoice", "opening_balance", "cumulative_report")
    before = await rows(tenant, *tables)
    async with signed_in(app, tenant.factory, language) as browser:
        for path, name, form in (
            (f"/shipments?contract={made.contract.id}", "shipped_on", note),
            (f"{here}/invoices", "invoiced_on", invoice),
            (f"{here}/opening", "cut_over", opening),
            (f"{here}/cumulative/{made.line.id}/reports", "as_of", {"received": "5"}),
        ):
            last = today() - timedelta(days=name == "cut_over")
            sentence = before_contract(made, old, last, language)
            assert wrong(await browser.send(path, **form, **{name: old.isoformat()})) == {name: sentence}
            assert wrong(await browser.send(path, **form, **{name: "1901-01-01"})) == {name: outside(language)}
    assert await rows(tenant, *tables) == before


async def test_goods_of_a_contract_may_leave_before_it_begins(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant)
    (line,) = await make_deliveries(tenant, made, [800])
    shipped_on = (made.contract.valid_from - AHEAD).isoformat()
    typed = {"number": "N-1", "shipped_on": shipped_on, "line": str(line.id), f"quantity.{line.id}": "800"}
    async with signed_in(app, tenant.factory) as browser:
        answer = await browser.send(f"/shipments?contract={made.contract.id}", **typed)
    assert answer.status_code == 303
    assert await fetch(tenant.factory, "select shipped_on from shipment") == [(date.fromisoformat(shipped_on),)]


# --- nothing ticked ---------------------------------------------------------------------------------------------------


@TONGUES
async def test_ticking_nothing_is_told_on_the_page(tenant: Tenant, app: Litestar, language: Language) -> None:
    made = await make_contract(tenant)
    (line,) = await make_deliveries(tenant, made, [800], status="proposed")
    row = f"{line.id}:1"
    before = await rows(tenant, "schedule_line")
    async with signed_in(app, tenant.factory, language) as browser:
        answers = await browser.send("/schedule-lines/confirm?back=/answers", line=row, **{"except": row})
        events = await browser.send("/jobs/try-again")
        file = await browser.send("/rules/change/file", version="0", file="  ")
    assert wrong(answers) == wrong(events) == {}
    assert {EN: "Choose at least one.", ZH: "请至少选择一笔。"}[language] in text_of(answers)
    assert row in answers.text
    assert {EN: "Tick those that are to be tried again.", ZH: "请勾选要重试的事件。"}[language] in text_of(events)
    assert wrong(file) == {"file": EMPTY[language]}
    assert await rows(tenant, "schedule_line", "rule_set") == [*before, []]


async def test_an_opening_balance_tells_of_each_number(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant, parts=("A100", "B200"))
    typed = {
        "cut_over": (today() - timedelta(days=1)).isoformat(), "place": [str(line.id) for line in made.lines],
        "called": ["many", "5"], "shipped": ["5", "5"], "received": ["5", "-1"],
    }  # fmt: skip
    async with signed_in(app, tenant.factory) as browser:
        answer = await browser.send(f"/contracts/{made.contract.id}/opening", **typed)
    first, second = made.lines
    wrong(answer)
    assert sentence_at(answer.text, f"f-{first.id}-called") == "“many” is not a number. Write it as 1200 or 0.5."
    assert sentence_at(answer.text, f"f-{second.id}-received") == "Enter 0 or more."
    assert await rows(tenant, "opening_balance") == [[]]
