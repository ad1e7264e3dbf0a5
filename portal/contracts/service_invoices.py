"""Invoices: reported by the factory's ERP or typed, written into the ledger of their period, reversed by a credit."""

import logging
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import InvoiceReported, InvoiceReversed
from portal.contracts.inputs_invoices import ReportInvoice, ReverseInvoice
from portal.contracts.model import Contract, ContractLine, ContractStatus
from portal.contracts.model_buckets import CommitmentBucket, EntryKind
from portal.contracts.model_invoices import ContractInvoice
from portal.contracts.rules_periods import DAY
from portal.contracts.rules_versions import UnknownLine
from portal.contracts.service import get_contract, get_lines, subject
from portal.contracts.service_buckets import Entry, post
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.days import check_document_day
from portal.core.db import driver
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.journal import Event, emit, record
from portal.core.quantities import check_scale

logger = logging.getLogger(__name__)
S = ContractStatus
INVOICED = (
    S.ACTIVE,
    S.SUSPENDED,
    S.COMPLETED,
    S.TERMINATED,
    S.EXPIRED,
)  # also after its end


class NotInvoicedYet(Conflict):
    code = "not-invoiced-yet"
    text = N_("Invoices belong to a contract that is or was in force; this one is “{status}”.")


class InvoiceTwice(Conflict):
    code = "invoice-twice"
    text = N_(
        "Invoice {number} is reported for {item} already, on {day}. Enter another number, or reverse that one first."
    )


class InvoiceAhead(Invalid):
    code = "invoice-ahead"
    text = N_("The invoice is dated {day}, which is still to come. Enter a day up to {today}.")


class InvoicePeriod(Invalid):
    code = "invoice-period"
    text = N_("{item} has no period that holds {day}. Enter a day from {first} to {last} as the day of its period.")


class InvoiceReversedAlready(Conflict):
    code = "invoice-reversed"
    text = N_("Invoice {number} was reversed on {day}, so there is nothing left to take back.")


def may_report(actor: Actor) -> bool:
    """Whether this reader reports and reverses invoices."""
    return actor.is_factory and actor.may(Permission.EDIT_CONTRACTS)


async def report_invoice(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: ReportInvoice
) -> ContractInvoice:
    """Write an invoice into the period that holds its day, or into the period of another day that is named.

    More than was received is written too: the ledger marks it. Raises InvoiceTwice for a number that stands already.
    """
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id, lock=True)  # so that two of one number meet here
    if contract.status not in INVOICED:
        raise NotInvoicedYet(status=contract.status)
    today = local_today(clock.now(), contract.time_zone)
    if data.invoiced_on > today:
        raise InvoiceAhead(field="invoiced_on", day=data.invoiced_on, today=today)
    check_document_day(data.invoiced_on, contract.valid_from, today, "invoiced_on")
    line = await _line(session, actor, contract, data.line_no)
    check_scale(data.quantity, line.unit)
    await _check_new(session, line, data.number)
    invoice = ContractInvoice(
        tenant_id=contract.tenant_id,
        party_id=contract.party_id,
        contract_id=contract.id,
        contract_line_id=line.id,
        bucket_id=await _period(session, line, data),
        **data.model_dump(include={"number", "invoiced_on", "quantity", "amount"}),
        source=actor.channel.value[:8],
        entered_by=actor.member_id,
        entered_name=actor.name,
        entered_at=clock.now(),
    )
    session.add(invoice)
    await session.flush()
    await _book(session, actor, invoice, 1)
    told = _figures(line, invoice)
    _told(session, actor, contract, "invoice_reported", InvoiceReported(contract.id, invoice.id), told)
    return invoice


async def reverse_invoice(
    session: AsyncSession, actor: Actor, contract_id: UUID, invoice_id: UUID, data: ReverseInvoice
) -> ContractInvoice:
    """Take an invoice back by a credit entry. Its number is free again, for the invoice as it should have been."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id, lock=True)
    query = select(ContractInvoice).where(
        ContractInvoice.tenant_id == actor.tenant_id,
        ContractInvoice.contract_id == contract.id,
        ContractInvoice.id == invoice_id,
    )
    invoice = (await session.exec(query.with_for_update())).one_or_none()
    if invoice is None:
        raise NotFound
    if invoice.reversed_at is not None:
        raise InvoiceReversedAlready(number=invoice.number, day=local_today(invoice.reversed_at, contract.time_zone))
    invoice.reversed_by, invoice.reversed_name, invoice.reversed_at = actor.member_id, actor.name, clock.now()
    invoice.reason = data.reason
    await _book(session, actor, invoice, -1, data.reason)
    lines = await get_lines(session, actor, contract.id)
    line = next(line for line in lines if line.id == invoice.contract_line_id)
    told = _figures(line, invoice) | {"reason": data.reason}
    _told(session, actor, contract, "invoice_reversed", InvoiceReversed(contract.id, invoice.id), told)
    return invoice


async def _line(session: AsyncSession, actor: Actor, contract: Contract, line_no: int) -> ContractLine:
    for line in await get_lines(session, actor, contract.id):
        if line.line_no == line_no:
            return line
    raise UnknownLine(field="line_no", line_no=line_no)


async def _check_new(session: AsyncSession, line: ContractLine, number: str) -> None:
    query = select(col(ContractInvoice.invoiced_on)).where(
        ContractInvoice.tenant_id == line.tenant_id,
        ContractInvoice.contract_line_id == line.id,
        ContractInvoice.number == number,
        col(ContractInvoice.reversed_at).is_(None),
    )
    former = (await session.exec(query)).first()
    if former is not None:
        raise InvoiceTwice(field="number", number=number, item=line.item_code, day=former)


async def _period(session: AsyncSession, line: ContractLine, data: ReportInvoice) -> UUID | None:
    """The period that the invoice belongs to; none for a pure call-off. Raises InvoicePeriod."""
    query = select(CommitmentBucket).where(
        CommitmentBucket.tenant_id == line.tenant_id, CommitmentBucket.contract_line_id == line.id
    )
    periods = (await session.exec(query.order_by(col(CommitmentBucket.period_start)))).all()
    day = data.period_day or data.invoiced_on
    for period in periods:
        if period.period_start <= day < period.period_end:
            return period.id
    if not periods:
        return None
    first, last = periods[0].period_start, periods[-1].period_end - DAY
    raise InvoicePeriod(field="period_day", item=line.item_code, day=day, first=first, last=last)


async def _book(session: AsyncSession, actor: Actor, invoice: ContractInvoice, sign: int, reason: str = "") -> None:
    if invoice.bucket_id is None:
        return
    document = ("contract_invoice", invoice.id)
    entry = Entry(invoice.party_id, invoice.bucket_id, EntryKind.INVOICED, sign * invoice.quantity, *document)
    await post(await driver(session), actor, [entry], reason)


def _figures(line: ContractLine, invoice: ContractInvoice) -> dict[str, Any]:
    """What the history says; amounts stay out of it, because readers may not see prices."""
    what = {"number": invoice.number, "quantity": str(invoice.quantity), "unit": line.unit}
    return what | {"item_code": line.item_code, "line_no": line.line_no, "day": invoice.invoiced_on}


def _told(
    session: AsyncSession, actor: Actor, contract: Contract, verb: str, event: Event, data: dict[str, Any]
) -> None:
    record(session, actor, subject(contract), verb, **data)
    emit(session, actor, contract.party_id, event)
    logger.info("invoice written", extra={"contract_id": str(contract.id), "verb": verb})
