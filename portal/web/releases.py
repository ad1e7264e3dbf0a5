"""Pages of releases: publishing and holding, the list, one beside another, the partner's answer, as known then."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import clock
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.schedules import service_answers, service_holding
from portal.scorecards.reads import BadSelection
from portal.web import delivery, release_views
from portal.web.duties import duty_context
from portal.web.errors import status_of
from portal.web.pages import Page
from portal.web.release_forms import DecideForm, PublishForm, RejectReleaseForm
from portal.web.schedule_forms import VersionForm
from portal.web.typed import Typed


@post("/contracts/{contract_id:uuid}/schedule/publish", status_code=HTTP_200_OK)
async def publish(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[PublishForm],
) -> Template | Redirect:
    """Freeze the open lines as the next release and tell the other side, or hold it for an approver."""
    try:
        async with unit_of_work(actor) as session:
            made = await service_holding.release(session, actor, contract_id, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await delivery.drafts_again(actor, page, contract_id, "publish_form", data, error)
    return page.go(f"/contracts/{contract_id}/{'drafts' if made.prepared_id else 'schedule'}")


@post("/contracts/{contract_id:uuid}/held/approve", status_code=HTTP_200_OK)
async def approve(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[DecideForm],
) -> Redirect:
    """Publish what is held."""
    await service_holding.approve_release(session, actor, contract_id, data.version, data.command())
    return page.go(f"/contracts/{contract_id}/schedule")


@post("/contracts/{contract_id:uuid}/held/discard", status_code=HTTP_200_OK)
async def discard(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[DecideForm],
) -> Redirect:
    """Do not tell what is held."""
    await service_holding.discard_release(session, actor, contract_id, data.version, data.command())
    return page.go(f"/contracts/{contract_id}/drafts")


@get("/contracts/{contract_id:uuid}/releases")
async def releases(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """All releases of a contract and how they stand."""
    context = await release_views.release_list(actor, contract_id)
    return page.render("releases/list.html", active="contracts", **context)


@get("/contracts/{contract_id:uuid}/releases/{number:int}")
async def release(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    number: FromPath[int],
    against: FromQuery[int | None] = None,
    told: FromQuery[bool] = False,
) -> Template:
    """One release beside another; without one, beside the one before it."""
    return await _shown(actor, page, contract_id, number, Typed(), against, told)


async def _shown(
    actor: Actor,
    page: Page,
    contract_id: UUID,
    number: int,
    rejecting: Typed,
    against: int | None = None,
    told: bool = False,
) -> Template:
    """The page of a release. rejecting: what stood in the dialog that rejects it, and why that was refused."""
    context = await release_views.release(actor, contract_id, number, against, told)
    context |= await duty_context(actor, contract_id, number)
    refusal = rejecting.refusal(*("reason",) if "reject" in context["actions"] else ())
    status = 200 if rejecting.error is None else status_of(rejecting.error)
    shown = {"rejecting": rejecting, "refusal": refusal}
    return page.render("schedules/release.html", active="schedules", status=status, **context, **shown)


@post("/contracts/{contract_id:uuid}/releases/{number:int}/acknowledge", status_code=HTTP_200_OK)
async def acknowledge(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    number: FromPath[int],
    data: URLEncodedBody[VersionForm],
) -> Redirect:
    """The partner works by this release."""
    await service_answers.acknowledge_release(session, actor, contract_id, number, data.version)
    return page.go(f"/contracts/{contract_id}/releases/{number}")


@post("/contracts/{contract_id:uuid}/releases/{number:int}/reject", status_code=HTTP_200_OK)
async def reject(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    number: FromPath[int],
    data: URLEncodedBody[RejectReleaseForm],
) -> Template | Redirect:
    """The partner refuses this release; the one before stays in force."""
    try:
        async with unit_of_work(actor) as session:
            await service_answers.reject_release(session, actor, contract_id, number, data.version, data.command())
    except (Invalid, Conflict) as error:
        return await _shown(actor, page, contract_id, number, Typed(data, error))
    return page.go(f"/contracts/{contract_id}/releases/{number}")


def moment_of(typed: str, zone: str) -> datetime:
    """An instant as the form sends it, in the reader's zone; empty: now. Raises BadSelection."""
    if not typed:
        return clock.now()
    try:
        found = datetime.fromisoformat(typed)
        return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadSelection(field="as_of") from error


@get("/contracts/{contract_id:uuid}/known")
async def known(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    as_of: FromQuery[str] = "",
) -> Template:
    """The schedule as it stood at a past moment, and as both sides could see it then."""
    context = await release_views.as_known(actor, contract_id, moment_of(as_of, actor.time_zone))
    return page.render("releases/known.html", active="schedules", **context)


ROUTES: list[HTTPRouteHandler] = [publish, approve, discard, releases, release, acknowledge, reject, known]
