"""Documents that are made once and kept: an accepted contract gets its sealed PDF in every language."""

from jobs.subscribers import Occurrence
from portal.contracts.events import AmendmentApplied, ContractAccepted
from portal.core.actor import Actor
from portal.paper.events import SealRequested
from portal.paper.service import seal_contract


async def seal(actor: Actor, occurrence: Occurrence) -> None:
    """Make the sealed documents of the contract that the event names."""
    assert isinstance(occurrence.event, AmendmentApplied | ContractAccepted | SealRequested)
    await seal_contract(actor, occurrence.event.contract_id)
