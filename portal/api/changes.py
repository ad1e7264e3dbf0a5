"""Change requests over the interface: ask, answer, see what they do, and say how far they are in the ERP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Response, get, post, put
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.api.change_shapes import ChangeOut, carry_out, impact_out, part_out
from portal.changes import (
    inputs,
    reads,
    service,
    service_answering,
    service_asking,
    service_erp,
    service_files,
    service_terms,
)
from portal.changes.impact import get_head
from portal.changes.model import ChangeRequest
from portal.changes.reads import ChangeFilter, ChangeRow, FileRow, View
from portal.changes.service_reviewing import answers
from portal.core import paging
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver, read
from portal.core.files import disposition
from portal.parameters import FromPath, FromQuery, JSONBody, MultipartBody
from portal.schedules import reads as schedule_reads
from portal.schedules.reads import Happening


class AddChangeFile(BaseModel):
    """The file as a multipart part named `file`."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    file: UploadFile


class ChangeState(Struct):
    """What a request became."""

    id: UUID
    number: str | None
    status: Annotated[str, Meta(examples=["submitted"])]
    way: str
    offer_no: int
    respond_by: datetime | None
    release_no: int | None
    version: int


class TermsOut(Struct):
    """How changes of a contract are agreed."""

    by_line: bool
    answer_hours: int | None


def state(change: ChangeRequest, status: int = HTTP_200_OK) -> Response[ChangeState]:
    """The request after a step, with its new version as ETag."""
    body = ChangeState(
        change.id, change.number, change.status.value, change.way.value, change.offer_no, change.respond_by,
        change.release_no, change.version,
    )  # fmt: skip
    return Response(body, status_code=status, headers={"ETag": f'"{change.version}"'})


async def change_out(session: AsyncSession, actor: Actor, change_id: UUID) -> Response[ChangeOut]:
    """Everything about one request."""
    change = await service.get_change(session, actor, change_id)
    connection = await driver(session)
    (row,) = await reads.list_changes(connection, actor, ChangeFilter(change_id=change_id))
    sheet = await service.impact(session, actor, change)
    moved = await service.moved_parts(session, actor, change, await service.parts_of(session, change))
    priced = actor.may(Permission.SEE_PRICES)
    body = ChangeOut(
        row, [part_out(stake, priced) for stake in sheet.stakes], [carry_out(one) for one in sheet.carries],
        impact_out(sheet), await reads.files_of(connection, actor, change_id), await answers(session, actor, change),
        change.decline_reason, change.failure, change.erp_state.value,
        change.erp_reference if actor.is_factory else "", moved,
    )  # fmt: skip
    return Response(body, headers={"ETag": f'"{change.version}"'})


