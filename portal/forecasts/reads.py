"""The forecast of one contract by weeks with what is committed, the exceptions of all, and the accuracy of the past."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.forecasts import rules
from portal.forecasts.rules import Accuracy, Exceptional, Told, covered, exceptional
from portal.schedules.service import visible

MOST = 500  # exceptions shown at once
ZERO = Decimal(0)


class Head(Struct, frozen=True):
    """The contract of a forecast, with its terms and the commit that stands."""

    id: UUID
    party_id: UUID
    number: str
    party_name: str
    direction: Direction
    status: str
    time_zone: str
    release_no: int
    release_id: UUID | None
    released_on: date | None
    published_at: datetime | None
    firm_days: int
    tradeoff_days: int
    commit_no: int  # 0: nothing is committed yet
    commit_id: UUID | None
    commit_release: int
    terms_weeks: int | None  # none: nothing is asked for
    terms_hours: int
    under_percent: Decimal
    terms_version: int
    due_at: datetime | None  # an answer is waited for
    lapsed: bool


class Part(Struct, frozen=True):
    """One line of the contract."""

    id: UUID
    line_no: int
    item_code: str  # as the reader's company writes it
    description: str
    unit: str


class Cell(Struct, frozen=True):
    """One week of one part."""

    forecast: Decimal = ZERO
    confirmed: Decimal = ZERO
    committed: Decimal | None = None  # by the commit that stands
    answered: Decimal | None = None  # the forecast that it saw
    change: Decimal = ZERO  # against the release before

    @property
    def covered(self) -> Decimal | None:
        return covered(self.committed, self.confirmed)


Cells = dict[tuple[UUID, int], Cell]

_HEAD = """
select c.id, c.party_id, c.number, c.party_name, c.direction, c.status, c.time_zone, c.release_no, r.id, c.released_on,
    r.published_at, coalesce(k.firm, 28), coalesce(k.tradeoff, 63), coalesce(m.number, 0), m.id,
    coalesce(m.release_no, 0), t.weeks, coalesce(t.response_hours, 0), coalesce(t.under_percent, 0),
    coalesce(t.version, 0), q.due_at, coalesce(q.status = 'lapsed', false)
from contract c
    left join release r on r.tenant_id = $1 and r.contract_id = c.id and r.number = c.release_no
    left join commit_terms t on t.tenant_id = $1 and t.contract_id = c.id
    left join lateral (
        select number, id, release_no from supply_commit
        where tenant_id = $1 and party_id = c.party_id and contract_id = c.id order by number desc limit 1) m on true
    left join commit_request q on q.tenant_id = $1 and q.party_id = c.party_id and q.contract_id = c.id
        and q.release_id = r.id and q.status in ('open', 'lapsed')
    left join lateral (
        select max(firm_days) as firm, max(tradeoff_days) as tradeoff
        from contract_line where tenant_id = $1 and contract_id = c.id) k on true
where c.tenant_id = $1 and c.id = $2 and ($3::uuid[] is null or c.id = any($3)) and c.status <> 'draft'"""
_PARTS = """
select id, line_no, case when $3 then item_code else coalesce(nullif(partner_part_no, ''), item_code) end, description,
    unit
from contract_line where tenant_id = $1 and contract_id = $2 order by line_no"""
_ASKED = """
select contract_line_id, (due_date - $3::date) / 7, sum(ordered_quantity),
    sum(case when status = 'closed' then ordered_quantity else confirmed_quantity end)
