"""What the workspace asks of whoever accepts a contract or an amendment. The factory's administrators decide it."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Acceptance, Tenant
from portal.accounts.service_tenant import decide
from portal.core.actor import Actor
from portal.core.inputs import Input


class SetAcceptance(Input):
    """What is asked of whoever accepts."""

    acceptance: Acceptance


async def set_acceptance(session: AsyncSession, actor: Actor, data: SetAcceptance) -> Tenant:
    """Decide it, for both companies of every contract, from the next acceptance on."""
    return await decide(session, actor, acceptance=data.acceptance)


async def acceptance(session: AsyncSession, actor: Actor) -> Acceptance:
    """What is asked here."""
    query = select(col(Tenant.acceptance)).where(Tenant.tenant_id == actor.tenant_id)
    return Acceptance((await session.exec(query)).one())


async def asks_for_code(session: AsyncSession, actor: Actor) -> bool:
    """Whether accepting needs a one-time code here."""
    return await acceptance(session, actor) is Acceptance.ONE_TIME_CODE
