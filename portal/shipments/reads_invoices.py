"""The invoices of a contract as both sides read them, and how much of each line is invoiced against what came."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.model_buckets import BucketCadence
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.conditions import Conditions
from portal.core.db import Driver


class InvoiceRow(Struct, frozen=True):
    """One invoice. `amount` only where the reader's role shows prices."""

    id: UUID
    number: str
    invoiced_on: date
    line_no: int
    item_code: str
    partner_part_no: str
    unit: str
    quantity: Decimal
    amount: Decimal | None
    currency: str
    period_id: UUID | None  # none: the line is a pure call-off
    period_start: date | None
    period_end: date | None  # the first day after it
    cadence: BucketCadence | None
    source: str  # page, api
    entered_name: str
    entered_at: datetime
    reversed_name: str
    reversed_at: datetime | None
    reason: str


class LineInvoiced(Struct, frozen=True):
    """One line of a contract with what was received and invoiced of it so far."""

    line_no: int
    item_code: str
    partner_part_no: str
    description: str
    unit: str
    received: Decimal
    invoiced: Decimal

    @property
    def over(self) -> Decimal:
        """Invoiced beyond what was received; 0 when nothing is."""
        return max(self.invoiced - self.received, Decimal(0))


_ROWS = """
select i.id, i.number, i.invoiced_on, l.line_no, l.item_code, l.partner_part_no, l.unit, i.quantity, i.amount,
    c.currency, i.bucket_id, b.period_start, b.period_end, b.cadence, i.source, i.entered_name, i.entered_at,
    i.reversed_name, i.reversed_at, i.reason
from (select * from contract_invoice where {where} order by id desc limit {limit}) i
join contract c on c.tenant_id = $1 and c.id = i.contract_id
join contract_line l on l.tenant_id = $1 and l.id = i.contract_line_id
left join commitment_bucket b on b.tenant_id = $1 and b.id = i.bucket_id
order by i.id desc"""
# What a line's periods say was received includes opening balances; a pure call-off has its deliveries only.
_LINES = """
select l.line_no, l.item_code, l.partner_part_no, l.description, l.unit,
    case when exists (select from commitment_bucket b where b.tenant_id = $1 and b.contract_line_id = l.id)
        then coalesce((select sum(e.quantity) from commitment_bucket b
            join bucket_entry e on e.tenant_id = b.tenant_id and e.bucket_id = b.id
            where b.tenant_id = $1 and b.contract_line_id = l.id and e.kind in ('received', 'opening_received')), 0)
        else coalesce((select sum(s.received_quantity) from schedule_line s
            where s.tenant_id = $1 and s.contract_line_id = l.id), 0) end,
    coalesce((select sum(i.quantity) from contract_invoice i
        where i.tenant_id = $1 and i.contract_line_id = l.id and i.reversed_at is null), 0)
from (select * from contract_line where {where}) l order by l.line_no"""


async def invoices(
    connection: Driver, actor: Actor, contract_id: UUID, before: UUID | None = None, limit: int = 200
) -> list[InvoiceRow]:
    """The newest invoices of a contract that the reader may see, one more than `limit` when there are older ones."""
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id)
    if before is not None:
        where.also("id <", before)
    return await _rows(connection, actor, where, limit + 1)


async def one_invoice(connection: Driver, actor: Actor, contract_id: UUID, invoice_id: UUID) -> InvoiceRow | None:
    """One invoice, or None when it is absent or not yours."""
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id, id=invoice_id)
    return next(iter(await _rows(connection, actor, where, 1)), None)


async def _rows(connection: Driver, actor: Actor, where: Conditions, limit: int) -> list[InvoiceRow]:
    query = _ROWS.format(where=where.sql, limit=limit)
    prices = actor.may(Permission.SEE_PRICES)
    found = []
    for row in await connection.fetch(query, *where.args):
        values = dict(zip(InvoiceRow.__struct_fields__, row.values(), strict=True))
        values["cadence"] = BucketCadence(values["cadence"]) if values["cadence"] else None
        values["amount"] = values["amount"] if prices else None
        found.append(InvoiceRow(**values))
    return found


async def lines_invoiced(connection: Driver, actor: Actor, contract_id: UUID) -> list[LineInvoiced]:
    """All lines of a contract with what was received and invoiced."""
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id)
    return [LineInvoiced(*row) for row in await connection.fetch(_LINES.format(where=where.sql), *where.args)]
