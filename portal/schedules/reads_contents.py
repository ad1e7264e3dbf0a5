"""What a release tells beside its lines, as known when it was calculated, and how it is read back.

By contract line: what was received in all and up to when, the last three receipts, what is on the way, what is overdue,
how far the seller may make and buy, price and place. The documents belong to shipments, which stand above schedules, so
they are read here as rows.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct, convert

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.model import Level
from portal.schedules.rules import Fences
from portal.schedules.service_calculating import Calculation
from portal.schedules.service_terms import ContractHead

ZERO = Decimal(0)
DOCUMENTS = 3


class Document(Struct, frozen=True):
    """A receipt that the cumulative figure counts."""

    number: str
    day: date
    quantity: Decimal  # accepted and rejected


class PartContents(Struct, frozen=True):
    """What a release tells of one contract line. Quantities in its unit, since its cumulative start."""

    item_code: str
    unit: str
    revision: str
    ship_to_code: str
    unloading_point: str
    cum_received: Decimal
    received_on: date | None  # the last receipt
    in_transit: Decimal  # never clipped: below zero more was received than sent
    backlog: Decimal  # was asked for before, is due and open
    immediate: Decimal  # is due and asked for now first
    make_until: date  # go-ahead for making; deliveries up to here
    buy_until: date  # go-ahead for buying material
    documents: list[Document]
    firm_until: date | None = None
    price: Decimal | None = None  # per price_unit, in the contract's currency
    price_unit: Decimal | None = None


class Contents(Struct, frozen=True):
    """All of it. Imported releases tell nothing beside their lines."""

    contact: str = ""
    prior: int | None = None  # the release the lines were compared with
    delivered: list[UUID] = []  # schedule lines of the prior release that were delivered since
    parts: dict[UUID, PartContents] = {}


# Summed by contract line: `party_id` makes the unique index of the line numbers usable.
_SUMS = """
with sums as (
    select contract_line_id, sum(shipped_quantity) as shipped,
        sum(received_quantity + rejected_quantity) as received, max(last_received_on) as day
    from schedule_line l
    where l.tenant_id = $1 and l.party_id = $2 and l.contract_id = $3 and l.shipped_quantity + l.received_quantity > 0
    group by 1)
select k.id, k.item_code, k.unit, k.revision, k.ship_to_code, k.unloading_point, s.shipped, s.received, s.day,
    p.price, p.price_unit
from contract_line k left join sums s on s.contract_line_id = k.id
left join lateral (
    select price, price_unit from contract_price p
    where p.tenant_id = k.tenant_id and p.party_id = k.party_id and p.contract_line_id = k.id
        and p.valid_from <= $4::date and p.order_no = '' and p.from_quantity = 0
    order by p.valid_from desc limit 1) p on true
where k.tenant_id = $1 and k.contract_id = $3"""
_DOCUMENTS = """
select contract_line_id, number, received_on, counted, short from (
    select l.contract_line_id, r.number, r.received_on, sum(d.counted) as counted, sum(d.short) as short,
        r.posted_at
    from schedule_line l
    join receipt_line d on d.tenant_id = l.tenant_id and d.schedule_line_id = l.id
    join receipt r on r.tenant_id = d.tenant_id and r.id = d.receipt_id
    where l.tenant_id = $1 and l.party_id = $2 and l.contract_id = $3 and l.received_quantity > 0
        and not exists (
            select from receipt c where c.tenant_id = r.tenant_id and c.party_id = r.party_id and c.corrects_id = r.id)
    group by 1, 2, 3, r.posted_at) d
order by contract_line_id, received_on desc, posted_at desc"""


async def read_contents(connection: Driver, actor: Actor, head: ContractHead, made: Calculation) -> Contents:
    """Gather what the release tells beside its lines."""
    documents: dict[UUID, list[Document]] = defaultdict(list)
    short: dict[UUID, Decimal] = defaultdict(Decimal)
    for row in await connection.fetch(_DOCUMENTS, actor.tenant_id, head.party_id, head.id):
        short[row["contract_line_id"]] += row["short"]
        if len(documents[row["contract_line_id"]]) < DOCUMENTS:
            found = Document(row["number"], row["received_on"], row["counted"])
            documents[row["contract_line_id"]].append(found)
    due: dict[tuple[UUID, Level], Decimal] = defaultdict(Decimal)
    for line in made.lines:
        if line.level in (Level.BACKLOG, Level.IMMEDIATE):
            due[line.row["contract_line_id"], line.level] += line.quantity - line.row["received_quantity"]
    named = {line.row["contract_line_id"] for line in made.lines}
    rows = await connection.fetch(_SUMS, actor.tenant_id, head.party_id, head.id, made.today)
    parts = {}
    for row in (row for row in rows if row["id"] in named):
        part: UUID = row["id"]
        waits = [due[part, level] if due else ZERO for level in (Level.BACKLOG, Level.IMMEDIATE)]
        parts[part] = _part(made.ends[part], documents.get(part, []), short.get(part, ZERO), waits, *row.values())
    prior, delivered = (made.prior.number, made.prior.delivered) if made.prior else (None, [])
    return Contents(actor.name, prior, delivered, parts)


def _part(
    ends: Fences, documents: list[Document], short: Decimal, waits: list[Decimal], _part_id: UUID, *values: Any
) -> PartContents:
    *named, shipped, received, day, price, per = values
    came: Decimal = received or ZERO
    moving = (shipped or ZERO) - came - short
    until = (ends.make_until or ends.tradeoff_until, ends.tradeoff_until)
    told: list[Any] = [*named, came, day, moving, *waits, *until, documents, ends.firm_until, price, per]
    return PartContents(*told)


def contents_of(stored: dict[str, Any], actor: Actor) -> Contents:
    """The stored contents as this reader may see them: prices for whom prices are shown."""
    found = convert(stored, Contents, strict=False)
    if actor.may(Permission.SEE_PRICES):
        return found
    hidden = {
        part: PartContents(**{name: getattr(one, name) for name in PartContents.__struct_fields__[:-2]})
        for part, one in found.parts.items()
    }
    return Contents(found.contact, found.prior, found.delivered, hidden)
