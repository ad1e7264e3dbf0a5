"""The worker looks across tenants, so its tests have a database, pools and a queue of their own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from jobs.outbox import Tenant as Place
from portal.core import db
from portal.core.actor import Actor
from portal.core.ids import uuid7
from portal.core.journal import Event, Subject, emit, record
from portal.core.settings import Settings
from tests.databases import Server
from tests.factories import Tenant, fetch, make_tenant


@dataclass(frozen=True, slots=True)
class ThingHappened(Event):
    """An event of these tests."""

    thing_id: UUID


@pytest.fixture
async def services(server: Server, database: Settings, own_database: Settings) -> AsyncIterator[Settings]:
    """Settings of a fresh database and an empty queue; the pools point to them while the test runs."""
    settings = own_database.model_copy(update={"redis_url": server.valkey(emptied=1)})
    await flush(settings)
    await db.dispose()
    db.configure(settings)
    yield settings
    await db.dispose()
    db.configure(database)


async def flush(settings: Settings) -> None:
    """Lose everything that the queue holds."""
    async with Redis.from_url(str(settings.redis_url)) as redis:
        await redis.flushdb()


@pytest.fixture
async def workspace(services: Settings) -> Tenant:
    """A tenant in the test's own database, without any event so far."""
    return await make_tenant(str(services.database_url))


def place(tenant: Tenant) -> Place:
    """The tenant as the worker knows it."""
    return Place(tenant.id, tenant.factory.party_id)


async def happen(actor: Actor, count: int = 1) -> list[UUID]:
    """Commit so many events, one transaction each. Returns their things."""
    things = [uuid7() for _ in range(count)]
    for thing in things:
        async with db.unit_of_work(actor) as session:
            emit(session, actor, actor.party_id, ThingHappened(thing))
    return things


async def note(session: Any, actor: Actor, thing: UUID, verb: str = "told") -> None:
    """An effect that can be counted: one audit row."""
    record(session, actor, Subject("thing", thing, actor.party_id, shared=False), verb)


async def noted(tenant: Tenant, verb: str = "told") -> list[UUID]:
    """The things whose effect is there, as often as it is there."""
    rows = await fetch(
        tenant.factory, "select subject_id from audit where tenant_id = $1 and action = $2", tenant.id, f"thing.{verb}"
    )
    return sorted(row["subject_id"] for row in rows)


async def deliveries(tenant: Tenant) -> list[dict[str, Any]]:
    """All deliveries of the tenant, in the order of their events."""
    rows = await fetch(
        tenant.factory,
        "select d.*, d.next_try is null and d.done_at is null as dead from delivery d"
        " where tenant_id = $1 order by outbox_id, subscriber",
        tenant.id,
    )
    return [dict(row) for row in rows]


async def make_due(tenant: Tenant) -> None:
    """Let the pauses of waiting deliveries be over."""
    async with db.unit_of_work(tenant.factory) as session:
        await (await db.driver(session)).execute(
            "update delivery set next_try = now() where tenant_id = $1 and done_at is null and next_try is not null",
            tenant.id,
        )
