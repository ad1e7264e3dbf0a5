"""Pages of the catalogue: items and what partners call them. The factory's alone."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.catalog import reads, service
from portal.catalog.model import Item
from portal.catalog.service import ChangeItem, NewItem, NewPartNumber
from portal.contracts.reads import partners as list_partners
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver, read, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import _
from portal.core.quantities import UNITS
from portal.fields.model import Holder
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web.addresses import address
from portal.web.custom_field_views import card
from portal.web.errors import status_of
from portal.web.field_errors import command, filled
from portal.web.forms import Form
from portal.web.pages import Page, unit_name
from portal.web.typed import Typed
from portal.web.views import Column, ListView, Row

SIZE = 50
OPTIONS = 30  # codes offered while one is typed
FIELDS = ("code", "description", "revision", "unit", "category")


class ItemForm(Form):
    code: str = ""
    description: str = ""
    revision: str = ""
    unit: str = ""
    category: str = ""

    def command(self) -> NewItem:
        return command(NewItem, self.model_dump())


class EditItemForm(Form):
    version: int
    description: str = ""
    revision: str = ""
    unit: str = ""
    category: str = ""

    def command(self) -> ChangeItem:
        """An emptied field is emptied, unless the item needs it."""
        return filled(ChangeItem, self.model_dump(exclude={"version"}))


class PartNumberForm(Form):
    version: int
    party_id: str = ""
    part_no: str = ""

    def command(self) -> NewPartNumber:
        return command(NewPartNumber, self.model_dump(exclude={"version"}))


class VersionForm(Form):
    version: int


@get("/items")
async def items(
    actor: NamedDependency[Actor], page: NamedDependency[Page], q: FromQuery[str] = "", after: FromQuery[str] = ""
) -> Template:
    """Items by code."""
    async with read(actor) as connection:
        rows = await reads.item_rows(connection, actor, q, after, SIZE)
    return page.render(
        "catalog/items.html", active="items", list=item_list(rows, q, after), q=q, can_write=can_write(actor)
    )


def item_list(rows: list[reads.ItemRow], q: str, after: str) -> ListView:
    """One page of items."""
    nothing = _("No item begins with “{text}” or has it in its description.").format(text=q) if q else _("No item yet.")
    more = address("/items", {"q": q, "after": rows[SIZE - 1].code}) if len(rows) > SIZE else None
    return ListView(
        title=_("Items"),
        sub=_("Yours alone. A contract carries its own copy of what was agreed."),
        columns=(
            Column(_("Code")),
            Column(_("Description")),
            Column(_("Revision")),
            Column(_("Unit")),
            Column(_("Category")),
            Column(_("Partners' numbers"), num=True),
        ),
        rows=[Row(cells(row), f"/items/{row.id}") for row in rows[:SIZE]],
        empty=nothing,
        next_href=more,
        first_href=address("/items", {"q": q}) if after else None,
    )


def cells(row: reads.ItemRow) -> tuple[str, ...]:
    """One item in the columns of the list."""
    numbers = i18n.number(row.part_numbers) if row.part_numbers else ""
    return row.code, row.description, row.revision, unit_name(row.unit), row.category, numbers


def can_write(actor: Actor) -> bool:
    return actor.may(Permission.MANAGE_MASTER_DATA)


@get("/items/options")
async def options(
    actor: NamedDependency[Actor], page: NamedDependency[Page], item_code: FromQuery[str] = ""
) -> Template:
    """The codes that begin with what was typed, for the browser's own list of suggestions."""
    async with read(actor) as connection:
        rows = await reads.item_rows(connection, actor, item_code, "", OPTIONS)
    return page.fragment("catalog/_options.html", items=rows[:OPTIONS])


@get("/items/new")
async def new_item(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """An empty item."""
    service.require_factory(actor)
    actor.require(Permission.MANAGE_MASTER_DATA)
    return new_form(page, Typed(unit="H87"))


def new_form(page: Page, typed: Typed, status: int = 200) -> Template:
    """The form of a new item."""
    return page.render(
        "catalog/new.html", active="items", status=status, typed=typed, units=unit_choices(), fields=FIELDS
    )


def unit_choices() -> list[tuple[str, str]]:
    """All units by their names; the code beside it is what files and interfaces say."""
    return [(code, f"{_(name)} ({code})") for code, (_places, name) in UNITS.items()]


@post("/items")
async def create(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[ItemForm]
) -> Template | Redirect:
    """Add an item."""
    try:
        async with unit_of_work(actor) as session:
            item = await service.create_item(session, actor, data.command())
    except (Invalid, Conflict) as error:
        return new_form(page, Typed(data, error), status_of(error))
    return page.go(f"/items/{item.id}")


@get("/items/{item_id:uuid}")
async def item(actor: NamedDependency[Actor], page: NamedDependency[Page], item_id: FromPath[UUID]) -> Template:
    """One item, as a form for those who may change it."""
    return await item_page(actor, page, item_id)


@post("/items/{item_id:uuid}")
async def change(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    item_id: FromPath[UUID],
    data: URLEncodedBody[EditItemForm],
) -> Template | Redirect:
    """Change an item."""
    try:
        async with unit_of_work(actor) as session:
            await service.change_item(session, actor, item_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await item_page(actor, page, item_id, typed=Typed(data, error), status=status_of(error))
    return page.go(f"/items/{item_id}")


@post("/items/{item_id:uuid}/part-numbers")
async def add_part_number(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    item_id: FromPath[UUID],
    data: URLEncodedBody[PartNumberForm],
) -> Template | Redirect:
    """Note what a partner calls the item."""
    try:
        async with unit_of_work(actor) as session:
            await service.add_part_number(session, actor, item_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await item_page(actor, page, item_id, numbered=Typed(data, error), status=status_of(error))
    return page.go(f"/items/{item_id}#part-numbers")


@post("/items/{item_id:uuid}/part-numbers/{number_id:uuid}/remove")
async def remove_part_number(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    item_id: FromPath[UUID],
    number_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Redirect:
    """Forget a part number."""
    await service.remove_part_number(session, actor, item_id, number_id, data.version)
    return page.go(f"/items/{item_id}#part-numbers")


async def item_page(
    actor: Actor,
    page: Page,
    item_id: UUID,
    *,
    typed: Typed | None = None,
    numbered: Typed | None = None,
    status: int = 200,
) -> Template:
    """One item with its part numbers; what was typed is kept after a refusal."""
    async with unit_of_work(actor) as session:
        found = await service.get_item(session, actor, item_id)
        connection = await driver(session)
        numbers = await reads.part_number_rows(connection, actor, item_id)
        partners = await list_partners(connection, actor)
        fields_card = await card(session, actor, Holder.ITEM, item_id)
    return page.render(
        "catalog/item.html",
        active="items",
        status=status,
        item=found,
        typed=typed or Typed(None, None, **as_typed(found)),
        numbered=numbered or Typed(),
        numbers=numbers,
        partners=[("", ""), *((str(row.id), f"{row.name} ({row.code})") for row in partners)],
        units=unit_choices(),
        fields=FIELDS,
        can_write=can_write(actor),
        fields_card=fields_card,
    )


def as_typed(found: Item) -> dict[str, Any]:
    """What stands in the form of an item."""
    return {name: getattr(found, name) for name in FIELDS}


ROUTES: list[HTTPRouteHandler] = [
    items,
    options,
    new_item,
    create,
    item,
    change,
    add_part_number,
    remove_part_number,
]
