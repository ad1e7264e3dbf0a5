"""What the grid shows: a contract's lines, and their deliveries by column, with what the next release changes."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.model import OPEN_SQL, LineStatus
from portal.schedules.rules_grid import Column, Held, is_fixed


class GridLine(Struct, frozen=True):
    """One row of the grid."""

    id: UUID
    line_no: int
    item_code: str
    description: str
    unit: str
    firm_days: int
    tradeoff_days: int
    pack_size: Decimal


_LINES = """
select id, line_no, item_code, description, unit, firm_days, tradeoff_days, pack_size from contract_line
where tenant_id = $1 and contract_id = $2 and ended_from is null order by line_no limit 200"""
_HELD = f"""
select l.contract_line_id, coalesce(p.due_date, l.due_date), l.id, coalesce(p.quantity, l.ordered_quantity), l.status,
    l.zone,
    l.shipped_quantity
from schedule_line l
left join line_plan p on p.tenant_id = l.tenant_id and p.schedule_line_id = l.id
where l.tenant_id = $1 and l.contract_id = $2 and coalesce(p.due_date, l.due_date) >= $3
    and coalesce(p.due_date, l.due_date) < $4
    and ({OPEN_SQL.replace("status", "l.status")} or l.status in ('draft', 'closed'))
order by 2, l.id"""  # noqa: S608 - own text
Cells = dict[tuple[UUID, date], list[Held]]  # by contract line and the first day of the column


async def grid_lines(connection: Driver, actor: Actor, contract_id: UUID) -> list[GridLine]:
    """The lines that deliveries are called off from, in the order of their numbers."""
    return [GridLine(*row) for row in await connection.fetch(_LINES, actor.tenant_id, contract_id)]


async def held_in(connection: Driver, actor: Actor, contract_id: UUID, columns: list[Column]) -> Cells:
    """The deliveries of a contract by cell. The factory's alone: drafts and edits are told to nobody."""
    found: Cells = {}
    rows = await connection.fetch(_HELD, actor.tenant_id, contract_id, columns[0].first, columns[-1].end)
    for line, due, line_id, quantity, status, zone, shipped in rows:
        column = next((column for column in columns if column.first <= due < column.end), None)
        if column is None:
            continue
        fixed = is_fixed(status, zone, Decimal(shipped))
        held = Held(line_id, quantity, fixed, status == LineStatus.DRAFT, due)
        found.setdefault((line, column.first), []).append(held)
    return found
