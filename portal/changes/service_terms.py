"""How changes of a contract are agreed, and how far an applied one has come in the factory's ERP."""

from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes.events import ChangeEchoed
from portal.changes.impact import get_head
from portal.changes.inputs import NoteErp, SetTerms
from portal.changes.model import ChangeRequest, ChangeStatus, ChangeTerms
from portal.changes.service import get_change, told
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.journal import Subject, record
from portal.core.states import WrongState


async def set_terms(session: AsyncSession, actor: Actor, contract_id: UUID, data: SetTerms) -> ChangeTerms:
    """Say how changes of a contract are agreed; for requests that are written from now on."""
    actor.require(Permission.EDIT_CONTRACTS)
    head = await get_head(await db.driver(session), actor, contract_id)
    query = select(ChangeTerms).where(ChangeTerms.tenant_id == actor.tenant_id, ChangeTerms.contract_id == head.id)
    terms = (await session.exec(query)).one_or_none()
    terms = terms or ChangeTerms(tenant_id=actor.tenant_id, party_id=head.party_id, contract_id=head.id)
    terms.sqlmodel_update(data.model_dump())
    session.add(terms)
    where = Subject("change_terms", terms.id, head.party_id, 1, head.id)
    record(session, actor, where, "set", by_line=data.by_line, hours=data.answer_hours)
    return terms


async def note_erp(
    session: AsyncSession, actor: Actor, change_id: UUID, data: NoteErp, version: int | None = None
) -> ChangeRequest:
    """A connector says how far an applied change has come in the factory's ERP."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    change = await get_change(session, actor, change_id, lock=True, version=version)
    if change.status is not ChangeStatus.APPLIED:
        raise WrongState(action="note_erp", status=change.status)
    change.erp_state, change.erp_at = data.state, clock.now()
    told(session, actor, change, "erp_noted", ChangeEchoed(change.id), state=data.state.value)
    return change
