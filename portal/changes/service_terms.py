"""How changes of a contract are agreed."""

from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes.impact import get_head
from portal.changes.inputs import SetTerms
from portal.changes.model import ChangeTerms
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.journal import Subject, record


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
