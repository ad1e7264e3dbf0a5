"""What an open page is told: which kinds of documents changed since it last heard. Ids only; the page fetches again.

Ids are made before the commit, so a later id can be visible first. Each look therefore begins a few seconds before the
last one and leaves out what it told already.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

from msgspec import Struct

from portal.core import db, live
from portal.core.actor import Actor
from portal.core.ids import uuid7

logger = logging.getLogger(__name__)
HEARTBEAT = 15.0  # seconds; the session is looked at again, and so is the history, in case a bell was lost
PAUSE = 0.1  # seconds between two looks, so that a burst of commits is told at once
LATE = 5_000  # milliseconds by which a commit may trail its ids
MOST = 500  # entries of one look; a page that missed more is told enough to fetch everything again


class Entry(Struct, frozen=True):
    """Something that happened to a document this reader may see."""

    id: UUID  # of the timeline row
    subject: str  # the document's table
    subject_id: UUID


News = list[Entry]  # empty: nothing new, but the stream lives

_SINCE = """
select id, subject, subject_id from timeline
where tenant_id = $1 and id > $2 and ($3::uuid is null or party_id = $3)
    and ($4::uuid[] is null or contract_id = any($4))
order by id desc limit $5"""


async def since(actor: Actor, mark: UUID) -> News:
    """What the reader may know of that happened after an id, newest first, at most the newest 500."""
    party = None if actor.is_factory else actor.party_id
    contracts = None if actor.contract_ids is None else list(actor.contract_ids)
    async with db.read(actor) as connection:
        rows = await connection.fetch(_SINCE, actor.tenant_id, mark, party, contracts, MOST)
    return [Entry(*row.values()) for row in rows]


def before(mark: UUID, milliseconds: int) -> UUID:
    """The smallest id of the instant that lies so long before an id's own."""
    return UUID(int=max(0, (mark.int >> 80) - milliseconds) << 80)


async def follow(
    actor: Actor, last: UUID | None, allowed: Callable[[], Awaitable[bool]], heartbeat: float = HEARTBEAT
) -> AsyncGenerator[News]:
    """All news from a few seconds before `last` on (none: before now), and empty news at each heartbeat.

    allowed: whether the reader still is who they were; asked at each heartbeat. Ends when not, when the page falls
    behind, or when the database is away: the browser then asks for a new stream from where it stood. Between two looks
    no database connection is held.
    """
    async with live.subscribed(actor) as queue:
        mark, told = last or uuid7(), frozenset[UUID]()
        beat = time.monotonic() + heartbeat
        while not queue.deaf:
            try:
                entries = await since(actor, before(mark, LATE))
            except Exception as error:
                if not db.is_away(error):
                    raise
                logger.warning("a live page ends, the database is away", extra={"error": type(error).__name__})
                return
            yield [entry for entry in entries if entry.id not in told]
            told = frozenset(entry.id for entry in entries)
            mark = max([mark, *(entry.id for entry in entries)])
            if not await _rung(actor, queue, beat):
                if not await allowed():
                    return
                beat = time.monotonic() + heartbeat


async def _rung(actor: Actor, queue: live.Ears, until: float) -> bool:
    """Wait for a bell that concerns the reader, and a moment more for those that follow it. False: the time is over."""
    try:
        async with asyncio.timeout(until - time.monotonic()):
            while True:
                contract = (await queue.get()).contract_id
                if actor.contract_ids is None or contract is None or contract in actor.contract_ids:
                    break
            await asyncio.sleep(PAUSE)
    except TimeoutError:
        return False
    while not queue.empty():
        queue.get_nowait()
    return True
