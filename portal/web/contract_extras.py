"""What hangs on a contract beside its terms: the factory's private note, files, templates, exchange rates."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import reads, service, service_files, service_notes, service_rates, service_templates
from portal.contracts.model import ExchangeRate
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.files import AttachmentEmpty, disposition
from portal.core.i18n import _
from portal.parameters import FromPath, URLEncodedBody
from portal.web.contract_forms import FromTemplateForm, NoteForm, RateForm, TemplateForm
from portal.web.contract_views import DIRECTION_NAMES, refused_contract
from portal.web.errors import status_of
from portal.web.forms import Form, known_fields
from portal.web.pages import Page
from portal.web.typed import Typed


class EmptyForm(Form):
    """A button that says all by its address."""


# The private note ----------------------------------------------------------------------------------------------------


@get("/contracts/{contract_id:uuid}/note")
async def note_form(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """What the factory alone knows, as a form."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await service.get_contract(session, actor, contract_id)
    note = await service.get_note(session, actor, contract_id)
    typed = Typed(None, None, reference=note.reference if note else "", note=note.note if note else "")
    return page.render("contracts/note.html", active="contracts", contract=contract, typed=typed)


@post("/contracts/{contract_id:uuid}/note")
async def write_note(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[NoteForm],
) -> Template | Redirect:
    """Write the private note anew."""
    try:
        async with unit_of_work(actor) as session:
            await service_notes.write_note(session, actor, contract_id, data.command())
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            contract = await service.get_contract(session, actor, contract_id)
        page_of = {"contract": contract, "typed": Typed(data, error)}
        return page.render("contracts/note.html", active="contracts", status=status_of(error), **page_of)
    return page.go(f"/contracts/{contract_id}#terms")


# Files ---------------------------------------------------------------------------------------------------------------


