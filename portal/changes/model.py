"""Change requests: what one company wants different in called-off deliveries, and what became of the wish."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from portal.core.actor import Scope
from portal.core.tables import SharedRow, child_of, document, index, numeric, parent, text_enum, unique


class ChangeStatus(StrEnum):
    DRAFT = "draft"  # the writer's own
    SUBMITTED = "submitted"  # waits for the other company
    IN_REVIEW = "in_review"  # the factory's own approvers are asked
    COUNTERED = "countered"  # a counter-offer waits; only the newest offer is live
    ACCEPTED = "accepted"  # agreed, and applied in a moment
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # nobody answered in time
    APPLIED = "applied"
    APPLY_FAILED = "apply_failed"  # agreed, but the deliveries had moved on


class PartKind(StrEnum):
    """What is wanted of one delivery."""

    CHANGE = "change"  # another quantity, date or place, or several of them
    SPLIT = "split"
    ADD = "add"
    CANCEL = "cancel"
    PAUSE = "pause"  # set aside until a later day
    PRICE = "price"
    CARRY_OVER = "carry_over"  # what a period is short of, or too much of, counts in a later one


class ChangeReason(StrEnum):
    """Why a change is asked."""

    DEMAND = "demand"
    PRODUCTION = "production"
    MATERIAL = "material"
    CAPACITY = "capacity"
    TRANSPORT = "transport"
    QUALITY = "quality"
    STOCK = "stock"
    HOLIDAY = "holiday"
    OTHER = "other"


class Way(StrEnum):
    """Why a change needs nobody's word, or whose."""

    INSIDE = "inside"  # of the buyer, outside the firm zone and inside the band: applied at once
    FIRM = "firm"  # a delivery in the firm zone is touched
    BAND = "band"  # a period's total leaves its band
    SELLER = "seller"  # what the seller asks needs the buyer
    TERMS = "terms"  # a place or a price is for both to agree
    CARRY = "carry"  # so is what counts in which period


class ErpState(StrEnum):
    """How far an applied change has come in the factory's ERP."""

    NOT_SENT = "not_sent"
    SENT = "sent"
    ECHOED = "echoed"  # the ERP shows it


class ChangeRequest(SharedRow, table=True):
    """One wish of one company about deliveries of one contract. Its newest offer is the only live one."""

    __tablename__ = "change_request"
    __table_args__ = (
        parent(),
        unique("number"),
        child_of("contract", "contract_id"),
        index("change_request", "contract_id", "id"),
        Index(
            "ix_change_request_waiting",
            "tenant_id",
            "respond_by",
            postgresql_where=text("status in ('submitted', 'in_review', 'countered')"),
        ),
        Index(
            "ix_change_request_not_in_erp",
            "tenant_id",
            "applied_at",
            "id",
            postgresql_where=text("status = 'applied' and erp_state <> 'echoed'"),
        ),
    )

    partner_sees = "submitted_at is not null or asked_scope = 'partner'"  # the factory's drafts are its own

    contract_id: UUID
    number: str | None = Field(default=None, max_length=60)  # C-<count>, given when it is sent
    status: ChangeStatus = Field(default=ChangeStatus.DRAFT, sa_type=text_enum(ChangeStatus))
    way: Way = Field(sa_type=text_enum(Way))  # of the live offer
    asked_scope: Scope = Field(sa_type=text_enum(Scope, "asked_scope"))
    asked_by: UUID | None = None  # member or key
    asked_name: str = Field(default="", max_length=120)
    reason: ChangeReason = Field(sa_type=text_enum(ChangeReason))
    note: str = Field(default="", max_length=500)
    offer_no: int = 1  # of the live offer
    offered_scope: Scope = Field(sa_type=text_enum(Scope, "offered_scope"))  # of the live offer; the other answers
    offer_note: str = Field(default="", max_length=500)
    by_line: bool = False  # whether its parts may be agreed one by one
    created_at: datetime
    submitted_at: datetime | None = None
    respond_by: datetime | None = None
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    decided_name: str = Field(default="", max_length=120)
    decided_scope: str = Field(default="", max_length=8)  # none: by rule
    decline_reason: str = Field(default="", max_length=500)
    applied_at: datetime | None = None
    release_no: int | None = None  # the release that told it
    failure: dict[str, Any] = document()  # why it could not be applied: code and data of the refusal
    erp_state: ErpState = Field(default=ErpState.NOT_SENT, sa_type=text_enum(ErpState))
    erp_at: datetime | None = None
    erp_reference: str = Field(default="", max_length=60, sa_column_kwargs={"server_default": ""})  # its own number
    version: int = 1


