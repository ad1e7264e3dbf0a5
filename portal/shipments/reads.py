"""Lists and details of delivery notes and receipts: driver rows into plain records.

Every query filters the tenant, the company and the contracts a colleague may see in its own words, as the second wall.
A restricted colleague sees documents that hold at least one line of its contracts, and of those its own lines only.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.i18n import N_, _
from portal.schedules.service import visible
from portal.shipments.model import ON_THE_WAY_SQL, Problem, ShipmentStatus
from portal.shipments.words import difference


class View(StrEnum):
    """The ready-made selections of the list of shipments."""

    ALL = "all"
    ON_THE_WAY = "on_the_way"
    RECEIVED = "received"
    WITHDRAWN = "withdrawn"


_VIEW_SQL = {
    View.ALL: "",
    View.ON_THE_WAY: f" and {ON_THE_WAY_SQL}",
    View.RECEIVED: " and status in ('received', 'closed')",
    View.WITHDRAWN: " and status = 'withdrawn'",
}


class ShipmentFilter(Struct, frozen=True):
    """What the reader asked to see; empty parts restrict nothing."""

    view: View = View.ALL
    search: str = ""  # the number of a delivery note, or its order
    direction: Direction | None = None
    contract_id: UUID | None = None


class ShipmentRow(Struct, frozen=True):
    """One delivery note as lists and the interface show it."""

    id: UUID
    number: str
    direction: Direction
    status: ShipmentStatus
    shipped_on: date
    expected_on: date | None
    carrier: str
    vehicle: str
    order_no: str
    ship_to_code: str
    note: str
    version: int
    party_id: UUID
    party_name: str  # the partner; the other side is always the factory
    lines: int
    item_code: str  # of the first line
    partner_part_no: str
    description: str
    quantity: Decimal  # of the first line
    unit: str

    def sides(self, factory: str) -> tuple[str, str]:
        """(seller, buyer) by name."""
        return (factory, self.party_name) if self.direction == Direction.SALE else (self.party_name, factory)


class NoteLine(Struct, frozen=True):
    """One line of a delivery note, with what its receipt in force says."""

    id: UUID
    line_no: int
    schedule_line_id: UUID
    contract_id: UUID
    contract_number: str
    item_code: str
    description: str
    partner_part_no: str
    revision: str
    order_no: str
    due_date: date
    unloading_point: str
    quantity: Decimal
    unit: str
    lot: str
    packages: int | None
    package_size: Decimal | None
    receipt_id: UUID | None
    receipt_number: str | None
    accepted: Decimal | None
    rejected: Decimal | None
    short: Decimal | None
    problem: Problem | None
    note: str | None


class ReceiptRow(Struct, frozen=True):
    """One receipt as lists and the interface show it."""

    id: UUID
    number: str
    received_on: date
    posted_at: datetime
    note: str
    shipment_id: UUID
    shipment_number: str
    direction: Direction
    party_id: UUID
    party_name: str
    member_name: str | None  # who counted; the factory's people are not named to partners
    corrects_id: UUID | None
    replaced_by: UUID | None
    lines: int
    differing: int  # lines with something short, rejected or in excess
    item_code: str  # of the first line
    partner_part_no: str
    description: str
    accepted: Decimal
    unit: str


class CountedRow(Struct, frozen=True):
    """One line of a receipt."""

    id: UUID
    shipment_line_id: UUID
    schedule_line_id: UUID
    contract_id: UUID
    contract_number: str
    item_code: str
    description: str
    partner_part_no: str
    announced: Decimal
    counted: Decimal
    accepted: Decimal
    rejected: Decimal
    short: Decimal
    unit: str
    problem: Problem | None
    note: str


class Document(Struct, frozen=True):
    """A shipment or receipt behind a figure of one schedule line."""

    kind: str  # a text to translate
    id: UUID
    number: str
    date: date
    quantity: Decimal  # shipped or accepted; zero when it no longer counts
    note: str
    href: str


# --- delivery notes ---------------------------------------------------------------------------------------------------

_HAS_SEEN_LINE = """ and ($2::uuid[] is null or exists (select 1 from shipment_line v
    where v.tenant_id = $1 and v.shipment_id = s.id and v.contract_id = any($2)))"""
_OF_CONTRACT = """ and exists (select 1 from shipment_line w
    where w.tenant_id = $1 and w.shipment_id = s.id and w.contract_id = {})"""
_SHIPMENT = """
select s.id, s.number, s.direction, s.status, s.shipped_on, s.expected_on, s.carrier, s.vehicle, s.order_no,
    s.ship_to_code, s.note, s.version, s.party_id, p.name, d.*
