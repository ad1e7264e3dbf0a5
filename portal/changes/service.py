"""Change requests as others find them: which one, what it is based on, what it does, and how an offer is kept."""

import logging
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import rules, service_carrying
from portal.changes.impact import Head, Impact, Item, LineNow, PartAsked, get_head, impact_of, items, lines_now
from portal.changes.inputs import NewPart, Parts
from portal.changes.model import ChangePart, ChangeRequest, ChangeStatus, PartKind
from portal.changes.rules import After, BaseMoved, Before, LineTwice, NothingAsked, Piece, Speaker, TooManyParts
from portal.changes.rules_pausing import Span
from portal.changes.service_pausing import Covered, covered
from portal.contracts.rules_buckets import Call
from portal.contracts.service_buckets import check_days
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor, Scope
from portal.core.calendars import deadline, local_today
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.journal import Event, Subject, emit, record
from portal.core.states import Side
from portal.core.versions import check_version
from portal.schedules.reads_calendars import answering_calendar
from portal.schedules.service_release import LineEnded, OutsideValidity

logger = logging.getLogger(__name__)


# --- reading one ------------------------------------------------------------------------------------------------------


def visible(actor: Actor) -> ColumnElement[bool]:
    """Which requests this colleague may see: of the contracts in sight, and drafts of the own company alone."""
    told = or_(col(ChangeRequest.submitted_at).is_not(None), col(ChangeRequest.asked_scope) == actor.scope)
    seen: list[ColumnElement[bool]] = [col(ChangeRequest.tenant_id) == actor.tenant_id, told]
    if not actor.is_factory:
        seen.append(col(ChangeRequest.party_id) == actor.party_id)
    if actor.contract_ids is not None:
        seen.append(col(ChangeRequest.contract_id).in_(actor.contract_ids))
    return and_(*seen)


