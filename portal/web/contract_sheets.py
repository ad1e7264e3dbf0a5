"""Contracts as a workbook: take it out, send it back, look at what it changes, apply the good rows."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Forbidden, Invalid, Reading
from portal.core.i18n import _
from portal.core.inputs import Input
from portal.parameters import FromPath, FromQuery
from portal.sync import service_sheets
from portal.sync.service_runs import EmptyUpload
from portal.web import contract_list, tables
from portal.web.errors import status_of
from portal.web.field_errors import filled
from portal.web.pages import Page
from portal.web.sheet_views import sheet_view
from portal.web.typed import Typed


@get("/contracts/workbook")
async def workbook(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    q: FromQuery[str] = "",
    status: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    contract: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    """The contracts of the list, or one of them, as a workbook that can come back."""
    asked = contract_list.Asked.of(q, status, direction, partner, None)
    ids = [contract] if contract else await contract_list.ids(actor, asked, service_sheets.MOST + 1)
    content = await service_sheets.export(session, actor, ids)
    return tables.workbook(f"contracts-{_today(actor).isoformat()}-edit", content)


@get("/contracts/sheets")
async def sheets(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    q: FromQuery[str] = "",
    status: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    partner: FromQuery[str] = "",
) -> Template:
    """Where the workbook of the list goes out and comes back."""
    asked = contract_list.Asked.of(q, status, direction, partner, None)
    fits = len(await contract_list.ids(actor, asked, service_sheets.MOST + 1)) <= service_sheets.MOST
    typed = Typed(effective_from=(_today(actor) + timedelta(days=1)).isoformat())
    return _form(
        actor, page, typed, href=asked.to("/contracts/workbook") if fits else None, choose=asked.to("/contracts")
    )


@post("/contracts/sheets")
async def send(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Redirect | Template:
    """Try a workbook; nothing is applied."""
    form = await request.form()
    try:
        day, name, content = await _sent(form)
        async with unit_of_work(actor) as session:
            run = await service_sheets.upload(session, actor, name, content, day)
    except (Invalid, Conflict) as error:
        typed = Typed(None, error, effective_from=str(form.get("effective_from", ""))[:40])
        return _form(actor, page, typed, status_of(error))
    return page.go(f"/contracts/sheets/{run.id}")


@get("/contracts/sheets/{run_id:uuid}")
async def show(
    run_id: FromPath[UUID],
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
) -> Template:
    """What a workbook changes, or has changed."""
    view = sheet_view(await service_sheets.get_run(session, actor, run_id))
    crumbs = ((_("Contracts"), "/contracts"), (_("Workbook"), "/contracts/sheets"))
    return page.render("contracts/sheet_run.html", active="contracts", run=view, crumbs=crumbs)


@post("/contracts/sheets/{run_id:uuid}/apply")
async def apply(
    request: Request[Any, Any, Any], run_id: FromPath[UUID], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Redirect:
    """Apply the good rows, and of the conflicts those that were ticked."""
    mine = ticked(await request.form())
    async with unit_of_work(actor) as session:
        await service_sheets.apply(session, actor, run_id, mine)
    return page.go(f"/contracts/sheets/{run_id}")


@get("/contracts/sheets/{run_id:uuid}/rest")
async def rest(
    run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """The rows that were not applied, with their reasons, as a workbook that can be mended and sent again."""
    return tables.workbook("contracts-not-applied", await service_sheets.left_over(session, actor, run_id))


def _today(actor: Actor) -> date:
    return local_today(clock.now(), actor.time_zone)


def _form(
    actor: Actor, page: Page, typed: Typed, status: int = 200, href: str | None = None, choose: str = "/contracts"
) -> Template:
    """href: the workbook of the list, unless it has too many contracts; then they are chosen in the list first."""
    if not service_sheets.may_use(actor):
        raise Forbidden
    shown: dict[str, Any] = {"typed": typed, "href": href, "choose": choose, "most": service_sheets.MOST}
    return page.render("contracts/sheets.html", active="contracts", status=status, **shown)


async def _sent(form: FormMultiDict) -> tuple[date, str, bytes]:
    """The day, and the file's name and bytes. Raises Invalid with what is wrong of the two."""
    reading = Reading()
    with reading.part():
        day = filled(_Begins, {"effective_from": str(form.get("effective_from", ""))}).effective_from
    with reading.part():
        name, content = await file_of(form.get("file"))
    reading.done()
    return day, name, content


class _Begins(Input):
    effective_from: Day


def ticked(form: FormMultiDict) -> list[int]:
    """The places of the conflicts that the user takes."""
    sent = form.getall("mine", [])
    return [int(text) for text in sent if isinstance(text, str) and text.isdecimal() and len(text) < 6]


async def file_of(sent: Any) -> tuple[str, bytes]:
    """The name and the bytes of a file that was sent. Raises EmptyUpload."""
    if not isinstance(sent, UploadFile):
        raise EmptyUpload(field="file")
    return sent.filename, await sent.read()


ROUTES: list[Any] = [workbook, sheets, send, show, apply, rest]
