"""A factory's own spreadsheet over the interface: send it, map its columns, apply it, take it back."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict
from pydantic import Field as InputField
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.api.schedules import LooseCell, loose_cell
from portal.core.actor import Actor
from portal.core.inputs import Input
from portal.core.model import ImportRun
from portal.parameters import FromPath, JSONBody, MultipartBody
from portal.schedules.rules_grid import By
from portal.sync import service_own
from portal.sync.own_fields import Target
from portal.sync.own_rows import FileMapping
from portal.sync.own_values import DayOrder, Marks


class SendOwnFile(BaseModel):
    """The file as a multipart part named `file` (XLSX or CSV, plain or gzip), and what its rows become."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile
    target: Target


class MapColumns(Input):
    """What the columns hold. `columns` names a column by its number, from 0, for each field that the file has."""

    header: int = InputField(ge=1, le=1_000_000, description="the row of the heading", examples=[3])
    columns: dict[str, Annotated[int, InputField(ge=0, le=500)]] = InputField(
        max_length=60, examples=[{"number": 0, "item_code": 1, "due_date": 2, "quantity": 3}]
    )
    days: DayOrder = DayOrder.YEAR_FIRST
    marks: Marks = Marks.POINT
    fill_down: bool = InputField(default=True, description="a row without contract number goes on with the one above")
    direction: str = InputField(default="", pattern="^(sale|purchase)?$", description="empty: what the partner is")
    currency: str = InputField(default="", max_length=3, description="where the file names none")
    save_as: str = InputField(default="", max_length=60, description="keep the mapping under this name")


class ColumnSaid(Struct):
    """One column: its heading, and the field that it is taken for; empty where it is not used."""

    column: int
    heading: str
    field: Annotated[str, Meta(examples=["due_date"])]


class OwnRowRefused(Struct):
    """One cell that keeps a row out."""

    row: int
    column: str
    value: str
    reason: str
    mend: str


class OwnRowLoose(Struct):
    """A row whose quantity does not fill its packs. It is not held back."""

    row: int
    warning: LooseCell


class DocumentMade(Struct):
    """One draft that the import would make, or has made. `id` names it once the import is applied."""

    kind: Annotated[str, Meta(examples=["contract"])]
    id: UUID
    label: str


class OwnImportOut(Struct):
    """One upload: `mapping`, `previewed`, `applied` or `undone`."""

    id: UUID
    filename: str
    target: str
    status: str
    header: int
    columns: list[ColumnSaid]
    saved_mapping: str
    rows: int
    good: int
    refused: list[OwnRowRefused]
    documents: list[DocumentMade]
    warnings: list[OwnRowLoose]
    created_at: datetime | None
    finished_at: datetime | None


class MappingOut(Struct):
    """A saved mapping: field -> heading."""

    id: UUID
    target: str
    name: str
    headings: dict[str, str]
    version: int


def own_out(run: ImportRun) -> OwnImportOut:
    found = service_own.found_of(run)
    fields = {at: name for name, at in found.mapping.columns.items()}
    return OwnImportOut(
        id=run.id,
        filename=run.filename,
        target=found.target.value,
        status=run.status,
        header=found.mapping.header,
        columns=[ColumnSaid(at, heading, fields.get(at, "")) for at, heading in enumerate(found.headings)],
        saved_mapping=found.saved,
        rows=found.rows,
        good=found.good,
        refused=[OwnRowRefused(each.row, each.column, each.cell, each.reason, each.told) for each in found.refused],
        documents=[DocumentMade(made.kind, made.id, made.label) for made in found.made],
        warnings=[OwnRowLoose(each.row, loose_cell(each.found, By.DAY)) for each in found.loose],
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


class OwnImportController(Controller):
    path = "/own-imports"
    tags = ("Imports",)

    @post(status_code=HTTP_201_CREATED)
    async def send(
        self, data: MultipartBody[SendOwnFile], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> OwnImportOut:
        """Send a spreadsheet with columns named as you like. The answer suggests what they hold."""
        content = await data.file.read()
        run = await service_own.upload(session, actor, data.target, data.file.filename, content)
        return own_out(run)

    @get("/{run_id:uuid}")
    async def show(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> OwnImportOut:
        """One upload with its mapping, its refused rows and its documents."""
        return own_out(await service_own.get_run(session, actor, run_id))

    @post("/{run_id:uuid}/mapping", status_code=HTTP_200_OK)
    async def map_columns(
        self,
        run_id: FromPath[UUID],
        data: JSONBody[MapColumns],
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
    ) -> OwnImportOut:
        """Say what the columns hold, and try the file with it. Nothing of it is written."""
        said = data.model_dump(exclude={"save_as"})
        mapping = FileMapping(target=Target.CONTRACTS, **said)  # the run says what its rows become
        return own_out(await service_own.map_columns(session, actor, run_id, mapping, data.save_as))

    @post("/{run_id:uuid}/apply", status_code=HTTP_200_OK)
    async def apply(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> OwnImportOut:
        """Make drafts of the good rows. The others stay in `refused` with their reasons."""
        return own_out(await service_own.apply(session, actor, run_id))

    @post("/{run_id:uuid}/undo", status_code=HTTP_200_OK)
    async def undo(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> OwnImportOut:
        """Take the import back as a whole. Refused, naming the documents, where somebody has worked on them since."""
        return own_out(await service_own.undo(session, actor, run_id))


class MappingController(Controller):
    path = "/import-mappings"
    tags = ("Imports",)

    @get()
    async def list_mappings(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> list[MappingOut]:
        """The saved mappings."""
        saved = await service_own.mappings(session, actor)
        return [MappingOut(one.id, one.target, one.name, one.headings, one.version) for one in saved]

    @delete("/{mapping_id:uuid}")
    async def forget(
        self, mapping_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> None:
        """Throw a saved mapping away."""
        await service_own.forget_mapping(session, actor, mapping_id)


ROUTES: list[Any] = [MappingController, OwnImportController]
