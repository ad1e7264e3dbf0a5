"""Items and partners' part numbers over the interface: the factory's alone."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.catalog import reads, service
from portal.catalog.model import Item
from portal.catalog.reads import ItemRow, PartNumberRow
from portal.catalog.service import ChangeItem, NewItem, NewPartNumber
from portal.core import paging
from portal.core.actor import Actor
from portal.core.db import driver, read
from portal.parameters import FromPath, FromQuery, JSONBody


class ItemOut(Struct):
    """One item with what the partners call it."""

    id: UUID
    code: Annotated[str, Meta(examples=["A100"])]
    description: Annotated[str, Meta(examples=["Bearing housing"])]
    revision: Annotated[str, Meta(examples=["C"])]
    unit: Annotated[str, Meta(examples=["H87"], description="UN/ECE Recommendation 20 or 21 code")]
    category: Annotated[str, Meta(examples=["Castings"])]
    version: int
    part_numbers: list[PartNumberRow]


async def item_out(session: AsyncSession, actor: Actor, item: Item) -> Response[ItemOut]:
    """The item with its part numbers, and its version as ETag."""
    await session.flush()
    numbers = await reads.part_number_rows(await driver(session), actor, item.id)
    body = ItemOut(item.id, item.code, item.description, item.revision, item.unit, item.category, item.version, numbers)
    return Response(body, headers={"ETag": f'"{item.version}"'})


class ItemController(Controller):
    path = "/items"
    tags = ("Items",)

    @get()
    async def list_items(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        search: FromQuery[str] = "",
    ) -> paging.PageOf[ItemRow]:
        """Items by code. `search`: the beginning of a code or a part number, or words of the description."""
        paging.check_limit(limit)
        (after,) = paging.decode(cursor, str) if cursor else ("",)
        async with read(actor) as connection:
            rows = await reads.item_rows(connection, actor, search, after, limit)
        return paging.PageOf(rows[:limit], paging.encode(rows[limit - 1].code) if len(rows) > limit else None)

    @post(status_code=HTTP_201_CREATED)
    async def create(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[NewItem]
    ) -> Response[ItemOut]:
        """Add an item to the catalogue."""
        return await item_out(session, actor, await service.create_item(session, actor, data))

    @get("/{item_id:uuid}")
    async def get_item(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], item_id: FromPath[UUID]
    ) -> Response[ItemOut]:
        """One item with the partners' part numbers."""
        return await item_out(session, actor, await service.get_item(session, actor, item_id))

    @patch("/{item_id:uuid}")
    async def change(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        item_id: FromPath[UUID],
        data: JSONBody[ChangeItem],
    ) -> Response[ItemOut]:
        """Change an item. Contract lines keep what they agreed on."""
        return await item_out(session, actor, await service.change_item(session, actor, item_id, data, expected))

    @get("/{item_id:uuid}/part-numbers")
    async def part_numbers(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], item_id: FromPath[UUID]
    ) -> list[PartNumberRow]:
        """What the partners call the item."""
        await service.get_item(session, actor, item_id)
        return await reads.part_number_rows(await driver(session), actor, item_id)

    @post("/{item_id:uuid}/part-numbers", status_code=HTTP_201_CREATED)
    async def add_part_number(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        item_id: FromPath[UUID],
        data: JSONBody[NewPartNumber],
    ) -> Response[ItemOut]:
        """Note what a partner calls the item; contract lines written from now on carry it."""
        await service.add_part_number(session, actor, item_id, data, expected)
        return await item_out(session, actor, await service.get_item(session, actor, item_id))

    @delete("/{item_id:uuid}/part-numbers/{part_number_id:uuid}", status_code=HTTP_200_OK)
    async def remove_part_number(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        item_id: FromPath[UUID],
        part_number_id: FromPath[UUID],
    ) -> Response[ItemOut]:
        """Forget one part number."""
        item = await service.remove_part_number(session, actor, item_id, part_number_id, expected)
        return await item_out(session, actor, item)


ROUTES: list[Any] = [ItemController]
