"""What others may react to when schedules move."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ReleasePublished(Event):
    """A numbered release of a contract's schedule is out; both companies see it now."""

    contract_id: UUID
    release_id: UUID


@dataclass(frozen=True, slots=True)
class LineConfirmed(Event):
    """The seller confirmed a line, wholly or in part; told once for each line of an answer."""

    line_id: UUID
    command_id: UUID  # the splits of one answer share it


@dataclass(frozen=True, slots=True)
class LineRejected(Event):
    """The seller rejected a line with a reason."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class LineCancelled(Event):
    """The buyer took a line back; its quantity returns to the period."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class LineAskedAgain(Event):
    """The buyer asks a rejected line again, with a new time to answer."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class SupplyNoted(Event):
    """The seller noted the state of the material for a line: secured, at risk or unknown."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class LineReported(Event):
    """The seller reported a delay, a shortage or the like; the line is at risk."""

    line_id: UUID
    report_id: UUID


@dataclass(frozen=True, slots=True)
class ReportClosed(Event):
    """A report is over: closed by hand, or because the line was settled."""

    line_id: UUID
    report_id: UUID


@dataclass(frozen=True, slots=True)
class DeviationOffered(Event):
    """The seller's answer differs from what was asked; the buyer decides."""

    line_id: UUID
    command_id: UUID  # the answer that waits for the buyer


@dataclass(frozen=True, slots=True)
class DeviationAccepted(Event):
    """The buyer accepted the differing answer; it counts as the confirmation."""

    line_id: UUID
    command_id: UUID


@dataclass(frozen=True, slots=True)
class DeviationDeclined(Event):
    """The buyer declined the differing answer; the line waits for another."""

    line_id: UUID
    command_id: UUID


@dataclass(frozen=True, slots=True)
class AnswerLapsed(Event):
    """Nobody answered in time; what the contract agreed for that has been done."""

    line_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseHeld(Event):
    """A prepared release calls off what the checks do not let pass; it waits for an approval."""

    contract_id: UUID
    prepared_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseAcknowledged(Event):
    """The partner has read the release and works by it."""

    contract_id: UUID
    release_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseRejected(Event):
    """The partner rejected the whole release with a reason, before it answered any line."""

    contract_id: UUID
    release_id: UUID
