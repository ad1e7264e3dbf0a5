"""The live lines follow what a release is going to say of them: planned changes, moved drafts, lines split off.

A line that changes is a new request: what was promised for the old one no longer counts, and its seller is asked anew.
The period's ledger takes the difference.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model_buckets import EntryKind
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import Entry, consume, give_back, post
from portal.core import db
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.db import Driver
from portal.core.journal import Subject, record
from portal.schedules.model import LineStatus
from portal.schedules.service_calculating import Calculation, Line
from portal.schedules.service_terms import ContractHead, new_line, store_lines

_MOVE = """
update schedule_line l set due_date = r.due, ordered_quantity = r.quantity, version = l.version + 1,
    requested_date = case when l.status = 'draft' then r.due else l.requested_date end,
    status = case when l.status = 'draft' then 'draft' else 'published' end, confirmed_quantity = 0,
    respond_by = null, reject_reason = '', deviation_id = null, deemed = false,
    requested_quantity = case when l.status <> 'draft' and r.quantity <> l.ordered_quantity
        then coalesce(l.requested_quantity, l.ordered_quantity) else l.requested_quantity end
from unnest($2::text::uuid[], $3::text::date[], $4::text::numeric[]) as r(id, due, quantity)
where l.tenant_id = $1 and l.id = r.id"""
_CLOSE_PROMISES = """
update confirmation set status = 'closed'
where tenant_id = $1 and line_id = any($2) and status in ('valid', 'needs_approval')"""
_FORGET = "delete from line_plan where tenant_id = $1 and schedule_line_id = any($2)"


async def follow(session: AsyncSession, actor: Actor, head: ContractHead, made: Calculation) -> list[Line]:
    """Write what changes of the live lines before they are frozen. Returns the lines as they are then."""
    connection = await db.driver(session)
    planned = [row["id"] for row in (*(one.row for one in made.lines), *made.joined) if row["planned"] is not None]
    if planned:
        await connection.execute(_FORGET, actor.tenant_id, planned)
    changed = [one for one in made.lines if one.changed and not one.split and not one.regrouped]
    if not changed and not any(one.split for one in made.lines):
        return made.lines
    if changed:
        moved = [(one.row["id"], one.due, one.quantity) for one in changed]
        await connection.execute(_MOVE, actor.tenant_id, *columns(moved))
        await connection.execute(_CLOSE_PROMISES, actor.tenant_id, [one.row["id"] for one in changed])
    for one in changed:
        await _book(session, actor, head, one, made)
    split = await _split(connection, actor, head, made)
    return [one if one.regrouped else _followed(one, split) for one in made.lines]


async def _book(session: AsyncSession, actor: Actor, head: ContractHead, one: Line, made: Calculation) -> None:
    """The ledger takes the difference, and the history what the line was."""
    row = one.row
    bucket: UUID | None = row["bucket_id"]
    more: Decimal = one.quantity - row["ordered_quantity"]
    if bucket is not None and more < 0:
        await give_back(session, actor, head.party_id, bucket, row["id"], -more)
    if bucket is not None and more > 0:
        item = made.terms[row["contract_line_id"]].item_code
        call = Call(row["id"], row["contract_line_id"], item, one.due, more, row["period_start"] is not None)
        await consume(session, actor, head.party_id, [call])
    if bucket is not None and row["confirmed_quantity"]:
        lapsed = -row["confirmed_quantity"]
        entry = Entry(head.party_id, bucket, EntryKind.CONFIRMED, lapsed, "schedule_line", row["id"], row["id"])
        await post(await db.driver(session), actor, [entry])
    if row["status"] != LineStatus.DRAFT:
        what = Subject("schedule_line", row["id"], head.party_id, row["version"] + 1, head.id)
        was = {"was_quantity": row["ordered_quantity"], "was_date": row["due_date"]}
        record(session, actor, what, "request_changed", quantity=one.quantity, unit=row["unit"], date=one.due, **was)


async def _split(connection: Driver, actor: Actor, head: ContractHead, made: Calculation) -> Mapping[UUID, UUID]:
    """Draft a line of its own for each that is split off. Returns their ids by origin."""
    rest = [one for one in made.lines if one.split]
    new: list[tuple[Any, ...]] = []
    for number, one in enumerate(rest, start=head.last_line_no + 1):
        new.append(new_line(made.terms[one.row["contract_line_id"]], number, one.due, None, one.quantity))
    by_order: dict[str, list[tuple[Any, ...]]] = {}
    for one, row in zip(rest, new, strict=True):
        by_order.setdefault(one.row["order_no"], []).append(row)
    for order_no, rows in by_order.items():
        await store_lines(connection, actor, head, order_no, made.today, rows)
    if new:
        query = "update contract set last_line_no = $3 where tenant_id = $1 and id = $2"
        await connection.execute(query, actor.tenant_id, head.id, head.last_line_no + len(new))
    return {one.row["id"]: row[0] for one, row in zip(rest, new, strict=True)}


def _followed(one: Line, split: Mapping[UUID, UUID]) -> Line:
    """The line with the row it has now, as far as publishing reads it."""
    if one.split:
        fresh = {"id": split[one.row["id"]], "status": LineStatus.DRAFT.value, "version": 1, "bucket_id": None}
        row = {**one.row, **fresh, "release_line_id": None, "period_start": None}
        return replace(one, row=row | {"ordered_quantity": one.quantity, "due_date": one.due})
    if not one.changed:
        return one
    status = one.row["status"] if one.row["status"] == LineStatus.DRAFT else LineStatus.PUBLISHED.value
    return replace(one, row={**one.row, "status": status, "version": one.row["version"] + 1})
