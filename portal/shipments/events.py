"""What others may react to when goods move."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class ShipmentSent(Event):
    """A delivery note was posted: the goods are on their way."""

    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ShipmentChanged(Event):
    """Its carrier, truck, note or expected day is another one; quantities never change."""

    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ShipmentWithdrawn(Event):
    """The seller took back a delivery note before anything of it was received."""

    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ReceiptPosted(Event):
    """The buyer counted a delivery; accepted and rejected quantities are booked."""

    receipt_id: UUID
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class ReceiptCorrected(Event):
    """A receipt was replaced by a corrected one; the former counts no more."""

    receipt_id: UUID  # the one in force now
    former_id: UUID
    shipment_id: UUID


@dataclass(frozen=True, slots=True)
class CumulativeProposed(Event):
    """One company put a correction or a reset of cumulative quantities before the other."""

    contract_id: UUID
    entry_id: UUID


@dataclass(frozen=True, slots=True)
class CumulativeAnswered(Event):
    """The proposed correction or reset was agreed, refused or taken back."""

    contract_id: UUID
    entry_id: UUID
