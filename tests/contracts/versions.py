"""Offers and versions as the tests make and read them."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from portal.contracts import service_amendments
from portal.contracts.inputs import Amendment, LineOffer, Offer
from portal.contracts.model import Cadence, Contract, ContractRevision
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.schedules.service_contract_days import contract_day
from tests.contracts.makers import make_draft, step
from tests.factories import Tenant, fetch, today

FOQ = "select foq from contract_line where contract_id = $1 and ended_from is null order by line_no"


def wanting(foq: int, **more: Any) -> Offer:
    """Another fixed quantity of line 1."""
    return Offer(lines=[LineOffer(line_no=1, foq=Decimal(foq), cadence=Cadence.WEEK)], **more)


def from_day(day: date, foq: int, **more: Any) -> Amendment:
    """The same from a day on."""
    return Amendment(effective_from=day, **wanting(foq, **more).model_dump(exclude_unset=True))


async def make_active(tenant: Tenant, direction: Direction = Direction.SALE, **terms: Any) -> Contract:
    contract = await make_draft(tenant, direction, **terms)
    await step(tenant.factory, "propose", contract.id)
    await step(tenant.partner(direction), "accept", contract.id)
    return await step(tenant.factory, "activate", contract.id)


async def take(actor: Actor, deed: str, contract: Contract, *given: Any, **more: Any) -> ContractRevision:
    """One step of an amendment, committed."""
    async with unit_of_work(actor) as session:
        made: ContractRevision = await getattr(service_amendments, deed)(session, actor, contract.id, *given, **more)
        return made


async def foqs(actor: Actor, contract: Contract) -> list[Decimal]:
    return [row[0] for row in await fetch(actor, FOQ, contract.id)]


async def offers(actor: Actor, contract: Contract) -> list[tuple[int, str, str]]:
    query = "select number, status, offered_scope from contract_revision where contract_id = $1 order by number"
    return [tuple(row) for row in await fetch(actor, query, contract.id)]


def noon(ahead: int) -> datetime:
    """Midday so many days from today: the same date in every time zone of the tests."""
    return datetime.combine(today() + timedelta(days=ahead), time(4), UTC)


async def run_day(tenant: Tenant, now: datetime) -> dict[str, int]:
    async with unit_of_work(tenant.factory) as session:
        return await contract_day(session, tenant.factory, now)
