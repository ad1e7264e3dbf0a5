"""Invoices of contracts over the interface: reported by the factory's ERP, read by both sides, reversed by a credit."""

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service_invoices
from portal.contracts.inputs_invoices import ReportInvoice, ReverseInvoice
from portal.contracts.service import get_contract
from portal.core import paging
from portal.core.actor import Actor
from portal.core.db import driver
from portal.core.errors import NotFound
from portal.parameters import FromPath, FromQuery, JSONBody
from portal.shipments import reads_invoices
from portal.shipments.reads_invoices import InvoiceRow


class InvoiceController(Controller):
    path = "/contracts/{contract_id:uuid}/invoices"
    tags = ("Contracts",)

    @get()
    async def invoices(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
    ) -> paging.PageOf[InvoiceRow]:
        """The invoices of a contract, the newest first, reversed ones too; amounts where the role shows prices."""
        paging.check_limit(limit)
        (before,) = paging.decode(cursor, UUID) if cursor else (None,)
        await get_contract(session, actor, contract_id)
        rows = await reads_invoices.invoices(await driver(session), actor, contract_id, before, limit)
        return paging.PageOf(rows[:limit], paging.encode(rows[limit - 1].id) if len(rows) > limit else None)

    @post(status_code=HTTP_201_CREATED)
    async def report(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[ReportInvoice],
    ) -> InvoiceRow:
        """Report an invoiced quantity of a line, which its period's ledger holds. Send an Idempotency-Key.

        The period is the one that holds the invoice's day, or `period_day` where that is given. A number that stands
        on the line already is refused; more than was received is written and marked.
        """
        made = await service_invoices.report_invoice(session, actor, contract_id, data)
        return await one(session, actor, contract_id, made.id)

    @post("/{invoice_id:uuid}/reverse", status_code=HTTP_200_OK)
    async def reverse(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        invoice_id: FromPath[UUID],
        data: JSONBody[ReverseInvoice],
    ) -> InvoiceRow:
        """Take an invoice back: a credit entry in the same period. Its number may then be reported again."""
        await service_invoices.reverse_invoice(session, actor, contract_id, invoice_id, data)
        return await one(session, actor, contract_id, invoice_id)


async def one(session: AsyncSession, actor: Actor, contract_id: UUID, invoice_id: UUID) -> InvoiceRow:
    """One invoice after a command."""
    row = await reads_invoices.one_invoice(await driver(session), actor, contract_id, invoice_id)
    if row is None:
        raise NotFound
    return row


ROUTES: list[Any] = [InvoiceController]
