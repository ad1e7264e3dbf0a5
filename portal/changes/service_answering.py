"""The other company's answers: agree, refuse, make a counter-offer; and what happens when nobody answers in time."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.model import ApprovalCase
from portal.approvals.service import Decision, open_cases
from portal.changes import rules
from portal.changes.events import ChangeAsked, ChangeCountered, ChangeExpired
from portal.changes.impact import Impact, get_head
from portal.changes.inputs import Accept, Counter, NewPart, NewPiece, Parts, Refuse
from portal.changes.model import ChangePart, ChangeRequest, PartKind
from portal.changes.rules import CHANGE_STATES, WAITING
from portal.changes.service import check_base, get_change, open_for_answer, parts_of, speaker, told, write_offer
from portal.changes.service_applying import settle
from portal.changes.service_pausing import pauses_of
from portal.changes.service_reviewing import approved_now, check_own_offer, decide_open, declined
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.states import Side
from portal.schedules.service_terms import lock_contract


async def accept_change(
    session: AsyncSession, actor: Actor, change_id: UUID, data: Accept, version: int | None = None
) -> ChangeRequest:
    """Agree to the live offer. It is applied in the same transaction, or by a job where a partner agreed. Where the
    factory's rules want more than one word, it stays in review until the last one."""
    case = await _decided(session, actor, change_id, version, Decision.APPROVE)
    change = await _to_answer(session, actor, change_id, "accept", version)
    parts = await check_base(session, actor, change)
    numbers = rules.chosen([part.part_no for part in parts], data.parts, change.by_line)
    if actor.is_factory and not await approved_now(session, actor, change, case):
        return change
    for part in parts:
        part.agreed = part.part_no in numbers
    await settle(session, actor, change)
    return change


async def decline_change(
    session: AsyncSession, actor: Actor, change_id: UUID, data: Refuse, version: int | None = None
) -> ChangeRequest:
    """Do not agree, and say why. Nothing changes."""
    await _decided(session, actor, change_id, version, Decision.REFUSE, data.reason)
    change = await _to_answer(session, actor, change_id, "decline", version)
    declined(session, actor, change, data.reason)
    return change


async def _decided(
    session: AsyncSession, actor: Actor, change_id: UUID, version: int | None, verdict: Decision, note: str = ""
) -> ApprovalCase | None:
    """The factory's word on what a partner offers counts in its own case, which is locked before everything else."""
    actor.require(Permission.REQUEST_CHANGES)
    change = await get_change(session, actor, change_id, version=version)
    rules.target(change.status, "accept", speaker(change, actor))
    return await decide_open(session, actor, change_id, verdict, note) if actor.is_factory else None


async def counter_change(
    session: AsyncSession, actor: Actor, change_id: UUID, data: Counter, version: int | None = None
) -> ChangeRequest:
    """Offer something else about the same contract, on the figures of now. It is now the only live offer."""
    await open_cases(session, actor, change_id, lock=True)
    change = await _to_answer(session, actor, change_id, "counter", version)
    change.status = rules.target(change.status, "counter", speaker(change, actor))
    sheet = await _offer(session, actor, change, data)
    await check_own_offer(session, actor, change, sheet)
    told(session, actor, change, "countered", ChangeCountered(change.id), note=data.note)
    return change


async def rebase_change(
    session: AsyncSession, actor: Actor, change_id: UUID, version: int | None = None
) -> ChangeRequest:
    """Ask for the same once more on the figures of now, after a delivery had moved. The other company answers anew."""
    actor.require(Permission.REQUEST_CHANGES)
    change = await get_change(session, actor, change_id, lock=True, version=version)
    change.status = rules.target(change.status, "rebase", speaker(change, actor))
    sheet = await _offer(session, actor, change, again(await parts_of(session, change), change.offer_note))
    await check_own_offer(session, actor, change, sheet)
    change.decided_at, change.decided_by, change.decided_name, change.decided_scope = None, None, "", ""
    change.failure = {}
    told(session, actor, change, "rebased", ChangeAsked(change.id))
    return change


def again(parts: Sequence[ChangePart], note: str = "") -> Parts:
    """An offer as it would be typed again: its pauses as pauses, so that they cover what lies in their days now."""
    return Parts(parts=[wish(part) for part in parts if part.paused_from is None], pauses=pauses_of(parts), note=note)


def wish(part: ChangePart) -> NewPart:
    """A kept part as it would be typed again: the same wish, whatever the delivery looks like now."""
    if part.carried is not None:
        quantity = abs(part.carried)
        return NewPart(kind=part.kind, bucket_id=part.bucket_id, to_bucket_id=part.to_bucket_id, quantity=quantity)
    pieces = [NewPiece(**one) for one in part.pieces["of"]]
    one = pieces[0] if len(pieces) == 1 and part.kind is not PartKind.PRICE else None
    return NewPart(
        kind=part.kind,
        line_id=part.line_id,
        contract_line_id=part.contract_line_id if part.line_id is None else None,
        quantity=one.quantity if one else None,
        due_date=one.due_date if one else None,
        place=part.place if part.place != part.before_place else None,
        price=part.price if part.price != part.before_price else None,
        pieces=pieces if part.kind is PartKind.SPLIT else [],
    )


async def expire_changes(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """Every request that nobody answered in time lapses. Safe to repeat. Returns how many. actor: the system."""
    query = (
        select(ChangeRequest)
        .where(ChangeRequest.tenant_id == actor.tenant_id, col(ChangeRequest.status).in_(WAITING))
        .where(col(ChangeRequest.respond_by) < now)
        .order_by(col(ChangeRequest.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    lapsed = (await session.exec(query)).all()
    for change in lapsed:
        change.status = CHANGE_STATES.target(change.status, "expire", by=Side.SELLER)
        change.respond_by, change.decided_at = None, now
        told(session, actor, change, "expired", ChangeExpired(change.id))
    return len(lapsed)


async def _to_answer(
    session: AsyncSession, actor: Actor, change_id: UUID, action: str, version: int | None
) -> ChangeRequest:
    """Lock the request that this company is to answer; the factory locks the contract first, because it applies."""
    actor.require(Permission.REQUEST_CHANGES)
    found = await get_change(session, actor, change_id)
    if actor.is_factory and action == "accept":
        await lock_contract(session, actor, found.contract_id, None)
    change = await get_change(session, actor, change_id, lock=True, version=version)
    rules.target(change.status, action, speaker(change, actor))
    head = await get_head(await db.driver(session), actor, change.contract_id)
    rules.check_in_time(clock.now(), change.respond_by, head.time_zone)
    return change


async def _offer(session: AsyncSession, actor: Actor, change: ChangeRequest, data: Parts) -> Impact:
    """Write the new live offer and open it for the other company's answer; what it does."""
    head = await get_head(await db.driver(session), actor, change.contract_id)
    change.offer_no += 1
    change.offered_scope, change.offer_note = actor.scope, data.note
    sheet = await write_offer(session, actor, head, change, data)
    await open_for_answer(session, actor, change, head)
    return sheet
