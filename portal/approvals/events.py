"""What others may react to when something waits for an approval or was decided."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ApprovalAsked(Event):
    """A step of the case is open now and waits for its approvers."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class ApprovalDecided(Event):
    """The last step was decided; the thing it was about went on, or was stopped."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class ApprovalOverdue(Event):
    """Nobody decided in time; reminded, or passed to deputies or administrators."""

    case_id: UUID


@dataclass(frozen=True, slots=True)
class ApprovalEnded(Event):
    """The case ended without a decision: withdrawn, or replaced by a newer one."""

    case_id: UUID
