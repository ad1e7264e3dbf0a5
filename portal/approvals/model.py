"""Rule sets and the cases they decide. All of it is the factory's own: a partner sees an upper document "in review"."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from portal.core.access import Role
from portal.core.actor import Scope
from portal.core.tables import PrivateRow, document, index, numeric, private_ref, text_enum


class ApprovalPoint(StrEnum):
    """Where the factory can ask for a second look. The list is fixed; each point has its own facts."""

    CHANGE = "change"  # a change request, by either company
    CONTRACT = "contract_above_limit"  # a contract or an amendment, before the partner is shown it
    PRICE = "price_change"  # an amendment that changes a price
    COMMIT = "forecast_commit"  # quantities promised against a forecast
    STATEMENT = "statement"  # a statement before it is signed


class RuleSetStatus(StrEnum):
    DRAFT = "draft"
    LIVE = "live"  # from its moment on; of those begun, the newest is in force


class CaseStatus(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # the same thing was asked again, as it is now


class StepStatus(StrEnum):
    LATER = "later"  # the step before it is not approved yet
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    DROPPED = "dropped"  # the case ended without it


class Escalation(StrEnum):
    """How far an unanswered step has gone."""

    ASKED = "asked"
    REMINDED = "reminded"
    DEPUTIES = "deputies"  # the deputies of those who were asked may decide
    ADMINS = "admins"  # so may every administrator


class RuleSet(PrivateRow, table=True):
    """One version of the rules of one point. A live one is never changed; the newest begun is in force."""

    __tablename__ = "rule_set"
    __table_args__ = (
        UniqueConstraint("tenant_id", "point", "number"),
        CheckConstraint("(status = 'live') = (live_from is not null)", name="live_from_a_moment"),
        Index("uq_rule_set_draft", "tenant_id", "point", unique=True, postgresql_where=text("status = 'draft'")),
    )

    point: ApprovalPoint = Field(sa_type=text_enum(ApprovalPoint))
    number: int  # counts per point
    status: RuleSetStatus = Field(default=RuleSetStatus.DRAFT, sa_type=text_enum(RuleSetStatus))
    content: dict[str, Any] = document()  # `inputs.Rules` as plain values
    live_from: datetime | None = None
    note: str = Field(default="", max_length=300)
    changed_by: str = Field(default="", max_length=120)
    changed_at: datetime
    version: int = 1  # of the draft


class ApprovalCase(PrivateRow, table=True):
    """One thing that was asked about, with the facts as they were: what the rules said, who decided."""

    __tablename__ = "approval_case"
    __table_args__ = (
        private_ref("rule_set", "rule_set_id"),
        index("approval_case", "subject_id"),
        index("approval_case", "point", "requested_at"),
        Index("ix_approval_case_waiting", "tenant_id", "id", postgresql_where=text("status = 'waiting'")),
    )

    point: ApprovalPoint = Field(sa_type=text_enum(ApprovalPoint))
    subject: str = Field(max_length=24)  # table of the document asked about
    subject_id: UUID
    subject_version: int
    contract_id: UUID | None = None  # for colleagues who may see some contracts only
    label: str = Field(default="", max_length=200)  # how people know the document: its number
    facts: dict[str, Any] = document()  # as the rules read them; decimals as text
    currency: str = Field(default="", max_length=3)  # of the money among the facts
    data: dict[str, Any] = document()  # what the asker needs to go on after the decision
    status: CaseStatus = Field(default=CaseStatus.WAITING, sa_type=text_enum(CaseStatus))
    rule_set_id: UUID | None = None  # none: what holds without rules
    rule_no: int = 0  # of the rule that fitted; 0: none did
    rule: dict[str, Any] = document()  # `inputs.Rule` as it was
    requested_by: UUID | None = None  # the person; none: a partner or the system
    requested_name: str = Field(default="", max_length=120)
    requested_scope: Scope = Field(sa_type=text_enum(Scope))
    requested_at: datetime
    decided_at: datetime | None = None
    version: int = 1


class ApprovalStep(PrivateRow, table=True):
    """One person's word on a case, asked of a role."""

    __tablename__ = "approval_step"
    __table_args__ = (
        UniqueConstraint("tenant_id", "case_id", "step_no"),
        private_ref("approval_case", "case_id"),
        Index("ix_approval_step_open", "tenant_id", "respond_by", postgresql_where=text("status = 'open'")),
    )

    case_id: UUID
    step_no: int
    role: Role = Field(sa_type=text_enum(Role))
    limit_value: Decimal | None = numeric(default=None)  # in the case's currency; up to it this word is the last
    status: StepStatus = Field(default=StepStatus.LATER, sa_type=text_enum(StepStatus))
    answer_hours: int | None = None  # working hours; none: no deadline
    respond_by: datetime | None = None
    escalation: Escalation = Field(default=Escalation.ASKED, sa_type=text_enum(Escalation))
    decided_by: UUID | None = None
    decided_name: str = Field(default="", max_length=120)
    decided_via: str = Field(default="", max_length=8)
    deputy_of: str = Field(default="", max_length=120)  # in whose place
    decided_at: datetime | None = None
    note: str = Field(default="", max_length=500)
