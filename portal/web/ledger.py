"""Pages of the ledger: the periods of a contract, what a number is made of, how periods are used, use of all."""

from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service, service_commitments
from portal.contracts.model import Contract
from portal.contracts.service_commitments import TermsAgreed, can_set, get_terms
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import driver, unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.parameters import FromPath, FromQuery, URLEncodedBody
from portal.shipments import service_ledger
from portal.shipments.service_opening import get_openings
from portal.web import ledger_use, ledger_views
from portal.web.contract_list import uuid_or_none
from portal.web.errors import status_of
from portal.web.ledger_forms import CommitmentsForm, OverCallForm, PeriodsForm, TargetsForm
from portal.web.ledger_writing import periods_context, targets_context, terms_context
from portal.web.opening import opening_note
from portal.web.pages import Page
from portal.web.typed import Typed

LIVE = "/live"


@get("/contracts/{contract_id:uuid}/ledger")
async def ledger(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line: FromQuery[str] = "",
) -> Template:
    """The periods of one line of a contract."""
    contract = await service.get_contract(session, actor, contract_id)
    found = await ledger_views.ledger_context(
        await driver(session), actor, contract, await get_terms(session, contract), uuid_or_none(line),
        local_today(clock.now(), contract.time_zone),
    )  # fmt: skip
    found["opening"] = opening_note(await get_openings(session, actor, contract_id))
    return page.render(
        "ledger/ledger.html", active="contracts", live=LIVE, can_set=can_set(contract, actor),
        shows_prices=actor.may(Permission.SEE_PRICES), **found,
    )  # fmt: skip


@get("/contracts/{contract_id:uuid}/ledger/{bucket_id:uuid}")
async def period(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    bucket_id: FromPath[UUID],
    number: FromQuery[str] = "",
) -> Template:
    """What a number of one period is made of."""
    return await period_page(session, actor, page, (contract_id, bucket_id), number, Typed())


async def period_page(
    session: AsyncSession,
    actor: Actor,
    page: Page,
    ids: tuple[UUID, UUID],
    number: str,
    typed: Typed,
    status: int = 200,
) -> Template:
    """The page of one period, with what stood in its form."""
    contract = await service.get_contract(session, actor, ids[0])
    today = local_today(clock.now(), contract.time_zone)
    found = await ledger_views.period_context(await driver(session), actor, contract, ids[1], number, today)
    return page.render("ledger/period.html", active="contracts", status=status, typed=typed, **found)


@post("/contracts/{contract_id:uuid}/ledger/{bucket_id:uuid}/over-calls")
async def allow_over_call(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    bucket_id: FromPath[UUID],
    data: URLEncodedBody[OverCallForm],
) -> Template | Redirect:
    """Let more be called off than the ceiling."""
    try:
        async with unit_of_work(actor) as session:
            await service_commitments.allow_over_call(session, actor, contract_id, bucket_id, data.command())
    except (Invalid, Conflict) as error:
        async with unit_of_work(actor) as session:
            ids = (contract_id, bucket_id)
            return await period_page(session, actor, page, ids, "", Typed(data, error), status_of(error))
    return page.go(f"/contracts/{contract_id}/ledger/{bucket_id}")


# Writing -------------------------------------------------------------------------------------------------------------


async def writable(session: AsyncSession, actor: Actor, contract_id: UUID) -> Contract:
    """A contract whose periods this reader may write. Raises Forbidden, NotFound or TermsAgreed."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await service.get_contract(session, actor, contract_id)
    if not can_set(contract, actor):
        raise TermsAgreed(status=contract.status)
    return contract


@get("/contracts/{contract_id:uuid}/ledger/terms")
async def terms(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """How the periods of a draft are used, as a form."""
    contract = await writable(session, actor, contract_id)
    return page.render("ledger/terms.html", active="contracts", **await terms_context(session, actor, contract))


@post("/contracts/{contract_id:uuid}/ledger/terms")
async def set_terms(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[CommitmentsForm],
) -> Template | Redirect:
    """Say how the periods are used."""
    try:
        async with unit_of_work(actor) as session:
            await service_commitments.set_terms(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await again(actor, page, contract_id, "terms", data, error)
    return page.go(f"/contracts/{contract_id}/ledger")


@get("/contracts/{contract_id:uuid}/ledger/targets")
async def targets(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template:
    """What the history of the lines suggests."""
    contract = await writable(session, actor, contract_id)
    return page.render("ledger/targets.html", active="contracts", **await targets_context(session, actor, contract))


@post("/contracts/{contract_id:uuid}/ledger/targets")
async def set_targets(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[TargetsForm],
) -> Template | Redirect:
    """Take suggestions: the lines get monthly periods."""
    try:
        async with unit_of_work(actor) as session:
            await service_ledger.set_targets(session, actor, contract_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await again(actor, page, contract_id, "targets", data, error)
    return page.go(f"/contracts/{contract_id}/ledger")


@get("/contracts/{contract_id:uuid}/ledger/lines/{line_id:uuid}")
async def periods(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line_id: FromPath[UUID],
) -> Template:
    """The periods of one line as a list to type."""
    contract = await writable(session, actor, contract_id)
    found = await periods_context(session, actor, contract, line_id)
    return page.render("ledger/periods.html", active="contracts", **found)


@post("/contracts/{contract_id:uuid}/ledger/lines/{line_id:uuid}")
async def set_periods(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    line_id: FromPath[UUID],
    data: URLEncodedBody[PeriodsForm],
) -> Template | Redirect:
    """Write the periods of one line anew."""
    try:
        async with unit_of_work(actor) as session:
            await service_ledger.set_periods(session, actor, contract_id, line_id, data.command(), data.version)
    except (Invalid, Conflict) as error:
        return await again(actor, page, contract_id, "periods", data, error, line_id)
    return page.go(f"/contracts/{contract_id}/ledger?line={line_id}")


async def again(
    actor: Actor,
    page: Page,
    contract_id: UUID,
    name: str,
    data: Any,
    error: Invalid | Conflict,
    line_id: UUID | None = None,
) -> Template:
    """A refused form with what stood in it."""
    async with unit_of_work(actor) as session:
        contract = await writable(session, actor, contract_id)
        typed = Typed(data, error)
        if line_id is not None:
            found = await periods_context(session, actor, contract, line_id, typed)
        elif name == "terms":
            found = await terms_context(session, actor, contract, typed)
        else:
            found = await targets_context(session, actor, contract, typed)
    return page.render(f"ledger/{name}.html", active="contracts", status=status_of(error), **found)


# All contracts -------------------------------------------------------------------------------------------------------


@get("/contracts/use")
async def use(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    q: FromQuery[str] = "",
    order: FromQuery[str] = "",
    direction: FromQuery[str] = "",
    only: FromQuery[str] = "",
    partner: FromQuery[str] = "",
    kind: FromQuery[str] = "",
    currency: FromQuery[str] = "",
    no: FromQuery[str] = "",
) -> Template:
    """Contracts in force by risk, use or end."""
    asked = ledger_use.Asked.of(q, order, direction, only, partner, kind, currency.strip().upper(), no)
    return page.render("ledger/use.html", active="contracts", **await ledger_use.context(actor, asked))


ROUTES: list[HTTPRouteHandler] = [
    ledger,
    period,
    allow_over_call,
    terms,
    set_terms,
    targets,
    set_targets,
    periods,
    set_periods,
    use,
]
