"""Lists of change requests as driver rows, and one with everything that its card shows."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from portal.changes.model import ChangeStatus
from portal.core import paging
from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions, containing
from portal.core.db import Driver


class View(StrEnum):
    """The ready-made selections of the list."""

    TO_ANSWER = "to_answer"  # the own company answers next
    WAITING = "waiting"  # the other company does
    DRAFTS = "drafts"  # of the own company
    DECIDED = "decided"
    ALL = "all"


WAITING_SQL = "status in ('submitted', 'in_review', 'countered')"
_VIEWS = {
    View.TO_ANSWER: f" and {WAITING_SQL} and offered_scope <> {{0}}",
    View.WAITING: f" and ({WAITING_SQL} and offered_scope = {{0}} or status in ('accepted', 'apply_failed'))",
    View.DRAFTS: " and status = 'draft'",
    View.DECIDED: " and status in ('applied', 'declined', 'withdrawn', 'expired') and submitted_at is not null",
    View.ALL: "",
}


class ChangeFilter(Struct, frozen=True):
    """What the reader asked to see; empty parts restrict nothing."""

    view: View = View.ALL
    search: str = ""  # a number, or in the contract's number, the partner's name, or an item code
    contract_id: UUID | None = None
    line_id: UUID | None = None
    change_id: UUID | None = None


class ChangeRow(Struct, frozen=True):
    """One request in a list."""

    id: UUID
    number: str | None
    status: ChangeStatus
    way: str
    reason: str
    note: str
    asked_scope: str
    asked_name: str
    offered_scope: str
    offer_no: int
    created_at: datetime
    submitted_at: datetime | None
    respond_by: datetime | None
    decided_at: datetime | None
    release_no: int | None
    version: int
    contract_id: UUID
    contract_number: str
    party_name: str
    direction: Direction
    parts: int
    carried: int  # of these, carry-overs; the others are deliveries
    items: list[str]  # part numbers as the reader's company writes them, at most three


_COLUMNS = """r.id, r.number, r.status, r.way, r.reason, r.note, r.asked_scope, r.asked_name, r.offered_scope,
    r.offer_no, r.created_at, r.submitted_at, r.respond_by, r.decided_at, r.release_no, r.version, r.contract_id,
    c.number, c.party_name, c.direction, p.parts, p.carried, p.items"""
JOINS = """ join contract c on c.tenant_id = $1 and c.id = r.contract_id
    cross join lateral (
        select count(*)::int as parts, count(*) filter (where q.kind = 'carry_over')::int as carried,
            (array_agg(distinct case when {factory} then k.item_code
            else coalesce(nullif(k.partner_part_no, ''), k.item_code) end))[1:3] as items
        from change_part q join contract_line k on k.tenant_id = $1 and k.id = q.contract_line_id
        where q.tenant_id = $1 and q.change_id = r.id and q.offer_no = r.offer_no) p"""
SEARCH = """ and (number = {0} or exists (select from contract c where c.tenant_id = $1 and c.id = contract_id
        and (c.number ilike {1} or c.party_name ilike {1}))
    or exists (select from change_part q join contract_line k on k.tenant_id = $1 and k.id = q.contract_line_id
        where q.tenant_id = $1 and q.change_id = change_request.id
            and (k.item_code ilike {1} or k.partner_part_no ilike {1})))"""
_OF_LINE = """ and exists (select from change_part q where q.tenant_id = $1 and q.change_id = change_request.id
    and q.line_id = {0})"""
# By deadline first; what has none comes after it, the newest first.
_ORDER = "respond_by nulls last, id desc"


def _where(actor: Actor, wanted: ChangeFilter) -> Conditions:
    """What this reader may see and asked for; `service.visible` in the words of the driver."""
    where = Conditions(actor, contract="contract_id")
    where.sql += f" and (submitted_at is not null or asked_scope = {where.arg(actor.scope.value)})"
    condition = _VIEWS[wanted.view]
    where.sql += condition.format(where.arg(actor.scope.value)) if "{0}" in condition else condition
    where.equal(contract_id=wanted.contract_id, id=wanted.change_id)
    if words := wanted.search.strip():
        where.sql += SEARCH.format(where.arg(words.upper()), where.arg(containing(words)))
    if wanted.line_id is not None:
        where.sql += _OF_LINE.format(where.arg(wanted.line_id))
    return where


def after(cursor: str | None) -> tuple[datetime | None, UUID] | None:
    """The key in a cursor. Raises BadCursor."""
    if not cursor:
        return None
    due, last = paging.decode(cursor, _moment, UUID)
    return due, last


def _moment(text: str | None) -> datetime | None:
    found = None if text is None else datetime.fromisoformat(text)
    if found is not None and found.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return found


async def list_changes(
    connection: Driver,
    actor: Actor,
    wanted: ChangeFilter,
    after_key: tuple[datetime | None, UUID] | None = None,
    limit: int = 50,
) -> list[ChangeRow]:
    """One page by deadline, after a key; one row more than `limit` when there is a next page."""
    where = _where(actor, wanted)
    if after_key is not None:
        due, last = after_key
        if due is None:
            where.sql += f" and respond_by is null and id < {where.arg(last)}"
        else:
            when = where.arg(due)
            where.sql += (
                f" and (respond_by is null or respond_by > {when} or respond_by = {when} and id < {where.arg(last)})"
            )
    joins = JOINS.format(factory="true" if actor.is_factory else "false")
    query = (
        f"select {_COLUMNS} from (select * from change_request where {where.sql}"  # noqa: S608 - own text, bound values
        f" order by {_ORDER} limit {limit + 1}) r {joins} order by r.respond_by nulls last, r.id desc"
    )
    return [ChangeRow(*row) for row in await connection.fetch(query, *where.args)]


def key(row: ChangeRow) -> str:
    """The cursor after a row."""
    return paging.encode(row.respond_by, row.id)


async def contract_items(connection: Driver, actor: Actor, contract_id: UUID) -> list[tuple[UUID, str]]:
    """The lines of a contract that something can be called off from, as (id, part and name)."""
    where = Conditions(actor, contract="contract_id")
    where.equal(contract_id=contract_id)
    part = "item_code" if actor.is_factory else "coalesce(nullif(partner_part_no, ''), item_code)"
    query = (
        f"select id, {part} || ' ' || description from contract_line where {where.sql} and ended_from is null"  # noqa: S608
        " order by line_no limit 1000"
    )
    return [(row[0], row[1]) for row in await connection.fetch(query, *where.args)]


async def count_changes(connection: Driver, actor: Actor, view: View, limit: int = 1000) -> int:
    """How many requests a view holds, counted up to a limit."""
    where = _where(actor, ChangeFilter(view))
    query = f"select count(*) from (select 1 from change_request where {where.sql} limit {limit}) r"  # noqa: S608
    return int(await connection.fetchval(query, *where.args))


async def waiting_of_line(connection: Driver, actor: Actor, line_id: UUID) -> list[tuple[UUID, str]]:
    """The requests about a delivery that are not decided yet, as (id, number)."""
    where = Conditions(actor, contract="contract_id", table="r")
    query = (
        "select r.id, r.number from change_request r join change_part q on q.tenant_id = $1"  # noqa: S608 - own text
        f" and q.change_id = r.id and q.offer_no = r.offer_no where {where.sql} and r.number is not null"
        f" and r.{WAITING_SQL} and q.line_id = {where.arg(line_id)} order by r.id"
    )
    return [(row[0], row[1]) for row in await connection.fetch(query, *where.args)]


class FileRow(Struct, frozen=True):
    """A file on a request."""

    id: UUID
    name: str
    size: int
    added_by: str
    added_scope: str
    added_at: datetime


async def files_of(connection: Driver, actor: Actor, change_id: UUID) -> list[FileRow]:
    """The files of a request that the reader may see, the oldest first."""
    where = Conditions(actor)
    where.equal(change_id=change_id)
    query = f"select id, name, size, added_by, added_scope, added_at from change_file where {where.sql} order by id"  # noqa: S608
    return [FileRow(*row) for row in await connection.fetch(query, *where.args)]
