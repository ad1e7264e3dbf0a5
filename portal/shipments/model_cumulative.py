"""What two companies agree about cumulative quantities: how they count, from where, corrected by what, and what either
side reports of its own books. Figures themselves are never stored: documents are added up."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from portal.core.tables import ZERO, SharedRow, child_of, index, numeric, parent, text_enum, unique
from portal.schedules.rules_cumulative import CountBy


class CountPer(StrEnum):
    """What one cumulative quantity is counted for."""

    LINE = "line"  # of the contract: an item at a place
    PLANT = "plant"  # an item at a plant over all contracts; agreed on paper, shown here


class EntryKind(StrEnum):
    RESET = "reset"  # the count begins anew from a day
    OPENING = "opening"  # a figure to begin with, when a contract succeeds another
    CORRECTION = "correction"


class EntryReason(StrEnum):
    MODEL_YEAR = "model_year"
    FISCAL_YEAR = "fiscal_year"
    SUCCESSION = "succession"
    CORRECTION = "correction"
    PARTNER = "partner"  # the other side's books are right
    SHIPPING = "shipping"  # a delivery note was wrong
    ROLLBACK = "rollback"  # takes an earlier correction back


class EntryStatus(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Figure(StrEnum):
    """Which cumulative quantity a correction moves."""

    REQUESTED = "requested"
    SHIPPED = "shipped"
    RECEIVED = "received"


class CumulativePolicy(SharedRow, table=True):
    """How the cumulative quantities of one contract count. Without a row: the defaults."""

    __tablename__ = "cumulative_policy"
    __table_args__ = (unique("contract_id"), child_of("contract", "contract_id"))

    contract_id: UUID
    count_by: CountBy = Field(default=CountBy.RECEIPT, sa_type=text_enum(CountBy))
    count_per: CountPer = Field(default=CountPer.LINE, sa_type=text_enum(CountPer))
    count_rejected: bool = True  # until they are returned
    returns_lower: bool = False  # a replacement then raises it again
    other_orders: bool = False  # receipts outside of the contract count too
    version: int = 1


class CumulativeEntry(SharedRow, table=True):
    """A reset, an opening figure or a correction: one side proposes it, it counts when the other one agrees. Never
    removed: what was is told by the entries agreed until then."""

    __tablename__ = "cumulative_entry"
    __table_args__ = (
        parent(),
        unique("contract_line_id", "number"),
        child_of("contract_line", "contract_line_id", same=["contract_id"]),
        CheckConstraint("(kind = 'correction') = (figure is not null)", name="figure_of_corrections"),
        index("cumulative_entry", "contract_line_id", "effective_on"),
    )

    contract_id: UUID
    contract_line_id: UUID
    number: int
    kind: EntryKind = Field(sa_type=text_enum(EntryKind))
    reason: EntryReason = Field(sa_type=text_enum(EntryReason))
    figure: Figure | None = Field(default=None, sa_type=text_enum(Figure), nullable=True)
    quantity: Decimal = numeric(default=ZERO)  # the figure to begin with, or what a correction adds
    sync_date: date | None = None  # of a reset: documents from this day on count
    effective_on: date  # when a reset is executed, or the day that a correction counts on
    document: str = Field(default="", max_length=60)  # the document that a correction is about
    note: str = Field(max_length=500)
    status: EntryStatus = Field(default=EntryStatus.PROPOSED, sa_type=text_enum(EntryStatus))
    offered_scope: str = Field(max_length=8)
    offered_name: str = Field(default="", max_length=120)
    offered_at: datetime
    answered_name: str = Field(default="", max_length=120)
    answered_at: datetime | None = None


class CumulativeReport(SharedRow, table=True):
    """What one side's own books say about a contract line on a day. Never changed; the newest of a side stands."""

    __tablename__ = "cumulative_report"
    __table_args__ = (
        child_of("contract_line", "contract_line_id", same=["contract_id"]),
        index("cumulative_report", "contract_line_id", "id"),
    )

    contract_id: UUID
    contract_line_id: UUID
    scope: str = Field(max_length=8)  # whose books
    as_of: date
    requested: Decimal | None = numeric(default=None)
    received: Decimal | None = numeric(default=None)
    last_document: str = Field(default="", max_length=60)
    documents: list[Any] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    note: str = Field(default="", max_length=300)
    member_name: str = Field(default="", max_length=120)
    reported_at: datetime
