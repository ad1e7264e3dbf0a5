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
    """The company that was asked answers with other quantities or days."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeAccepted(Event):
    """Agreed, by the other company or by rule; applied in the same transaction or in a moment."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeDeclined(Event):
    """Refused with a reason; the schedule stays as it is."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeWithdrawn(Event):
    """Taken back by the company that had asked."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeExpired(Event):
    """Nobody answered in time; the schedule stays as it is."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeApplied(Event):
    """What was agreed stands in the schedule, with the release that carries it."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeFailed(Event):
    """What was agreed no longer fits the schedule as it is now; somebody must decide."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeCommented(Event):
    """One company wrote a remark that both can read."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class ChangeEchoed(Event):
    """The factory noted whether its own system took the change over."""

    change_id: UUID
