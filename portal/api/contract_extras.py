"""What hangs on contracts beside their terms, over the interface: notes, files, prices, templates, rates."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct, convert
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.api.contracts import ContractState, state
from portal.contracts import service, service_files, service_notes, service_rates, service_templates
from portal.contracts.inputs import FromTemplate, SaveTemplate, SetRate, WriteNote
from portal.contracts.rules_prices import PriceReason, sentence
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.files import disposition
from portal.core.i18n import _
from portal.core.quantities import UNITS
from portal.parameters import FromPath, FromQuery, JSONBody, MultipartBody


class AddFile(BaseModel):
    """The file as a multipart part named `file`; with `internal` partners do not see it."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile
    internal: bool = False


class FileOut(Struct):
    """A file on a contract; `internal` ones are the factory's own."""

    id: UUID
    name: Annotated[str, Meta(examples=["drawing A100.pdf"])]
    content_type: str
    size: int
    digest: Annotated[str, Meta(description="sha256 of the bytes, hex")]
    internal: bool
    added_by: str
    added_at: datetime


class NoteOut(Struct):
    """What the factory alone knows about a contract."""

    reference: str
    note: str


class AppliedPrice(Struct):
    """The price that applies, and why."""

    price: Decimal
    price_unit: Decimal
    currency: Annotated[str, Meta(examples=["CNY"])]
    why: PriceReason
    since: date | None
    sentence: Annotated[str, Meta(examples=["The contract's price from 1 Jan 2026 on."])]


class TemplateOut(Struct):
    """A template of contracts."""

    id: UUID
    name: str
    created_by: str
    created_at: datetime


class RateOut(Struct):
    """What one unit of `base` is worth in `quote` from a day on."""

    id: UUID
    base: str
    quote: str
    day: date
    rate: Decimal


class ContractExtraController(Controller):
    path = "/contracts/{contract_id:uuid}"
    tags = ("Contracts",)

    @get("/note")
    async def get_note(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> NoteOut:
        """The factory's private note on a contract."""
        actor.require(Permission.EDIT_CONTRACTS)
        await service.get_contract(session, actor, contract_id)
        note = await service.get_note(session, actor, contract_id)
        return NoteOut(note.reference, note.note) if note else NoteOut("", "")

    @put("/note")
    async def write_note(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[WriteNote],
    ) -> NoteOut:
        """Write the private note anew. The partner never sees it."""
        note = await service_notes.write_note(session, actor, contract_id, data)
        return NoteOut(note.reference, note.note)

    @get("/files")
    async def list_files(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> list[FileOut]:
        """The files of a contract that this company may see."""
        await service.get_contract(session, actor, contract_id)
        found = await service_files.files_of(session, actor, contract_id)
        return [convert(file, FileOut, from_attributes=True) for file in found]

    @post("/files", status_code=HTTP_201_CREATED)
    async def add_file(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: MultipartBody[AddFile],
    ) -> FileOut:
        """Keep a file on a contract: a multipart form with `file`, and `internal=true` for the factory's own."""
        said = (data.file.filename, await data.file.read())
        file = await service_files.add_file(session, actor, contract_id, *said, internal=data.internal)
        return convert(file, FileOut, from_attributes=True)

    @get("/files/{file_id:uuid}", media_type="application/octet-stream")
    async def download(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        file_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The bytes of a file."""
        file, content = await service_files.get_file(session, actor, contract_id, file_id)
        headers = {"Content-Disposition": disposition(file.name)}
        return Response(content, media_type=file.content_type, headers=headers)

    @get("/lines/{line_id:uuid}/price")
    async def price(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        line_id: FromPath[UUID],
        day: FromQuery[date],
        order_no: FromQuery[str] = "",
        quantity: FromQuery[Decimal] = Decimal(0),
        delivered_before: FromQuery[Decimal] = Decimal(0),
    ) -> AppliedPrice:
        """The price that applies on a day, and why. `quantity` is this delivery's, for prices by quantity."""
        actor.require(Permission.SEE_PRICES)
        contract = await service.get_contract(session, actor, contract_id)
        line = await service.get_line(session, actor, contract_id, line_id)
        found = await service.price_for(session, line, day, order_no, delivery=quantity, before=delivered_before)
        why = sentence(found, _(UNITS[line.unit][1]), order_no)
        return AppliedPrice(found.price, found.price_unit, contract.currency, found.why, found.since, why)

    @post("/template", status_code=HTTP_201_CREATED)
    async def save_template(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[SaveTemplate],
    ) -> TemplateOut:
        """Keep the contract's terms, lines and prices as a template."""
        template = await service_templates.save_template(session, actor, contract_id, data)
        return convert(template, TemplateOut, from_attributes=True)


class TemplateController(Controller):
    path = "/contract-templates"
    tags = ("Contracts",)

    @get()
    async def list_templates(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> list[TemplateOut]:
        """The factory's templates by name."""
        actor.require(Permission.EDIT_CONTRACTS)
        found = await service_templates.list_templates(session, actor)
        return [convert(template, TemplateOut, from_attributes=True) for template in found]

    @post("/{template_id:uuid}/contracts", status_code=HTTP_201_CREATED)
    async def draft_from(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        template_id: FromPath[UUID],
        data: JSONBody[FromTemplate],
    ) -> Response[ContractState]:
        """Begin a draft with the template's terms and lines."""
        return state(await service_templates.draft_from(session, actor, template_id, data), actor)

    @delete("/{template_id:uuid}", status_code=HTTP_200_OK)
    async def remove(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], template_id: FromPath[UUID]
    ) -> None:
        """Take a template away."""
        await service_templates.remove_template(session, actor, template_id)


class RateController(Controller):
    path = "/exchange-rates"
    tags = ("Contracts",)

    @get()
    async def list_rates(self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]) -> list[RateOut]:
        """The dated rates of the workspace, the newest first."""
        found = await service_rates.list_rates(session, actor)
        return [convert(rate, RateOut, from_attributes=True) for rate in found]

    @put()
    async def set_rate(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], data: JSONBody[SetRate]
    ) -> RateOut:
        """Enter a rate from a day on; one for the same currencies and day is corrected."""
        return convert(await service_rates.set_rate(session, actor, data), RateOut, from_attributes=True)

    @delete("/{rate_id:uuid}", status_code=HTTP_200_OK)
    async def remove(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], rate_id: FromPath[UUID]
    ) -> None:
        """Take a rate away."""
        await service_rates.remove_rate(session, actor, rate_id)


ROUTES: list[Any] = [ContractExtraController, TemplateController, RateController]
