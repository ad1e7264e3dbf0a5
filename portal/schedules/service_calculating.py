"""What the next release of a contract would say, before anything is written: the lines, and how they differ."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from portal.core.actor import Actor
from portal.core.calendars import DAY, WorkingCalendar
from portal.core.db import Driver
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.schedules import rules
from portal.schedules.model import Level, LineStatus, ReleaseKind, Zone
from portal.schedules.model_releases import HoldBy
from portal.schedules.rules_difference import Difference, Frozen, compare
from portal.schedules.rules_hold import DEFAULT_TEMPLATE, PartVerdict, Tolerance, by_curve, by_template
from portal.schedules.rules_regrouping import Member, Step, regrouped
from portal.schedules.rules_releases import transmitted
from portal.schedules.service_plans import Plan, read_plan
from portal.schedules.service_terms import ContractHead, Terms, calendars, read_terms

ZERO = Decimal(0)


class NothingToPublish(Conflict):
    code = "nothing-to-publish"
    text = N_("There is no open delivery to publish. Generate deliveries or add one first.")


class Line(Struct, frozen=True):
    """One open line as the release will say it. A line split off has no row of its own yet: `row` is its origin's."""

    row: Any
    quantity: Decimal
    due: date
    zone: Zone
    level: Level
    split: bool = False
    regrouped: bool = False  # split, joined or exchanged without a change of the curve
    answered: LineStatus | None = None  # where it stands by the promises that went on with it

    @property
    def changed(self) -> bool:
        """Whether the live line is another one than the release will say."""
        return self.split or (self.quantity, self.due) != (self.row["ordered_quantity"], self.row["due_date"])

    @property
    def frozen(self) -> Frozen:
        return Frozen(self.row["id"], self.row["contract_line_id"], self.due, self.quantity)


class Prior(Struct, frozen=True):
    """The release that the new one is compared with."""

    id: UUID
    number: int
    lines: list[tuple[Frozen, Level]]  # without what was delivered since
    delivered: list[UUID]  # schedule lines closed since: absent from the new release, and no cancellation


class Calculation(Struct, frozen=True):
    """A release that could be published now."""

    kind: ReleaseKind
    today: date
    plan: Plan
    terms: dict[UUID, Terms]
    ends: dict[UUID, rules.Fences]
    calendar: WorkingCalendar  # of the first line's site, for what is told by weeks and months
    lines: list[Line]
    replaces: int | None  # the number of the release of the same kind
    prior: Prior | None
    until: date | None  # the last day it speaks of; none: all that is open
    joined: list[Any]  # rows that are part of other lines from now on, so that the release no longer has them

    @property
    def horizon_end(self) -> date:
        return self.until or max(line.due for line in self.lines)

    @property
    def digest(self) -> str:
        """Of what would be told: lines, days and quantities; zones move with the day by themselves."""
        told = sorted(f"{line.row['id']} {line.split} {line.due} {line.quantity:f}" for line in self.lines)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()

    @property
    def difference(self) -> Difference:
        return compare([line for line, _ in self.prior.lines] if self.prior else [], [one.frozen for one in self.lines])

    def verdicts(self) -> list[PartVerdict]:
        """By contract line, whether the difference is inside the plan's tolerance. Nothing to compare: all inside."""
        plan = self.plan
        if self.prior is None or plan.hold_by is HoldBy.NONE:
            return []
        if plan.hold_by is HoldBy.TEMPLATE:
            return by_template(self.prior.lines, [(one.frozen, one.level) for one in self.lines], DEFAULT_TEMPLATE)
        tolerance = Tolerance(plan.hold_quantity, plan.hold_percent, plan.hold_days)
        return by_curve([line for line, _ in self.prior.lines], [one.frozen for one in self.lines], tolerance)


