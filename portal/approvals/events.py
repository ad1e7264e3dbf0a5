"""What others may react to when something waits for an approval or was decided."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ApprovalAsked(Event):
    case_id: UUID  # one of its steps is open now


@dataclass(frozen=True, slots=True)
class ApprovalDecided(Event):
    case_id: UUID


@dataclass(frozen=True, slots=True)
class ApprovalOverdue(Event):
    case_id: UUID  # reminded, or gone to deputies or administrators


@dataclass(frozen=True, slots=True)
class ApprovalEnded(Event):
    case_id: UUID  # withdrawn or replaced
