"""Pages of change requests: the list by deadline, the form, one request with what it does, and its buttons."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import service_answering, service_asking, service_files, service_terms
from portal.changes.reads import View
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.files import AttachmentEmpty, disposition
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import change_form_views, change_forms, change_views
from portal.web.change_forms import AcceptForm, CommentForm, RefuseForm, TermsForm
from portal.web.contract_list import uuid_or_none
from portal.web.errors import status_of
from portal.web.forms import Form, known_fields
from portal.web.pages import Page
from portal.web.schedule_forms import VersionForm
from portal.web.typed import Typed

LIVE = "/live"


@get("/changes")
async def changes(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    view: FromQuery[View] = View.TO_ANSWER,
    q: FromQuery[str] = "",
    contract: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
) -> Template:
    """Change requests by deadline."""
    asked = change_views.Asked(view, q, contract, cursor)
    return page.render("changes/list.html", active="changes", **await change_views.list_context(actor, asked))


# The form ------------------------------------------------------------------------------------------------------------


@get("/changes/new")
async def new(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line: FromQuery[str] = "",
    contract: FromQuery[UUID | None] = None,
) -> Template:
    """Ask for a change of chosen deliveries, or of the next ones of a contract."""
    context = await change_form_views.form_context(actor, change_forms.uuids(line), contract)
    return page.render("changes/ask.html", active="changes", **context)


@post("/changes", status_code=HTTP_200_OK)
async def draft(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Template | Redirect:
    """Write the wish down and show what it does, before anybody else sees it."""
    typed = await change_forms.sent(request)
    try:
        async with unit_of_work(actor) as session:
            made = await service_asking.draft_change(session, actor, change_forms.new_change(typed))
    except (Invalid, Conflict) as error:
        return await _asked_again(actor, page, typed, error)
    return page.go(f"/changes/{made.id}")


async def _asked_again(actor: Actor, page: Page, typed: dict[str, str], error: PortalError) -> Template:
    """The form with what was typed, and why it was not accepted."""
    lines = change_forms.uuids(typed.get("line", "").replace(" ", ","))
    contract_id = uuid_or_none(typed.get("contract_id", ""))
    context = await change_form_views.form_context(actor, lines, contract_id, typed, error)
    return page.render("changes/ask.html", active="changes", status=status_of(error), **context)


# One request ---------------------------------------------------------------------------------------------------------


@get("/changes/{change_id:uuid}")
async def change(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
) -> Template:
    """One request: before and after, what it does, who decides until when."""
    return await _shown(session, actor, page, change_id)


FORMS = {"refuse_form": "reason", "comment_form": "note"}  # of the page of a request, and the field of each


async def _shown(
    session: AsyncSession, actor: Actor, page: Page, change_id: UUID, form: str = "", typed: Typed | None = None
) -> Template:
    """The page of a request. form: the one of FORMS that was refused, with what stood in it, or "" for another step."""
    typed = typed or Typed()
    context = await change_views.change_context(session, actor, change_id)
    offered = {"refuse_form": "decline" in context["actions"], "comment_form": context["can_write"]}
    context |= dict.fromkeys(FORMS, Typed()) | ({form: typed} if form else {})
    context["error"] = typed.refusal(*(FORMS[form],) if offered.get(form) else ())
    status = 200 if typed.error is None else status_of(typed.error)
    return page.render("changes/change.html", active="changes", status=status, live=LIVE, **context)


async def _refused(
    actor: Actor, page: Page, change_id: UUID, error: PortalError, form: str = "", data: Form | None = None
) -> Template:
    """A step that was not taken: the request as it is now, and why."""
    async with unit_of_work(actor) as session:
        return await _shown(session, actor, page, change_id, form, Typed(data, error))


@post("/changes/{change_id:uuid}/submit", status_code=HTTP_200_OK)
async def submit(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Template | Redirect:
    """Send the draft."""
    try:
        async with unit_of_work(actor) as session:
            await service_asking.submit_change(session, actor, change_id, data.version)
    except (Invalid, Conflict) as error:
        return await _refused(actor, page, change_id, error)
    return page.go(f"/changes/{change_id}")


@post("/changes/{change_id:uuid}/accept", status_code=HTTP_200_OK)
async def accept(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
    data: URLEncodedBody[AcceptForm],
) -> Template | Redirect:
    """Agree."""
    try:
        async with unit_of_work(actor) as session:
            await service_answering.accept_change(session, actor, change_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await _refused(actor, page, change_id, error)
    return page.go(f"/changes/{change_id}")


@post("/changes/{change_id:uuid}/decline", status_code=HTTP_200_OK)
async def decline(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
    data: URLEncodedBody[RefuseForm],
) -> Template | Redirect:
    """Refuse, with a reason."""
    try:
        async with unit_of_work(actor) as session:
            await service_answering.decline_change(session, actor, change_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await _refused(actor, page, change_id, error, "refuse_form", data)
    return page.go(f"/changes/{change_id}")


@get("/changes/{change_id:uuid}/counter")
async def counter_form(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
) -> Template:
    """The live offer as a form: change it and send it back."""
    context = await change_form_views.counter_context(session, actor, change_id)
    return page.render("changes/ask.html", active="changes", **context)


@post("/changes/{change_id:uuid}/counter", status_code=HTTP_200_OK)
async def counter(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
) -> Template | Redirect:
    """Send a counter-offer."""
    typed = await change_forms.sent(request)
    try:
        async with unit_of_work(actor) as session:
            offer = change_forms.counter_offer(typed)
            await service_answering.counter_change(session, actor, change_id, offer, change_forms.version(typed))
    except (Invalid, Conflict) as error:
        return await _countered_again(actor, page, change_id, typed, error)
    return page.go(f"/changes/{change_id}")


async def _countered_again(
    actor: Actor, page: Page, change_id: UUID, typed: dict[str, str], error: PortalError
) -> Template:
    async with unit_of_work(actor) as session:
        context = await change_form_views.counter_context(session, actor, change_id, typed, error)
    return page.render("changes/ask.html", active="changes", status=status_of(error), **context)


@post("/changes/{change_id:uuid}/rebase", status_code=HTTP_200_OK)
async def rebase(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Template | Redirect:
    """Ask for the same on the figures of now."""
    try:
        async with unit_of_work(actor) as session:
            await service_answering.rebase_change(session, actor, change_id, data.version)
    except (Invalid, Conflict) as error:
        return await _refused(actor, page, change_id, error)
    return page.go(f"/changes/{change_id}")


@post("/changes/{change_id:uuid}/withdraw", status_code=HTTP_200_OK)
async def withdraw(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
    data: URLEncodedBody[VersionForm],
) -> Redirect:
    """Take the own request back."""
    await service_asking.withdraw_change(session, actor, change_id, data.version)
    return page.go(f"/changes/{change_id}")


@post("/changes/{change_id:uuid}/comments", status_code=HTTP_200_OK)
async def comment(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
    data: URLEncodedBody[CommentForm],
) -> Template | Redirect:
    """Say something that both companies read."""
    try:
        async with unit_of_work(actor) as session:
            await service_asking.comment_change(session, actor, change_id, data.command())
    except (Invalid, Conflict) as error:
        return await _refused(actor, page, change_id, error, "comment_form", data)
    return page.go(f"/changes/{change_id}#history")


@post("/changes/{change_id:uuid}/files", status_code=HTTP_200_OK)
async def add_file(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change_id: FromPath[UUID],
) -> Template | Redirect:
    """Keep a file on the request."""
    upload = (await known_fields(request, "file")).get("file")
    try:
        await _keep(actor, change_id, upload)
    except (Invalid, Conflict) as error:
        return await _refused(actor, page, change_id, error)
    return page.go(f"/changes/{change_id}#files")


async def _keep(actor: Actor, change_id: UUID, upload: Any) -> None:
    if not isinstance(upload, UploadFile):
        raise AttachmentEmpty(field="file")
    async with unit_of_work(actor) as session:
        await service_files.add_file(session, actor, change_id, upload.filename, await upload.read())


@get("/changes/{change_id:uuid}/files/{file_id:uuid}")
async def file(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    change_id: FromPath[UUID],
    file_id: FromPath[UUID],
) -> Response[bytes]:
    """One file as a download."""
    found, content = await service_files.get_file(session, actor, change_id, file_id)
    headers = {"Content-Disposition": disposition(found.name)}
    return Response(content, media_type=found.content_type, headers=headers)


@post("/contracts/{contract_id:uuid}/change-terms", status_code=HTTP_200_OK)
async def set_terms(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[TermsForm],
) -> Template | Redirect:
    """Say how changes of the contract are agreed."""
    try:
        async with unit_of_work(actor) as session:
            await service_terms.set_terms(session, actor, contract_id, data.command())
    except (Invalid, Conflict) as error:
        context = await change_form_views.form_context(actor, [], contract_id) | {"terms": Typed(data, error)}
        return page.render("changes/ask.html", active="changes", status=status_of(error), **context)
    return page.go(f"/changes/new?contract={contract_id}")


ROUTES: list[HTTPRouteHandler] = [
    changes,
    new,
    draft,
    change,
    submit,
    accept,
    decline,
    counter_form,
    counter,
    rebase,
    withdraw,
    comment,
    add_file,
    file,
    set_terms,
]
