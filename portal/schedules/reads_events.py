"""What happened to releases, for programs that translate them: as it became visible, without gaps."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.schedules.service_lines import visible

OVERLAP = timedelta(hours=1)  # an entry is made at most so long before its transaction commits


class ReleaseEvent(StrEnum):
    PUBLISHED = "ReleasePublished"
    ACKNOWLEDGED = "ReleaseAcknowledged"
    REJECTED = "ReleaseRejected"


class Happened(Struct, frozen=True):
    """One event. Fetch what the release told by `release_id`."""

    id: UUID
    event: ReleaseEvent
    at: datetime
    contract_id: UUID
    contract_number: str
    release_id: UUID
    number: int
    transaction: int


class ReleaseHead(Struct, frozen=True):
    """Whose release it is."""

    contract_id: UUID
    number: int
    contract_number: str
    partner_reference: str
    direction: Direction
    party_id: UUID
    party_name: str
    currency: str


# Only transactions that nobody before them can still follow: a later page never has to step back.
_EVENTS = """
select t.id, case t.verb when 'released' then $8 when 'acknowledged' then $9 else $10 end, t.at, c.id, c.number, r.id,
    r.number, t.transaction
from timeline t
join contract c on c.tenant_id = t.tenant_id and c.id = t.contract_id
join release r on r.tenant_id = t.tenant_id and r.contract_id = c.id and r.number = (t.data->>'number')::int
where t.tenant_id = $1 and ($2::uuid is null or t.party_id = $2) and ($3::uuid[] is null or t.contract_id = any($3))
    and ((t.subject = 'contract' and t.verb = 'released')
        or (t.subject = 'release' and t.verb in ('acknowledged', 'rejected')))
    and t.transaction < (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint
    and ($4::uuid is null or t.id > $4) and (t.transaction, t.id) > ($5, $6)
order by t.transaction, t.id limit $7"""
NOTHING = UUID(int=0)


async def events(connection: Driver, actor: Actor, after: tuple[int, UUID] | None, limit: int) -> list[Happened]:
    """What followed an event, the oldest first."""
    transaction, last = after or (0, NOTHING)
    party = None if actor.is_factory else actor.party_id
    since = _before(last) if after else None
    rows = await connection.fetch(
        _EVENTS, actor.tenant_id, party, visible(actor), since, transaction, last, limit, *map(str, ReleaseEvent)
    )
    return [Happened(*row) for row in rows]


def _before(event: UUID) -> UUID:
    """An id made an hour before this one: ids begin with their milliseconds."""
    made = max((event.int >> 80) - int(OVERLAP.total_seconds() * 1000), 0)
    return UUID(int=made << 80)


_HEAD = """
select c.id, r.number, c.number, c.partner_reference, c.direction, c.party_id, c.party_name, c.currency
from release r join contract c on c.tenant_id = r.tenant_id and c.id = r.contract_id
where r.tenant_id = $1 and r.id = $2 and ($3::uuid[] is null or c.id = any($3))"""


async def release_head(connection: Driver, actor: Actor, release_id: UUID) -> ReleaseHead:
    """The contract and the number of a release. NotFound."""
    row = await connection.fetchrow(_HEAD, actor.tenant_id, release_id, visible(actor))
    if row is None:
        raise NotFound
    return ReleaseHead(*row)
