"""Releases as they are read: how each stands, what it told, and any two of a contract side by side."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.schedules.model import ReleaseKind, ReleaseStatus, Trigger
from portal.schedules.reads_board import ReleaseLineRow, ReleaseRow, releases
from portal.schedules.reads_contents import Contents, contents_of
from portal.schedules.rules_difference import ChangeKind, Difference, Frozen, LineChange, compare
from portal.schedules.service import visible

LONGEST_NUMBER = 2**31


class StandingRow(Struct, frozen=True):
    """What a release is beside its lines, and how it stands with the partner."""

    number: int
    kind: ReleaseKind
    trigger: Trigger
    replaces: int | None  # the release of the same kind before it
    daily_until: date | None  # told by single days up to here, then by weeks
    weekly_until: date | None  # by weeks up to here, then by months
    status: ReleaseStatus
    answer_by: datetime | None  # none: nobody asks for an acknowledgement
    delivered_at: datetime | None
    answered_at: datetime | None
    answered_by: str
    reason: str
    version: int  # for If-Match; 0: it is not answered


class Part(Struct, frozen=True):
    """One contract line as a comparison names it."""

    id: UUID
    item_code: str  # as the reader's company writes it
    description: str
    unit: str


class Comparison(Struct, frozen=True):
    """A release beside another one of its contract (none: there is no earlier one)."""

    release: ReleaseRow
    before: ReleaseRow | None
    lines: list[ReleaseLineRow]  # of the release, each with what it was
    gone: list[ReleaseLineRow]  # of the other one: no longer called off
    delivered: int  # of the other one: not there because it was delivered since
    difference: Difference
    parts: Mapping[UUID, Part]
    contents: Contents


_STANDINGS = """
select r.number, r.kind, r.trigger, r.prior_number, r.daily_until, r.weekly_until, coalesce(s.status, 'published'),
    s.answer_by, s.delivered_at, s.answered_at, coalesce(s.answered_name, ''), coalesce(s.reason, ''),
    coalesce(s.version, 0)
from release r left join release_standing s on s.tenant_id = r.tenant_id and s.release_id = r.id
where r.tenant_id = $1 and r.contract_id = $2 and ($3::uuid[] is null or r.contract_id = any($3))
    and ($4::int is null or r.number = $4)
order by r.number desc limit 500"""
_LINES = """
select r.schedule_line_id, r.contract_line_id, r.due_date, r.quantity, r.zone, r.level
from release_line r where r.tenant_id = $1 and r.release_id = $2 and ($3::date is null or r.due_date <= $3)
order by r.due_date, r.contract_line_id, r.id"""
_PARTS = """
select id, case when $3 then item_code else coalesce(nullif(partner_part_no, ''), item_code) end, description, unit
from contract_line where tenant_id = $1 and contract_id = $2 order by line_no"""
_TOLD = """
select number, contents from release
where tenant_id = $1 and contract_id = $2 and number > $3 and number <= $4 order by number"""


async def standings(
    connection: Driver, actor: Actor, contract_id: UUID, number: int | None = None
) -> dict[int, StandingRow]:
    """How the releases of a contract stand, newest first, by number; or the one with a number."""
    if number is not None and not 0 < number < LONGEST_NUMBER:
        return {}
    rows = await connection.fetch(_STANDINGS, actor.tenant_id, contract_id, visible(actor), number)
    return {row[0]: _standing(row) for row in rows}


def _standing(row: Any) -> StandingRow:
    number, kind, trigger, *middle = list(row.values())
    middle[3] = ReleaseStatus(middle[3])
    return StandingRow(number, ReleaseKind(kind), Trigger(trigger), *middle)


async def parts_of(connection: Driver, actor: Actor, contract_id: UUID) -> dict[UUID, Part]:
    """The contract's lines as the reader names them."""
    rows = await connection.fetch(_PARTS, actor.tenant_id, contract_id, actor.is_factory)
    return {row[0]: Part(*row) for row in rows}


class LatestRow(Struct, frozen=True):
    """The newest release of one contract."""

    contract_id: UUID
    contract_number: str
    party_name: str
    number: int


_LATEST = """
select c.id, c.number, c.party_name, r.number
from contract c join release r on r.tenant_id = $1 and r.contract_id = c.id and r.number = c.release_no
where c.tenant_id = $1 and c.status in ('active', 'suspended') and ($2::uuid[] is null or c.id = any($2))
    and ($4 = '' or upper(c.number) = upper($4))
order by r.published_at desc, r.id limit $3"""


