"""The lines and prices of draft contracts over the interface. If-Match carries the contract's version."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service, service_drafts
from portal.contracts.inputs import ChangeLine, NewLine, NewPrice
from portal.core.actor import Actor
from portal.parameters import FromPath, JSONBody


class PartOut(Struct):
    """A line or a price that was written, and the contract's version after it."""

    id: UUID
    contract_version: int


class ContractLineController(Controller):
    path = "/contracts/{contract_id:uuid}/lines"
    tags = ("Contracts",)

    @post(status_code=HTTP_201_CREATED)
    async def add_line(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        data: JSONBody[NewLine],
    ) -> Response[PartOut]:
        """Add an item, with its prices, as the draft's last line."""
        line = await service_drafts.add_line(session, actor, contract_id, data, expected)
        return await written(session, actor, contract_id, line.id)

    @put("/{line_id:uuid}")
    async def change_line(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        data: JSONBody[ChangeLine],
    ) -> Response[PartOut]:
        """Write all terms of a draft's line anew; what is left out takes its default."""
        line = await service_drafts.change_line(session, actor, contract_id, line_id, data, expected)
        return await written(session, actor, contract_id, line.id)

    @delete("/{line_id:uuid}", status_code=HTTP_200_OK)
    async def remove_line(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
    ) -> Response[PartOut]:
        """Take a line and its prices out of a draft."""
        await service_drafts.remove_line(session, actor, contract_id, line_id, expected)
        return await written(session, actor, contract_id, line_id)

    @post("/{line_id:uuid}/prices", status_code=HTTP_201_CREATED)
    async def set_price(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        data: JSONBody[NewPrice],
    ) -> Response[PartOut]:
        """Set a price from a day on; one already there for the same day and order is replaced."""
        price = await service_drafts.set_price(session, actor, contract_id, line_id, data, expected)
        return await written(session, actor, contract_id, price.id)

    @delete("/{line_id:uuid}/prices/{price_id:uuid}", status_code=HTTP_200_OK)
    async def remove_price(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        price_id: FromPath[UUID],
    ) -> Response[PartOut]:
        """Take a price out of a draft."""
        await service_drafts.remove_price(session, actor, contract_id, line_id, price_id, expected)
        return await written(session, actor, contract_id, price_id)


async def written(session: AsyncSession, actor: Actor, contract_id: UUID, part_id: UUID) -> Response[PartOut]:
    """What was written, with the contract's new version as ETag."""
    contract = await service.get_contract(session, actor, contract_id)
    return Response(PartOut(part_id, contract.version), headers={"ETag": f'"{contract.version}"'})


ROUTES: list[Any] = [ContractLineController]
