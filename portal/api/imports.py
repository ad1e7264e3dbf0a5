"""Imports over the interface: send a file, look at what it becomes, apply it."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_202_ACCEPTED
from msgspec import Struct
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import paging
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read
from portal.core.model import ImportRun
from portal.parameters import FromPath, FromQuery, MultipartBody
from portal.sync import service_runs
from portal.sync.service_runs import RunRow


class SendFile(BaseModel):
    """The file as a multipart part named `file`: CSV (plain or gzip) or XLSX."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile


class RefusedRow(Struct):
    """One cell that keeps the file out."""

    row: int
    column: str
    code: str
    reason: str
    mend: str


class RemarkOut(Struct):
    """The same remark on so many rows; nothing is refused for it."""

    column: str
    code: str
    count: int
    rows: list[int]


class ImportOut(Struct):
    """One import. `figures` are there once the file was read; `changed` counts the database rows written."""

    id: UUID
    filename: str
    status: str  # waiting, reading, previewed, applying, applied, refused
    rows: int
    done: int
    figures: dict[str, int | Decimal]
    new: int
    known: int
    changed: int
    refused: list[RefusedRow]
    remarks: list[RemarkOut]
    problem: str | None
    created_at: datetime | None
    finished_at: datetime | None


def import_out(run: ImportRun) -> ImportOut:
    """The run with what it has found."""
    found = service_runs.outcome_of(run)
    figures = {name: Decimal(value) if isinstance(value, str) else value for name, value in found.figures.items()}
    return ImportOut(
        id=run.id,
        filename=run.filename,
        status=run.status,
        rows=run.rows,
        done=run.done,
        figures=figures,
        new=found.fresh,
        known=found.known,
        changed=found.changed,
        refused=[RefusedRow(each.row, each.column, each.code, each.reason, each.mend) for each in found.refused],
        remarks=[RemarkOut(each.column, each.code, each.count, each.rows) for each in found.remarks],
        problem=found.stopped.sentence if found.stopped else None,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


class ImportController(Controller):
    path = "/imports"
    tags = ("Imports",)

    @get()
    async def list_imports(
        self, actor: NamedDependency[Actor], cursor: FromQuery[str | None] = None, limit: FromQuery[int] = 50
    ) -> paging.PageOf[RunRow]:
        """What was sent, newest first."""
        paging.check_limit(limit)
        after: Any = paging.decode(cursor, datetime.fromisoformat, UUID) if cursor else None
        async with read(actor) as connection:
            rows = await service_runs.list_runs(connection, actor, after, limit)
        last = rows[limit - 1] if len(rows) > limit else None
        return paging.PageOf(rows[:limit], paging.encode(last.created_at, last.id) if last else None)

    @post(status_code=HTTP_202_ACCEPTED)
    async def send(
        self,
        data: MultipartBody[SendFile],
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
    ) -> ImportOut:
        """Send a delivery history. It is read and checked by a job: ask for the import until it is `previewed`."""
        run = await service_runs.request_import(session, actor, data.file.filename, await data.file.read())
        return import_out(run)

    @get("/{run_id:uuid}")
    async def show(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> ImportOut:
        """One import: its figures, refused rows and remarks, and how far it is."""
        actor.require(Permission.RUN_IMPORTS)
        return import_out(await service_runs.get_run(session, actor, run_id))

    @post("/{run_id:uuid}/apply", status_code=HTTP_202_ACCEPTED)
    async def apply(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> ImportOut:
        """Write a previewed file, all of it or nothing. Ask for the import until it is `applied`."""
        return import_out(await service_runs.request_apply(session, actor, run_id))


ROUTES: list[Any] = [ImportController]
