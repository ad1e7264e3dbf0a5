"""What a board and a release comparison are made of: sums per contract line and week, and frozen lines side by side."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.schedules.model import OPEN_SQL
from portal.schedules.service import visible


class Cell(Struct, frozen=True):
    """All deliveries of one contract line in one week."""

    contract_line_id: UUID
    week: int  # from the first column
    quantity: Decimal
    lines: int
    line_id: UUID  # the line itself where it is the only one, else any of them
    asked: bool
    risky: bool
    confirmed: bool


class Totals(Struct, frozen=True):
    """The cumulative figures of one contract line."""

    contract_line_id: UUID
    requested: Decimal  # due up to and on the day
    called: Decimal  # everything called off
    shipped: Decimal
    received: Decimal


class BoardLine(Struct, frozen=True):
    """One contract line, a row of the board."""

    id: UUID
    contract_id: UUID
    number: str
    party_name: str
    direction: Direction
    release_no: int
    item_code: str  # as the reader's company writes it
    description: str
    unit: str
    foq: Decimal | None
    target_quantity: Decimal | None
    band_below_percent: Decimal
    band_above_percent: Decimal
    firm_days: int
    tradeoff_days: int
    cumulative_from: date | None


_BOARD_LINES = """
select k.id, k.contract_id, c.number, c.party_name, c.direction, c.release_no,
    case when $8 then k.item_code else coalesce(nullif(k.partner_part_no, ''), k.item_code) end, k.description, k.unit,
    k.foq, k.target_quantity, k.band_below_percent, k.band_above_percent, k.firm_days, k.tradeoff_days,
    k.cumulative_from
from contract_line k join contract c on c.tenant_id = $1 and c.id = k.contract_id
where k.tenant_id = $1 and ($2::uuid is null or k.contract_id = $2) and ($3::uuid[] is null or k.contract_id = any($3))
    and ($2::uuid is not null or exists (
        select 1 from schedule_line l where l.tenant_id = $1 and l.contract_line_id = k.id
            and l.due_date >= $4 and l.due_date < $5 and l.status not in ('draft', 'cancelled')))
order by c.number, k.contract_id, k.line_no offset $6 limit $7"""
_CELLS = """
select contract_line_id, (due_date - $3::date) / 7, sum(ordered_quantity), count(*)::int,
    (array_agg(id))[1], bool_or(status = 'proposed' and deviation_id is null),
    bool_or(supply_state = 'at_risk' and status <> 'closed' or status = 'rejected'
        or status <> 'closed' and due_date < $5 and received_quantity < ordered_quantity),
    bool_and(status in ('confirmed', 'closed'))
from schedule_line
where tenant_id = $1 and contract_line_id = any($2) and due_date >= $3 and due_date < $4
    and status not in ('draft', 'cancelled')
group by 1, 2"""
_TOTALS = """
select contract_line_id, coalesce(sum(ordered_quantity) filter (where due_date <= $3), 0), sum(ordered_quantity),
    sum(shipped_quantity), sum(received_quantity)
from schedule_line
where tenant_id = $1 and contract_line_id = any($2) and status not in ('draft', 'cancelled')
group by 1"""
_RELEASE_PAIRS = """
select r.id, r.number = f.number, array(select jsonb_array_elements_text(r.contents -> 'delivered')::uuid)
from unnest($2::uuid[]) as c(id)
cross join lateral (
    select n.number, coalesce((n.contents ->> 'prior')::int, n.prior_number, n.number - 1) as before
    from release n left join release_standing s on s.tenant_id = n.tenant_id and s.release_id = n.id
    where n.tenant_id = $1 and n.contract_id = c.id and n.kind = 'forecast'
        and coalesce(s.status, 'published') <> 'rejected'
    order by n.number desc limit 1) f
join release r on r.tenant_id = $1 and r.contract_id = c.id and r.number in (f.number, f.before)
where f.number > 1"""
_DELTAS = """
select contract_line_id, (due_date - $4::date) / 7,
    sum(case when release_id = any($2) then quantity else -quantity end)
from release_line
where tenant_id = $1 and release_id = any($2::uuid[] || $3::uuid[]) and due_date >= $4 and due_date < $5
    and not (release_id = any($3) and schedule_line_id = any($6))
    and contract_line_id in (
        select contract_line_id from release_line where tenant_id = $1 and release_id = any($3))