from (select * from shipment s where {where}) s
join party p on p.tenant_id = $1 and p.party_id = s.party_id and p.id = s.party_id
cross join lateral (
    select count(*) over ()::int, k.item_code, k.partner_part_no, k.description, sl.quantity, sl.unit
    from shipment_line sl
    join schedule_line l on l.tenant_id = $1 and l.id = sl.schedule_line_id
    join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
    where sl.tenant_id = $1 and sl.shipment_id = s.id and ($2::uuid[] is null or sl.contract_id = any($2))
    order by sl.line_no limit 1) d
order by {order}"""


async def list_shipments(
    connection: Driver, actor: Actor, wanted: ShipmentFilter, after: tuple[date, UUID] | None, limit: int
) -> list[ShipmentRow]:
    """One page, newest first, after a key; one row more than `limit` when there is a next page."""
    where = Conditions(actor, visible(actor), table="s")
    where.sql += _VIEW_SQL[wanted.view] + _HAS_SEEN_LINE
    if wanted.direction is not None:
        where.sql += f" and s.direction = {where.arg(wanted.direction.value)}"
    if wanted.search:
        text = where.arg(wanted.search)
        where.sql += f" and (s.number = {text} or s.order_no = {text})"
    if wanted.contract_id is not None:
        where.sql += _OF_CONTRACT.format(where.arg(wanted.contract_id))
    if after is not None:
        where.sql += f" and (s.shipped_on, s.id) < ({where.arg(after[0])}, {where.arg(after[1])})"
    where.sql += f" order by s.shipped_on desc, s.id desc limit {limit + 1}"
    query = _SHIPMENT.format(where=where.sql, order="s.shipped_on desc, s.id desc")
    return [ShipmentRow(*row) for row in await connection.fetch(query, *where.args)]


_WAITS_FOR_COUNT = """ and ($2::uuid[] is null or exists (select 1 from shipment_line v
    where v.tenant_id = $1 and v.shipment_id = s.id and v.contract_id = any($2) and not exists (
        select 1 from receipt_line c where c.tenant_id = $1 and c.shipment_line_id = v.id)))"""


async def to_receive(connection: Driver, actor: Actor, limit: int) -> list[ShipmentRow]:
    """What is on the way to this company and waits for its count, the longest under way first."""
    where = Conditions(actor, visible(actor), table="s")
    buys = Direction.PURCHASE if actor.is_factory else Direction.SALE
    where.sql += f" and {ON_THE_WAY_SQL}{_WAITS_FOR_COUNT} and s.direction = {where.arg(buys.value)}"
    where.sql += f" order by s.shipped_on, s.id limit {limit}"
    query = _SHIPMENT.format(where=where.sql, order="s.shipped_on, s.id")
    return [ShipmentRow(*row) for row in await connection.fetch(query, *where.args)]


async def get_shipment(connection: Driver, actor: Actor, shipment_id: UUID) -> ShipmentRow:
    """One delivery note. Absent, foreign and hidden: NotFound."""
    where = Conditions(actor, visible(actor), table="s")
    where.sql += f" and s.id = {where.arg(shipment_id)}"
    row = await connection.fetchrow(_SHIPMENT.format(where=where.sql, order="s.id"), *where.args)
    if row is None:
        raise NotFound
    return ShipmentRow(*row)


async def find_shipments(
    connection: Driver, actor: Actor, *, token: str | None = None, typed: str | None = None
) -> list[UUID]:
    """The delivery notes behind a scanned code or a typed number, newest first. Numbers may repeat; codes do not."""
    where = Conditions(actor, visible(actor), table="s")
    where.sql += _HAS_SEEN_LINE
    if token is not None:
        where.sql += f" and s.scan_token = {where.arg(token)}"
    else:
        where.sql += f" and s.number = {where.arg(typed)} and s.status <> 'withdrawn'"
    query = f"select s.id from shipment s where {where.sql} order by s.shipped_on desc, s.id desc limit 20"  # noqa: S608
    return [row["id"] for row in await connection.fetch(query, *where.args)]


async def scan_token(connection: Driver, actor: Actor, shipment_id: UUID) -> str:
    """The code printed on a delivery note. Absent, foreign and hidden: NotFound."""
    where = Conditions(actor, visible(actor), table="s")
    where.sql += f"{_HAS_SEEN_LINE} and s.id = {where.arg(shipment_id)}"
    token = await connection.fetchval(f"select s.scan_token from shipment s where {where.sql}", *where.args)  # noqa: S608
    if token is None:
        raise NotFound
    return str(token)


IN_FORCE = """not exists (select 1 from receipt later where later.tenant_id = r.tenant_id
    and later.party_id = r.party_id and later.corrects_id = r.id)"""

_NOTE_LINES = f"""
select sl.id, sl.line_no, sl.schedule_line_id, sl.contract_id, c.number, k.item_code, k.description, k.partner_part_no,
    k.revision, l.order_no, l.due_date, k.unloading_point, sl.quantity, sl.unit, sl.lot, sl.packages, sl.package_size,
    x.receipt_id, x.number, x.accepted, x.rejected, x.short, x.problem, x.note
