"""The warnings about one delivery, as pages, the interface and the bot show them."""

from collections import defaultdict
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.service import visible


class ReportRow(Struct, frozen=True):
    """One warning about one delivery."""

    id: UUID
    number: str
    line_id: UUID
    kind: str
    reason: str
    expected_on: date | None
    urgency: str
    note: str
    status: str
    reported_at: datetime
    closed_at: datetime | None
    photos: list[UUID] = []


_REPORTS = """
select id, number, line_id, kind, reason, expected_on, urgency, note, status, reported_at, closed_at
from line_report where tenant_id = $1 and line_id = $2 and ($3::uuid[] is null or contract_id = any($3))
order by id desc limit 100"""
_PHOTOS = "select report_id, id from line_report_photo where tenant_id = $1 and report_id = any($2) order by id"


async def reports_of(connection: Driver, actor: Actor, line_id: UUID) -> list[ReportRow]:
    """The warnings about a delivery, newest first."""
    rows = await connection.fetch(_REPORTS, actor.tenant_id, line_id, visible(actor))
    found = [ReportRow(*row) for row in rows]
    photos: dict[UUID, list[UUID]] = defaultdict(list)
    if found:
        for report_id, photo_id in await connection.fetch(_PHOTOS, actor.tenant_id, [row.id for row in found]):
            photos[report_id].append(photo_id)
    return [replace(row, photos=photos[row.id]) for row in found]
