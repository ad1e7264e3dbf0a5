"""What the catalogue tells after the commit."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ItemCreated(Event):
    item_id: UUID


@dataclass(frozen=True, slots=True)
class ItemChanged(Event):
    item_id: UUID
