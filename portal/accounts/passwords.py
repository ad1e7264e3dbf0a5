"""Passwords as argon2id hashes (OWASP ASVS: t=1, at least 46 MiB, p=1), at most two computed at once."""

import asyncio
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.core.errors import Unavailable
from portal.core.i18n import N_

AT_ONCE = 2  # one hash takes 46 MiB and a core for about 50 ms
MOST_WAITING = 200  # about five seconds of work; whoever comes later is asked to come again
_hasher = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)


class TooBusy(Unavailable):
    code = "too-busy"
    text = N_("Too many people are signing in at this moment. Try again in a minute.")


class Turnstile:
    """Lets two in at a time and turns away whoever would wait too long. One per event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise TooBusy
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._free.release()


_turnstiles: dict[int, Turnstile] = {}


def turnstile() -> Turnstile:
    """The one that all hashing of this event loop passes."""
    return _turnstiles.setdefault(id(asyncio.get_running_loop()), Turnstile())


def _same_form(password: str) -> str:
    """The same keys pressed on different systems give the same text (é may be one or two characters)."""
    return unicodedata.normalize("NFC", password)


async def hashed(password: str) -> str:
    """The hash to store."""
    async with turnstile():
        return await asyncio.to_thread(_hasher.hash, _same_form(password))


async def fits(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; for nobody's (None) it takes as long. Ask inside the turnstile."""
    return await asyncio.to_thread(_verify, password_hash, password)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        _hasher.verify(password_hash or _nobodys_hash(), _same_form(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("no password of anybody")
