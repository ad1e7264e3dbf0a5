"""What the factory alone sees before a release: what is held and why, and what is planned for published lines."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.model import ReleaseKind, Trigger
from portal.schedules.service import visible


class HeldRelease(Struct, frozen=True):
    """A release that waits for an approver."""

    id: UUID
    kind: ReleaseKind
    trigger: Trigger
    note: str
    prepared_at: datetime
    prepared_by: UUID | None
    prepared_name: str
    version: int
    out: list[dict[str, Any]]  # by contract line outside the tolerance: part, verdict, day, before, after, level


class PlannedLine(Struct, frozen=True):
    """What the next release will ask for instead of what is published."""

    line_id: UUID
    item_code: str
    description: str
    unit: str
    due_date: date
    quantity: Decimal
    planned_date: date
    planned_quantity: Decimal
    planned_by: str


_HELD = """
select id, kind, trigger, note, prepared_at, prepared_by, prepared_name, version, verdict -> 'out'
from prepared_release
where tenant_id = $1 and contract_id = $2 and waiting and ($3::uuid[] is null or contract_id = any($3))"""
_PLANNED = """
select l.id, k.item_code, k.description, l.unit, l.due_date, l.ordered_quantity, p.due_date, p.quantity, p.planned_by
from line_plan p
join schedule_line l on l.tenant_id = p.tenant_id and l.id = p.schedule_line_id
join contract_line k on k.tenant_id = l.tenant_id and k.id = l.contract_line_id
where p.tenant_id = $1 and p.contract_id = $2 and ($3::uuid[] is null or p.contract_id = any($3))
order by p.due_date, k.line_no, l.id"""


async def held_release(connection: Driver, actor: Actor, contract_id: UUID) -> HeldRelease | None:
    """What is held of a contract, if anything."""
    row = await connection.fetchrow(_HELD, actor.tenant_id, contract_id, visible(actor))
    if row is None:
        return None
    one, kind, trigger, note, at, member, name, version, out = row.values()
    return HeldRelease(one, ReleaseKind(kind), Trigger(trigger), note, at, member, name, version, out)


async def planned_lines(connection: Driver, actor: Actor, contract_id: UUID) -> list[PlannedLine]:
    """What is planned for published lines of a contract."""
    rows = await connection.fetch(_PLANNED, actor.tenant_id, contract_id, visible(actor))
    return [PlannedLine(*row) for row in rows]


async def planned_of(connection: Driver, actor: Actor, line_id: UUID) -> tuple[Decimal, date] | None:
    """What is planned for one line."""
    query = "select quantity, due_date from line_plan where tenant_id = $1 and schedule_line_id = $2"
    row = await connection.fetchrow(query, actor.tenant_id, line_id)
    return (row[0], row[1]) if row else None


_JOINABLE = """
select o.id, coalesce(q.quantity, o.ordered_quantity), o.order_no
from schedule_line l
join schedule_line o on o.tenant_id = l.tenant_id and o.contract_line_id = l.contract_line_id and o.id <> l.id
left join line_plan p on p.tenant_id = l.tenant_id and p.schedule_line_id = l.id
left join line_plan q on q.tenant_id = o.tenant_id and q.schedule_line_id = o.id
where l.tenant_id = $1 and l.id = $2 and coalesce(q.due_date, o.due_date) = coalesce(p.due_date, l.due_date)
    and o.ship_to_code = l.ship_to_code and o.price is not distinct from l.price and o.shipped_quantity = 0
    and o.deviation_id is null and l.deviation_id is null and coalesce(q.quantity, 1) > 0
    and o.status in ('published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected')
order by o.line_no limit 20"""


async def joinable(connection: Driver, actor: Actor, line_id: UUID) -> list[tuple[UUID, Decimal, str]]:
    """Other deliveries of its day, part, place and price that can become part of a line: id, quantity, order."""
    return [tuple(row) for row in await connection.fetch(_JOINABLE, actor.tenant_id, line_id)]
