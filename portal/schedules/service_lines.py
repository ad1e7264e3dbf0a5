"""A schedule line as commands lock, check and write it.

All commands on lines share this one way, by driver statements, because confirming is the hottest command of the portal;
`LineHead` is the locked row with what its contract adds.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import DateRule
from portal.core import arrays, db
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.errors import NotFound
from portal.core.journal import Subject
from portal.core.states import Side
from portal.schedules import rules
from portal.schedules.model import LineStatus, Zone
from portal.schedules.rules_answers import Policy, policy


class LineHead(Struct, frozen=True):
    """A locked schedule line with what its contract adds."""

    id: UUID
    party_id: UUID
    contract_id: UUID
    version: int
    status: LineStatus
    unit: str
    ordered_quantity: Decimal
    under_percent: Decimal
    over_percent: Decimal
    confirmed_quantity: Decimal
    shipped_quantity: Decimal
    due_date: date
    promised_date: date | None
    zone: Zone | None
    release_line_id: UUID | None
    bucket_id: UUID | None
    direction: Direction
    time_zone: str
    deviation_id: UUID | None  # the answer that waits for the buyer's decision
    requested_quantity: Decimal | None
    deemed: bool
    price: Decimal | None
    order_no: str
    contract_line_id: UUID
    ship_to_code: str
    response_hours: int
    transit_days: int | None
    date_rule: DateRule | None
    policy: Policy

    def side(self, actor: Actor) -> Side:
        """Whether the actor sells or buys on this line's contract."""
        return actor.side_on(self.direction)

    def today(self, now: datetime) -> date:
        """The business date where the contract is kept."""
        return local_today(now, self.time_zone)


# The planner does not see how many are asked for, so that it plans once for one line as for a thousand: what it sees it
# plans anew each time, and that costs a single answer more than all its rows.
_LOCK = f"""
select l.id, l.party_id, l.contract_id, l.version, l.status, l.unit, l.ordered_quantity, l.under_percent,
    l.over_percent, l.confirmed_quantity, l.shipped_quantity, l.due_date, l.promised_date, l.zone, l.release_line_id,
    l.bucket_id, c.direction, c.time_zone, l.deviation_id, l.requested_quantity, l.deemed, l.price, l.order_no,
    l.contract_line_id, coalesce(nullif(l.ship_to_code, ''), k.ship_to_code), c.response_hours,
    coalesce(k.transit_days, c.transit_days), c.date_rule, null,
    c.deviation_quantity, c.deviation_earlier, c.deviation_later, c.deviation_price, c.early_days, c.late_days
from (
    select s.* from unnest({arrays.unseen(2, "uuid")}) as asked(id)
    join schedule_line s on s.tenant_id = $1 and s.id = asked.id
    where $3::uuid[] is null or s.contract_id = any($3)
    order by s.id for update of s) l
join contract c on c.tenant_id = $1 and c.id = l.contract_id
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
order by l.id"""  # noqa: S608 - own text


async def lock_lines(session: AsyncSession, actor: Actor, versions: dict[UUID, int | None]) -> list[LineHead]:
    """Lock lines in the order of their ids. One that is absent or not yours: NotFound for all. A stale one: Stale."""
    connection = await db.driver(session)
    rows = await connection.fetch(_LOCK, actor.tenant_id, arrays.array(list(versions)), visible(actor))
    if len(rows) != len(versions):
        raise NotFound
    heads = [_head(row) for row in rows]
    for head in heads:
        seen = versions[head.id]
        if seen is not None:
            rules.check_version(seen, head.version)
    return heads


def visible(actor: Actor) -> list[UUID] | None:
    """The contracts a restricted colleague may see, as the SQL parameter of every list and lock; None: all."""
    return None if actor.contract_ids is None else list(actor.contract_ids)


TERMS = len(LineHead.__struct_fields__)  # behind them the row has the six columns of the policy


def _head(row: Any) -> LineHead:
    values = list(row.values())
    head = LineHead(*values[:TERMS])
    return replace(
        head,
        status=LineStatus(head.status),
        zone=Zone(head.zone) if head.zone else None,
        direction=Direction(head.direction),
        date_rule=DateRule(head.date_rule) if head.date_rule else None,
        policy=policy(*values[TERMS:]),
    )


def subject(head: LineHead) -> Subject:
    """The line as the journal names it."""
    return Subject("schedule_line", head.id, head.party_id, head.version, head.contract_id)


async def change(session: AsyncSession, actor: Actor, head: LineHead, **values: Any) -> LineHead:
    """Write columns of one locked line and raise its version. Column names come from this file only."""
    connection = await db.driver(session)
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=4))
    await connection.execute(
        f"update schedule_line set version = $3, {sets} where tenant_id = $1 and id = $2",  # noqa: S608
        *(actor.tenant_id, head.id, head.version + 1, *values.values()),
    )
    return replace(head, status=values.get("status", head.status), version=head.version + 1)
