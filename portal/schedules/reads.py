"""Hot lists: driver rows into plain records. Every query filters the tenant in its own words, as the second wall."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions, containing
from portal.core.db import Driver
from portal.schedules.model import OPEN_SQL, LineStatus
from portal.schedules.service import visible


class View(StrEnum):
    """The ready-made selections of the list."""

    ALL = "all"
    OPEN = "open"
    TO_CONFIRM = "to_confirm"
    OVERDUE = "overdue"
    CLOSED = "closed"
    DRAFT = "draft"  # in no release yet; the factory's own
    AT_RISK = "at_risk"  # the seller doubts the material
    TO_DECIDE = "to_decide"  # an answer differs from what was asked: the buyer decides


DRAFTS = 1000  # draft lines read for one contract's page

_VIEW_SQL = {
    View.OPEN: f" and {OPEN_SQL}",
    View.TO_CONFIRM: f" and {OPEN_SQL} and status = 'proposed' and deviation_id is null",
    View.OVERDUE: f" and {OPEN_SQL}",
    View.ALL: " and status <> 'draft'",
    View.CLOSED: " and status = 'closed'",
    View.DRAFT: " and status = 'draft'",
    View.AT_RISK: f" and {OPEN_SQL} and supply_state = 'at_risk'",
    View.TO_DECIDE: " and deviation_id is not null",
}


class LineFilter(Struct, frozen=True):
    """What the reader asked to see; empty parts restrict nothing."""

    view: View = View.ALL
    search: str = ""
    contract_id: UUID | None = None
    party_id: UUID | None = None
    since: date | None = None  # due dates, both inclusive
    until: date | None = None
    today: date | None = None  # for `overdue`: due on this day or earlier
    contract_line_id: UUID | None = None


class LineRow(Struct, frozen=True):
    """One schedule line as lists and the interface show it."""

    id: UUID
    line_no: int
    due_date: date
    requested_date: date
    promised_date: date | None
    status: LineStatus
    zone: str | None
    level: str | None
    unit: str
    ordered_quantity: Decimal
    confirmed_quantity: Decimal
    shipped_quantity: Decimal
    received_quantity: Decimal
    rejected_quantity: Decimal
    order_no: str
    ship_to_code: str
    supply_state: str
    supply_note: str
    respond_by: datetime | None
    version: int
    contract_id: UUID
    contract_number: str
    direction: Direction
    party_name: str
    item_code: str
    description: str
    partner_part_no: str
    contract_line_id: UUID
    deviation_id: UUID | None  # an answer that waits for the buyer's decision
    requested_quantity: Decimal | None  # as first asked, where another was agreed on
    deemed: bool  # confirmed because nobody answered in time
    currency: str
    deviation_price: str | None  # whether the seller may ask for another price; none: not


_COLUMNS = """l.id, l.line_no, l.due_date, l.requested_date, l.promised_date, l.status, l.zone, l.level, l.unit,
    l.ordered_quantity, l.confirmed_quantity, l.shipped_quantity, l.received_quantity, l.rejected_quantity, l.order_no,
    l.ship_to_code, l.supply_state, l.supply_note, l.respond_by, l.version, l.contract_id, c.number, c.direction,
    c.party_name, k.item_code, k.description, k.partner_part_no, l.contract_line_id,
    l.deviation_id, l.requested_quantity, l.deemed, c.currency, c.deviation_price"""
_JOINS = """ join contract c on c.tenant_id = $1 and c.id = l.contract_id
    join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id"""
_SEARCH = """ and (order_no = {0} or contract_line_id in (
    select k.id from contract_line k join contract c on c.tenant_id = $1 and c.id = k.contract_id
    where k.tenant_id = $1 and (k.item_code ilike {1} or k.partner_part_no ilike {1} or k.description ilike {1}
        or c.number ilike {1} or c.partner_reference ilike {1})))"""


def _where(actor: Actor, wanted: LineFilter) -> Conditions:
    """The conditions on schedule_line for this reader and filter."""
    where = Conditions(actor, contract="contract_id")
    where.sql += _VIEW_SQL[wanted.view]
    if wanted.view is View.OVERDUE:
        where.also("due_date <=", wanted.today)
    where.equal(contract_id=wanted.contract_id, contract_line_id=wanted.contract_line_id, party_id=wanted.party_id)
    if wanted.since is not None:
        where.also("due_date >=", wanted.since)
    if wanted.until is not None:
        where.also("due_date <=", wanted.until)
    if wanted.search:
        where.sql += _SEARCH.format(where.arg(wanted.search), where.arg(containing(wanted.search)))
    return where


def page_query(actor: Actor, wanted: LineFilter, after: tuple[date, UUID] | None, limit: int) -> tuple[str, list[Any]]:
    """The statement of one page and its parameters."""
    where = _where(actor, wanted)
    if after is not None:
        where.sql += f" and (due_date, id) > ({where.arg(after[0])}, {where.arg(after[1])})"
    # The page is cut before it is joined, so that the price of a page never depends on what lies behind it.
    query = (
        f"select {_COLUMNS} from (select * from schedule_line where {where.sql}"  # noqa: S608 - own text, bound values
        f" order by due_date, id limit {limit + 1}) l {_JOINS} order by l.due_date, l.id"
    )
    return query, where.args


async def list_lines(
    connection: Driver, actor: Actor, wanted: LineFilter, after: tuple[date, UUID] | None, limit: int
) -> list[LineRow]:
    """One page in the order of due date and id, after a key; one row more than `limit` when there is a next page."""
    query, args = page_query(actor, wanted, after, limit)
    return [LineRow(*row) for row in await connection.fetch(query, *args)]


async def get_row(connection: Driver, actor: Actor, line_id: UUID) -> LineRow | None:
    """One line by its id, or None when it is absent or not yours."""
    where = Conditions(actor, contract="contract_id")
    where.sql += f" and id = {where.arg(line_id)}"
    query = f"select {_COLUMNS} from (select * from schedule_line where {where.sql}) l {_JOINS}"  # noqa: S608
    row = await connection.fetchrow(query, *where.args)
    return None if row is None else LineRow(*row)


async def rows_of(connection: Driver, actor: Actor, ids: list[UUID]) -> dict[UUID, LineRow]:
    """Those of these lines that are there and the reader's to see."""
    where = Conditions(actor, contract="contract_id")
    where.sql += f" and id = any({where.arg(ids)})"
    query = f"select {_COLUMNS} from (select * from schedule_line where {where.sql}) l {_JOINS}"  # noqa: S608
    return {row["id"]: LineRow(*row) for row in await connection.fetch(query, *where.args)}


