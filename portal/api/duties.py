"""Who answers a release, over the interface: for the company that is asked."""

from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.notices import service_duties
from portal.notices.service_duties import Answering, HandOver
from portal.parameters import FromPath, JSONBody


class DutyController(Controller):
    path = "/contracts/{contract_id:uuid}/releases/{number:int}/duty"
    tags = ("Notices",)

    @get()
    async def get_duty(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        number: FromPath[int],
    ) -> Answering:
        """Who of the own company is asked, by when, and who took it over: `{"waits": true, "taken": null}`."""
        return await service_duties.answering(session, actor, contract_id, number)

    @post(status_code=HTTP_200_OK)
    async def hand_over(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        number: FromPath[int],
        data: JSONBody[HandOver],
    ) -> Answering:
        """A colleague of the own company takes the answer over; the others are told: `{"member_id": "0199..."}`."""
        await service_duties.hand_over(session, actor, contract_id, number, data)
        return await service_duties.answering(session, actor, contract_id, number)


ROUTES: list[Any] = [DutyController]