TOLD = "exists (select from change_request c where c.tenant_id = {0}.tenant_id and c.id = {0}.change_id)"


class ChangePart(SharedRow, table=True):
    """What one offer wants of one delivery: how it stood, and how it is to stand. Never changed, but for `agreed`."""

    __tablename__ = "change_part"
    __table_args__ = (
        unique("change_id", "offer_no", "part_no"),
        child_of("change_request", "change_id"),
        child_of("contract_line", "contract_line_id"),
        child_of("schedule_line", "line_id"),
        child_of("commitment_bucket", "bucket_id"),
        child_of("commitment_bucket", "to_bucket_id"),
        CheckConstraint("(line_id is null) = (kind in ('add', 'carry_over'))", name="addition_has_no_line"),
        CheckConstraint("num_nulls(bucket_id, to_bucket_id, carried) in (0, 3)", name="carried_between_two"),
        CheckConstraint("(bucket_id is null) = (kind <> 'carry_over')", name="only_a_carry_over_has_periods"),
        index("change_part", "line_id"),
    )

    partner_sees = TOLD.format("change_part")

    change_id: UUID
    offer_no: int
    part_no: int
    kind: PartKind = Field(sa_type=text_enum(PartKind))
    contract_line_id: UUID
    line_id: UUID | None = None  # none: a delivery to be added
    base_version: int = 0  # of the delivery, as the asker saw it
    unit: str = Field(max_length=3)
    before_quantity: Decimal | None = numeric(default=None)
    before_date: date | None = None
    before_place: str = Field(default="", max_length=40)
    before_price: Decimal | None = numeric(default=None)
    pieces: dict[str, Any] = document()  # {"of": [{"quantity", "due_date"}]}; none: the delivery falls away
    place: str = Field(default="", max_length=40)
    price: Decimal | None = numeric(default=None)
    agreed: bool | None = None  # none: not decided
    paused_from: date | None = None  # of a delivery inside a pause: the pause's first and last day
    paused_until: date | None = None
    bucket_id: UUID | None = None  # of a carry-over: the period that has ended
    to_bucket_id: UUID | None = None  # and the one in which it counts
    carried: Decimal | None = numeric(default=None)  # a shortfall, or negative an excess; before_quantity: all of it


class ChangeFile(SharedRow, table=True):
    """A file on a change request. The bytes lie in the file store under their digest."""

    __tablename__ = "change_file"
    __table_args__ = (child_of("change_request", "change_id"), index("change_file", "change_id"))

    partner_sees = TOLD.format("change_file")

    change_id: UUID
    name: str = Field(max_length=160)
    digest: str = Field(max_length=64)
    content_type: str = Field(max_length=80)
    size: int
    added_scope: Scope = Field(sa_type=text_enum(Scope))
    added_by: str = Field(default="", max_length=120)
    added_at: datetime


class ChangeTerms(SharedRow, table=True):
    """How changes of one contract are agreed. Without a row: whole, within the contract's own hours for an answer."""

    __tablename__ = "change_terms"
    __table_args__ = (
        unique("contract_id"),
        child_of("contract", "contract_id"),
        CheckConstraint("answer_hours between 1 and 400", name="answer_hours_sensible"),
    )

    contract_id: UUID
    by_line: bool = False
    answer_hours: int | None = None  # working hours; none: those of the contract
