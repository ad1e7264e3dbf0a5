"""What needs attention about the forecasts of all contracts, and the contracts that have one."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from portal.core.actor import Actor, Direction
from portal.core.conditions import Conditions
from portal.core.db import Driver
from portal.forecasts import rules
from portal.forecasts.rules import Exceptional, covered, exceptional

MOST = 500  # rows shown at once


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
    _SEEN  # noqa: S608 - own text
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
            found.append(ExceptionRow(Exceptional.LATE, row[0], row[1], row[2], row[3], row[4], due_at=row[5]))  # noqa: PERF401
    if wanted.kind is Exceptional.LATE:
        return found
    where = _where(actor, wanted)
    names = {"first": where.arg(rules.monday(today)), "factory": where.arg(actor.is_factory), "most": where.arg(MOST)}
    for row in await connection.fetch(_UNEVEN.format(where=where.sql, **names), *where.args):
        *about, forecast, answered, quantity, confirmed, under = row.values()
        counted = covered(quantity, confirmed)
        kind = exceptional(forecast, answered, counted, under)
        if kind is not None and wanted.kind in (None, kind):
            found.append(ExceptionRow(*(kind, *about, forecast, answered, counted)))
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
    _SEEN  # noqa: S608 - own text
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
