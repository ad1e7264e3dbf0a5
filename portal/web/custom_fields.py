"""Fields that the factory defines itself: the list of them, one as a form, and what they hold for a document."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import service_fields
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.fields import service
from portal.fields.holders import check_holder
from portal.fields.inputs import ChangeField, NewField, WriteValues
from portal.fields.model import Holder
from portal.parameters import FromPath, URLEncodedBody
from portal.web import contract_offer_forms
from portal.web import custom_field_views as views
from portal.web.errors import BadForm, status_of
from portal.web.field_errors import command, filled
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

HERE = "/fields"


class FieldForm(Form):
    holder: str = ""
    key: str = ""
    label_zh: str = ""
    label_en: str = ""
    kind: str = ""
    unit: str = ""
    choices: str = Field("", max_length=6000)

    def command(self) -> NewField:
        return command(NewField, {**self.model_dump(), "choices": views.typed_choices(self.choices)})


class EditFieldForm(Form):
    version: int
    label_zh: str = ""
    label_en: str = ""
    unit: str = ""
    choices: str = Field("", max_length=6000)

    def command(self) -> ChangeField:
        said = self.model_dump(exclude={"version"})
        return filled(ChangeField, {**said, "choices": views.typed_choices(self.choices)})


class VersionForm(Form):
    version: int


@get(HERE)
async def fields(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Template:
    """The fields that are defined, by what they belong to, and the form of a new one."""
    return await list_page(session, actor, page)


async def list_page(
    session: AsyncSession, actor: Actor, page: Page, typed: Typed | None = None, status: int = 200
) -> Template:
    context = await views.list_context(session, actor)
    typed = typed or Typed(holder=Holder.ITEM.value, kind="text")
    return page.render("fields/list.html", active="approvals", status=status, typed=typed, **context)


@post(HERE)
async def define(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[FieldForm]
) -> Template | Redirect:
    """Define a field."""
    service.require(actor)
    try:
        async with unit_of_work(actor) as session:
            await service.create_field(session, actor, data.command())
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            return await list_page(session, actor, page, Typed(data, error), status_of(error))
    return page.go(HERE)


@get(HERE + "/{field_id:uuid}")
async def field(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    field_id: FromPath[UUID],
) -> Template:
    """One field as a form."""
    return await field_page(session, actor, page, field_id)


async def field_page(
    session: AsyncSession, actor: Actor, page: Page, field_id: UUID, typed: Typed | None = None, status: int = 200
) -> Template:
    context = await views.field_context(session, actor, field_id, typed)
    return page.render("fields/field.html", active="approvals", status=status, **context)


@post(HERE + "/{field_id:uuid}")
async def change(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    field_id: FromPath[UUID],
    data: URLEncodedBody[EditFieldForm],
) -> Template | Redirect:
    """Rename a field, its unit or its choices."""
    try:
        async with unit_of_work(actor) as session:
            await service.get_field(session, actor, field_id)
            await service.change_field(session, actor, field_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            return await field_page(session, actor, page, field_id, Typed(data, error), status_of(error))
    return page.go(HERE)


@post(HERE + "/{field_id:uuid}/remove")
async def remove(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    field_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Template | Redirect:
    """Take a field away, unless rules look at it."""
    try:
        async with unit_of_work(actor) as session:
            await service_fields.remove(session, actor, field_id, data.version)
    except Conflict as error:
        async with unit_of_work(actor) as session:
            return await field_page(session, actor, page, field_id, Typed(None, error), status_of(error))
    return page.go(HERE)


# --- what they hold ---------------------------------------------------------------------------------------------------


@get(HERE + "/{holder:str}/{holder_id:uuid}")
async def values(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    holder: FromPath[str],
    holder_id: FromPath[UUID],
) -> Template:
    """The fields of one item, partner, contract or contract line as a form."""
    return await values_page(session, actor, page, holder, holder_id)


async def values_page(
    session: AsyncSession,
    actor: Actor,
    page: Page,
    holder: str,
    holder_id: UUID,
    typed: Mapping[str, str] | None = None,
    error: Invalid | Conflict | None = None,
) -> Template:
    context = await views.values_context(session, actor, check_holder(holder), holder_id, typed, error)
    status = status_of(error) if error else 200
    return page.render("fields/values.html", active=views.PLACES[Holder(holder)][0], status=status, **context)


@post(HERE + "/{holder:str}/{holder_id:uuid}")
async def write(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    holder: FromPath[str],
    holder_id: FromPath[UUID],
) -> Template | Redirect:
    """Write the fields of one item, partner, contract or contract line."""
    typed = await contract_offer_forms.read(request)
    return await written(actor, page, holder, holder_id, typed)


async def written(actor: Actor, page: Page, name: str, holder_id: UUID, typed: dict[str, str]) -> Template | Redirect:
    """Back to the document, or the form again with the sentence at its field."""
    holder, version = check_holder(name), views.version_of(typed)
    said = {key.removeprefix(views.PREFIX): text for key, text in typed.items() if key.startswith(views.PREFIX)}
    if len(said) + 1 != len(typed):
        raise BadForm(field="", fields=", ".join(key for key in typed if not key.startswith(views.PREFIX)))
    try:
        async with unit_of_work(actor) as session:
            data = filled(WriteValues, {"values": said})
            await service.write_values(session, actor, holder, holder_id, data, version)
            back = await views.back_to(session, actor, holder, holder_id)
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            return await values_page(session, actor, page, name, holder_id, said, error)
    return page.go(back)


ROUTES: list[HTTPRouteHandler] = [fields, define, field, change, remove, values, write]
