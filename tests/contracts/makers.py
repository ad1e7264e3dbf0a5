"""Contracts as a factory writes them, through the commands."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.catalog.model import Item
from portal.catalog.service import NewItem, create_item
from portal.contracts import service_life
from portal.contracts.inputs import NewContract, NewLine, NewPrice
from portal.contracts.model import Cadence, Contract
from portal.contracts.service_drafts import create_contract
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from tests.factories import Tenant, fetch, today, unlike_a_quantity


async def make_item(tenant: Tenant, code: str = "A100", **more: Any) -> Item:
    """An item of the factory's catalogue."""
    async with unit_of_work(tenant.factory) as session:
        return await create_item(
            session, tenant.factory, NewItem(code=code, description="Bearing housing", unit="H87", **more)
        )


def new_line(code: str = "A100", **terms: Any) -> NewLine:
    """600 pieces a week in packs of 40, with a price from the first of January."""
    values: dict[str, Any] = {
        "foq": Decimal(600),
        "cadence": Cadence.WEEK,
        "pack_size": Decimal(40),
        "prices": [NewPrice(valid_from=date(2026, 1, 1), price=Decimal("12.50"))],
    }
    return NewLine(item_code=code, **(values | terms))


def new_contract(tenant: Tenant, direction: Direction = Direction.SALE, *lines: NewLine, **terms: Any) -> NewContract:
    """A contract over a year from today with the customer or the supplier."""
    values: dict[str, Any] = {
        "party_id": tenant.partner(direction).party_id,
        "direction": direction,
        "currency": "CNY",
        "valid_from": today(),
        "valid_to": today().replace(year=today().year + 1, day=1),
        "lines": list(lines),
    }
    return NewContract(**(values | terms))


async def make_draft(tenant: Tenant, direction: Direction = Direction.SALE, *lines: NewLine, **terms: Any) -> Contract:
    """A draft; without lines given, with one over an item made for it."""
    if not lines:
        code = f"A-{unlike_a_quantity()}"
        await make_item(tenant, code)
        lines = (new_line(code),)
    async with unit_of_work(tenant.factory) as session:
        return await create_contract(session, tenant.factory, new_contract(tenant, direction, *lines, **terms))


async def make_proposed(tenant: Tenant, direction: Direction = Direction.SALE) -> Contract:
    """A contract that waits for the partner's answer."""
    contract = await make_draft(tenant, direction)
    return await step(tenant.factory, "propose", contract.id)


async def step(actor: Actor, action: str, contract_id: UUID, version: int | None = None, **more: Any) -> Contract:
    """One step in the contract's life, committed."""
    async with unit_of_work(actor) as session:
        contract: Contract = await getattr(service_life, action)(session, actor, contract_id, version=version, **more)
        return contract


HEAD = "select status, version, proposed_at is not null as proposed, accepted_by from contract where id = $1"


async def head(actor: Actor, contract_id: UUID) -> tuple[Any, ...] | None:
    """What this company sees of the contract's state."""
    rows = await fetch(actor, HEAD, contract_id)
    return tuple(rows[0]) if rows else None


async def history(actor: Actor, contract_id: UUID) -> list[tuple[str, int]]:
    rows = await fetch(actor, "select verb, version from timeline where subject_id = $1 order by version", contract_id)
    return [tuple(row) for row in rows]


async def events(tenant: Tenant, contract_id: UUID) -> list[str]:
    rows = await fetch(
        tenant.factory, "select name from outbox where data->>'contract_id' = $1 order by id", str(contract_id)
    )
    return [row["name"] for row in rows]
