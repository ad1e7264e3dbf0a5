"""The ledger of the fixed order quantity: what was agreed for each period, and every entry that used it."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, text
from sqlmodel import Field

from portal.core.tables import (
    ROOM_TO_CHANGE,
    ZERO,
    SharedRow,
    child_of,
    index,
    numeric,
    parent,
    percentage,
    text_enum,
    unique,
)


class BucketCadence(StrEnum):
    """How a line's periods follow each other; `custom` is a list of its own."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    CUSTOM = "custom"


class Assignment(StrEnum):
    """Which day decides to which period a quantity belongs. One rule a contract."""

    REQUESTED = "requested"  # the day it was asked for
    DESPATCH = "despatch"
    RECEIPT = "receipt"


class Carry(StrEnum):
    """How far a shortfall or an excess is carried on when its period has ended."""

    NONE = "none"
    NEXT = "next"
    PERIODS = "periods"  # so many periods
    TO_END = "to_end"  # until the contract ends


class Consequence(StrEnum):
    """What was agreed to follow when a period stays below its floor."""

    NONE = "none"
    INVOICE = "invoice"
    EXTEND = "extend"
    DISCUSS = "discuss"


class PriceBasis(StrEnum):
    """Whose day decides the price of a period's quantities."""

    RECEIPT = "receipt_date"
    ORDER = "order_date"
    PERIOD = "period_start"


class EntryKind(StrEnum):
    """What an entry of the ledger says. Every counter is the sum of the entries of one or two kinds."""

    CALLED = "called"
    RELEASED = "released"  # called before and given back; positive where it was taken again
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    RECEIVED = "received"  # accepted
    RETURNED = "returned"  # refused at the receipt
    INVOICED = "invoiced"
    CARRIED_IN = "carried_in"  # from an earlier period: a shortfall, or negative an excess
    CARRIED_OUT = "carried_out"  # the same on the period it comes from, with the other sign
    OVER_CALL = "over_call"  # somebody allowed more than the ceiling
    OPENING_CALLED = "opening_called"  # before the portal, as both sides confirmed
    OPENING_SHIPPED = "opening_shipped"
    OPENING_RECEIVED = "opening_received"
    AMENDED = "amended"  # by how much an amendment changed the target of a period that was used already; no counter
    TOLERANCE = "tolerance"  # called above the ceiling inside the agreed over-call tolerance


class CommitmentTerms(SharedRow, table=True):
    """How the periods of one contract are used: agreed with it and changed with it. Without a row: the defaults.

    What an amendment replaced stays: periods that began before its day are closed as was agreed when they began.
    """

    __tablename__ = "commitment_terms"
    __table_args__ = (
        unique("contract_id", "replaced_on"),
        child_of("contract", "contract_id"),
        CheckConstraint("shortfall_periods > 0 and excess_periods > 0", name="periods_positive"),
        CheckConstraint("over_call_percent >= 0", name="over_call_not_negative"),
        CheckConstraint("call_high_percent >= call_low_percent", name="call_band_in_order"),
    )

    # A draft's are the factory's own: the contract inside is seen under the partner's own policy.
    partner_sees = (
        "exists (select from contract c where c.tenant_id = commitment_terms.tenant_id"
        " and c.id = commitment_terms.contract_id)"
    )

    contract_id: UUID
    replaced_on: date = date.max  # the first day of other terms; these are in force while it is the last of all days
    assignment: Assignment = Field(default=Assignment.REQUESTED, sa_type=text_enum(Assignment))
    shortfall_carry: Carry = Field(default=Carry.NONE, sa_type=text_enum(Carry))
    shortfall_periods: int | None = None  # with `periods`
    shortfall_cap_percent: Decimal | None = percentage(default=None)  # of a period's target; none: no cap
    excess_carry: Carry = Field(default=Carry.NONE, sa_type=text_enum(Carry, "excess_carry"))
    excess_periods: int | None = None
    excess_cap_percent: Decimal | None = percentage(default=None)
    consequence: Consequence = Field(default=Consequence.NONE, sa_type=text_enum(Consequence))
    over_call_percent: Decimal = percentage(default=ZERO)  # of the original ceiling
    call_low_percent: Decimal | None = percentage(default=None)  # one call, of its period's target
    call_high_percent: Decimal | None = percentage(default=None)
    price_basis: PriceBasis = Field(default=PriceBasis.RECEIPT, sa_type=text_enum(PriceBasis))


class CommitmentBucket(SharedRow, table=True):
    """The quantity agreed for one period [start, end) of one contract line, in days of the contract's time zone.

    The three sums are caches of entries for the check under the lock; pages add up the entries, and `portal check`
    compares. What is agreed never changes by use: carrying over writes entries.
    """

    __tablename__ = "commitment_bucket"
    __table_args__ = (
        parent(),
        unique("contract_line_id", "period_start"),
        child_of("contract_line", "contract_line_id", same=["contract_id"]),
        CheckConstraint("period_end > period_start", name="period_not_empty"),
        CheckConstraint("floor >= 0 and target >= floor and ceiling >= target", name="floor_target_ceiling"),
        index("commitment_bucket", "contract_id", "period_start"),
        index("commitment_bucket", "period_end"),
        ROOM_TO_CHANGE,
    )

    # A draft's are the factory's own: the contract inside is seen under the partner's own policy.
    partner_sees = (
        "exists (select from contract c where c.tenant_id = commitment_bucket.tenant_id"
        " and c.id = commitment_bucket.contract_id)"
    )

    contract_id: UUID
    contract_line_id: UUID
    cadence: BucketCadence = Field(sa_type=text_enum(BucketCadence))
    period_start: date
    period_end: date  # the first day after it
    floor: Decimal = numeric()
    target: Decimal = numeric()
    ceiling: Decimal = numeric()
    unit: str = Field(max_length=3)
    price_basis: PriceBasis = Field(default=PriceBasis.RECEIPT, sa_type=text_enum(PriceBasis))
    consumed: Decimal = numeric(default=ZERO)  # called and released
    allowance: Decimal = numeric(default=ZERO)  # carried in and out, over-calls: on top of the ceiling
    tolerance_used: Decimal = numeric(default=ZERO)
    closed_at: datetime | None = None  # the period was over and its carry-over is written


class BucketEntry(SharedRow, table=True):
    """One line of the ledger: so much was called, confirmed, shipped, received or carried, by which document. Only
    ever added; what was wrong is taken back by another entry."""

    __tablename__ = "bucket_entry"
    __table_args__ = (
        child_of("commitment_bucket", "bucket_id"),
        index("bucket_entry", "bucket_id"),
        index("bucket_entry", "line_id"),
    )

    bucket_id: UUID
    kind: EntryKind = Field(sa_type=text_enum(EntryKind))
    quantity: Decimal = numeric()  # signed, in the bucket's unit
    document: str = Field(max_length=24)  # the table of the document
    document_id: UUID
    line_id: UUID | None = None  # the schedule line
    member_id: UUID | None = None
    member_name: str = Field(default="", max_length=120)
    reason: str = Field(default="", max_length=300)
    at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()"))
    )


def as_values(kinds: tuple[EntryKind, ...]) -> Any:
    """Kinds as SQL text: a list of literals."""
    return ", ".join(f"'{kind.value}'" for kind in kinds)


CONSUMING = (EntryKind.CALLED, EntryKind.RELEASED, EntryKind.OPENING_CALLED)
ALLOWING = (EntryKind.CARRIED_IN, EntryKind.CARRIED_OUT, EntryKind.OVER_CALL)
