"""Custom fields over the interface: what the factory defined, and what it holds for a document."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import service_fields
from portal.core.actor import Actor
from portal.fields import service
from portal.fields.holders import check_holder
from portal.fields.inputs import ChangeField, Choice, NewField, WriteValues
from portal.fields.model import CustomField, FieldKind, Holder
from portal.fields.rules import choices_of
from portal.fields.service import Filled
from portal.parameters import FromPath, FromQuery, JSONBody


class FieldOut(Struct):
    """One field. Rules name it by its fact."""

    id: UUID
    holder: Holder
    key: Annotated[str, Meta(examples=["hazard"])]
    fact: Annotated[str, Meta(examples=["item.hazard"])]
    label_zh: Annotated[str, Meta(examples=["危险等级"])]
    label_en: Annotated[str, Meta(examples=["Hazard class"])]
    kind: FieldKind
    unit: str
    choices: list[Choice]
    removed: bool
    version: int


class ValuesOut(Struct):
    """What the fields of one document hold. The ETag is the version; "0" before the first writing."""

    holder: Holder
    holder_id: UUID
    values: Annotated[dict[str, str], Meta(examples=[{"hazard": "class_a"}])]
    version: int


def out(field: CustomField) -> FieldOut:
    return FieldOut(
        field.id, field.holder, field.key, f"{field.holder.value}.{field.key}", field.label_zh, field.label_en,
        field.kind, field.unit, choices_of(field), field.removed_at is not None, field.version,
    )  # fmt: skip


def tagged(field: CustomField) -> Response[FieldOut]:
    return Response(out(field), headers={"ETag": f'"{field.version}"'})


def values_out(holder: Holder, holder_id: UUID, found: Filled) -> Response[ValuesOut]:
    body = ValuesOut(holder, holder_id, found.content, found.version)
    return Response(body, headers={"ETag": f'"{found.version}"'})


class CustomFieldController(Controller):
    path = "/custom-fields"
    tags = ("Custom fields",)

    @get()
    async def list_fields(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        removed: FromQuery[bool] = False,
    ) -> list[FieldOut]:
        """The fields of items, partners, contracts and lines; `removed=true`: also those kept for the record."""
        return [out(field) for field in await service.list_fields(session, actor, removed=removed)]

    @post(status_code=HTTP_201_CREATED)
    async def define(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[NewField]
    ) -> Response[FieldOut]:
        """Define a field: text, number, date, yes or no, or a list of values."""
        return tagged(await service.create_field(session, actor, data))

    @get("/{field_id:uuid}")
    async def one(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], field_id: FromPath[UUID]
    ) -> Response[FieldOut]:
        """One field."""
        return tagged(await service.get_field(session, actor, field_id))

    @patch("/{field_id:uuid}")
    async def change(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        field_id: FromPath[UUID],
        data: JSONBody[ChangeField],
    ) -> Response[FieldOut]:
        """Rename a field, its unit or its values; add values to a list."""
        return tagged(await service.change_field(session, actor, field_id, data, expected))

    @delete("/{field_id:uuid}", status_code=HTTP_200_OK)
    async def remove(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        field_id: FromPath[UUID],
    ) -> Response[FieldOut]:
        """Take a field away. 409 `field-in-use` while rules in force, to come, or in draft look at it."""
        return tagged(await service_fields.remove(session, actor, field_id, expected))


class CustomValuesController(Controller):
    path = "/custom-values/{holder:str}/{holder_id:uuid}"
    tags = ("Custom fields",)

    @get()
    async def values(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        holder: FromPath[str],
        holder_id: FromPath[UUID],
    ) -> Response[ValuesOut]:
        """What the fields of an item, a partner, a contract or a contract line hold: `/custom-values/line/{id}`."""
        of = check_holder(holder)
        return values_out(of, holder_id, await service.values_of(session, actor, of, holder_id))

    @put()
    async def write(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        holder: FromPath[str],
        holder_id: FromPath[UUID],
        data: JSONBody[WriteValues],
    ) -> Response[ValuesOut]:
        """Write all fields anew; If-Match "0" for the first time. An error names the field."""
        of = check_holder(holder)
        return values_out(of, holder_id, await service.write_values(session, actor, of, holder_id, data, expected))


ROUTES: list[Any] = [CustomFieldController, CustomValuesController]
