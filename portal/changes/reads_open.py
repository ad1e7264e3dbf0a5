"""What a wish can be about: open deliveries of the contracts in force, with everything that names them."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.parts import part_of
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.model import OPEN_SQL
from portal.schedules.service import visible

MOST = 2000  # deliveries looked at without a name; above, only those whose names stand in the words


class OpenDelivery(Struct, frozen=True):
    """One open delivery."""

    id: UUID
    version: int
    contract_id: UUID
    contract_number: str
    party_name: str
    time_zone: str
    contract_line_id: UUID
    item_code: str
    partner_part_no: str
    description: str
    place: str
    due_date: date
    quantity: Decimal
    unit: str
    pack_size: Decimal

    def part(self, actor: Actor) -> str:
        """The part number as the reader's company writes it."""
        return part_of(self, actor)


_OPEN = f"""
select l.id, l.version, l.contract_id, c.number, c.party_name, c.time_zone, l.contract_line_id, k.item_code,
    k.partner_part_no, k.description, coalesce(nullif(l.ship_to_code, ''), k.ship_to_code), l.due_date,
    l.ordered_quantity, l.unit, k.pack_size
from schedule_line l
join contract c on c.tenant_id = $1 and c.id = l.contract_id
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
where l.tenant_id = $1 and ($2::uuid[] is null or l.contract_id = any($2)) and {OPEN_SQL.replace("status", "l.status")}
    and c.status = 'active' and ($3 = '' or position(lower(k.item_code) in $3) > 0
        or position(lower(c.number) in $3) > 0
        or k.partner_part_no <> '' and position(lower(k.partner_part_no) in $3) > 0)
    and ($4::uuid is null or l.contract_id = $4) and ($5::uuid is null or l.contract_line_id = $5)
    and ($6::uuid is null or l.id = $6)
order by l.due_date, l.id limit {MOST + 1}"""  # noqa: S608 - constants


async def open_deliveries(
    connection: Driver,
    actor: Actor,
    *,
    words: str = "",
    contract_id: UUID | None = None,
    contract_line_id: UUID | None = None,
    line_id: UUID | None = None,
) -> list[OpenDelivery]:
    """In the order of their days. words: what somebody wrote; among very many, only what it names is found."""
    about = actor.tenant_id, visible(actor)
    among = contract_id, contract_line_id, line_id
    rows = await connection.fetch(_OPEN, *about, "", *among)
    if len(rows) > MOST and words:
        rows = await connection.fetch(_OPEN, *about, words.lower(), *among)
    return [OpenDelivery(*row.values()) for row in rows[:MOST]]
