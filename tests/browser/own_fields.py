"""A custom field as the factory of the browser's world has it."""

from sqlmodel.ext.asyncio.session import AsyncSession

import portal.catalog.service_fields  # noqa: F401 - registers how an item is found
from portal.catalog.service import items_by_code
from portal.core.actor import Actor
from portal.fields.inputs import Choice, NewField, WriteValues
from portal.fields.model import FieldKind, Holder
from portal.fields.service import create_field, write_values


async def a_field_of_items(session: AsyncSession, factory: Actor) -> str:
    """A list of hazards, one of which an item has."""
    choices = [Choice(key="none", zh="无", en="None"), Choice(key="acid", zh="腐蚀品", en="Acid")]
    field = NewField(
        holder=Holder.ITEM, key="hazard", label_zh="危险等级", label_en="Hazard class", kind=FieldKind.CHOICE,
        choices=choices,
    )  # fmt: skip
    made = await create_field(session, factory, field)
    item = (await items_by_code(session, factory, ["A100"]))["A100"]
    await write_values(session, factory, Holder.ITEM, item.id, WriteValues(values={"hazard": "acid"}))
    return str(made.id)
