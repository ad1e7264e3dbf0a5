"""Pages of delivery notes: the list, a new one, one with its lines and history, its printed form and its code."""

import io
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK

from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.shipments import reads, service
from portal.shipments.reads import View
from portal.web import shipment_forms, shipment_views
from portal.web.errors import status_of
from portal.web.pages import Page
from portal.web.schedule_forms import VersionForm
from portal.web.typed import Typed

LIVE = "/live"


@get("/shipments")
async def shipments(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    view: FromQuery[View] = View.ALL,
    q: FromQuery[str] = "",
    contract: FromQuery[UUID | None] = None,
    cursor: FromQuery[str | None] = None,
) -> Template:
    """Delivery notes, newest first."""
    asked = shipment_views.Asked(view, q, contract, cursor)
    context = await shipment_views.list_context(actor, asked)
    return page.render("shipments/list.html", active="shipments", live=LIVE, **context)


@get("/shipments/new")
async def new_shipment(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract: FromQuery[UUID | None] = None,
    line: FromQuery[UUID | None] = None,
    days: FromQuery[int] = shipment_views.SOON_DAYS,
) -> Template:
    """The form of a delivery note; without a contract or a line first the choice of one, where there is a choice."""
    if contract is None and line is None:
        choice = await shipment_views.choose_context(actor)
        if len(choice["contracts"]) != 1:
            return page.render("shipments/choose.html", active="shipments", **choice)
        contract = choice["contracts"][0].id
    context = await shipment_views.new_context(actor, contract, line, days)
    return page.render("shipments/new.html", active="shipments", **context)


@post("/shipments", status_code=HTTP_200_OK)
async def send(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract: FromQuery[UUID],
    line: FromQuery[UUID | None] = None,
) -> Template | Redirect:
    """Announce what is on the way."""
    form = await request.form()
    try:
        async with unit_of_work(actor) as session:
            shipment = await service.ship(session, actor, shipment_forms.new_shipment(form))
    except (Invalid, Conflict) as error:
        context = await shipment_views.new_context(actor, contract, line, form=form, error=error)
        return page.render("shipments/new.html", active="shipments", status=status_of(error), **context)
    return page.go(f"/shipments/{shipment.id}")


@get("/shipments/{shipment_id:uuid}")
async def shipment(actor: NamedDependency[Actor], page: NamedDependency[Page], shipment_id: FromPath[UUID]) -> Template:
    """One delivery note with what was counted of it."""
    context = await shipment_views.detail_context(actor, shipment_id, page.tenant_name)
    return page.render("shipments/detail.html", active="shipments", live=LIVE, **context)


@get("/shipments/{shipment_id:uuid}/note")
async def printed_note(
    actor: NamedDependency[Actor], page: NamedDependency[Page], shipment_id: FromPath[UUID]
) -> Template:
    """The delivery note for the printer, with its code."""
    context = await shipment_views.detail_context(actor, shipment_id, page.tenant_name)
    return page.render("shipments/note.html", active="shipments", **context)


@get("/shipments/{shipment_id:uuid}/code.svg")
async def code(actor: NamedDependency[Actor], shipment_id: FromPath[UUID]) -> Response[bytes]:
    """The code that opens the receipt page."""
    import segno  # imported late: only this picture pays for it

    async with read(actor) as connection:
        token = await reads.scan_token(connection, actor, shipment_id)
    drawing = io.BytesIO()
    segno.make(shipment_views.scan_address(token), error="m", micro=False).save(drawing, kind="svg", scale=4, border=2)
    return Response(drawing.getvalue(), media_type="image/svg+xml")


@post("/shipments/{shipment_id:uuid}/transport", status_code=HTTP_200_OK)
async def change_transport(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    shipment_id: FromPath[UUID],
    data: URLEncodedBody[shipment_forms.TransportForm],
) -> Template | Redirect:
    """Say anew how the goods travel and when they are expected."""
    try:
        async with unit_of_work(actor) as session:
            await service.change_transport(session, actor, shipment_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        context = await shipment_views.detail_context(actor, shipment_id, page.tenant_name, Typed(data, error))
        return page.render("shipments/detail.html", active="shipments", live=LIVE, status=status_of(error), **context)
    return page.go(f"/shipments/{shipment_id}")


@post("/shipments/{shipment_id:uuid}/withdraw", status_code=HTTP_200_OK)
async def withdraw(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    shipment_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Redirect:
    """Take a delivery note back."""
    async with unit_of_work(actor) as session:
        await service.withdraw(session, actor, shipment_id, data.version)
    return page.go(f"/shipments/{shipment_id}")


ROUTES: list[HTTPRouteHandler] = [
    shipments,
    new_shipment,
    send,
    shipment,
    printed_note,
    code,
    change_transport,
    withdraw,
]
