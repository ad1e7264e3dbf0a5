"""Pages of forecasts: the exceptions of all contracts, one contract's forecast and the commit to it."""

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.forecasts import reads, service
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import forecast_list, forecast_page
from portal.web.contract_list import uuid_or_none
from portal.web.errors import status_of
from portal.web.forecast_forms import CommitForm, EndForm, TermsForm
from portal.web.forecast_views import Asked
from portal.web.pages import Page
from portal.web.typed import Typed

LIVE = "/live"


@get("/forecasts")
async def forecasts(
    actor: NamedDependency[Actor], page: NamedDependency[Page], kind: FromQuery[str] = "",
    direction: FromQuery[str] = "", q: FromQuery[str] = "",
) -> Template:  # fmt: skip
    """What needs attention, and every contract with a forecast."""
    found = await forecast_list.context(actor, forecast_list.Asked.of(kind, direction, q))
    return page.render("forecasts/list.html", active="forecasts", **found)


@get("/contracts/{contract_id:uuid}/forecast")
async def forecast(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    part: FromQuery[str] = "", weeks: FromQuery[int] = 26, span: FromQuery[str] = "", measure: FromQuery[str] = "",
) -> Template:  # fmt: skip
    """One contract's forecast with what is committed."""
    asked = Asked.of(uuid_or_none(part), weeks, span, measure)
    return await shown_page(actor, page, contract_id, asked, Typed())


async def shown_page(
    actor: Actor, page: Page, contract_id: UUID, asked: Asked, typed: Typed, status: int = 200
) -> Template:
    """The page, with what stood in its form."""
    found = await forecast_page.context(actor, contract_id, asked, typed)
    return page.render("forecasts/forecast.html", active="forecasts", live=LIVE, status=status, **found)


@post("/contracts/{contract_id:uuid}/forecast/commit", status_code=HTTP_200_OK)
async def commit(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[CommitForm],
) -> Template | Redirect:
    """The seller commits."""
    asked = Asked.of(uuid_or_none(data.part), int(data.weeks) if data.weeks == "52" else 26, data.span, "")
    try:
        async with unit_of_work(actor) as session:
            await service.commit(session, actor, contract_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await shown_page(actor, page, contract_id, asked, Typed(data, error), status_of(error))
    return page.go(asked.href(f"/contracts/{contract_id}/forecast"))


@get("/contracts/{contract_id:uuid}/forecast/export")
async def export(
    actor: NamedDependency[Actor], contract_id: FromPath[UUID], weeks: FromQuery[int] = 26,
    span: FromQuery[str] = "", kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:  # fmt: skip
    """The forecast as a file in the reader's language."""
    return await forecast_list.export(actor, contract_id, Asked.of(None, weeks, span, ""), kind)


@get("/contracts/{contract_id:uuid}/forecast/terms")
async def terms(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """What the seller is asked for, as a form."""
    return await terms_page(actor, page, contract_id, None)


async def terms_page(actor: Actor, page: Page, contract_id: UUID, typed: Typed | None, status: int = 200) -> Template:
    """The form, with what stands or stood in it."""
    actor.require(Permission.EDIT_CONTRACTS)
    async with read(actor) as connection:
        head = await reads.head(connection, actor, contract_id)
    weeks, hours, under = head.terms_weeks or 13, head.terms_hours or 16, f"{head.under_percent.normalize():f}"
    shown = typed or Typed(weeks=weeks, response_hours=hours, under_percent=under)
    return page.render("forecasts/terms.html", active="forecasts", status=status, head=head, typed=shown)


@post("/contracts/{contract_id:uuid}/forecast/terms", status_code=HTTP_200_OK)
async def set_terms(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[TermsForm],
) -> Template | Redirect:
    """Say what is asked for."""
    try:
        async with unit_of_work(actor) as session:
            await service.set_terms(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await terms_page(actor, page, contract_id, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}/forecast")


@post("/contracts/{contract_id:uuid}/forecast/terms/end", status_code=HTTP_200_OK)
async def end_terms(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[EndForm],
) -> Redirect:
    """Ask for nothing any more."""
    await service.end_terms(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}/forecast")


ROUTES: list[HTTPRouteHandler] = [forecasts, forecast, commit, export, terms, set_terms, end_terms]
