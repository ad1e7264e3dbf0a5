"""What others may react to when somebody takes over from a colleague."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class DutyTaken(Event):
    """Somebody took the duty to answer for a release, in the chat of the company."""

    release_id: UUID
    contract_id: UUID
