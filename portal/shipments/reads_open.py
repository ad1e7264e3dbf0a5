"""What can be shipped now: open schedule lines of the contracts on which the reader's company sells."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.schedules.rules import SHIPPABLE
from portal.schedules.service import visible
from portal.shipments.reads import IN_FORCE


class OpenLine(Struct, frozen=True):
    """A schedule line that can be shipped, with what is still to be shipped."""

    id: UUID
    contract_id: UUID
    contract_number: str
    party_id: UUID
    party_name: str
    due_date: date
    item_code: str
    description: str
    partner_part_no: str
    order_no: str
    ship_to_code: str
    ordered_quantity: Decimal
    left: Decimal  # ordered less what was shipped and neither short nor rejected
    unit: str
    pack_size: Decimal


class OpenContract(Struct, frozen=True):
    """A contract with something to ship."""

    id: UUID
    number: str
    party_name: str
    lines: int
    first_due: date


_LEFT = f"""
select l.id, l.contract_id, c.number, l.party_id, c.party_name, l.due_date, k.item_code, k.description,
    k.partner_part_no, l.order_no, coalesce(nullif(l.ship_to_code, ''), k.ship_to_code), l.ordered_quantity,
    l.ordered_quantity - l.shipped_quantity + l.rejected_quantity + coalesce(x.short, 0) as rest, l.unit, k.pack_size
from schedule_line l
join contract c on c.tenant_id = $1 and c.id = l.contract_id
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
left join lateral (
    select sum(rl.short) as short from receipt_line rl join receipt r on r.tenant_id = $1 and r.id = rl.receipt_id
    where rl.tenant_id = $1 and rl.schedule_line_id = l.id and {IN_FORCE}) x on true
where l.tenant_id = $1 and ($2::uuid[] is null or l.contract_id = any($2)) and c.direction = $3
    and ($4::uuid is null or l.party_id = $4) and l.status = any($5)"""  # noqa: S608 - constants

_OPEN_LINES = f"""
select * from ({_LEFT} and l.contract_id = $6 and l.due_date <= $7) o where o.rest > 0
order by o.due_date, o.id limit $8"""  # noqa: S608 - constants
_OPEN_CONTRACTS = f"""
select o.contract_id, o.number, o.party_name, count(*)::int, min(o.due_date) from ({_LEFT}) o where o.rest > 0
group by 1, 2, 3 order by 5, 2 limit $6"""  # noqa: S608 - constants


def _first(actor: Actor) -> tuple[object, ...]:
    """The parameters of every query here: tenant, contracts in sight, the direction of selling, company, statuses."""
    sells = Direction.SALE if actor.is_factory else Direction.PURCHASE
    party = None if actor.is_factory else actor.party_id
    return actor.tenant_id, visible(actor), sells.value, party, [status.value for status in SHIPPABLE]


async def contract_head(connection: Driver, actor: Actor, contract_id: UUID) -> tuple[str, str]:
    """(number, partner) of a contract on which this company sells. Absent, foreign, hidden, bought: NotFound."""
    tenant, contracts, sells, party, _statuses = _first(actor)
    row = await connection.fetchrow(
        "select number, party_name from contract where tenant_id = $1 and ($2::uuid[] is null or id = any($2))"
        " and direction = $3 and ($4::uuid is null or party_id = $4) and id = $5",
        *(tenant, contracts, sells, party, contract_id),
    )
    if row is None:
        raise NotFound
    return row["number"], row["party_name"]


async def open_lines(
    connection: Driver, actor: Actor, contract_id: UUID, until: date, limit: int = 100
) -> list[OpenLine]:
    """What of a contract is due until a day and not wholly shipped, by due date."""
    rows = await connection.fetch(_OPEN_LINES, *_first(actor), contract_id, until, limit)
    return [OpenLine(*row) for row in rows]


async def open_line(connection: Driver, actor: Actor, line_id: UUID) -> OpenLine:
    """One line that can be shipped, even if nothing is left of it. Absent, foreign, hidden, not open: NotFound."""
    row = await connection.fetchrow(f"{_LEFT} and l.id = $6", *_first(actor), line_id)
    if row is None:
        raise NotFound
    return OpenLine(*row)


async def open_contracts(connection: Driver, actor: Actor, limit: int = 100) -> list[OpenContract]:
    """The contracts with something to ship, the most urgent first."""
    rows = await connection.fetch(_OPEN_CONTRACTS, *_first(actor), limit)
    return [OpenContract(*row) for row in rows]
