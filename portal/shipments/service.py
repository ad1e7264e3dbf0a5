"""Commands on delivery notes: the seller ships, and takes a note back before anything of it was received."""

import logging
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, exists, func, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.errors import Invalid, NotFound, Reading
from portal.core.ids import uuid7
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.versions import check_version
from portal.schedules import service_booking as booking
from portal.schedules.service_booking import Deliveries, Delivery
from portal.shipments import rules, rules_documents
from portal.shipments.events import ShipmentChanged, ShipmentSent, ShipmentWithdrawn
from portal.shipments.model import Receipt, ReceiptLine, Shipment, ShipmentLine, ShipmentStatus
from portal.shipments.rules import SHIPMENT_STATES
from portal.shipments.rules_documents import DuplicateDeliveryNote, PartlyHidden, RequestReused

logger = logging.getLogger(__name__)
ZERO = Decimal(0)


class ShippedLine(Input):
    """So much of one open schedule line."""

    line_id: UUID = Field(description="The schedule line")
    quantity: Decimal = Field(gt=0, max_digits=18, decimal_places=6, examples=["800"])
    lot: str = Field(default="", max_length=60)
    packages: int | None = Field(default=None, ge=1, le=1_000_000, description="Without: by the contract's pack size")
    package_size: Decimal | None = Field(default=None, gt=0, max_digits=18, decimal_places=6)


class Transport(Input):
    """How the goods travel and when they are expected; what may still change while they are on the way."""

    expected_on: Day | None = None
    carrier: str = Field(default="", max_length=120)
    vehicle: str = Field(default="", max_length=60, examples=["苏B·7K218"])
    note: str = Field(default="", max_length=500)


class NewShipment(Transport):
    """One delivery note for one company, as the seller's paper says."""

    number: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["ASN-20261124-07"])
    shipped_on: Day | None = Field(default=None, description="Without: today where the contract is kept")
    request_id: UUID | None = Field(default=None, description="Sent twice, it is one shipment; becomes its id")
    lines: list[ShippedLine] = Field(min_length=1, max_length=500)


# --- reading one ------------------------------------------------------------------------------------------------------


def visible(actor: Actor) -> ColumnElement[bool]:
    """Shipments with at least one line of a contract that the colleague may see."""
    if actor.contract_ids is None:
        return true()
    return exists().where(
        col(ShipmentLine.tenant_id) == actor.tenant_id,
        col(ShipmentLine.shipment_id) == col(Shipment.id),
        col(ShipmentLine.contract_id).in_(actor.contract_ids),
    )


