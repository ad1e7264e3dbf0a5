"""Contracts as a workbook over the interface: take it out, send it back, look at what it changes, apply it."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict
from pydantic import Field as InputField
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import reads
from portal.contracts.model import ContractStatus
from portal.contracts.reads import ContractFilter
from portal.core.actor import Actor, Direction
from portal.core.days import Day
from portal.core.db import read
from portal.core.inputs import Input
from portal.core.model import ImportRun
from portal.parameters import FromPath, FromQuery, JSONBody, MultipartBody
from portal.sync import service_sheets
from portal.sync.rules_sheets import Change

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SendWorkbook(BaseModel):
    """The edited workbook as a multipart part named `file`, and the day from which contracts in force change."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile
    effective_from: Day = InputField(examples=["2027-04-01"])


class TakeMine(Input):
    """Which of the conflicts take the workbook's value, by their places in `conflicts`; the others stay as they are."""

    mine: list[int] = InputField(default=[], max_length=20_000, examples=[[0]])


class FieldChange(Struct):
    """One field; without `field` a row that is new."""

    sheet: Annotated[str, Meta(examples=["lines"])]
    row: int
    field: str
    base: str
    now: str
    workbook: str


class RowRefused(Struct):
    """One row that is not applied; `column` is empty where all of it is meant."""

    sheet: str
    row: int
    column: str
    reason: str
    mend: str


class WorkbookOut(Struct):
    """What a workbook changes (`previewed`) or has changed (`applied`)."""

    id: UUID
    filename: str
    status: str
    effective_from: date
    changes: list[FieldChange]
    conflicts: list[FieldChange]
    refused: list[RowRefused]
    drafts: Annotated[int, Meta(description="contracts whose draft changes")]
    offers: Annotated[int, Meta(description="contracts whose partner is offered an amendment")]
    periods: Annotated[int, Meta(description="contracts in force that nobody signed here, whose periods change")]
    fields: Annotated[int, Meta(description="contracts whose custom fields change")]
    created_at: datetime | None
    finished_at: datetime | None


def workbook_out(run: ImportRun) -> WorkbookOut:
    found = service_sheets.found_of(run)
    return WorkbookOut(
        id=run.id,
        filename=run.filename,
        status=run.status,
        effective_from=found.effective_from,
        changes=[field_change(change) for change in found.changes],
        conflicts=[field_change(change) for change in found.conflicts],
        refused=[RowRefused(each.sheet, each.row, each.column, each.reason, each.told) for each in found.refused],
        drafts=found.drafts,
        offers=found.offers,
        periods=found.periods,
        fields=found.fields,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


def field_change(change: Change) -> FieldChange:
    """One change as programs read it."""
    return FieldChange(change.sheet, change.row, change.field, change.base, change.before, change.after)


class ContractSheetController(Controller):
    path = "/contract-workbooks"
    tags = ("Contracts",)

    @get("/export", media_type=XLSX)
    async def export(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        search: FromQuery[str] = "",
        status: FromQuery[ContractStatus | None] = None,
        direction: FromQuery[Direction | None] = None,
        party_id: FromQuery[UUID | None] = None,
    ) -> Response[bytes]:
        """Contracts with their lines, prices and periods as a workbook that can come back; at most 100 of them."""
        wanted = ContractFilter(search, status, direction, party_id)
        async with read(actor) as connection:
            rows = await reads.list_contracts(connection, actor, wanted, None, service_sheets.MOST)
        content = await service_sheets.export(session, actor, [row.id for row in rows])
        return Response(content, media_type=XLSX)

    @post(status_code=HTTP_201_CREATED)
    async def send(
        self, data: MultipartBody[SendWorkbook], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> WorkbookOut:
        """Send an edited workbook. It is tried and undone: the answer says what it changes, nothing is applied."""
        content = await data.file.read()
        run = await service_sheets.upload(session, actor, data.file.filename, content, data.effective_from)
        return workbook_out(run)

    @get("/{run_id:uuid}")
    async def show(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> WorkbookOut:
        """What a workbook changes, or has changed."""
        return workbook_out(await service_sheets.get_run(session, actor, run_id))

    @post("/{run_id:uuid}/apply", status_code=HTTP_200_OK)
    async def apply(
        self,
        run_id: FromPath[UUID],
        data: JSONBody[TakeMine],
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
    ) -> WorkbookOut:
        """Apply the good rows. Drafts change at once; for each contract in force one amendment is offered."""
        return workbook_out(await service_sheets.apply(session, actor, run_id, data.mine))

    @get("/{run_id:uuid}/rest", media_type=XLSX)
    async def rest(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> Response[bytes]:
        """The rows that were not applied with their reasons, as a workbook that can be mended and sent again."""
        return Response(await service_sheets.left_over(session, actor, run_id), media_type=XLSX)


ROUTES: list[Any] = [ContractSheetController]
