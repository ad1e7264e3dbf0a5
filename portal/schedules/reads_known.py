"""A contract's schedule as it stood at a past moment: what was published by then, and what was known of it.

Only what both sides could see is used: releases, and the shared history. A partner's own sight limits it further.
"""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver
from portal.schedules.model import ReleaseKind
from portal.schedules.reads_board import BoardHead, board_head
from portal.schedules.reads_releases import Part, parts_of
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_known import ZERO, Stood, known
from portal.schedules.rules_releases import in_force


class KnownLine(Struct, frozen=True):
    """One delivery as it was asked for, and what was known of it. Quantities in its unit."""

    line_id: UUID
    part: Part
    due_date: date
    quantity: Decimal
    zone: str  # as published
    level: str
    stood: Stood
    confirmed: Decimal
    shipped: Decimal
    received: Decimal


class AsKnown(Struct, frozen=True):
    """The schedule at a moment. No number: nothing was published yet."""

    head: BoardHead
    moment: datetime
    forecast: int | None  # number of the release in force
    jit: int | None  # number of the JIT release that wins inside its horizon
    jit_until: date | None
    lines: list[KnownLine]


_IN_FORCE = """
select distinct on (r.kind) r.kind, r.id, r.number, r.horizon_end
from release r left join release_standing s on s.tenant_id = r.tenant_id and s.release_id = r.id
where r.tenant_id = $1 and r.contract_id = $2 and r.published_at <= $3
    and not (coalesce(s.status, '') = 'rejected' and s.answered_at <= $3)
order by r.kind, r.number desc"""
_LINES = """
select schedule_line_id, contract_line_id, due_date, quantity, zone, level from release_line
where tenant_id = $1 and release_id = $2"""
_HISTORY = """
select subject_id, verb, data from timeline
where tenant_id = $1 and subject_id = any($2) and at <= $3 order by id"""


# Imported documents have no history: what they moved is known from their own days.
_TOLD = """
select distinct subject_id, verb = 'shipped' from timeline
where tenant_id = $1 and subject_id = any($2) and verb in ('shipped', 'received', 'receipt_corrected')"""
_SHIPPED = """
select l.schedule_line_id, sum(l.quantity) from shipment_line l
join shipment s on s.tenant_id = l.tenant_id and s.id = l.shipment_id
where l.tenant_id = $1 and l.schedule_line_id = any($2) and s.shipped_on <= $3::date
    and s.status not in ('draft', 'withdrawn')
group by 1"""
_RECEIVED = """
select l.schedule_line_id, sum(l.accepted) from receipt_line l
join receipt r on r.tenant_id = l.tenant_id and r.id = l.receipt_id
where l.tenant_id = $1 and l.schedule_line_id = any($2) and r.received_on <= $3::date
group by 1"""


async def as_known(connection: Driver, actor: Actor, contract_id: UUID, moment: datetime) -> AsKnown:
    """What the contract's schedule said at an instant, and what was known of its deliveries then. NotFound."""
    head = await board_head(connection, actor, contract_id)
    rows = {row["kind"]: row for row in await connection.fetch(_IN_FORCE, actor.tenant_id, contract_id, moment)}
    forecast, jit = rows.get(ReleaseKind.FORECAST), rows.get(ReleaseKind.JIT)
    marks: dict[UUID, tuple[str, str]] = {}
    sides: list[list[Frozen]] = []
    for row in (forecast, jit):
        found = await connection.fetch(_LINES, actor.tenant_id, row["id"]) if row else []
        sides.append([Frozen(*list(one.values())[:4]) for one in found])
        marks |= {one[0]: (one[4], one[5]) for one in found}
    until = jit["horizon_end"] if jit else None
    lines = in_force(sides[0], sides[1], until)
    parts = await parts_of(connection, actor, contract_id)
    history: dict[UUID, list[tuple[str, Any]]] = defaultdict(list)
    ids = [line.line_id for line in lines]
    for one in await connection.fetch(_HISTORY, actor.tenant_id, ids, moment):
        history[one[0]].append((one[1], one[2]))
    shown = [_line(line, parts, marks[line.line_id], history[line.line_id]) for line in lines]
    shown = await _with_imported(connection, actor, shown, local_today(moment, head.time_zone))
    numbers = (forecast["number"] if forecast else None, jit["number"] if jit else None)
    return AsKnown(head, moment, *numbers, until, shown)


async def _with_imported(connection: Driver, actor: Actor, lines: list[KnownLine], day: date) -> list[KnownLine]:
    """The lines whose goods no history tells of, with what imported documents moved by the end of a day."""
    ids = [line.line_id for line in lines]
    told = {(row[0], row[1]) for row in await connection.fetch(_TOLD, actor.tenant_id, ids)}
    sums: list[dict[UUID, Decimal]] = []
    for query, shipping in ((_SHIPPED, True), (_RECEIVED, False)):
        silent = [one for one in ids if (one, shipping) not in told]
        sums.append(dict(tuple(row) for row in await connection.fetch(query, actor.tenant_id, silent, day)))
    shipped, received = sums
    return [
        replace(
            line,
            shipped=shipped.get(line.line_id, line.shipped),
            received=received.get(line.line_id, line.received),
            stood=Stood.CLOSED if received.get(line.line_id, ZERO) >= line.quantity else line.stood,
        )
        if line.line_id in shipped or line.line_id in received
        else line
        for line in lines
    ]


def _line(line: Frozen, parts: dict[UUID, Part], mark: tuple[str, str], history: list[tuple[str, Any]]) -> KnownLine:
    then = known(history)
    return KnownLine(
        line.line_id, parts[line.part_id], line.due, line.quantity, *mark,
        stood=then.stood, confirmed=then.confirmed, shipped=then.shipped, received=then.received,
    )  # fmt: skip
