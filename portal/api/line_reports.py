"""Warnings about deliveries, and the chats of a company, over the interface."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import service_chats
from portal.accounts.service_chats import ChatRow
from portal.api.shipments import AddPhotos, pictures
from portal.core.actor import Actor
from portal.core.db import driver, read
from portal.core.errors import NotFound
from portal.parameters import FromPath, JSONBody, MultipartBody
from portal.schedules import reads, reads_reports, rules_reports, service_reports
from portal.schedules.reads_reports import ReportRow
from portal.schedules.service_reports import ReportLine


class Reported(Struct):
    """The new warning."""

    id: UUID
    number: str


class Ended(Struct):
    """What became of it."""

    id: UUID
    status: str


class LineReportController(Controller):
    tags = ("Schedules",)

    @get("/schedule-lines/{line_id:uuid}/reports")
    async def list_reports(self, actor: NamedDependency[Actor], line_id: FromPath[UUID]) -> list[ReportRow]:
        """Delays and problems that the seller reported for one delivery, newest first."""
        async with read(actor) as connection:
            if await reads.get_row(connection, actor, line_id) is None:
                raise NotFound
            return await reads_reports.reports_of(connection, actor, line_id)

    @post("/schedule-lines/{line_id:uuid}/reports", status_code=HTTP_201_CREATED)
    async def report(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        expected: NamedDependency[int],
        line_id: FromPath[UUID],
        data: JSONBody[ReportLine],
    ) -> Reported:
        """Warn that a delivery will be late (with `expected_on`) or has a problem. The agreed date stays; the buyer is
        told. If-Match carries the version of the schedule line."""
        made = await service_reports.report_line(session, actor, line_id, expected, data)
        return Reported(made.id, made.number)

    @post("/line-reports/{report_id:uuid}/close", status_code=HTTP_200_OK)
    async def close(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], report_id: FromPath[UUID]
    ) -> Ended:
        """Take a warning back."""
        made = await service_reports.close_report(session, actor, report_id)
        return Ended(made.id, made.status.value)

    @post("/line-reports/{report_id:uuid}/photos", status_code=HTTP_201_CREATED)
    async def add_photos(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        report_id: FromPath[UUID],
        data: MultipartBody[AddPhotos],
    ) -> ReportRow:
        """Add pictures (JPEG, PNG or WebP) as multipart/form-data, each in a field named `file`, while the warning is
        open. They are drawn anew; the same picture twice is one. The answer is the warning with all its photos."""
        sent = await pictures(data, lambda files: rules_reports.check_photos(len(files)))
        made = await service_reports.add_photos(session, actor, report_id, sent)
        await session.flush()
        found = await reads_reports.reports_of(await driver(session), actor, made.line_id)
        return next(row for row in found if row.id == made.id)

    @get("/line-reports/{report_id:uuid}/photos/{photo_id:uuid}", media_type="image/jpeg")
    async def photo(
        self,
        session: NamedDependency[AsyncSession],
        actor: NamedDependency[Actor],
        report_id: FromPath[UUID],
        photo_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The bytes of one photo."""
        content = await service_reports.photo_content(session, actor, report_id, photo_id)
        return Response(content, media_type="image/jpeg")


class ChatController(Controller):
    path = "/chats"
    tags = ("People",)

    @get()
    async def list_chats(self, actor: NamedDependency[Actor]) -> list[ChatRow]:
        """The chats that speak for the company's people. For those who manage them."""
        async with read(actor) as connection:
            return await service_chats.company_chats(connection, actor)

    @post("/{chat_id:uuid}/end", status_code=HTTP_200_OK)
    async def end(
        self, session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], chat_id: FromPath[UUID]
    ) -> Ended:
        """End the link of a chat; its next message is refused."""
        row = await service_chats.unbind(session, actor, chat_id)
        return Ended(row.id, "ended")


ROUTES: list[Any] = [LineReportController, ChatController]
