"""What the catalogue tells after the commit."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ItemCreated(Event):
    """A part was added by hand or over the interface; an import tells nothing part by part."""

    item_id: UUID


@dataclass(frozen=True, slots=True)
class ItemChanged(Event):
    """Something about a part was changed: name, unit, revision, either number."""

    item_id: UUID
