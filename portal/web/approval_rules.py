"""Rules without code: what is in force at each point, the draft, one rule as a form, the trial, files of rules."""

from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from pydantic import ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import service_sets, service_trial, service_writing
from portal.approvals.rules_checking import check_point
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.faults import FieldEmpty
from portal.core.files import disposition
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.web import contract_offer_forms, rule_form, rule_views
from portal.web.errors import status_of
from portal.web.forms import Form
from portal.web.pages import Page

Version = Annotated[int, Field(ge=0, le=2_000_000_000)]


class DraftForm(Form):
    version: Version
    do: Literal["begin", "discard", "up", "down", "remove"]
    no: int = Field(default=0, ge=0, le=1000)


class PublishForm(Form):
    version: Version
    live_from: str = Field(default="", max_length=16)
    note: str = Field(default="", max_length=300)


class ImportForm(Form):
    model_config = ConfigDict(str_max_length=200_000)

    version: Version
    file: str = Field("", max_length=200_000)

    def content(self) -> str:
        if not self.file:
            raise FieldEmpty(field="file")
        return self.file


@get("/rules")
async def points(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], page: NamedDependency[Page]
) -> Template:
    """The points where approvals are asked."""
    return page.render("rules/points.html", active="approvals", **await rule_views.points_context(session, actor))


@get("/rules/{point:str}")
async def rules(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    point: FromPath[str],
) -> Template:
    """The rules of one point: the draft, what is in force, earlier versions."""
    return await point_page(session, actor, page, point)


async def point_page(
    session: AsyncSession, actor: Actor, page: Page, point: str, status: int = 200, **more: Any
) -> Template:
    found = await rule_views.point_context(session, actor, check_point(point))
    return page.render("rules/point.html", active="approvals", status=status, **(found | more))


@post("/rules/{point:str}/draft")
async def draft(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    point: FromPath[str],
    data: URLEncodedBody[DraftForm],
) -> Redirect:
    """Begin or throw away the draft; move or remove one of its rules."""
    await service_writing.change(session, actor, check_point(point), data.version, data.do, data.no)
    return page.go(f"/rules/{point}")


@get("/rules/{point:str}/rule")
async def rule(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    point: FromPath[str],
    no: FromQuery[str] = "",
) -> Template:
    """One rule of the draft as a form; without a number a new one, `otherwise` what holds when none fits."""
    found = check_point(point)
    known = await rule_views.known_at(session, actor, found)
    form, version = await rule_views.form_of(session, actor, found, no, known)
    context = rule_views.form_context(found, known, form, no, version)
    return page.render("rules/rule.html", active="approvals", **context)


@post("/rules/{point:str}/rule")
async def write(
    request: Request[Any, Any, Any], actor: NamedDependency[Actor], page: NamedDependency[Page], point: FromPath[str]
) -> Template | Redirect:
    """Save the rule, or change the form: a condition more, one less."""
    typed = await contract_offer_forms.read(request)
    return await rule_page(actor, page, point, typed)


async def rule_page(actor: Actor, page: Page, name: str, typed: dict[str, str]) -> Template | Redirect:
    """What the pressed button means; the form again unless the rule was saved."""
    service_sets.require(actor)
    point, do, no = check_point(name), typed.get("do", "save"), typed.get("no", "")
    async with unit_of_work(actor) as session:
        known = await rule_views.known_at(session, actor, point)
    form, version = rule_form.typed_form(typed, known), rule_views.version_of(typed)
    error: Invalid | Conflict | None = None
    if do == "save":
        try:
            async with unit_of_work(actor) as session:
                await rule_views.save(session, actor, point, no, form, version)
            return page.go(f"/rules/{name}")
        except (Invalid, Conflict) as refused:
            error = refused
    else:
        rule_views.reshape(form, known, do, typed)
    context = rule_views.form_context(point, known, form, no, version, error)
    status = status_of(error) if error else 200
    return page.render("rules/rule.html", active="approvals", status=status, **context)


@get("/rules/{point:str}/trial")
async def trial(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    point: FromPath[str],
    days: FromQuery[int] = service_trial.DAYS,
) -> Template:
    """What the draft would have said to past requests."""
    found = check_point(point)
    since, result = await service_trial.try_draft(session, actor, found, days)
    return page.render(
        "rules/trial.html", active="approvals", **rule_views.trial_context(actor, found, days, since, result)
    )


@post("/rules/{point:str}/publish")
async def publish(
    actor: NamedDependency[Actor], page: NamedDependency[Page], point: FromPath[str], data: URLEncodedBody[PublishForm]
) -> Template | Redirect:
    """Put the draft in force."""
    service_sets.require(actor)
    try:
        moment = rule_views.instant(data.live_from, actor.time_zone)
        async with unit_of_work(actor) as session:
            await service_sets.publish(session, actor, check_point(point), data.version, moment, data.note)
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            return await point_page(session, actor, page, point, status_of(error), refusal=str(error))
    return page.go(f"/rules/{point}")


@post("/rules/{point:str}/file")
async def bring_in(
    actor: NamedDependency[Actor], page: NamedDependency[Page], point: FromPath[str], data: URLEncodedBody[ImportForm]
) -> Template | Redirect:
    """Write the draft anew from an exported file."""
    service_sets.require(actor)
    try:
        async with unit_of_work(actor) as session:
            await service_sets.bring_in(session, actor, check_point(point), data.content(), data.version)
    except (Invalid, Conflict) as error:
        more = {"file": data.file, "file_wrong" if isinstance(error, FieldEmpty) else "refusal": str(error)}
        async with unit_of_work(actor) as session:
            return await point_page(session, actor, page, point, status_of(error), **more)
    return page.go(f"/rules/{point}")


@get("/rules/{point:str}/file")
async def export(
    session: NamedDependency[AsyncSession], actor: NamedDependency[Actor], point: FromPath[str], number: FromQuery[int]
) -> Response[bytes]:
    """One version as a file."""
    found = await service_sets.get_set(session, actor, check_point(point), number)
    text = service_sets.exported(found).model_dump_json(indent=2, exclude_defaults=False)
    headers = {"content-disposition": disposition(f"rules-{point}-{number}.json")}
    return Response(text.encode(), media_type="application/json", headers=headers)


ROUTES: list[HTTPRouteHandler] = [points, rules, draft, rule, write, trial, publish, bring_in, export]