_LEVELS = {each.value: each for each in Level}
_OPEN_LINES = """
select l.id, l.contract_line_id, l.line_no, l.order_no, l.status, l.version, l.due_date, l.ordered_quantity,
    l.under_percent, l.received_quantity, l.confirmed_quantity, l.shipped_quantity, l.unit, l.zone, l.level,
    l.release_line_id, l.bucket_id, l.period_start, p.quantity as planned, p.due_date as planned_date,
    l.over_percent, l.ship_to_code, l.price, l.deviation_id, l.requested_date, l.promised_date
from schedule_line l left join line_plan p on $3 and p.tenant_id = l.tenant_id and p.schedule_line_id = l.id
where l.tenant_id = $1 and l.contract_id = $2
    and l.status in ('draft', 'published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected')
    and ($3 or l.status <> 'draft')
order by l.id"""
_BEGUN = """
select distinct contract_line_id from schedule_line
where tenant_id = $1 and contract_line_id = any($2) and release_line_id is not null"""
_PRIORS = """
select distinct on (r.kind) r.kind, r.id, r.number
from release r left join release_standing s on s.tenant_id = r.tenant_id and s.release_id = r.id
where r.tenant_id = $1 and r.contract_id = $2 and coalesce(s.status, 'published') <> 'rejected'
order by r.kind, r.number desc"""
_PRIOR_LINES = """
select r.schedule_line_id, r.contract_line_id, r.due_date, r.quantity, r.level, l.status = 'closed'
from release_line r join schedule_line l on l.tenant_id = r.tenant_id and l.id = r.schedule_line_id
where r.tenant_id = $1 and r.release_id = $2"""


