"""The stand-in's own time: it can stand, jump, and run many times as fast as the wall's."""

import asyncio
import time
from contextlib import suppress


class Clock:
    """Seconds since 1970. Whoever sleeps by it wakes when it is moved."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._base = time.time()
        self._since = time.monotonic()
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self._base + (time.monotonic() - self._since) * self.speed

    def set(self, now: float) -> None:
        """Jump to an instant."""
        self._base, self._since = now, time.monotonic()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def advance(self, seconds: float) -> None:
        self.set(self.now() + seconds)

    def run(self, speed: float) -> None:
        """From now on this many seconds pass in one of the wall's; 0 stops the clock."""
        now = self.now()
        self.speed = speed
        self.set(now)

    async def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            moved = self._moved
            with suppress(TimeoutError):
                async with asyncio.timeout(left / self.speed if self.speed else None):
                    await moved.wait()
