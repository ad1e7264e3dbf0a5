"""Live pages: who has an open page, and the bell that tells it to fetch again.

One process holds a hub of queues keyed by (tenant, party); "" stands for the factory, which hears its whole tenant.
After a commit the process rings PostgreSQL's NOTIFY - outside the transaction, coalesced, one bell in flight - and
every process wakes the queues concerned. A bell says only *fetch again*; the page then reads under its own policy.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from portal.core import journal
from portal.core.actor import Actor
from portal.core.db import asyncpg_dsn
from portal.core.journal import Bell

logger = logging.getLogger(__name__)
CHANNEL = "live"
QUEUE = 100  # a page that falls further behind is closed; the browser opens a new stream and catches up
PAUSE = 0.05  # seconds between two bells of one process: the first rings at once, what follows goes together
NOTIFY_LIMIT = 7_000  # bytes; PostgreSQL takes 8,000

Key = tuple[UUID, UUID | None]


class Ears(asyncio.Queue[Bell]):
    """What one open page has heard and not yet looked at."""

    def __init__(self) -> None:
        super().__init__(QUEUE)
        self.deaf = False  # it fell behind and hears nothing more; the page must begin anew


_hub: dict[Key, set[Ears]] = defaultdict(set)
_waiting: set[Bell] = set()
_flag = asyncio.Event()


@asynccontextmanager
async def subscribed(actor: Actor) -> AsyncIterator[Ears]:
    """A queue that gets the bells this actor's company may hear, while the block runs."""
    key = (actor.tenant_id, None if actor.is_factory else actor.party_id)
    queue = Ears()
    _hub[key].add(queue)
    try:
        yield queue
    finally:
        _hub[key].discard(queue)
        if not _hub[key]:
            del _hub[key]


def deliver(bell: Bell) -> None:
    """Wake the pages of the factory and of the one partner concerned. A full queue is dropped, never waited for."""
    for key in ((bell.tenant_id, None), (bell.tenant_id, bell.party_id)):
        for queue in list(_hub.get(key, ())):
            try:
                queue.put_nowait(bell)
            except asyncio.QueueFull:
                queue.deaf = True
                _hub[key].discard(queue)


async def collect(bells: set[Bell]) -> None:
    """Note what was committed; the ringer carries it out."""
    _waiting.update(bells)
    _flag.set()


async def ringer(dsn: str) -> None:
    """Ring for what this process committed, coalesced. Ends when cancelled."""
    journal.on_ring(collect)
    while True:
        try:
            connection = await asyncpg.connect(asyncpg_dsn(dsn), statement_cache_size=0)
            try:
                await _ring_forever(connection)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            logger.warning("the live bell lost its connection and will try again")
            await asyncio.sleep(1)


async def _ring_forever(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    while True:
        await _flag.wait()
        _flag.clear()
        bells = [f"{b.tenant_id} {b.party_id} {b.contract_id or ''}" for b in _waiting]
        _waiting.clear()
        text = ""
        for line in bells:
            if len(text) + len(line) > NOTIFY_LIMIT:
                await connection.execute("select pg_notify($1, $2)", CHANNEL, text)
                text = ""
            text += line + "\n"
        await connection.execute("select pg_notify($1, $2)", CHANNEL, text)
        await asyncio.sleep(PAUSE)


async def listen(dsn: str) -> None:
    """Hear every process's bells and wake this process's pages. Ends when cancelled."""
    while True:
        try:
            connection = await asyncpg.connect(asyncpg_dsn(dsn), statement_cache_size=0)
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _, gone=lost: gone.set())
                await connection.add_listener(CHANNEL, _heard)
                await lost.wait()
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            logger.warning("the live listener lost its connection and will try again")
            await asyncio.sleep(1)


def _heard(connection: object, pid: int, channel: str, payload: object) -> None:
    for line in str(payload).splitlines():
        tenant, party, contract = line.split(" ")
        deliver(Bell(UUID(tenant), UUID(party), UUID(contract) if contract else None))
