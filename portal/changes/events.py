"""What others may react to when a change is asked, answered or applied."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ChangeAsked(Event):
    """Sent to the other company; also after a re-base."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeCountered(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeAccepted(Event):
    """Agreed, by the other company or by rule; applied in the same transaction or in a moment."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeDeclined(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeWithdrawn(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeExpired(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeApplied(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeFailed(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeCommented(Event):
    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeEchoed(Event):
    change_id: UUID
