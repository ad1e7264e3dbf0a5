"""What cancelling a contract would have cost on a day, from what was published by then and not received by then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.i18n import N_
from portal.schedules import rules
from portal.schedules.model import Level, ReleaseKind
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_exposure import Exposure, Owed, Shares, binding, exposure
from portal.schedules.rules_releases import in_force
from portal.schedules.service import visible
from portal.schedules.service_terms import Terms, calendars, read_terms
from portal.scorecards.reads import UNIT_PRICE

DEFINITION = N_(
    "Exposure is what the buyer would owe if everything published and not yet received were cancelled on that day: "
    "firm, overdue and due deliveries at the finished share of the price, deliveries that may be made at the share for "
    "goods in work, deliveries that material may be bought for at the material share. Previews cost nothing. The zones "
    "are counted from the day itself and never milder than published. A delivery without a price counts as zero."
)
ZERO = Decimal(0)
WEEKS = 26


class Point(Struct, frozen=True):
    """The exposure at the end of one day, in the contract's currency, and the release that was in force."""

    day: date
    number: int | None  # none: nothing was published yet
    finished: Decimal
    in_work: Decimal
    material: Decimal
    total: Decimal


class ExposureReport(Struct, frozen=True):
    """A contract's exposure over time, the last point being the day that was asked for."""

    currency: str
    finished_percent: Decimal
    in_work_percent: Decimal
    material_percent: Decimal
    make_days: int | None
    points: list[Point]

    @property
    def now(self) -> Point:
        return self.points[-1]


class _Published(NamedTuple):
    id: UUID
    number: int
    kind: ReleaseKind
    on: date
    until: date


_HEAD = """
select c.currency, coalesce(t.finished_percent, 100), coalesce(t.in_work_percent, 100),
    coalesce(t.material_percent, 100), t.make_days
from contract c left join release_terms t on t.tenant_id = c.tenant_id and t.contract_id = c.id
where c.tenant_id = $1 and c.id = $2 and ($3::uuid[] is null or c.id = any($3))"""
_RELEASES = """
select r.id, r.number, r.kind, r.calculated_on, r.horizon_end
from release r left join release_standing s on s.tenant_id = r.tenant_id and s.release_id = r.id
where r.tenant_id = $1 and r.contract_id = $2 and r.calculated_on <= $3
    and not (coalesce(s.status, 'published') = 'rejected' and (s.answered_at at time zone 'UTC')::date <= $3)
order by r.number"""
_LINES = f"""
select r.release_id, r.schedule_line_id, r.contract_line_id, r.due_date, r.quantity, r.level, {UNIT_PRICE} as price
from release_line r join schedule_line l on l.tenant_id = r.tenant_id and l.id = r.schedule_line_id
where r.tenant_id = $1 and r.release_id = any($2)"""  # noqa: S608 - own text
_RECEIVED = """
select d.schedule_line_id, r.received_on, d.accepted
from schedule_line l
join receipt_line d on d.tenant_id = l.tenant_id and d.schedule_line_id = l.id
join receipt r on r.tenant_id = d.tenant_id and r.id = d.receipt_id
where l.tenant_id = $1 and l.contract_id = $2 and r.received_on <= $3 and not exists (
    select from receipt c where c.tenant_id = r.tenant_id and c.party_id = r.party_id and c.corrects_id = r.id)"""


async def exposure_of(
    connection: Driver, actor: Actor, contract_id: UUID, day: date, weeks: int = WEEKS
) -> ExposureReport:
    """The exposure at the end of a day and of the same weekday in the weeks before. NotFound, Forbidden."""
    actor.require(Permission.SEE_PRICES)
    head = await connection.fetchrow(_HEAD, actor.tenant_id, contract_id, visible(actor))
    if head is None:
        raise NotFound
    currency, *shares, make_days = head.values()
    rows = await connection.fetch(_RELEASES, actor.tenant_id, contract_id, day)
    published = [_Published(row[0], row[1], ReleaseKind(row[2]), row[3], row[4]) for row in rows]
    days = [day - timedelta(weeks=n) for n in range(weeks, -1, -1)]
    forces = {on: _in_force(published, on) for on in days}
    wanted = {one.id for found in forces.values() for one in found if one}
    lines: dict[UUID, list[Any]] = defaultdict(list)
    for row in await connection.fetch(_LINES, actor.tenant_id, list(wanted)):
        lines[row["release_id"]].append(row)
    received: dict[UUID, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in await connection.fetch(_RECEIVED, actor.tenant_id, contract_id, day):
        received[row[0]].append((row[1], row[2]))
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    points = [
        _point(on, forces[on], lines, received, _fences(terms, at, on, make_days), Shares(*shares)) for on in days
    ]
    first = next((n for n, point in enumerate(points) if point.number is not None), len(points) - 1)
    return ExposureReport(currency, shares[0], shares[1], shares[2], make_days, points[max(first - 1, 0) :])


def _in_force(published: Sequence[_Published], on: date) -> tuple[_Published | None, _Published | None]:
    """The newest forecast of a day, and the newest JIT release if it is newer than nothing and still reaches it."""
    forecast = max((r for r in published if r.on <= on and r.kind is ReleaseKind.FORECAST), default=None, key=_number)
    jit = max((r for r in published if r.on <= on and r.kind is ReleaseKind.JIT), default=None, key=_number)
    return forecast, jit if jit is not None and jit.until >= on else None


def _number(release: _Published) -> int:
    return release.number


def _fences(
    terms: Mapping[UUID, Terms], at: Mapping[str, WorkingCalendar], on: date, make_days: int | None
) -> dict[UUID, rules.Fences]:
    found = {}
    for line in terms.values():
        calendar = at[line.ship_to_code]
        ends = rules.fences(on, line.firm_days, line.tradeoff_days, line.day_unit, calendar)
        found[line.id] = rules.split_fences(ends, on, make_days, line.day_unit, calendar)
    return found


def _point(
    on: date,
    forces: tuple[_Published | None, _Published | None],
    lines: Mapping[UUID, Sequence[Any]],
    received: Mapping[UUID, Iterable[tuple[date, Decimal]]],
    ends: Mapping[UUID, rules.Fences],
    shares: Shares,
) -> Point:
    forecast, jit = forces
    if forecast is None and jit is None:
        return Point(on, None, ZERO, ZERO, ZERO, ZERO)
    rows = {row["schedule_line_id"]: row for one in (forecast, jit) if one for row in lines[one.id]}
    sides = [[_frozen(row) for row in lines[one.id]] if one else [] for one in (forecast, jit)]
    owed = []
    for line in in_force(sides[0], sides[1], jit.until if jit else None):
        row = rows[line.line_id]
        now = rules.level_of(line.due, on, ends[line.part_id], still_open=True, published_before=True)
        done = sum((quantity for day, quantity in received.get(line.line_id, ()) if day <= on), ZERO)
        owed.append(Owed(line.quantity, done, binding(Level(row["level"]), now), row["price"]))
    sums: Exposure = exposure(owed, shares)
    number = max(one.number for one in forces if one)
    return Point(on, number, sums.finished, sums.in_work, sums.material, sums.total)


def _frozen(row: Any) -> Frozen:
    return Frozen(row["schedule_line_id"], row["contract_line_id"], row["due_date"], row["quantity"])
