"""When the two sides of a contract work: the receiving site's calendar and the sender's, as this reader may know them.

The factory's sites are read from what it publishes, a partner's from its own rows, which the factory sees too.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from portal.accounts.rules_calendars import clock
from portal.core.actor import Actor, Direction
from portal.core.calendars import WorkingCalendar, deadline
from portal.core.db import Driver
from portal.core.states import Side


class Place(Protocol):
    """A contract line or a schedule line: who the partner is, which way goods go, and where to."""

    @property
    def party_id(self) -> UUID: ...
    @property
    def direction(self) -> Direction: ...
    @property
    def ship_to_code(self) -> str: ...


class Asked(Protocol):
    """A contract, or a delivery with what its contract says of answers."""

    @property
    def party_id(self) -> UUID: ...
    @property
    def direction(self) -> Direction: ...
    @property
    def response_hours(self) -> int: ...
    @property
    def time_zone(self) -> str: ...


class Closed(Struct, frozen=True):
    """A day on which one side does not work."""

    day: date
    side: Side
    name: str  # why, where the reader may know


# One row by preference: the site of that code, else the company's first by code.
_FACTORY = """
select weekdays, closed, extra from site_calendar where tenant_id = $1 and ($2 = '' or code = $2)
order by code limit 1"""
_PARTNER = """
select s.weekdays, coalesce(array_agg(d.day) filter (where not d.working), '{}'),
    coalesce(array_agg(d.day) filter (where d.working), '{}')
from site s left join site_day d on d.tenant_id = s.tenant_id and d.site_id = s.id
where s.tenant_id = $1 and s.party_id = $3 and ($2 = '' or s.code = $2)
group by s.id, s.code, s.weekdays order by s.code limit 1"""


async def both_calendars(connection: Driver, actor: Actor, place: Place) -> tuple[WorkingCalendar, WorkingCalendar]:
    """(receiving, sending). A site that is not kept here works Monday to Friday."""
    to_factory = place.direction == Direction.PURCHASE
    receiving = await _calendar(connection, actor, to_factory, place.ship_to_code, place.party_id)
    sending = await _calendar(connection, actor, not to_factory, "", place.party_id)
    return receiving, sending


async def answering_calendar(connection: Driver, actor: Actor, party_id: UUID, factory: bool) -> WorkingCalendar:
    """When the company works that has to answer: time to answer runs on its working days only."""
    return await _calendar(connection, actor, factory, "", party_id)


async def answer_until(connection: Driver, actor: Actor, asked: Asked, now: datetime) -> datetime:
    """The moment by which the seller answers what it is asked now, in its own working hours."""
    seller = await answering_calendar(connection, actor, asked.party_id, asked.direction == Direction.SALE)
    return deadline(now, asked.response_hours, asked.time_zone, seller)


async def _calendar(connection: Driver, actor: Actor, factory: bool, code: str, party_id: UUID) -> WorkingCalendar:
    query = _FACTORY if factory else _PARTNER
    row = await connection.fetchrow(query, actor.tenant_id, code, *(() if factory else (party_id,)))
    return WorkingCalendar() if row is None else calendar_of(row)


def calendar_of(row: Any) -> WorkingCalendar:
    """From the columns weekdays, closed days and make-up days."""
    weekdays, closed, extra = row
    return WorkingCalendar(frozenset(weekdays), frozenset(closed), frozenset(extra))


# The factory's hours are what it publishes; a partner's its own rows, which the factory sees too.
_HOURS = """
select l.due_date, case when c.direction = 'purchase'
    then (select f.windows from site_calendar f where f.tenant_id = $1 and f.code = p.code)
    else (select jsonb_agg(jsonb_build_array(w.weekday, w.opens, w.closes) order by w.weekday, w.opens)
        from site s join site_window w on w.tenant_id = s.tenant_id and w.site_id = s.id
        where s.tenant_id = $1 and s.party_id = l.party_id and s.code = p.code) end
from schedule_line l
join contract c on c.tenant_id = $1 and c.id = l.contract_id
join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
cross join lateral (select coalesce(nullif(l.ship_to_code, ''), k.ship_to_code) as code) p
where l.tenant_id = $1 and l.id = $2"""


async def receiving_hours(connection: Driver, actor: Actor, line_id: UUID) -> list[str] | None:
    """When goods are received where and on the weekday a delivery is due: 07:00-11:30; none where no hours are kept."""
    row = await connection.fetchrow(_HOURS, actor.tenant_id, line_id)
    if row is None or not row[1]:
        return None
    return [f"{clock(opens)}-{clock(closes)}" for day, opens, closes in row[1] if day == row[0].weekday()]


_PLACES = """
select l.id, coalesce(nullif(l.ship_to_code, ''), k.ship_to_code), k.unloading_point, k.receiving_window
from schedule_line l join contract_line k on k.tenant_id = $1 and k.id = l.contract_line_id
where l.tenant_id = $1 and l.id = any($2)"""


async def places(connection: Driver, actor: Actor, lines: Sequence[UUID]) -> dict[UUID, tuple[str, str, str]]:
    """Where each of a few deliveries is handed over, as the contract says: plant, gate, receiving window."""
    rows = await connection.fetch(_PLACES, actor.tenant_id, lines) if lines else []
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


class _Way(Struct, frozen=True):
    party_id: UUID
    direction: Direction
    ship_to_code: str


_WAY = """
select c.party_id, c.direction, coalesce((select k.ship_to_code from contract_line k
    where k.tenant_id = $1 and k.contract_id = c.id and k.ship_to_code <> '' order by k.line_no limit 1), '')
from contract c where c.tenant_id = $1 and c.id = $2"""


async def closed_of(
    connection: Driver, actor: Actor, contract_id: UUID, first: date, last: date
) -> dict[date, tuple[Closed, ...]]:
    """The closed days of both sides of a contract, where it delivers to; empty for one that is not yours."""
    row = await connection.fetchrow(_WAY, actor.tenant_id, contract_id)
    return {} if row is None else await closed_days(connection, actor, _Way(*row), first, last)


_REASONS = """
select d.day, d.name from site_day d join site s on s.tenant_id = d.tenant_id and s.id = d.site_id
where d.tenant_id = $1 and s.party_id = any($2) and not d.working and d.day between $3 and $4"""


async def closed_days(
    connection: Driver, actor: Actor, place: Place, first: date, last: date
) -> dict[date, tuple[Closed, ...]]:
    """The days from first to last, both inclusive, on which a side does not work; ordinary weekends are left out."""
    receiving, sending = await both_calendars(connection, actor, place)
    rows = await connection.fetch(_REASONS, actor.tenant_id, [place.party_id, actor.party_id], first, last)
    names = {row["day"]: row["name"] for row in rows}
    found: dict[date, tuple[Closed, ...]] = {}
    for side, calendar in ((Side.BUYER, receiving), (Side.SELLER, sending)):
        for day in _holidays(calendar, first, last):
            found[day] = (*found.get(day, ()), Closed(day, side, names.get(day, "")))
    return found


def _holidays(calendar: WorkingCalendar, first: date, last: date) -> Iterable[date]:
    return (
        day
        for day in sorted(calendar.holidays)
        if first <= day <= last and not calendar.is_working(day) and day.weekday() in calendar.weekdays
    )