async def latest(connection: Driver, actor: Actor, limit: int, contract: str = "") -> list[LatestRow]:
    """The newest release of each contract in force, the one published last first; or of the contract of a number."""
    rows = await connection.fetch(_LATEST, actor.tenant_id, visible(actor), limit, contract)
    return [LatestRow(*row) for row in rows]


async def frozen_lines(
    connection: Driver, actor: Actor, release_id: UUID, until: date | None = None
) -> list[tuple[Frozen, str, str]]:
    """The lines of a release with their zone and level, in the order of their days."""
    rows = await connection.fetch(_LINES, actor.tenant_id, release_id, until)
    return [(Frozen(one, part, due, quantity), zone, level) for one, part, due, quantity, zone, level in rows]


async def compared(
    connection: Driver, actor: Actor, contract_id: UUID, number: int, against: int | None = None
) -> Comparison:
    """A release beside another; without one, beside the one it was compared with when it was made. NotFound."""
    found = await releases(connection, actor, contract_id, number)
    if not found:
        raise NotFound
    told = await _told(connection, actor, contract_id, number, against)
    own = told.get(number, Contents())
    earlier = against if against is not None else own.prior or await _earlier(connection, actor, contract_id, number)
    before = await releases(connection, actor, contract_id, earlier) if earlier else []
    if against is not None and not before:
        raise NotFound
    new = await frozen_lines(connection, actor, found[0].id)
    old = await _former(connection, actor, found[0], before, new)
    delivered = {line for release, one in told.items() if release > (earlier or 0) for line in one.delivered}
    kept = [line for line, *_ in old if line.line_id not in delivered]
    difference = compare(kept, [line for line, *_ in new])
    parts = await parts_of(connection, actor, contract_id)
    marks = {line.line_id: (zone, level) for line, zone, level in new}
    if len(marks) < len(difference.lines):  # something is gone
        marks = {line.line_id: (zone, level) for line, zone, level in old} | marks
    gone = [_row(change, parts, marks) for change in difference.lines if change.after is None]
    lines = [_row(change, parts, marks) for change in difference.lines if change.after is not None]
    shown = before[0] if before else None
    return Comparison(found[0], shown, lines, gone, len(old) - len(kept), difference, parts, own)


async def _told(
    connection: Driver, actor: Actor, contract_id: UUID, number: int, against: int | None
) -> dict[int, Contents]:
    """What the releases from the other one to this one told, so that what was delivered meanwhile is known."""
    first = against if against is not None and 0 < against < LONGEST_NUMBER else number - 1
    rows = await connection.fetch(_TOLD, actor.tenant_id, contract_id, min(first, number - 1), max(first, number))
    return {row[0]: contents_of(row[1], actor) for row in rows}


async def _earlier(connection: Driver, actor: Actor, contract_id: UUID, number: int) -> int | None:
    """The release before one that does not say what it was compared with."""
    query = "select max(number) from release where tenant_id = $1 and contract_id = $2 and number < $3"
    found: int | None = await connection.fetchval(query, actor.tenant_id, contract_id, number)
    return found


async def _former(
    connection: Driver,
    actor: Actor,
    release: ReleaseRow,
    before: Sequence[ReleaseRow],
    new: Sequence[tuple[Frozen, str, str]],
) -> list[tuple[Frozen, str, str]]:
    """The other release's lines; beside a JIT release only as far as it reaches."""
    if not before:
        return []
    query = "select kind from release where tenant_id = $1 and id = $2"
    kind = await connection.fetchval(query, actor.tenant_id, release.id)
    until = release.horizon_end if kind == ReleaseKind.JIT else None
    return await frozen_lines(connection, actor, before[0].id, until)


def _row(change: LineChange, parts: Mapping[UUID, Part], marks: Mapping[UUID, tuple[str, str]]) -> ReleaseLineRow:
    """One change as pages, documents and the interface show it; of what is gone, as it was."""
    there, before = change.there, change.before
    part, (zone, level) = parts[there.part_id], marks[there.line_id]
    was: tuple[date | None, Decimal | None] = (None, None)
    if before is not None and change.after is not None:
        was = (before.due, before.quantity)
    return ReleaseLineRow(
        there.line_id,
        part.item_code,
        part.description,
        part.unit,
        there.due,
        there.quantity,
        zone,
        level,
        *was,
        there.part_id,
        change.kind is ChangeKind.REGROUPED,
    )
