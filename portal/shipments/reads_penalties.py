"""Deliveries of one contract that came late, and those that are late and still to come."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.model_buckets import PriceBasis
from portal.core.actor import Actor
from portal.core.conditions import Conditions
from portal.core.db import Driver
from portal.schedules.model import OPEN_SQL
from portal.shipments.reads import IN_FORCE


class LateRow(Struct, frozen=True):
    """So much of one delivery, with what its price may depend on. `before`: what the line had received before it."""

    line_id: UUID  # the delivery
    contract_line_id: UUID
    line_no: int
    item_code: str
    partner_part_no: str
    order_no: str
    order_date: date | None
    due_date: date
    quantity: Decimal
    unit: str
    own_price: Decimal | None
    basis: PriceBasis | None  # of its period; none: a pure call-off
    period_start: date | None
    receipt_id: UUID | None  # none: still to come
    receipt_no: str
    received_on: date | None
    before: Decimal


_FIELDS = (
    """l.id, l.contract_line_id, l.line_no, k.item_code, k.partner_part_no, l.order_no, l.order_date, l.due_date"""
)
_PRICED = "k.unit, l.price, b.price_basis, b.period_start"
_JOINS = """join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
left join commitment_bucket b on b.tenant_id = $1 and b.id = l.bucket_id"""
_LATE = f"""
with came as (
    select rl.schedule_line_id, rl.accepted, r.id, r.number, r.received_on,
        sum(rl.accepted) over (partition by l.contract_line_id order by r.received_on, r.id, rl.id)
            - rl.accepted as so_far
    from (select * from schedule_line where {{where}}) l
    join receipt_line rl on rl.tenant_id = $1 and rl.schedule_line_id = l.id
    join receipt r on r.tenant_id = $1 and r.id = rl.receipt_id
    where {IN_FORCE})
select {_FIELDS}, came.accepted, {_PRICED}, came.id, came.number, came.received_on, came.so_far
from came join schedule_line l on l.tenant_id = $1 and l.id = came.schedule_line_id and came.received_on > l.due_date
{_JOINS} where came.accepted > 0
union all
select {_FIELDS}, l.ordered_quantity - l.received_quantity, {_PRICED}, null, '', null,
    coalesce((select sum(accepted) from came join schedule_line x on x.tenant_id = $1 and x.id = came.schedule_line_id
        where x.contract_line_id = l.contract_line_id), 0)
from (select * from schedule_line where {{where}} and {OPEN_SQL} and due_date < {{today}}
    and ordered_quantity > received_quantity) l
{_JOINS} order by 8 desc, 3 desc, 15"""  # noqa: S608 - own text, bound values


async def late(connection: Driver, actor: Actor, contract_id: UUID, today: date) -> list[LateRow]:
    """What came after its agreed day or is overdue today, the newest agreed day first."""
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id)
    query = _LATE.format(where=where.sql, today=where.arg(today))
    found = []
    for row in await connection.fetch(query, *where.args):
        values = dict(zip(LateRow.__struct_fields__, row.values(), strict=True))
        values["basis"] = PriceBasis(values["basis"]) if values["basis"] else None
        found.append(LateRow(**values))
    return found
