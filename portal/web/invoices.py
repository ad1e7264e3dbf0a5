"""Invoices of a contract: what was invoiced in which period, as both sides see it; the factory reports and reverses."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from msgspec import Struct

from portal.contracts import service_invoices
from portal.contracts.bucket_words import period_title
from portal.contracts.inputs_invoices import ReportInvoice, ReverseInvoice
from portal.contracts.service import get_contract
from portal.contracts.service_invoices import INVOICED, may_report
from portal.contracts.words import show_price
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import driver, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.shipments.reads_invoices import InvoiceRow, LineInvoiced, invoices, lines_invoiced
from portal.web.contract_list import uuid_or_none
from portal.web.errors import status_of
from portal.web.field_errors import command
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

SHOWN = 100
SOURCES = {"api": N_("over the interface"), "page": N_("on the page")}
FIELDS = ("line_no", "number", "invoiced_on", "quantity", "amount", "period_day")


class InvoiceForm(Form):
    """An invoice, as typed."""

    line_no: str = ""
    number: str = ""
    invoiced_on: str = ""
    quantity: str = ""
    amount: str = ""
    period_day: str = ""

    def command(self) -> ReportInvoice:
        return command(ReportInvoice, self.model_dump())


class ReverseForm(Form):
    reason: str = ""

    def command(self) -> ReverseInvoice:
        return command(ReverseInvoice, self.model_dump())


class InvoiceView(Struct, frozen=True):
    """One invoice in words."""

    id: str
    number: str
    part: str
    day: str
    period: str
    href: str  # of the period
    quantity: str
    amount: str
    who: str
    reversed: str  # by whom and when; empty while it stands
    reason: str


class LineView(Struct, frozen=True):
    """One line with what was received and invoiced."""

    part: str
    received: str
    invoiced: str
    over: str  # invoiced beyond it


@get("/contracts/{contract_id:uuid}/invoices")
async def invoice_list(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    before: FromQuery[str] = "",
) -> Template:
    """The invoices of a contract, and the factory's form."""
    return await _page(actor, page, contract_id, Typed(), before)


@post("/contracts/{contract_id:uuid}/invoices")
async def report(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[InvoiceForm],
) -> Template | Redirect:
    """Write an invoice into its period."""
    try:
        async with unit_of_work(actor) as session:
            await service_invoices.report_invoice(session, actor, contract_id, data.command())
    except (Invalid, Conflict) as error:
        return await _page(actor, page, contract_id, Typed(data, error))
    return page.go(f"/contracts/{contract_id}/invoices")


@post("/contracts/{contract_id:uuid}/invoices/{invoice_id:uuid}/reverse")
async def reverse(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    invoice_id: FromPath[UUID],
    data: URLEncodedBody[ReverseForm],
) -> Template | Redirect:
    """Take an invoice back by a credit."""
    try:
        async with unit_of_work(actor) as session:
            await service_invoices.reverse_invoice(session, actor, contract_id, invoice_id, data.command())
    except (Invalid, Conflict) as error:
        return await _page(actor, page, contract_id, Typed(None, error))
    return page.go(f"/contracts/{contract_id}/invoices")


async def _page(actor: Actor, page: Page, contract_id: UUID, typed: Typed, before: str = "") -> Template:
    async with unit_of_work(actor) as session:
        contract = await get_contract(session, actor, contract_id)
        connection = await driver(session)
        rows = await invoices(connection, actor, contract_id, uuid_or_none(before), SHOWN)
        lines = await lines_invoiced(connection, actor, contract_id)
    today = local_today(clock.now(), contract.time_zone)
    return page.render(
        "ledger/invoices.html",
        active="contracts",
        status=status_of(typed.error) if typed.error is not None else 200,
        contract=contract,
        rows=[_view(row, contract_id, actor) for row in rows[:SHOWN]],
        older=str(rows[SHOWN - 1].id) if len(rows) > SHOWN else "",
        lines=[_line(line, actor) for line in lines if line.invoiced or line.received],
        choices=[(str(line.line_no), _choice(line, actor)) for line in lines],
        prices=actor.may(Permission.SEE_PRICES),
        reports=may_report(actor) and contract.status in INVOICED,
        today=today.isoformat(),
        typed=typed,
        fields=FIELDS,
    )


def _view(row: InvoiceRow, contract_id: UUID, actor: Actor) -> InvoiceView:
    source = _(SOURCES.get(row.source, row.source))
    period, href = "–", ""
    if row.period_start and row.period_end and row.cadence:
        period = period_title(row.cadence, row.period_start, row.period_end, year=True)
        href = f"/contracts/{contract_id}/ledger/{row.period_id}?number=invoiced"
    undone = ""
    if row.reversed_at is not None:
        undone = " · ".join(filter(None, (row.reversed_name, i18n.moment(row.reversed_at, actor.time_zone))))
    return InvoiceView(
        id=str(row.id),
        number=row.number,
        part=_part(row, actor),
        day=i18n.day(row.invoiced_on, year=True),
        period=period,
        href=href,
        quantity=show_quantity(row.quantity, row.unit),
        amount="" if row.amount is None else show_price(row.amount, row.currency),
        who=" · ".join(filter(None, (row.entered_name, source, i18n.moment(row.entered_at, actor.time_zone)))),
        reversed=undone,
        reason=row.reason,
    )


def _line(line: LineInvoiced, actor: Actor) -> LineView:
    over = show_quantity(line.over, line.unit) if line.over else ""
    received, invoiced = (show_quantity(quantity, line.unit) for quantity in (line.received, line.invoiced))
    return LineView(_part(line, actor), received, invoiced, over)


def _part(row: Any, actor: Actor) -> str:
    own = row.partner_part_no if not actor.is_factory else ""
    return own or row.item_code


def _choice(line: LineInvoiced, actor: Actor) -> str:
    return f"{line.line_no} · {_part(line, actor)} · {line.description}"


ROUTES: list[HTTPRouteHandler] = [invoice_list, report, reverse]
