"""From the outbox to the subscribers: at least once delivered, its effect in our database exactly once.

The relay takes outbox rows tenant by tenant and writes one `delivery` a subscriber; a job claims its delivery, acts,
and marks it as done in the transaction of the effect. A claim raises `tries` and sets `next_try` past the time that
the try may take, so a killed worker's delivery comes back by itself, and a try that was overtaken cannot mark
anything. Whatever the queue loses is rung again from these rows.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from jobs.outages import database_may_be_away, is_outage, is_transient
from jobs.subscribers import Occurrence, Subscriber, Subscriptions
from portal.core import clock, db
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.ids import uuid7
from portal.core.journal import Event

logger = logging.getLogger(__name__)
BATCH = 200  # outbox rows taken in one transaction
DUE = 500  # deliveries rung in one round; the rest follow when these are done
TRIES = 5  # then a person decides: the delivery is a dead letter
GRACE = 5  # seconds between the end of a try and the moment its claim lapses
LEASE = 30  # seconds for which a try is claimed at most; a longer one renews its claim while it lives
RING_AGAIN = 30  # seconds after which a delivery that is still due is rung for again
FIRST_PAUSE, LONGEST_PAUSE = 2, 600  # seconds; the pause before a new try is random below the doubled one
SHORTEST_AWAY, LONGEST_AWAY = 4.0, 60.0  # seconds; the same in an outage, after which everything is soon done


class UnknownDelivery(Exception):
    """No code of this release knows the event or the subscriber."""


class Overtaken(Exception):
    """This try took too long, and another one has the delivery now."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant with something to do, as the machinery acts in it."""

    id: UUID
    factory_party_id: UUID

    @property
    def system(self) -> Actor:
        return Actor.system(self.id, self.factory_party_id)


@dataclass(frozen=True, slots=True)
class Ring:
    """A delivery whose time has come, in its coming try."""

    tenant: Tenant
    delivery_id: UUID
    subscriber: str
    tries: int

    def job_id(self, at: float) -> str:
        """The same job all over one half minute, however many relays ring; then another one.

        A job that was left in the queue by a killed worker blocks its own id until its longest time is over.
        """
        return f"{self.delivery_id}:{self.tries}:{int(at // RING_AGAIN)}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in the hands of one try."""

    actor: Actor
    delivery_id: UUID
    tries: int
    subscriber: Subscriber
    occurrence: Occurrence


async def pending_tenants() -> list[Tenant]:
    """The tenants with events to take, deliveries due or audit rows to seal. Ids only, across tenants."""
    nobody = Actor.system(UUID(int=0), UUID(int=0))
    async with db.read(nobody) as connection:
        rows = await connection.fetch("select tenant_id, factory_party_id from pending_tenants()")
    return [Tenant(row["tenant_id"], row["factory_party_id"]) for row in rows]


async def all_tenants() -> list[Tenant]:
    """Every workspace, for what the calendar asks for. Ids only, across tenants."""
    nobody = Actor.system(UUID(int=0), UUID(int=0))
    async with db.read(nobody) as connection:
        rows = await connection.fetch("select tenant_id, factory_party_id from all_tenants()")
    return [Tenant(row["tenant_id"], row["factory_party_id"]) for row in rows]


# --- the relay --------------------------------------------------------------------------------------------------------

_WAITING = """
select id, name from outbox where tenant_id = $1 and taken_at is null order by id limit $2 for update skip locked"""
_DELIVERIES = """
insert into delivery (tenant_id, id, outbox_id, subscriber, tries, next_try, last_error)
select $1, r.id, r.outbox_id, r.subscriber, 0, now(), ''
from unnest($2::text::uuid[], $3::text::uuid[], $4::text::text[]) as r(id, outbox_id, subscriber)"""
_TAKEN = "update outbox set taken_at = now() where tenant_id = $1 and id = any($2)"


async def take(tenant: Tenant, subscriptions: Subscriptions) -> int:
    """Turn one batch of events into deliveries. Returns how many events it took; fewer than BATCH: none is left."""
    async with db.statements(tenant.system) as connection:
        rows = await connection.fetch(_WAITING, tenant.id, BATCH)
        new = [(uuid7(), row["id"], found.name) for row in rows for found in subscriptions.get(row["name"], ())]
        if new:
            await connection.execute(_DELIVERIES, tenant.id, *columns(new))
        if rows:
            await connection.execute(_TAKEN, tenant.id, [row["id"] for row in rows])
    return len(rows)


async def due(tenant: Tenant) -> list[Ring]:
    """The deliveries whose time has come, the longest waiting first."""
    async with db.read(tenant.system) as connection:
        rows = await connection.fetch(
            "select id, subscriber, tries from delivery"
            " where tenant_id = $1 and done_at is null and next_try <= now() order by next_try, id limit $2",
            *(tenant.id, DUE),
        )
    return [Ring(tenant, *row.values()) for row in rows]


