"""Answers and commits by workbook over the interface: out, back, what it does, apply, and what was not applied."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.api.contract_sheets import XLSX, FieldChange, RowRefused, TakeMine, field_change
from portal.core.actor import Actor
from portal.forecasts.rules import Span
from portal.parameters import FromPath, FromQuery, JSONBody, MultipartBody
from portal.sync import service_books, sheet_answers, sheet_commits
from portal.sync.model import BookKind, BookStatus, SheetRun
from portal.sync.sheet_bases import FoundAnswers, FoundCommits


class SendBook(BaseModel):
    """The filled-in workbook as a multipart part named `file`."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile


class BookOut(Struct):
    """What a workbook does (`previewed`) or has done (`applied`). In `changes` and `conflicts` of answers a value reads
    as `60@2026-12-07 40@2026-12-09`: quantity and day of each part; a refusal as
    `refuse:material`, what was answered meanwhile as `answered:60@2026-12-07`."""

    id: UUID
    kind: BookKind
    filename: str
    status: BookStatus
    changes: list[FieldChange]
    conflicts: list[FieldChange]
    refused: list[RowRefused]
    confirmed: Annotated[int, Meta(description="deliveries whose answer holds at once")]
    rejected: int
    waiting: Annotated[int, Meta(description="answers that the buyer decides about, because they differ")]
    commit_no: Annotated[int | None, Meta(description="the version of the commit that it makes")]
    waits: Annotated[bool, Meta(description="the commit needs a colleague's approval first; `commit_no` is null")]
    created_at: datetime
    finished_at: datetime | None


def book_out(run: SheetRun) -> BookOut:
    found = service_books.found_of(run)
    answers = found if isinstance(found, FoundAnswers) else FoundAnswers()
    return BookOut(
        id=run.id,
        kind=run.kind,
        filename=run.filename,
        status=run.status,
        changes=[field_change(change) for change in found.changes],
        conflicts=[field_change(change) for change in found.conflicts],
        refused=[RowRefused(each.sheet, each.row, each.column, each.reason, each.told) for each in found.refused],
        confirmed=answers.confirmed,
        rejected=answers.rejected,
        waiting=answers.waiting,
        commit_no=None if isinstance(found, FoundAnswers) else found.number,
        waits=isinstance(found, FoundCommits) and found.waits,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )


class BookController(Controller):
    path = "/workbooks"
    tags = ("Schedules",)

    @get("/answers", media_type=XLSX, opt={"refuses": ("409",)})
    async def answers(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromQuery[UUID | None] = None,
        on_behalf: FromQuery[bool] = False,
    ) -> Response[bytes]:
        """What waits for this company's answer as a workbook that can come back. `on_behalf`: what waits for the
        factory's suppliers, whose answers it enters."""
        return Response(await sheet_answers.export(session, actor, contract_id, on_behalf), media_type=XLSX)

    @get("/commits", media_type=XLSX, opt={"refuses": ("409",)})
    async def commits(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromQuery[UUID],
        span: FromQuery[Span] = Span.WEEK,
    ) -> Response[bytes]:
        """The forecast of a contract over 52 weeks with what its seller has committed, by weeks or months."""
        return Response(await sheet_commits.export(session, actor, contract_id, span), media_type=XLSX)

    @post(status_code=HTTP_201_CREATED)
    async def send(
        self, data: MultipartBody[SendBook], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> BookOut:
        """Send a filled-in workbook. It is tried and undone: the answer says what it does, nothing is applied."""
        return book_out(await service_books.upload(session, actor, data.file.filename, await data.file.read()))

    @get("/{run_id:uuid}")
    async def show(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> BookOut:
        """What a workbook does, or has done."""
        return book_out(await service_books.get_run(session, actor, run_id))

    @post("/{run_id:uuid}/apply", status_code=HTTP_200_OK)
    async def apply(
        self,
        run_id: FromPath[UUID],
        data: JSONBody[TakeMine],
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
    ) -> BookOut:
        """Apply the good rows. Answers go the way of the pages: inside the contract's terms they hold, others wait."""
        return book_out(await service_books.apply(session, actor, run_id, data.mine))

    @get("/{run_id:uuid}/rest", media_type=XLSX)
    async def rest(
        self, run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
    ) -> Response[bytes]:
        """The rows that were not applied with their reasons, as a workbook that can be mended and sent again."""
        return Response(await service_books.left_over(session, actor, run_id), media_type=XLSX)


ROUTES: list[Any] = [BookController]
