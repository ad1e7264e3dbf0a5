"""A release is published: its lines are frozen, the live lines follow it, and the other side is told."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.arrays import array, columns, unseen
from portal.core.calendars import deadline, local_today
from portal.core.db import Driver
from portal.core.ids import uuid7, uuid7s
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record, record_each
from portal.schedules import rules
from portal.schedules.events import ReleasePublished
from portal.schedules.model import LineStatus, ReleaseKind, Trigger, Zone
from portal.schedules.reads_calendars import answer_until, answering_calendar
from portal.schedules.reads_contents import read_contents
from portal.schedules.rules_releases import Spans, spans_of
from portal.schedules.service_calculating import Calculation, Line, calculate
from portal.schedules.service_calculating import NothingToPublish as NothingToPublish
from portal.schedules.service_calls import call_drafts
from portal.schedules.service_following import follow
from portal.schedules.service_regrouping import hand_over, regroup
from portal.schedules.service_terms import ContractHead, contract_of, lock_contract

logger = logging.getLogger(__name__)


class Publish(Input):
    """A release of a kind: a forecast speaks of all open deliveries, JIT of those inside its horizon."""

    note: str = Field(default="", max_length=300)
    kind: ReleaseKind = ReleaseKind.FORECAST


_INSERT_RELEASE = """
insert into release (tenant_id, id, party_id, contract_id, number, calculated_on, horizon_end, published_at,
    published_by, note, kind, trigger, prior_number, daily_until, weekly_until, contents)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb)"""
_INSERT_STANDING = """
insert into release_standing (tenant_id, id, party_id, release_id, contract_id, status, answer_by, answered_name,
    reason, version)
values ($1, $2, $3, $4, $5, 'published', $6, '', '', 1)"""
# The release that is replaced may be an imported one without a standing of its own.
_SUPERSEDE = """
insert into release_standing (tenant_id, id, party_id, release_id, contract_id, status, answered_name, reason, version)
select r.tenant_id, $4, r.party_id, r.id, r.contract_id, 'superseded', '', '', 1
from release r where r.tenant_id = $1 and r.contract_id = $2 and r.number = $3
on conflict (tenant_id, party_id, release_id) do update set status = 'superseded',
    version = release_standing.version + 1
where release_standing.status in ('published', 'delivered', 'acknowledged')"""
_INSERT_RELEASE_LINES = """
insert into release_line (tenant_id, id, party_id, release_id, schedule_line_id, contract_line_id, due_date, quantity,
    zone, level)
select $1, r.id, $2, $3, r.line, r.contract_line, r.due, r.quantity, r.zone, r.level
from unnest($4::text::uuid[], $5::text::uuid[], $6::text::uuid[], $7::text::date[], $8::text::numeric[],
    $9::text::text[], $10::text::text[])
    as r(id, line, contract_line, due, quantity, zone, level)"""
_PUBLISH_LINES = f"""
update schedule_line l set release_line_id = r.release_line, zone = r.zone, level = r.level, status = r.status,
    version = r.version, respond_by = case when r.asked then $2 else l.respond_by end,
    bucket_id = coalesce(r.bucket, l.bucket_id)
from unnest({unseen(3, "uuid uuid text text text int bool uuid")})
    as r(id, release_line, zone, level, status, version, asked, bucket)
