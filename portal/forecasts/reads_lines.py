"""What a commit in words can be about: the lines of the contracts that this company sells under, with their names."""

from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.contracts.parts import part_of
from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.schedules.service import visible

MOST = 2000  # lines looked at without a name; above, only those whose names stand in the words


class SoldLine(Struct, frozen=True):
    """One line of a contract in force with a release."""

    id: UUID
    contract_id: UUID
    contract_number: str
    party_name: str
    time_zone: str
    item_code: str
    partner_part_no: str
    description: str
    unit: str
    pack_size: Decimal

    def part(self, actor: Actor) -> str:
        """The part number as the reader's company writes it."""
        return part_of(self, actor)


_SOLD = f"""
select k.id, c.id, c.number, c.party_name, c.time_zone, k.item_code, k.partner_part_no, k.description, k.unit,
    k.pack_size
from contract c join contract_line k on k.tenant_id = $1 and k.contract_id = c.id
where c.tenant_id = $1 and ($2::uuid[] is null or c.id = any($2)) and c.direction = $3 and c.status = 'active'
    and c.release_no > 0 and ($4 = '' or position(lower(k.item_code) in $4) > 0
        or position(lower(c.number) in $4) > 0
        or k.partner_part_no <> '' and position(lower(k.partner_part_no) in $4) > 0)
order by c.number, c.id, k.line_no limit {MOST + 1}"""  # noqa: S608 - constants


async def sold_lines(connection: Driver, actor: Actor, words: str) -> list[SoldLine]:
    """By contract and line. words: what somebody wrote; among very many, only what it names is found."""
    sells = Direction.SALE if actor.is_factory else Direction.PURCHASE
    about = actor.tenant_id, visible(actor), sells.value
    rows = await connection.fetch(_SOLD, *about, "")
    if len(rows) > MOST:
        rows = await connection.fetch(_SOLD, *about, words.lower())
    return [SoldLine(*row.values()) for row in rows[:MOST]]
