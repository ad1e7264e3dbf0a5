"""The worker process: relays events, runs deliveries, seals the audit. Any number of them may run at once.

arq carries the bells and is known to this package alone. It may be emptied or restarted at any time: the relay finds
in PostgreSQL what is due and rings again.
"""

import asyncio
import json
import logging
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.typing import WorkerCoroutine
from arq.worker import Function, Worker, func
from redis.exceptions import RedisError

from jobs import days, errands, letters, outbox, reminding, sealing
from jobs.outages import database_may_be_away
from jobs.outbox import Ring, Tenant
from jobs.sending import Sender, channels_of
from jobs.subscribers import Subscriptions
from jobs.subscriptions import SUBSCRIPTIONS
from portal.core import db, live
from portal.core.memory import settle
from portal.core.settings import Settings, get_settings
from portal.notices.channels import Channel
from portal.notices.pacing import Pacer

logger = logging.getLogger(__name__)
QUICK, SLOW = "portal:jobs", "portal:slow"  # names of the queues
HEARTBEAT_KEY = "portal:worker"  # there while a worker lives, with arq's counts
HEARTBEAT_SECONDS = 10
AT_ONCE = {QUICK: 8, SLOW: 2}  # jobs of one worker; together with the relay fewer than database connections
POLL_SECONDS = 1.0  # how long an event waits at most when no bell was heard
PAUSE_SECONDS = 0.05  # between two rounds, so that a burst is taken in batches
SEAL_SECONDS = 1.0
STOP_SECONDS = 5.0  # what running jobs get to finish in


def run(subscriptions: Subscriptions = SUBSCRIPTIONS) -> None:
    """Work until SIGTERM or SIGINT. What `portal worker` runs."""
    uvloop.run(_until_signal(get_settings(), subscriptions))


async def _until_signal(settings: Settings, subscriptions: Subscriptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    db.configure(settings, settings.pool_size)
    logging.getLogger("arq").setLevel(logging.WARNING)
    logger.info("the worker is ready")
    try:
        await work(settings, stop, subscriptions)
    finally:
        await db.dispose()
    logger.info("the worker has stopped")


async def work(
    settings: Settings,
    stop: asyncio.Event,
    subscriptions: Subscriptions = SUBSCRIPTIONS,
    channels: Mapping[str, Channel] | None = None,
    pacer: Pacer | None = None,
) -> None:
    """Relay, deliver, seal, remind and send until `stop` is set. The pools are open already.

    channels: by name; without them those that the settings name. pacer: keeps the pace that channels take.
    """
    settle()
    dsn, redis = str(settings.database_direct_url), RedisSettings.from_dsn(str(settings.redis_url))
    woken = asyncio.Event()
    pacer = pacer or Pacer(str(settings.redis_url))
    endless = [
        live.ringer(dsn),
        listen(dsn, woken),
        Relay(redis, subscriptions, woken).run(),
        Sender(channels_of(settings) if channels is None else channels, pacer).run(),
        reminding.run(),
        letters.run(),
        days.keep_days(),
    ]
    looking = [asyncio.create_task(each) for each in endless]
    tasks = [
        *looking,
        *(asyncio.create_task(deliver_from(queue, redis, subscriptions, stop)) for queue in AT_ONCE),
    ]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in tasks if task.done()]  # no part ends by itself unless something is wrong
    stop.set()
    for task in looking:
        task.cancel()
    await asyncio.wait([*tasks, stopped])
    await pacer.close()
    for task in failed:
        task.result()


# --- relay ------------------------------------------------------------------------------------------------------------


async def listen(dsn: str, woken: asyncio.Event) -> None:
    """Wake the relay after every commit that changed something, in any process. Ends when cancelled."""
    while True:
        with database_may_be_away("listening"):
            connection = await asyncpg.connect(db.asyncpg_dsn(dsn), statement_cache_size=0)
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, gone=lost: gone.set())
                await connection.add_listener(live.CHANNEL, lambda *_: woken.set())
                await lost.wait()
            finally:
                await connection.close(timeout=2)
        await asyncio.sleep(1)