where l.tenant_id = $1 and l.id = r.id"""  # noqa: S608 - own text


class Numbered(Struct, frozen=True):
    """The release to be: what of it is not in the calculation."""

    id: UUID
    number: int
    now: datetime
    note: str
    trigger: Trigger


class _Published(Struct, frozen=True):
    """One line as the release puts it."""

    line: Line
    release_line_id: UUID
    status: LineStatus
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
    today = local_today(clock.now(), head.time_zone)
    made = await calculate(await db.driver(session), actor, head, data.kind, today, drafts)
    return await publish(session, actor, head, made, data.note, Trigger.MANUAL)


async def publish(
    session: AsyncSession, actor: Actor, head: ContractHead, made: Calculation, note: str, trigger: Trigger
) -> tuple[UUID, int]:
    """Write a calculated release of a locked contract, and let the live lines follow it."""
    connection = await db.driver(session)
    release = Numbered(uuid7(), head.release_no + 1, clock.now(), note, trigger)
    kept = await regroup(session, actor, head, made)
    lines = await follow(session, actor, head, made)
    if kept.lines:
        lines = [kept.lines.get(line.row["id"], line) for line in lines]
    called = await call_drafts(session, actor, head.party_id, lines, made.terms)
    copies = uuid7s(len(lines))
    told = [_published(line, copy, called.get(line.row["id"])) for line, copy in zip(lines, copies, strict=True)]
    respond_by = await answer_until(connection, actor, head, release.now)
    await _store_release(connection, actor, head, made, release)
    await _store_lines(connection, actor, head, release, told, respond_by)
    handed = (one for one in told if one.line.row["id"] in kept.promised)
    places = {one.line.row["id"]: (one.release_line_id, one.bucket_id or one.line.row["bucket_id"]) for one in handed}
    await hand_over(connection, actor, head, kept, places)
    subject = contract_of(head, raised=1)
    record(session, actor, subject, "released", number=release.number, lines=len(told), note=note)
    _record_lines(session, actor, head, release, told)
    emit(session, actor, head.party_id, ReleasePublished(head.id, release.id))
    logger.info("release published", extra={"contract_id": str(head.id), "number": release.number, "lines": len(told)})
    return release.id, release.number


def _record_lines(
    session: AsyncSession, actor: Actor, head: ContractHead, release: Numbered, told: Sequence[_Published]
) -> None:
    """What the release did to each line; most of a release is the same deed."""
    by_deed: dict[tuple[bool, Zone], list[tuple[UUID, int]]] = defaultdict(list)
    for one in told:
        by_deed[one.asked, one.line.zone].append((one.line.row["id"], one.line.row["version"] + 1))
    what = Subject("schedule_line", head.id, head.party_id, contract_id=head.id)
    for (asked, zone), lines in by_deed.items():
        verb = "asked" if asked else "published"
        record_each(session, actor, what, verb, lines, release=release.number, zone=zone)


_STATUSES = {each.value: each for each in LineStatus}  # the class takes as long to ask as all else of a line


def _published(line: Line, copy: UUID, bucket_id: UUID | None) -> _Published:
    """Where the line stands after the release, and whether the seller is now asked."""
    status = _STATUSES[line.row["status"]]
    answered_before = line.row["confirmed_quantity"] > 0 and line.changed and not line.split  # for another request
    if line.answered is not None:
        return _Published(line, copy, line.answered, False, bucket_id)
    asked = status in (LineStatus.DRAFT, LineStatus.PUBLISHED) and rules.needs_answer(line.zone, answered_before)
    if status is LineStatus.DRAFT:
        status = LineStatus.PUBLISHED
    return _Published(line, copy, LineStatus.PROPOSED if asked else status, asked, bucket_id)


async def _store_release(
    connection: Driver, actor: Actor, head: ContractHead, made: Calculation, release: Numbered
) -> None:
    """Write the release with all it tells beside its lines, how it stands, and that it replaces the one before."""
    plan = made.plan
    spans: Spans | None = None
    if plan.daily_days is not None and plan.weekly_days is not None:
        spans = spans_of(made.today, plan.daily_days, plan.weekly_days, made.calendar)
    contents = await read_contents(connection, actor, head, made)
    await connection.execute(
        _INSERT_RELEASE,
        *(actor.tenant_id, release.id, head.party_id, head.id, release.number, made.today, made.horizon_end),
        *(release.now, actor.name, release.note, made.kind.value, release.trigger.value, made.replaces),
        *(*(spans or (None, None)), msgspec.json.encode(contents).decode()),
    )
    answer_by = None
    if plan.answer_hours is not None:
        partner = await answering_calendar(connection, actor, head.party_id, factory=False)
        answer_by = deadline(release.now, plan.answer_hours, head.time_zone, partner)
    standing = (actor.tenant_id, uuid7(), head.party_id, release.id, head.id, answer_by)
    await connection.execute(_INSERT_STANDING, *standing)
    if made.replaces is not None:
        await connection.execute(_SUPERSEDE, actor.tenant_id, head.id, made.replaces, uuid7())


async def _store_lines(
    connection: Driver,
    actor: Actor,
    head: ContractHead,
    release: Numbered,
    told: Sequence[_Published],
    respond_by: datetime,
) -> None:
    """Write the frozen lines, what the live lines now are, and the contract's new number."""
    frozen = [(one.release_line_id, *one.line.frozen, one.line.zone, one.line.level) for one in told]
    await connection.execute(_INSERT_RELEASE_LINES, actor.tenant_id, head.party_id, release.id, *columns(frozen))
    live = [
        (
            *(one.release_line_id, one.line.zone, one.line.level, one.status),
            *(one.line.row["version"] + 1, one.asked, one.bucket_id),
        )
        for one in told
    ]
    ids = [one.line.row["id"] for one in told]
    await connection.execute(_PUBLISH_LINES, actor.tenant_id, respond_by, array(ids), *columns(live))
    await connection.execute(
        "update contract set release_no = $3, released_on = $4, version = version + 1 where tenant_id = $1 and id = $2",
        *(actor.tenant_id, head.id, release.number, local_today(release.now, head.time_zone)),
    )