from shipment_line sl
join schedule_line l on l.tenant_id = $1 and l.id = sl.schedule_line_id
join contract c on c.tenant_id = $1 and c.id = sl.contract_id
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
left join lateral (
    select r.id as receipt_id, r.number, rl.accepted, rl.rejected, rl.short, rl.problem, rl.note
    from receipt_line rl join receipt r on r.tenant_id = $1 and r.id = rl.receipt_id
    where rl.tenant_id = $1 and rl.shipment_line_id = sl.id and {IN_FORCE} limit 1) x on true
where sl.tenant_id = $1 and sl.shipment_id = $3 and ($2::uuid[] is null or sl.contract_id = any($2))
order by sl.line_no"""  # noqa: S608 - constants


async def note_lines(connection: Driver, actor: Actor, shipment_id: UUID) -> list[NoteLine]:
    """The lines of a delivery note that this colleague may see, with what was counted of each."""
    rows = await connection.fetch(_NOTE_LINES, actor.tenant_id, visible(actor), shipment_id)
    return [NoteLine(*row) for row in rows]


# --- receipts ---------------------------------------------------------------------------------------------------------

_RECEIPT = """
select r.id, r.number, r.received_on, r.posted_at, r.note, r.shipment_id, s.number, s.direction, r.party_id, p.name,
    m.name, r.corrects_id, (select n.id from receipt n where n.tenant_id = $1 and n.party_id = r.party_id
        and n.corrects_id = r.id), d.*
from (select * from receipt r where {where}) r
join shipment s on s.tenant_id = $1 and s.id = r.shipment_id
join party p on p.tenant_id = $1 and p.party_id = r.party_id and p.id = r.party_id
left join member m on m.tenant_id = $1 and m.id = r.member_id
cross join lateral (
    select count(*) over ()::int,
        (count(*) filter (where rl.short <> 0 or rl.rejected <> 0) over ())::int,
        k.item_code, k.partner_part_no, k.description, rl.accepted, rl.unit
    from receipt_line rl
    join schedule_line l on l.tenant_id = $1 and l.id = rl.schedule_line_id
    join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
    where rl.tenant_id = $1 and rl.receipt_id = r.id and ($2::uuid[] is null or rl.contract_id = any($2))
    order by rl.id limit 1) d
