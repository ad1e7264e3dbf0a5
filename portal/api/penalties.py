"""Penalties for late deliveries over the interface."""

from typing import Any
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.parameters import FromPath
from portal.shipments import service_penalties
from portal.shipments.service_penalties import Penalties


@get("/contracts/{contract_id:uuid}/penalties", tags=("Contracts",))
async def penalties(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
) -> Penalties:
    """What late deliveries cost: for each day after the agreed one a share of their value, up to the agreed cap.

    `settled` adds up what has arrived, `running` what is overdue today and grows. For roles that see prices; empty
    where no penalty was agreed. Both companies read the same figures.
    """
    return await service_penalties.penalties(session, actor, contract_id)


ROUTES: list[Any] = [penalties]
