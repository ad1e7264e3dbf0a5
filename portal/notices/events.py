"""What others may react to when somebody takes over from a colleague."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class DutyTaken(Event):
    release_id: UUID
    contract_id: UUID
