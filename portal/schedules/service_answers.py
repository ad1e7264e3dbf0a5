"""What the partner says of a release: it acknowledges or rejects it; what follows from a rejection the factory does.

A partner's role writes no deliveries, so `restore` runs in the factory's own scope after the event.
"""

import logging
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.contracts.service_buckets import give_back
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor, Scope
from portal.core.errors import Forbidden, NotFound
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.states import Side
from portal.core.versions import check_version
from portal.schedules.events import ReleaseAcknowledged, ReleaseRejected
from portal.schedules.model import Release, ReleaseStatus
from portal.schedules.model_releases import ReleaseStanding
from portal.schedules.rules import ReasonNeeded
from portal.schedules.rules_releases import RELEASE_STATES, OlderRelease, ReleaseAnswered

logger = logging.getLogger(__name__)
LONGEST_NUMBER = 2**31


class RejectRelease(Input):
    reason: str = Field(max_length=500)


async def get_release(session: AsyncSession, actor: Actor, contract_id: UUID, number: int) -> Release:
    """One release of a contract that the actor may see. NotFound."""
    await get_contract(session, actor, contract_id)
    if not 0 < number < LONGEST_NUMBER:
        raise NotFound
    query = select(Release).where(
        Release.tenant_id == actor.tenant_id, Release.contract_id == contract_id, Release.number == number
    )
    release = (await session.exec(query)).one_or_none()
    if release is None:
        raise NotFound
    return release


