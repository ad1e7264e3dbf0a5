"""How fast a chat service may be written to, shared by all workers through Valkey.

Telegram takes about one message a second in a chat, 20 a minute in a group and 30 a second of one bot. Whoever has a
message stands in line and asks for a turn at the moment when it can leave. Turns come evenly; a few that nobody took
are kept, so that a worker that was busy for a moment costs none, and no more than those are ever caught up with. Only a
few messages of a worker are unanswered at a time. Together that bounds what can reach the service at once, however long
a process, Valkey or the service itself stands still: nothing that waited leaves in a burst. A chat that was asked to
wait is left alone; all others go on. Without Valkey each worker keeps the pace alone.
"""

import asyncio
import hashlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# Two workers have eighteen unanswered messages at most, and may take twelve turns at once: that is thirty, all that
# Telegram takes at once after a rest. Since turns come slower than it allows, no delay anywhere makes more of it.
KEPT = 11  # turns that nobody took, and that may be taken at once with the one that is due
UNANSWERED = 9  # messages of one worker; with a hundred milliseconds to Telegram it needs three
ARRIVED = 2.0  # seconds by the service's clock; what is unanswered for longer is a slow chat, and holds up nobody
FEW = 6  # turns that are worth asking for while more messages wait: to ask costs more than to answer


@dataclass(frozen=True, slots=True)
class Pace:
    """What one channel takes; 0: as much as we have."""

    bot: float = 0  # messages a second in all
    chat: float = 0  # seconds between two messages to one chat
    group: int = 0  # messages a minute to one group
    is_group: Callable[[str], bool] = lambda address: False


# Nearly all of the thirty a second that Telegram takes: no margin for bursts is needed, because none leaves.
TELEGRAM = Pace(bot=29.7, chat=1.05, group=19, is_group=lambda address: address.startswith("-"))
PACES: dict[str, Pace] = {"telegram": TELEGRAM}
FREE = Pace()


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One message that waits for its turn."""

    chat: str  # its key
    gap: float  # milliseconds until the chat takes another, by the wall's clock
    told: "asyncio.Future[float]"  # 0: leave now; otherwise for how many seconds the chat is closed


@dataclass
class Line:
    """The messages of one bot in this process."""

    key: str
    turn: float  # milliseconds between two messages, by the wall's clock; 0: as fast as they come
    waiting: deque[Waiting] = field(default_factory=deque)
    unanswered: dict[Waiting, float] = field(default_factory=dict)  # since when
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


# Turns for the first messages of a line. Answers in how many milliseconds the next turn is, and for each message how
# long its chat is closed, or 0: it leaves now, and its chat is taken for that long, or -1: its turn is not yet come.
# Valkey's own clock counts, so that workers on several machines agree.
_TAKE = """
local time = redis.call('TIME')
local now, turn = time[1] * 1000 + time[2] / 1000, tonumber(ARGV[1])
local kept = turn * ARGV[2]
local at = math.max(now - kept, tonumber(redis.call('GET', KEYS[1]) or '0'))
local told = {}
for n = 2, #KEYS do
    local left = at <= now and redis.call('PTTL', KEYS[n]) or -1
    if at > now then
        told[n] = -1
    elseif left > 0 then
        told[n] = left
    else
        told[n] = 0
        if tonumber(ARGV[n + 1]) > 0 then redis.call('SET', KEYS[n], '1', 'PX', math.ceil(ARGV[n + 1])) end
        at = at + turn
    end
