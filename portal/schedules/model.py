"""Schedule lines called off from contracts, the releases that froze them, and the seller's confirmations."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from portal.core.tables import (
    ZERO,
    SharedRow,
    child_of,
    document,
    index,
    numeric,
    parent,
    percentage,
    text_enum,
    unique,
)


class LineStatus(StrEnum):
    DRAFT = "draft"  # generated, not yet in a release
    PUBLISHED = "published"
    PROPOSED = "proposed"  # the seller is asked for an answer
    PARTLY_CONFIRMED = "partly_confirmed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class CloseReason(StrEnum):
    COMPLETE = "complete"
    SHORT = "short"
    AGREED = "agreed"
    CANCELLED = "cancelled"


class Zone(StrEnum):
    """The obligation of a due date, from the release date and the contract line's days."""

    FIRM = "firm"
    TRADEOFF = "tradeoff"
    FORECAST = "forecast"


class Level(StrEnum):
    """The commitment level as exchanged with other systems; backlog and immediate are computed at release."""

    FIRM = "firm"
    MAKE = "make"
    BUY = "buy"
    PLAN = "plan"
    BACKLOG = "backlog"
    IMMEDIATE = "immediate"
    PILOT = "pilot"


class SupplyState(StrEnum):
    """What the seller says about the material behind a line."""

    UNKNOWN = "unknown"
    SECURED = "secured"
    AT_RISK = "at_risk"


class ConfirmationStatus(StrEnum):
    NEEDS_APPROVAL = "needs_approval"  # differs from what was asked: the buyer decides
    VALID = "valid"  # accepted: by the contract's terms, inside tolerance, or by the buyer
    DECLINED = "declined"
    REPLACED = "replaced"  # a later answer took its place
    CLOSED = "closed"  # the request changed, so the seller is asked again


class ReleaseKind(StrEnum):
    """A new release of a kind replaces the whole one before it; inside its horizon JIT wins over forecast."""

    FORECAST = "forecast"
    JIT = "jit"


class Trigger(StrEnum):
    """What makes a contract's next release."""

    MANUAL = "manual"
    EVERY = "every"  # so many days
    WEEKDAYS = "weekdays"
    CHANGE = "change"  # when the difference is worth telling


class ReleaseStatus(StrEnum):
    """How a published release stands with the partner."""

    PUBLISHED = "published"
    DELIVERED = "delivered"  # it lies in the partner's inbox
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"  # stays to be seen; the one before it is in force
    SUPERSEDED = "superseded"


