"""The impact sheet: what a request does to its contract, the same for both companies, and what it touches elsewhere.

Later domains register what they know (stock, capacity, a supplier's lines) with `also`; no lower domain knows them.
What they say is the factory's alone.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from portal.changes.model import PartKind, Way
from portal.changes.rules import MOST_PARTS, After, Before
from portal.changes.rules_carrying import Carried
from portal.changes.rules_impact import (
    Curve,
    Period,
    PeriodEffect,
    Shift,
    Stake,
    ZoneDelta,
    curve,
    exposure,
    notice_days,
    period_effects,
    shifts,
    value_delta,
    way_of,
)
from portal.changes.rules_pausing import Span
from portal.contracts.model import DayUnit, PriceTier
from portal.contracts.parts import part_of
from portal.contracts.rules_buckets import CallLimits
from portal.contracts.rules_prices import AmbiguousPrice, NoPrice, price_on
from portal.contracts.service_buckets import holdings
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import WorkingCalendar, local_today
from portal.core.clock import now
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.states import Side
from portal.schedules import rules as schedule_rules
from portal.schedules.model import OPEN_SQL, LineStatus, Zone
from portal.schedules.service import visible
from portal.schedules.service_terms import calendars

ZERO = Decimal(0)
Priced = tuple[str, date, Decimal | None]  # the order number, the day, and the delivery's own price


class Head(Struct, frozen=True):
    """The contract of a request."""

    id: UUID
    party_id: UUID
    number: str
    party_name: str
    direction: Direction
    status: str
    time_zone: str
    currency: str
    response_hours: int
    by_line: bool
    answer_hours: int | None
    valid_from: date
    last_day: date | None


class Item(Struct, frozen=True):
    """One contract line."""

    id: UUID
    item_code: str
    partner_part_no: str
    description: str
    unit: str
    below_percent: Decimal
    above_percent: Decimal
    firm_days: int
    tradeoff_days: int
    day_unit: str
    place: str
    ended_from: date | None

    def part(self, actor: Actor) -> str:
        """The part number as the reader's company writes it."""
        return part_of(self, actor)


class LineNow(Struct, frozen=True):
    """A delivery as it stands."""

    id: UUID
    contract_line_id: UUID
    version: int
    status: str
    zone: str | None
    quantity: Decimal
    due_date: date
    place: str
    price: Decimal | None
    shipped: Decimal
    order_no: str
    bucket_id: UUID | None
    generated: bool

    def standing(self, part: str, unit: str) -> Before:
        """How it stands. part: the part number that refusals name."""
        status = LineStatus(self.status)
        return Before(part, unit, self.quantity, self.due_date, self.place, self.price, self.shipped, status)


class PartAsked(Struct, frozen=True):
    """One part of an offer, however it is kept."""

    part_no: int
    kind: PartKind
    contract_line_id: UUID
    line_id: UUID | None
    before: Before
    after: After
    pause: Span | None = None


class Touched(Struct, frozen=True):
    """Something elsewhere that a change touches, in words of its own."""

    text: str
    href: str = ""


class Impact(Struct, frozen=True):
    """The sheet."""

    head: Head
    way: Way
    asker: Side
    today: date
    stakes: list[Stake]
    shifts: list[Shift]
    periods: list[Period]
    effects: list[PeriodEffect]
    exposure: list[ZoneDelta]
    curves: list[Curve]
    value: Decimal | None
    notice: int | None
    touched: list[Touched] = []
    carries: list[Carried] = []


Source = Callable[[Driver, Actor, Sequence[Stake]], Awaitable[Sequence[Touched]]]
_sources: list[Source] = []


def also(source: Source) -> Source:
    """Register what a later domain knows. It is asked in the factory's scope, and only the factory reads the answer."""
    _sources.append(source)
    return source


# --- reading ----------------------------------------------------------------------------------------------------------