from schedule_line
where tenant_id = $1 and contract_id = $2 and due_date >= $3 and due_date < $4 and status not in ('draft', 'cancelled')
group by 1, 2"""
_COMMITTED = """
select contract_line_id, (week - $3::date) / 7, quantity, forecast
from supply_commit_line where tenant_id = $1 and commit_id = $2 and week >= $3 and week < $4"""


async def head(connection: Driver, actor: Actor, contract_id: UUID) -> Head:
    """Raises NotFound for a contract that is absent, a draft or not yours."""
    row = await connection.fetchrow(_HEAD, actor.tenant_id, contract_id, visible(actor))
    if row is None:
        raise NotFound
    return Head(*row)


async def parts(connection: Driver, actor: Actor, contract_id: UUID) -> list[Part]:
    rows = await connection.fetch(_PARTS, actor.tenant_id, contract_id, actor.is_factory)
    return [Part(*row) for row in rows]


async def cells(
    connection: Driver,
    actor: Actor,
    found: Head,
    first: date,
    weeks: int,
    changes: dict[tuple[UUID, int], Decimal] | None = None,
) -> Cells:
    """Every week of [first, first + weeks) that anything is known of. changes: as `reads_board.deltas` gives them."""
    end = first + timedelta(weeks=weeks)
    asked = {
        (row[0], row[1]): (row[2], row[3])
        for row in await connection.fetch(_ASKED, actor.tenant_id, found.id, first, end)
    }
    promised = {
        (row[0], row[1]): (row[2], row[3])
        for row in await connection.fetch(_COMMITTED, actor.tenant_id, found.commit_id, first, end)
    }
    moved = changes or {}
    return {
        key: Cell(*asked.get(key, (ZERO, ZERO)), *promised.get(key, (None, None)), moved.get(key, ZERO))
        for key in asked.keys() | promised.keys() | moved.keys()
    }


class CommitRow(Struct, frozen=True):
    """One version of the commits of a contract."""

    id: UUID
    number: int
    release_no: int
    way: str
    note: str
    member_name: str
    committed_at: datetime
    weeks: int  # how many quantities it holds


_COMMITS = """
select m.id, m.number, m.release_no, m.way, m.note, m.member_name, m.committed_at,
    (select count(*)::int from supply_commit_line l where l.tenant_id = $1 and l.party_id = m.party_id
        and l.commit_id = m.id)
from supply_commit m
where m.tenant_id = $1 and m.contract_id = $2 and ($3::uuid[] is null or m.contract_id = any($3))
order by m.number desc limit 50"""


async def commits(connection: Driver, actor: Actor, contract_id: UUID) -> list[CommitRow]:
    """The versions, newest first."""
    rows = await connection.fetch(_COMMITS, actor.tenant_id, contract_id, visible(actor))
    return [CommitRow(*row) for row in rows]


# Accuracy -------------------------------------------------------------------------------------------------------------


class Measure(StrEnum):
    """What a past forecast is compared with."""

    CALLED = "called"  # what was called off in the end, by its due date
    RECEIVED = "received"  # what was accepted, by the day of the receipt


_RELEASES = """
select id, calculated_on, horizon_end from release
where tenant_id = $1 and contract_id = $2 and calculated_on < $3 order by number"""
_PLANNED = """
select release_id, contract_line_id, (due_date - $3::date) / 7, sum(quantity)
from release_line
where tenant_id = $1 and release_id = any($2) and due_date >= $3 and due_date < $4
group by 1, 2, 3"""
_CALLED = """
select contract_line_id, (due_date - $3::date) / 7, sum(ordered_quantity)
from schedule_line
where tenant_id = $1 and contract_id = $2 and due_date >= $3 and due_date < $4 and status not in ('draft', 'cancelled')
group by 1, 2"""
_RECEIVED = """
select s.contract_line_id, (r.received_on - $3::date) / 7, sum(l.accepted)
from receipt_line l
    join receipt r on r.tenant_id = $1 and r.id = l.receipt_id
    join schedule_line s on s.tenant_id = $1 and s.id = l.schedule_line_id
where l.tenant_id = $1 and l.contract_id = $2 and r.received_on >= $3 and r.received_on < $4
    and not exists (select from receipt x where x.tenant_id = $1 and x.corrects_id = r.id)
