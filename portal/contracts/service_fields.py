"""The custom fields of a contract belong to whoever edits it; the partner's history says nothing of them."""

from dataclasses import replace
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract, subject
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.journal import Subject
from portal.fields.holders import holds
from portal.fields.model import Holder


@holds(Holder.CONTRACT, Permission.EDIT_CONTRACTS)
async def contract(session: AsyncSession, actor: Actor, holder_id: UUID) -> tuple[Subject, str]:
    found = await get_contract(session, actor, holder_id)
    return replace(subject(found), shared=False), found.number
