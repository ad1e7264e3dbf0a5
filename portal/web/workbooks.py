"""Answers and commits by workbook: take it out, send it back, look at what it does, apply the good rows."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.forecasts.rules import Span
from portal.parameters import FromPath, FromQuery
from portal.sync import service_books, sheet_answers, sheet_commits
from portal.web import tables
from portal.web.contract_sheets import file_of, ticked
from portal.web.errors import status_of
from portal.web.forms import known_fields
from portal.web.pages import Page
from portal.web.typed import Typed
from portal.web.workbook_views import crumbs, workbook_view


@get("/answers/workbook")
async def answers(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    contract: FromQuery[UUID | None] = None,
    on_behalf: FromQuery[bool] = False,
) -> Response[bytes]:
    """What waits for an answer, as a workbook that can come back."""
    content = await sheet_answers.export(session, actor, contract, on_behalf)
    return tables.workbook(f"answers-{_today(actor)}", content)


@get("/contracts/{contract_id:uuid}/forecast/workbook")
async def commits(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    contract_id: FromPath[UUID],
    span: FromQuery[Span] = Span.WEEK,
) -> Response[bytes]:
    """The forecast with what is committed, as a workbook that can come back."""
    content = await sheet_commits.export(session, actor, contract_id, span)
    return tables.workbook(f"commits-{_today(actor)}", content)


@get("/workbooks")
async def workbooks(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """Where workbooks go out and come back."""
    return _form(actor, page, Typed())


@post("/workbooks")
async def send(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Redirect | Template:
    """Try a workbook; nothing is applied."""
    form = await known_fields(request, "file")
    try:
        name, content = await file_of(form.get("file"))
        async with unit_of_work(actor) as session:
            run = await service_books.upload(session, actor, name, content)
    except (Invalid, Conflict) as error:
        return _form(actor, page, Typed(None, error), status_of(error))
    return page.go(f"/workbooks/{run.id}")


@get("/workbooks/{run_id:uuid}")
async def show(
    run_id: FromPath[UUID],
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
) -> Template:
    """What a workbook does, or has done."""
    run = await service_books.get_run(session, actor, run_id)
    return page.render("contracts/sheet_run.html", active="schedules", run=workbook_view(run), crumbs=crumbs(run))


@post("/workbooks/{run_id:uuid}/apply")
async def apply(
    request: Request[Any, Any, Any], run_id: FromPath[UUID], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Redirect:
    """Apply the good rows, and of the conflicts those that were ticked."""
    mine = ticked(await known_fields(request, "mine"))
    async with unit_of_work(actor) as session:
        await service_books.apply(session, actor, run_id, mine)
    return page.go(f"/workbooks/{run_id}")


@get("/workbooks/{run_id:uuid}/rest")
async def rest(
    run_id: FromPath[UUID], session: NamedDependency[AsyncSession], actor: NamedDependency[Actor]
) -> Response[bytes]:
    """The rows that were not applied, with their reasons, as a workbook that can be mended and sent again."""
    return tables.workbook("not-applied", await service_books.left_over(session, actor, run_id))


def _today(actor: Actor) -> str:
    return local_today(clock.now(), actor.time_zone).isoformat()


def _form(actor: Actor, page: Page, typed: Typed, status: int = 200) -> Template:
    sheet_answers.require_either(actor)
    behalf = actor.is_factory and actor.may(Permission.PUBLISH_SCHEDULES)
    shown = {"typed": typed, "answers": actor.may(Permission.CONFIRM_LINES), "behalf": behalf}
    return page.render("schedules/workbooks.html", active="schedules", status=status, **shown)


ROUTES: list[Any] = [answers, commits, workbooks, send, show, apply, rest]
