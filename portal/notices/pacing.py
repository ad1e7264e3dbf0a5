"""How fast a chat service may be written to, shared by all workers through Valkey.

Telegram takes about one message a second in a chat, 20 a minute in a group and 30 a second of one bot. A message books
the next free slot of the bot's second with one INCR and waits for its turn, so that sends are spread evenly and no
second ever holds more than allowed, whoever sends. A chat that was asked to wait is left alone; all others go on.
Without Valkey each worker keeps the pace alone.
"""

import asyncio
import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
KEPT = 60  # seconds, and of one process seconds' counts, for which slots are remembered


@dataclass(frozen=True, slots=True)
class Pace:
    """What one channel takes; 0: as much as we have."""

    bot: int = 0  # messages a second in all
    chat: float = 0  # seconds between two messages to one chat
    group: int = 0  # messages a minute to one group
    is_group: Callable[[str], bool] = lambda address: False


TELEGRAM = Pace(bot=29, chat=1.05, group=19, is_group=lambda address: address.startswith("-"))
PACES: dict[str, Pace] = {"telegram": TELEGRAM}
FREE = Pace()


class Pacer:
    """Slots and pauses of all channels. speed: how many times as fast the service's clock runs (for trials)."""

    def __init__(self, redis_url: str | None, speed: float = 1.0) -> None:
        self._url = redis_url
        self._client: Redis | None = None
        self._speed = speed
        self._counts: dict[str, int] = defaultdict(int)
        self._until: dict[str, float] = {}

    @property
    def _redis(self) -> Redis | None:
        """Connected at first use: most workers keep no pace."""
        if self._client is None and self._url is not None:
            self._client = Redis.from_url(self._url)
        return self._client

    def now(self) -> float:
        """Seconds of the service's clock."""
        return time.time() * self._speed

    async def wait(self, channel: str, address: str) -> float:
        """Wait for the bot's turn. Returns 0, or after how many real seconds to come again because the chat may not
        be written to now; then nothing was booked."""
        pace = PACES.get(channel, FREE)
        if pace is FREE:
            return 0
        later = await self._chat_free(channel, address, pace)
        if later > 0:
            return later / self._speed
        at = await self._book(f"pace:{channel}", pace.bot) if pace.bot else 0.0
        pause = (at - self.now()) / self._speed
        if pause > 0:
            await asyncio.sleep(pause)
        return 0

    async def pause(self, channel: str, address: str, seconds: float) -> None:
        """The service wants this chat to be left alone for so long, by its clock."""
        await self._block(_key(channel, address), seconds)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    # --- one chat -----------------------------------------------------------------------------------------------------

    async def _chat_free(self, channel: str, address: str, pace: Pace) -> float:
        """Seconds until the chat takes the next message; 0: it is taken now, and nobody else writes for a while."""
        key = _key(channel, address)
        gap = 60 / pace.group if pace.group and pace.is_group(address) else pace.chat
        return 0 if await self._take(key, gap) else max(await self._left(key), 0.05)

    async def _take(self, key: str, seconds: float) -> bool:
        """Take the chat for so long; False when somebody holds it or it is paused."""
        real = max(1, int(seconds * 1000 / self._speed))
        if (redis := self._redis) is not None:
            try:
                return bool(await redis.set(key, "1", px=real, nx=True))
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")
        if self._until.get(key, 0) > time.monotonic():
            return False
        self._until[key] = time.monotonic() + real / 1000
        return True

    async def _block(self, key: str, seconds: float) -> None:
        real = max(1, int(seconds * 1000 / self._speed))
        self._until[key] = time.monotonic() + real / 1000
        if (redis := self._redis) is not None:
            try:
                await redis.set(key, "1", px=real)
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")

    async def _left(self, key: str) -> float:
        """Seconds of the service's clock for which a key still stands."""
        if (redis := self._redis) is not None:
            try:
                return max(0, int(await redis.pttl(key))) / 1000 * self._speed
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")
        return max(0.0, self._until.get(key, 0) - time.monotonic()) * self._speed

    # --- the bot ------------------------------------------------------------------------------------------------------

    async def _book(self, key: str, most: int) -> float:
        """The instant of the next free slot: so many evenly in each second of the service's clock."""
        second = int(self.now())
        while True:
            slot = await self._count(f"{key}:{second}") - 1
            passed = int((self.now() - second) * most)
            if slot < passed:  # slots that have passed are lost, never caught up with
                slot = await self._count(f"{key}:{second}", passed - slot) - 1
            if slot < most:
                return second + slot / most
            second = max(second + 1, int(self.now()))

    async def _count(self, key: str, by: int = 1) -> int:
        if (redis := self._redis) is not None:
            try:
                async with redis.pipeline(transaction=False) as pipe:
                    pipe.incrby(key, by)
                    pipe.expire(key, KEPT)
                    return int((await pipe.execute())[0])
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")
        self._counts[key] += by
        for old in list(self._counts)[:-KEPT]:
            del self._counts[old]
        return self._counts[key]


def _key(channel: str, address: str) -> str:
    """No address of a person in the cache server."""
    return f"pace:{channel}:{hashlib.sha256(address.encode()).hexdigest()[:24]}"
