"""What the sync domain keeps of its own: how a factory's own spreadsheets are read."""

from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from portal.core.tables import PrivateRow, document


class ImportMapping(PrivateRow, table=True):
    """A mapping with a name: which heading holds what, and how days and numbers are written."""

    __tablename__ = "import_mapping"
    __table_args__ = (UniqueConstraint("tenant_id", "target", "name"),)

    target: str = Field(max_length=24)
    name: str = Field(max_length=60)
    headings: dict[str, Any] = document()  # field -> heading
    options: dict[str, Any] = document()
    version: int = 1
