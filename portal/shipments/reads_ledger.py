"""The entries of one period with the documents that wrote them: what a number of the ledger is made of."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.model_buckets import EntryKind
from portal.core.actor import Actor
from portal.core.conditions import Conditions
from portal.core.db import Driver

MOST = 500  # entries shown of one number


class EntryRow(Struct, frozen=True):
    """One entry of the ledger with its document's own name."""

    id: UUID
    kind: EntryKind
    quantity: Decimal
    at: datetime
    member_name: str
    reason: str
    document: str  # its table
    document_id: UUID
    number: str  # of a delivery note, a receipt or an invoice
    line_id: UUID | None  # the schedule line
    line_no: int | None
    due_date: date | None
    other_start: date | None  # the first day of the period that it was carried from or to


_ENTRIES = """
select e.id, e.kind, e.quantity, e.at, e.member_name, e.reason, e.document, e.document_id,
    coalesce(s.number, r.number, i.number, ''), e.line_id, l.line_no, l.due_date, o.period_start
from (select * from bucket_entry where {where} order by id desc limit {most}) e
left join schedule_line l on l.tenant_id = $1 and l.id = e.line_id
left join shipment s on e.document = 'shipment' and s.tenant_id = $1 and s.id = e.document_id
left join receipt r on e.document = 'receipt' and r.tenant_id = $1 and r.id = e.document_id
left join contract_invoice i on e.document = 'contract_invoice' and i.tenant_id = $1 and i.id = e.document_id
left join commitment_bucket o on e.document = 'commitment_bucket' and o.tenant_id = $1 and o.id = e.document_id
order by e.id desc"""


async def entries(connection: Driver, actor: Actor, bucket_id: UUID, kinds: Sequence[EntryKind] = ()) -> list[EntryRow]:
    """The entries of one period that the reader may see (`reads_buckets.get_period`), the newest first."""
    where = Conditions(actor)
    where.also("bucket_id =", bucket_id)
    if kinds:
        where.sql += f" and kind = any({where.arg([kind.value for kind in kinds])})"
    query = _ENTRIES.format(where=where.sql, most=MOST)
    return [
        EntryRow(row[0], EntryKind(row[1]), *list(row.values())[2:])
        for row in await connection.fetch(query, *where.args)
    ]


# What is drafted uses nothing, and a partner's role sees no drafts: the factory alone reads what it is about to call.
_DRAFTED = """
select b.id, sum(s.ordered_quantity)
from (select * from schedule_line where {where} and status = 'draft') s
join commitment_bucket b on b.tenant_id = $1 and b.contract_line_id = s.contract_line_id and b.closed_at is null
    and s.due_date >= b.period_start and s.due_date < b.period_end
group by b.id"""


async def drafted(connection: Driver, actor: Actor, contract_id: UUID) -> dict[UUID, Decimal]:
    """By period what lies in drafts for it, beside the ledger; for partners nothing."""
    if not actor.is_factory:
        return {}
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id)
    return dict(await connection.fetch(_DRAFTED.format(where=where.sql), *where.args))
