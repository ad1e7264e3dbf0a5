"""From a contract's fixed quantities to schedule lines, and from lines to a numbered release."""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Cadence, ContractStatus, DayUnit
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import check_calls
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import WorkingCalendar, deadline, local_today
from portal.core.db import Driver
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.quantities import check_scale
from portal.schedules import rules
from portal.schedules.events import ReleasePublished
from portal.schedules.model import Level, LineStatus, Zone
from portal.schedules.rules_generation import generate
from portal.schedules.service import visible
from portal.schedules.service_calls import call_drafts

logger = logging.getLogger(__name__)
HORIZON_DAYS = 182  # 26 weeks: how far lines are generated when nothing else is asked
HORIZON_LIMIT = 731


class NotInForce(Conflict):
    code = "contract-not-active"
    text = N_("Deliveries are called off from a contract in force only; this one is “{status}”.")


class NothingToPublish(Conflict):
    code = "nothing-to-publish"
    text = N_("There is no open delivery to publish. Generate deliveries or add one first.")


class HorizonTooLong(Invalid):
    code = "horizon-too-long"
    text = N_("Deliveries can be generated up to {latest}. Choose an earlier day.")


class OutsideValidity(Invalid):
    code = "outside-validity"
    text = N_("{day} is outside the contract's validity. Choose a day from {first} to {last}.")


class LineEnded(Conflict):
    code = "line-ended"
    text = N_("This line ended on {day} by an amendment, so nothing is called off from it any more.")


class Generate(Input):
    """Generate all periods that begin before this day. None: 26 weeks from today."""

    until: date | None = None


class Publish(Input):
    note: str = Field(default="", max_length=300)


class CallOff(Input):
    """One delivery asked for by hand, from a line with or without fixed quantity."""

    contract_line_id: UUID
    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6)
    due_date: date
    order_no: str = Field(default="", max_length=40)


class ContractHead(Struct, frozen=True):
    """The locked contract that lines are generated or published for."""

    id: UUID
    party_id: UUID
    version: int
    status: str
    valid_from: date
    valid_to: date | None  # the last day; of a terminated contract the day it ends on
    time_zone: str
    response_hours: int
    release_no: int
    last_line_no: int


class Terms(Struct, frozen=True):
    """One contract line as generation and publishing read it."""

    id: UUID
    item_code: str
    unit: str
    foq: Decimal | None
    cadence: Cadence | None
    pack_size: Decimal
    minimum_order: Decimal
    under_percent: Decimal
    over_percent: Decimal
    firm_days: int
    tradeoff_days: int
    day_unit: DayUnit
    delivery_weekdays: list[int]
    ship_to_code: str
    generated_until: date | None
    carried_remainder: Decimal
    ended_from: date | None  # an amendment took the line out


async def lock_contract(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None) -> ContractHead:
    """Lock a contract that is in force. NotFound, Stale, or NotInForce."""
    connection = await db.driver(session)
    row = await connection.fetchrow(
        "select id, party_id, version, status, valid_from, least(valid_to, ends_on), time_zone, response_hours,"
        " release_no, last_line_no from contract"
        " where tenant_id = $1 and id = $2 and ($3::uuid[] is null or id = any($3)) for update",
        *(actor.tenant_id, contract_id, visible(actor)),
    )
    if row is None:
        raise NotFound
    head = ContractHead(*row.values())
    if version is not None:
        rules.check_version(version, head.version)
    if head.status != ContractStatus.ACTIVE:
        raise NotInForce(status=ContractStatus(head.status))
    return head


async def read_terms(connection: Driver, actor: Actor, contract_id: UUID) -> dict[UUID, Terms]:
    """The contract's lines in the order of their numbers."""
    rows = await connection.fetch(
        "select id, item_code, unit, foq, cadence, pack_size, minimum_order, under_percent, over_percent, firm_days,"
        " tradeoff_days, day_unit, delivery_weekdays, ship_to_code, generated_until, carried_remainder,"
        " ended_from from contract_line where tenant_id = $1 and contract_id = $2 order by line_no",
        *(actor.tenant_id, contract_id),
    )
    return {
        row["id"]: Terms(
            **{
                **row,
                "cadence": Cadence(row["cadence"]) if row["cadence"] else None,
                "day_unit": DayUnit(row["day_unit"]),
            }
        )
        for row in rows
    }