async def get_shipment(session: AsyncSession, actor: Actor, shipment_id: UUID, *, lock: bool = False) -> Shipment:
    """One shipment. Absent, foreign and hidden: NotFound."""
    query = select(Shipment).where(
        col(Shipment.tenant_id) == actor.tenant_id, col(Shipment.id) == shipment_id, visible(actor)
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    shipment = (await session.exec(query)).one_or_none()
    if shipment is None:
        raise NotFound
    return shipment


async def lines_of(session: AsyncSession, actor: Actor, shipment_id: UUID) -> list[ShipmentLine]:
    """The lines of a shipment, also those a restricted colleague does not see: `seen` tells them apart."""
    query = select(ShipmentLine).where(
        col(ShipmentLine.tenant_id) == actor.tenant_id, col(ShipmentLine.shipment_id) == shipment_id
    )
    return list((await session.exec(query.order_by(col(ShipmentLine.line_no)))).all())


def seen(actor: Actor, contract_id: UUID) -> bool:
    """Whether this colleague may see documents of a contract."""
    return actor.contract_ids is None or contract_id in actor.contract_ids


def in_force() -> ColumnElement[bool]:
    """Receipts that no correction has replaced; only these count in sums."""
    later = aliased(Receipt)
    return ~exists().where(
        col(later.tenant_id) == col(Receipt.tenant_id),
        col(later.party_id) == col(Receipt.party_id),
        col(later.corrects_id) == col(Receipt.id),
    )


async def short_by_line(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """What receipts recorded as short, per schedule line; negative where more came than was announced."""
    query = (
        select(ReceiptLine.schedule_line_id, func.sum(ReceiptLine.short))
        .join(
            Receipt,
            (col(Receipt.tenant_id) == col(ReceiptLine.tenant_id)) & (col(Receipt.id) == col(ReceiptLine.receipt_id)),
        )
        .where(
            col(ReceiptLine.tenant_id) == actor.tenant_id,
            col(ReceiptLine.schedule_line_id).in_(ids),
            in_force(),
        )
        .group_by(col(ReceiptLine.schedule_line_id))
    )
    return dict((await session.exec(query)).all())


# --- commands ---------------------------------------------------------------------------------------------------------


async def ship(session: AsyncSession, actor: Actor, data: NewShipment) -> Shipment:
    """The seller announces what is on the way. Every refusal comes before the first change."""
    actor.require(Permission.SHIP)
    lines = await booking.lock_deliveries(session, actor, [line.line_id for line in data.lines])
    party_id, direction = rules_documents.one_company((line.party_id, line.direction) for line in lines.values())
    if (before := await _sent_before(session, actor, data)) is not None:
        return before
    SHIPMENT_STATES.target(ShipmentStatus.DRAFT, "send", by=actor.side_on(direction))
    first = lines[data.lines[0].line_id]
    today = local_today(clock.now(), first.time_zone)
    shipped_on = data.shipped_on or today
    rules_documents.check_shipped_on(shipped_on, min(line.contract_begins for line in lines.values()), today)
    rules_documents.check_expected_on(data.expected_on, shipped_on)
    await _check_quantities(session, actor, lines, data.lines)
    shipment = _shipment(actor, party_id, direction, lines.values(), data, shipped_on)
    await _insert(session, shipment)
    session.add_all(_lines(shipment, lines, data.lines))
    quantities = _totals(data.lines)
    booked = [(line, quantities[line.id]) for line in lines.values()]
    await booking.book_shipped(
        session, actor, booked, "shipped",
        number=shipment.number, shipment_id=shipment.id, shipped_on=shipped_on,
    )  # fmt: skip
    contract_id = rules_documents.shared_value((line.contract_id for line in lines.values()), None)
    record(session, actor, subject(shipment, contract_id), "sent", number=shipment.number, lines=len(data.lines))
    emit(session, actor, party_id, ShipmentSent(shipment.id))
    logger.info("shipment sent", extra={"shipment_id": str(shipment.id), "lines": len(data.lines)})
    return shipment


async def change_transport(
    session: AsyncSession, actor: Actor, shipment_id: UUID, version: int | None, data: Transport
) -> Shipment:
    """The seller says anew how the goods travel and when they come; the buyer sees what it said before."""
    shipment, _status, shipped = await _to_move(session, actor, shipment_id, version, "change")
    rules_documents.check_expected_on(data.expected_on, shipment.shipped_on)
    said = data.model_dump()
    before = {name: getattr(shipment, name) for name, value in said.items() if getattr(shipment, name) != value}
    if not before:
        return shipment
    shipment.sqlmodel_update(said)
    shipment.version += 1
    session.add(shipment)
    contract_id = rules_documents.shared_value((line.contract_id for line in shipped), None)
    now = {name: said[name] for name in before}
    record(session, actor, subject(shipment, contract_id), "transport_changed", before=before, after=now)
    emit(session, actor, shipment.party_id, ShipmentChanged(shipment.id))
    logger.info("shipment's transport changed", extra={"shipment_id": str(shipment.id)})
    return shipment


async def _to_move(
    session: AsyncSession, actor: Actor, shipment_id: UUID, version: int | None, action: str
) -> tuple[Shipment, ShipmentStatus, list[ShipmentLine]]:
    """The locked delivery note, the state that the seller's action leads to, and its lines, all of which are seen."""
    actor.require(Permission.SHIP)
    shipment = await get_shipment(session, actor, shipment_id, lock=True)
    if version is not None:
        check_version(version, shipment.version)
    status = SHIPMENT_STATES.target(shipment.status, action, by=actor.side_on(shipment.direction))
    shipped = await lines_of(session, actor, shipment_id)
    check_all_seen(actor, shipped)
    return shipment, status, shipped


async def withdraw(session: AsyncSession, actor: Actor, shipment_id: UUID, version: int | None) -> Shipment:
    """The seller takes a delivery note back before anything of it was received. Its number stays used."""
    shipment, status, shipped = await _to_move(session, actor, shipment_id, version, "withdraw")
    quantities: dict[UUID, Decimal] = defaultdict(Decimal)
    for line in shipped:
        quantities[line.schedule_line_id] += line.quantity
    lines = await booking.lock_deliveries(session, actor, quantities)
    shipment.status = status
    shipment.version += 1
    session.add(shipment)
    booked = [(line, -quantities[line.id]) for line in lines.values()]
    await booking.book_shipped(
        session, actor, booked, "shipment_withdrawn",
        number=shipment.number, shipment_id=shipment.id, shipped_on=shipment.shipped_on,
    )  # fmt: skip
    contract_id = rules_documents.shared_value((line.contract_id for line in shipped), None)
    record(session, actor, subject(shipment, contract_id), "withdrawn", number=shipment.number)
    emit(session, actor, shipment.party_id, ShipmentWithdrawn(shipment.id))
    logger.info("shipment withdrawn", extra={"shipment_id": str(shipment.id)})
    return shipment


def subject(shipment: Shipment, contract_id: UUID | None) -> Subject:
    """The shipment as the journal names it; the contract only where all its lines are of one."""
    return Subject("shipment", shipment.id, shipment.party_id, shipment.version, contract_id)


def actions(actor: Actor, status: ShipmentStatus, direction: Direction) -> list[str]:
    """What this member can do with a shipment now."""
    allowed = {"change": Permission.SHIP, "withdraw": Permission.SHIP, "receive": Permission.RECEIVE}
    moves = SHIPMENT_STATES.actions(status, actor.side_on(direction))
    return [move for move in moves if move in allowed and actor.may(allowed[move])]


def check_all_seen(actor: Actor, lines: Iterable[ShipmentLine | ReceiptLine]) -> None:
    """Raise PartlyHidden when the document holds contracts that this colleague does not see."""
    if not all(seen(actor, line.contract_id) for line in lines):
        raise PartlyHidden


@contextmanager
def at(place: str) -> Iterator[None]:
    """Name the line that a refusal is about: the field becomes lines.3.quantity."""
    try:
        yield
    except Invalid as error:
        error.rename(lambda field: f"{place}.{field}" if field else place)
        raise


async def _sent_before(session: AsyncSession, actor: Actor, data: NewShipment) -> Shipment | None:
    """The shipment that this very request made before."""
    if data.request_id is None:
        return None
    before = await session.get(Shipment, (actor.tenant_id, data.request_id))
    if before is not None and before.number != data.number:
        raise RequestReused
    return before


async def _check_quantities(
    session: AsyncSession, actor: Actor, lines: Deliveries, shipped: Collection[ShippedLine]
) -> None:
    """Every line waits for goods, and its total stays within its over-delivery tolerance. Raises what is wrong with
    any of them."""
    short = await short_by_line(session, actor, lines.keys())
    standing = {
        line.id: rules.standing_shipped(line.shipped_quantity, short.get(line.id, ZERO), line.rejected_quantity)
        for line in lines.values()
    }
    reading = Reading()
    for no, entry in enumerate(shipped):
        line = lines[entry.line_id]
        with reading.part(), at(f"lines.{no}"):
            booking.check_shippable(line)
            rules.check_shippable(
                line.ordered_quantity, standing[line.id], entry.quantity, line.over_percent, line.unit
            )
            rules_documents.check_packages(entry.quantity, entry.packages, entry.package_size)
        standing[line.id] += entry.quantity
    reading.done()


def _totals(shipped: Iterable[ShippedLine]) -> dict[UUID, Decimal]:
    """Per schedule line; two lots of one line are two entries."""
    totals: dict[UUID, Decimal] = defaultdict(Decimal)
    for entry in shipped:
        totals[entry.line_id] += entry.quantity
    return totals


def _shipment(
    actor: Actor,
    party_id: UUID,
    direction: Direction,
    lines: Collection[Delivery],
    data: NewShipment,
    shipped_on: date,
) -> Shipment:
    return Shipment(
        tenant_id=actor.tenant_id,
        id=data.request_id or uuid7(),
        party_id=party_id,
        direction=direction,
        number=data.number,
        year=shipped_on.year,
        order_no=rules_documents.shared_value((line.order_no for line in lines), ""),
        shipped_on=shipped_on,
        expected_on=data.expected_on,
        carrier=data.carrier,
        vehicle=data.vehicle,
        ship_to_code=rules_documents.shared_value((line.ship_to_code for line in lines), ""),
        note=data.note,
        scan_token=secrets.token_urlsafe(16),
    )


async def _insert(session: AsyncSession, shipment: Shipment) -> None:
    """Store it, or raise DuplicateDeliveryNote with nothing changed."""
    statement = insert(Shipment).values(shipment.model_dump()).on_conflict_do_nothing().returning(col(Shipment.id))
    if (await session.exec(statement)).first() is None:
        raise DuplicateDeliveryNote(field="number", number=shipment.number, year=str(shipment.year))


def _lines(shipment: Shipment, lines: Deliveries, shipped: Iterable[ShippedLine]) -> Iterator[ShipmentLine]:
    for no, entry in enumerate(shipped, start=1):
        line = lines[entry.line_id]
        packages, size = entry.packages, entry.package_size
        if packages is None and size is None:
            packages, size = rules_documents.default_packages(entry.quantity, line.pack_size)
        yield ShipmentLine(
            tenant_id=shipment.tenant_id,
            party_id=shipment.party_id,
            shipment_id=shipment.id,
            schedule_line_id=line.id,
            contract_id=line.contract_id,
            line_no=no,
            quantity=entry.quantity,
            unit=line.unit,
            lot=entry.lot,
            packages=packages,
            package_size=size,
        )