_HEAD = """
select c.id, c.party_id, c.number, c.party_name, c.direction, c.status, c.time_zone, c.currency, c.response_hours,
    coalesce(t.by_line, false), t.answer_hours, c.valid_from, least(c.valid_to, c.ends_on)
from contract c left join change_terms t on t.tenant_id = c.tenant_id and t.party_id = c.party_id
    and t.contract_id = c.id
where c.tenant_id = $1 and c.id = $2 and ($3::uuid[] is null or c.id = any($3))"""
_ITEMS = """
select id, item_code, partner_part_no, description, unit, band_below_percent, band_above_percent, firm_days,
    tradeoff_days, day_unit, ship_to_code, ended_from
from contract_line where tenant_id = $1 and contract_id = $2 and id = any($3)"""
_LINES = """
select l.id, l.contract_line_id, l.version, l.status, l.zone, l.ordered_quantity, l.due_date,
    l.ship_to_code, l.price, l.shipped_quantity, l.order_no, l.bucket_id, l.period_start is not null
from schedule_line l where l.tenant_id = $1 and l.contract_id = $2 and l.id = any($3) and l.status <> 'draft'"""
_BETWEEN = f"""
{_LINES.partition(" where ")[0].replace("l.ship_to_code", "coalesce(nullif(l.ship_to_code, ''), k.ship_to_code)")}
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
where l.tenant_id = $1 and l.contract_id = $2 and ($3::uuid is null or l.contract_line_id = $3)
    and l.due_date between $4 and $5 and {OPEN_SQL.replace("status", "l.status")}
order by l.due_date, l.id limit {MOST_PARTS + 1}"""
_PERIODS = """
select b.id, b.contract_line_id, b.period_start, b.period_end, b.floor + e.carried, b.target + e.carried,
    b.ceiling + e.carried + e.allowed, e.called, b.closed_at is not null
from commitment_bucket b cross join lateral (
    select coalesce(sum(quantity) filter (where kind = 'carried_in'), 0) as carried,
        coalesce(sum(quantity) filter (where kind in ('over_call', 'tolerance')), 0) as allowed,
        coalesce(sum(quantity) filter (where kind in ('called', 'released', 'opening_called')), 0) as called
    from bucket_entry where tenant_id = $1 and bucket_id = b.id) e
where b.tenant_id = $1 and b.contract_line_id = any($2) and (b.id = any($3) or exists (
    select from unnest($4::uuid[], $5::date[]) d(line, day)
    where d.line = b.contract_line_id and b.period_start <= d.day and b.period_end > d.day))"""
_LIMITS = """
select over_call_percent, call_low_percent, call_high_percent from commitment_terms
where tenant_id = $1 and contract_id = $2 and replaced_on = 'infinity'"""
_ENTRIES = """
select contract_line_id, due_date, sum(ordered_quantity) from schedule_line
where tenant_id = $1 and contract_line_id = any($2) and status not in ('draft', 'cancelled') group by 1, 2
order by 1, 2"""
_PRICES = """
select contract_line_id, valid_from, order_no, price, price_unit, tier, from_quantity from contract_price
where tenant_id = $1 and contract_line_id = any($2)"""


async def get_head(connection: Driver, actor: Actor, contract_id: UUID) -> Head:
    """The contract, if this colleague may see it. Raises NotFound."""
    row = await connection.fetchrow(_HEAD, actor.tenant_id, contract_id, visible(actor))
    if row is None:
        raise NotFound
    head = Head(*row.values())
    return replace(head, direction=Direction(head.direction))


async def items(connection: Driver, actor: Actor, contract_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Item]:
    """Lines of a contract, as far as they are its lines."""
    rows = await connection.fetch(_ITEMS, actor.tenant_id, contract_id, list(set(ids)))
    return {row["id"]: Item(*row.values()) for row in rows}


async def lines_now(connection: Driver, actor: Actor, contract_id: UUID, ids: Sequence[UUID]) -> dict[UUID, LineNow]:
    """Deliveries of a contract as they stand; what is in no release yet is none."""
    rows = await connection.fetch(_LINES, actor.tenant_id, contract_id, list(set(ids)))
    return {row["id"]: LineNow(*row.values()) for row in rows}


async def lines_between(
    connection: Driver, actor: Actor, contract_id: UUID, line_id: UUID | None, since: date, until: date
) -> list[LineNow]:
    """Open deliveries of a contract, or of one line of it, from the first to the last of these days."""
    rows = await connection.fetch(_BETWEEN, actor.tenant_id, contract_id, line_id, since, until)
    return [LineNow(*row.values()) for row in rows]


async def impact_of(
    connection: Driver,
    actor: Actor,
    head: Head,
    asker: Side,
    parts: Sequence[PartAsked],
    carries: Sequence[Carried] = (),
    *,
    curves: bool = True,
) -> Impact:
    """The sheet of an offer. curves: False where nobody looks at them."""
    today = local_today(now(), head.time_zone)
    line_ids = list({part.contract_line_id for part in parts})
    known = await items(connection, actor, head.id, line_ids)
    lines = await lines_now(connection, actor, head.id, [part.line_id for part in parts if part.line_id])
    stakes = await _stakes(connection, actor, parts, known, lines, await _held(connection, actor, lines), today)
    periods = await _periods(connection, actor, stakes)
    limits = await _limits(connection, actor, head.id)
    by_line: dict[UUID, list[Period]] = {}
    for period in periods:
        by_line.setdefault(period.contract_line_id, []).append(period)
    moved = [shift for stake in stakes for shift in shifts(stake, by_line.get(stake.contract_line_id, []), asker)]
    effects = period_effects(moved, periods)
    return Impact(
        head=head,
        way=way_of(asker, stakes, periods, effects, limits, carries=bool(carries)),
        asker=asker,
        today=today,
        stakes=stakes,
        shifts=moved,
        periods=periods,
        effects=effects,
        exposure=exposure(stakes),
        curves=await _curves(connection, actor, stakes) if curves else [],
        value=value_delta(stakes) if actor.may(Permission.SEE_PRICES) else None,
        notice=notice_days(stakes, today),
        touched=[one for source in _sources if actor.is_factory for one in await source(connection, actor, stakes)],
        carries=list(carries),
    )


