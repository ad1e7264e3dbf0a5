"""The custom fields of an item belong to whoever keeps the catalogue."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.catalog.service import get_item, subject
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.journal import Subject
from portal.fields.holders import holds
from portal.fields.model import Holder


@holds(Holder.ITEM, Permission.MANAGE_MASTER_DATA)
async def item(session: AsyncSession, actor: Actor, holder_id: UUID) -> tuple[Subject, str]:
    found = await get_item(session, actor, holder_id)
    return subject(found, actor), found.code
