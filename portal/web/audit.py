"""The audit log: search, export, and the proof that nothing is missing. Failed deliveries of events stand beside it."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import Field

from portal.core import deliveries
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.i18n import N_
from portal.parameters import FromQuery, URLEncodedBody
from portal.web import audit_views
from portal.web.audit_views import Asked
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.people import Ids


class TryAgainForm(Form):
    ids: Ids = Field(default=[], max_length=500)


@get("/audit")
async def audit_log(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    kind: FromQuery[str] = "",
    member: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    subject: FromQuery[str] = "",
    cursor: FromQuery[str | None] = None,
) -> Template:
    """Who did what, newest first."""
    asked = Asked(kind, member, since, until, subject, cursor)
    return page.render("audit/list.html", active="audit", **await audit_views.context(actor, asked))


@get("/audit/export")
async def export(
    actor: NamedDependency[Actor],
    kind: FromQuery[str] = "",
    member: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    subject: FromQuery[str] = "",
) -> Response[bytes]:
    """The log as a file, as it is filtered."""
    return await audit_views.export(actor, Asked(kind, member, since, until, subject))


@get("/audit/chain")
async def chain(actor: NamedDependency[Actor], page: NamedDependency[Page]) -> Template:
    """Recompute every seal and say what was found."""
    return page.render("audit/chain.html", active="audit", **await audit_views.proof(actor))


class NothingTicked(Invalid):
    code = "no-event-ticked"
    text = N_("No event was ticked. Tick those that are to be tried again.")


@get("/jobs")
async def jobs(actor: NamedDependency[Actor], page: NamedDependency[Page], done: FromQuery[int] = 0) -> Template:
    """Events that could not be delivered, and what still waits."""
    return await jobs_page(actor, page, done)


async def jobs_page(actor: Actor, page: Page, done: int = 0, error: PortalError | None = None) -> Template:
    async with read(actor) as connection:
        queue = await deliveries.queue(connection, actor)
        failed = await deliveries.list_failed(connection, actor)
    shown: dict[str, Any] = {"queue": queue, "failed": failed, "done": done, "refusal": str(error or "")}
    return page.render("audit/jobs.html", active="audit", status=status_of(error) if error else 200, **shown)


@post("/jobs/try-again")
async def try_again(
    actor: NamedDependency[Actor], page: NamedDependency[Page], data: URLEncodedBody[TryAgainForm]
) -> Template | Redirect:
    """Let the worker try failed deliveries once more."""
    try:
        if not data.ids:
            raise NothingTicked(field="ids")
        async with unit_of_work(actor) as session:
            done = await deliveries.try_again(session, actor, data.ids)
    except (Invalid, Conflict) as error:
        return await jobs_page(actor, page, error=error)
    return page.go(f"/jobs?done={done}")


ROUTES: list[Any] = [audit_log, export, chain, jobs, try_again]
