"""What a seller promises against the buyer's forecast, and when the buyer asks for such a promise."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from portal.core.tables import ZERO, SharedRow, child_of, index, numeric, parent, percentage, text_enum, unique


class CommitWay(StrEnum):
    """How the quantities of a commit were given."""

    PERIODS = "periods"  # typed, period by period
    PERCENT = "percent"  # one share of everything
    SHEET = "sheet"  # by a workbook


class RequestStatus(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    LAPSED = "lapsed"  # no answer in time; it can still come
    SUPERSEDED = "superseded"  # a later release asks again


class CommitTerms(SharedRow, table=True):
    """Which part of the forecast a seller is asked to commit to after each release. Without a row nothing is asked."""

    __tablename__ = "commit_terms"
    __table_args__ = (
        unique("contract_id"),
        child_of("contract", "contract_id"),
        CheckConstraint("weeks between 1 and 52", name="weeks"),
        CheckConstraint("response_hours between 1 and 400", name="hours"),
    )

    contract_id: UUID
    weeks: int = 13  # from the week of the release on
    response_hours: int = 16  # working hours after the release
    under_percent: Decimal = percentage(default=ZERO)  # below the forecast by no more than this is no exception
    version: int = 1


class CommitRequest(SharedRow, table=True):
    """One release asked for a commit."""

    __tablename__ = "commit_request"
    __table_args__ = (
        parent(),
        unique("contract_id", "release_id"),
        child_of("contract", "contract_id"),
        child_of("release", "release_id"),
        index("commit_request", "status", "due_at"),
    )

    contract_id: UUID
    release_id: UUID
    release_no: int
    due_at: datetime
    status: RequestStatus = Field(default=RequestStatus.OPEN, sa_type=text_enum(RequestStatus))
    answered_at: datetime | None = None


class SupplyCommit(SharedRow, table=True):
    """One version of what the seller commits to, for one contract. The newest stands; none is ever changed."""

    __tablename__ = "supply_commit"
    __table_args__ = (
        parent(),
        unique("contract_id", "number"),
        child_of("contract", "contract_id"),
        child_of("release", "release_id"),
    )

    contract_id: UUID
    number: int
    release_id: UUID  # whose figures the seller saw
    release_no: int
    way: CommitWay = Field(sa_type=text_enum(CommitWay))
    note: str = Field(default="", max_length=300)
    member_id: UUID | None = None
    member_name: str = Field(default="", max_length=120)
    committed_at: datetime


class SupplyCommitLine(SharedRow, table=True):
    """The promise for one week of one contract line, with the forecast that it answered."""

    __tablename__ = "supply_commit_line"
    __table_args__ = (
        unique("commit_id", "contract_line_id", "week"),
        child_of("supply_commit", "commit_id"),
        child_of("contract_line", "contract_line_id"),
        CheckConstraint("quantity >= 0 and forecast >= 0", name="not_negative"),
    )

    commit_id: UUID
    contract_line_id: UUID
    week: date  # its Monday
    forecast: Decimal = numeric()  # asked for when it was given
    quantity: Decimal = numeric()
