"""What the factory alone knows about a contract."""

from uuid import UUID

from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.inputs import WriteNote
from portal.contracts.model import ContractNote
from portal.contracts.service import get_contract, get_note, subject
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.journal import record


async def write_note(session: AsyncSession, actor: Actor, contract_id: UUID, data: WriteNote) -> ContractNote:
    """Write the private note anew, whatever the contract's state. Audited; the partner's history says nothing."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id)
    note = await get_note(session, actor, contract_id)
    if note is None:
        note = ContractNote(tenant_id=actor.tenant_id, contract_id=contract_id)
        session.add(note)
    note.reference, note.note = data.reference, data.note
    record(session, actor, replace(subject(contract), shared=False), "note_written")
    return note