group by 1, 2"""
_ACTUAL = {Measure.CALLED: _CALLED, Measure.RECEIVED: _RECEIVED}


async def accuracy_of(
    connection: Driver, actor: Actor, found: Head, today: date, measure: Measure = Measure.CALLED
) -> dict[UUID | None, list[Accuracy]]:
    """How good the forecasts of the last whole weeks were, by contract line and (None) over all lines, by lag.

    A week counts for a lag when a release stood that long before it and looked as far as it.
    """
    end = rules.monday(today)
    first = end - timedelta(weeks=rules.MEASURED)
    known = {
        row[0]: Told(row[1], row[2]) for row in await connection.fetch(_RELEASES, actor.tenant_id, found.id, end)
    }
    wanted = {
        (lag, n): release
        for lag in rules.LAGS
        for n in range(rules.MEASURED)
        if (release := rules.release_for(first + timedelta(weeks=n), lag, known)) is not None
    }
    if not wanted:
        return {}
    ids = list(set(wanted.values()))
    planned: dict[tuple[UUID, UUID, int], Decimal] = {
        (row[0], row[1], row[2]): row[3] for row in await connection.fetch(_PLANNED, actor.tenant_id, ids, first, end)
    }
    actual: dict[tuple[UUID, int], Decimal] = {
        (row[0], row[1]): row[2]
        for row in await connection.fetch(_ACTUAL[measure], actor.tenant_id, found.id, first, end)
    }
    lines = {key[1] for key in planned} | {key[0] for key in actual}
    pairs: dict[tuple[UUID | None, int], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for (lag, n), release in wanted.items():
        for line in lines:
            pair = planned.get((release, line, n), ZERO), actual.get((line, n), ZERO)
            if any(pair):
                pairs[line, lag].append(pair)
                pairs[None, lag].append(pair)
    of_lines: Sequence[UUID | None] = [None, *lines]
    return {line: [rules.accuracy(lag, pairs[line, lag]) for lag in rules.LAGS] for line in of_lines}


# Exceptions -----------------------------------------------------------------------------------------------------------


class ExceptionRow(Struct, frozen=True):
    """One thing about a forecast that somebody should look at. A late commit is about the whole contract."""

    kind: Exceptional
    contract_id: UUID
    number: str
    party_name: str
    direction: Direction
    release_no: int
    contract_line_id: UUID | None = None
    item_code: str = ""
    description: str = ""
    unit: str = ""
    week: date | None = None
    forecast: Decimal | None = None
    answered: Decimal | None = None  # the forecast that the commit saw
    committed: Decimal | None = None
    due_at: datetime | None = None


class ExceptionFilter(Struct, frozen=True):
    kind: Exceptional | None = None
    contract_id: UUID | None = None
    direction: Direction | None = None
    search: str = ""


_SEEN = """
with seen as (
    select c.tenant_id, c.party_id, c.id, c.number, c.party_name, c.direction, c.release_no
    from contract c where {where} and c.status in ('active', 'suspended')
)"""
_LATE = (
    _SEEN
    + """
select c.id, c.number, c.party_name, c.direction, q.release_no, q.due_at
from seen c join commit_request q on q.tenant_id = c.tenant_id and q.party_id = c.party_id and q.contract_id = c.id
where q.status = 'lapsed' or (q.status = 'open' and q.due_at < {now})
order by q.due_at limit {most}"""
)
_UNEVEN = (
    _SEEN
    + """, standing as (
    select c.*, m.id as commit_id, coalesce(t.weeks, 13) as weeks, coalesce(t.under_percent, 0) as under_percent
    from seen c
        join lateral (
            select id from supply_commit
            where tenant_id = c.tenant_id and party_id = c.party_id and contract_id = c.id
            order by number desc limit 1) m on true
        left join commit_terms t on t.tenant_id = c.tenant_id and t.party_id = c.party_id and t.contract_id = c.id
), asked as (
    select l.contract_id, l.contract_line_id, l.due_date - (extract(isodow from l.due_date)::int - 1) as week,
        sum(l.ordered_quantity) as forecast,
        sum(case when l.status = 'closed' then l.ordered_quantity else l.confirmed_quantity end) as confirmed
    from standing s join schedule_line l on l.tenant_id = s.tenant_id and l.contract_id = s.id
    where l.due_date >= {first} and l.due_date < {first} + s.weeks * 7 and l.status not in ('draft', 'cancelled')
    group by 1, 2, 3
), promised as (
    select s.id as contract_id, p.contract_line_id, p.week, p.forecast, p.quantity
    from standing s
        join supply_commit_line p on p.tenant_id = s.tenant_id and p.party_id = s.party_id and p.commit_id = s.commit_id
    where p.week >= {first} and p.week < {first} + s.weeks * 7
), both_sides as (
    select coalesce(a.contract_id, p.contract_id) as contract_id,
        coalesce(a.contract_line_id, p.contract_line_id) as contract_line_id, coalesce(a.week, p.week) as week,
        coalesce(a.forecast, 0) as forecast, p.forecast as answered, p.quantity, coalesce(a.confirmed, 0) as confirmed
    from asked a full join promised p
        on p.contract_id = a.contract_id and p.contract_line_id = a.contract_line_id and p.week = a.week
)
select s.id, s.number, s.party_name, s.direction, s.release_no, b.contract_line_id,
    case when {factory} then k.item_code else coalesce(nullif(k.partner_part_no, ''), k.item_code) end, k.description,
    k.unit, b.week, b.forecast, b.answered, b.quantity, b.confirmed, s.under_percent
