"""What others may react to when somebody takes over from a colleague."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class DutyTaken(Event):
    """A colleague of the seller answers a release in place of those who were asked."""

    release_id: UUID
    contract_id: UUID