async def count_lines(connection: Driver, actor: Actor, wanted: LineFilter, limit: int = 1000) -> int:
    """How many lines fit, counted up to a limit, because nobody reads a larger number on a tab."""
    where = _where(actor, wanted)
    query = f"select count(*) from (select 1 from schedule_line where {where.sql} limit {limit}) l"  # noqa: S608
    return int(await connection.fetchval(query, *where.args))


async def to_confirm(
    connection: Driver, actor: Actor, limit: int, contract_id: UUID | None = None, *, on_behalf: bool = False
) -> list[LineRow]:
    """What waits for this company's answer as seller, the earliest deadline first. Oldest due date breaks ties.

    on_behalf: what waits for its suppliers instead, whose answers the factory enters.
    """
    where = Conditions(actor, contract="contract_id")
    where.sql += f" and {OPEN_SQL} and status = 'proposed' and deviation_id is null"
    if contract_id is not None:
        where.sql += f" and contract_id = {where.arg(contract_id)}"
    sells = Direction.SALE if actor.is_factory and not on_behalf else Direction.PURCHASE
    query = (
        f"select {_COLUMNS} from (select * from schedule_line where {where.sql}) l {_JOINS}"  # noqa: S608
        f" where c.direction = {where.arg(sells.value)} order by l.respond_by nulls last, l.due_date, l.id"
        f" limit {limit}"
    )
    return [LineRow(*row) for row in await connection.fetch(query, *where.args)]


async def to_decide(connection: Driver, actor: Actor, limit: int) -> list[LineRow]:
    """Whose answer differs from what this company asked for as buyer, and waits for its decision; soonest first."""
    where = Conditions(actor, contract="contract_id")
    where.sql += " and deviation_id is not null"
    buys = Direction.PURCHASE if actor.is_factory else Direction.SALE
    query = (
        f"select {_COLUMNS} from (select * from schedule_line where {where.sql}) l {_JOINS}"  # noqa: S608
        f" where c.direction = {where.arg(buys.value)} order by l.due_date, l.id limit {limit}"
    )
    return [LineRow(*row) for row in await connection.fetch(query, *where.args)]


class Happening(Struct, frozen=True):
    """One entry of a document's history."""

    id: UUID
    verb: str
    version: int
    member_name: str
    scope: str
    channel: str
    data: dict[str, Any]
    at: datetime


async def history(connection: Driver, actor: Actor, subject_id: UUID, limit: int = 200) -> list[Happening]:
    """What happened to a document, newest first."""
    rows = await connection.fetch(
        "select id, verb, version, member_name, scope, channel, data, at from timeline"
        " where tenant_id = $1 and subject_id = $2 and ($3::uuid[] is null or contract_id = any($3))"
        " order by id desc limit $4",
        *(actor.tenant_id, subject_id, visible(actor), limit),
    )
    return [Happening(*row) for row in rows]


class PromiseRow(Struct, frozen=True):
    """One part of an answer of the seller."""

    quantity: Decimal
    delivery_date: date
    despatch_date: date | None = None
    status: str = "valid"  # or needs_approval: the buyer decides
    deviations: str = ""  # kinds, with commas between
    reason: str = ""
    note: str = ""
    on_behalf: bool = False  # entered by the buyer, as the seller said it elsewhere
    deemed: bool = False  # nobody answered in time
    price: Decimal | None = None  # per unit, where the seller asks for another and the reader sees prices


async def promises(connection: Driver, actor: Actor, line_id: UUID) -> list[PromiseRow]:
    """What is promised for one line, and what waits for the buyer's decision; earliest first."""
    rows = await connection.fetch(
        "select quantity, delivery_date, despatch_date, status, deviations, reason, note, on_behalf, deemed,"
        " case when $3 then price end"
        " from confirmation where tenant_id = $1 and line_id = $2 and status in ('valid', 'needs_approval')"
        " order by delivery_date, id",
        *(actor.tenant_id, line_id, actor.may(Permission.SEE_PRICES)),
    )
    return [PromiseRow(*row) for row in rows]