# --- one delivery -----------------------------------------------------------------------------------------------------

_DUE = """
select d.id as delivery_id, d.subscriber, d.tries, o.id, o.name, o.data, o.party_id, o.member_id, o.created_at
from delivery d join outbox o on o.tenant_id = d.tenant_id and o.id = d.outbox_id
where d.tenant_id = $1 and d.done_at is null and d.next_try <= now()"""
_READ = _DUE + " and d.id = $2 for update of d"
_READ_MANY = _DUE + " and d.subscriber = any($2) order by d.next_try, d.id limit $3 for update of d skip locked"
_CLAIM = """
update delivery set tries = tries + 1, next_try = now() + $3::interval where tenant_id = $1 and id = any($2)"""
_DONE = """
update delivery set done_at = now(), last_error = ''
where tenant_id = $1 and id = $2 and tries = $3 and done_at is null returning true"""
_AGAIN = """
update delivery set next_try = now() + random() * make_interval(secs => $4), last_error = $5, tries = tries - $6
where tenant_id = $1 and id = $2 and tries = $3 and done_at is null"""
_DEAD = """
update delivery set next_try = null, last_error = $4
where tenant_id = $1 and id = $2 and tries = $3 and done_at is null"""
_HAND_BACK = """
update delivery set next_try = now(), tries = tries - 1
where tenant_id = $1 and id = $2 and tries = $3 and done_at is null"""


async def claim(tenant: Tenant, delivery_id: UUID, subscriptions: Subscriptions) -> Claim | None:
    """Take a delivery for one try; None when it is done, not due, or held by another try."""
    async with db.statements(tenant.system, durable=False) as connection:
        row = await connection.fetchrow(_READ, tenant.id, delivery_id)
        claimed = await _judged(connection, tenant, row, subscriptions) if row is not None else None
        if claimed is not None:
            await connection.execute(_CLAIM, tenant.id, [delivery_id], _lease(claimed.subscriber))
    return claimed


async def claim_many(
    tenant: Tenant, subscribers: Sequence[Subscriber], subscriptions: Subscriptions, most: int
) -> list[Claim]:
    """Take deliveries to these subscribers that are due, the longest waiting first, for one try each."""
    names = [subscriber.name for subscriber in subscribers]
    async with db.statements(tenant.system, durable=False) as connection:
        rows = await connection.fetch(_READ_MANY, tenant.id, names, most)
        judged = [await _judged(connection, tenant, row, subscriptions) for row in rows]
        claims = [claimed for claimed in judged if claimed is not None]
        if claims:
            ids, lease = [each.delivery_id for each in claims], max(_lease(each.subscriber) for each in claims)
            await connection.execute(_CLAIM, tenant.id, ids, lease)
    return claims


async def _judged(
    connection: db.Driver, tenant: Tenant, row: asyncpg.Record, subscriptions: Subscriptions
) -> Claim | None:
    """The delivery's next try; None, and a dead letter, when there is none."""
    delivery_id, tries = row["delivery_id"], row["tries"]
    try:
        subscriber, occurrence = _understood(row, subscriptions)
    except (UnknownDelivery, msgspec.ValidationError) as error:
        await connection.execute(_DEAD, tenant.id, delivery_id, tries, _sentence(error))
        logger.error("a delivery is not understood", extra={"delivery_id": str(delivery_id)})
        return None
    if tries >= TRIES:  # each try ended without a word: the worker was killed by it
        await connection.execute(_DEAD, tenant.id, delivery_id, tries, "Every try ended the worker.")
        logger.error("a delivery ends its worker", extra={"delivery_id": str(delivery_id)})
        return None
    return Claim(tenant.system, delivery_id, tries + 1, subscriber, occurrence)


def _lease(subscriber: Subscriber) -> timedelta:
    return timedelta(seconds=min(subscriber.seconds, LEASE) + GRACE)


def _understood(row: asyncpg.Record, subscriptions: Subscriptions) -> tuple[Subscriber, Occurrence]:
    kind = Event.all.get(row["name"])
    subscriber = next((s for s in subscriptions.get(row["name"], ()) if s.name == row["subscriber"]), None)
    if kind is None or subscriber is None:
        raise UnknownDelivery(f"{row['name']} has no subscriber {row['subscriber']} in this release.")
    event: Event = msgspec.convert(row["data"], kind, strict=False)
    return subscriber, Occurrence(row["id"], row["party_id"], row["member_id"], row["created_at"], event)