@post("/contracts/{contract_id:uuid}/files")
async def add_file(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template | Redirect:
    """Keep a file on the contract."""
    try:
        name, content, internal = await _sent_file(request)
        async with unit_of_work(actor) as session:
            await service_files.add_file(session, actor, contract_id, name, content, internal=internal)
    except (Invalid, Conflict) as error:
        return await refused_contract(actor, page, contract_id, error)
    return page.go(f"/contracts/{contract_id}#files")


async def _sent_file(request: Request[Any, Any, Any]) -> tuple[str, bytes, bool]:
    form = await known_fields(request, "file", "internal")
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise AttachmentEmpty(field="file")
    return upload.filename, await upload.read(), form.get("internal") == "yes"


@get("/contracts/{contract_id:uuid}/files/{file_id:uuid}")
async def download(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    contract_id: FromPath[UUID],
    file_id: FromPath[UUID],
) -> Response[bytes]:
    """One file, always as a download: nothing of it runs in the portal's pages."""
    file, content = await service_files.get_file(session, actor, contract_id, file_id)
    return Response(content, media_type=file.content_type, headers={"Content-Disposition": disposition(file.name)})


# Templates -----------------------------------------------------------------------------------------------------------


@get("/contracts/templates")
async def templates(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Template:
    """The templates, each of which a contract can be begun from."""
    actor.require(Permission.EDIT_CONTRACTS)
    rows = [
        (row.id, row.name, len(row.content["lines"]), row.created_by, i18n.moment(row.created_at, actor.time_zone))
        for row in await service_templates.list_templates(session, actor)
    ]
    return page.render("contracts/templates.html", active="contracts", rows=rows)


@post("/contracts/{contract_id:uuid}/template")
async def save_template(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[TemplateForm],
) -> Template | Redirect:
    """Keep the contract's terms under a name."""
    try:
        async with unit_of_work(actor) as session:
            await service_templates.save_template(session, actor, contract_id, data.command())
    except (Invalid, Conflict) as error:
        return await refused_contract(actor, page, contract_id, error, "template", data)
    return page.go("/contracts/templates")


@post("/contracts/templates/{template_id:uuid}/remove")
async def remove_template(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    template_id: FromPath[UUID],
    data: URLEncodedBody[EmptyForm],
) -> Redirect:
    """Take a template away."""
    await service_templates.remove_template(session, actor, template_id)
    return page.go("/contracts/templates")


@get("/contracts/templates/{template_id:uuid}")
async def draft_form(
    actor: NamedDependency[Actor], page: NamedDependency[Page], template_id: FromPath[UUID]
) -> Template:
    """Whom the new contract is with and over which days; everything else is the template's."""
    first = local_today(clock.now(), actor.time_zone).isoformat()
    return await _draft_page(actor, page, template_id, Typed(None, None, valid_from=first))


@post("/contracts/templates/{template_id:uuid}")
async def draft_from(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    template_id: FromPath[UUID],
    data: URLEncodedBody[FromTemplateForm],
) -> Template | Redirect:
    """Begin a draft from the template."""
    try:
        async with unit_of_work(actor) as session:
            made = await service_templates.draft_from(session, actor, template_id, data.command())
    except (Invalid, Conflict) as error:
        return await _draft_page(actor, page, template_id, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{made.id}")


async def _draft_page(actor: Actor, page: Page, template_id: UUID, typed: Typed, status: int = 200) -> Template:
    async with unit_of_work(actor) as session:
        template = await service_templates.get_template(session, actor, template_id)
    async with read(actor) as connection:
        partners = await reads.partners(connection, actor)
    return page.render(
        "contracts/template.html",
        active="contracts",
        status=status,
        kept=template,
        typed=typed,
        fields=tuple(FromTemplateForm.model_fields),
        directions=[("", ""), *((way.value, _(name)) for way, name in DIRECTION_NAMES.items())],
        partners=[("", ""), *((str(row.id), f"{row.name} ({row.code})") for row in partners)],
    )


# Exchange rates ------------------------------------------------------------------------------------------------------


@get("/contracts/rates")
async def rates(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """The dated rates that overviews are converted with."""
    today = local_today(clock.now(), actor.time_zone).isoformat()
    return await _rates_page(actor, page, Typed(None, None, day=today))


@post("/contracts/rates")
async def set_rate(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[RateForm]
) -> Template | Redirect:
    """Enter or correct a rate."""
    try:
        async with unit_of_work(actor) as session:
            await service_rates.set_rate(session, actor, data.command())
    except (Invalid, Conflict) as error:
        return await _rates_page(actor, page, Typed(data, error), status_of(error))
    return page.go("/contracts/rates")


@post("/contracts/rates/{rate_id:uuid}/remove")
async def remove_rate(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    rate_id: FromPath[UUID],
    data: URLEncodedBody[EmptyForm],
) -> Redirect:
    """Take a rate away."""
    await service_rates.remove_rate(session, actor, rate_id)
    return page.go("/contracts/rates")


async def _rates_page(actor: Actor, page: Page, typed: Typed, status: int = 200) -> Template:
    async with unit_of_work(actor) as session:
        found = await service_rates.list_rates(session, actor)
        own = await service_rates.own_currency(session, actor)
    return page.render(
        "contracts/rates.html",
        active="contracts",
        status=status,
        rows=[_rate_row(rate) for rate in found],
        own=own,
        typed=typed,
        fields=tuple(RateForm.model_fields),
        editable=actor.may(Permission.EDIT_CONTRACTS),
    )


def _rate_row(rate: ExchangeRate) -> tuple[UUID, str, str, str]:
    worth = f"{i18n.number(rate.rate)}{i18n.NBSP}{rate.quote}"
    return rate.id, f"1{i18n.NBSP}{rate.base}", worth, i18n.day(rate.day, year=True)


ROUTES: list[HTTPRouteHandler] = [
    note_form,
    write_note,
    add_file,
    download,
    templates,
    save_template,
    remove_template,
    draft_form,
    draft_from,
    rates,
    set_rate,
    remove_rate,
]