group by 1, 2
having sum(case when release_id = any($2) then quantity else -quantity end) <> 0"""


async def board_lines(
    connection: Driver,
    actor: Actor,
    contract_id: UUID | None,
    first: date,
    end: date,
    offset: int,
    limit: int,
) -> list[BoardLine]:
    """The rows of a board: all lines of one contract, or every contract line with a delivery in [first, end)."""
    where = (actor.tenant_id, contract_id, visible(actor), first, end, offset, limit, actor.is_factory)
    rows = await connection.fetch(_BOARD_LINES, *where)
    return [BoardLine(*row) for row in rows]


async def cells(
    connection: Driver, actor: Actor, ids: Sequence[UUID], first: date, end: date, today: date
) -> list[Cell]:
    """What is due per contract line and week in [first, end); first is a Monday."""
    return [Cell(*row) for row in await connection.fetch(_CELLS, actor.tenant_id, list(ids), first, end, today)]


async def totals(connection: Driver, actor: Actor, ids: Sequence[UUID], today: date) -> dict[UUID, Totals]:
    """The cumulative figures of each contract line, from its live lines."""
    rows = await connection.fetch(_TOTALS, actor.tenant_id, list(ids), today)
    return {row[0]: Totals(*row) for row in rows}


async def deltas(
    connection: Driver, actor: Actor, contract_ids: Sequence[UUID], first: date, end: date
) -> dict[tuple[UUID, int], Decimal]:
    """By how much each contract line and week differs from the release before the one in force.

    A contract line that the earlier release did not have is new, not changed; what was delivered between the two is
    no decrease.
    """
    # The releases are found first: joined in one statement, the planner guesses few lines and takes them one by one.
    pairs = await connection.fetch(_RELEASE_PAIRS, actor.tenant_id, list(contract_ids))
    new, old = [row[0] for row in pairs if row[1]], [row[0] for row in pairs if not row[1]]
    delivered = [line_id for row in pairs if row[1] for line_id in row[2]]
    rows = await connection.fetch(_DELTAS, actor.tenant_id, new, old, first, end, delivered)
    return {(row[0], row[1]): row[2] for row in rows}


class BoardHead(Struct, frozen=True):
    """The contract a board belongs to, with the release in force."""

    id: UUID
    number: str
    party_name: str
    direction: Direction
    status: str
    version: int
    time_zone: str
    release_no: int
    released_on: date | None
    published_at: datetime | None
    published_by: str | None
    firm_days: int
    tradeoff_days: int
    band_below: Decimal
    band_above: Decimal


class Entry(Struct, frozen=True):
    """One live line of a contract line, for its figures and its chart."""

    due_date: date
    ordered: Decimal
    confirmed: Decimal
    received: Decimal
    open: bool


_HEAD = """
select c.id, c.number, c.party_name, c.direction, c.status, c.version, c.time_zone, c.release_no, c.released_on,
    r.published_at, r.published_by, coalesce(k.firm_days, 28), coalesce(k.tradeoff_days, 63), coalesce(k.below, 0),
    coalesce(k.above, 0)
from contract c
    left join release r on r.tenant_id = $1 and r.contract_id = c.id and r.number = c.release_no
    left join lateral (
        select max(firm_days) as firm_days, max(tradeoff_days) as tradeoff_days, max(band_below_percent) as below,
            max(band_above_percent) as above
        from contract_line where tenant_id = $1 and contract_id = c.id) k on true
where c.tenant_id = $1 and c.id = $2 and ($3::uuid[] is null or c.id = any($3))"""
_ENTRIES = f"""
select due_date, ordered_quantity, confirmed_quantity, received_quantity, {OPEN_SQL}
from schedule_line
where tenant_id = $1 and contract_line_id = $2 and status not in ('draft', 'cancelled') order by due_date, id"""  # noqa: S608 - a constant


async def board_head(connection: Driver, actor: Actor, contract_id: UUID) -> BoardHead:
    """The contract of a board. Raises NotFound when it is absent or not yours."""
    row = await connection.fetchrow(_HEAD, actor.tenant_id, contract_id, visible(actor))
    if row is None:
        raise NotFound
    return BoardHead(*row)


async def entries(connection: Driver, actor: Actor, contract_line_id: UUID) -> list[Entry]:
    """The live lines of one contract line in the order of their due dates."""
    return [Entry(*row) for row in await connection.fetch(_ENTRIES, actor.tenant_id, contract_line_id)]


class ReleaseRow(Struct, frozen=True):
    """One release of a contract, newest first in lists."""

    id: UUID
    number: int
    calculated_on: date
    horizon_end: date
    published_at: datetime
    published_by: str
    note: str
    lines: int


class ReleaseLineRow(Struct, frozen=True):
    """One frozen line of a release, with what it was in the release before (None: new)."""

    schedule_line_id: UUID
    item_code: str
    description: str
    unit: str
    due_date: date
    quantity: Decimal
    zone: str
    level: str
    earlier_date: date | None
    earlier_quantity: Decimal | None
    contract_line_id: UUID
    regrouped: bool = False  # split or joined: its day asks for as much as before
    zone_today: str | None = None  # as if the next release were made today; none where nobody asked, or it has passed


_RELEASES = """
select r.id, r.number, r.calculated_on, r.horizon_end, r.published_at, r.published_by, r.note,
    (select count(*)::int from release_line l where l.tenant_id = $1 and l.release_id = r.id)
from release r
where r.tenant_id = $1 and r.contract_id = $2 and ($3::uuid[] is null or r.contract_id = any($3))
    and ($4::int is null or r.number = $4)
order by r.number desc limit $5"""


async def releases(
    connection: Driver, actor: Actor, contract_id: UUID, number: int | None = None, limit: int = 200
) -> list[ReleaseRow]:
    """The releases of one contract, newest first; or the one with a number."""
    if number is not None and not 0 < number < 2**31:  # no release has such a number, and the column no room for it
        return []
    rows = await connection.fetch(_RELEASES, actor.tenant_id, contract_id, visible(actor), number, limit)
    return [ReleaseRow(*row) for row in rows]
