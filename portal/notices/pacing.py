"""How fast a chat service may be written to, shared by all workers through Valkey.

Telegram takes about one message a second in a chat, 20 a minute in a group and 30 a second of one bot. A message books
the bot's next turn and waits for it, so that sends are spread evenly and no second ever holds more than allowed,
whoever sends; a turn that nobody took is lost, never caught up with. A chat that was asked to wait is left alone; all
others go on. Without Valkey each worker keeps the pace alone.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


LATE = 0.5  # seconds by the service's clock; who wakes later after a stall takes a new turn, so that no burst follows


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


# The chat's hold lasts until its message has left and the chat takes another. Valkey's own clock counts, so that
# workers on several machines agree.
_BOOK = """
local left = ARGV[3] == '' and redis.call('PTTL', KEYS[1]) or 0
if left > 0 then return {left, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local at = math.max(now, tonumber(redis.call('GET', KEYS[2]) or '0'))
redis.call('SET', KEYS[2], string.format('%.3f', at + ARGV[1]), 'PX', math.ceil(at + ARGV[1] - now) + 1000)
if tonumber(ARGV[2]) > 0 then redis.call('SET', KEYS[1], '1', 'PX', math.ceil(at - now + ARGV[2])) end
return {0, math.ceil(at - now)}"""


class Pacer:
    """Turns and pauses of all channels. speed: how many times as fast the service's clock runs (for trials)."""

    def __init__(self, redis_url: str | None, speed: float = 1.0) -> None:
        self._url = redis_url
        self._client: Redis | None = None
        self._speed = speed
        self._until: dict[str, float] = {}  # when a chat may be written to again, as this process alone knows
        self._next: dict[str, float] = {}  # the next turn of a bot, as this process alone knows

    @property
    def _redis(self) -> Redis | None:
        """Connected at first use: most workers keep no pace."""
        if self._client is None and self._url is not None:
            self._client = Redis.from_url(self._url)
        return self._client

    async def wait(self, channel: str, address: str) -> float:
        """Wait for the bot's turn. Returns 0, or after how many seconds to come again because the chat may not be
        written to now; then nothing was booked."""
        pace = PACES.get(channel, FREE)
        if pace is FREE:
            return 0
        gap = 60 / pace.group if pace.group and pace.is_group(address) else pace.chat
        turns = 1 / pace.bot if pace.bot else 0.0
        late, mine = 0.0, False
        while not mine or late > LATE:
            later, pause = await self._book(_key(channel, address), f"pace:{{{channel}}}", turns, gap, mine)
            if later > 0:
                return max(later, 0.05 / self._speed)
            turn, mine = time.monotonic() + pause, True
            await asyncio.sleep(pause)
            late = (time.monotonic() - turn) * self._speed
        return 0

    async def pause(self, channel: str, address: str, seconds: float) -> None:
        """The service wants this chat to be left alone for so long, by its clock."""
        key, real = _key(channel, address), seconds / self._speed
        self._until[key] = time.monotonic() + real
        if (redis := self._redis) is not None:
            try:
                await redis.set(key, "1", px=max(1, int(real * 1000)))
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _book(self, chat: str, bot: str, turns: float, gap: float, mine: bool) -> tuple[float, float]:
        """Take the chat, unless it is mine already, and the bot's next turn. turns, gap: between two of the bot's and
        of the chat's messages, by the service's clock. Returns how long the chat is closed, and otherwise how long it
        is until the turn."""
        turns, gap = turns / self._speed, gap / self._speed
        if (redis := self._redis) is not None:
            try:
                told = await redis.register_script(_BOOK)(
                    keys=[chat, bot], args=[turns * 1000, gap * 1000, "mine" if mine else ""]
                )
                return told[0] / 1000, told[1] / 1000
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")
        now = time.monotonic()
        if not mine and self._until.get(chat, 0) > now:
            return self._until[chat] - now, 0
        at = max(now, self._next.get(bot, 0))
        self._next[bot], self._until[chat] = at + turns, at + gap
        return 0, at - now


def _key(channel: str, address: str) -> str:
    """No address of a person in the cache server. The topics of a group are one chat."""
    chat = address.partition("/")[0] if PACES.get(channel, FREE).is_group(address) else address
    return f"pace:{{{channel}}}:{hashlib.sha256(chat.encode()).hexdigest()[:24]}"
