"""What the outbox promises: nothing is skipped, an effect happens once, and no bad event holds up the others."""

import asyncio
import random
import socket
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from redis.exceptions import ConnectionError as RedisAway
from sqlmodel.ext.asyncio.session import AsyncSession

from jobs import outbox
from jobs.outbox import TRIES
from jobs.subscribers import Occurrence, Subscriber, Subscriptions
from jobs.worker import try_once
from portal.core import db, journal
from portal.core import deliveries as core_deliveries
from portal.core.actor import Actor
from portal.core.errors import Unavailable
from portal.core.files import FileMissing
from portal.core.ids import uuid7
from portal.core.journal import emit
from portal.core.settings import Settings
from portal.notices.channels import ChannelUnavailable
from tests.factories import Tenant, fetch
from tests.jobs.conftest import ThingHappened, deliveries, happen, make_due, note, noted, place


async def tell(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
    assert isinstance(occurrence.event, ThingHappened)
    await note(session, actor, occurrence.event.thing_id)


def subscribed(*subscribers: Subscriber) -> Subscriptions:
    return {"ThingHappened": subscribers}


TELL = subscribed(Subscriber("tell", effect=tell))


async def deliver_due(tenant: Tenant, subscriptions: Subscriptions) -> int:
    """One try of everything that is due, as the worker does it. Returns how many tries that were."""
    rings = await outbox.due(place(tenant))
    for ring in rings:
        claimed = await outbox.claim(place(tenant), ring.delivery_id, subscriptions)
        if claimed is not None:
            await try_once(claimed)
    return len(rings)


async def test_an_event_without_subscribers_is_taken_and_kept(tenant: Tenant) -> None:
    await happen(tenant.factory)

    taken = [await outbox.take(place(tenant), {}), await outbox.take(place(tenant), {})]

    assert (taken, await deliveries(tenant)) == ([1, 0], [])
    rows = await fetch(tenant.factory, "select taken_at from outbox where tenant_id = $1", tenant.id)
    assert [row["taken_at"] is not None for row in rows] == [True]


async def test_each_subscriber_gets_its_own_delivery_and_acts_once(tenant: Tenant) -> None:
    async def also(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
        await note(session, actor, occurrence.event.thing_id, "also_told")  # type: ignore[attr-defined]

    both = subscribed(Subscriber("tell", effect=tell), Subscriber("also", effect=also))
    things = await happen(tenant.supplier, 3)
    await outbox.take(place(tenant), both)

    assert await deliver_due(tenant, both) == 6
    assert await deliver_due(tenant, both) == 0

    assert await noted(tenant) == await noted(tenant, "also_told") == sorted(things)
    assert all(delivery["done_at"] for delivery in await deliveries(tenant))


async def test_two_relays_at_once_write_each_delivery_once(tenant: Tenant) -> None:
    await happen(tenant.factory, 40)

    await asyncio.gather(*(outbox.take(place(tenant), TELL) for _ in range(4)))

    assert len(await deliveries(tenant)) == 40


async def test_the_same_delivery_rung_eight_times_at_once_acts_once(tenant: Tenant) -> None:
    things = await happen(tenant.factory)
    await outbox.take(place(tenant), TELL)
    (ring,) = await outbox.due(place(tenant))

    async def job() -> bool:
        claimed = await outbox.claim(place(tenant), ring.delivery_id, TELL)
        if claimed is not None:
            await try_once(claimed)
        return claimed is not None

    assert sum(await asyncio.gather(*(job() for _ in range(8)))) == 1
    assert await noted(tenant) == things


async def test_a_try_that_was_overtaken_leaves_nothing_behind(tenant: Tenant) -> None:
    things = await happen(tenant.factory)
    await outbox.take(place(tenant), TELL)
    (ring,) = await outbox.due(place(tenant))
    lame = await outbox.claim(place(tenant), ring.delivery_id, TELL)
    assert lame is not None
    await make_due(tenant)  # its claim lapsed
    quick = await outbox.claim(place(tenant), ring.delivery_id, TELL)
    assert quick is not None

    await try_once(quick)
    with pytest.raises(outbox.Overtaken):
        await outbox.act(lame)

    assert await noted(tenant) == things
    assert [delivery["tries"] for delivery in await deliveries(tenant)] == [2]


async def test_an_outage_is_tried_again_later_and_then_done(tenant: Tenant) -> None:
    outages = iter([Unavailable(), ConnectionResetError()])

    async def shaky(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
        await tell(session, actor, occurrence)
        for outage in outages:
            raise outage

    subscriptions = subscribed(Subscriber("shaky", effect=shaky))
    things = await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)

    await deliver_due(tenant, subscriptions)
    (waiting,) = await deliveries(tenant)
    assert (waiting["tries"], waiting["dead"], await noted(tenant)) == (0, False, [])
    assert "Unavailable" in waiting["last_error"]
    for _ in range(2):
        await make_due(tenant)
        await deliver_due(tenant, subscriptions)

    (done,) = await deliveries(tenant)
    assert (done["tries"], done["last_error"], await noted(tenant)) == (1, "", things)


AWAY = [
    ChannelUnavailable(), RedisAway("away"), ConnectionRefusedError("away"), socket.gaierror("away"),
    asyncpg.CannotConnectNowError("away"),
]  # fmt: skip


@pytest.mark.parametrize("outage", AWAY, ids=lambda error: type(error).__name__)
async def test_an_outage_never_uses_up_a_delivery(tenant: Tenant, outage: Exception) -> None:
    """Whether a chat service, Valkey, another system or the database is away: what waits for it says nothing wrong."""
    ends = False

    async def away(actor: Actor, occurrence: Occurrence) -> None:
        if not ends:
            raise outage

    subscriptions = subscribed(Subscriber("away", errand=away))
    await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)

    for _ in range(2 * TRIES):
        assert await deliver_due(tenant, subscriptions) == 1
        await make_due(tenant)
    (waiting,) = await deliveries(tenant)
    assert (waiting["tries"], waiting["dead"]) == (0, False)
    assert type(outage).__name__ in waiting["last_error"]
    async with db.read(tenant.factory) as connection:
        assert (await core_deliveries.queue(connection, tenant.factory)).retrying == 1  # an administrator sees it

    ends = True
    await deliver_due(tenant, subscriptions)
    (done,) = await deliveries(tenant)
    assert (done["done_at"] is not None, done["last_error"]) == (True, "")


async def test_a_try_that_the_database_ended_does_not_count_either(tenant: Tenant, database: Settings) -> None:
    nowhere = {
        f"database_{role}_url": "postgresql+asyncpg://nobody@127.0.0.1:1/none" for role in ("factory", "partner")
    }

    async def falls(actor: Actor, occurrence: Occurrence) -> None:
        await db.dispose()
        db.configure(database.model_copy(update=nowhere))
        async with db.unit_of_work(actor):
            raise AssertionError("the database is away")

    subscriptions = subscribed(Subscriber("falls", errand=falls), Subscriber("also", errand=falls))
    await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)
    claims = await outbox.claim_many(place(tenant), subscriptions["ThingHappened"], subscriptions, 2)

    for claimed in claims:
        with pytest.raises(OSError, match="Connect call failed"):
            await try_once(claimed)
    with pytest.raises(OSError, match="Connect call failed"):
        await outbox.settle()
    await db.dispose()
    db.configure(database)
    await outbox.settle()

    assert [(row["tries"], row["dead"]) for row in await deliveries(tenant)] == [(0, False)] * 2
    assert all(row["last_error"] for row in await deliveries(tenant))


