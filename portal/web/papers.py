"""Documents to take away, and the page that says whether a copy is still what left the portal."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.actor import Actor
from portal.core.errors import Invalid
from portal.core.i18n import Language
from portal.paper import service, service_printing, service_verify
from portal.paper.service import PDF, File
from portal.parameters import FromPath, FromQuery
from portal.web import paper_views
from portal.web.errors import status_of
from portal.web.forms import known_fields
from portal.web.pages import Page


def sent(file: File) -> Response[bytes]:
    """A document as a download."""
    return Response(file.content, media_type=PDF, headers=file.headers)


@get("/contracts/{contract_id:uuid}/contract.pdf")
async def contract_pdf(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    language: FromQuery[Language | None] = None,
    version: FromQuery[int | None] = None,
) -> Response[bytes]:
    """The contract: sealed once it was accepted, else a draft."""
    return sent(await service.contract_file(actor, contract_id, language or page.language, version))


@post("/contracts/{contract_id:uuid}/seal")
async def seal(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Redirect:
    """Ask for the sealed documents that are missing."""
    await service.request_seal(session, actor, contract_id)
    return page.go(f"/contracts/{contract_id}")


@get("/contracts/{contract_id:uuid}/releases/{number:int}/release.pdf")
async def release_pdf(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    number: FromPath[int],
    language: FromQuery[Language | None] = None,
) -> Response[bytes]:
    """A release with what changed."""
    return sent(await service_printing.release_file(actor, contract_id, number, language or page.language))


@get("/shipments/{shipment_id:uuid}/note.pdf")
async def note_pdf(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    shipment_id: FromPath[UUID],
    language: FromQuery[Language | None] = None,
) -> Response[bytes]:
    """The delivery note with its code."""
    return sent(await service_printing.note_file(actor, shipment_id, language or page.language))


@get("/receipts/{receipt_id:uuid}/receipt.pdf")
async def receipt_pdf(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    receipt_id: FromPath[UUID],
    language: FromQuery[Language | None] = None,
) -> Response[bytes]:
    """The goods receipt, with what was turned back."""
    return sent(await service_printing.receipt_file(actor, receipt_id, language or page.language))


# --- checking a copy --------------------------------------------------------------------------------------------------


@get("/verify")
async def verify(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Template:
    """The form, and the certificates to check by elsewhere."""
    found = await service_verify.certificates(session, actor)
    return page.render("papers/verify.html", **paper_views.verify_context(found, page.time_zone))


@post("/verify", status_code=HTTP_200_OK)
async def verify_file(
    request: Request[Any, Any, Any],
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
) -> Template:
    """The verdict on an uploaded copy. Nothing of it is kept."""
    upload = (await known_fields(request, "file")).get("file")
    content = await upload.read() if isinstance(upload, UploadFile) else b""
    return await verdict_page(session, actor, page, content)


async def verdict_page(session: AsyncSession, actor: Actor, page: Page, content: bytes) -> Template:
    """The page with its verdict, or with what is wrong with the upload."""
    found = await service_verify.certificates(session, actor)
    try:
        verdict = await service_verify.verify(actor, content)
    except Invalid as error:
        context = paper_views.verify_context(found, page.time_zone, error=str(error))
        return page.render("papers/verify.html", status=status_of(error), **context)
    return page.render("papers/verify.html", **paper_views.verify_context(found, page.time_zone, verdict))


@get("/verify/certificates.pem")
async def certificates(session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]) -> Response[bytes]:
    """The certificates that seal this workspace's documents, for other programs."""
    found = await service_verify.certificates(session, actor)
    headers = {"Content-Disposition": 'attachment; filename="seal-certificates.pem"'}
    return Response(service_verify.pem(found), media_type="application/x-pem-file", headers=headers)


ROUTES: list[HTTPRouteHandler] = [
    contract_pdf,
    seal,
    release_pdf,
    note_pdf,
    receipt_pdf,
    verify,
    verify_file,
    certificates,
]
