"""Commands on receipts: the buyer says what arrived of a delivery note, and corrects a miscount at once."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, true
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.files import Stored
from portal.core.ids import uuid7
from portal.core.journal import emit, record
from portal.core.numbering import next_number
from portal.core.states import WrongState
from portal.core.versions import check_version
from portal.schedules import service_booking as booking
from portal.schedules.service_booking import Arrival, Deliveries
from portal.shipments import counting, files, rules, rules_documents, service
from portal.shipments.counting import Counted, Receive
from portal.shipments.events import ReceiptCorrected, ReceiptPosted
from portal.shipments.model import Receipt, ReceiptLine, Shipment, ShipmentLine
from portal.shipments.rules import SHIPMENT_STATES
from portal.shipments.rules_documents import CorrectedBefore, RequestReused

logger = logging.getLogger(__name__)
ZERO = Decimal(0)


# --- reading one ------------------------------------------------------------------------------------------------------


def visible(actor: Actor) -> ColumnElement[bool]:
    """Receipts with at least one line of a contract that the colleague may see."""
    if actor.contract_ids is None:
        return true()
    return exists().where(
        col(ReceiptLine.tenant_id) == actor.tenant_id,
        col(ReceiptLine.receipt_id) == col(Receipt.id),
        col(ReceiptLine.contract_id).in_(actor.contract_ids),
    )


async def get_receipt(session: AsyncSession, actor: Actor, receipt_id: UUID) -> Receipt:
    """One receipt. Absent, foreign and hidden: NotFound."""
    query = select(Receipt).where(
        col(Receipt.tenant_id) == actor.tenant_id, col(Receipt.id) == receipt_id, visible(actor)
    )
    receipt = (await session.exec(query)).one_or_none()
    if receipt is None:
        raise NotFound
    return receipt


async def lines_of(session: AsyncSession, actor: Actor, receipt_id: UUID) -> list[ReceiptLine]:
    """All lines of a receipt, also those a restricted colleague does not see."""
    query = select(ReceiptLine).where(
        col(ReceiptLine.tenant_id) == actor.tenant_id, col(ReceiptLine.receipt_id) == receipt_id
    )
    return list((await session.exec(query.order_by(col(ReceiptLine.id)))).all())


async def counted_lines(session: AsyncSession, actor: Actor, shipment_id: UUID) -> set[UUID]:
    """The lines of a delivery note that have a receipt already."""
    query = select(ReceiptLine.shipment_line_id).join(
        ShipmentLine,
        (col(ShipmentLine.tenant_id) == col(ReceiptLine.tenant_id))
        & (col(ShipmentLine.id) == col(ReceiptLine.shipment_line_id)),
    )
    query = query.where(col(ReceiptLine.tenant_id) == actor.tenant_id, col(ShipmentLine.shipment_id) == shipment_id)
    return set((await session.exec(query)).all())


# --- commands ---------------------------------------------------------------------------------------------------------


async def receive(
    session: AsyncSession,
    actor: Actor,
    shipment_id: UUID,
    version: int | None,
    data: Receive,
    photos: Sequence[Stored] = (),
) -> Receipt:
    """The buyer posts what arrived. Every refusal comes before the first change; the same request twice is one receipt.

    version: of the shipment as the reader saw it; the lock on the shipment lets one of several receivers through.
    """
    actor.require(Permission.RECEIVE)
    shipment = await service.get_shipment(session, actor, shipment_id, lock=True)
    announced = await service.lines_of(session, actor, shipment_id)
    mine = [line for line in announced if service.seen(actor, line.contract_id)]
    done = await counted_lines(session, actor, shipment_id)
    if (before := await _posted_before(session, actor, shipment, mine, data)) is not None:
        return before
    side = actor.side_on(shipment.direction)
    SHIPMENT_STATES.target(shipment.status, "receive", by=side)
    if version is not None:
        check_version(version, shipment.version)
    counted = counting.counts(mine, done, data)
    if not counted:
        raise WrongState(status=shipment.status, action="receive")
    lines = await booking.lock_deliveries(session, actor, {entry.line.schedule_line_id for entry in counted})
    received_on = counting.received_on(data, shipment, lines)
    counting.check_tolerance(lines, counted)
    move = rules.receive_action(len(announced), len(done) + len(counted))
    shipment.status = SHIPMENT_STATES.target(shipment.status, move, by=side)
    receipt = await _post(session, actor, shipment, counted, received_on, data)
    await files.attach(session, actor, receipt, photos)
    await _book(session, actor, lines, counted, receipt)
    _tell(session, actor, shipment, receipt, counted, "received")
    emit(session, actor, shipment.party_id, ReceiptPosted(receipt.id, shipment.id))
    logger.info("receipt posted", extra={"receipt_id": str(receipt.id), "lines": len(counted)})
    return receipt


async def correct_receipt(
    session: AsyncSession, actor: Actor, receipt_id: UUID, data: Receive, photos: Sequence[Stored] = ()
) -> Receipt:
    """The company that counted replaces its receipt within 15 minutes. Lines left out stay as they were counted."""
    actor.require(Permission.RECEIVE)
    former = await get_receipt(session, actor, receipt_id)
    shipment = await service.get_shipment(session, actor, former.shipment_id, lock=True)
    old = {line.shipment_line_id: line for line in await lines_of(session, actor, receipt_id)}
    service.check_all_seen(actor, old.values())
    mine = [line for line in await service.lines_of(session, actor, shipment.id) if line.id in old]
    if (before := await _posted_before(session, actor, shipment, mine, data, corrects=former.id)) is not None:
        return before
    side = actor.side_on(shipment.direction)
    rules_documents.check_correctable(side, former.posted_at, clock.now(), await _replaced(session, former))
    counted = counting.recounts(mine, old, data)
    lines = await booking.lock_deliveries(session, actor, {entry.line.schedule_line_id for entry in counted})
    received_on = counting.received_on(data, shipment, lines) if data.received_on else former.received_on
    counting.check_tolerance(lines, counted, old)
    receipt = await _post(session, actor, shipment, counted, received_on, data, corrects=former)
    await files.copy(session, actor, former, receipt)
    await files.attach(session, actor, receipt, photos)
    await _book(session, actor, lines, counted, receipt, old)
    _tell(session, actor, shipment, receipt, counted, "receipt_corrected", former=former.number)
    emit(session, actor, shipment.party_id, ReceiptCorrected(receipt.id, former.id, shipment.id))
    logger.info("receipt corrected", extra={"receipt_id": str(receipt.id), "former_id": str(former.id)})
    return receipt


async def add_photos(session: AsyncSession, actor: Actor, receipt_id: UUID, photos: Sequence[Stored]) -> Receipt:
    """The company that counted adds pictures while its receipt can still be corrected. The same one twice is one."""
    actor.require(Permission.RECEIVE)
    receipt = await get_receipt(session, actor, receipt_id)
    shipment = await service.get_shipment(session, actor, receipt.shipment_id, lock=True)
    counted = await lines_of(session, actor, receipt_id)
    service.check_all_seen(actor, counted)
    side = actor.side_on(shipment.direction)
    rules_documents.check_correctable(side, receipt.posted_at, clock.now(), await _replaced(session, receipt))
    there = {photo.digest for photo in await files.of_receipt(session, actor, receipt_id)}
    new = [photo for photo in photos if photo.digest not in there]
    files.check_number([*there, *new])
    if new:
        await files.attach(session, actor, receipt, new)
        contract_id = rules_documents.shared_value((line.contract_id for line in counted), None)
        about = service.subject(shipment, contract_id)
        record(session, actor, about, "photos_added", number=receipt.number, receipt_id=receipt.id, photos=len(new))
        logger.info("photos added", extra={"receipt_id": str(receipt.id), "photos": len(new)})
    return receipt


# --- writing ----------------------------------------------------------------------------------------------------------


async def _posted_before(
    session: AsyncSession,
    actor: Actor,
    shipment: Shipment,
    mine: Sequence[ShipmentLine],
    data: Receive,
    corrects: UUID | None = None,
) -> Receipt | None:
    """The receipt that this very request posted before. Raises RequestReused when the request says something else."""
    if data.request_id is None:
        return None
    before = await session.get(Receipt, (actor.tenant_id, data.request_id))
    if before is None:
        return None
    said = {line.shipment_line_id: line for line in await lines_of(session, actor, before.id)}
    known = {line.id: line for line in mine}
    same = before.shipment_id == shipment.id and before.corrects_id == corrects
    for entry in data.lines:
        line, was = known.get(entry.shipment_line_id), said.get(entry.shipment_line_id)
        same = same and line is not None and was is not None and counting.count(line, entry)[1:5] == _figures(was)
    if not same:
        raise RequestReused
    return before


def _figures(line: ReceiptLine) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    return line.counted, line.accepted, line.rejected, line.short


async def _replaced(session: AsyncSession, receipt: Receipt) -> bool:
    query = select(Receipt.id).where(
        col(Receipt.tenant_id) == receipt.tenant_id,
        col(Receipt.party_id) == receipt.party_id,
        col(Receipt.corrects_id) == receipt.id,
    )
    return (await session.exec(query)).first() is not None


async def _post(
    session: AsyncSession,
    actor: Actor,
    shipment: Shipment,
    counted: Iterable[Counted],
    received_on: date,
    data: Receive,
    corrects: Receipt | None = None,
) -> Receipt:
    """Store the receipt and its lines, and raise the shipment's version."""
    number = await next_number(session, actor, shipment.party_id, "receipt")
    receipt = Receipt(
        tenant_id=actor.tenant_id,
        id=data.request_id or uuid7(),
        party_id=shipment.party_id,
        number=f"R-{number}",
        shipment_id=shipment.id,
        received_on=received_on,
        posted_at=clock.now(),
        member_id=actor.member_id,
        note=data.note,
        corrects_id=corrects.id if corrects else None,
    )
    statement = insert(Receipt).values(receipt.model_dump()).on_conflict_do_nothing().returning(col(Receipt.id))
    if (await session.exec(statement)).first() is None:
        raise CorrectedBefore if corrects else RequestReused
    session.add_all([_receipt_line(receipt, entry) for entry in counted])
    shipment.version += 1
    session.add(shipment)
    return receipt