async def _held(connection: Driver, actor: Actor, lines: Iterable[UUID]) -> dict[UUID, dict[UUID, Decimal]]:
    """What each delivery takes from which period."""
    held: dict[UUID, dict[UUID, Decimal]] = {}
    for one in await holdings(connection, actor, list(lines)):
        if one.called:
            held.setdefault(one.line_id, {})[one.bucket_id] = one.called
    return held


async def _stakes(
    connection: Driver,
    actor: Actor,
    parts: Sequence[PartAsked],
    known: Mapping[UUID, Item],
    lines: Mapping[UUID, LineNow],
    held: Mapping[UUID, Mapping[UUID, Decimal]],
    today: date,
) -> list[Stake]:
    at = await calendars(connection, actor, {item.place for item in known.values()})
    ends = {item.id: _fences(item, today, at[item.place]) for item in known.values()}
    priced = actor.may(Permission.SEE_PRICES)
    prices = await _prices(connection, actor, list(known)) if priced else {}
    found = []
    for part in parts:
        item, line = known[part.contract_line_id], lines.get(part.line_id) if part.line_id else None
        order_no = line.order_no if line else ""
        first = part.after.pieces[0] if part.after.pieces else None
        rows = prices.get(item.id, [])
        found.append(
            Stake(
                part.part_no, part.kind, item.id, part.line_id, part.before, part.after,
                Zone(line.zone) if line and line.zone else None, ends[item.id], item.below_percent,
                item.above_percent, held.get(part.line_id, {}) if part.line_id else {},
                line.bucket_id if line else None,
                _price(rows, (order_no, part.before.due_date, part.before.price), part.before.quantity, priced),
                _price(rows, (order_no, first.due_date, part.after.price), first.quantity, priced) if first else ZERO,
                part.pause,
            )
        )  # fmt: skip
    return found


def _fences(item: Item, today: date, calendar: WorkingCalendar) -> schedule_rules.Fences:
    return schedule_rules.fences(today, item.firm_days, item.tradeoff_days, DayUnit(item.day_unit), calendar)


class _PriceRow(Struct, frozen=True):
    valid_from: date
    order_no: str
    price: Decimal
    price_unit: Decimal
    tier: PriceTier
    from_quantity: Decimal


async def _prices(connection: Driver, actor: Actor, line_ids: Sequence[UUID]) -> dict[UUID, list[_PriceRow]]:
    found: dict[UUID, list[_PriceRow]] = {}
    for line_id, *values in await connection.fetch(_PRICES, actor.tenant_id, list(line_ids)):
        found.setdefault(line_id, []).append(_PriceRow(*values))
    return found


def _price(rows: Sequence[_PriceRow], wanted: Priced, quantity: Decimal, priced: bool) -> Decimal | None:
    """The price per unit; none where the contract has none for the day, or not one, or the reader sees none."""
    if not priced:
        return None
    order_no, day, own = wanted
    try:
        return price_on(rows, day, order_no, own, delivery=quantity).per_unit
    except (NoPrice, AmbiguousPrice):
        return None


async def _periods(connection: Driver, actor: Actor, stakes: Sequence[Stake]) -> list[Period]:
    days = [(stake.contract_line_id, piece.due_date) for stake in stakes for piece in stake.after.pieces]
    mine = {period for stake in stakes for period in stake.held} | {stake.own for stake in stakes if stake.own}
    columns = [list(column) for column in zip(*days, strict=True)] if days else [[], []]
    lines = list({stake.contract_line_id for stake in stakes})
    rows = await connection.fetch(_PERIODS, actor.tenant_id, lines, list(mine), *columns)
    return [Period(*row.values()) for row in rows]


async def _limits(connection: Driver, actor: Actor, contract_id: UUID) -> CallLimits:
    row = await connection.fetchrow(_LIMITS, actor.tenant_id, contract_id)
    return CallLimits(*row.values()) if row else CallLimits()


async def _curves(connection: Driver, actor: Actor, stakes: Sequence[Stake]) -> list[Curve]:
    by_line: dict[UUID, list[Stake]] = {}
    for stake in stakes:
        by_line.setdefault(stake.contract_line_id, []).append(stake)
    entries: dict[UUID, list[tuple[date, Decimal]]] = {line_id: [] for line_id in by_line}
    for line_id, day, quantity in await connection.fetch(_ENTRIES, actor.tenant_id, list(by_line)):
        entries[line_id].append((day, quantity))
    return [curve(line_id, entries[line_id], mine) for line_id, mine in by_line.items()]
