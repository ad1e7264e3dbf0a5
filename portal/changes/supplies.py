"""What a change touches on the buying side: open deliveries of the same items on the factory's purchase contracts."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.changes.impact import Touched, also
from portal.changes.rules_impact import Stake, days_touched
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _, ngettext
from portal.core.quantities import show_quantity
from portal.schedules.model import OPEN_SQL
from portal.schedules.service import visible

MOST = 12  # contract lines named in one sheet

_OPEN = f"""
with wanted as (
    select k.item_id, min(s.day) as day from unnest($2::uuid[], $3::date[]) s(line, day)
    join contract_line k on k.tenant_id = $1 and k.id = s.line group by k.item_id
)
select c.id, c.number, c.party_name, k.item_code, k.unit, count(*)::int,
    sum(l.ordered_quantity - l.shipped_quantity), min(l.due_date)
from wanted w
join contract_line k on k.tenant_id = $1 and k.item_id = w.item_id
join contract c on c.tenant_id = $1 and c.id = k.contract_id and c.direction = 'purchase'
join schedule_line l on l.tenant_id = $1 and l.contract_line_id = k.id and l.due_date >= w.day
    and l.ordered_quantity > l.shipped_quantity and l.{OPEN_SQL}
where k.id <> all($2) and ($4::uuid[] is null or c.id = any($4))
group by c.id, c.number, c.party_name, k.item_code, k.unit, k.line_no
order by min(l.due_date), c.number, k.line_no limit {MOST}"""  # noqa: S608 - own text


class Supply(Struct, frozen=True):
    """What one purchase contract still brings of an item, from the day on from which the change counts."""

    contract_id: UUID
    number: str
    party_name: str
    item_code: str
    unit: str
    deliveries: int
    quantity: Decimal
    first: date


@also
async def supplier_lines(connection: Driver, actor: Actor, stakes: Sequence[Stake]) -> Sequence[Touched]:
    """One sentence a purchase contract that brings the same item."""
    days: dict[UUID, date] = {}
    for stake in stakes:
        for day in days_touched(stake):
            days[stake.contract_line_id] = min(day, days.get(stake.contract_line_id, day))
    if not days:
        return []
    rows = await connection.fetch(_OPEN, actor.tenant_id, list(days), list(days.values()), visible(actor))
    return [touched(Supply(*row)) for row in rows]


def touched(one: Supply) -> Touched:
    """A100: Northern Castings still delivers 1,200 pcs on PC-2026-003, in 3 deliveries from 12 Dec 2026 on."""
    count = ngettext("{n} delivery", "{n} deliveries", one.deliveries).format(n=i18n.number(one.deliveries))
    text = _("{part}: {partner} still delivers {quantity} on {contract}, in {deliveries} from {day} on.").format(
        part=one.item_code,
        partner=one.party_name,
        quantity=show_quantity(one.quantity, one.unit),
        contract=one.number,
        deliveries=count,
        day=i18n.day(one.first, year=True),
    )
    return Touched(text, f"/contracts/{one.contract_id}/schedule")
