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
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


LATE = 0.4  # seconds by the service's clock; who wakes later after a stall takes a new turn, so that no burst follows
TURNS = 5  # that one message takes at most: where every answer of Valkey comes so late, it leaves all the same


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


@dataclass(frozen=True, slots=True)
class Booking:
    """What one message asks for. Seconds by the wall's clock."""

    chat: str  # its key
    gap: float  # until the chat takes another
    mine: bool  # the chat is taken already, and only a turn is wanted
    told: "asyncio.Future[tuple[float, float]]"  # how long the chat is closed; otherwise, when the turn is


# Turns of one bot for many chats at once: to ask costs more than to answer. A chat's hold lasts until its message has
# left and the chat takes another. Valkey's own clock counts, so that workers on several machines agree.
_BOOK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local told = {}
for n = 2, #KEYS do
    local gap = tonumber(ARGV[2 * n - 2])
    local left = ARGV[2 * n - 1] == '' and redis.call('PTTL', KEYS[n]) or 0
    if left > 0 then
        told[n - 1] = {left, 0}
    else
        told[n - 1] = {0, math.ceil(at - now)}
        if gap > 0 then redis.call('SET', KEYS[n], '1', 'PX', math.ceil(at - now + gap)) end
        at = at + ARGV[1]
    end
end
if at > now then redis.call('SET', KEYS[1], string.format('%.3f', at), 'PX', math.ceil(at - now) + 1000) end
return told"""


class Pacer:
    """Turns and pauses of all channels. speed: how many times as fast the service's clock runs (for trials)."""

    def __init__(self, redis_url: str | None, speed: float = 1.0) -> None:
        self._url = redis_url
        self._client: Redis | None = None
        self._script: Callable[..., Awaitable[Any]] | None = None
        self._asked: dict[str, list[Booking]] = {}  # by bot, what is asked for and not yet booked
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._speed = speed
        self._until: dict[str, float] = {}  # when a chat may be written to again, as this process alone knows
        self._next: dict[str, float] = {}  # the next turn of a bot, as this process alone knows
        self._last: dict[str, float] = {}  # the latest turn that was booked here, by channel

    @property
    def _redis(self) -> Redis | None:
        """Connected at first use: most workers keep no pace."""
        if self._client is None and self._url is not None:
            self._client = Redis.from_url(self._url)
            self._script = self._client.register_script(_BOOK)
        return self._client

    async def wait(self, channel: str, address: str) -> float:
        """Wait for the bot's turn. Returns 0, or after how many seconds to come again because the chat may not be
        written to now; then nothing was booked."""
        pace = PACES.get(channel, FREE)
        if pace is FREE:
            return 0
        gap = 60 / pace.group if pace.group and pace.is_group(address) else pace.chat
        turns = 1 / pace.bot if pace.bot else 0.0
        for taken in range(TURNS):
            later, turn = await self._book(_key(channel, address), f"pace:{{{channel}}}", turns, gap, taken > 0)
            if later > 0:
                return max(later, 0.05 / self._speed)
            self._last[channel] = max(turn, self._last.get(channel, 0))
            await asyncio.sleep(turn - time.monotonic())
            if (time.monotonic() - turn) * self._speed <= LATE:
                break
        return 0

    def ahead(self, channel: str) -> float:
        """For how many seconds this process has turns of the channel already: no use to bring more at once."""
        return max(0.0, self._last.get(channel, 0) - time.monotonic())

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
        of the chat's messages, by the service's clock. Returns how long the chat is closed, and otherwise when the
        turn is, by this process's clock."""
        booking = Booking(chat, gap / self._speed, mine, asyncio.get_running_loop().create_future())
        self._asked.setdefault(bot, []).append(booking)
        if bot not in self._asking:
            self._asking[bot] = asyncio.create_task(self._ask(bot, turns / self._speed))
        return await booking.told

    async def _ask(self, bot: str, turns: float) -> None:
        """Book what is asked for, everything that has come together meanwhile at once."""
        try:
            while bookings := self._asked.pop(bot, []):
                asked = time.monotonic()  # waits count from here, however late the answer is read
                for booking, (left, wait) in zip(bookings, await self._booked(bot, turns, bookings), strict=True):
                    if not booking.told.done():  # nobody waits for it any more: that turn is lost
                        booking.told.set_result((left, asked + wait))
        finally:
            del self._asking[bot]

    async def _booked(self, bot: str, turns: float, bookings: Sequence[Booking]) -> list[tuple[float, float]]:
        if self._redis is not None and self._script is not None:
            asked = [(booking.gap * 1000, "mine" if booking.mine else "") for booking in bookings]
            try:
                told = await self._script(
                    keys=[bot, *(booking.chat for booking in bookings)],
                    args=[turns * 1000, *(value for pair in asked for value in pair)],
                )
                return [(left / 1000, wait / 1000) for left, wait in told]
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")
        return [self._booked_alone(bot, turns, booking) for booking in bookings]

    def _booked_alone(self, bot: str, turns: float, booking: Booking) -> tuple[float, float]:
        now, chat = time.monotonic(), booking.chat
        if not booking.mine and self._until.get(chat, 0) > now:
            return self._until[chat] - now, 0
        at = max(now, self._next.get(bot, 0))
        self._next[bot], self._until[chat] = at + turns, at + booking.gap
        return 0, at - now


def _key(channel: str, address: str) -> str:
    """No address of a person in the cache server. The topics of a group are one chat."""
    chat = address.partition("/")[0] if PACES.get(channel, FREE).is_group(address) else address
    return f"pace:{{{channel}}}:{hashlib.sha256(chat.encode()).hexdigest()[:24]}"
