"""What a change does to the flow of an item: what open deliveries bring in and take out until its day.

The portal knows no stock on hand, so none is counted, and the sentence says so. Whoever sees some contracts only is
told nothing: half a flow would mislead.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.changes.impact import Touched, also
from portal.changes.model import PartKind
from portal.changes.rules_impact import Stake, days_touched
from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.schedules.model import OPEN_SQL
from portal.schedules.service import visible

ZERO = Decimal(0)
MOST = 12  # items named in one sheet

_FLOW = f"""
with wanted as (
    select k.item_id, k.unit, min(k.item_code) as code, min(s.day) as day, sum(s.more) as more
    from unnest($2::uuid[], $3::date[], $4::numeric[]) s(line, day, more)
    join contract_line k on k.tenant_id = $1 and k.id = s.line group by k.item_id, k.unit
)
select w.code, w.unit, w.day,
    sum(l.ordered_quantity - l.received_quantity) filter (where c.direction = 'purchase') as incoming,
    sum(l.ordered_quantity - l.shipped_quantity) filter (where c.direction = 'sale') as outgoing,
    case when bool_or(c.direction = 'sale' and k.id = any($2)) then -w.more else w.more end as more
from wanted w
join contract_line k on k.tenant_id = $1 and k.item_id = w.item_id and k.unit = w.unit
join contract c on c.tenant_id = $1 and c.id = k.contract_id and c.status = 'active'
join schedule_line l on l.tenant_id = $1 and l.contract_line_id = k.id and l.due_date <= w.day and l.{OPEN_SQL}
group by w.item_id, w.code, w.unit, w.day, w.more
having count(*) filter (where c.direction = 'purchase') > 0 and count(*) filter (where c.direction = 'sale') > 0
order by w.day, w.code limit {MOST}"""  # noqa: S608 - own text


class Flow(Struct, frozen=True):
    """What open deliveries of one item bring in and take out until a day."""

    item_code: str
    unit: str
    day: date
    incoming: Decimal
    outgoing: Decimal
    more: Decimal  # what the change adds to what is left


@also
async def flow(connection: Driver, actor: Actor, stakes: Sequence[Stake]) -> Sequence[Touched]:
    """One sentence an item that is both bought and sold."""
    if visible(actor) is not None:
        return []
    days = first_days(stakes)
    more = added(stakes, days)
    lines = [line for line, quantity in more.items() if quantity]
    if not lines:
        return []
    each = [days[line] for line in lines], [more[line] for line in lines]
    return [told(Flow(*row)) for row in await connection.fetch(_FLOW, actor.tenant_id, lines, *each)]


def first_days(stakes: Sequence[Stake]) -> dict[UUID, date]:
    """The day of every contract line from which on something is different."""
    found: dict[UUID, date] = {}
    for stake in stakes:
        for day in days_touched(stake):
            found[stake.contract_line_id] = min(day, found.get(stake.contract_line_id, day))
    return found


def added(stakes: Sequence[Stake], days: dict[UUID, date]) -> dict[UUID, Decimal]:
    """By contract line, how much more is due until its day. Moved to a later day: that much less."""
    found: dict[UUID, Decimal] = defaultdict(Decimal)
    for stake in stakes:
        until = days.get(stake.contract_line_id, date.min)
        found[stake.contract_line_id] += sum((p.quantity for p in stake.after.pieces if p.due_date <= until), ZERO)
        if stake.kind is not PartKind.ADD and stake.before.due_date <= until:
            found[stake.contract_line_id] -= stake.before.quantity
    return dict(found)


def told(one: Flow) -> Touched:
    """A100: until 20 Dec 2026 open deliveries bring in 1,600 pcs and take out 1,500 pcs; 100 pcs are left, 50 after."""
    left = one.incoming - one.outgoing
    text = _(
        "{part}: until {day} open deliveries bring in {incoming} and take out {outgoing}. That leaves {before}, and "
        "{after} with this change, stock on hand not counted."
    )
    return Touched(
        text.format(
            part=one.item_code,
            day=i18n.day(one.day, year=True),
            incoming=show_quantity(one.incoming, one.unit),
            outgoing=show_quantity(one.outgoing, one.unit),
            before=show_quantity(left, one.unit),
            after=show_quantity(left + one.more, one.unit),
        )
    )