async def calendars(connection: Driver, actor: Actor, codes: set[str]) -> Mapping[str, WorkingCalendar]:
    """The working calendar of each ship-to site; a site that is not kept here works Monday to Friday."""
    rows = await connection.fetch(
        "select s.code, s.weekdays, coalesce(array_agg(d.day) filter (where not d.working), '{}') as holidays,"
        " coalesce(array_agg(d.day) filter (where d.working), '{}') as extra"
        " from site s left join site_day d on d.tenant_id = s.tenant_id and d.site_id = s.id"
        " where s.tenant_id = $1 and s.code = any($2) group by s.code, s.weekdays, s.id",
        *(actor.tenant_id, list(codes)),
    )
    known = {
        row["code"]: WorkingCalendar(frozenset(row["weekdays"]), frozenset(row["holidays"]), frozenset(row["extra"]))
        for row in rows
    }
    return {code: known.get(code, WorkingCalendar()) for code in codes}


_INSERT_LINES = """
insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no, order_date,
    due_date, requested_date, period_start, unit, ordered_quantity, under_percent, over_percent, status, reject_reason,
    supply_state, supply_note, confirmed_quantity, shipped_quantity, received_quantity, rejected_quantity, ship_to_code,
    version)
select $1, r.id, $2, $3, r.contract_line_id, r.line_no, $4, $5, r.due_date, r.due_date, r.period_start, r.unit,
    r.quantity, r.under_percent, r.over_percent, 'draft', '', 'unknown', '', 0, 0, 0, 0, r.ship_to_code, 1
from unnest($6::uuid[], $7::uuid[], $8::int[], $9::date[], $10::date[], $11::text[], $12::numeric[], $13::numeric[],
    $14::numeric[], $15::text[])
    as r(id, contract_line_id, line_no, due_date, period_start, unit, quantity, under_percent, over_percent,
        ship_to_code)
"""
_STORE_STATE = """
update contract_line l set generated_until = r.done, carried_remainder = r.carried
from unnest($2::uuid[], $3::date[], $4::numeric[]) as r(id, done, carried)
where l.tenant_id = $1 and l.id = r.id"""
_STORE_LINE_NO = "update contract set last_line_no = $3 where tenant_id = $1 and id = $2"


async def generate_lines(session: AsyncSession, actor: Actor, contract_id: UUID, data: Generate) -> int:
    """Draft lines for every period of the horizon that has none yet. Returns how many were made."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, None)
    today = local_today(clock.now(), head.time_zone)
    until = data.until or today + timedelta(days=HORIZON_DAYS)
    if until > today + timedelta(days=HORIZON_LIMIT):
        raise HorizonTooLong(field="until", latest=today + timedelta(days=HORIZON_LIMIT))
    connection = await db.driver(session)
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    new: list[tuple[Any, ...]] = []
    states: list[tuple[Any, ...]] = []
    for line in (line for line in terms.values() if line.ended_from is None):
        made = generate(line, head.valid_from, head.valid_to, at[line.ship_to_code], today, until)
        states.append((line.id, made.generated_until, made.carried_remainder))
        for delivery in made.deliveries:
            number = head.last_line_no + len(new) + 1
            new.append(_new_line(line, number, delivery.due_date, delivery.period_start, delivery.quantity))
    if new:
        await _store_lines(connection, actor, head, "", today, new)
    if states:
        await connection.execute(_STORE_STATE, actor.tenant_id, *map(list, zip(*states, strict=True)))
    record(session, actor, _subject(head), "generated", lines=len(new), until=until)
    logger.info("schedule lines generated", extra={"contract_id": str(contract_id), "lines": len(new)})
    return len(new)


async def call_off(session: AsyncSession, actor: Actor, contract_id: UUID, data: CallOff) -> UUID:
    """One draft line by hand. Returns its id."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, None)
    connection = await db.driver(session)
    line = (await read_terms(connection, actor, contract_id)).get(data.contract_line_id)
    if line is None:
        raise NotFound
    if line.ended_from is not None:
        raise LineEnded(field="contract_line_id", day=line.ended_from)
    check_scale(data.quantity, line.unit)
    if data.due_date < head.valid_from or (head.valid_to is not None and data.due_date > head.valid_to):
        last = head.valid_to or date.max
        raise OutsideValidity(field="due_date", day=data.due_date, first=head.valid_from, last=last)
    rules.check_promises([(data.quantity, data.due_date)], line.unit, local_today(clock.now(), head.time_zone))
    wanted = Call(contract_id, line.id, line.item_code, data.due_date, data.quantity)
    await check_calls(session, actor, head.party_id, [wanted])
    new = _new_line(line, head.last_line_no + 1, data.due_date, None, data.quantity)
    await _store_lines(connection, actor, head, data.order_no, local_today(clock.now(), head.time_zone), [new])
    line_id: UUID = new[0]
    made = Subject("schedule_line", line_id, head.party_id, 1, head.id)
    record(session, actor, made, "called_off", quantity=data.quantity, unit=line.unit, date=data.due_date)
    logger.info("schedule line called off", extra={"line_id": str(line_id)})
    return line_id