class ChangeController(Controller):
    path = "/change-requests"
    tags = ("Changes",)

    @get()
    async def list_changes(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = 50,
        view: FromQuery[View] = View.ALL,
        search: FromQuery[str] = "",
        contract_id: FromQuery[UUID | None] = None,
        line_id: FromQuery[UUID | None] = None,
    ) -> paging.PageOf[ChangeRow]:
        """Change requests by deadline. `view`: to_answer, waiting, drafts, decided or all."""
        paging.check_limit(limit)
        after = reads.after(cursor)
        async with read(actor) as connection:
            wanted = ChangeFilter(view, search, contract_id, line_id)
            rows = await reads.list_changes(connection, actor, wanted, after, limit)
        more = reads.key(rows[limit - 1]) if len(rows) > limit else None
        return paging.PageOf(rows[:limit], more)

    @post(status_code=HTTP_201_CREATED)
    async def ask(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        data: JSONBody[inputs.NewChange],
        send: FromQuery[bool] = False,
    ) -> Response[ChangeState]:
        """Write a request down: a draft whose impact can be read, until it is submitted. `send`: submit at once."""
        command = service_asking.ask_change if send else service_asking.draft_change
        return state(await command(session, actor, data), HTTP_201_CREATED)

    @get("/{change_id:uuid}")
    async def get_change(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], change_id: FromPath[UUID]
    ) -> Response[ChangeOut]:
        """One request with what it does; its ETag is the version that steps carry as If-Match."""
        return await change_out(session, actor, change_id)

    @get("/{change_id:uuid}/history")
    async def history(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], change_id: FromPath[UUID]
    ) -> list[Happening]:
        """What happened to the request, newest first."""
        await service.get_change(session, actor, change_id)
        return await schedule_reads.history(await driver(session), actor, change_id)

    @post("/{change_id:uuid}/submit", status_code=HTTP_200_OK)
    async def submit(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
    ) -> Response[ChangeState]:
        """Send a draft. Inside the band and outside the firm zone a buyer's change is agreed by that."""
        return state(await service_asking.submit_change(session, actor, change_id, expected))

    @post("/{change_id:uuid}/accept", status_code=HTTP_200_OK)
    async def accept(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
        data: JSONBody[inputs.Accept],
    ) -> Response[ChangeState]:
        """Agree to the live offer, whole, or some of its `parts` where the contract allows it."""
        return state(await service_answering.accept_change(session, actor, change_id, data, expected))

    @post("/{change_id:uuid}/decline", status_code=HTTP_200_OK)
    async def decline(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
        data: JSONBody[inputs.Refuse],
    ) -> Response[ChangeState]:
        """Refuse the live offer with a reason."""
        return state(await service_answering.decline_change(session, actor, change_id, data, expected))

    @post("/{change_id:uuid}/counter", status_code=HTTP_200_OK)
    async def counter(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
        data: JSONBody[inputs.Counter],
    ) -> Response[ChangeState]:
        """Offer something else; from now on this is the only live offer."""
        return state(await service_answering.counter_change(session, actor, change_id, data, expected))

    @post("/{change_id:uuid}/rebase", status_code=HTTP_200_OK)
    async def rebase(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
    ) -> Response[ChangeState]:
        """Ask for the same on the figures of now, after a delivery had moved."""
        return state(await service_answering.rebase_change(session, actor, change_id, expected))

    @post("/{change_id:uuid}/withdraw", status_code=HTTP_200_OK)
    async def withdraw(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
    ) -> Response[ChangeState]:
        """Take the own request back before it is decided."""
        return state(await service_asking.withdraw_change(session, actor, change_id, expected))

    @post("/{change_id:uuid}/comments", status_code=HTTP_201_CREATED)
    async def comment(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        change_id: FromPath[UUID],
        data: JSONBody[inputs.Comment],
    ) -> Response[ChangeState]:
        """Say something that both companies read in the history."""
        return state(await service_asking.comment_change(session, actor, change_id, data), HTTP_201_CREATED)

    @post("/{change_id:uuid}/erp", status_code=HTTP_200_OK)
    async def note_erp(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        change_id: FromPath[UUID],
        data: JSONBody[inputs.NoteErp],
    ) -> Response[ChangeState]:
        """Note how far an applied change has come in the factory's ERP: sent, or echoed back, with its reference."""
        return state(await service_erp.note_erp(session, actor, change_id, data, expected))

    @post("/{change_id:uuid}/files", status_code=HTTP_201_CREATED)
    async def add_file(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        change_id: FromPath[UUID],
        data: MultipartBody[AddChangeFile],
    ) -> FileRow:
        """Keep a file on a request: a multipart form with `file`. Both companies see it."""
        said = (data.file.filename, await data.file.read())
        file = await service_files.add_file(session, actor, change_id, *said)
        return FileRow(file.id, file.name, file.size, file.added_by, file.added_scope.value, file.added_at)

    @get("/{change_id:uuid}/files/{file_id:uuid}", media_type="application/octet-stream")
    async def download(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        change_id: FromPath[UUID],
        file_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The bytes of one file."""
        file, content = await service_files.get_file(session, actor, change_id, file_id)
        headers = {"Content-Disposition": disposition(file.name)}
        return Response(content, media_type=file.content_type, headers=headers)


class ChangeTermsController(Controller):
    path = "/contracts/{contract_id:uuid}/change-terms"
    tags = ("Changes",)

    @get()
    async def get_terms(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], contract_id: FromPath[UUID]
    ) -> TermsOut:
        """How changes of this contract are agreed; without an own number of hours those of the contract hold."""
        head = await get_head(await driver(session), actor, contract_id)
        return TermsOut(head.by_line, head.answer_hours)

    @put()
    async def set_terms(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        contract_id: FromPath[UUID],
        data: JSONBody[inputs.SetTerms],
    ) -> TermsOut:
        """Say how changes of this contract are agreed; for requests that are written from now on."""
        terms = await service_terms.set_terms(session, actor, contract_id, data)
        return TermsOut(terms.by_line, terms.answer_hours)


ROUTES: list[Any] = [ChangeController, ChangeTermsController]
