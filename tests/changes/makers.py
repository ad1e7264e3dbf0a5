"""Deliveries to be changed, and requests about them, through the commands."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.changes import service_answering, service_applying, service_asking
from portal.changes.inputs import Accept, Counter, NewChange, NewPart, Refuse
from portal.changes.model import ChangeReason, ChangeRequest, PartKind
from portal.changes.service import get_change
from portal.contracts.rules_periods import Agreed
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import PortalError
from portal.core.journal import part
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.contracts.bucket_makers import make_committed
from tests.factories import Made, Tenant, fetch, make_contract, today

D = Decimal
FAR, FIRM = 40, 10  # days ahead: outside the firm zone of 28 days, and inside it


def day(ahead: int) -> date:
    return today() + timedelta(days=ahead)


async def delivery(
    tenant: Tenant,
    direction: Direction = Direction.SALE,
    *,
    quantity: int = 100,
    ahead: int = FAR,
    spans: tuple[Agreed, ...] = (),
) -> tuple[Made, UUID]:
    """A published delivery of a contract; with spans, of one whose quantity is agreed for these periods."""
    made = await (
        make_committed(tenant, *spans, direction=direction) if spans else make_contract(tenant, direction, foq=None)
    )
    return made, await another(tenant, made, quantity, ahead)


async def another(tenant: Tenant, made: Made, quantity: int, ahead: int) -> UUID:
    """One more delivery of the contract, told with a release of its own."""
    order = CallOff(contract_line_id=made.line.id, quantity=D(quantity), due_date=day(ahead))
    async with unit_of_work(tenant.factory) as session:
        line_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    return line_id


def wish(line_id: UUID | None = None, kind: PartKind = PartKind.CHANGE, **wanted: Any) -> NewPart:
    return NewPart(kind=kind, line_id=line_id, **wanted)


def wanting(made: Made, *parts: NewPart, reason: ChangeReason = ChangeReason.DEMAND) -> NewChange:
    return NewChange(contract_id=made.contract.id, reason=reason, note="please", parts=list(parts))


async def ask(actor: Actor, made: Made, *parts: NewPart) -> ChangeRequest:
    """Drafted and sent."""
    async with unit_of_work(actor) as session:
        return await service_asking.ask_change(session, actor, wanting(made, *parts))


async def step(
    actor: Actor, command: Callable[..., Awaitable[ChangeRequest]], change_id: UUID, *more: Any, **named: Any
) -> ChangeRequest:
    """One step, committed."""
    async with unit_of_work(actor) as session:
        return await command(session, actor, change_id, *more, **named)


async def agree(actor: Actor, change_id: UUID, **named: Any) -> ChangeRequest:
    return await step(actor, service_answering.accept_change, change_id, Accept(**named))


async def refuse(actor: Actor, change_id: UUID) -> ChangeRequest:
    return await step(actor, service_answering.decline_change, change_id, Refuse(reason="no room"))


async def counter(actor: Actor, change_id: UUID, *parts: NewPart) -> ChangeRequest:
    return await step(actor, service_answering.counter_change, change_id, Counter(parts=list(parts)))


async def worked(tenant: Tenant, change_id: UUID) -> ChangeRequest:
    """What the job does with a change that a partner agreed to, as the system."""
    system = Actor.system(tenant.id, tenant.factory.party_id)
    async with unit_of_work(system) as session:
        try:
            async with part(session):
                return await service_applying.apply_accepted(session, system, change_id)
        except PortalError as error:
            await service_applying.fail_accepted(session, system, change_id, error)
            return await get_change(session, system, change_id)


LINES = (
    "select ordered_quantity::int as quantity, due_date, status from schedule_line where contract_id = $1"
    " order by due_date, line_no"
)


async def lines(actor: Actor, made: Made) -> list[tuple[int, date, str]]:
    """The deliveries as this company sees them."""
    return [(row["quantity"], row["due_date"], row["status"]) for row in await fetch(actor, LINES, made.contract.id)]


async def state(actor: Actor, change_id: UUID) -> str | None:
    rows = await fetch(actor, "select status from change_request where id = $1", change_id)
    return rows[0]["status"] if rows else None
