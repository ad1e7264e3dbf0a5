"""What the workspace asks of whoever accepts a contract, over the interface."""

from typing import Any

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import service_acceptance
from portal.accounts.service_acceptance import SetAcceptance
from portal.core.actor import Actor


class AcceptanceOut(Struct):
    """What is asked of whoever accepts a contract or an amendment."""

    second_factor: bool  # a one-time code


class AcceptanceController(Controller):
    path = "/acceptance"
    tags = ("Contracts",)

    @get()
    async def get_acceptance(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> AcceptanceOut:
        """Whether accepting a contract or an amendment asks for a one-time code; then keys cannot accept."""
        return AcceptanceOut(await service_acceptance.asks_for_factor(session, actor))

    @put()
    async def set_acceptance(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[SetAcceptance]
    ) -> AcceptanceOut:
        """Decide it for the workspace; for the factory's administrators: `{"second_factor": true}`."""
        return AcceptanceOut((await service_acceptance.set_acceptance(session, actor, data)).acceptance_factor)


ROUTES: list[Any] = [AcceptanceController]