end
redis.call('SET', KEYS[1], string.format('%.3f', at), 'PX', math.ceil(math.max(at - now + kept, 0)) + 1000)
told[1] = math.ceil(math.max(at - now, 0))
return told"""


class Pacer:
    """Turns and pauses of all channels. speed: how many times as fast the service's clock runs (for trials)."""

    def __init__(self, redis_url: str | None, speed: float = 1.0) -> None:
        self._url = redis_url
        self._client: Redis | None = None
        self._script: Callable[..., Awaitable[Any]] | None = None
        self._speed = speed
        self._lines: dict[str, Line] = {}  # by channel
        self._until: dict[str, float] = {}  # when a chat may be written to again, as this process alone knows
        self._next: dict[str, float] = {}  # the next turn of a bot, as this process alone knows

    @property
    def _redis(self) -> Redis | None:
        """Connected at first use: most workers keep no pace."""
        if self._client is None and self._url is not None:
            self._client = Redis.from_url(self._url)
            self._script = self._client.register_script(_TAKE)
        return self._client

    @asynccontextmanager
    async def turn(self, channel: str, address: str) -> AsyncIterator[float]:
        """Wait for the bot's turn; the message leaves inside, and is answered at the end. Gives 0, or after how many
        seconds to come again because the chat may not be written to now; then no turn was taken."""
        pace = PACES.get(channel, FREE)
        if pace is FREE:
            yield 0
            return
        line, key = self._line(channel, pace), _key(channel, address)
        gap = 60 / pace.group if pace.group and pace.is_group(address) else pace.chat
        mine = Waiting(key, gap * 1000 / self._speed, asyncio.get_running_loop().create_future())
        line.waiting.append(mine)
        if line.task is None or line.task.done():
            line.task = asyncio.create_task(self._give(line))
        try:
            closed = await mine.told
            yield max(closed, 0.05 / self._speed) if closed > 0 else 0
        finally:
            line.unanswered.pop(mine, None)
            if UNANSWERED - len(line.unanswered) >= min(FEW, len(line.waiting)):
                line.answered.set()

    def ahead(self, channel: str) -> float:
        """For how many seconds messages of the channel stand in line already: no use to bring more at once."""
        line = self._lines.get(channel)
        return len(line.waiting) * line.turn / 1000 if line else 0.0

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
        for line in self._lines.values():
            if line.task is not None:
                line.task.cancel()
        if self._client is not None:
            await self._client.aclose()

    def _line(self, channel: str, pace: Pace) -> Line:
        found = self._lines.get(channel)
        if found is None:
            turn = 1000 / pace.bot / self._speed if pace.bot else 0.0
            found = self._lines[channel] = Line(f"pace:{{{channel}}}", turn)
        return found

    async def _give(self, line: Line) -> None:
        """Take turns for those who wait, in their order, while any do."""
        while line.waiting:
            few, room = min(FEW, len(line.waiting)), UNANSWERED - self._unanswered(line)
            if room < few:
                line.answered.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(ARRIVED / self._speed / 4):
                        await line.answered.wait()
                continue
            first = [line.waiting.popleft() for _ in range(min(room, len(line.waiting)))]
            wait, told = await self._taken(line, first)
            for each, closed in zip(first, told, strict=True):
                if closed >= 0 and not each.told.done():  # otherwise nobody waits any more, and the turn is lost
                    each.told.set_result(closed)
                    if closed == 0:
                        line.unanswered[each] = time.monotonic()
            line.waiting.extendleft(each for each in reversed(first) if not each.told.done())
            if wait > 0 and line.waiting:
                await asyncio.sleep(wait + (min(FEW, len(line.waiting)) - 1) * line.turn / 1000)

    def _unanswered(self, line: Line) -> int:
        """How many may still reach the service."""
        arrived = time.monotonic() - ARRIVED / self._speed
        for each in [each for each, since in line.unanswered.items() if since < arrived]:
            del line.unanswered[each]
        return len(line.unanswered)

    async def _taken(self, line: Line, first: Sequence[Waiting]) -> tuple[float, list[float]]:
        """In how many seconds the next turn is, and for each message 0: it has one now, or for how many seconds its
        chat is closed, or less than 0: its turn is not yet."""
        if self._redis is not None and self._script is not None:
            keys, gaps = [line.key, *(each.chat for each in first)], [each.gap for each in first]
            try:
                wait, *told = await self._script(keys=keys, args=[line.turn, KEPT, *gaps])
                return wait / 1000, [each / 1000 for each in told]
            except (RedisError, OSError):
                logger.warning("the pace is kept by this process alone")
        return self._taken_alone(line, first)

    def _taken_alone(self, line: Line, first: Sequence[Waiting]) -> tuple[float, list[float]]:
        now, turn, told = time.monotonic(), line.turn / 1000, list[float]()
        at = max(now - KEPT * turn, self._next.get(line.key, 0.0))
        for each in first:
            closed = self._until.get(each.chat, 0.0) - now
            if at > now:
                told.append(-1)
            elif closed > 0:
                told.append(closed)
            else:
                told.append(0)
                self._until[each.chat] = now + each.gap / 1000
                at += turn
        self._next[line.key] = at
        return max(at - now, 0.0), told


def _key(channel: str, address: str) -> str:
    """No address of a person in the cache server. The topics of a group are one chat."""
    chat = address.partition("/")[0] if PACES.get(channel, FREE).is_group(address) else address
    return f"pace:{{{channel}}}:{hashlib.sha256(chat.encode()).hexdigest()[:24]}"
