"""What waits for an approval: the lists, and one case with its facts, its way and its history."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import service
from portal.approvals.effects import settle
from portal.approvals.reads import View
from portal.approvals.service import Decision
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import approval_views
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.pages import Page


class DecideForm(Form):
    version: int = Field(ge=0, le=2_000_000_000)
    verdict: Decision
    note: str = Field(default="", max_length=500)


class WithdrawForm(Form):
    version: int = Field(ge=0, le=2_000_000_000)


@get("/approvals")
async def approvals(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    view: FromQuery[str] = "",
    after: FromQuery[UUID | None] = None,
) -> Template:
    """Cases of a view, the newest first."""
    wanted = View(view) if view in list(View) else View.MINE
    found = await approval_views.list_context(actor, wanted, after)
    return page.render("approvals/list.html", active="approvals", live="/live", **found)


@get("/approvals/{case_id:uuid}")
async def case(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    case_id: FromPath[UUID],
) -> Template:
    """One case."""
    return await shown(session, actor, page, case_id)


async def shown(
    session: AsyncSession, actor: Actor, page: Page, case_id: UUID, status: int = 200, **more: Any
) -> Template:
    """The card of a case. more: what was typed and refused."""
    found = await approval_views.case_context(session, actor, case_id)
    return page.render("approvals/case.html", active="approvals", status=status, live="/live", **(found | more))


@post("/approvals/{case_id:uuid}/decide")
async def decide(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    case_id: FromPath[UUID],
    data: URLEncodedBody[DecideForm],
) -> Template | Redirect:
    """Approve or refuse; what was asked about goes on in the same moment."""
    try:
        async with unit_of_work(actor) as session:
            await settle(session, actor, case_id, data.version, data.verdict, data.note)
    except (Invalid, Conflict, Forbidden) as error:
        async with unit_of_work(actor) as session:
            return await shown(session, actor, page, case_id, status_of(error), refusal=str(error), note=data.note)
    return page.go(f"/approvals/{case_id}")


@post("/approvals/{case_id:uuid}/withdraw")
async def withdraw(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    case_id: FromPath[UUID],
    data: URLEncodedBody[WithdrawForm],
) -> Redirect:
    """Take the own request back."""
    await service.withdraw(session, actor, case_id, data.version)
    return page.go(f"/approvals/{case_id}")


ROUTES: list[HTTPRouteHandler] = [approvals, case, decide, withdraw]
