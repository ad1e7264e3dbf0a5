"""The releases of a demo contract, with what each told beside its lines: written as the portal writes them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import to_builtins
from sqlmodel import SQLModel

from portal.contracts.model import Contract, ContractLine, ContractPrice, DayUnit
from portal.core.calendars import WorkingCalendar
from portal.core.ids import uuid7
from portal.schedules import rules
from portal.schedules.model import Level, LineStatus, Release, ReleaseLine, ReleaseStatus, ScheduleLine, Zone
from portal.schedules.model_releases import ReleaseStanding
from portal.schedules.reads_contents import DOCUMENTS, Contents, Document, PartContents

PAST, AHEAD = 12, 26  # weeks
WEEK = timedelta(weeks=1)
PACK = Decimal(10)
TRAVEL = timedelta(days=2)


class Story(NamedTuple):
    """The contract with all its deliveries, what each arrival is called, and who publishes."""

    contract: Contract
    kept: Sequence[ContractLine]
    prices: Sequence[ContractPrice]
    lines: Sequence[ScheduleLine]
    receipts: Mapping[date, str]  # by the day of arrival
    planner: str


def releases_of(story: Story, monday: date, now: datetime) -> list[list[SQLModel]]:
    """The first release, last week's, and this week's, which changed two deliveries of the trade-off zone."""
    changes = _changes(story.lines, monday)
    releases: list[SQLModel] = []
    frozen: list[SQLModel] = []
    standings: list[SQLModel] = []
    before: set[UUID] = set()
    for number, day in ((1, monday - PAST * WEEK), (2, monday - WEEK), (3, monday)):
        release = _release(story, number, day, now)
        ends = rules.fences(day, 28, 63, DayUnit.CALENDAR, WorkingCalendar())
        told = []
        for line in story.lines:
            backlog = number > 1 and line.due_date < day and line.status is not LineStatus.CLOSED
            if backlog or day <= line.due_date <= release.horizon_end:
                amount = changes.get(line.id, line.ordered_quantity) if number < 3 else line.ordered_quantity
                told.append(_frozen(release, line, amount, ends))
        asked = {one.schedule_line_id for one in told}
        parts = {line.id: _part(story, line, day, ends, told) for line in story.kept}
        contents = Contents(story.planner, release.prior_number, sorted(before - asked), parts)
        release.contents = to_builtins(contents)
        releases.append(release)
        frozen += told
        if number < 3:
            standings.append(_superseded(release))
        before = asked
    return [releases, frozen, standings]


def _release(story: Story, number: int, day: date, now: datetime) -> Release:
    contract = story.contract
    return Release(
        tenant_id=contract.tenant_id,
        party_id=contract.party_id,
        contract_id=contract.id,
        number=number,
        calculated_on=day,
        horizon_end=day + AHEAD * WEEK if number == 1 else max(line.due_date for line in story.lines),
        published_at=min(datetime.combine(day, time(9, 40), ZoneInfo(contract.time_zone)), now),
        published_by=story.planner,
        prior_number=number - 1 or None,
    )


def _superseded(release: Release) -> ReleaseStanding:
    """An earlier release, as the one after it left it."""
    return ReleaseStanding(
        tenant_id=release.tenant_id,
        party_id=release.party_id,
        release_id=release.id,
        contract_id=release.contract_id,
        status=ReleaseStatus.SUPERSEDED,
    )


def _part(story: Story, part: ContractLine, day: date, ends: rules.Fences, told: Iterable[ReleaseLine]) -> PartContents:
    """What was known of one part in the morning of a day: all that had come before it."""
    came: dict[date, Decimal] = defaultdict(Decimal)
    here: dict[UUID, Decimal] = {}
    under_way = Decimal(0)
    for line in story.lines:
        arrived = line.last_received_on
        if line.contract_line_id == part.id and arrived is not None and arrived - TRAVEL < day:
            if arrived < day:
                here[line.id] = line.received_quantity
                came[arrived] += line.received_quantity
            else:
                under_way += line.shipped_quantity
    last = sorted(came, reverse=True)[:DOCUMENTS]
    due = {level: Decimal(0) for level in (Level.BACKLOG, Level.IMMEDIATE)}
    for one in told:
        if one.contract_line_id == part.id and one.level in due:
            due[Level(one.level)] += one.quantity - here.get(one.schedule_line_id, Decimal(0))
    return PartContents(
        item_code=part.item_code,
        unit=part.unit,
        revision=part.revision,
        ship_to_code=part.ship_to_code,
        unloading_point=part.unloading_point,
        cum_received=sum(here.values(), Decimal(0)),
        received_on=last[0] if last else None,
        in_transit=under_way,
        backlog=due[Level.BACKLOG],
        immediate=due[Level.IMMEDIATE],
        make_until=ends.make_until or ends.tradeoff_until,
        buy_until=ends.tradeoff_until,
        documents=[Document(story.receipts[one], one, came[one]) for one in last],
        firm_until=ends.firm_until,
        price=next(price.price for price in story.prices if price.contract_line_id == part.id),
        price_unit=Decimal(1),
    )


def _frozen(release: Release, line: ScheduleLine, amount: Decimal, ends: rules.Fences) -> ReleaseLine:
    """The line as this release puts it; the live line carries the last one."""
    zone = ends.zone(line.due_date)
    level = rules.level_of(line.due_date, release.calculated_on, ends, True, release.number > 1)
    copy = ReleaseLine(
        id=uuid7(),
        tenant_id=line.tenant_id,
        party_id=line.party_id,
        release_id=release.id,
        schedule_line_id=line.id,
        contract_line_id=line.contract_line_id,
        due_date=line.due_date,
        quantity=amount,
        zone=zone,
        level=level,
    )
    line.zone, line.level, line.release_line_id = zone, level, copy.id
    return copy


def _changes(lines: Sequence[ScheduleLine], monday: date) -> dict[UUID, Decimal]:
    """What two deliveries of the trade-off zone were before this week's release: one was more, one was less."""
    ends = rules.fences(monday, 28, 63, DayUnit.CALENDAR, WorkingCalendar())
    parts = list(dict.fromkeys(line.contract_line_id for line in lines))
    first = [line for line in lines if line.contract_line_id == parts[0] and ends.zone(line.due_date) is Zone.TRADEOFF]
    last = [line for line in lines if line.contract_line_id == parts[-1] and ends.zone(line.due_date) is Zone.TRADEOFF]
    less, more = first[0], last[1]
    return {less.id: less.ordered_quantity + 8 * PACK, more.id: more.ordered_quantity - 3 * PACK}
