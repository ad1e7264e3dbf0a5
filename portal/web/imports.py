"""Imports: send a file, look at what it would become, write it. The work is a job's; these pages watch it."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import i18n, paging
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Invalid
from portal.core.i18n import N_, _, ngettext
from portal.core.model import ImportRun
from portal.core.quantities import show_money
from portal.parameters import FromPath, FromQuery
from portal.sync import service_own, service_runs
from portal.sync.findings import REMARKS
from portal.sync.scms_file import SOURCE
from portal.sync.service_runs import WORKING, EmptyUpload, Outcome, Remarked, RunRow
from portal.web import own_views, tables
from portal.web.pages import Page
from portal.web.views import Column, Figure, ListView, Row

SIZE = 50
SHOWN = 100  # refused rows on the page; the file has all
TITLES = {
    "waiting": N_("Waiting to be read"),
    "reading": N_("Being read and checked"),
    "previewed": N_("Ready to apply"),
    "applying": N_("Being written"),
    "applied": N_("Applied"),
    "refused": N_("Refused: nothing was written"),
}
PLACES = {SOURCE: "/imports/{id}", service_own.KIND: "/imports/own/{id}"}
TONES = {"previewed": "waiting", "applied": "confirmed", "refused": "risk"}


class RemarkRow(Struct, frozen=True):
    """One kind of remark in words."""

    text: str
    column: str
    count: str
    rows: str


class RunView(Struct, frozen=True):
    """One import as its page shows it."""

    id: UUID
    filename: str
    status: str
    title: str
    tone: str
    working: bool
    done: int  # per cent
    progress: str
    figures: tuple[Figure, ...]
    facts: list[tuple[str, str]]
    remarks: list[RemarkRow]
    refused: list[tuple[int, str, str, str]]
    refused_count: int
    stopped: str
    sentence: str
    can_apply: bool


# --- the list ---------------------------------------------------------------------------------------------------------


@get("/imports")
async def imports(
    actor: NamedDependency[Actor], page: NamedDependency[Page], cursor: FromQuery[str | None] = None
) -> Template:
    """The drop zone, and what was imported before."""
    return await _list_page(actor, page, cursor)


@post("/imports")
async def send(
    request: Request[Any, Any, Any], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor],
    page: NamedDependency[Page],
) -> Redirect | Template:  # fmt: skip
    """Keep the file; a job reads it."""
    upload = (await request.form()).get("file")
    try:
        if not isinstance(upload, UploadFile):
            raise EmptyUpload(field="file")
        run = await service_runs.request_import(session, actor, upload.filename, await upload.read())
    except Invalid as error:
        return await _list_page(actor, page, None, error)
    return page.go(f"/imports/{run.id}")


async def _list_page(actor: Actor, page: Page, cursor: str | None, error: Invalid | None = None) -> Template:
    after = paging.decode(cursor, datetime.fromisoformat, UUID) if cursor else None
    async with read(actor) as connection:
        rows = await service_runs.list_runs(connection, actor, after, SIZE)
    more = rows[SIZE - 1] if len(rows) > SIZE else None
    shown = [Row(_cells(row, page), PLACES[row.kind].format(id=row.id)) for row in rows[:SIZE]]
    view = ListView(
        title=_("Imports"),
        columns=(
            *(Column(_("File")), Column(_("State")), Column(_("Rows"), num=True)),
            *(Column(_("Sent")), Column(_("By"))),
        ),
        rows=shown,
        empty=_("No file was imported yet. You see what a file becomes before anything of it is written."),
        shown=ngettext("{n} import", "{n} imports", len(shown)).format(n=len(shown)),
        next_href=f"/imports?cursor={paging.encode(more.created_at, more.id)}" if more else None,
        first_href="/imports" if cursor else None,
    )
    status = 422 if error else 200
    return page.render("imports/list.html", active="imports", status=status, list=view, error=str(error or ""))


def _cells(row: RunRow, page: Page) -> tuple[str, ...]:
    sent = i18n.moment(row.created_at, page.time_zone)
    titles = own_views.TITLES if row.kind == service_own.KIND else TITLES
    return (row.filename, _(titles[row.status]), i18n.number(row.rows), sent, row.who or "–")


# --- one run ----------------------------------------------------------------------------------------------------------


@get("/imports/{run_id:uuid}")
async def show(
    run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor],
    page: NamedDependency[Page],
) -> Template:  # fmt: skip
    """Preview, progress or result; while a job works, the page asks again every second."""
    actor.require(Permission.RUN_IMPORTS)
    view = run_view(await service_runs.get_run(session, actor, run_id))
    if page.by_htmx:
        return page.fragment("imports/_run.html", run=view)
    return page.render("imports/run.html", active="imports", run=view)


@post("/imports/{run_id:uuid}/apply")
async def apply(run_id: FromPath[UUID], actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Redirect:
    """Write the previewed file, by a job."""
    async with unit_of_work(actor) as session:
        await service_runs.request_apply(session, actor, run_id)
    return page.go(f"/imports/{run_id}")


@get("/imports/{run_id:uuid}/refused")
async def refused(
    run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor],
    kind: FromQuery[str] = "xlsx",
) -> Response[bytes]:  # fmt: skip
    """All refused rows as a file, to mend them by."""
    actor.require(Permission.RUN_IMPORTS)
    run = await service_runs.get_run(session, actor, run_id)
    rows = [(each.row, each.column, each.reason, each.mend) for each in service_runs.outcome_of(run).refused]
    head = [_("Row"), _("Column"), _("What is wrong"), _("How to mend it")]
    return tables.file("refused-rows", kind, head, rows)


def run_view(run: ImportRun) -> RunView:
    """Everything the page of a run says, in the reader's language."""
    found = service_runs.outcome_of(run)
    done = 100 * run.done // run.rows if run.rows else 0
    nothing = run.status == "previewed" and found.fresh == 0
    return RunView(
        id=run.id,
        filename=run.filename,
        status=run.status,
        title=_("Nothing to write") if nothing else _(TITLES[run.status]),
        tone="" if nothing else TONES.get(run.status, ""),
        working=run.status in WORKING,
        done=done,
        progress=_("{done} of {rows} rows").format(done=i18n.number(run.done), rows=i18n.number(run.rows)),
        figures=figures_of(found),
        facts=facts_of(found),
        remarks=[remark_row(remark) for remark in found.remarks],
        refused=[(each.row, each.column, each.reason, each.mend) for each in found.refused[:SHOWN]],
        refused_count=len(found.refused),
        stopped=found.stopped.sentence if found.stopped else "",
        sentence=sentence_of(run, found),
        can_apply=run.status == "previewed" and found.fresh > 0,
    )