from both_sides b join standing s on s.id = b.contract_id
    join contract_line k on k.tenant_id = s.tenant_id and k.id = b.contract_line_id
where b.answered is distinct from b.forecast or greatest(coalesce(b.quantity, 0), b.confirmed) < b.forecast
order by s.number, s.id, b.week, k.line_no limit {most}"""
)


def _where(actor: Actor, wanted: ExceptionFilter) -> Conditions:
    where = Conditions(actor, table="c", contract="id")
    if wanted.contract_id is not None:
        where.also("c.id =", wanted.contract_id)
    if wanted.direction is not None:
        where.also("c.direction =", wanted.direction.value)
    if wanted.search:
        place = where.arg(wanted.search)
        where.sql += f" and (c.number = {place} or position(lower({place}) in lower(c.party_name)) > 0)"
    return where


async def exceptions(
    connection: Driver, actor: Actor, wanted: ExceptionFilter, now: datetime, today: date
) -> list[ExceptionRow]:
    """What needs attention: late commits first, then periods in the order of contract and week. At most 500."""
    found: list[ExceptionRow] = []
    if wanted.kind in (None, Exceptional.LATE):
        where = _where(actor, wanted)
        query = _LATE.format(where=where.sql, now=where.arg(now), most=where.arg(MOST))
        for row in await connection.fetch(query, *where.args):
            found.append(ExceptionRow(Exceptional.LATE, *list(row)[:5], due_at=row[5]))  # noqa: PERF401
    if wanted.kind is Exceptional.LATE:
        return found
    where = _where(actor, wanted)
    names = {"first": where.arg(rules.monday(today)), "factory": where.arg(actor.is_factory), "most": where.arg(MOST)}
    for row in await connection.fetch(_UNEVEN.format(where=where.sql, **names), *where.args):
        *about, forecast, answered, quantity, confirmed, under = row
        counted = covered(quantity, confirmed)
        kind = exceptional(forecast, answered, counted, under)
        if kind is not None and wanted.kind in (None, kind):
            found.append(ExceptionRow(kind, *about, forecast, answered, counted))
    return found[:MOST]


class ContractRow(Struct, frozen=True):
    """One contract in force with a forecast."""

    id: UUID
    number: str
    party_name: str
    direction: Direction
    release_no: int
    commit_no: int
    commit_release: int
    due_at: datetime | None


_CONTRACTS = (
    _SEEN
    + """
select c.id, c.number, c.party_name, c.direction, c.release_no, coalesce(m.number, 0), coalesce(m.release_no, 0),
    q.due_at
from seen c
    left join lateral (
        select number, release_no from supply_commit
        where tenant_id = c.tenant_id and party_id = c.party_id and contract_id = c.id
        order by number desc limit 1) m on true
    left join commit_request q on q.tenant_id = c.tenant_id and q.party_id = c.party_id and q.contract_id = c.id
        and q.release_no = c.release_no and q.status in ('open', 'lapsed')
where c.release_no > 0
order by q.due_at nulls last, c.number, c.id limit {most}"""
)


async def contracts(connection: Driver, actor: Actor, wanted: ExceptionFilter) -> list[ContractRow]:
    """Those in force with a release, first those that a commit is waited for. At most 500."""
    where = _where(actor, wanted)
    query = _CONTRACTS.format(where=where.sql, most=where.arg(MOST))
    return [ContractRow(*row) for row in await connection.fetch(query, *where.args)]