async def get_change(
    session: AsyncSession, actor: Actor, change_id: UUID, *, lock: bool = False, version: int | None = None
) -> ChangeRequest:
    """One request. Absent, foreign or hidden: NotFound; Stale when another version was seen."""
    query = select(ChangeRequest).where(visible(actor), ChangeRequest.id == change_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    change = (await session.exec(query)).one_or_none()
    if change is None:
        raise NotFound
    if version is not None:
        check_version(version, change.version)
    return change


async def parts_of(session: AsyncSession, change: ChangeRequest, offer_no: int | None = None) -> list[ChangePart]:
    """The parts of the live offer, or of an earlier one, by their numbers."""
    query = select(ChangePart).where(
        ChangePart.tenant_id == change.tenant_id,
        ChangePart.change_id == change.id,
        ChangePart.offer_no == (offer_no or change.offer_no),
    )
    return list((await session.exec(query.order_by(col(ChangePart.part_no)))).all())


def asked(part: ChangePart, item: str) -> PartAsked:
    """A kept part as it was asked. item: the part number that refusals name."""
    before = Before(
        item, part.unit, part.before_quantity or Decimal(0), part.before_date or date.min,
        part.before_place, part.before_price,
    )  # fmt: skip
    pieces = tuple(Piece(Decimal(one["quantity"]), date.fromisoformat(one["due_date"])) for one in part.pieces["of"])
    after = After(pieces, part.place, part.price)
    pause = Span(part.paused_from, part.paused_until) if part.paused_from and part.paused_until else None
    return PartAsked(part.part_no, part.kind, part.contract_line_id, part.line_id, before, after, pause)


def speaker(change: ChangeRequest, actor: Actor) -> Speaker:
    """How the reader's company stands to the request."""
    return Speaker(asked=change.asked_scope == actor.scope, offered=change.offered_scope == actor.scope)


def asker_side(change: ChangeRequest, head: Head) -> Side:
    """Whether the seller or the buyer asked."""
    by_factory = change.asked_scope == Scope.FACTORY
    return Side.SELLER if by_factory == (head.direction == "sale") else Side.BUYER


def actions(change: ChangeRequest, actor: Actor) -> list[str]:
    """What this reader can do with the request now, from the state table and the access table."""
    if not actor.may(Permission.REQUEST_CHANGES):
        return []
    return rules.actions(change.status, speaker(change, actor))


def subject(change: ChangeRequest) -> Subject:
    """The request as the journal names it; a draft has no history that the other company reads."""
    shared = change.submitted_at is not None
    return Subject("change_request", change.id, change.party_id, change.version, change.contract_id, shared)


async def impact(session: AsyncSession, actor: Actor, change: ChangeRequest, *, curves: bool = True) -> Impact:
    """The sheet of the live offer, from the figures of now."""
    connection = await db.driver(session)
    head = await get_head(connection, actor, change.contract_id)
    return await sheet_of(connection, actor, head, change, await parts_of(session, change), curves=curves)


async def sheet_of(
    connection: Driver, actor: Actor, head: Head, change: ChangeRequest, parts: Sequence[ChangePart], *, curves: bool
) -> Impact:
    """What kept parts do, from the figures of now; of an applied change only what was asked and who had to agree."""
    known = await items(connection, actor, head.id, [part.contract_line_id for part in parts])
    names = {line_id: item.part(actor) for line_id, item in known.items()}
    said = [asked(part, names[part.contract_line_id]) for part in parts if part.kind is not PartKind.CARRY_OVER]
    applied = change.status is ChangeStatus.APPLIED
    carries = await service_carrying.standing(connection, actor, head.id, parts, names, applied=applied)
    sheet = await impact_of(connection, actor, head, asker_side(change, head), said, carries, curves=curves)
    if not applied:
        return sheet
    return replace(sheet, way=change.way, effects=[], curves=[], touched=[])  # the figures of now hold it already


# --- offers -----------------------------------------------------------------------------------------------------------


async def write_offer(session: AsyncSession, actor: Actor, head: Head, change: ChangeRequest, data: Parts) -> Impact:
    """Keep the parts of a new offer on the figures of now, and say what they do."""
    if any(part.price is not None for part in data.parts):
        actor.require(Permission.SEE_PRICES)
    connection = await db.driver(session)
    today = local_today(clock.now(), head.time_zone)
    wanted = [(part, None) for part in data.parts] + await covered(connection, actor, head, data.pauses, today)
    if not wanted:
        raise NothingAsked(field="parts")
    if len(wanted) > rules.MOST_PARTS:
        raise TooManyParts(field="parts", most=rules.MOST_PARTS)
    made = await _made(connection, actor, head, change, wanted, today)
    session.add_all(made)
    found = await sheet_of(connection, actor, head, change, made, curves=True)
    await _check_days(session, actor, head, found)
    change.way = found.way
    await session.flush()
    return found


async def _made(
    connection: Driver, actor: Actor, head: Head, change: ChangeRequest, wanted: Sequence[Covered], today: date
) -> list[ChangePart]:
    """Each part as the offer keeps it, by its number. Raises what stands against the first that cannot be."""
    parts = [part for part, _span in wanted]
    lines = await lines_now(connection, actor, head.id, [part.line_id for part in parts if part.line_id])
    periods = await service_carrying.wanted_periods(connection, actor, head.id, parts)
    ids = {line.contract_line_id for line in lines.values()} | {one.contract_line_id for one in periods.values()}
    ids |= {part.contract_line_id for part in parts if part.contract_line_id is not None}
    known = await items(connection, actor, head.id, list(ids))
    made: list[ChangePart] = []
    for part_no, (part, span) in enumerate(wanted, start=1):
        if part.kind is PartKind.CARRY_OVER:
            made.append(service_carrying.kept(change, part_no, part, known, periods, today))
            continue
        line = lines.get(part.line_id) if part.line_id else None
        line_id = line.contract_line_id if line else part.contract_line_id
        item = known.get(line_id) if line_id else None
        if item is None or (part.kind is PartKind.ADD) != (line is None):
            raise NotFound
        before = _standing(actor, part, item, line)
        if part.line_id is not None and any(one.line_id == part.line_id for one in made):
            raise LineTwice(field="parts", item=before.item, day=before.due_date)
        said = PartAsked(part_no, part.kind, item.id, part.line_id, before, rules.after(before, part, today), span)
        made.append(_kept(change, said, line.version if line else 0))
    return made


def _standing(actor: Actor, part: NewPart, item: Item, line: LineNow | None) -> Before:
    """The delivery as it is; of an addition the item. Raises Stale when the asker saw another version of it."""
    name = item.part(actor)
    if line is not None:
        if part.version is not None:
            check_version(part.version, line.version)
        return line.standing(name, item.unit)
    if item.ended_from is not None:
        raise LineEnded(field="contract_line_id", day=item.ended_from)
    return Before(name, item.unit, place=item.place)


def _kept(change: ChangeRequest, part: PartAsked, version: int) -> ChangePart:
    before, after = part.before, part.after
    exists = part.line_id is not None
    return ChangePart(
        tenant_id=change.tenant_id,
        party_id=change.party_id,
        change_id=change.id,
        offer_no=change.offer_no,
        part_no=part.part_no,
        kind=part.kind,
        contract_line_id=part.contract_line_id,
        line_id=part.line_id,
        base_version=version,
        unit=before.unit,
        before_quantity=before.quantity if exists else None,
        before_date=before.due_date if exists else None,
        before_place=before.place if exists else "",
        before_price=before.price,
        pieces={"of": [{"quantity": str(one.quantity), "due_date": str(one.due_date)} for one in after.pieces]},
        place=after.place,
        price=after.price,
        paused_from=part.pause.since if part.pause else None,
        paused_until=part.pause.until if part.pause else None,
    )


async def _check_days(session: AsyncSession, actor: Actor, head: Head, found: Impact) -> None:
    """Raise OutsideValidity or NoPeriod: a delivery on such a day could never be called off."""
    calls = []
    for stake in found.stakes:
        for piece in stake.after.pieces:
            if piece.due_date == stake.before.due_date:
                continue
            if piece.due_date < head.valid_from or (head.last_day is not None and piece.due_date > head.last_day):
                last = head.last_day or date.max
                raise OutsideValidity(field="due_date", day=piece.due_date, first=head.valid_from, last=last)
            line, item = stake.line_id or stake.contract_line_id, stake.before.item
            calls.append(Call(line, stake.contract_line_id, item, piece.due_date, piece.quantity))
    if found.asker is Side.BUYER:  # a delay of the seller still counts where it was called off
        await check_days(session, actor, head.party_id, calls)


async def check_base(session: AsyncSession, actor: Actor, change: ChangeRequest) -> list[ChangePart]:
    """The parts of the live offer, none of whose deliveries has moved. Raises BaseMoved."""
    parts = await parts_of(session, change)
    if await moved_parts(session, actor, change, parts):
        raise BaseMoved
    return parts


async def moved_parts(
    session: AsyncSession, actor: Actor, change: ChangeRequest, parts: Sequence[ChangePart]
) -> list[int]:
    """The numbers of the parts whose deliveries are not any more what the offer was based on."""
    ids = [part.line_id for part in parts if part.line_id is not None]
    connection = await db.driver(session)
    lines = await lines_now(connection, actor, change.contract_id, ids)
    found = await service_carrying.moved(connection, actor, change.contract_id, parts)
    for part in parts:
        if part.line_id is None:
            continue
        line, base = lines.get(part.line_id), asked(part, "").before
        if line is None or rules.moved(base, line.standing("", part.unit)):
            found.append(part.part_no)
    return found


# --- steps ------------------------------------------------------------------------------------------------------------


async def open_for_answer(session: AsyncSession, actor: Actor, change: ChangeRequest, head: Head) -> None:
    """The other company has so many of its own working hours from now."""
    by_factory = change.offered_scope != Scope.FACTORY
    calendar = await answering_calendar(await db.driver(session), actor, head.party_id, by_factory)
    hours = head.answer_hours or head.response_hours
    change.respond_by = deadline(clock.now(), hours, head.time_zone, calendar)


def told(
    session: AsyncSession, actor: Actor, change: ChangeRequest, verb: str, event: Event | None, **data: Any
) -> None:
    """One step, one version, one entry of the history."""
    change.version += 1
    record(session, actor, subject(change), verb, number=change.number or "", **data)
    if event is not None:
        emit(session, actor, change.party_id, event)
    logger.info("change request moved on", extra={"change_id": str(change.id), "verb": verb})
