"""Lists of the catalogue as driver rows."""

from uuid import UUID

from msgspec import Struct

from portal.catalog.service import require_factory
from portal.core.actor import Actor
from portal.core.db import Driver


class ItemRow(Struct, frozen=True):
    """One item in a list."""

    id: UUID
    code: str
    description: str
    revision: str
    unit: str
    category: str
    version: int
    part_numbers: int  # how many partners' part numbers are known


class PartNumberRow(Struct, frozen=True):
    """One partner's own number for an item."""

    id: UUID
    party_id: UUID
    party_code: str
    party_name: str
    part_no: str


_ITEMS = """
select i.id, i.code, i.description, i.revision, i.unit, i.category, i.version,
    (select count(*)::int from party_item p where p.tenant_id = $1 and p.item_id = i.id) as part_numbers
from item i
where i.tenant_id = $1 and i.code > $2
    and ($3 = '' or i.code ilike $3 || '%' or i.description ilike '%' || $3 || '%'
         or exists (select from party_item p where p.tenant_id = $1 and p.item_id = i.id and p.part_no ilike $3 || '%'))
order by i.code
limit $4"""


async def item_rows(connection: Driver, actor: Actor, q: str, after: str, limit: int) -> list[ItemRow]:
    """One page of items by code, after a code; one row more than `limit` when there is a next page.

    q: the beginning of a code or of a partner's part number, or words of the description.
    """
    require_factory(actor)
    rows = await connection.fetch(_ITEMS, actor.tenant_id, after, escaped(q), limit + 1)
    return [ItemRow(*row) for row in rows]


def escaped(words: str) -> str:
    """What the reader typed, with no sign in it that a LIKE pattern would take for a wildcard."""
    return words.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


_PART_NUMBERS = """
select p.id, p.party_id, c.code, c.name, p.part_no
from party_item p join party c on c.tenant_id = p.tenant_id and c.party_id = p.party_id
where p.tenant_id = $1 and p.item_id = $2
order by lower(c.name), p.part_no"""


async def part_number_rows(connection: Driver, actor: Actor, item_id: UUID) -> list[PartNumberRow]:
    """What the partners call an item."""
    require_factory(actor)
    rows = await connection.fetch(_PART_NUMBERS, actor.tenant_id, item_id)
    return [PartNumberRow(*row) for row in rows]
