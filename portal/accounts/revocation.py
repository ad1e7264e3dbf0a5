"""Who was recognised in the last minute, and how that is forgotten the moment it stops being true.

A command that takes access away calls `revoke` with what it touched: a token's hash, a user, a member or a key. The
notification is part of its transaction, so every process forgets when that commits. A process that cannot hear
notifications remembers nobody. Processes that were forked from one, as the web server's are, share besides the moment
of the last revocation, because a notification is under way for a moment in which none of them may answer.
"""

import asyncio
import logging
import mmap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import asyncpg
from sqlalchemy import event
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db

CHANNEL = "session_revoked"
SECONDS = 60  # how long a recognised token is believed without asking again
MOST = 50_000  # entries; beyond that the cache starts anew
logger = logging.getLogger(__name__)
_latest = mmap.mmap(-1, 8)  # when something was last revoked by a process that was forked from the same as this one
T = TypeVar("T")


class Recognised(Generic[T]):
    """Values by token hash; each also hangs on the ids whose revocation ends it."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, T]] = {}
        self._by_id: dict[str, set[str]] = {}
        self._seen = _latest[:]
        self._forgotten = 0  # counts revocations, so that a look-up overtaken by one is not remembered
        _caches.append(self)

    def get(self, token_hash: str) -> T | None:
        self._catch_up()
        found = self._values.get(token_hash)
        return found[1] if found and found[0] > time.monotonic() else None

    def mark(self) -> int:
        """The point to hand to `remember`, taken before the database is asked."""
        return self._forgotten

    def remember(self, token_hash: str, value: T, ids: tuple[object, ...], mark: int) -> None:
        """Keep the value for a minute, unless this process is deaf or something was revoked since the mark."""
        if not _hearing or mark != self._forgotten:
            return
        if len(self._values) >= MOST:
            self.clear()
        self._values[token_hash] = (time.monotonic() + SECONDS, value)
        for key in (token_hash, *map(str, ids)):
            self._by_id.setdefault(key, set()).add(token_hash)

    def _catch_up(self) -> None:
        """Forget everybody when another process has revoked something that was not heard of yet."""
        if (latest := _latest[:]) != self._seen:
            self.clear()
            self._seen = latest

    def revoked_here(self, key: str, moment: bytes) -> None:
        """Forget what hangs on a key; the moment that tells other processes says nothing new to this one."""
        self._catch_up()
        self._seen = moment
        self.forget(key)

    def forget(self, key: str) -> None:
        """Drop everything that hangs on a token hash or an id."""
        self._forgotten += 1
        for token_hash in self._by_id.pop(key, ()):
            self._values.pop(token_hash, None)

    def clear(self) -> None:
        self._forgotten += 1
        self._values.clear()
        self._by_id.clear()


_hearing = False
_caches: list[Recognised[Any]] = []


def forget(key: str) -> None:
    """A revocation arrived."""
    for cached in _caches:
        cached.forget(key)


def forget_everybody() -> None:
    """What was said meanwhile is unknown: ask the database again about each."""
    for cached in _caches:
        cached.clear()


async def revoke(session: AsyncSession, *keys: object) -> None:
    """End what hangs on these token hashes or ids when the session's transaction commits, in every process."""
    connection = await db.driver(session)
    for key in map(str, keys):
        await connection.execute("select pg_notify($1, $2)", CHANNEL, key)
        # The notification arrives a moment after the commit; the next request must not win that race.
        event.listen(session.sync_session, "after_commit", _forgetting(key), once=True)


def _forgetting(key: str) -> Callable[[object], None]:
    def on_commit(session: object) -> None:
        moment = time.monotonic_ns().to_bytes(8)
        for cached in _caches:
            cached.revoked_here(key, moment)
        _latest[:] = moment

    return on_commit


@contextmanager
def _ears_open() -> Iterator[None]:
    global _hearing
    forget_everybody()
    _hearing = True
    try:
        yield
    finally:
        _hearing = False
        forget_everybody()


async def listen_for_revocations(dsn: str) -> None:
    """Hear revocations until cancelled. Whenever the connection is lost, everybody is forgotten and looked up anew."""
    while True:
        try:
            await _listen_once(dsn)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("revocations cannot be heard", extra={"error": type(error).__name__})
        await asyncio.sleep(0.5)


async def _listen_once(dsn: str) -> None:
    connection: db.Driver = await asyncpg.connect(db.asyncpg_dsn(dsn))
    lost = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, lambda *said: forget(str(said[3])))
        with _ears_open():
            await lost.wait()
    finally:
        await connection.close(timeout=2)
