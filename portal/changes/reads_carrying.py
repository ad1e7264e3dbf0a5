"""What a carry-over in words can be about: ended periods that are short or have too much, with their lines' names."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.changes.rules_carrying import PeriodNow
from portal.contracts.parts import part_of
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.schedules.service import visible

MOST = 500  # periods, the last to end first


class EndedPeriod(Struct, frozen=True):
    """One ended period of a contract in force."""

    contract_id: UUID
    contract_number: str
    party_name: str
    time_zone: str
    contract_line_id: UUID
    item_code: str
    partner_part_no: str
    description: str
    unit: str
    pack_size: Decimal
    period: PeriodNow

    def part(self, actor: Actor) -> str:
        """The part number as the reader's company writes it."""
        return part_of(self, actor)


_ENDED = f"""
select c.id as contract_id, c.number as contract_number, c.party_name, c.time_zone, k.id as contract_line_id,
    k.item_code, k.partner_part_no, k.description, k.unit, k.pack_size, b.id as bucket_id,
    b.period_start, b.period_end, b.target + e.moved as target, b.consumed
from commitment_bucket b
    join contract c on c.tenant_id = $1 and c.id = b.contract_id
    join contract_line k on k.tenant_id = $1 and k.id = b.contract_line_id
    cross join lateral (
        select coalesce(sum(quantity), 0) as moved from bucket_entry
        where tenant_id = $1 and bucket_id = b.id and kind in ('carried_in', 'carried_out')) e
where b.tenant_id = $1 and ($2::uuid[] is null or b.contract_id = any($2)) and c.status = 'active'
    and b.period_end <= $3 and b.target + e.moved <> b.consumed
order by b.period_end desc, c.number, k.line_no limit {MOST}"""  # noqa: S608 - constants


async def ended_periods(connection: Driver, actor: Actor, today: date) -> list[EndedPeriod]:
    """Those that have something to carry."""
    rows = await connection.fetch(_ENDED, actor.tenant_id, visible(actor), today)
    return [EndedPeriod(**{name: row[name] for name in _NAMED}, period=_period(row)) for row in rows]


_NAMED = EndedPeriod.__struct_fields__[:-1]


def _period(row: Any) -> PeriodNow:
    return PeriodNow(
        row["bucket_id"],
        row["contract_line_id"],
        row["period_start"],
        row["period_end"],
        row["target"],
        row["consumed"],
    )
