"""What arrived of one contract line, day by day, for the cumulative chart."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.shipments.reads import IN_FORCE

_RECEIVED = f"""
select r.received_on, sum(l.accepted)
from receipt_line l
    join receipt r on r.tenant_id = $1 and r.id = l.receipt_id
    join schedule_line s on s.tenant_id = $1 and s.id = l.schedule_line_id
where l.tenant_id = $1 and s.contract_line_id = $2 and {IN_FORCE}
group by 1 order by 1"""  # noqa: S608 - constants


async def received_by_day(connection: Driver, actor: Actor, contract_line_id: UUID) -> list[tuple[date, Decimal]]:
    """(day, accepted quantity) of all receipts of one contract line, in the line's unit."""
    rows = await connection.fetch(_RECEIVED, actor.tenant_id, contract_line_id)
    return [(row[0], row[1]) for row in rows]