async def get_standing(session: AsyncSession, actor: Actor, release: Release, lock: bool = False) -> ReleaseStanding:
    """How a release stands. One without a row (imported) is published, and nobody is asked: NotFound when locked."""
    query = select(ReleaseStanding).where(
        ReleaseStanding.tenant_id == actor.tenant_id, ReleaseStanding.release_id == release.id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = (await session.exec(query)).one_or_none()
    if found is None and lock:
        raise NotFound
    return found or ReleaseStanding(
        tenant_id=release.tenant_id,
        party_id=release.party_id,
        release_id=release.id,
        contract_id=release.contract_id,
    )


async def acknowledge_release(
    session: AsyncSession, actor: Actor, contract_id: UUID, number: int, version: int | None = None
) -> ReleaseStanding:
    """The partner has read a release and works by it. What its lines ask is answered line by line."""
    release, standing = await _answering(session, actor, contract_id, number, version)
    _answer(session, actor, release, standing, "acknowledge")
    record(session, actor, _subject(release, standing), "acknowledged", number=number)
    emit(session, actor, release.party_id, ReleaseAcknowledged(release.contract_id, release.id))
    return standing


async def acknowledge(session: AsyncSession, actor: Actor, release_id: UUID) -> Release:
    """The same by the release's own id, as messages carry it."""
    query = select(Release).where(Release.tenant_id == actor.tenant_id, Release.id == release_id)
    release = (await session.exec(query)).one_or_none()
    if release is None:
        raise NotFound
    await acknowledge_release(session, actor, release.contract_id, release.number)
    return release


_ANSWERED = """
select exists (
    select from confirmation c join release_line r on r.tenant_id = c.tenant_id and r.id = c.release_line_id
    where c.tenant_id = $1 and r.release_id = $2 and c.status = 'valid')
or exists (
    select from release_line r
    join shipment_line s on s.tenant_id = r.tenant_id and s.schedule_line_id = r.schedule_line_id
    join shipment n on n.tenant_id = s.tenant_id and n.id = s.shipment_id
    join release a on a.tenant_id = r.tenant_id and a.id = r.release_id
    where r.tenant_id = $1 and r.release_id = $2 and n.status <> 'withdrawn' and n.shipped_on >= a.calculated_on
        and not exists (
            select from release_line o join release p on p.tenant_id = o.tenant_id and p.id = o.release_id
            where o.tenant_id = r.tenant_id and o.schedule_line_id = r.schedule_line_id and p.number < a.number
                and p.contract_id = a.contract_id and o.due_date = r.due_date and o.quantity = r.quantity))"""


async def reject_release(
    session: AsyncSession, actor: Actor, contract_id: UUID, number: int, version: int | None, data: RejectRelease
) -> ReleaseStanding:
    """The partner refuses a release as a whole: the one before it stays in force until the next.

    Raises ReleaseAnswered when lines of it are answered or on the way already, ReasonNeeded.
    """
    if not data.reason.strip():
        raise ReasonNeeded(field="reason")
    release, standing = await _answering(session, actor, contract_id, number, version)
    if await (await db.driver(session)).fetchval(_ANSWERED, actor.tenant_id, release.id):
        raise ReleaseAnswered(number=number)
    _answer(session, actor, release, standing, "reject")
    standing.reason = data.reason.strip()
    record(session, actor, _subject(release, standing), "rejected", number=number, note=standing.reason)
    emit(session, actor, release.party_id, ReleaseRejected(release.contract_id, release.id))
    return standing


async def _answering(
    session: AsyncSession, actor: Actor, contract_id: UUID, number: int, version: int | None
) -> tuple[Release, ReleaseStanding]:
    """The newest release of its kind, locked, for an answer of the partner it was told to."""
    if actor.scope is not Scope.PARTNER:
        raise Forbidden
    actor.require(Permission.CONFIRM_LINES)
    release = await get_release(session, actor, contract_id, number)
    standing = await get_standing(session, actor, release, lock=True)
    if version is not None:
        check_version(version, standing.version)
    newest = select(Release.number).where(
        Release.tenant_id == actor.tenant_id, Release.contract_id == contract_id, Release.kind == release.kind
    )
    latest = (await session.exec(newest.order_by(col(Release.number).desc()).limit(1))).one()
    if latest != number:
        raise OlderRelease(number=number, newest=latest)
    return release, standing


def _answer(session: AsyncSession, actor: Actor, release: Release, standing: ReleaseStanding, action: str) -> None:
    standing.status = RELEASE_STATES.target(standing.status, action, by=Side.SELLER)
    standing.answered_at, standing.answered_by, standing.answered_name = clock.now(), actor.member_id, actor.name
    standing.version += 1
    session.add(standing)


def _subject(release: Release, standing: ReleaseStanding) -> Subject:
    return Subject("release", release.id, release.party_id, standing.version, release.contract_id)


_DELIVER = """
update release_standing set status = 'delivered', delivered_at = $3, version = version + 1
where tenant_id = $1 and release_id = $2 and status = 'published'"""


async def deliver_release(session: AsyncSession, actor: Actor, release_id: UUID, now: datetime) -> None:
    """The release lies in the partner's inbox. Safe to repeat."""
    await (await db.driver(session)).execute(_DELIVER, actor.tenant_id, release_id, now)


# What was not accepted is taken back: a line takes the copy of the release before, a new one is a draft again.
_RESTORE = """
update schedule_line l set due_date = coalesce(o.due_date, l.due_date),
    ordered_quantity = coalesce(o.quantity, l.ordered_quantity), zone = o.zone, level = o.level,
    release_line_id = o.id, respond_by = case when o.id is null then null else l.respond_by end,
    status = case when o.id is null then 'draft' when l.status = 'rejected' then 'published' else l.status end,
    bucket_id = case when o.id is null then null else l.bucket_id end, version = l.version + 1
from release_line r
left join lateral (
    select f.* from release_line f join release p on p.tenant_id = f.tenant_id and p.id = f.release_id
    left join release_standing s on s.tenant_id = p.tenant_id and s.release_id = p.id
    where f.tenant_id = r.tenant_id and f.schedule_line_id = r.schedule_line_id and p.number < $3
        and coalesce(s.status, 'published') <> 'rejected'
    order by p.number desc limit 1) o on true
where r.tenant_id = $1 and r.release_id = $2 and l.tenant_id = r.tenant_id and l.id = r.schedule_line_id
    and l.release_line_id = r.id and l.status in ('published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected')
returning l.id, l.party_id, r.quantity, o.quantity as before, o.id is null as fresh, l.version, l.contract_id"""
_TAKEN = """
select l.id, l.bucket_id, r.quantity
from release_line r join schedule_line l on l.tenant_id = r.tenant_id and l.id = r.schedule_line_id
where r.tenant_id = $1 and r.release_id = $2 and l.bucket_id is not null order by l.id for update of l"""
# The release before is in force again, so the one it had been superseded by does not count.
_REVIVE = """
update release_standing s set status = case when answered_at is null then 'delivered' else 'acknowledged' end,
    version = s.version + 1
from release r
where r.tenant_id = $1 and r.contract_id = $2 and r.number = $3 and s.tenant_id = r.tenant_id and s.release_id = r.id
    and s.status = 'superseded'"""


async def restore(session: AsyncSession, actor: Actor, release_id: UUID) -> int:
    """Put the lines of a rejected release back to what the one before it said. Safe to repeat. Returns how many."""
    query = select(Release).where(Release.tenant_id == actor.tenant_id, Release.id == release_id)
    release = (await session.exec(query)).one_or_none()
    if release is None:
        return 0
    standing = await get_standing(session, actor, release, lock=True)
    if standing.status is not ReleaseStatus.REJECTED:
        return 0
    connection = await db.driver(session)
    buckets = {row["id"]: row["bucket_id"] for row in await connection.fetch(_TAKEN, actor.tenant_id, release_id)}
    rows = await connection.fetch(_RESTORE, actor.tenant_id, release_id, release.number)
    for row in rows:
        back = row["quantity"] - (row["before"] or 0)
        if row["id"] in buckets and back:
            await give_back(session, actor, row["party_id"], buckets[row["id"]], row["id"], back)
        what = Subject("schedule_line", row["id"], row["party_id"], row["version"], row["contract_id"])
        record(session, actor, what, "restored", release=release.number)
    if rows and release.prior_number is not None:
        await connection.execute(_REVIVE, actor.tenant_id, release.contract_id, release.prior_number)
    logger.info("a rejected release was taken back", extra={"release_id": str(release_id), "lines": len(rows)})
    return len(rows)