def _receipt_line(receipt: Receipt, entry: Counted) -> ReceiptLine:
    line, figures = entry.line, entry.figures
    return ReceiptLine(
        tenant_id=receipt.tenant_id,
        party_id=receipt.party_id,
        receipt_id=receipt.id,
        shipment_line_id=line.id,
        schedule_line_id=line.schedule_line_id,
        contract_id=line.contract_id,
        unit=line.unit,
        note=entry.note,
        **figures._asdict(),
    )


async def _book(
    session: AsyncSession,
    actor: Actor,
    lines: Deliveries,
    counted: Sequence[Counted],
    receipt: Receipt,
    old: Mapping[UUID, ReceiptLine] | None = None,
) -> None:
    """Bring the schedule lines' sums to what the receipts in force say."""
    accepted: dict[UUID, Decimal] = defaultdict(Decimal)
    rejected: dict[UUID, Decimal] = defaultdict(Decimal)
    for entry in counted:
        accepted[entry.line.schedule_line_id] += entry.figures.accepted
        rejected[entry.line.schedule_line_id] += entry.figures.rejected
    for was in (old or {}).values():
        accepted[was.schedule_line_id] -= was.accepted
        rejected[was.schedule_line_id] -= was.rejected
    last = await _last_days(session, actor, lines) if old else {}
    booked = []
    for line in lines.values():
        days = [day for day in (last.get(line.id) if old else line.last_received_on, receipt.received_on) if day]
        booked.append((line, Arrival(accepted[line.id], rejected[line.id], max(days))))
    await booking.book_received(
        session, actor, booked, "receipt_corrected" if old else "received",
        number=receipt.number, receipt_id=receipt.id, received_on=receipt.received_on,
    )  # fmt: skip


