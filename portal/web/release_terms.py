"""Pages of what releases are made by: the plan, what cancelling costs, and the plan for one published delivery."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_, _
from portal.parameters import FromPath, URLEncodedBody
from portal.schedules import service_plans, service_splitting
from portal.schedules.model import Trigger
from portal.schedules.model_releases import HoldBy
from portal.web import delivery, release_views
from portal.web.contract_extras import EmptyForm
from portal.web.errors import status_of
from portal.web.pages import Page
from portal.web.release_forms import JoinLinesForm, PlanForm, PlanLineForm, SplitLineForm, TermsForm
from portal.web.typed import Typed, plain

HOLDS = {
    HoldBy.NONE: N_("never"),
    HoldBy.CURVE: N_("by the running totals"),
    HoldBy.TEMPLATE: N_("by commitment level: firm 0, make 5, buy 15 to 20, plan 25 to 50 %"),
}
TRIGGERS = {
    Trigger.MANUAL: N_("By hand only"),
    Trigger.EVERY: N_("Every so many days"),
    Trigger.WEEKDAYS: N_("On chosen weekdays"),
    Trigger.CHANGE: N_("When something changes"),
}
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


async def plan_context(
    session: AsyncSession, actor: Actor, contract_id: UUID, typed: Typed | None = None
) -> dict[str, Any]:
    """What `releases/plan.html` shows."""
    plan = await service_plans.get_plan(session, actor, contract_id)
    names = [name for name in PlanForm.model_fields if name not in ("version", "weekdays", "only_transmitted")]
    first: dict[str, Any] = {name: plain(getattr(plan, name)) for name in names}
    first |= {"only_transmitted": "yes" if plan.only_transmitted else "", "weekdays": [str(n) for n in plan.weekdays]}
    return {
        "contract": await get_contract(session, actor, contract_id),
        "version": plan.version,
        "typed": typed or Typed(None, None, **first),
        "fields": tuple(PlanForm.model_fields),
        "triggers": [(kind.value, _(name)) for kind, name in TRIGGERS.items()],
        "holds": [(kind.value, _(name)) for kind, name in HOLDS.items()],
        "weekdays": [(str(n), _(name)) for n, name in enumerate(WEEKDAYS)],
    }


@get("/contracts/{contract_id:uuid}/release-plan")
async def plan(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """How the contract's releases are made."""
    context = await plan_context(session, actor, contract_id)
    return page.render("releases/plan.html", active="contracts", **context)


@post("/contracts/{contract_id:uuid}/release-plan", status_code=HTTP_200_OK)
async def set_plan(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[PlanForm],
) -> Template | Redirect:
    """Decide how releases are made from now on."""
    try:
        async with unit_of_work(actor) as session:
            await service_plans.set_plan(session, actor, contract_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await plan_again(actor, page, contract_id, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}/drafts")


async def plan_again(actor: Actor, page: Page, contract_id: UUID, typed: Typed, status: int) -> Template:
    """The form with what was typed and why it was not taken."""
    async with unit_of_work(actor) as session:
        context = await plan_context(session, actor, contract_id, typed)
    return page.render("releases/plan.html", active="contracts", status=status, **context)


async def exposure_context(actor: Actor, contract_id: UUID, typed: Typed | None = None) -> dict[str, Any]:
    """What `releases/exposure.html` shows, with the form for whoever may set the terms."""
    shown = await release_views.exposure(actor, contract_id)
    async with unit_of_work(actor) as session:
        terms = await service_plans.get_terms(session, actor, contract_id)
    names = [name for name in TermsForm.model_fields if name != "version"]
    first = {name: plain(getattr(terms, name)) for name in names}
    may = actor.may(Permission.EDIT_CONTRACTS)
    return {**shown, "typed": typed or Typed(None, None, **first), "fields": names, "terms": terms, "can_set": may}


@get("/contracts/{contract_id:uuid}/exposure")
async def exposure(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """What cancelling would cost, over time."""
    context = await exposure_context(actor, contract_id)
    return page.render("releases/exposure.html", active="contracts", **context)


@post("/contracts/{contract_id:uuid}/exposure", status_code=HTTP_200_OK)
async def set_terms(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[TermsForm],
) -> Template | Redirect:
    """Write down what was agreed about cancelling."""
    try:
        async with unit_of_work(actor) as session:
            await service_plans.set_terms(session, actor, contract_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        context = await exposure_context(actor, contract_id, Typed(data, error))
        return page.render("releases/exposure.html", active="contracts", status=status_of(error), **context)
    return page.go(f"/contracts/{contract_id}/exposure")


@post("/schedule-lines/{line_id:uuid}/plan", status_code=HTTP_200_OK)
async def plan_line(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[PlanLineForm],
) -> Template | Redirect:
    """Note what the next release will ask for."""
    try:
        async with unit_of_work(actor) as session:
            await service_plans.plan_line(session, actor, line_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await delivery.shown_again(actor, page, line_id, "plan_form", Typed(data, error))
    return page.go(f"/schedule-lines/{line_id}#plan")


@post("/schedule-lines/{line_id:uuid}/unplan", status_code=HTTP_200_OK)
async def unplan_line(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[EmptyForm],
) -> Redirect:
    """Leave the delivery as it is published."""
    await service_plans.unplan_line(session, actor, line_id)
    return page.go(f"/schedule-lines/{line_id}#plan")


@post("/schedule-lines/{line_id:uuid}/split", status_code=HTTP_200_OK)
async def split_line(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[SplitLineForm],
) -> Template | Redirect:
    """A part of the delivery becomes one of its own with the next release."""
    try:
        async with unit_of_work(actor) as session:
            await service_splitting.split_line(session, actor, line_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await delivery.shown_again(actor, page, line_id, "split_form", Typed(data, error))
    return page.go(f"/schedule-lines/{line_id}#plan")


@post("/schedule-lines/{line_id:uuid}/join", status_code=HTTP_200_OK)
async def join_lines(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    line_id: FromPath[UUID],
    data: URLEncodedBody[JoinLinesForm],
) -> Template | Redirect:
    """Other deliveries of the day become part of this one with the next release."""
    try:
        async with unit_of_work(actor) as session:
            await service_splitting.join_lines(session, actor, line_id, data.version, data.command())
    except (Conflict, Invalid) as error:
        return await delivery.shown_again(actor, page, line_id, "join_form", Typed(data, error))
    return page.go(f"/schedule-lines/{line_id}#plan")


ROUTES: list[HTTPRouteHandler] = [
    plan, set_plan, exposure, set_terms, plan_line, unplan_line, split_line, join_lines,
]  # fmt: skip
