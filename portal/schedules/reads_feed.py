"""The deliveries of a calendar feed, as the member whose feed it is may see them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.reads import LineFilter, LineRow, list_lines

MOST = 3000  # deliveries of one feed
BACK = timedelta(days=31)  # what is past stays in the calendar for so long


class FeedRow(Struct, frozen=True):
    """One feed, never its secret."""

    id: UUID
    member_id: UUID
    name: str
    contract_id: UUID | None
    contract_number: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class FeedLine(Struct, frozen=True):
    """One delivery with what is promised of it, and when it was changed last."""

    row: LineRow
    promised: list[tuple[Decimal, date]]
    changed_at: datetime | None


_FEEDS = """
select f.id, f.member_id, f.name, f.contract_id, coalesce(c.number, ''), f.created_at, f.used_at, f.revoked_at
from calendar_feed f left join contract c on c.tenant_id = f.tenant_id and c.id = f.contract_id
where f.tenant_id = $1 and f.party_id = $2 and f.member_id = $3 and ($4::uuid is null or f.id = $4)
order by f.id desc limit 100"""


async def feeds(connection: Driver, actor: Actor, member_id: UUID, feed_id: UUID | None = None) -> list[FeedRow]:
    """The feeds of one member, the newest first, ended ones too."""
    rows = await connection.fetch(_FEEDS, actor.tenant_id, actor.party_id, member_id, feed_id)
    return [FeedRow(*row) for row in rows]


_PROMISED = """
select line_id, quantity, delivery_date from confirmation
where tenant_id = $1 and line_id = any($2) and status = 'valid' order by delivery_date, id"""
_CHANGED = "select subject_id, max(at) from timeline where tenant_id = $1 and subject_id = any($2) group by subject_id"


async def feed_lines(connection: Driver, actor: Actor, contract_id: UUID | None, today: date) -> Sequence[FeedLine]:
    """The deliveries of the last month and all that follow, by due date."""
    wanted = LineFilter(contract_id=contract_id, since=today - BACK)
    rows = await list_lines(connection, actor, wanted, None, MOST)
    ids = [row.id for row in rows[:MOST]]
    promised: dict[UUID, list[tuple[Decimal, date]]] = defaultdict(list)
    for line_id, quantity, day in await connection.fetch(_PROMISED, actor.tenant_id, ids):
        promised[line_id].append((quantity, day))
    changed = dict(map(tuple, await connection.fetch(_CHANGED, actor.tenant_id, ids)))
    return [FeedLine(row, promised[row.id], changed.get(row.id)) for row in rows[:MOST]]