class Span(StrEnum):
    """What one figure of a release stands for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


OPEN_SQL = "status in ('published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected')"  # still to be received


class ScheduleLine(SharedRow, table=True):
    """One delivery the buyer asks for: this much of an item on this day. The live row; releases hold copies.

    The four sums are caches of documents, written in the transaction of the document; `portal check` recomputes them.
    """

    __tablename__ = "schedule_line"
    __table_args__ = (
        parent(),
        unique("contract_id", "line_no"),
        child_of("contract_line", "contract_line_id", same=["contract_id"]),
        child_of("commitment_bucket", "bucket_id"),
        CheckConstraint("ordered_quantity > 0", name="ordered_positive"),
        index("schedule_line", "due_date", "id"),
        index("schedule_line", "party_id", "due_date", "id"),
        index("schedule_line", "contract_line_id", "due_date"),
        Index(
            "uq_schedule_line_external",
            "tenant_id",
            "party_id",
            "source",
            "external_id",
            unique=True,
            postgresql_where=text("external_id is not null"),
        ),
        Index("ix_schedule_line_bucket", "tenant_id", "bucket_id", postgresql_where=text("bucket_id is not null")),
        Index("ix_schedule_line_open", "tenant_id", "due_date", "id", postgresql_where=text(OPEN_SQL)),
        Index("ix_schedule_line_asked", "tenant_id", "respond_by", postgresql_where=text("respond_by is not null")),
        Index("ix_schedule_line_decide", "tenant_id", "id", postgresql_where=text("deviation_id is not null")),
    )

    partner_sees = "status <> 'draft'"  # what is in no release was told to nobody

    contract_id: UUID
    contract_line_id: UUID
    line_no: int
    order_no: str = Field(default="", max_length=40)  # the buyer's purchase order or call-off number
    order_date: date | None = None
    due_date: date  # the date now agreed, in the contract's zone
    requested_date: date  # as first asked, for ever
    promised_date: date | None = None  # the first promise, for ever
    period_start: date | None = None  # the FOQ period it was generated for
    unit: str = Field(max_length=3)
    ordered_quantity: Decimal = numeric()
    under_percent: Decimal = percentage(default=ZERO)
    over_percent: Decimal = percentage(default=ZERO)
    status: LineStatus = Field(default=LineStatus.DRAFT, sa_type=text_enum(LineStatus))
    close_reason: CloseReason | None = Field(default=None, sa_type=text_enum(CloseReason), nullable=True)
    zone: Zone | None = Field(default=None, sa_type=text_enum(Zone), nullable=True)  # as published
    level: Level | None = Field(default=None, sa_type=text_enum(Level), nullable=True)
    release_line_id: UUID | None = None  # the published copy in force
    respond_by: datetime | None = None
    reject_reason: str = Field(default="", max_length=24)
    supply_state: SupplyState = Field(default=SupplyState.UNKNOWN, sa_type=text_enum(SupplyState))
    supply_note: str = Field(default="", max_length=200)
    requested_quantity: Decimal | None = numeric(default=None)  # as first asked, where another was agreed on
    deviation_id: UUID | None = None  # the answer that waits for the buyer's decision
    lapsed_at: datetime | None = None  # when a deadline for the answer was last missed
    deemed: bool = False  # what is confirmed was not said: the deadline lapsed
    confirmed_quantity: Decimal = numeric(default=ZERO)
    shipped_quantity: Decimal = numeric(default=ZERO)
    received_quantity: Decimal = numeric(default=ZERO)  # accepted
    rejected_quantity: Decimal = numeric(default=ZERO)
    last_received_on: date | None = None
    price: Decimal | None = numeric(default=None)  # the line's own price per unit, when it has one
    stated_value: Decimal | None = numeric(default=None)  # as the source said, beside quantity x price
    ship_to_code: str = Field(default="", max_length=40)
    bucket_id: UUID | None = None  # the period it was called off from; none: no quantity was agreed for periods
    source: str | None = Field(default=None, max_length=20)
    external_id: str | None = Field(default=None, max_length=120)
    payload_hash: str | None = Field(default=None, max_length=64)
    version: int = 1


class Release(SharedRow, table=True):
    """An immutable numbered snapshot of a contract's open schedule lines, told to the other side."""

    __tablename__ = "release"
    __table_args__ = (
        parent(),
        unique("contract_id", "number"),
        child_of("contract", "contract_id"),
        index("release", "contract_id", "number"),
    )

    contract_id: UUID
    number: int
    calculated_on: date  # zones count from this day
    horizon_end: date
    published_at: datetime
    published_by: str = Field(default="", max_length=120)
    note: str = Field(default="", max_length=300)
    kind: ReleaseKind = Field(default=ReleaseKind.FORECAST, sa_type=text_enum(ReleaseKind))
    trigger: Trigger = Field(default=Trigger.MANUAL, sa_type=text_enum(Trigger))
    prior_number: int | None = None  # the release it replaces, of the same kind
    daily_until: date | None = None  # told by single days up to here, then by weeks; none: all by days
    weekly_until: date | None = None  # by weeks up to here, then by months
    contents: dict[str, Any] = document()  # what else it told, as known then: `rules_contents`


class ReleaseLine(SharedRow, table=True):
    """A schedule line as it stood when the release was published. Never changed."""

    __tablename__ = "release_line"
    __table_args__ = (
        child_of("release", "release_id"),
        child_of("schedule_line", "schedule_line_id"),
        index("release_line", "release_id"),
        index("release_line", "schedule_line_id"),
    )

    release_id: UUID
    schedule_line_id: UUID
    contract_line_id: UUID
    due_date: date
    quantity: Decimal = numeric()
    zone: Zone = Field(sa_type=text_enum(Zone))
    level: Level = Field(sa_type=text_enum(Level))


class Confirmation(SharedRow, table=True):
    """The seller's promise against one schedule line; several rows are a split. What is confirmed is their sum."""

    __tablename__ = "confirmation"
    __table_args__ = (
        child_of("schedule_line", "line_id"),
        CheckConstraint("quantity > 0", name="promise_positive"),
        index("confirmation", "line_id"),
    )

    line_id: UUID
    release_line_id: UUID | None = None  # the published copy that was answered
    command_id: UUID  # the splits of one answer share it
    line_version: int = 0  # of the line that was answered
    delivery_date: date
    despatch_date: date | None = None
    quantity: Decimal = numeric()  # in the line's unit
    price: Decimal | None = numeric(default=None)  # per unit, where the seller asks for another
    deviations: str = Field(default="", max_length=60)  # kinds in which it differs from what was asked
    reason: str = Field(default="", max_length=24)
    note: str = Field(default="", max_length=500)
    channel: str = Field(default="", max_length=8)
    on_behalf: bool = False  # the buyer entered what the seller had said elsewhere
    deemed: bool = False  # nobody said it: the deadline lapsed
    status: ConfirmationStatus = Field(default=ConfirmationStatus.VALID, sa_type=text_enum(ConfirmationStatus))
    member_id: UUID | None = None
