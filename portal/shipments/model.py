"""What the seller says is on the way, and what the buyer says arrived."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from portal.core.actor import Direction
from portal.core.tables import (
    ZERO,
    SharedRow,
    child_of,
    index,
    numeric,
    of_party,
    parent,
    text_enum,
    unique,
)

ON_THE_WAY_SQL = "status in ('sent', 'partly_received')"  # waits for the buyer's count


class ShipmentStatus(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Problem(StrEnum):
    """Why a count differs from the delivery note."""

    NOT_ON_TRUCK = "not_on_truck"
    DAMAGED = "damaged"
    WRONG_PART = "wrong_part"
    COUNTED_AGAIN = "counted_again"


class Shipment(SharedRow, table=True):
    """One delivery note (ASN). Its number is the seller's, unique per company, direction and year."""

    __tablename__ = "shipment"
    __table_args__ = (
        parent(),
        unique("direction", "number", "year"),
        of_party(),
        index("shipment", "shipped_on", "id"),
        index("shipment", "party_id", "shipped_on", "id"),
        index("shipment", "number"),
        index("shipment", "scan_token"),
        Index("ix_shipment_on_the_way", "tenant_id", "shipped_on", "id", postgresql_where=text(ON_THE_WAY_SQL)),
    )

    number: str = Field(max_length=60)
    year: int
    direction: Direction = Field(sa_type=text_enum(Direction))
    status: ShipmentStatus = Field(default=ShipmentStatus.SENT, sa_type=text_enum(ShipmentStatus))
    order_no: str = Field(default="", max_length=40)
    shipped_on: date
    expected_on: date | None = None
    carrier: str = Field(default="", max_length=120)
    vehicle: str = Field(default="", max_length=60)
    ship_to_code: str = Field(default="", max_length=40)
    note: str = Field(default="", max_length=500)
    scan_token: str = Field(max_length=32)  # opaque, printed as QR: opens the receipt page
    source: str | None = Field(default=None, max_length=20)
    version: int = 1


class ShipmentLine(SharedRow, table=True):
    """So much of one schedule line on one delivery note."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        parent(),
        child_of("shipment", "shipment_id"),
        child_of("schedule_line", "schedule_line_id"),
        CheckConstraint("quantity > 0", name="shipped_positive"),
        index("shipment_line", "shipment_id"),
        index("shipment_line", "schedule_line_id"),
    )

    shipment_id: UUID
    schedule_line_id: UUID
    contract_id: UUID
    line_no: int
    quantity: Decimal = numeric()
    unit: str = Field(max_length=3)
    lot: str = Field(default="", max_length=60)
    packages: int | None = None
    package_size: Decimal | None = numeric(default=None)


class Receipt(SharedRow, table=True):
    """What arrived of one delivery note, as counted by the buyer.

    A correction is a new receipt that points back: it takes the former's place, which then counts in no sum.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        parent(),
        unique("number"),
        unique("corrects_id"),
        child_of("shipment", "shipment_id"),
        child_of("receipt", "corrects_id"),
        index("receipt", "received_on", "id"),
        index("receipt", "party_id", "received_on", "id"),
        index("receipt", "shipment_id"),
    )

    number: str = Field(max_length=60)
    shipment_id: UUID
    received_on: date  # in the contract's zone
    posted_at: datetime
    member_id: UUID | None = None
    note: str = Field(default="", max_length=500)
    corrects_id: UUID | None = None  # the receipt whose place this one takes
    source: str | None = Field(default=None, max_length=20)


class ReceiptLine(SharedRow, table=True):
    """One counted line: announced = counted + short, counted = accepted + rejected (an excess makes short negative)."""

    __tablename__ = "receipt_line"
    __table_args__ = (
        parent(),
        child_of("receipt", "receipt_id"),
        child_of("shipment_line", "shipment_line_id"),
        child_of("schedule_line", "schedule_line_id"),
        CheckConstraint("counted = accepted + rejected and accepted >= 0 and rejected >= 0", name="counted_adds_up"),
        index("receipt_line", "receipt_id"),
        index("receipt_line", "schedule_line_id"),
        index("receipt_line", "shipment_line_id"),
    )

    receipt_id: UUID
    shipment_line_id: UUID
    schedule_line_id: UUID
    contract_id: UUID
    announced: Decimal = numeric()
    counted: Decimal = numeric()
    accepted: Decimal = numeric()
    rejected: Decimal = numeric(default=ZERO)
    short: Decimal = numeric(default=ZERO)
    unit: str = Field(max_length=3)
    problem: Problem | None = Field(default=None, sa_type=text_enum(Problem), nullable=True)
    note: str = Field(default="", max_length=500)


class Photo(SharedRow, table=True):
    """A picture taken at a receipt. The bytes lie in the file store under their digest."""

    __tablename__ = "photo"
    __table_args__ = (child_of("receipt", "receipt_id"), index("photo", "receipt_id"))

    receipt_id: UUID
    digest: str = Field(max_length=64)  # sha256 of the stored bytes, hex
    content_type: str = Field(max_length=40)
    size: int  # bytes
