"""A factory's own spreadsheet: send it, say what its columns hold, look at what comes of it, apply it, take it back."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import Field, field_validator

from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.faults import NotOffered
from portal.core.i18n import N_, _
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.sync import service_own
from portal.sync.own_fields import TARGETS, Target
from portal.sync.own_rows import FileMapping
from portal.sync.own_values import DayOrder, Marks
from portal.sync.service_runs import EmptyUpload
from portal.web import tables
from portal.web.contract_extras import EmptyForm
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.own_views import mapping_view, own_view
from portal.web.pages import Page
from portal.web.typed import Typed


class ColumnTwice(Invalid):
    code = "column-mapped-twice"
    text = N_("Two columns are mapped to the same thing. Keep one of them.")


class MappingForm(Form):
    """What each column holds, in the order of the columns, and how days and numbers are written."""

    header: int = Field(ge=1, le=1_000_000)
    column: list[str] = Field(default=[], max_length=200)
    days: DayOrder = DayOrder.YEAR_FIRST
    marks: Marks = Marks.POINT
    fill_down: str = ""
    direction: str = Field(default="", pattern="^(sale|purchase)?$")
    currency: str = Field(default="", max_length=3)
    save_as: str = Field(default="", max_length=60)

    @field_validator("column", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def command(self) -> FileMapping:
        """The mapping; the run says what its rows become."""
        chosen = [(name, at) for at, name in enumerate(self.column) if name]
        if len(dict(chosen)) < len(chosen):
            raise ColumnTwice(field="columns")
        return FileMapping(
            target=Target.CONTRACTS,
            header=self.header,
            columns=dict(chosen),
            days=self.days,
            marks=self.marks,
            fill_down=self.fill_down == "yes",
            direction=self.direction,
            currency=self.currency.upper(),
        )


@get("/imports/own")
async def begin(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """Where a file is sent, and the mappings that are kept."""
    return await _begin_page(actor, page, Typed())


@post("/imports/own")
async def send(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Redirect | Template:
    """Keep the file and suggest what its columns hold."""
    form = await request.form()
    target = str(form.get("target", ""))
    try:
        run_id = await _kept(actor, target, form.get("file"))
    except (Invalid, Conflict) as error:
        return await _begin_page(actor, page, Typed(None, error, target=target[:40]))
    return page.go(f"/imports/own/{run_id}")


async def _begin_page(actor: Actor, page: Page, typed: Typed) -> Template:
    async with unit_of_work(actor) as session:
        saved = await service_own.mappings(session, actor)
    return page.render(
        "imports/own_new.html",
        active="imports",
        status=status_of(typed.error) if typed.error is not None else 200,
        typed=typed,
        targets=[(target.value, _(text)) for target, text in TARGETS.items()],
        saved=[(one.id, one.name, _(TARGETS[Target(one.target)])) for one in saved],
    )


async def _kept(actor: Actor, target: str, upload: Any) -> UUID:
    if target not in set(Target):
        raise NotOffered(field="target")
    if not isinstance(upload, UploadFile):
        raise EmptyUpload(field="file")
    content = await upload.read()
    async with unit_of_work(actor) as session:
        return (await service_own.upload(session, actor, Target(target), upload.filename, content)).id


@get("/imports/own/{run_id:uuid}")
async def show(
    run_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    change: FromQuery[str] = "",
    header: FromQuery[int | None] = None,
) -> Template:
    """The mapping, or what comes of the file."""
    return await _run_page(actor, page, run_id, Typed(), mapping=bool(change) or header is not None, header=header)


@post("/imports/own/{run_id:uuid}/mapping")
async def map_columns(
    run_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    data: URLEncodedBody[MappingForm],
) -> Redirect | Template:
    """Try the file with this mapping; nothing of it is written."""
    try:
        async with unit_of_work(actor) as session:
            await service_own.map_columns(session, actor, run_id, data.command(), data.save_as)
    except Invalid as error:
        return await _run_page(actor, page, run_id, Typed(data, error), mapping=True, header=None)
    return page.go(f"/imports/own/{run_id}")


@post("/imports/own/{run_id:uuid}/apply")
async def apply(
    run_id: FromPath[UUID], actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[EmptyForm]
) -> Redirect | Template:
    """Make drafts of the good rows."""
    try:
        async with unit_of_work(actor) as session:
            await service_own.apply(session, actor, run_id)
    except service_own.AlreadyApplied as error:
        return await _run_page(actor, page, run_id, Typed(data, error), mapping=False, header=None)
    return page.go(f"/imports/own/{run_id}")


@post("/imports/own/{run_id:uuid}/undo")
async def undo(
    run_id: FromPath[UUID], actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[EmptyForm]
) -> Redirect | Template:
    """Take the import back as a whole."""
    try:
        async with unit_of_work(actor) as session:
            await service_own.undo(session, actor, run_id)
    except service_own.ActedOn as error:
        return await _run_page(actor, page, run_id, Typed(data, error), mapping=False, header=None)
    return page.go(f"/imports/own/{run_id}")


@get("/imports/own/{run_id:uuid}/rest")
async def rest(run_id: FromPath[UUID], actor: NamedDependency[Actor], kind: FromQuery[str] = "xlsx") -> Response[bytes]:
    """The rows that were not applied, as they stand in the file, with their reasons."""
    async with unit_of_work(actor) as session:
        run = await service_own.get_run(session, actor, run_id)
        head, rows = service_own.left_over(await service_own.read_grid(actor, run), service_own.found_of(run))
    return tables.file("rows-not-applied", kind, head, rows)


@post("/imports/mappings/{mapping_id:uuid}/forget")
async def forget(
    mapping_id: FromPath[UUID],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    data: URLEncodedBody[EmptyForm],
) -> Redirect:
    """Throw a saved mapping away."""
    async with unit_of_work(actor) as session:
        await service_own.forget_mapping(session, actor, mapping_id)
    return page.go("/imports/own")


async def _run_page(
    actor: Actor, page: Page, run_id: UUID, typed: Typed, *, mapping: bool, header: int | None
) -> Template:
    async with unit_of_work(actor) as session:
        run = await service_own.get_run(session, actor, run_id)
        view = own_view(run, mapping=mapping)
        found = service_own.found_of(run)
        form = mapping_view(found, await service_own.read_grid(actor, run), header) if view.mapping else None
    error: PortalError | None = typed.error
    status = status_of(error) if error is not None else 200
    return page.render(
        "imports/own.html", active="imports", status=status, run=view, form=form, found=found, typed=typed
    )


ROUTES: list[Any] = [begin, send, show, map_columns, apply, undo, rest, forget]