def _new_line(line: Terms, number: int, due: date, period: date | None, quantity: Decimal) -> tuple[Any, ...]:
    """One row of _INSERT_LINES."""
    percents = (line.under_percent, line.over_percent)
    return (uuid7(), line.id, number, due, period, line.unit, quantity, *percents, line.ship_to_code)


async def _store_lines(
    connection: Driver, actor: Actor, head: ContractHead, order_no: str, today: date, new: list[tuple[Any, ...]]
) -> None:
    fixed = (actor.tenant_id, head.party_id, head.id, order_no, today)
    await connection.execute(_INSERT_LINES, *fixed, *map(list, zip(*new, strict=True)))
    await connection.execute(_STORE_LINE_NO, actor.tenant_id, head.id, head.last_line_no + len(new))


_OPEN_LINES = """
select id, contract_line_id, status, version, due_date, ordered_quantity, under_percent, received_quantity,
    unit, zone, level, release_line_id, period_start
from schedule_line where tenant_id = $1 and contract_id = $2
    and status in ('draft', 'published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected')
    and ($3 or status <> 'draft')
order by id for update"""
_INSERT_RELEASE = """
insert into release (tenant_id, id, party_id, contract_id, number, calculated_on, horizon_end, published_at,
    published_by, note)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
_INSERT_RELEASE_LINES = """
insert into release_line (tenant_id, id, party_id, release_id, schedule_line_id, contract_line_id, due_date, quantity,
    zone, level)
select $1, r.id, $2, $3, r.line, r.contract_line, r.due, r.quantity, r.zone, r.level
from unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::date[], $8::numeric[], $9::text[], $10::text[])
    as r(id, line, contract_line, due, quantity, zone, level)"""
_PUBLISH_LINES = """
update schedule_line l set release_line_id = r.release_line, zone = r.zone, level = r.level, status = r.status,
    version = r.version, respond_by = case when r.asked then $3 else l.respond_by end,
    bucket_id = coalesce(r.bucket, l.bucket_id)
from unnest($2::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::int[], $9::bool[], $10::uuid[])
    as r(id, release_line, zone, level, status, version, asked, bucket)
