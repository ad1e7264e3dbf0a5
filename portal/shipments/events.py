"""What others may react to when goods move."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ShipmentSent(Event):
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ShipmentChanged(Event):
    """Its carrier, truck, note or expected day is another one; quantities never change."""

    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ShipmentWithdrawn(Event):
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ReceiptPosted(Event):
    receipt_id: UUID
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ReceiptCorrected(Event):
    receipt_id: UUID  # the one in force now
    former_id: UUID
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class CumulativeProposed(Event):
    contract_id: UUID
    entry_id: UUID


@dataclass(frozen=True, slots=True)
class CumulativeAnswered(Event):
    contract_id: UUID
    entry_id: UUID
