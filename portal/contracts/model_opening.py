"""What was called off and delivered before the portal: figures up to a cut-over date that both companies confirm."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import Field

from portal.core.tables import SharedRow, child_of, document, parent, text_enum, unique


class OpeningStatus(StrEnum):
    """Confirmed ones stand in the ledger; nothing takes them back."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class OpeningBalance(SharedRow, table=True):
    """One set of figures of a contract. They count only when the other company has confirmed them."""

    __tablename__ = "opening_balance"
    __table_args__ = (parent(), unique("contract_id", "number"), child_of("contract", "contract_id"))

    contract_id: UUID
    number: int  # of the contract's sets, from 1
    cut_over: date  # the last day that the figures hold
    status: OpeningStatus = Field(default=OpeningStatus.PROPOSED, sa_type=text_enum(OpeningStatus))
    figures: dict[str, Any] = document()  # lines: a list of line, period, called, shipped, received
    offered_by: UUID | None = None
    offered_name: str = Field(default="", max_length=120)
    offered_at: datetime
    answered_by: UUID | None = None
    answered_name: str = Field(default="", max_length=120)
    answered_at: datetime | None = None
    reason: str = Field(default="", max_length=500)
    version: int = 1
