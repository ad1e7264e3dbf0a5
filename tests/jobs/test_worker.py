"""The worker as a whole: bells, restarts and losses of the queue, several at once, and a clean stop."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from sqlmodel.ext.asyncio.session import AsyncSession

from jobs import sealing, worker
from jobs.subscribers import Occurrence, Subscriber, Subscriptions
from portal.core import audit, db
from portal.core.actor import Actor
from portal.core.settings import Settings
from tests.factories import Tenant, fetch
from tests.jobs.conftest import deliveries, flush, happen, note, noted, place

PATIENCE = 20  # seconds after which a test gives up; nothing here takes more than two


async def tell(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    await note(session, actor, occurrence.event.thing_id)  # type: ignore[attr-defined]


TELL: Subscriptions = {"ThingHappened": (Subscriber("tell", effect=tell),)}


@asynccontextmanager
async def working(services: Settings, subscriptions: Subscriptions = TELL, count: int = 1) -> AsyncIterator[None]:
    """So many workers while the block runs; they stop cleanly at its end, and whatever failed in them is raised."""
    stop = asyncio.Event()
    workers = [asyncio.create_task(worker.work(services, stop, subscriptions)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*workers), PATIENCE)


async def until(condition: Any, *args: Any) -> None:
    """Wait until an asynchronous question is answered with yes."""
    async with asyncio.timeout(PATIENCE):
        while not await condition(*args):  # noqa: ASYNC110 - the answer is in another process's hands
            await asyncio.sleep(0.02)


async def all_done(tenant: Tenant, count: int) -> bool:
    found = await deliveries(tenant)
    return len(found) == count and all(delivery["done_at"] for delivery in found)


async def test_two_workers_deliver_every_event_once(services: Settings, workspace: Tenant) -> None:
    async with working(services, count=2):
        things = await happen(workspace.factory, 60)
        await until(all_done, workspace, 60)

    assert await noted(workspace) == sorted(things)


async def test_what_happened_while_no_worker_ran_is_done_at_its_start(services: Settings, workspace: Tenant) -> None:
    things = await happen(workspace.factory, 5)

    async with working(services):
        await until(all_done, workspace, 5)

    assert await noted(workspace) == sorted(things)


async def test_emptying_the_queue_loses_nothing(services: Settings, workspace: Tenant) -> None:
    gate = asyncio.Event()

    async def tell_when_open(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
        await gate.wait()
        await tell(session, actor, occurrence)

    subscriptions = {"ThingHappened": (Subscriber("tell", effect=tell_when_open),)}
    things = await happen(workspace.factory, 100)
    async with working(services, subscriptions):
        await until(queued, services, 90)
        await flush(services)
        gate.set()

    async with working(services, subscriptions):
        await until(all_done, workspace, 100)

    assert await noted(workspace) == sorted(things)


async def test_a_job_that_lost_its_content_can_be_rung_again(services: Settings) -> None:
    async with Redis.from_url(str(services.redis_url)) as redis:
        await redis.zadd(worker.QUICK, {"a lost one": 1})

        async def gone() -> bool:
            return not await redis.zcard(worker.QUICK)

        async with working(services):
            await until(gone)

        assert await redis.keys("arq:*") == []


async def queued(services: Settings, count: int) -> bool:
    async with Redis.from_url(str(services.redis_url)) as redis:
        return int(await redis.zcard(worker.QUICK)) >= count


async def test_a_slow_subscriber_does_not_hold_up_a_quick_one(services: Settings, workspace: Tenant) -> None:
    gate = asyncio.Event()

    async def long(actor: Actor, occurrence: Occurrence) -> None:
        await gate.wait()

    subscriptions = {"ThingHappened": (Subscriber("long", errand=long, slow=True), Subscriber("tell", effect=tell))}

    async with working(services, subscriptions):
        things = await happen(workspace.factory, 20)
        await until(told, workspace, 20)
        gate.set()
        await until(all_done, workspace, 40)

    assert await noted(workspace) == sorted(things)


async def told(tenant: Tenant, count: int) -> bool:
    return len(await noted(tenant)) == count


async def test_a_living_worker_shows_its_heartbeat_and_leaves_none_behind(services: Settings) -> None:
    async def beats() -> bool:
        async with Redis.from_url(str(services.redis_url)) as redis:
            return bool(await redis.exists(worker.HEARTBEAT_KEY))

    async with working(services):
        await until(beats)

    assert not await beats()


async def test_the_queue_holds_ids_as_json_and_nothing_else(services: Settings, workspace: Tenant) -> None:
    gate = asyncio.Event()

    async def wait(actor: Actor, occurrence: Occurrence) -> None:
        await gate.wait()

    async with working(services, {"ThingHappened": (Subscriber("wait", errand=wait),)}):
        await happen(workspace.factory, 9)
        await until(queued, services, 9)
        async with Redis.from_url(str(services.redis_url)) as redis:
            jobs = [json.loads(await redis.get(key)) for key in await redis.keys("arq:job:*")]
        gate.set()

    assert [job["f"] for job in jobs] == ["deliver"] * 9
    assert all(str(UUID(word)) == word for job in jobs for word in job["a"])
    assert not any(job["k"] for job in jobs)


async def test_the_worker_seals_what_eight_writers_wrote_at_once(services: Settings, workspace: Tenant) -> None:
    async def write() -> None:
        for _ in range(40):
            async with db.unit_of_work(workspace.supplier) as session:
                await note(session, workspace.supplier, workspace.id, "written")

    async def sealed() -> bool:
        async with db.read(workspace.factory) as connection:
            return (await audit.chain(connection, workspace.factory)).unsealed == 0

    async with working(services, count=2):
        await asyncio.gather(*(write() for _ in range(8)))
        await until(sealed)

    async with db.read(workspace.factory) as connection:
        chain = await audit.chain(connection, workspace.factory)
        breaks = await audit.verify_chain(connection, workspace.factory)
    (rows,) = await fetch(workspace.factory, "select count(*) as n from audit where tenant_id = $1", workspace.id)
    assert (chain.sealed, breaks) == (rows["n"], [])


async def test_sealing_twice_at_once_forks_nothing(services: Settings, workspace: Tenant) -> None:
    for _ in range(30):
        async with db.unit_of_work(workspace.factory) as session:
            await note(session, workspace.factory, workspace.id, "written")

    await asyncio.gather(*(sealing.seal(place(workspace)) for _ in range(6)))

    async with db.read(workspace.factory) as connection:
        assert await audit.verify_chain(connection, workspace.factory) == []
        assert (await audit.chain(connection, workspace.factory)).sealed == 30


async def test_errands_in_our_own_database_are_done_in_batches(services: Settings, workspace: Tenant) -> None:
    failed: list[UUID] = []

    async def tell_here(actor: Actor, occurrence: Occurrence) -> None:
        thing: UUID = occurrence.event.thing_id  # type: ignore[attr-defined]
        if not failed:
            failed.append(thing)
            raise ConnectionResetError  # transient: this one comes again, the others are done
        async with db.unit_of_work(actor) as session:
            await note(session, actor, thing)

    subscriptions = {"ThingHappened": (Subscriber("tell here", errand=tell_here, here=True),)}
    things = await happen(workspace.factory, 120)
    async with working(services, subscriptions, count=2):
        await until(all_done, workspace, 120)

    assert await noted(workspace) == sorted(things)
    rows = await deliveries(workspace)
    assert {row["tries"] for row in rows} == {1}  # one met an outage, which does not count
    assert len(failed) == 1
