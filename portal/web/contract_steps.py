"""Steps in the life of a contract, each one press on its page: answered, put in force, suspended, ended."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts import service_life
from portal.core.actor import Actor, Origin
from portal.core.db import unit_of_work
from portal.core.errors import Conflict, Invalid
from portal.parameters import FromPath, URLEncodedBody
from portal.schedules.service_contract import complete_contract
from portal.web.contract_forms import AcceptForm, DeclineForm, ReasonForm, StepForm, TerminateForm
from portal.web.contract_views import refused_contract
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.second_factor import UNPROVEN


@post("/contracts/{contract_id:uuid}/propose")
async def propose(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Ask the partner for its answer."""
    await service_life.propose(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}")


@post("/contracts/{contract_id:uuid}/accept")
async def accept(
    actor: NamedDependency[Actor],
    origin: NamedDependency[Origin],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[AcceptForm],
) -> Template | Redirect:
    """Agree for the own company."""
    try:
        async with unit_of_work(actor) as session:
            await service_life.accept(session, actor, contract_id, data.version, origin, code=data.code)
    except UNPROVEN as error:
        return await refused_contract(actor, page, contract_id, error)
    return page.go(f"/contracts/{contract_id}")


@post("/contracts/{contract_id:uuid}/decline")
async def decline(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[DeclineForm],
) -> Template | Redirect:
    """Do not agree, and say why."""

    async def step(session: AsyncSession) -> None:
        await service_life.decline(session, actor, contract_id, data.command(), data.version)

    return await _take(actor, page, contract_id, "decline", data, step)


@post("/contracts/{contract_id:uuid}/withdraw")
async def withdraw(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Take the proposal back."""
    await service_life.withdraw(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}")


@post("/contracts/{contract_id:uuid}/activate")
async def activate(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Put the contract in force."""
    await service_life.activate(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}")


@post("/contracts/{contract_id:uuid}/complete")
async def complete(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """End the contract."""
    await complete_contract(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}")


@post("/contracts/{contract_id:uuid}/suspend")
async def suspend(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[ReasonForm],
) -> Template | Redirect:
    """Call off nothing new until it is resumed."""

    async def step(session: AsyncSession) -> None:
        await service_life.suspend(session, actor, contract_id, data.command(), data.version)

    return await _take(actor, page, contract_id, "suspend", data, step)


@post("/contracts/{contract_id:uuid}/resume")
async def resume(
    session: NamedDependency[AsyncSession],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[StepForm],
) -> Redirect:
    """Go on after a suspension."""
    await service_life.resume(session, actor, contract_id, data.version)
    return page.go(f"/contracts/{contract_id}")


@post("/contracts/{contract_id:uuid}/terminate")
async def terminate(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[TerminateForm],
) -> Template | Redirect:
    """End the contract before its time."""

    async def step(session: AsyncSession) -> None:
        await service_life.terminate(session, actor, contract_id, data.command(), data.version)

    return await _take(actor, page, contract_id, "terminate", data, step)


async def _take(
    actor: Actor, page: Page, contract_id: UUID, form: str, data: Form, step: Callable[[AsyncSession], Awaitable[None]]
) -> Template | Redirect:
    """Take a step that its form asks for, or show the contract's page again with the form as it was filled in."""
    try:
        async with unit_of_work(actor) as session:
            await step(session)
    except (Invalid, Conflict) as error:
        return await refused_contract(actor, page, contract_id, error, form, data)
    return page.go(f"/contracts/{contract_id}")


ROUTES: list[HTTPRouteHandler] = [
    propose,
    accept,
    decline,
    withdraw,
    activate,
    suspend,
    resume,
    terminate,
    complete,
]
