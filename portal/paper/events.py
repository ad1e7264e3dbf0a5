"""What happens to documents that others react to."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class SealRequested(Event):
    """Somebody wants the sealed document of an accepted contract."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class DocumentSealed(Event):
    """The sealed document of an accepted contract is there."""

    contract_id: UUID
