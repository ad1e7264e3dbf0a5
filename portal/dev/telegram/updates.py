"""The way of an update to the bot: kept for 24 hours, fetched by getUpdates or posted to the webhook.

As in Telegram's own open server, what happens in one chat is posted in order and waits for the one before it; different
chats do not wait for each other, up to `max_connections` at a time. What is not answered with 2xx is posted again after
a pause that doubles. `Bend` makes it all worse, as networks do.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from portal.dev.telegram.clock import Clock
from portal.dev.telegram.refusals import conflict

KEPT_SECONDS = 24 * 3600
LONGEST_PAUSE = 600.0
KEPT_MADE = 20_000
USUAL = {"message", "edited_message", "callback_query", "my_chat_member"}  # what comes when nothing else is asked for


class Bend(BaseModel):
    """What the control side does to the delivery."""

    model_config = ConfigDict(extra="forbid")

    copies: int = Field(1, ge=1, le=20)  # each update is posted so many times, at once
    delay: float = Field(0, ge=0)  # seconds of the stand-in's clock, for what comes from now on
    reorder: int = Field(0, ge=0)  # hold so many updates and post them from the last to the first
    drop: int = Field(0, ge=0)  # lose the next so many
    timeout: float = Field(30, gt=0)  # seconds of the wall's time until a post counts as failed


@dataclass
class Hook:
    """A webhook as the bot set it."""

    url: str
    secret: str | None
    max_connections: int
    failed_at: int | None = None
    failed_with: str | None = None


Post = Callable[[Hook, dict[str, Any], float], Awaitable[str | None]]
"""Post an update within some seconds: None when it arrived, otherwise what getWebhookInfo says about it."""


@dataclass
class Pending:
    """An update on its way."""

    body: dict[str, Any]
    lane: int
    made: float
    ready: float

    @property
    def id(self) -> int:
        return int(self.body["update_id"])


@dataclass
class Updates:
    """All updates of one bot."""

    clock: Clock
    moved: Callable[[], None]  # tells the watchers that something has arrived
    post: "Post | None" = None
    hook: Hook | None = None
    allowed: set[str] = field(default_factory=lambda: set(USUAL))
    bend: Bend = field(default_factory=Bend)
    last_id: int = 1000
    made: deque[Pending] = field(default_factory=lambda: deque(maxlen=KEPT_MADE))  # also what has arrived long ago
    lanes: dict[int, deque[Pending]] = field(default_factory=lambda: defaultdict(deque))
    held: list[Pending] = field(default_factory=list)
    _posting: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(40))
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _poller: object = None

    def push(self, kind: str, content: dict[str, Any], lane: int) -> None:
        """Something has happened in a chat."""
        if kind not in self.allowed:
            return
        self.last_id += 1
        if self.bend.drop:
            self.bend.drop -= 1
            return
        now = self.clock.now()
        item = Pending({"update_id": self.last_id, kind: content}, lane, now, now + self.bend.delay)
        self.made.append(item)
        self.held.append(item)
        if len(self.held) >= self.bend.reorder:
            self.release()

    def replay(self, update_id: int) -> bool:
        """Send an update once more, as it was, however long ago it arrived."""
        item = next((item for item in self.made if item.id == update_id), None)
        if item is None:
            return False
        now = self.clock.now()
        self.held.append(Pending(item.body, item.lane, now, now))
        self.release()
        return True

    def release(self) -> None:
        """Let go what was held back, the last first."""
        for item in reversed(self.held):
            self.lanes[item.lane].append(item)
        self.held.clear()
        self._stir()
        self._start()

    @property
    def waiting(self) -> list[Pending]:
        """All that the bot has not got, in the order in which it happened."""
        oldest = self.clock.now() - KEPT_SECONDS
        found = [*self.held, *(item for lane in self.lanes.values() for item in lane)]
        return sorted((item for item in found if item.made > oldest), key=lambda item: item.id)

    def clear(self, below: int | None = None) -> None:
        """Forget what the bot has got: all updates, or those with a smaller number."""
        for lane in self.lanes.values():
            kept = [item for item in lane if below is not None and item.id >= below]
            lane.clear()
            lane.extend(kept)
        self.held = [item for item in self.held if below is not None and item.id >= below]
        self.moved()

    # --- getUpdates -----------------------------------------------------------------------------------------------

    async def poll(self, offset: int, limit: int, timeout: float) -> list[dict[str, Any]]:
        """What waits, after confirming what is below the offset. The wall's time counts: it is the bot's connection."""
        if self.hook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        if offset > 0:
            self.clear(below=offset)
        elif offset < 0 and self.waiting:
            self.clear(below=self.waiting[offset:][0].id)
        poller = self._poller = object()
        self._stir()
        until = time.monotonic() + timeout
        while not (found := self._ready()) and (left := until - time.monotonic()) > 0:
            await self._rest(left)
            if self._poller is not poller:
                raise conflict(
                    "terminated by other getUpdates request; make sure that only one bot instance is running"
                )
        return [item.body for item in found[:limit]]

    def _ready(self) -> list[Pending]:
        return [item for item in self.waiting if item.ready <= self.clock.now()]

    async def _rest(self, seconds: float) -> None:
        """Until something is pushed, something delayed may be ready, or the time is over."""
        stirred = self._stirred
        if self.waiting:
            seconds = min(seconds, 0.05)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stirred.wait()

    def _stir(self) -> None:
        stirred, self._stirred = self._stirred, asyncio.Event()
        stirred.set()

    # --- webhook --------------------------------------------------------------------------------------------------

    async def set_hook(self, hook: Hook | None) -> None:
        """Post to this address from now on, what waits first."""
        await self.stop()
        self.hook = hook
        self._slots = asyncio.Semaphore(hook.max_connections if hook else 1)
        self._poller = None
        self._stir()
        self._start()

    async def stop(self) -> None:
        tasks = list(self._posting.values())
        self._posting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self) -> None:
        if self.hook is None:
            return
        for lane, items in self.lanes.items():
            if items and lane not in self._posting:
                self._posting[lane] = asyncio.create_task(self._run(self.hook, lane, items))

    async def _run(self, hook: Hook, lane: int, items: deque[Pending]) -> None:
        """Post what happened in one chat until nothing is left."""
        pause = 1.0
        while items:
            item = items[0]
            await self.clock.sleep(item.ready - self.clock.now())
            async with self._slots:
                arrived = await self._post(hook, item)
            if items and items[0] is item and (arrived or item.made < self.clock.now() - KEPT_SECONDS):
                items.popleft()
                pause = 1.0
                self.moved()
            elif not arrived:
                await self.clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._posting.pop(lane, None)

    async def _post(self, hook: Hook, item: Pending) -> bool:
        assert self.post is not None, "the server gives each bot its way to webhooks"
        post, timeout = self.post, self.bend.timeout
        results = await asyncio.gather(*[post(hook, item.body, timeout) for _ in range(self.bend.copies)])
        failed = [result for result in results if result is not None]
        if failed:
            hook.failed_at, hook.failed_with = int(self.clock.now()), failed[0]
        return not failed
