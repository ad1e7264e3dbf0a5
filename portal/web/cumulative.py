"""Pages of cumulative quantities: the figures both sides see, reports, corrections, resets and the answers to them."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK

from portal.core import i18n
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.shipments import reads_cumulative as reads
from portal.shipments import service_cumulative as service
from portal.shipments import words_cumulative as words
from portal.shipments.model_cumulative import EntryKind
from portal.web import cumulative_views
from portal.web.contract_list import uuid_or_none
from portal.web.cumulative_forms import CorrectForm, EntryForm, PolicyForm, ReportForm, ResetForm
from portal.web.errors import status_of
from portal.web.pages import Page, unit_name
from portal.web.typed import Typed

LIVE = "/live"


@get("/contracts/{contract_id:uuid}/cumulative")
async def cumulative(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID], line: FromQuery[str] = ""
) -> Template:
    """The cumulative quantities of one part."""
    return await shown(actor, page, contract_id, uuid_or_none(line), Typed())


async def shown(
    actor: Actor, page: Page, contract_id: UUID, line: UUID | None, typed: Typed, status: int = 200
) -> Template:
    """The page, with what stood in a refused form."""
    found = await cumulative_views.context(actor, contract_id, line, typed)
    return page.render("cumulative/cumulative.html", active="contracts", live=LIVE, status=status, **found)


async def done(
    actor: Actor, page: Page, contract_id: UUID, line: UUID | None, data: Any, command: Any
) -> Template | Redirect:
    """Do a command in its own transaction; a refusal shows the page again."""
    try:
        async with unit_of_work(actor) as session:
            await command(session)
    except (Invalid, Conflict) as error:
        return await shown(actor, page, contract_id, line, Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}/cumulative" + (f"?line={line}" if line else ""))


@post("/contracts/{contract_id:uuid}/cumulative/policy", status_code=HTTP_200_OK)
async def set_policy(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    data: URLEncodedBody[PolicyForm],
) -> Template | Redirect:  # fmt: skip
    """How the contract counts."""
    return await done(
        actor, page, contract_id, None, data,
        lambda session: service.set_policy(session, actor, contract_id, data.command(), data.version),
    )  # fmt: skip


@post("/contracts/{contract_id:uuid}/cumulative/{line_id:uuid}/reports", status_code=HTTP_200_OK)
async def report(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    line_id: FromPath[UUID], data: URLEncodedBody[ReportForm],
) -> Template | Redirect:  # fmt: skip
    """What the own books say."""
    return await done(
        actor, page, contract_id, line_id, data,
        lambda session: service.report(session, actor, contract_id, line_id, data.command()),
    )  # fmt: skip


@post("/contracts/{contract_id:uuid}/cumulative/{line_id:uuid}/corrections", status_code=HTTP_200_OK)
async def correct(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    line_id: FromPath[UUID], data: URLEncodedBody[CorrectForm],
) -> Template | Redirect:  # fmt: skip
    """Propose a correction."""
    return await done(
        actor, page, contract_id, line_id, data,
        lambda session: service.correct(session, actor, contract_id, line_id, data.command()),
    )  # fmt: skip


@get("/contracts/{contract_id:uuid}/cumulative/{line_id:uuid}/reset")
async def reset_form(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    line_id: FromPath[UUID], sync_date: FromQuery[str] = "",
) -> Template:  # fmt: skip
    """First the day from which documents count again, then the deliveries that straddle it and the rest."""
    return await reset_page(actor, page, (contract_id, line_id), Typed(sync_date=sync_date))


async def reset_page(actor: Actor, page: Page, ids: tuple[UUID, UUID], typed: Typed, status: int = 200) -> Template:
    """The form with the documents that lie on both sides of the day."""
    service.need(actor)
    async with read(actor) as connection:
        head = await reads.head(connection, actor, ids[0])
        line = await reads.line(connection, actor, head, ids[1])
    try:
        sync = date.fromisoformat(str(typed.value("sync_date")))
    except ValueError:
        sync = None
    moved = line.straddling(sync) if sync else []
    kinds = [(one.value, _(name)) for one, name in words.KINDS.items() if one is not EntryKind.CORRECTION]
    reasons = [(one.value, _(name)) for one, name in words.REASONS.items()]
    straddling = [
        (one.number, i18n.day(one.movement.despatched_on, year=True), show_quantity(one.movement.shipped, line.unit),
         i18n.day(one.movement.received_on, year=True) if one.movement.received_on else _("on the way"))
        for one in moved
    ]  # fmt: skip
    return page.render(
        "cumulative/reset.html", active="contracts", status=status, head=head, line=line, typed=typed, sync=sync,
        straddling=straddling, kinds=kinds, reasons=reasons, unit=unit_name(line.unit),
    )  # fmt: skip


@post("/contracts/{contract_id:uuid}/cumulative/{line_id:uuid}/reset", status_code=HTTP_200_OK)
async def reset(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    line_id: FromPath[UUID], data: URLEncodedBody[ResetForm],
) -> Template | Redirect:  # fmt: skip
    """Propose that the count begins anew."""
    try:
        async with unit_of_work(actor) as session:
            await service.reset(session, actor, contract_id, line_id, data.command())
    except (Invalid, Conflict) as error:
        return await reset_page(actor, page, (contract_id, line_id), Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}/cumulative?line={line_id}")


@post("/contracts/{contract_id:uuid}/cumulative/entries/{entry_id:uuid}", status_code=HTTP_200_OK)
async def answer(
    actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID],
    entry_id: FromPath[UUID], data: URLEncodedBody[EntryForm],
) -> Redirect:  # fmt: skip
    """Agree to a proposal, decline it, or take it back."""
    async with unit_of_work(actor) as session:
        entry = await service.answer(session, actor, contract_id, entry_id, data.action)
        line = entry.contract_line_id
    return page.go(f"/contracts/{contract_id}/cumulative?line={line}")


ROUTES: list[HTTPRouteHandler] = [cumulative, set_policy, report, correct, reset_form, reset, answer]
