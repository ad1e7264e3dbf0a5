"""Where the goods of one delivery are: the notes that they went out with, and what was counted of each."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.service import visible
from portal.shipments.reads import IN_FORCE


class Part(Struct, frozen=True):
    """What of a delivery is on one delivery note."""

    shipment_id: UUID
    number: str
    shipped_on: date
    expected_on: date | None
    quantity: Decimal
    accepted: Decimal | None  # none: not counted yet, so it is under way


_PARTS = f"""
select s.id, s.number, s.shipped_on, s.expected_on, sum(sl.quantity),
    case when bool_and(x.accepted is not null) then sum(x.accepted) end
from shipment_line sl
join shipment s on s.tenant_id = $1 and s.id = sl.shipment_id
left join lateral (
    select rl.accepted from receipt_line rl join receipt r on r.tenant_id = $1 and r.id = rl.receipt_id
    where rl.tenant_id = $1 and rl.shipment_line_id = sl.id and {IN_FORCE} limit 1) x on true
where sl.tenant_id = $1 and sl.schedule_line_id = $3 and ($2::uuid[] is null or sl.contract_id = any($2))
    and s.status <> 'withdrawn'
group by s.id, s.number, s.shipped_on, s.expected_on order by s.shipped_on desc, s.id desc limit $4"""  # noqa: S608


async def parts_of(connection: Driver, actor: Actor, line_id: UUID, limit: int) -> list[Part]:
    """The delivery notes of a delivery that count, newest first."""
    rows = await connection.fetch(_PARTS, actor.tenant_id, visible(actor), line_id, limit)
    return [Part(*row) for row in rows]
