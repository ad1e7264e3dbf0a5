"""A release is prepared: published at once where it is inside the tolerance, else held for an approver.

While it is held the partner is told nothing: what was prepared is the factory's own, and nothing live has moved. The
one who approves is not the one who prepared; the calendar's own releases anybody with the right may approve.
"""

import logging
from datetime import date
from typing import Any
from uuid import UUID

from msgspec import Struct
from pydantic import Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.errors import NotFound
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.states import Side
from portal.core.versions import check_version
from portal.schedules.events import ReleaseHeld
from portal.schedules.model import ReleaseKind, Trigger
from portal.schedules.model_releases import PreparedRelease, PreparedStatus
from portal.schedules.rules_hold import PartVerdict, Tolerance, by_curve, is_within
from portal.schedules.rules_releases import PREPARED_STATES, OwnApproval, ReleaseOutdated
from portal.schedules.service_calculating import Calculation, calculate
from portal.schedules.service_publishing import Publish, publish
from portal.schedules.service_terms import ContractHead, lock_contract

logger = logging.getLogger(__name__)


class Decide(Input):
    """What the approver says beside the decision."""

    note: str = Field(default="", max_length=300)


class Outcome(Struct, frozen=True):
    """What came of a release: published with its number, held, or nothing worth telling."""

    release_id: UUID | None = None
    number: int | None = None
    prepared_id: UUID | None = None


async def release(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None, data: Publish
) -> Outcome:
    """Prepare the next release and publish it, or hold it where it leaves the tolerance."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, version)
    return await prepare(session, actor, head, data, Trigger.MANUAL)


async def prepare(session: AsyncSession, actor: Actor, head: ContractHead, data: Publish, trigger: Trigger) -> Outcome:
    """The same of a locked contract. On change, a difference that is not worth telling is not told."""
    today = local_today(clock.now(), head.time_zone)
    made = await calculate(await db.driver(session), actor, head, data.kind, today)
    if trigger is Trigger.CHANGE and not worth_telling(made):
        return Outcome()
    verdicts = made.verdicts()
    await _discard_waiting(session, actor, head)
    held = not is_within(verdicts)
    prepared = _prepared(actor, head, made, data, trigger, verdicts)
    for action in ("check", "hold") if held else ("check", "approve", "publish"):
        prepared.status = PREPARED_STATES.target(prepared.status, action, by=Side.BUYER)
    session.add(prepared)
    if held:
        record(session, actor, _subject(head, prepared), "held", parts=len(verdicts))
        emit(session, actor, head.party_id, ReleaseHeld(head.id, prepared.id))
        logger.info("release held", extra={"contract_id": str(head.id)})
        return Outcome(prepared_id=prepared.id)
    prepared.waiting, prepared.decided_at = False, clock.now()
    release_id, number = await publish(session, actor, head, made, data.note, trigger)
    prepared.release_id = release_id
    return Outcome(release_id, number)


def worth_telling(made: Calculation) -> bool:
    """Whether any contract line's running total differs by more than the plan's quiet percentage, or is new or gone."""
    if made.prior is None:
        return True
    before = [line for line, _ in made.prior.lines]
    return not is_within(by_curve(before, [one.frozen for one in made.lines], Tolerance(None, made.plan.quiet_percent)))


def _prepared(
    actor: Actor, head: ContractHead, made: Calculation, data: Publish, trigger: Trigger, verdicts: list[PartVerdict]
) -> PreparedRelease:
    out: list[dict[str, Any]] = [
        {
            "part": str(one.part_id),
            "verdict": one.verdict.value,
            "day": str(one.day) if one.day else None,
            "before": str(one.before),
            "after": str(one.after),
            "level": one.level,
        }
        for one in verdicts
        if not is_within([one])
    ]
    return PreparedRelease(
        tenant_id=actor.tenant_id,
        contract_id=head.id,
        kind=data.kind,
        trigger=trigger,
        status=PreparedStatus.DRAFT,
        note=data.note,
        digest=made.digest,
        verdict={"by": made.plan.hold_by.value, "compared": len(verdicts), "out": out},
        prepared_at=clock.now(),
        prepared_by=actor.member_id,
        prepared_name=actor.name,
    )


async def _discard_waiting(session: AsyncSession, actor: Actor, head: ContractHead) -> None:
    """What was held before is overtaken by what is prepared now."""
    waiting = await waiting_release(session, actor, head.id)
    if waiting is not None:
        await _end(session, actor, head, waiting, "discard")
        await session.flush()  # the place is taken by one at a time


async def waiting_release(session: AsyncSession, actor: Actor, contract_id: UUID) -> PreparedRelease | None:
    """What is held of a contract, if anything. The factory's own."""
    query = select(PreparedRelease).where(
        PreparedRelease.tenant_id == actor.tenant_id,
        PreparedRelease.contract_id == contract_id,
        col(PreparedRelease.waiting),
    )
    return (await session.exec(query)).one_or_none()


async def approve_release(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None, data: Decide
) -> Outcome:
    """Publish what was held. Raises ReleaseOutdated when the deliveries have changed since, OwnApproval."""
    head, held = await _held(session, actor, contract_id, version)
    if held.prepared_by is not None and held.prepared_by == actor.member_id:
        raise OwnApproval
    today: date = local_today(clock.now(), head.time_zone)
    made = await calculate(await db.driver(session), actor, head, ReleaseKind(held.kind), today)
    if made.digest != held.digest:
        raise ReleaseOutdated
    await _end(session, actor, head, held, "approve", data.note)
    held.release_id, number = await publish(session, actor, head, made, held.note, Trigger(held.trigger))
    held.status = PREPARED_STATES.target(held.status, "publish", by=Side.BUYER)
    return Outcome(held.release_id, number)


async def discard_release(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None, data: Decide
) -> None:
    """Do not tell it: the release in force stays, and the partner never learns of it."""
    head, held = await _held(session, actor, contract_id, version)
    await _end(session, actor, head, held, "discard", data.note)


async def _held(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None
) -> tuple[ContractHead, PreparedRelease]:
    actor.require(Permission.PUBLISH_SCHEDULES)
    head = await lock_contract(session, actor, contract_id, None)
    held = await waiting_release(session, actor, contract_id)
    if held is None:
        raise NotFound
    if version is not None:
        check_version(version, held.version)
    return head, held


async def _end(
    session: AsyncSession, actor: Actor, head: ContractHead, held: PreparedRelease, action: str, note: str = ""
) -> None:
    held.status = PREPARED_STATES.target(held.status, action, by=Side.BUYER)
    held.waiting, held.decided_at, held.decided_name = False, clock.now(), actor.name
    held.version += 1
    session.add(held)
    verb = {"approve": "approved", "discard": "withheld"}[action]
    record(session, actor, _subject(head, held), verb, note=note)


def _subject(head: ContractHead, prepared: PreparedRelease) -> Subject:
    """What is held is in the factory's audit alone."""
    return Subject("prepared_release", prepared.id, head.party_id, prepared.version, head.id, shared=False)
