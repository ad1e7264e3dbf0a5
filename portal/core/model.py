"""The tables every domain writes to: what happened, who is told, what was proven, what was already done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, text
from sqlmodel import Field

from portal.core.tables import (
    OwnRow,
    Policy,
    PrivateRow,
    Row,
    SharedRow,
    document,
    index,
    unique,
)


def _now() -> Any:
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("now()")))


def _transaction() -> Any:
    """The number of the writing transaction: business row, audit row and outbox row of one command carry the same."""
    default = text("(pg_current_xact_id()::text)::bigint")
    return Field(default=None, sa_column=Column(BigInteger, nullable=False, server_default=default))


class Timeline(Row, table=True):
    """The history of a shared document, seen by both sides. Inserted and read, never changed."""

    __tablename__ = "timeline"
    __table_args__ = (
        index("timeline", "subject_id", "id"),
        index("timeline", "party_id", "id"),
    )
    policy = Policy.TIMELINE

    party_id: UUID
    subject: str = Field(max_length=24)  # table of the document
    subject_id: UUID
    contract_id: UUID | None = None  # for those who may see some contracts only
    verb: str = Field(max_length=40)  # what was done, in the past participle
    version: int  # of the subject after it
    member_id: UUID | None = None
    member_name: str = Field(default="", max_length=120)
    scope: str = Field(max_length=8)
    channel: str = Field(max_length=8)
    data: dict[str, Any] = document()
    at: datetime | None = _now()
    transaction: int | None = _transaction()


class Outbox(Row, table=True):
    """An event to be told after the commit. Holds ids, never data."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "tenant_id", "id", postgresql_where=text("taken_at is null")),)
    policy = Policy.OUTBOX

    party_id: UUID
    name: str = Field(max_length=60)
    data: dict[str, Any] = document()
    member_id: UUID | None = None
    created_at: datetime | None = _now()
    taken_at: datetime | None = None
    transaction: int | None = _transaction()


class Delivery(PrivateRow, table=True):
    """One subscriber's share of one event, with its own tries."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("uq_delivery_event", "tenant_id", "outbox_id", "subscriber", unique=True),
        Index("ix_delivery_waiting", "tenant_id", "next_try", postgresql_where=text("done_at is null")),
    )

    outbox_id: UUID
    subscriber: str = Field(max_length=60)
    tries: int = 0
    next_try: datetime | None = None  # none: given up, a dead letter
    done_at: datetime | None = None
    last_error: str = Field(default="", max_length=500)


class Audit(Row, table=True):
    """Who did what, appended unhashed and sealed into the tenant's chain within seconds. Never changed."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_unsealed", "tenant_id", "id", postgresql_where=text("seal is null")),
        Index("ix_audit_sealed", "tenant_id", "seal_no", postgresql_where=text("seal_no is not null")),
        index("audit", "subject_id"),
    )
    policy = Policy.AUDIT

    party_id: UUID
    member_id: UUID | None = None
    action: str = Field(max_length=60)
    subject_id: UUID
    data: dict[str, Any] = document()
    at: datetime | None = _now()
    transaction: int | None = _transaction()
    seal_no: int | None = Field(default=None, sa_type=BigInteger)
    seal: bytes | None = Field(default=None, sa_type=LargeBinary)


class Idempotency(OwnRow, table=True):
    """The answer once given to a key, claimed in the transaction of the work it guards."""

    __tablename__ = "idempotency"
    __table_args__ = (unique("key"), Index("ix_idempotency_created_at", "tenant_id", "created_at"))

    key: str = Field(max_length=120)
    request_hash: str = Field(max_length=64)  # sha256 of method, path and body
    status: int = 0
    headers: dict[str, Any] = document()
    body: str = ""
    created_at: datetime | None = _now()


class DocumentNumber(SharedRow, table=True):
    """The last number given out per company and kind of document, so that gaps tell nobody another's volume."""

    __tablename__ = "document_number"
    __table_args__ = (unique("kind"),)

    kind: str = Field(max_length=24)
    last: int


class ImportRun(PrivateRow, table=True):
    """One file brought in: preview, progress, result. The bytes lie in the file store under their digest."""

    __tablename__ = "import_run"
    __table_args__ = (index("import_run", "created_at", "id"),)

    kind: str = Field(max_length=24)
    filename: str = Field(max_length=200)
    digest: str = Field(max_length=64)
    status: str = Field(default="waiting", max_length=12)  # waiting, reading, previewed, applying, applied, refused
    rows: int = 0
    done: int = 0  # rows handled so far, for the progress bar
    result: dict[str, Any] = document()
    created_by: UUID | None = None
    created_at: datetime | None = _now()
    finished_at: datetime | None = None
