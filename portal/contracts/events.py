"""What contracts tell after the commit."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ContractProposed(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractAccepted(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractDeclined(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractWithdrawn(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractActivated(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractCompleted(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractCountered(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class CommitmentsChanged(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractSuspended(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractResumed(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractTerminated(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractExpired(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractEndingSoon(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractUnderused(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentProposed(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentCountered(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentAccepted(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentDeclined(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentWithdrawn(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentApplied(Event):
    contract_id: UUID
    revision_id: UUID | None = None  # events of before versions were named have none


@dataclass(frozen=True, slots=True)
class ContractFileAdded(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OverCallAllowed(Event):
    contract_id: UUID
    bucket_id: UUID


@dataclass(frozen=True, slots=True)
class PeriodClosed(Event):
    contract_id: UUID
    bucket_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningProposed(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningConfirmed(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningDeclined(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningWithdrawn(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class InvoiceReported(Event):
    contract_id: UUID
    invoice_id: UUID


@dataclass(frozen=True, slots=True)
class InvoiceReversed(Event):
    contract_id: UUID
    invoice_id: UUID