_RENEW = """
update delivery set next_try = now() + $4::interval
where tenant_id = $1 and id = $2 and tries = $3 and done_at is null"""


@asynccontextmanager
async def kept(claimed: Claim, every: float = LEASE / 3) -> AsyncIterator[None]:
    """The claim of a long try does not lapse while the block runs; it does soon after its process died."""
    keeper = asyncio.create_task(_renew(claimed, every)) if claimed.subscriber.seconds > LEASE else None
    try:
        yield
    finally:
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait([keeper])


async def _renew(claimed: Claim, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        with database_may_be_away("renewing a claim"):
            await _note(_RENEW, claimed, _lease(claimed.subscriber))


async def act(claimed: Claim) -> None:
    """Run the subscriber and mark the delivery as done. Raises Overtaken, and then nothing of an effect remains."""
    subscriber, actor = claimed.subscriber, claimed.actor
    if subscriber.errand is not None:
        await subscriber.errand(actor, claimed.occurrence)
        async with db.statements(actor, durable=False) as connection:
            await _done(connection, claimed)
    elif subscriber.effect is not None:
        async with db.unit_of_work(actor) as session:
            await subscriber.effect(session, actor, claimed.occurrence)
            await _done(await db.driver(session), claimed)


async def _done(connection: db.Driver, claimed: Claim) -> None:
    if not await connection.fetchval(_DONE, claimed.actor.tenant_id, claimed.delivery_id, claimed.tries):
        raise Overtaken


_DONE_MANY = """
update delivery set done_at = now(), last_error = ''
where tenant_id = $1 and done_at is null and (id, tries) in (select * from unnest($2::uuid[], $3::int[]))"""


async def done_many(tenant: Tenant, claims: Sequence[Claim]) -> None:
    """Mark errands as done. One that was overtaken meanwhile marks nothing and is done once more."""
    if claims:
        ids, tries = [each.delivery_id for each in claims], [each.tries for each in claims]
        async with db.statements(tenant.system, durable=False) as connection:
            await connection.execute(_DONE_MANY, tenant.id, ids, tries)


async def failed(claimed: Claim, error: BaseException) -> None:
    """Note a try that did not succeed: planned again where that may help, else a dead letter."""
    if not is_transient(error):
        await give_up(claimed, error)
    elif is_outage(error):
        await wait_for_it(claimed, error)
    else:
        await put_off(claimed, error)


async def put_off(claimed: Claim, error: BaseException) -> None:
    """Plan the next try, later each time and at random, so that no stampede follows."""
    if claimed.tries >= TRIES:
        await give_up(claimed, error)
        return
    pause = float(min(LONGEST_PAUSE, FIRST_PAUSE * 2**claimed.tries))
    await _note(_AGAIN, claimed, pause, _sentence(error), 0)
    logger.warning("a delivery will be tried again", extra=_extra(claimed, error))


_owed: list[tuple[Claim, BaseException]] = []  # tries of this process whose end the database could not be told


async def wait_for_it(claimed: Claim, error: BaseException) -> None:
    """Plan the next try after one that does not count: what was away says nothing about the delivery.

    The longer the event waits already, the longer the pause. Where the database itself is away, it is told later.
    """
    waited = (clock.now() - claimed.occurrence.at).total_seconds()
    pause = min(LONGEST_AWAY, max(SHORTEST_AWAY, waited))
    try:
        await _note(_AGAIN, claimed, pause, _sentence(error), 1)
    except Exception as gone:
        if db.is_away(gone):
            _owed.append((claimed, error))
        raise
    logger.warning("a delivery waits for what it needs", extra=_extra(claimed, error))


async def settle() -> None:
    """Tell the database of the tries that an outage of its own ended, before anything is taken again."""
    while _owed:
        await wait_for_it(*_owed.pop())


async def give_up(claimed: Claim, error: BaseException) -> None:
    """Make it a dead letter: it waits for a person and holds nobody up."""
    await _note(_DEAD, claimed, _sentence(error))
    logger.error("a delivery failed for good", extra=_extra(claimed, error), exc_info=error)


async def hand_back(claimed: Claim) -> None:
    """The worker stops in the middle of the try, which therefore does not count."""
    await _note(_HAND_BACK, claimed)


async def _note(statement: str, claimed: Claim, *values: Any) -> None:
    async with db.statements(claimed.actor) as connection:
        await connection.execute(statement, claimed.actor.tenant_id, claimed.delivery_id, claimed.tries, *values)


def _sentence(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _extra(claimed: Claim, error: BaseException) -> dict[str, Any]:
    return {
        "delivery_id": str(claimed.delivery_id),
        "subscriber": claimed.subscriber.name,
        "tries": claimed.tries,
        "error": type(error).__name__,
    }