def figures_of(found: Outcome) -> tuple[Figure, ...]:
    """The four numbers that say whether it is the right file."""
    known = found.figures
    if not known:
        return ()
    share = Decimal(known["lines_on_time"]) / known["lines"] if known["lines"] else Decimal(0)
    value = show_money(Decimal(known["value_usd"]), "USD")
    contracts = _("in {n} contracts").format(n=i18n.number(known["contracts"]))
    return (
        Figure(_("Deliveries"), i18n.number(known["lines"]), contracts),
        Figure(_("New"), i18n.number(found.fresh), _("{n} are here already").format(n=i18n.number(found.known))),
        Figure(_("On time"), i18n.rate(share), _("received not later than scheduled")),
        Figure(_("Stated value"), value, _("line by line, as the file says")),
    )


def facts_of(found: Outcome) -> list[tuple[str, str]]:
    known = found.figures
    labels = {
        "rows": _("Rows"), "parties_vendor": _("Vendors"), "project_codes": _("Project codes"), "orders": _("Orders"),
        "contracts": _("Contracts"), "price_lines": _("Contract lines"), "lines_on_time": _("Deliveries on time"),
        "orders_on_time": _("Orders with every delivery on time"), "changed": _("Database rows written"),
    }  # fmt: skip
    return [(label, i18n.number(known[name])) for name, label in labels.items() if name in known]


def remark_row(remark: Remarked) -> RemarkRow:
    cell = remark.cells[0] if remark.cells else ""
    rows = ", ".join(map(str, remark.rows)) + (" …" if remark.count > len(remark.rows) else "")
    return RemarkRow(i18n.render(REMARKS[remark.code], {"cell": cell}), remark.column, i18n.number(remark.count), rows)


def sentence_of(run: ImportRun, found: Outcome) -> str:
    """What is the case, and what can be done."""
    match run.status:
        case "previewed" if found.fresh == 0:
            return _("Every delivery of this file is here already. There is nothing to write.")
        case "previewed":
            return _("Nothing is written yet. Look at the figures; then apply the file as a whole.")
        case "applied" if found.changed == 0:
            return _("Every delivery of this file was here already; nothing was changed.")
        case "applied":
            return _("The file was written as a whole: {n} new deliveries.").format(n=i18n.number(found.fresh))
        case "refused" if found.refused:
            return _("Mend the rows below in the file and send it again.")
        case _:
            return ""


ROUTES: list[Any] = [imports, send, show, apply, refused]
