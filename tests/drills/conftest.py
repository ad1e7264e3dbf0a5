"""One house a test, with a tenant in it and the test's own pools pointing there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from portal.accounts.service_keys import CreateKey, create_key
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.roles import ensure_roles
from portal.core.settings import Settings
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.drills.house import DATABASE, House, house
from tests.factories import Tenant, make_contract, make_tenant, today


@dataclass(slots=True)
class Stage:
    """What a drill works on: a supplier's key and lines that take many part confirmations."""

    house: House
    tenant: Tenant
    key: str
    lines: list[UUID]


@pytest.fixture
async def stage(database: Settings) -> AsyncIterator[Stage]:
    """An open house with eight proposed purchase lines of a million pieces each."""
    with house() as built:
        settings = built.settings
        await ensure_roles(built.postgres.superuser_url, DATABASE, built.postgres.role_passwords())
        await db.migrate(str(settings.database_url))
        await db.dispose()
        db.configure(settings)
        tenant = await make_tenant(str(settings.database_url))
        lines = await make_lines(tenant, 8)
        key = await make_key(tenant.supplier)
        built.open()
        yield Stage(built, tenant, key, lines)
        await db.dispose()
        db.configure(database)


async def make_lines(tenant: Tenant, count: int) -> list[UUID]:
    """Published lines of one contract, due in the firm zone, so the supplier is asked."""
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(1_000_000), due_date=today() + timedelta(days=7))
    async with db.unit_of_work(tenant.factory) as session:
        lines = [await call_off(session, tenant.factory, made.contract.id, order) for _ in range(count)]
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    return lines


async def make_key(actor: Actor) -> str:
    """A key that reads and confirms."""
    scopes = [Permission.READ, Permission.CONFIRM_LINES]
    async with db.unit_of_work(actor) as session:
        _, token = await create_key(session, actor, CreateKey(name="drill", scopes=scopes))
    return token
