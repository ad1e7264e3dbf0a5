"""What the workspace asks of whoever accepts a contract, over the interface."""

from typing import Any

from litestar import Controller, get, put
from litestar.di import NamedDependency
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import service_acceptance
from portal.accounts.model import Acceptance
from portal.accounts.service_acceptance import SetAcceptance
from portal.core.actor import Actor
from portal.parameters import JSONBody


class AcceptanceOut(Struct):
    """What is asked of whoever accepts a contract or an amendment."""

    acceptance: Acceptance


class AcceptanceController(Controller):
    path = "/acceptance"
    tags = ("Contracts",)

    @get()
    async def get_acceptance(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> AcceptanceOut:
        """What accepting asks for: `password`, or `one_time_code`, with which keys cannot accept."""
        return AcceptanceOut(await service_acceptance.acceptance(session, actor))

    @put()
    async def set_acceptance(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[SetAcceptance]
    ) -> AcceptanceOut:
        """Decide it for the workspace; for the factory's administrators: `{"acceptance": "one_time_code"}`."""
        return AcceptanceOut((await service_acceptance.set_acceptance(session, actor, data)).acceptance)


ROUTES: list[Any] = [AcceptanceController]
