"""What contracts tell after the commit."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ContractProposed(Event):
    """The factory put its draft before the partner, who is asked to answer."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractAccepted(Event):
    """The offer that waited was accepted; what was agreed has a digest now, and is sealed in a moment."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractDeclined(Event):
    """The offer was refused with a reason; the contract is a draft again."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractWithdrawn(Event):
    """An offer was taken back by the company that had made it."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractActivated(Event):
    """The contract is in force: its periods are open, and deliveries may be called off."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractCompleted(Event):
    """The factory closed the contract as fulfilled."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractCountered(Event):
    """A changed offer answers the one that waited."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class CommitmentsChanged(Event):
    """The use of the periods, or the periods of a line, were written anew."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractSuspended(Event):
    """Nothing is called off until the same company resumes."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractResumed(Event):
    """The suspension is over."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractTerminated(Event):
    """The contract ends on the day that was named, which may be ahead; it has a reason."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractExpired(Event):
    """The last day of its validity is over."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractEndingSoon(Event):
    """Its end is within the days of notice; told once for each last day."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class ContractUnderused(Event):
    """Too little is called off to reach a target or the floor of a period; told once in 30 days."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentProposed(Event):
    """A new version of a contract in force was put before the other company."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentCountered(Event):
    """A changed version answers the one that waited."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentAccepted(Event):
    """The new version was agreed; it takes effect on its day."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentDeclined(Event):
    """The new version was refused with a reason; the one in force stays."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentWithdrawn(Event):
    """The new version was taken back by the company that had offered it."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class AmendmentApplied(Event):
    """The agreed version is in force from now on."""

    contract_id: UUID
    revision_id: UUID | None = None  # events of before versions were named have none


@dataclass(frozen=True, slots=True)
class ContractFileAdded(Event):
    """A file that both companies may read lies on the contract."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OverCallAllowed(Event):
    """Somebody let more be called off from a period than its ceiling, with a reason."""

    contract_id: UUID
    bucket_id: UUID


@dataclass(frozen=True, slots=True)
class PeriodClosed(Event):
    """A period ended; what it carried on and its consequence are in the ledger."""

    contract_id: UUID
    bucket_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningProposed(Event):
    """Figures of before the portal were put before the partner."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningConfirmed(Event):
    """The partner confirmed the figures; they are entries of the ledger."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningDeclined(Event):
    """The partner refused the figures with a reason."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class OpeningWithdrawn(Event):
    """The factory took the figures back before they were answered."""

    contract_id: UUID


@dataclass(frozen=True, slots=True)
class InvoiceReported(Event):
    """An invoiced quantity is an entry of its period."""

    contract_id: UUID
    invoice_id: UUID


@dataclass(frozen=True, slots=True)
class InvoiceReversed(Event):
    """An invoice was taken back by a credit."""

    contract_id: UUID
    invoice_id: UUID
