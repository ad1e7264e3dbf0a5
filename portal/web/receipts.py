"""Pages of receipts: scan, count, confirm, look, correct; and the photos taken at it."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.i18n import _
from portal.parameters import FromPath, FromQuery
from portal.shipments import files, service_receipts
from portal.web import receipt_views, shipment_forms
from portal.web.errors import status_of
from portal.web.pages import Page

LIVE = "/live"


@get("/receipts")
async def receipts(
    actor: NamedDependency[Actor], page: NamedDependency[Page], cursor: FromQuery[str | None] = None
) -> Template:
    """What waits to be received, then what was."""
    context = await receipt_views.list_context(actor, cursor)
    return page.render("shipments/receipts.html", active="receipts", live=LIVE, **context)


@get("/scan")
async def scan(
    actor: NamedDependency[Actor], page: NamedDependency[Page], number: FromQuery[str] = ""
) -> Template | Redirect:
    """The code by camera, or the number typed."""
    found = await receipt_views.find(actor, number) if number.strip() else []
    if len(found) == 1:
        return page.go(await receipt_views.landing(actor, found[0]))
    if found:
        return page.go(f"/shipments?q={quote(number.strip())}")
    missing = _("No delivery note with this number is on its way to you. Look at the number beside the code.")
    view = receipt_views.scan_view(missing if number.strip() else "")
    return page.render("shipments/scan.html", active="receipts", status=404 if view.error else 200, scan=view)


@get("/r/{token:str}")
async def scanned(actor: NamedDependency[Actor], page: NamedDependency[Page], token: FromPath[str]) -> Redirect:
    """The address printed as a code."""
    found = await receipt_views.find(actor, f"/r/{token}")
    if not found:
        raise NotFound
    return page.go(await receipt_views.landing(actor, found[0]))


@get("/receipts/new")
async def new_receipt(
    actor: NamedDependency[Actor], page: NamedDependency[Page], shipment: FromQuery[UUID]
) -> Template | Redirect:
    """Count a delivery note; one that waits for nobody's count, or not for the reader's, opens as it is."""
    where = await receipt_views.landing(actor, shipment)
    if not where.startswith("/receipts/new"):
        actor.require(Permission.RECEIVE)
        return page.go(where)
    view = await receipt_views.count_view(actor, shipment, page.tenant_name)
    return page.render("shipments/receipt.html", active="receipts", receipt=view)


@post("/shipments/{shipment_id:uuid}/receipts", status_code=HTTP_200_OK)
async def receive(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    shipment_id: FromPath[UUID],
) -> Template | Redirect:
    """Post what arrived. The same request twice leads to the same receipt."""
    count = await shipment_forms.read_count(request)
    try:
        data, photos = count.command(), await count.photos()
        async with unit_of_work(actor) as session:
            receipt = await service_receipts.receive(session, actor, shipment_id, count.version, data, photos)
    except (Invalid, Conflict) as error:
        view = await receipt_views.count_view(actor, shipment_id, page.tenant_name, count, error)
        return page.render("shipments/receipt.html", active="receipts", status=status_of(error), receipt=view)
    return page.go(f"/receipts/{receipt.id}")


@get("/receipts/{receipt_id:uuid}")
async def receipt(actor: NamedDependency[Actor], page: NamedDependency[Page], receipt_id: FromPath[UUID]) -> Template:
    """One posted receipt."""
    context = await receipt_views.posted_context(actor, receipt_id, page.tenant_name)
    return page.render("shipments/posted.html", active="receipts", **context)


@get("/receipts/{receipt_id:uuid}/correct")
async def new_correction(
    actor: NamedDependency[Actor], page: NamedDependency[Page], receipt_id: FromPath[UUID]
) -> Template:
    """Count again."""
    actor.require(Permission.RECEIVE)
    view = await receipt_views.correction_view(actor, receipt_id, page.tenant_name)
    return page.render("shipments/receipt.html", active="receipts", receipt=view)


@post("/receipts/{receipt_id:uuid}/correct", status_code=HTTP_200_OK)
async def correct(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    receipt_id: FromPath[UUID],
) -> Template | Redirect:
    """Replace a receipt by what was counted again."""
    count = await shipment_forms.read_count(request)
    try:
        data, photos = count.command(), await count.photos()
        async with unit_of_work(actor) as session:
            receipt = await service_receipts.correct_receipt(session, actor, receipt_id, data, photos)
    except (Invalid, Conflict) as error:
        view = await receipt_views.correction_view(actor, receipt_id, page.tenant_name, count, error)
        return page.render("shipments/receipt.html", active="receipts", status=status_of(error), receipt=view)
    return page.go(f"/receipts/{receipt.id}")


@get("/photos/{photo_id:uuid}")
async def photo(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], photo_id: FromPath[UUID]
) -> Response[bytes]:
    """One photo of a receipt."""
    found = await files.get_photo(session, actor, photo_id)
    headers = {"Content-Disposition": f'inline; filename="{found.id}.jpg"'}
    return Response(await files.content(actor, found), media_type=found.content_type, headers=headers)


ROUTES: list[HTTPRouteHandler] = [
    receipts,
    scan,
    scanned,
    new_receipt,
    receive,
    receipt,
    new_correction,
    correct,
    photo,
]
