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
class CommitmentsChanged(Event):
    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OverCallAllowed(Event):
    contract_id: UUID
    bucket_id: UUID


@dataclass(frozen=True, slots=True)
class PeriodClosed(Event):
    contract_id: UUID
    bucket_id: UUID
