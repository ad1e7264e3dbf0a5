"""What others may react to when schedules move."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ReleasePublished(Event):
    contract_id: UUID
    release_id: UUID


@dataclass(frozen=True, slots=True)
class LineConfirmed(Event):
    line_id: UUID
    command_id: UUID  # the splits of one answer share it


@dataclass(frozen=True, slots=True)
class LineRejected(Event):
    line_id: UUID


@dataclass(frozen=True, slots=True)
class LineCancelled(Event):
    line_id: UUID


@dataclass(frozen=True, slots=True)
class LineAskedAgain(Event):
    line_id: UUID


@dataclass(frozen=True, slots=True)
class SupplyNoted(Event):
    line_id: UUID


@dataclass(frozen=True, slots=True)
class LineReported(Event):
    line_id: UUID
    report_id: UUID


@dataclass(frozen=True, slots=True)
class ReportClosed(Event):
    line_id: UUID
    report_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseHeld(Event):
    contract_id: UUID
    prepared_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseAcknowledged(Event):
    contract_id: UUID
    release_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseRejected(Event):
    contract_id: UUID
    release_id: UUID
