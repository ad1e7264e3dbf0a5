"""Contracts with a forecast in force, and what each company reads of it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.forecasts import reads, reads_exceptions, rules, service
from portal.forecasts.reads import Cell
from portal.forecasts.reads_exceptions import ExceptionFilter, ExceptionRow
from portal.forecasts.service import Commit, CommittedPeriod
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.factories import Made, Tenant, make_contract, today

D = Decimal


def week(number: int) -> date:
    """The Monday so many weeks from now."""
    return rules.monday(today()) + timedelta(weeks=number)


async def planned(tenant: Tenant, made: Made, weeks: dict[int, int]) -> None:
    """Deliveries on the Wednesdays of these weeks, published."""
    async with unit_of_work(tenant.factory) as session:
        for number, quantity in weeks.items():
            due = week(number) + timedelta(days=2)
            order = CallOff(contract_line_id=made.line.id, quantity=D(quantity), due_date=due)
            await call_off(session, tenant.factory, made.contract.id, order)
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())


async def make_forecast(
    tenant: Tenant, weeks: dict[int, int], direction: Direction = Direction.PURCHASE, **terms: Any
) -> Made:
    """A contract whose first release calls these quantities off."""
    made = await make_contract(tenant, direction, foq=None, **terms)
    await planned(tenant, made, weeks)
    return made


async def committed(actor: Actor, made: Made, version: int | None = None, **said: Any) -> UUID | None:
    """The seller commits, to the release in force unless another is named."""
    async with read(actor) as connection:
        head = await reads.head(connection, actor, made.contract.id)
    data = Commit(**({"release": head.release_no} | said))
    async with unit_of_work(actor) as session:
        return await service.commit(session, actor, made.contract.id, version, data)


def period(made: Made, number: int, quantity: int) -> CommittedPeriod:
    return CommittedPeriod(contract_line_id=made.line.id, start=week(number), quantity=D(quantity))


async def cells(actor: Actor, made: Made) -> dict[int, Cell]:
    """The weeks of the first line as this company reads them."""
    async with read(actor) as connection:
        head = await reads.head(connection, actor, made.contract.id)
        found = await reads.cells(connection, actor, head, week(0), rules.LONGEST)
    return {number: cell for (line, number), cell in sorted(found.items()) if line == made.line.id}


async def exceptions(actor: Actor, **wanted: Any) -> list[ExceptionRow]:
    async with read(actor) as connection:
        return await reads_exceptions.exceptions(connection, actor, ExceptionFilter(**wanted), clock.now(), today())