async def calculate(
    connection: Driver,
    actor: Actor,
    head: ContractHead,
    kind: ReleaseKind,
    today: date,
    drafts: bool = True,
    lock: bool = True,
) -> Calculation:
    """Lock the open lines of a locked contract and say what a release of them would be. Raises NothingToPublish.

    drafts: False leaves out what is still being planned: drafts, and changes of published lines. lock: False looks.
    """
    plan = await read_plan(connection, actor, head.id)
    terms = await read_terms(connection, actor, head.id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    ends = _ends(terms.values(), today, at, plan)
    last = _horizon(plan, kind, today)
    query = _OPEN_LINES + (" for update of l" if lock else "")
    rows = await connection.fetch(query, actor.tenant_id, head.id, drafts)
    draft = LineStatus.DRAFT.value
    fresh = (row["due_date"] for row in rows if row["status"] == draft)
    rules.check_drafts_inside(fresh, head.valid_to)
    same = _regrouped(rows, last)
    begun = await _begun(connection, actor, rows, ends) if plan.only_transmitted else set()
    joined = [row for row in rows if row["id"] in same and row["planned"] == 0] if same else []
    lines = []
    for row in (row for row in rows if row["planned"] != 0 or row["id"] not in same) if joined else rows:
        line = terms[row["contract_line_id"]]
        made = _lines(row, ends[line.id], at[line.ship_to_code], line.id in begun, today, row["id"] in same)
        lines += [one for one in made if last is None or one.due <= last]
    if not lines:
        raise NothingToPublish
    found = {row["kind"]: row for row in await connection.fetch(_PRIORS, actor.tenant_id, head.id)}
    prior = await _prior(connection, actor, found, kind, last)
    replaces = found[kind]["number"] if kind in found else None
    calendar = at[next(iter(terms.values())).ship_to_code]
    return Calculation(kind, today, plan, terms, ends, calendar, lines, replaces, prior, last, joined)


def _horizon(plan: Plan, kind: ReleaseKind, today: date) -> date | None:
    """The last day that the release speaks of; none: all that is open."""
    days = plan.jit_days if kind is ReleaseKind.JIT else plan.horizon_days
    return None if days is None else today + timedelta(days=days)


def _ends(
    terms: Iterable[Terms], today: date, at: Mapping[str, WorkingCalendar], plan: Plan
) -> dict[UUID, rules.Fences]:
    """Where the zones of each contract line end; lines of the same days share them."""
    known: dict[tuple[Any, ...], rules.Fences] = {}
    found: dict[UUID, rules.Fences] = {}
    for line in terms:
        days = (line.firm_days, line.tradeoff_days, line.day_unit, line.ship_to_code)
        if days not in known:
            calendar = at[line.ship_to_code]
            ends = rules.fences(today, line.firm_days, line.tradeoff_days, line.day_unit, calendar)
            known[days] = rules.split_fences(ends, today, plan.make_days, line.day_unit, calendar)
        found[line.id] = known[days]
    return found


def _regrouped(rows: Sequence[Any], last: date | None) -> set[UUID]:
    """The lines that are split, joined or exchanged while what is asked for stays the same on every day."""
    if all(row["planned"] is None for row in rows):
        return set()
    changed = (row for row in rows if row["planned"] is not None or row["status"] == LineStatus.DRAFT)
    return regrouped([_member(row) for row in changed], last)


def _member(row: Any) -> Member:
    place = row["contract_line_id"], row["ship_to_code"], row["price"]
    now, was = (Step(*place, row[name] or row["due_date"]) for name in ("planned_date", "due_date"))
    quantity = row["ordered_quantity"] if row["planned"] is None else row["planned"]
    barred = row["deviation_id"] is not None or row["status"] == LineStatus.REJECTED
    return Member(
        row["id"],
        None if row["release_line_id"] is None else (was, row["ordered_quantity"]),
        (now, quantity) if quantity else None,
        barred or row["shipped_quantity"] > quantity,
    )


async def _begun(connection: Driver, actor: Actor, rows: Sequence[Any], ends: Mapping[UUID, rules.Fences]) -> set[UUID]:
    """The parts of which something was told: only of them a line can *enter* the firm zone without having been told. A
    part's first release tells all of it as it is drafted, and asks the seller for what is firm."""
    told = {row["contract_line_id"] for row in rows if row["release_line_id"] is not None}
    drafted = ((row["contract_line_id"], row["due_date"]) for row in rows if row["status"] == LineStatus.DRAFT)
    unsure = {part for part, due in drafted if part not in told and due <= ends[part].firm_until}
    if not unsure:
        return told
    return told | {row[0] for row in await connection.fetch(_BEGUN, actor.tenant_id, list(unsure))}


def _lines(
    row: Any, ends: rules.Fences, calendar: WorkingCalendar, only_told: bool, today: date, same: bool
) -> list[Line]:
    """One open line as it will be told, with what is split from it. only_told: what was not told is not firm. same: it
    is regrouped, so all of it was told."""
    planned = row["planned"]
    stays = planned is None or (planned == 0 and not same)  # what joins nothing is told as before
    quantity, due = (row["ordered_quantity"], row["due_date"]) if stays else (planned, row["planned_date"])
    known = row["release_line_id"] is not None
    if same:
        return [replace(_line(row, quantity, due, ends, today, True), regrouped=True)]
    if not only_told or (stays and row["status"] != LineStatus.DRAFT):
        return [_line(row, quantity, due, ends, today, known)]
    told = (row["ordered_quantity"], row["due_date"]) if known else None
    wanted = transmitted(quantity, due, told, ends.firm_until, calendar.next_working(ends.firm_until + DAY))
    first = _line(row, wanted.quantity, wanted.due, ends, today, known)
    if not wanted.rest or wanted.rest_due is None:
        return [first]
    rest = _line(row, wanted.rest, wanted.rest_due, ends, today, False)
    return [first, replace(rest, split=True)]


def _line(row: Any, quantity: Decimal, due: date, ends: rules.Fences, today: date, known: bool) -> Line:
    still_open = due <= today and not rules.delivered_complete(
        quantity, row["received_quantity"], row["under_percent"], row["unit"]
    )
    level = rules.level_of(due, today, ends, still_open, known)
    return Line(row, quantity, due, ends.zone(due), level)


async def _prior(
    connection: Driver, actor: Actor, found: Mapping[str, Any], kind: ReleaseKind, last: date | None
) -> Prior | None:
    """The forecast in force: a JIT release is compared with it too, as far as the JIT horizon reaches."""
    row = found.get(ReleaseKind.FORECAST)
    if row is None:
        return None
    rows = await connection.fetch(_PRIOR_LINES, actor.tenant_id, row["id"])
    near = [one for one in rows if kind is ReleaseKind.FORECAST or last is None or one["due_date"] <= last]
    lines = [(Frozen(*list(one.values())[:4]), _LEVELS[one["level"]]) for one in near if not one[5]]
    return Prior(row["id"], row["number"], lines, [one[0] for one in near if one[5]])
