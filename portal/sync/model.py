"""What the sync domain keeps: how a factory's own spreadsheets are read, and workbooks that either company sends."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from portal.core.tables import OwnRow, PrivateRow, document, index, text_enum


class ImportMapping(PrivateRow, table=True):
    """A mapping with a name: which heading holds what, and how days and numbers are written."""

    __tablename__ = "import_mapping"
    __table_args__ = (UniqueConstraint("tenant_id", "target", "name"),)

    target: str = Field(max_length=24)
    name: str = Field(max_length=60)
    headings: dict[str, Any] = document()  # field -> heading
    options: dict[str, Any] = document()
    version: int = 1


class BookKind(StrEnum):
    """What a workbook that came back is about."""

    ANSWERS = "answers"  # to deliveries that wait for the seller
    COMMITS = "commits"  # to a forecast


class BookStatus(StrEnum):
    PREVIEWED = "previewed"
    APPLIED = "applied"


class SheetRun(OwnRow, table=True):
    """One workbook that a company sent back: what it would do, then what it did. The bytes lie in the file store."""

    __tablename__ = "sheet_run"
    __table_args__ = (index("sheet_run", "party_id", "id"),)

    kind: BookKind = Field(sa_type=text_enum(BookKind))
    filename: str = Field(max_length=200)
    digest: str = Field(max_length=64)
    status: BookStatus = Field(default=BookStatus.PREVIEWED, sa_type=text_enum(BookStatus))
    rows: int = 0
    done: int = 0  # changes that were made
    result: dict[str, Any] = document()
    created_by: UUID | None = None
    created_at: datetime
    finished_at: datetime | None = None
