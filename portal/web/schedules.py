"""Pages of schedules: the list, the boards, one delivery, and the buttons on them."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.schedules import service, service_release
from portal.schedules.reads import View
from portal.web import board, delivery, schedule_list
from portal.web.pages import Page
from portal.web.schedule_forms import (
    AnswerForm,
    CallOffForm,
    GenerateForm,
    RejectForm,
    SupplyForm,
    VersionForm,
)
from portal.web.typed import Typed

LIVE = "/live"


@get("/schedules")
async def schedules(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    cursor: FromQuery[str | None] = None,
    view: FromQuery[View] = View.ALL,
    q: FromQuery[str] = "",
    contract: FromQuery[UUID | None] = None,
    part: FromQuery[UUID | None] = None,
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
) -> Template:
    """Deliveries in the order of their due dates."""
    asked = schedule_list.Asked.of(view, q, contract, part, since, until, cursor)
    return page.render("schedules/list.html", active="schedules", **await schedule_list.context(actor, asked))


@get("/schedules/board")
async def boards(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    weeks: FromQuery[int] = board.WEEKS,
    no: FromQuery[int] = 0,
) -> Template:
    """All contracts by weeks."""
    view = await board.all_boards(actor, min(max(weeks, 1), 53), max(no, 0))
    return page.render("schedules/board.html", active="schedules", board=view, live=LIVE)


@get("/contracts/{contract_id:uuid}/schedule")
async def contract_board(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    part: FromQuery[UUID | None] = None,
    view: FromQuery[View] = View.ALL,
    weeks: FromQuery[int] = board.WEEKS,
) -> Template:
    """One contract by weeks."""
    filled = await board.contract_board(actor, contract_id, part, view, min(max(weeks, 1), 53))
    return page.render("schedules/board.html", active="schedules", board=filled, live=LIVE)


@get("/schedules/export")
async def export(
    actor: NamedDependency[Actor],
    q: FromQuery[str] = "",
    contract: FromQuery[UUID | None] = None,
    part: FromQuery[UUID | None] = None,
    view: FromQuery[View] = View.ALL,
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:
    """The list as a file: what the page shows, all of it."""
    asked = schedule_list.Asked.of(view, q, contract, part, since, until, None)
    return await schedule_list.export(actor, asked, kind)


@get("/schedule-lines/{line_id:uuid}")
async def schedule_line(
    actor: NamedDependency[Actor], page: NamedDependency[Page], line_id: FromPath[UUID]
) -> Template:
    """One delivery from call-off to receipt."""
    return page.render("schedules/line.html", active="schedules", live=LIVE, **await delivery.context(actor, line_id))


@post("/schedule-lines/{line_id:uuid}/confirm", status_code=HTTP_200_OK)
async def confirm(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[AnswerForm],
) -> Template | Redirect:
    """The seller promises."""
    try:
        await service.confirm_line(session, actor, line_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await delivery.refused(session, actor, page, line_id, error, "confirm", data)
    return await delivery.answered(session, actor, page, line_id)


@post("/schedule-lines/{line_id:uuid}/reject", status_code=HTTP_200_OK)
async def reject(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[RejectForm],
) -> Template | Redirect:
    """The seller refuses."""
    try:
        await service.reject_line(session, actor, line_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await delivery.refused(session, actor, page, line_id, error, "reject", data)
    return await delivery.answered(session, actor, page, line_id)


@post("/schedule-lines/{line_id:uuid}/supply", status_code=HTTP_200_OK)
async def supply(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[SupplyForm],
) -> Template | Redirect:
    """The seller says how the material stands."""
    try:
        async with unit_of_work(actor) as session:
            await service.note_supply(session, actor, line_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await delivery.shown_again(actor, page, line_id, "supply_form", Typed(data, error))
    return page.go(f"/schedule-lines/{line_id}")


@post("/schedule-lines/{line_id:uuid}/cancel", status_code=HTTP_200_OK)
async def cancel(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Redirect:
    """Take a line back."""
    await service.cancel_line(session, actor, line_id, data.version)
    return page.go(f"/schedule-lines/{line_id}")


@post("/schedule-lines/{line_id:uuid}/ask-again", status_code=HTTP_200_OK)
async def ask_again(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Redirect:
    """Ask the seller of a rejected line once more."""
    await service.ask_again(session, actor, line_id, data.version)
    return page.go(f"/schedule-lines/{line_id}")


@post("/contracts/{contract_id:uuid}/schedule/generate", status_code=HTTP_200_OK)
async def generate(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[GenerateForm],
) -> Template | Redirect:
    """Draft lines for every period of the horizon."""
    try:
        async with unit_of_work(actor) as session:
            await service_release.generate_lines(session, actor, contract_id, data.command())
    except (Invalid, Conflict) as error:
        return await delivery.drafts_again(actor, page, contract_id, "generate_form", data, error)
    return page.go(f"/contracts/{contract_id}/drafts")


@post("/contracts/{contract_id:uuid}/schedule/call-off", status_code=HTTP_200_OK)
async def call_off(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[CallOffForm],
) -> Template | Redirect:
    """Draft one delivery by hand."""
    try:
        async with unit_of_work(actor) as session:
            await service_release.call_off(session, actor, contract_id, data.command())
    except PortalError as error:
        return await delivery.drafts_again(actor, page, contract_id, "call_off_form", data, error)
    return page.go(f"/contracts/{contract_id}/drafts")


@get("/contracts/{contract_id:uuid}/drafts")
async def drafts(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """What is generated or added but in no release yet; the factory's own."""
    return page.render("schedules/drafts.html", active="contracts", **await delivery.drafts(actor, contract_id))


ROUTES: list[HTTPRouteHandler] = [
    schedules,
    boards,
    contract_board,
    export,
    schedule_line,
    confirm,
    reject,
    supply,
    cancel,
    ask_again,
    generate,
    call_off,
    drafts,
]