async def test_after_five_tries_it_waits_for_a_person(tenant: Tenant) -> None:
    """Time alone does not bring a lost file back."""

    async def lost(actor: Actor, occurrence: Occurrence) -> None:
        raise FileMissing

    subscriptions = subscribed(Subscriber("lost", errand=lost))
    await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)

    for _ in range(TRIES):
        assert await deliver_due(tenant, subscriptions) == 1
        await make_due(tenant)

    (dead,) = await deliveries(tenant)
    assert (dead["tries"], dead["dead"], await deliver_due(tenant, subscriptions)) == (TRIES, True, 0)


async def test_a_delivery_that_kills_its_worker_is_not_tried_for_ever(tenant: Tenant) -> None:
    await happen(tenant.factory)
    await outbox.take(place(tenant), TELL)
    (ring,) = await outbox.due(place(tenant))

    for _ in range(TRIES):  # claimed, then not a word more
        assert await outbox.claim(place(tenant), ring.delivery_id, TELL) is not None
        await make_due(tenant)

    assert await outbox.claim(place(tenant), ring.delivery_id, TELL) is None
    assert [delivery["dead"] for delivery in await deliveries(tenant)] == [True]


async def test_a_try_that_takes_too_long_counts_and_comes_again(tenant: Tenant) -> None:
    async def hangs(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
        await tell(session, actor, occurrence)
        await asyncio.sleep(60)

    subscriptions = subscribed(Subscriber("hangs", effect=hangs, seconds=1))
    await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)

    await deliver_due(tenant, subscriptions)

    (waiting,) = await deliveries(tenant)
    assert (waiting["tries"], waiting["dead"], await noted(tenant)) == (1, False, [])
    assert "TimeoutError" in waiting["last_error"]


