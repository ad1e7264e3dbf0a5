"""Invoices: written into the ledger of their period, seen by both sides, reversed by a credit."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.app import create_app
from portal.contracts.inputs_invoices import ReportInvoice, ReverseInvoice
from portal.contracts.model_invoices import ContractInvoice
from portal.contracts.rules_versions import UnknownLine
from portal.contracts.service_invoices import (
    InvoiceAhead,
    InvoicePeriod,
    InvoiceReversedAlready,
    InvoiceTwice,
    NotInvoicedYet,
    report_invoice,
    reverse_invoice,
)
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.shipments.reads_invoices import invoices, lines_invoiced
from tests.accounts.browser import text_of
from tests.contracts.bucket_makers import days, figures, make_committed, span
from tests.contracts.makers import make_draft
from tests.contracts.test_api import calling
from tests.factories import Made, Tenant, fetch, make_contract, today
from tests.paper.test_pages import signed_in

D = Decimal
YESTERDAY = today() - timedelta(days=1)
STATE = "select count(*), (select count(*) from bucket_entry), (select count(*) from outbox) from contract_invoice"


def said(number: str = "INV-1", quantity: int = 40, **more: Any) -> ReportInvoice:
    values: dict[str, Any] = {"invoiced_on": today(), "line_no": 10}
    return ReportInvoice(number=number, quantity=D(quantity), **values | more)


async def report(actor: Actor, made: Made, data: ReportInvoice) -> ContractInvoice:
    async with unit_of_work(actor) as session:
        return await report_invoice(session, actor, made.contract.id, data)


async def test_an_invoice_is_an_entry_of_its_period_and_its_reversal_a_credit(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-20, 0), span(0, 20))
    await report(tenant.factory, made, said(quantity=40))
    first = await report(tenant.factory, made, said("INV-2", 25, amount=D("312.5"), period_day=days(-3)))
    assert await figures(tenant, made) == [{"invoiced": 25}, {"invoiced": 40}]

    async with unit_of_work(tenant.factory) as session:
        undone = ReverseInvoice(reason="Credited.")
        await reverse_invoice(session, tenant.factory, made.contract.id, first.id, undone)
    assert await figures(tenant, made) == [{}, {"invoiced": 40}]
    entries = await fetch(
        tenant.supplier,
        "select quantity, document, reason from bucket_entry where document_id = $1 order by id",
        first.id,
    )
    assert [tuple(row) for row in entries] == [(25, "contract_invoice", ""), (-25, "contract_invoice", "Credited.")]
    again = await report(tenant.factory, made, said("INV-2", 30, period_day=days(-3)))  # as it should have been
    async with read(tenant.supplier) as connection:
        rows = await invoices(connection, tenant.supplier, made.contract.id)
        (line,) = await lines_invoiced(connection, tenant.supplier, made.contract.id)
    assert [(row.id == again.id, row.quantity, row.reason) for row in rows][:2] == [
        (True, D(30), ""),
        (False, D(25), "Credited."),
    ]
    assert (line.received, line.invoiced, line.over) == (D(0), D(70), D(70))  # marked, not refused
    told = await fetch(tenant.supplier, "select verb from timeline where verb like 'invoice%' order by id")
    assert [row[0] for row in told] == ["invoice_reported", "invoice_reported", "invoice_reversed", "invoice_reported"]
    names = await fetch(tenant.factory, "select name from outbox where name like 'Invoice%' order by id")
    assert [row[0] for row in names] == ["InvoiceReported"] * 2 + ["InvoiceReversed", "InvoiceReported"]


async def test_refused_invoices_change_nothing(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(0, 20))
    await report(tenant.factory, made, said())
    draft = await make_draft(tenant, Direction.PURCHASE)
    state = await fetch(tenant.factory, STATE)
    cases: list[tuple[Actor, ReportInvoice, type[PortalError], str | None]] = [
        (tenant.factory, said(), InvoiceTwice, "number"),
        (tenant.factory, said("B", invoiced_on=days(2)), InvoiceAhead, "invoiced_on"),
        (tenant.factory, said("B", invoiced_on=YESTERDAY), InvoicePeriod, "period_day"),
        (tenant.factory, said("B", line_no=9), UnknownLine, "line_no"),
        (tenant.as_role(tenant.factory, Role.VIEWER), said("B"), Forbidden, None),
        (tenant.supplier, said("B"), Forbidden, None),
        (tenant.customer, said("B"), Forbidden, None),
    ]
    for actor, data, refusal, field in cases:
        with pytest.raises(refusal) as refused:
            await report(actor, made, data)
        assert refused.value.field == field
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(NotInvoicedYet):
            await report_invoice(session, tenant.factory, draft.id, said("B"))
        with pytest.raises(NotFound):
            await reverse_invoice(session, tenant.factory, made.contract.id, uuid7(), ReverseInvoice(reason="x"))
    assert await fetch(tenant.factory, STATE) == state
    assert await fetch(tenant.customer, "select 1 from contract_invoice") == []


async def test_a_pure_call_off_is_invoiced_by_line_and_reversed_once(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    invoice = await report(tenant.factory, made, said())
    assert invoice.bucket_id is None
    async with unit_of_work(tenant.factory) as session:
        await reverse_invoice(session, tenant.factory, made.contract.id, invoice.id, ReverseInvoice(reason="x"))
    with pytest.raises(InvoiceReversedAlready):
        async with unit_of_work(tenant.factory) as session:
            await reverse_invoice(session, tenant.factory, made.contract.id, invoice.id, ReverseInvoice(reason="x"))
    assert await fetch(tenant.factory, "select 1 from bucket_entry") == []


async def test_invoices_over_the_interface_and_on_both_pages(tenant: Tenant, database: Settings) -> None:
    app = create_app(database)
    made = await make_committed(tenant, span(0, 20))
    base = f"/api/v1/contracts/{made.contract.id}/invoices"
    body = {"number": "INV-7", "invoiced_on": today().isoformat(), "line_no": 10, "quantity": "40", "amount": "500"}
    async with calling(database, tenant.factory) as erp:
        answers = [await erp.post(base, json=body, headers={"Idempotency-Key": "INV-7"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        twice = await erp.post(base, json=body, headers={"Idempotency-Key": "other"})
        assert (twice.status_code, twice.json()["type"].rsplit("/")[-1]) == (409, "invoice-twice")
        (period,) = (await erp.get(f"/api/v1/contracts/{made.contract.id}/ledger")).json()["periods"]
        assert [D(period[name]) for name in ("invoiced", "over_invoiced")] == [40, 40]
        made_id = answers[0].json()["id"]
    async with signed_in(app, tenant.supplier) as supplier:
        page = text_of(await supplier.open(f"/contracts/{made.contract.id}/invoices"))
        assert "INV-7" in page
        assert "more than received" in page
        assert "Enter an invoice" not in page
        ledger = text_of(await supplier.open(f"/contracts/{made.contract.id}/ledger"))
        assert "more invoiced than received" in ledger
    async with signed_in(app, tenant.factory) as factory:
        here = f"/contracts/{made.contract.id}/invoices"
        form = {"line_no": "10", "number": "INV-7", "invoiced_on": today().isoformat(), "quantity": "1"}
        refused = await factory.send(here, **form)
        assert refused.status_code == 409
        assert "INV-7 is reported for" in text_of(refused)
        await factory.send(f"{here}/{made_id}/reverse", reason="Credited.")
        assert "Reversed" in text_of(await factory.open(here))
    assert await figures(tenant, made) == [{}]
