"""Fields that the factory defines itself, and what they hold for an item, a partner, a contract or one of its lines.
Its own: partners never read either table."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from portal.core.tables import PrivateRow, document, text_enum


class Holder(StrEnum):
    """What a field belongs to."""

    ITEM = "item"
    PARTNER = "partner"
    CONTRACT = "contract"
    LINE = "line"  # of a contract


class FieldKind(StrEnum):
    """What a field holds. It is chosen once, because rules and values rest on it."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"


class CustomField(PrivateRow, table=True):
    """One field. A removed one stays, so that what was decided by it can still be read."""

    __tablename__ = "custom_field"
    __table_args__ = (UniqueConstraint("tenant_id", "holder", "key"),)

    holder: Holder = Field(sa_type=text_enum(Holder))
    key: str = Field(max_length=20)  # as files and interfaces name it
    label_zh: str = Field(max_length=60)
    label_en: str = Field(max_length=60)
    kind: FieldKind = Field(sa_type=text_enum(FieldKind))
    unit: str = Field(default="", max_length=20)  # of a number, as people write it
    details: dict[str, Any] = document()  # of a choice: {"choices": [{"key", "zh", "en"}]} in their order
    removed_at: datetime | None = None
    version: int = 1


class CustomValues(PrivateRow, table=True):
    """What the fields of one document hold: key -> text. A field without a value is left out."""

    __tablename__ = "custom_values"
    __table_args__ = (UniqueConstraint("tenant_id", "holder", "holder_id"),)

    holder: Holder = Field(sa_type=text_enum(Holder))
    holder_id: UUID
    content: dict[str, Any] = document()
    version: int = 1
