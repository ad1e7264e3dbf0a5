"""How fast a bot may send. Telegram gives round figures and no promise: about 1 message a second to a chat with short
bursts, 20 a minute to a group, about 30 a second in all. Whoever is told to wait and does not, is told again.
"""

import math
from collections import deque
from typing import Protocol

from portal.dev.telegram.refusals import too_many

CHAT_BURST = 5


class Meter(Protocol):
    """Counts what is sent and says how long the next one has to wait."""

    def wait(self, now: float) -> float: ...

    def take(self, now: float, count: int) -> None: ...


class Bucket:
    """So many a second on average, and so many at once after a rest."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self._left, self._at = float(burst), 0.0

    def wait(self, now: float) -> float:
        return max(0.0, (1 - self._filled(now)) / self.rate)

    def take(self, now: float, count: int) -> None:
        self._left, self._at = self._filled(now) - count, now

    def _filled(self, now: float) -> float:
        return min(float(self.burst), self._left + max(now - self._at, 0.0) * self.rate)


class Window:
    """At most so many in any stretch of so many seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._taken = deque[float]()

    def wait(self, now: float) -> float:
        while self._taken and self._taken[0] <= now - self.seconds:
            self._taken.popleft()
        return self._taken[-self.most] + self.seconds - now if len(self._taken) >= self.most else 0.0

    def take(self, now: float, count: int) -> None:
        self._taken.extend([now] * count)


class Limits:
    """The meters of one bot."""

    def __init__(self) -> None:
        self.on = True
        self._bot = Bucket(rate=30, burst=30)
        self._chats: dict[int, Meter] = {}
        self._closed: dict[int | None, float] = {}  # a chat, or None for the bot -> until when it was told to wait

    def count(self, chat_id: int, now: float, *, group: bool, count: int = 1) -> None:
        """Count messages, or refuse them all with the seconds to wait."""
        if not self.on:
            return
        chat = self._chats.setdefault(chat_id, Window(20, 60) if group else Bucket(rate=1, burst=CHAT_BURST))
        self._refuse(chat_id, chat, now)
        self._refuse(None, self._bot, now)
        chat.take(now, count)
        self._bot.take(now, count)

    def _refuse(self, key: int | None, meter: Meter, now: float) -> None:
        told = self._closed.get(key, 0.0) - now
        wait = max(meter.wait(now), told)
        if wait > 0:
            seconds = math.ceil(wait)
            if told <= 0:
                self._closed[key] = now + seconds
            raise too_many(seconds)
