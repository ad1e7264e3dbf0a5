"""Around releases: how a contract's releases are made, what is prepared and not yet told, how a told one stands."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlmodel import Field

from portal.core.tables import (
    PrivateRow,
    SharedRow,
    child_of,
    document,
    index,
    numeric,
    percentage,
    private_ref,
    text_enum,
    unique,
)
from portal.schedules.model import ReleaseKind, ReleaseStatus, Trigger


class PreparedStatus(StrEnum):
    """A release before the partner is told."""

    DRAFT = "draft"
    CHECKED = "checked"
    HELD = "held"  # outside the tolerance: an approver looks first
    APPROVED = "approved"
    PUBLISHED = "published"
    DISCARDED = "discarded"


class HoldBy(StrEnum):
    """How it is decided whether a release waits for an approver."""

    NONE = "none"
    CURVE = "curve"  # three tests on the cumulative curve
    TEMPLATE = "template"  # percentages by commitment level


class ReleasePlan(PrivateRow, table=True):
    """How the factory makes one contract's releases. Without a row: by hand, all by days, never held, and only what was
    told is firm."""

    __tablename__ = "release_plan"
    __table_args__ = (
        UniqueConstraint("tenant_id", "contract_id"),
        private_ref("contract", "contract_id"),
        CheckConstraint(
            "daily_days >= 0 and weekly_days >= daily_days and horizon_days >= weekly_days", name="spans_in_order"
        ),
        Index("ix_release_plan_running", "tenant_id", postgresql_where=text("trigger <> 'manual'")),
    )

    contract_id: UUID
    trigger: Trigger = Field(default=Trigger.MANUAL, sa_type=text_enum(Trigger, "plan_trigger"))
    every_days: int = 7
    weekdays: list[int] = Field(default=[], sa_type=ARRAY(SmallInteger))  # Monday is 0
    horizon_days: int = 182
    daily_days: int = 10  # working days
    weekly_days: int = 30  # calendar days from the release, as the horizon
    jit_days: int = 14  # the horizon of a JIT release
    only_transmitted: bool = True  # what was never told is not firm
    hold_by: HoldBy = Field(default=HoldBy.NONE, sa_type=text_enum(HoldBy))
    hold_quantity: Decimal | None = numeric(default=None)
    hold_percent: Decimal | None = percentage(default=None)
    hold_days: int | None = None
    quiet_percent: Decimal = percentage(default=Decimal(0))  # on change: a smaller difference is not worth a release
    answer_hours: int | None = None  # working hours in which the partner acknowledges a release; none: not asked
    last_run_on: date | None = None
    version: int = 1


class PreparedRelease(PrivateRow, table=True):
    """A release that was calculated. It is calculated again when it is published, and the digest compares."""

    __tablename__ = "prepared_release"
    __table_args__ = (
        private_ref("contract", "contract_id"),
        index("prepared_release", "contract_id"),
        Index("uq_prepared_release_waiting", "tenant_id", "contract_id", unique=True, postgresql_where=text("waiting")),
    )

    contract_id: UUID
    kind: ReleaseKind = Field(default=ReleaseKind.FORECAST, sa_type=text_enum(ReleaseKind))
    trigger: Trigger = Field(default=Trigger.MANUAL, sa_type=text_enum(Trigger))
    status: PreparedStatus = Field(default=PreparedStatus.DRAFT, sa_type=text_enum(PreparedStatus))
    waiting: bool = True  # at most one a contract
    note: str = Field(default="", max_length=300)
    digest: str = Field(max_length=64)  # of the lines: id, day, quantity
    verdict: dict[str, Any] = document()  # by contract line, what decided
    prepared_at: datetime
    prepared_by: UUID | None = None  # member; none: the calendar
    prepared_name: str = Field(default="", max_length=120)
    decided_at: datetime | None = None
    decided_name: str = Field(default="", max_length=120)
    release_id: UUID | None = None  # what it became
    version: int = 1


class ReleaseStanding(SharedRow, table=True):
    """How a published release stands with the partner. The release itself never changes; one without a row is
    published and no answer to it is asked."""

    __tablename__ = "release_standing"
    __table_args__ = (
        unique("release_id"),
        child_of("release", "release_id"),
        child_of("contract", "contract_id"),
        Index("ix_release_standing_waiting", "tenant_id", "answer_by", postgresql_where=text("answer_by is not null")),
    )

    release_id: UUID
    contract_id: UUID
    status: ReleaseStatus = Field(default=ReleaseStatus.PUBLISHED, sa_type=text_enum(ReleaseStatus))
    answer_by: datetime | None = None
    delivered_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: UUID | None = None  # member of the partner
    answered_name: str = Field(default="", max_length=120)
    reason: str = Field(default="", max_length=500)  # of a rejection
    version: int = 1


class ReleaseTerms(SharedRow, table=True):
    """What both sides agreed about cancelling: where the trade-off zone is split, what is owed at each stage, how far
    the firm zone may change. Without a row: not split, the full price, not at all."""

    __tablename__ = "release_terms"
    __table_args__ = (
        unique("contract_id"),
        child_of("contract", "contract_id"),
        CheckConstraint(
            "0 <= material_percent and material_percent <= in_work_percent and in_work_percent <= finished_percent"
            " and finished_percent <= 100",
            name="shares_in_order",
        ),
    )

    contract_id: UUID
    make_days: int | None = None  # from the release: up to here the seller makes, then it buys material only
    finished_percent: Decimal = percentage(default=Decimal(100))  # of the price
    in_work_percent: Decimal = percentage(default=Decimal(100))
    material_percent: Decimal = percentage(default=Decimal(100))
    zone_percent: Decimal = percentage(default=Decimal(0))  # a customer's release may change its firm zone by so much
    version: int = 1


class LinePlan(PrivateRow, table=True):
    """What the factory will ask for with the next release of a line that is published already; told to nobody yet."""

    __tablename__ = "line_plan"
    __table_args__ = (
        UniqueConstraint("tenant_id", "schedule_line_id"),
        private_ref("schedule_line", "schedule_line_id"),
        CheckConstraint("quantity >= 0", name="plan_positive"),
        index("line_plan", "contract_id"),
    )

    contract_id: UUID
    schedule_line_id: UUID
    quantity: Decimal = numeric()  # 0: it becomes part of another line of the same day
    due_date: date
    planned_by: str = Field(default="", max_length=120)
    planned_at: datetime