async def test_a_worker_that_stops_in_the_middle_hands_the_delivery_back(tenant: Tenant) -> None:
    begun = asyncio.Event()

    async def long(actor: Actor, occurrence: Occurrence) -> None:
        begun.set()
        await asyncio.sleep(60)

    subscriptions = subscribed(Subscriber("long", errand=long))
    await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)
    (ring,) = await outbox.due(place(tenant))
    claimed = await outbox.claim(place(tenant), ring.delivery_id, subscriptions)
    assert claimed is not None

    running = asyncio.create_task(try_once(claimed))
    await begun.wait()
    running.cancel()
    await asyncio.wait([running])

    (waiting,) = await deliveries(tenant)
    assert (running.cancelled(), waiting["tries"], len(await outbox.due(place(tenant)))) == (True, 0, 1)


async def test_a_long_try_keeps_its_claim_as_long_as_it_lives(tenant: Tenant) -> None:
    async def long(actor: Actor, occurrence: Occurrence) -> None:
        await asyncio.sleep(0)

    subscriptions = subscribed(Subscriber("long", errand=long, seconds=600, slow=True))
    await happen(tenant.factory)
    await outbox.take(place(tenant), subscriptions)
    (ring,) = await outbox.due(place(tenant))
    claimed = await outbox.claim(place(tenant), ring.delivery_id, subscriptions)
    assert claimed is not None
    (first,) = await deliveries(tenant)

    async with outbox.kept(claimed, every=0.02):
        await asyncio.sleep(0.2)
    (kept,) = await deliveries(tenant)
    await asyncio.sleep(0.1)
    (left,) = await deliveries(tenant)

    assert first["next_try"] < kept["next_try"] == left["next_try"]
    assert kept["next_try"] - first["next_try"] < timedelta(seconds=outbox.LEASE)  # it lapses soon after a crash


def test_a_delivery_rung_half_a_minute_later_is_another_job(tenant: Tenant) -> None:
    """One that a killed worker left in the queue would hold its own id for as long as the slowest job may take."""
    ring = outbox.Ring(place(tenant), uuid7(), "tell", 0)
    assert ring.job_id(60.0) == ring.job_id(89.0) != ring.job_id(90.0)


async def test_poison_events_become_dead_letters_and_hold_nobody_up(tenant: Tenant) -> None:
    things = await happen(tenant.factory, 100)
    poison = set(random.Random(7).sample(things, 10))

    async def picky(session: AsyncSession, actor: Actor, occurrence: Occurrence) -> None:
        await tell(session, actor, occurrence)
        if occurrence.event.thing_id in poison:  # type: ignore[attr-defined]
            raise ValueError("cannot be told")

    subscriptions = subscribed(Subscriber("picky", effect=picky))
    await outbox.take(place(tenant), subscriptions)

    await deliver_due(tenant, subscriptions)

    assert await noted(tenant) == sorted(set(things) - poison)
    dead = [delivery for delivery in await deliveries(tenant) if delivery["dead"]]
    assert len(dead) == 10
    assert {delivery["last_error"] for delivery in dead} == {"ValueError: cannot be told"}


async def test_an_event_that_this_release_does_not_know_is_a_dead_letter(tenant: Tenant) -> None:
    await happen(tenant.factory)
    await outbox.take(place(tenant), TELL)

    assert await deliver_due(tenant, {}) == 1

    (dead,) = await deliveries(tenant)
    assert (dead["dead"], "no subscriber tell" in dead["last_error"]) == (True, True)


async def test_eight_slow_writers_skip_no_event(tenant: Tenant) -> None:
    """Ids are made before the commit, so a later id may be visible first; a cursor over ids would lose the earlier."""
    chance, done = random.Random(11), asyncio.Event()

    async def write() -> list[UUID]:
        things: list[UUID] = []
        for _ in range(25):
            async with db.unit_of_work(tenant.factory) as session:
                things.append(uuid7())
                emit(session, tenant.factory, tenant.factory.party_id, ThingHappened(things[-1]))
                await journal.write(session)  # at once, so that the transaction stays open for a while after it
                await asyncio.sleep(chance.random() * 0.02)
        return things

    async def relay() -> None:
        while not done.is_set():
            await outbox.take(place(tenant), TELL)
            await asyncio.sleep(0.002)
        await outbox.take(place(tenant), TELL)

    relaying = asyncio.create_task(relay())
    written = await asyncio.gather(*(write() for _ in range(8)))
    done.set()
    await relaying
    await deliver_due(tenant, TELL)

    assert await noted(tenant) == sorted(thing for things in written for thing in things)
