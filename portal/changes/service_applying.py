"""Agreed changes are applied: lines, ledger, release, history and event in one transaction, at most once.

Locks are taken in the order contract, request, lines, periods. Only the factory's role writes deliveries.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import rules, service_carrying
from portal.changes.events import ChangeAccepted, ChangeApplied, ChangeFailed
from portal.changes.impact import Impact, get_head
from portal.changes.model import ChangeRequest, ChangeStatus, Way
from portal.changes.rules import CHANGE_STATES, BaseMoved, NotInside
from portal.changes.rules_impact import Shift, Stake, calls
from portal.changes.service import get_change, moved_parts, parts_of, sheet_of, told
from portal.contracts.model_buckets import EntryKind
from portal.contracts.service_buckets import Entry, allow_agreed, consume, holdings, lock, post
from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.errors import PortalError
from portal.core.ids import uuid7
from portal.core.journal import Subject
from portal.core.states import Side
from portal.schedules.service import LineHead, lock_lines
from portal.schedules.service_changing import Added, Changed, add_lines, cancel_lines, change_lines, confirm_agreed
from portal.schedules.service_publishing import NothingToPublish, Publish, publish_release
from portal.schedules.service_terms import lock_contract

logger = logging.getLogger(__name__)
ZERO = Decimal(0)


async def settle(session: AsyncSession, actor: Actor, change: ChangeRequest, *, by_rule: bool = False) -> None:
    """A locked request is agreed, by the other company or by rule. The factory applies it at once, a job for a partner.

    The factory's caller has locked the contract before the request.
    """
    change.status = CHANGE_STATES.target(change.status, "accept", by=Side.SELLER)
    change.decided_at, change.respond_by = clock.now(), None
    if not by_rule:
        change.decided_by, change.decided_name, change.decided_scope = actor.member_id, actor.name, actor.scope.value
    told(session, actor, change, "accepted", ChangeAccepted(change.id), by_rule=by_rule)
    await session.flush()
    if actor.is_factory:
        await _apply(session, actor, change)


async def apply_accepted(session: AsyncSession, actor: Actor, change_id: UUID) -> ChangeRequest:
    """Apply what was agreed, if that was not done yet. Raises what keeps it from being applied. actor: the factory."""
    found = await get_change(session, actor, change_id)
    await lock_contract(session, actor, found.contract_id, None)
    change = await get_change(session, actor, change_id, lock=True)
    if change.status is ChangeStatus.ACCEPTED:
        await _apply(session, actor, change)
    return change


async def fail_accepted(session: AsyncSession, actor: Actor, change_id: UUID, error: PortalError) -> None:
    """Keep why an agreed change could not be applied; both companies are told, and the asker may ask again."""
    change = await get_change(session, actor, change_id, lock=True)
    if change.status is not ChangeStatus.ACCEPTED:
        return
    change.status = CHANGE_STATES.target(change.status, "fail", by=Side.SELLER)
    change.failure = {"code": error.code, "text": str(error)}
    told(session, actor, change, "apply_failed", ChangeFailed(change.id), code=error.code)


# --- applying ---------------------------------------------------------------------------------------------------------


class _Work(Struct, frozen=True):
    """One part under way."""

    stake: Stake
    shifts: list[Shift]
    ids: dict[int, UUID]  # the schedule line of each piece
    head: LineHead | None

    @property
    def asked_anew(self) -> list[UUID]:
        """The lines whose quantity or day is another one, and the new ones."""
        lines = [self.ids[no] for no in range(len(self.stake.after.pieces))]
        return lines if self.head is None or _asked_anew(self.stake) else lines[1:]


async def _apply(session: AsyncSession, actor: Actor, change: ChangeRequest) -> None:
    """The contract and the request are locked."""
    agreed = [part for part in await parts_of(session, change) if part.agreed is not False]
    await session.flush()
    heads = await lock_lines(session, actor, {part.line_id: None for part in agreed if part.line_id is not None})
    connection = await db.driver(session)
    await service_carrying.lock_lines(connection, actor, agreed)
    if await moved_parts(session, actor, change, agreed):
        raise BaseMoved
    head = await get_head(connection, actor, change.contract_id)
    sheet = await sheet_of(connection, actor, head, change, agreed, curves=False)
    if change.way is Way.INSIDE and sheet.way is not Way.INSIDE:
        raise NotInside
    works = _works(sheet, {head.id: head for head in heads})
    places = await _move_ledger(session, actor, change, sheet, works)
    await _write_lines(session, actor, change, sheet, works, places)
    await service_carrying.write(connection, actor, change, sheet.carries, sheet.today)
    if works:
        await _tell(session, actor, change)
    if change.way is not Way.INSIDE:
        await _promise(session, actor, change, works)
    change.status = CHANGE_STATES.target(change.status, "apply", by=Side.SELLER)
    change.applied_at, change.failure = clock.now(), {}
    told(session, actor, change, "applied", ChangeApplied(change.id), release=change.release_no)


async def _tell(session: AsyncSession, actor: Actor, change: ChangeRequest) -> None:
    """The release that tells it."""
    try:
        machinery = replace(actor, role=Role.ADMIN, granted=None)  # what is agreed is told, whoever may publish
        data = Publish(note=change.number or "")
        _, change.release_no = await publish_release(session, machinery, change.contract_id, None, data, drafts=False)
    except NothingToPublish:  # the last open delivery fell away
        logger.info("nothing is left to publish", extra={"change_id": str(change.id)})


def _works(sheet: Impact, heads: Mapping[UUID, LineHead]) -> list[_Work]:
    by_part: dict[int, list[Shift]] = defaultdict(list)
    for shift in sheet.shifts:
        by_part[shift.part_no].append(shift)
    found = []
    for stake in sheet.stakes:
        ids = {no: uuid7() for no in range(len(stake.after.pieces))}
        if stake.line_id is not None:
            ids[0] = stake.line_id
        found.append(_Work(stake, by_part[stake.part_no], ids, heads[stake.line_id] if stake.line_id else None))
    return found


async def _move_ledger(
    session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact, works: Sequence[_Work]
) -> dict[UUID, UUID]:
    """Give back what is not called any more, then call off anew. Returns the period of each line that has another."""
    connection = await db.driver(session)
    document = ("change_request", change.id)
    entries = [
        Entry(change.party_id, shift.period_id, EntryKind.RELEASED, shift.quantity, *document, work.stake.line_id)
        for work in works
        for shift in work.shifts
        if shift.quantity < 0
    ]
    anew = [work.stake.line_id for work in works if work.stake.line_id and _asked_anew(work.stake)]
    entries += [
        Entry(change.party_id, one.bucket_id, EntryKind.CONFIRMED, -one.confirmed, *document, one.line_id)
        for one in await holdings(connection, actor, anew)
        if one.confirmed
    ]
    await lock(connection, actor, [entry.bucket_id for entry in entries])
    await post(connection, actor, entries, change.number or "")
    periods = {period.id: period for period in sheet.periods}
    wanted = [call for work in works for call in calls(work.stake, work.shifts, periods, work.ids)]
    if change.way is not Way.INSIDE:
        await allow_agreed(session, actor, change.party_id, wanted, document, change.number or "")
    return await consume(session, actor, change.party_id, wanted)


def _asked_anew(stake: Stake) -> bool:
    """Whether the quantity or the day of the delivery itself is another one, or it falls away."""
    return stake.after.pieces[:1] != (rules.Piece(stake.before.quantity, stake.before.due_date),)


async def _write_lines(
    session: AsyncSession,
    actor: Actor,
    change: ChangeRequest,
    sheet: Impact,
    works: Sequence[_Work],
    places: Mapping[UUID, UUID],
) -> None:
    said = {"change": change.number, "change_id": change.id}
    changed, cancelled, added = list[Changed](), list[LineHead](), list[Added]()
    for work in works:
        stake, head, after = work.stake, work.head, work.stake.after
        if head is not None and not after.pieces:
            cancelled.append(head)
        elif head is not None:
            first = after.pieces[0]
            bucket = places.get(head.id, head.bucket_id)
            changed.append(Changed(head, *first, after.place, after.price, bucket, _asked_anew(stake)))
        for no, piece in list(enumerate(after.pieces))[1 if head is not None else 0 :]:
            line_id = work.ids[no]
            new = (line_id, stake.contract_line_id, stake.line_id, *piece, after.place, after.price)
            added.append(Added(*new, places.get(line_id)))
    contract = Subject("contract", change.contract_id, change.party_id, 1, change.contract_id)
    await change_lines(session, actor, changed, **said)
    await cancel_lines(session, actor, cancelled, **said)
    await add_lines(session, actor, contract, added, sheet.today, **said)


async def _promise(session: AsyncSession, actor: Actor, change: ChangeRequest, works: Sequence[_Work]) -> None:
    """The seller agreed, so nobody is asked again."""
    lines = [line_id for work in works for line_id in work.asked_anew]
    promised = await confirm_agreed(session, actor, lines, change=change.number, change_id=change.id)
    entries = [
        Entry(change.party_id, bucket, EntryKind.CONFIRMED, quantity, "change_request", change.id, line_id)
        for line_id, bucket, quantity in promised
    ]
    await post(await db.driver(session), actor, entries)
