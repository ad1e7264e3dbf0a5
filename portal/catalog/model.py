"""Items, and the names partners have for them. Partners never read these tables: a contract line carries the copy."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from portal.core.tables import (
    PrivateRow,
    SharedRow,
    of_party,
    private_ref,
    unique,
)


class Item(PrivateRow, table=True):
    """What is delivered, at one revision."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("tenant_id", "code"),)

    code: str = Field(max_length=60)
    description: str = Field(max_length=300)
    revision: str = Field(default="", max_length=20)
    unit: str = Field(max_length=3)  # UN/ECE Recommendation 20 or 21 code
    category: str = Field(default="", max_length=80)
    source: str | None = Field(default=None, max_length=20)  # the system it was imported from
    version: int = 1


class PartyItem(SharedRow, table=True):
    """A partner's own part number for an item."""

    __tablename__ = "party_item"
    __table_args__ = (unique("item_id", "part_no"), of_party(), private_ref("item", "item_id"))

    item_id: UUID
    part_no: str = Field(max_length=60)