class Relay:
    """Finds in PostgreSQL what is to be done: events to take, deliveries to ring for, audit rows to seal."""

    def __init__(self, redis: RedisSettings, subscriptions: Subscriptions, woken: asyncio.Event) -> None:
        self._redis = redis
        self._subscriptions = subscriptions
        self._woken = woken
        self._bell: ArqRedis | None = None
        self._rung: dict[str, float] = {}  # job id -> when; forgotten at a restart, so everything is rung again
        self._sealed: dict[UUID, float] = {}
        self._slow = {s.name for found in subscriptions.values() for s in found if s.slow}
        self._here = [s for found in subscriptions.values() for s in found if s.here]

    async def run(self) -> None:
        """Round after round, at once after a bell, else every second. Ends when cancelled."""
        try:
            while True:
                self._woken.clear()
                with database_may_be_away("relaying"):
                    await outbox.settle()
                    for tenant in await outbox.pending_tenants():
                        await self._look_after(tenant)
                await asyncio.sleep(PAUSE_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._woken.wait()
        finally:
            await self._leave_queue()

    async def _look_after(self, tenant: Tenant) -> None:
        while await outbox.take(tenant, self._subscriptions) == outbox.BATCH:
            pass
        here = {s.name for s in self._here}
        while self._here and await errands.do(tenant, self._here, self._subscriptions) == errands.BATCH:
            pass
        try:
            await self._ring([ring for ring in await outbox.due(tenant) if ring.subscriber not in here])
        except RedisError as error:  # the deliveries stay due, and the next round tries again
            logger.warning("the queue does not answer the relay", extra={"error": type(error).__name__})
            self._rung.clear()  # it may come back empty
            await self._leave_queue()
        await self._seal(tenant)

    async def _ring(self, rings: list[Ring]) -> None:
        """Put deliveries into the queue: once, and again when they are still due half a minute later."""
        now = time.time()
        self._rung = {job: at for job, at in self._rung.items() if at > now - outbox.RING_AGAIN}
        for ring in rings:
            job_id = ring.job_id(now)
            if job_id not in self._rung:
                self._bell = self._bell or await connect(self._redis)
                queue = SLOW if ring.subscriber in self._slow else QUICK
                ids = (str(ring.tenant.id), str(ring.tenant.factory_party_id), str(ring.delivery_id))
                await self._bell.enqueue_job("deliver", *ids, _job_id=job_id, _queue_name=queue)
                self._rung[job_id] = now

    async def _leave_queue(self) -> None:
        bell, self._bell = self._bell, None
        if bell is not None:
            with suppress(RedisError, OSError):
                await bell.aclose(close_connection_pool=True)

    async def _seal(self, tenant: Tenant) -> None:
        """Often enough for "within seconds", rarely enough that a burst is sealed in large chunks."""
        now = time.monotonic()
        if self._sealed.get(tenant.id, 0) < now - SEAL_SECONDS:
            self._sealed[tenant.id] = now
            await sealing.seal(tenant)


# --- deliveries -------------------------------------------------------------------------------------------------------


def encode(job: dict[str, Any]) -> bytes:
    """arq's own envelope as JSON: ids only, nothing that runs code when it is read. Errors keep their name."""
    return json.dumps(job, default=repr).encode()


def decode(data: bytes) -> dict[str, Any]:
    job: dict[str, Any] = json.loads(data)
    return job


async def connect(redis: RedisSettings) -> ArqRedis:
    """A connection to the queue. Raises RedisError or OSError at once when it is away."""
    return await create_pool(redis, retry=redis.conn_retries, job_serializer=encode, job_deserializer=decode)


def deliverer(subscriptions: Subscriptions) -> WorkerCoroutine:
    """The one function that arq knows."""

    async def deliver(ctx: dict[Any, Any], *ids: str, **kwargs: Any) -> None:
        """One try of one delivery. Safe to run twice. ids: tenant, the factory's party, delivery."""
        tenant_id, factory_party_id, delivery_id = ids
        tenant = Tenant(UUID(tenant_id), UUID(factory_party_id))
        with database_may_be_away("delivering"):
            claimed = await outbox.claim(tenant, UUID(delivery_id), subscriptions)
            if claimed is not None:
                await try_once(claimed)

    return deliver


async def try_once(claimed: outbox.Claim) -> None:
    """Act, and note how it ended. The try is counted already, whatever happens to this process."""
    try:
        async with asyncio.timeout(claimed.subscriber.seconds), outbox.kept(claimed):
            await outbox.act(claimed)
    except outbox.Overtaken:
        logger.warning("a try was overtaken", extra={"delivery_id": str(claimed.delivery_id)})
    except asyncio.CancelledError:
        await asyncio.shield(outbox.hand_back(claimed))
        raise
    except Exception as error:  # noqa: BLE001 - whatever a subscriber raises is kept with the delivery
        await outbox.failed(claimed, error)


async def deliver_from(queue: str, redis: RedisSettings, subscriptions: Subscriptions, stop: asyncio.Event) -> None:
    """Run the jobs of one queue until `stop`; begin anew when the queue was away."""
    slow = queue == SLOW
    seconds = max([s.seconds for found in subscriptions.values() for s in found if s.slow == slow] or [20])
    job: Function = func(deliverer(subscriptions), name="deliver", timeout=seconds + outbox.GRACE)
    while not stop.is_set():
        try:
            await _deliver_until(stop, queue, redis, job)
        except (RedisError, OSError) as error:
            logger.warning("the queue does not answer", extra={"error": type(error).__name__, "queue": queue})
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await stop.wait()


async def _deliver_until(stop: asyncio.Event, queue: str, redis: RedisSettings, job: Function) -> None:
    worker = Worker(
        [job],
        queue_name=queue,
        redis_pool=await connect(redis),
        handle_signals=False,
        max_jobs=AT_ONCE[queue],
        max_tries=outbox.TRIES * 2,  # tries are counted in the delivery; this only bounds a queue gone mad
        poll_delay=0.1,  # what a person waits for does not go through the queue
        health_check_interval=HEARTBEAT_SECONDS,
        health_check_key=HEARTBEAT_KEY if queue == QUICK else f"{HEARTBEAT_KEY}:slow",
        job_serializer=encode,
        job_deserializer=decode,
        keep_result=0,  # said here, because a job whose content was lost is no function's: its result would bar its id
        log_results=False,
    )
    main = asyncio.create_task(worker.async_run())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([main, stopped], return_when=asyncio.FIRST_COMPLETED)
        if main.done():
            main.result()  # the queue went away
        worker.burst, worker.max_burst_jobs = True, 0  # it picks nothing more and ends by itself after its jobs
        await asyncio.wait([main], timeout=STOP_SECONDS)
    finally:
        stopped.cancel()
        rest = [main, *worker.tasks.values()]
        for task in rest:
            task.cancel()
        await asyncio.wait(rest)
        worker.tasks.clear()  # close() would gather them and take a job's cancellation for our own
        with suppress(RedisError, OSError):
            await worker.close()
