"""What holds in the whole workspace. The factory's administrators decide it."""

from enum import StrEnum

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Tenant
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Forbidden
from portal.core.journal import Subject, record


async def decide(session: AsyncSession, actor: Actor, **choices: StrEnum | int) -> Tenant:
    """Write choices into the tenant's columns of the same names, and into the audit. Raises Forbidden."""
    if not actor.is_factory:
        raise Forbidden
    actor.require(Permission.MANAGE_PEOPLE)
    query = select(Tenant).where(Tenant.tenant_id == actor.tenant_id).with_for_update()
    tenant = (await session.exec(query)).one()
    for name, choice in choices.items():
        setattr(tenant, name, choice)
    session.add(tenant)
    subject = Subject("tenant", actor.tenant_id, actor.party_id, shared=False)
    record(session, actor, subject, "edited", **choices)
    return tenant
