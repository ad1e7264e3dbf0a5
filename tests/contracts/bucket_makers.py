"""Contracts with periods, and how their ledger reads on either side."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.contracts import reads_buckets, service_buckets
from portal.contracts.inputs_buckets import SetTerms, TypedPeriod
from portal.contracts.model import Contract
from portal.contracts.model_buckets import BucketCadence, CommitmentTerms
from portal.contracts.reads_buckets import PeriodRow
from portal.contracts.rules_buckets import Call
from portal.contracts.rules_periods import Agreed
from portal.contracts.service_periods import write_periods
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.ids import uuid7
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.factories import Made, Tenant, make_contract, today

D = Decimal
WHOLE = (0, 30)  # the next thirty days


def span(first: int, last: int, floor: int = 80, target: int = 100, ceiling: int = 120) -> Agreed:
    """A period from so many days on, in days from today."""
    start, end = (today() + timedelta(days=n) for n in (first, last))
    return Agreed(BucketCadence.CUSTOM, start, end, D(floor), D(target), D(ceiling))


async def make_committed(
    tenant: Tenant, *spans: Agreed, direction: Direction = Direction.PURCHASE, terms: SetTerms | None = None
) -> Made:
    """An active contract whose first line has these periods; without any, one over the next thirty days."""
    made = await make_contract(tenant, direction, foq=None)
    async with unit_of_work(tenant.factory) as session:
        if terms is not None:
            base: dict[str, Any] = {"tenant_id": tenant.id, "party_id": made.contract.party_id}
            session.add(CommitmentTerms(**base, contract_id=made.contract.id, **terms.model_dump()))
            await session.flush()
        line = await session.merge(made.line)
        await write_periods(session, tenant.factory, made.contract, line, spans or (span(*WHOLE),))
    return made


async def called(tenant: Tenant, made: Made, quantity: int, in_days: int = 5) -> UUID:
    """A delivery drafted and published by the factory. Returns the schedule line."""
    due = today() + timedelta(days=in_days)
    order = CallOff(contract_line_id=made.line.id, quantity=D(quantity), due_date=due)
    async with unit_of_work(tenant.factory) as session:
        line_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    return line_id


async def consumed(actor: Actor, made: Made, quantity: int, in_days: int = 5) -> None:
    """One call straight into the ledger, as publishing makes it."""
    call = Call(uuid7(), made.line.id, "A100", today() + timedelta(days=in_days), D(quantity))
    async with unit_of_work(actor) as session:
        await service_buckets.consume(session, actor, made.contract.party_id, [call])


async def periods(actor: Actor, contract: Contract) -> list[PeriodRow]:
    """The ledger as this company reads it."""
    async with read(actor) as connection:
        return await reads_buckets.ledger(connection, actor, contract.id)


async def figures(tenant: Tenant, made: Made) -> list[dict[str, int]]:
    """The counters that are not zero, by period; both sides read the same."""
    ours = await periods(tenant.factory, made.contract)
    assert ours == await periods(tenant.partner(made.contract.direction), made.contract)
    return [{name: int(value) for name, value in row.sums._asdict().items() if value} for row in ours]


def typed(agreed: Agreed) -> TypedPeriod:
    """The same period as somebody types it."""
    return TypedPeriod(
        start=agreed.start, end=agreed.end, floor=agreed.floor, target=agreed.target, ceiling=agreed.ceiling
    )


def days(count: int) -> date:
    return today() + timedelta(days=count)
