"""Warnings about a delivery on its page: what the seller said, the form to say it, its photos."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import files, i18n
from portal.core.actor import Actor
from portal.core.db import Driver, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.files import Stored
from portal.core.i18n import _
from portal.schedules import reads_reports, rules_reports, service_reports
from portal.schedules.model_reports import ReportKind, ReportReason, ReportStatus, Urgency
from portal.schedules.reads import LineRow
from portal.schedules.reads_reports import ReportRow
from portal.schedules.rules import OPEN
from portal.schedules.service_reports import ReportLine
from portal.web.field_errors import command
from portal.web.forms import Form
from portal.web.pages import Page


class Warned(Struct, frozen=True):
    """One warning in the reader's words."""

    id: str
    number: str
    title: str  # Will be late: 30 Nov
    facts: str
    when: str
    open: bool
    urgent: bool
    photos: list[str]


async def context(connection: Driver, actor: Actor, row: LineRow) -> dict[str, Any]:
    """What `schedules/_reports.html` shows."""
    found = await reads_reports.reports_of(connection, actor, row.id)
    speaks = service_reports.side_may_report(row.direction, actor)
    return {
        "reports": [warned(report, actor) for report in found],
        "can_report": speaks and row.status in OPEN,
        "can_close_reports": speaks,
        "report_kinds": [(kind.value, _(name)) for kind, name in rules_reports.KINDS.items()],
        "report_reasons": [(reason.value, _(name)) for reason, name in rules_reports.REASONS.items()],
        "report_urgencies": [(urgency.value, _(name)) for urgency, name in rules_reports.URGENCIES.items()],
    }


def warned(report: ReportRow, actor: Actor) -> Warned:
    kind = _(rules_reports.KINDS[ReportKind(report.kind)])
    day = i18n.day(report.expected_on, year=True) if report.expected_on else ""
    reason = _(rules_reports.REASONS[ReportReason(report.reason)])
    urgent = report.urgency == Urgency.LINE_STOP
    facts = [reason, _(rules_reports.URGENCIES[Urgency.LINE_STOP]) if urgent else "", report.note]
    return Warned(
        id=str(report.id),
        number=report.number,
        title=f"{kind} · {day}" if day else kind,
        facts=" · ".join(fact for fact in facts if fact),
        when=i18n.moment(report.reported_at, actor.time_zone),
        open=report.status == ReportStatus.OPEN,
        urgent=urgent,
        photos=[f"/line-reports/{report.id}/photos/{photo}" for photo in report.photos],
    )


async def read_form(request: Request[Any, Any, Any]) -> tuple[int, ReportLine, list[Stored]]:
    """The version seen, what is said, and its pictures drawn anew."""
    form = await request.form()
    texts = {name: value for name, value in form.multi_items() if isinstance(value, str) and name != "_csrf_token"}
    version = command(_Seen, {"version": texts.pop("version", "")}).version
    if texts.get("kind") == ReportKind.PROBLEM:
        texts.pop("expected_on", None)
    uploads = [value for _name, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
    rules_reports.check_photos(len(uploads))
    photos = [await files.drawn_anew(await upload.read(), "photos") for upload in uploads]
    return version, command(ReportLine, texts), photos


class _Seen(Form):
    version: int


@post("/schedule-lines/{line_id:uuid}/reports", status_code=HTTP_200_OK)
async def report(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page], line_id: FromPath[UUID]
) -> Template | Redirect:
    """The seller warns of a delay or a problem."""
    from portal.web.delivery import refused_report  # the page that holds the form

    try:
        version, data, photos = await read_form(request)
        async with unit_of_work(actor) as session:
            await service_reports.report_line(session, actor, line_id, version, data, photos)
    except (Invalid, Conflict) as error:
        return await refused_report(actor, page, line_id, error)
    return page.go(f"/schedule-lines/{line_id}#reports")


@post("/line-reports/{report_id:uuid}/close", status_code=HTTP_200_OK)
async def close(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page],
    report_id: FromPath[UUID],
) -> Redirect:  # fmt: skip
    """The seller takes a warning back."""
    found = await service_reports.close_report(session, actor, report_id)
    return page.go(f"/schedule-lines/{found.line_id}#reports")


@get("/line-reports/{report_id:uuid}/photos/{photo_id:uuid}")
async def photo(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], report_id: FromPath[UUID],
    photo_id: FromPath[UUID],
) -> Response[bytes]:  # fmt: skip
    """One picture of a warning."""
    content = await service_reports.photo_content(session, actor, report_id, photo_id)
    return Response(content, media_type="image/jpeg")


ROUTES: list[HTTPRouteHandler] = [report, close, photo]
