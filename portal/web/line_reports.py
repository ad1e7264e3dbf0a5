"""Warnings about a delivery from its page: the seller warns, with photos, or takes a warning back."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import files
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.files import Stored
from portal.parameters import FromPath
from portal.schedules import rules_reports, service_reports
from portal.schedules.model_reports import ReportKind
from portal.schedules.service_reports import ReportLine
from portal.web.delivery import shown_again
from portal.web.field_errors import command
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed


async def read_form(request: Request[Any, Any, Any]) -> tuple[int, ReportLine, list[Stored]]:
    """The version seen, what is said, and its pictures drawn anew."""
    form = await request.form()
    texts = said(form)
    version = command(_Seen, {"version": texts.pop("version", "")}).version
    if texts.get("kind") == ReportKind.PROBLEM:
        texts.pop("expected_on", None)
    uploads = [value for _name, value in form.multi_items() if isinstance(value, UploadFile) and value.filename]
    rules_reports.check_photos(len(uploads))
    photos = [await files.drawn_anew(await upload.read(), "photos") for upload in uploads]
    return version, command(ReportLine, texts), photos


def said(form: FormMultiDict) -> dict[str, str]:
    """The form's texts, without the page's own token."""
    return {name: value for name, value in form.multi_items() if isinstance(value, str) and name != "_csrf_token"}


class _Seen(Form):
    version: int


@post("/schedule-lines/{line_id:uuid}/reports", status_code=HTTP_200_OK)
async def report(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page], line_id: FromPath[UUID]
) -> Template | Redirect:
    """The seller warns of a delay or a problem."""
    try:
        version, data, photos = await read_form(request)
        async with unit_of_work(actor) as session:
            await service_reports.report_line(session, actor, line_id, version, data, photos)
    except (Invalid, Conflict) as error:
        typed = Typed(None, error, **said(await request.form()))
        return await shown_again(actor, page, line_id, "report_form", typed)
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