where l.tenant_id = $1 and l.id = r.id"""


class _Published(Struct, frozen=True):
    """One open line as the release puts it."""

    id: UUID
    release_line_id: UUID
    contract_line_id: UUID
    due: date
    quantity: Decimal
    zone: Zone
    level: Level
    status: LineStatus
    version: int
    asked: bool  # the seller is asked with this release
    bucket_id: UUID | None  # the period that a draft is now called off from


async def publish_release(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None, data: Publish, *, drafts: bool = True
) -> tuple[UUID, int]:
    """Freeze all open lines as the next release and tell the other side. Returns the release's id and number.

    drafts: False where something agreed is told and what is still being planned stays at home.
    """
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, version)
    now = clock.now()
    today = local_today(now, head.time_zone)
    connection = await db.driver(session)
    rows = await connection.fetch(_OPEN_LINES, actor.tenant_id, contract_id, drafts)
    if not rows:
        raise NothingToPublish
    rules.check_drafts_inside((row["due_date"] for row in rows if row["status"] == LineStatus.DRAFT), head.valid_to)
    terms = await read_terms(connection, actor, contract_id)
    at = await calendars(connection, actor, {line.ship_to_code for line in terms.values()})
    ends = {
        line.id: rules.fences(today, line.firm_days, line.tradeoff_days, line.day_unit, at[line.ship_to_code])
        for line in terms.values()
    }
    called = await call_drafts(session, actor, head.party_id, rows, terms)
    lines = [_published(row, ends[row["contract_line_id"]], today, called.get(row["id"])) for row in rows]
    release_id, number = uuid7(), head.release_no + 1
    respond_by = deadline(now, head.response_hours, head.time_zone, WorkingCalendar())
    await _store_release(connection, actor, head, (release_id, number, now, today, data.note), lines, respond_by)
    subject = Subject("contract", head.id, head.party_id, head.version + 1, head.id)
    record(session, actor, subject, "released", number=number, lines=len(lines), note=data.note)
    for line in lines:
        what = Subject("schedule_line", line.id, head.party_id, line.version, head.id)
        record(session, actor, what, "asked" if line.asked else "published", release=number, zone=line.zone)
    emit(session, actor, head.party_id, ReleasePublished(head.id, release_id))
    logger.info("release published", extra={"contract_id": str(head.id), "number": number, "lines": len(lines)})
    return release_id, number


def _published(row: Any, ends: rules.Fences, today: date, bucket_id: UUID | None) -> _Published:
    """What the release makes of one open line: its zone and level, and whether the seller is now asked."""
    status = LineStatus(row["status"])
    zone = ends.zone(row["due_date"])
    complete = rules.delivered_complete(
        row["ordered_quantity"], row["received_quantity"], row["under_percent"], row["unit"]
    )
    known = row["release_line_id"] is not None
    level = rules.level_of(row["due_date"], today, ends, not complete, known)
    asked = status in (LineStatus.DRAFT, LineStatus.PUBLISHED) and rules.needs_answer(zone)
    if status is LineStatus.DRAFT:
        status = LineStatus.PUBLISHED
    if asked:
        status = LineStatus.PROPOSED
    return _Published(
        row["id"], uuid7(), row["contract_line_id"], row["due_date"], row["ordered_quantity"], zone, level, status,
        row["version"] + 1, asked, bucket_id,
    )  # fmt: skip


async def _store_release(
    connection: Driver,
    actor: Actor,
    head: ContractHead,
    release: tuple[UUID, int, datetime, date, str],
    lines: list[_Published],
    respond_by: datetime,
) -> None:
    """Write the release, its frozen lines, and what the live lines now are."""
    release_id, number, now, today, note = release
    horizon = max(line.due for line in lines)
    await connection.execute(
        _INSERT_RELEASE,
        *(actor.tenant_id, release_id, head.party_id, head.id, number, today, horizon, now, actor.name, note),
    )
    frozen = [
        (p.release_line_id, p.id, p.contract_line_id, p.due, p.quantity, p.zone.value, p.level.value) for p in lines
    ]
    await connection.execute(
        _INSERT_RELEASE_LINES, actor.tenant_id, head.party_id, release_id, *map(list, zip(*frozen, strict=True))
    )
    ids = [p.id for p in lines]
    live = [
        (p.release_line_id, p.zone.value, p.level.value, p.status.value, p.version, p.asked, p.bucket_id) for p in lines
    ]
    await connection.execute(_PUBLISH_LINES, actor.tenant_id, ids, respond_by, *map(list, zip(*live, strict=True)))
    await connection.execute(
        "update contract set release_no = $3, released_on = $4, version = version + 1 where tenant_id = $1 and id = $2",
        *(actor.tenant_id, head.id, number, today),
    )


def _subject(head: ContractHead) -> Subject:
    return Subject("contract", head.id, head.party_id, head.version, head.id)
