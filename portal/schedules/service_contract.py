"""What a contract is worth to its schedule: how much of it is used, how many deliveries are open, and its completion.

The contracts know nothing of schedules, so the question "is anything still open" is answered here.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service_life
from portal.contracts.model import Contract
from portal.contracts.service import get_contract
from portal.core import db
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.model import OPEN_SQL


class Use(Struct, frozen=True):
    """What was called off from one contract line so far, in the line's unit."""

    contract_line_id: UUID
    deliveries: int
    open: int  # deliveries the buyer still waits for
    overdue: int  # of these, due by the end of today
    next_due: date | None  # of these, the first due today or later
    called: Decimal  # asked for, without drafts and cancelled lines
    consumed: Decimal  # of the contract's total: open lines their order, ended ones what was received
    shipped: Decimal
    received: Decimal


# Counted by `rules.consumed_quantity` and `rules.OPEN`; `party_id` makes the unique index of the line numbers usable.
_USE = f"""
select contract_line_id, count(*) filter (where status not in ('draft', 'cancelled'))::int,
    count(*) filter (where {OPEN_SQL})::int, count(*) filter (where {OPEN_SQL} and due_date <= $4)::int,
    min(due_date) filter (where {OPEN_SQL} and due_date >= $4),
    coalesce(sum(ordered_quantity) filter (where status not in ('draft', 'cancelled')), 0),
    coalesce(sum(case when status in ('closed', 'cancelled') then received_quantity else ordered_quantity end)
        filter (where status <> 'draft'), 0),
    sum(shipped_quantity), sum(received_quantity)
from schedule_line
where tenant_id = $1 and party_id = $2 and contract_id = $3
group by contract_line_id"""  # noqa: S608 - own text


async def use_of_lines(connection: Driver, actor: Actor, contract: Contract, today: date) -> dict[UUID, Use]:
    """How far each line of a contract that the actor may see is used, by line id; a line never called off is absent."""
    rows = await connection.fetch(_USE, actor.tenant_id, contract.party_id, contract.id, today)
    return {row[0]: Use(*row) for row in rows}


async def complete_contract(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None
) -> Contract:
    """End a contract, if nothing of it is open. Raises OpenLines. Lines are added under the contract's lock only."""
    contract = await get_contract(session, actor, contract_id, lock=True)
    connection = await db.driver(session)
    count: int = await connection.fetchval(
        f"select count(*)::int from schedule_line where tenant_id = $1 and party_id = $2 and contract_id = $3"  # noqa: S608
        f" and ({OPEN_SQL} or status = 'draft')",
        *(actor.tenant_id, contract.party_id, contract.id),
    )
    return await service_life.complete(session, actor, contract_id, version, open_lines=count)
