"""A form that is refused says so at each of its wrong fields at once, in both languages, and changes nothing."""

import pytest
from litestar import Litestar

from portal.app import create_app
from portal.core.actor import Direction
from portal.core.i18n import Language
from portal.core.settings import Settings
from tests.contracts.makers import make_draft, make_item
from tests.contracts.test_api import calling
from tests.factories import Tenant, make_contract, make_deliveries
from tests.web.refusals import EMPTY, EN, LONG, NO_DATE, TONGUES, outside, rows, sentence_at, signed_in, value_of, wrong


@pytest.fixture(scope="session")
async def app(database: Settings) -> Litestar:
    """The application over this worker's database."""
    return create_app(database)


# --- all wrong fields at once -----------------------------------------------------------------------------------------


@TONGUES
async def test_each_wrong_field_of_a_contract_says_so_at_once(
    tenant: Tenant, app: Litestar, language: Language
) -> None:
    typed = {
        "direction": "sale", "party_id": str(tenant.customer.party_id), "currency": "cny", "kind": "annual",
        "title": "Castings", "valid_from": "1901-01-01", "valid_to": "9999-12-31", "response_hours": "many",
        "notice_days": "x", "time_zone": "Asia/Shanghai", "take_or_pay_percent": "1.234",
    }  # fmt: skip
    before = await rows(tenant, "contract", "audit")
    async with signed_in(app, tenant.factory, language) as browser:
        answer = await browser.send("/contracts", **typed)
    said = wrong(answer)
    assert {"valid_from", "valid_to", "response_hours", "notice_days", "take_or_pay_percent"} == set(said)
    assert said["valid_from"] == said["valid_to"] == outside(language)
    assert {name: value_of(answer, name) for name in said} == {name: typed[name] for name in said}
    assert value_of(answer, "title") == "Castings"
    assert await rows(tenant, "contract", "audit") == before


async def test_rules_of_several_fields_are_told_together(tenant: Tenant, app: Litestar) -> None:
    contract = await make_draft(tenant)
    before = await rows(tenant, "contract")
    typed = {
        "version": str(contract.version), "currency": "CNY", "kind": "annual", "valid_from": "2027-01-01",
        "valid_to": "2026-01-01", "response_hours": "16", "incoterm_place": "Wuxi", "penalty_cap_percent": "5",
    }  # fmt: skip
    async with signed_in(app, tenant.factory) as browser:
        said = wrong(await browser.send(f"/contracts/{contract.id}/edit", **typed))
    assert set(said) == {"valid_to", "incoterm", "penalty_percent"}
    assert await rows(tenant, "contract") == before


@TONGUES
async def test_a_line_and_its_price_are_told_together(tenant: Tenant, app: Litestar, language: Language) -> None:
    contract = await make_draft(tenant)
    await make_item(tenant, "A100")
    before = await rows(tenant, "contract_line", "contract_price")
    typed = {"version": "1", "item_code": "A100", "foq": "abc", "cumulative_from": "1901-01-01"}
    price = {"price": "-1", "price_unit": "1", "price_from": "2026-02-30"}
    async with signed_in(app, tenant.factory, language) as browser:
        said = wrong(await browser.send(f"/contracts/{contract.id}/lines", **typed, **price))
    assert set(said) == {"foq", "cumulative_from", "price", "price_from"}
    assert said["cumulative_from"] == outside(language)
    assert said["price_from"] == NO_DATE[language]
    assert await rows(tenant, "contract_line", "contract_price") == before


async def test_a_delivery_note_tells_of_each_line_and_of_its_head(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant)
    first, second = await make_deliveries(tenant, made, [800, 400])
    before = await rows(tenant, "shipment", "schedule_line")
    typed = {
        "number": "", "shipped_on": "2026-02-30", "line": [str(first.id), str(second.id)],
        f"quantity.{first.id}": "abc", f"quantity.{second.id}": "", "carrier": "x" * 121,
    }  # fmt: skip
    async with signed_in(app, tenant.factory) as browser:
        answer = await browser.send(f"/shipments?contract={made.contract.id}", **typed)
    said = wrong(answer)
    assert said[f"quantity.{first.id}"] == "“abc” is not a quantity. Write it as 1200 or 1,200.5."
    assert said[f"quantity.{second.id}"] == EMPTY[EN]
    assert said["shipped_on"] == NO_DATE[EN]
    assert said["carrier"] == LONG[EN].format(n=120)
    assert "number" in said
    assert value_of(answer, f"quantity.{first.id}") == "abc"
    assert await rows(tenant, "shipment", "schedule_line") == before


async def test_an_answer_tells_of_each_cell(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [800], status="proposed")
    before = await rows(tenant, "schedule_line")
    cells = {"quantity": ["abc", "400"], "delivery_date": ["1901-01-01", "2026-02-30"], "despatch_date": ["", ""]}
    async with signed_in(app, tenant.supplier) as browser:
        path = f"/schedule-lines/{line.id}/confirm"
        answer = await browser.send(path, version="1", note="n" * 501, **cells)
    wrong(answer)  # by name the cells are alike, so their ids tell them apart
    for cell, sentence in {
        f"q-{line.id}-1": "“abc” is not a number. Write it as 1200 or 0.5.",
        f"d-{line.id}-1": outside(EN),
        f"d-{line.id}-2": NO_DATE[EN],
        f"t-{line.id}": LONG[EN].format(n=500),
    }.items():
        assert sentence_at(answer.text, cell) == sentence
    assert await rows(tenant, "schedule_line", "confirmation") == [*before, []]


async def test_a_change_request_tells_of_each_delivery(tenant: Tenant, app: Litestar) -> None:
    made = await make_contract(tenant)
    first, second = await make_deliveries(tenant, made, [800, 400])
    typed = {
        "contract_id": str(made.contract.id), "reason": "demand", "line": [str(first.id), str(second.id)],
        f"kind.{first.id}": "change", f"quantity.{first.id}": "abc", f"version.{first.id}": "1",
        f"kind.{second.id}": "change", f"due_date.{second.id}": "1901-01-01", f"version.{second.id}": "1",
        "pause_since": "9999-12-31",
    }  # fmt: skip
    async with signed_in(app, tenant.customer) as browser:
        said = wrong(await browser.send("/changes", **typed))
    assert set(said) == {f"quantity.{first.id}", f"due_date.{second.id}", "pause_since"}
    assert said["pause_since"] == outside(EN)
    assert await rows(tenant, "change_request") == [[]]


async def test_the_interface_lists_each_wrong_field_of_a_rule(tenant: Tenant, database: Settings) -> None:
    body = {
        "party_id": str(tenant.customer.party_id), "direction": "sale", "currency": "CNY", "valid_from": "2027-01-01",
        "valid_to": "2026-01-01", "notice_days": 5000,
    }  # fmt: skip
    async with calling(database, tenant.factory) as client:
        answer = await client.post("/api/v1/contracts", json=body)
        absurd = await client.post(
            "/api/v1/contracts", json=body | {"valid_from": "1901-01-01", "valid_to": "9999-12-31"}
        )
    assert answer.status_code == 422
    assert {entry["field"] for entry in answer.json()["errors"]} == {"valid_to", "notice_days"}
    assert absurd.json()["errors"] == [{"field": name, "detail": outside(EN)} for name in ("valid_to", "valid_from")]
    assert await rows(tenant, "contract") == [[]]
