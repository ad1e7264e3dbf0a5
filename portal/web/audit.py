"""The audit log: search, export, and the proof that nothing is missing. Failed deliveries of events stand beside it."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import deliveries
from portal.core.actor import Actor
from portal.core.db import read
from portal.parameters import FromQuery, URLEncodedBody
from portal.web import audit_views
from portal.web.audit_views import Asked
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.people import Ids


class TryAgainForm(Form):
    ids: Ids = Field(min_length=1, max_length=500)


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


@get("/jobs")
async def jobs(actor: NamedDependency[Actor], page: NamedDependency[Page], done: FromQuery[int] = 0) -> Template:
    """Events that could not be delivered, and what still waits."""
    async with read(actor) as connection:
        queue = await deliveries.queue(connection, actor)
        failed = await deliveries.list_failed(connection, actor)
    return page.render("audit/jobs.html", active="audit", queue=queue, failed=failed, done=done)


@post("/jobs/try-again")
async def try_again(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    data: URLEncodedBody[TryAgainForm],
) -> Redirect:
    """Let the worker try failed deliveries once more."""
    return page.go(f"/jobs?done={await deliveries.try_again(session, actor, data.ids)}")


ROUTES: list[Any] = [audit_log, export, chain, jobs, try_again]
