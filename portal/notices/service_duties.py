"""Taking over: a colleague answers a release in place of those who were asked, and nobody is asked any further."""

import logging
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor, Scope
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.i18n import N_
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.states import Side
from portal.notices import reads_duties
from portal.notices.events import DutyTaken
from portal.notices.model import Duty
from portal.notices.reads_duties import Colleague, Taken
from portal.notices.recipients import company
from portal.schedules import reads
from portal.schedules.model import Release
from portal.schedules.rules_releases import RELEASE_STATES
from portal.schedules.service_answers import get_release, get_standing

logger = logging.getLogger(__name__)


class NothingToTakeOver(Conflict):
    code = "nothing-to-take-over"
    text = N_("Nothing of this release waits for your company's answer, so there is nothing to take over.")


class CannotAnswer(Invalid):
    code = "colleague-cannot-answer"
    text = N_("Name an active colleague of your own company whose role answers deliveries and who sees this contract.")


class HandOver(Input):
    """Which colleague answers a release from now on."""

    member_id: UUID


class Answering(Struct, frozen=True):
    """Who answers a release, as the seller's own company sees it."""

    release_id: UUID
    waits: bool  # for an answer of this company
    due_at: datetime | None  # the earliest that is wanted
    asked: list[Colleague]
    taken: Taken | None


async def answering(session: AsyncSession, actor: Actor, contract_id: UUID, number: int) -> Answering:
    """How the answer to a release stands. Raises Forbidden for those who do not answer it."""
    release = await get_release(session, actor, contract_id, number)
    await _check_asked(session, actor, contract_id)
    connection = await db.driver(session)
    waits, due_at = await _waits(session, actor, release)
    people = await reads_duties.asked(connection, actor, contract_id)
    return Answering(release.id, waits, due_at, people, await reads_duties.taken(connection, actor, release.id))


async def _check_asked(session: AsyncSession, actor: Actor, contract_id: UUID) -> None:
    """It is the seller's people who answer."""
    contract = await get_contract(session, actor, contract_id)
    actor.require(Permission.CONFIRM_LINES)
    if actor.side_on(contract.direction) is not Side.SELLER:
        raise Forbidden


async def _waits(session: AsyncSession, actor: Actor, release: Release) -> tuple[bool, datetime | None]:
    """Whether the release or deliveries of its contract wait for this company, and until when."""
    standing = await get_standing(session, actor, release)
    theirs = actor.scope is Scope.PARTNER and standing.answer_by is not None
    unread = theirs and "acknowledge" in RELEASE_STATES.actions(standing.status, Side.SELLER)
    lines = await reads.to_confirm(await db.driver(session), actor, 200, release.contract_id)
    dates = [line.respond_by for line in lines if line.respond_by is not None]
    dates += [standing.answer_by] if unread and standing.answer_by is not None else []
    return unread or bool(lines), min(dates, default=None)


async def take_over(session: AsyncSession, actor: Actor, contract_id: UUID, number: int) -> Duty:
    """From now on the actor answers this release; as `hand_over`."""
    if actor.member_id is None:
        raise Forbidden  # a program answers nobody's questions: it names the colleague
    return await hand_over(session, actor, contract_id, number, HandOver(member_id=actor.member_id))


async def hand_over(session: AsyncSession, actor: Actor, contract_id: UUID, number: int, data: HandOver) -> Duty:
    """From now on this colleague answers the release: those who were asked are told, the demand rises no further.

    The same person twice changes nothing; somebody else takes it over in turn. Raises NothingToTakeOver, CannotAnswer.
    """
    release = await get_release(session, actor, contract_id, number)
    await _check_asked(session, actor, contract_id)
    await (await db.driver(session)).execute(_LOCK, str(release.id))
    waits, _due = await _waits(session, actor, release)
    if not waits:
        raise NothingToTakeOver
    await _check_able(session, actor, contract_id, data.member_id)
    duty = await _found(session, actor, release.id)
    if duty is not None and duty.member_id == data.member_id:
        return duty
    duty = duty or Duty(
        tenant_id=actor.tenant_id,
        party_id=actor.party_id,
        release_id=release.id,
        contract_id=contract_id,
        member_id=data.member_id,
        taken_at=clock.now(),
    )
    duty.member_id, duty.taken_at = data.member_id, clock.now()
    session.add(duty)
    await session.flush()
    record(
        session,
        actor,
        Subject("reminder", contract_id, release.party_id, 1, contract_id),
        "taken_over",
        member=data.member_id,
    )
    emit(session, actor, release.party_id, DutyTaken(release.id, contract_id))
    logger.info("an answer was taken over", extra={"release_id": str(release.id)})
    return duty


async def _check_able(session: AsyncSession, actor: Actor, contract_id: UUID, member_id: UUID) -> None:
    of = await company(await db.driver(session), actor)
    able = [who for who in of.people if who.may(Permission.CONFIRM_LINES) and who.sees(contract_id)]
    if member_id not in {who.member_id for who in able}:
        raise CannotAnswer(field="member_id")


_LOCK = "select pg_advisory_xact_lock(hashtextextended('duty ' || $1::text, 0))"


async def _found(session: AsyncSession, actor: Actor, release_id: UUID) -> Duty | None:
    query = select(Duty).where(
        Duty.tenant_id == actor.tenant_id, Duty.party_id == actor.party_id, Duty.release_id == release_id
    )
    return (await session.exec(query)).one_or_none()


async def take_over_by_id(session: AsyncSession, actor: Actor, release_id: UUID) -> Duty:
    """The same by the release's own id, as messages carry it."""
    query = select(Release).where(Release.tenant_id == actor.tenant_id, Release.id == release_id)
    release = (await session.exec(query)).one_or_none()
    if release is None:
        raise NotFound
    return await take_over(session, actor, release.contract_id, release.number)
