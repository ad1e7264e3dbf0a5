"""Applied changes that the factory's ERP does not show yet, the oldest first. The factory's alone."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from portal.accounts.office import office_hours
from portal.changes.model import ErpState
from portal.changes.reads import JOINS, SEARCH
from portal.changes.rules_erp import late_before, waited
from portal.core import clock, paging
from portal.core.actor import Actor, Direction
from portal.core.calendars import WorkingCalendar, day_begins, local_today
from portal.core.conditions import Conditions, containing
from portal.core.db import Driver
from portal.core.errors import NotFound

COUNTED = 1000


class ErpFilter(Struct, frozen=True):
    """What the reader asked to see; empty parts restrict nothing."""

    search: str = ""  # as in the list of requests
    state: ErpState | None = None
    late: bool = False  # only what has waited longer than it may


class ErpRow(Struct, frozen=True):
    """One applied change that the ERP does not show."""

    id: UUID
    number: str
    version: int
    erp_state: ErpState
    erp_reference: str
    applied_at: datetime
    release_no: int | None
    contract_id: UUID
    contract_number: str
    party_name: str
    direction: Direction
    parts: int
    carried: int
    items: list[str]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a change may wait: the factory's working days, and the day before which it has waited too long."""

    days: int
    today: date
    zone: str
    since: datetime  # applied earlier than this: late
    calendar: WorkingCalendar

    def age(self, row: ErpRow) -> int:
        """Working days since it was applied."""
        return waited(local_today(row.applied_at, self.zone), self.today, self.calendar)

    def is_late(self, row: ErpRow) -> bool:
        return row.applied_at < self.since


_WAITS = "status = 'applied' and erp_state <> 'echoed'"
_COLUMNS = """r.id, r.number, r.version, r.erp_state, r.erp_reference, r.applied_at, r.release_no, r.contract_id,
    c.number, c.party_name, c.direction, p.parts, p.carried, p.items"""


async def patience(connection: Driver, actor: Actor) -> Patience:
    """NotFound for partners."""
    if not actor.is_factory:
        raise NotFound
    days = await connection.fetchval("select erp_days from tenant where tenant_id = $1", actor.tenant_id)
    zone, calendar = await office_hours(connection, actor.tenant_id, actor.party_id)
    today = local_today(clock.now(), zone)
    return Patience(days, today, zone, day_begins(late_before(today, days, calendar), zone), calendar)


def _where(actor: Actor, wanted: ErpFilter, known: Patience) -> Conditions:
    where = Conditions(actor, contract="contract_id")
    where.sql += f" and {_WAITS}"
    where.equal(erp_state=wanted.state)
    if wanted.late:
        where.also("applied_at <", known.since)
    if words := wanted.search.strip():
        where.sql += SEARCH.format(where.arg(words.upper()), where.arg(containing(words)))
    return where


async def list_waiting(
    connection: Driver,
    actor: Actor,
    wanted: ErpFilter,
    known: Patience,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[ErpRow]:
    """One page, the oldest first, after a key; one row more than `limit` when there is a next page."""
    where = _where(actor, wanted, known)
    if after is not None:
        where.sql += f" and (applied_at, id) > ({where.arg(after[0])}, {where.arg(after[1])})"
    query = (
        f"select {_COLUMNS} from (select * from change_request where {where.sql}"  # noqa: S608 - own text, bound values
        f" order by applied_at, id limit {limit + 1}) r {JOINS.format(factory='true')}"
        " order by r.applied_at, r.id"
    )
    return [ErpRow(*row) for row in await connection.fetch(query, *where.args)]


async def count_waiting(connection: Driver, actor: Actor, known: Patience) -> tuple[int, int]:
    """How many wait, and how many of them for too long; each counted up to a limit."""
    where = _where(actor, ErpFilter(), known)
    since = where.arg(known.since)
    query = (
        f"select count(*), count(*) filter (where applied_at < {since}) from"  # noqa: S608 - own text, bound values
        f" (select applied_at from change_request where {where.sql} order by applied_at limit {COUNTED}) r"
    )
    row = await connection.fetchrow(query, *where.args)
    return row[0], row[1]


async def overdue(connection: Driver, actor: Actor, limit: int = COUNTED) -> list[ErpRow]:
    """What has waited for too long; the calendar is only read where anything waits at all."""
    where = Conditions(actor, contract="contract_id")
    query = f"select 1 from change_request where {where.sql} and {_WAITS} limit 1"  # noqa: S608 - own text, bound values
    if await connection.fetchval(query, *where.args) is None:
        return []
    return await list_waiting(connection, actor, ErpFilter(late=True), await patience(connection, actor), None, limit)


def key(row: ErpRow) -> str:
    """The cursor after a row."""
    return paging.encode(row.applied_at.isoformat(), row.id)


def after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The key in a cursor. Raises BadCursor."""
    if not cursor:
        return None
    at, last = paging.decode(cursor, _moment, UUID)
    return at, last


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return found