async def _last_days(session: AsyncSession, actor: Actor, lines: Deliveries) -> dict[UUID, date]:
    """The last day on which something of each line arrived, by the receipts in force."""
    query = select(ReceiptLine.schedule_line_id, func.max(Receipt.received_on)).join(
        Receipt,
        (col(Receipt.tenant_id) == col(ReceiptLine.tenant_id)) & (col(Receipt.id) == col(ReceiptLine.receipt_id)),
    )
    query = query.where(
        col(ReceiptLine.tenant_id) == actor.tenant_id,
        col(ReceiptLine.schedule_line_id).in_(lines.keys()),
        service.in_force(),
    )
    return dict((await session.exec(query.group_by(col(ReceiptLine.schedule_line_id)))).all())


def _tell(
    session: AsyncSession,
    actor: Actor,
    shipment: Shipment,
    receipt: Receipt,
    counted: Sequence[Counted],
    verb: str,
    **more: str,
) -> None:
    """The shipment's history: which receipt, and how many lines differ from the note."""
    contract_id = rules_documents.shared_value((entry.line.contract_id for entry in counted), None)
    differing = sum(1 for entry in counted if not rules.is_settled([entry.figures]))
    record(
        session, actor, service.subject(shipment, contract_id), verb,
        number=receipt.number, receipt_id=receipt.id, lines=len(counted), differing=differing, **more,
    )  # fmt: skip
