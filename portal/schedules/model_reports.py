"""What the seller says will go wrong with a delivery, before it does."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Field

from portal.core.tables import SharedRow, child_of, index, parent, text_enum, unique


class ReportKind(StrEnum):
    LATE = "late"  # the seller expects another day
    PROBLEM = "problem"


class ReportReason(StrEnum):
    MATERIAL = "material"
    CAPACITY = "capacity"
    TRANSPORT = "transport"
    QUALITY = "quality"
    OTHER = "other"


class Urgency(StrEnum):
    CAN_WAIT = "can_wait"
    LINE_STOP = "line_stop"  # the buyer's production may stand still


class ReportStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class LineReport(SharedRow, table=True):
    """The seller's warning about one schedule line. It never moves the agreed date: only the buyer's consent does."""

    __tablename__ = "line_report"
    __table_args__ = (
        parent(),
        unique("number"),
        child_of("schedule_line", "line_id"),
        index("line_report", "line_id"),
    )

    number: str = Field(max_length=60)
    line_id: UUID
    contract_id: UUID
    kind: ReportKind = Field(sa_type=text_enum(ReportKind))
    reason: ReportReason = Field(sa_type=text_enum(ReportReason))
    expected_on: date | None = None  # the day the seller now expects to deliver on
    urgency: Urgency = Field(default=Urgency.CAN_WAIT, sa_type=text_enum(Urgency))
    note: str = Field(default="", max_length=500)
    status: ReportStatus = Field(default=ReportStatus.OPEN, sa_type=text_enum(ReportStatus))
    member_id: UUID | None = None  # who reported
    reported_at: datetime
    closed_at: datetime | None = None


class ReportPhoto(SharedRow, table=True):
    """A picture of the problem. The bytes lie in the file store under their digest."""

    __tablename__ = "line_report_photo"
    __table_args__ = (child_of("line_report", "report_id"), index("line_report_photo", "report_id"))

    report_id: UUID
    digest: str = Field(max_length=64)  # sha256 of the stored bytes, hex
    content_type: str = Field(max_length=40)
    size: int  # bytes