order by r.received_on desc, r.id desc"""
_HAS_SEEN_COUNT = """ and ($2::uuid[] is null or exists (select 1 from receipt_line v
    where v.tenant_id = $1 and v.receipt_id = r.id and v.contract_id = any($2)))"""


async def list_receipts(
    connection: Driver, actor: Actor, after: tuple[date, UUID] | None, limit: int, shipment_id: UUID | None = None
) -> list[ReceiptRow]:
    """One page of posted receipts, newest first; one row more than `limit` when there is a next page."""
    where = Conditions(actor, visible(actor), table="r")
    where.sql += _HAS_SEEN_COUNT
    if shipment_id is not None:
        where.sql += f" and r.shipment_id = {where.arg(shipment_id)}"
    if after is not None:
        where.sql += f" and (r.received_on, r.id) < ({where.arg(after[0])}, {where.arg(after[1])})"
    where.sql += f" order by r.received_on desc, r.id desc limit {limit + 1}"
    return [ReceiptRow(*row) for row in await connection.fetch(_RECEIPT.format(where=where.sql), *where.args)]


async def get_receipt(connection: Driver, actor: Actor, receipt_id: UUID) -> ReceiptRow:
    """One receipt. Absent, foreign and hidden: NotFound."""
    where = Conditions(actor, visible(actor), table="r")
    where.sql += f" and r.id = {where.arg(receipt_id)}"
    row = await connection.fetchrow(_RECEIPT.format(where=where.sql), *where.args)
    if row is None:
        raise NotFound
    return ReceiptRow(*row)


_COUNTED = """
select rl.id, rl.shipment_line_id, rl.schedule_line_id, rl.contract_id, c.number, k.item_code, k.description,
    k.partner_part_no, rl.announced, rl.counted, rl.accepted, rl.rejected, rl.short, rl.unit, rl.problem, rl.note
from receipt_line rl
join shipment_line sl on sl.tenant_id = $1 and sl.id = rl.shipment_line_id
join schedule_line l on l.tenant_id = $1 and l.id = rl.schedule_line_id
join contract c on c.tenant_id = $1 and c.id = rl.contract_id
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
where rl.tenant_id = $1 and rl.receipt_id = $3 and ($2::uuid[] is null or rl.contract_id = any($2))
order by sl.line_no"""


async def counted_rows(connection: Driver, actor: Actor, receipt_id: UUID) -> list[CountedRow]:
    """The lines of a receipt that this colleague may see."""
    rows = await connection.fetch(_COUNTED, actor.tenant_id, visible(actor), receipt_id)
    return [CountedRow(*row) for row in rows]


# --- the documents behind one schedule line ---------------------------------------------------------------------------

_SHIPPED = """
select s.id, s.number, s.shipped_on, s.status, sum(sl.quantity), string_agg(nullif(sl.lot, ''), ', ')
from shipment_line sl join shipment s on s.tenant_id = $1 and s.id = sl.shipment_id
where sl.tenant_id = $1 and sl.schedule_line_id = $3 and ($2::uuid[] is null or sl.contract_id = any($2))
group by s.id, s.number, s.shipped_on, s.status order by s.shipped_on, s.id"""
_RECEIVED = f"""
select r.id, r.number, r.received_on, {IN_FORCE}, sum(rl.accepted), sum(rl.rejected), sum(rl.short), rl.unit,
    max(rl.problem)
from receipt_line rl join receipt r on r.tenant_id = $1 and r.id = rl.receipt_id
where rl.tenant_id = $1 and rl.schedule_line_id = $3 and ($2::uuid[] is null or rl.contract_id = any($2))
group by r.id, r.tenant_id, r.party_id, r.number, r.received_on, rl.unit order by r.received_on, r.id"""  # noqa: S608 - constants


async def documents_of(connection: Driver, actor: Actor, line_id: UUID) -> list[Document]:
    """The shipments and receipts that a schedule line's sums are made of, by day."""
    shipped = await connection.fetch(_SHIPPED, actor.tenant_id, visible(actor), line_id)
    received = await connection.fetch(_RECEIVED, actor.tenant_id, visible(actor), line_id)
    documents = [_shipped(row) for row in shipped] + [_received(row) for row in received]
    return sorted(documents, key=lambda document: document.date)


def _shipped(row: Any) -> Document:
    document_id, no, day, status, quantity, lots = row
    withdrawn = status == ShipmentStatus.WITHDRAWN
    note = _("Withdrawn") if withdrawn else _("Lot {lot}").format(lot=lots) if lots else ""
    counts = Decimal(0) if withdrawn else quantity
    return Document(N_("Delivery note"), document_id, no, day, counts, note, f"/shipments/{document_id}")


def _received(row: Any) -> Document:
    document_id, no, day, in_force, accepted, rejected, short, unit, problem = row
    note = difference(rejected, short, unit, problem) if in_force else _("Replaced by a correction")
    counts = accepted if in_force else Decimal(0)
    return Document(N_("Receipt"), document_id, no, day, counts, note, f"/receipts/{document_id}")
