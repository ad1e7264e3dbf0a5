"""The forecast of one contract by weeks with what is committed, the exceptions of all, and the accuracy of the past."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.journal import Subject
from portal.forecasts import rules
from portal.forecasts.rules import Accuracy, Told, covered
from portal.schedules.model import Zone
from portal.schedules.rules import Fences
from portal.schedules.service import visible

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

    def zone_of(self, monday: date, today: date) -> Zone:
        """A week takes the zone of its Monday; the week that runs, that of today."""
        start = self.released_on or today
        fences = Fences(start + timedelta(days=self.firm_days), start + timedelta(days=self.tradeoff_days))
        return fences.zone(max(monday, today))


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


def subject(found: Head) -> Subject:
    """The next commit of a contract, as the journal and approvals name it."""
    return Subject("contract", found.id, found.party_id, found.commit_no + 1, found.id)


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
where tenant_id = $1 and contract_id = $2 and calculated_on < $3 and kind = 'forecast' order by number"""
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
    known = {row[0]: Told(row[1], row[2]) for row in await connection.fetch(_RELEASES, actor.tenant_id, found.id, end)}
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
