"""How soon a message leaves after its event, and ten thousand reminders in the pace that Telegram takes."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from statistics import median, quantiles

import asyncpg

from bench import chats, machine
from bench.chats import Crowd
from bench.databases import Databases
from bench.harness import Case, Result, Target
from bench.serving import environment, free_port, start, stop
from portal.core import db, live
from portal.core.settings import Settings, TelegramMode
from portal.dev.telegram.client import World, connect
from portal.dev.telegram.world import DEMO_TOKEN
from portal.schedules.service import ask_again

SECONDS = 20  # of events, after as many for warming up as fill the caches
WARM = 2
# Of the stand-in's clock in `reminders_10k`: 600 messages a second, which take nearly all of two processors.
# Where other work runs beside it, it is slower, but nothing is refused.
SPEED = 20.0
WORKERS = 2
REMINDERS = 10_000
TELEGRAM_RATE, TELEGRAM_BURST = 30, 30  # messages a second of one bot, and at once after a rest
PATIENCE = 420.0
PART = re.compile(r"\bA(\d+) Bearing")
Seen = dict[int, float]  # number of a delivery -> when its message left, in seconds since 1970


@asynccontextmanager
async def process(
    arguments: Sequence[str], environ: dict[str, str], log: str
) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """A process of ours while the block runs."""
    with open(log, "ab") as output:  # noqa: ASYNC230, PTH123 - opened once, before anything is measured
        started = start(arguments, environ, output.fileno())
    try:
        yield started
    finally:
        await stop(started)


@asynccontextmanager
async def stand_in(databases: Databases, people: int, speed: float) -> AsyncIterator[World]:
    """Telegram's stand-in in a process of its own, with so many people who know the bot."""
    port = free_port()
    command = ["-m", "bench.phone", str(port), str(speed), str(people)]
    log = str(databases.folder / "phone.log")
    async with process(command, dict(os.environ), log), connect(f"http://127.0.0.1:{port}") as world:
        await until(lambda: answers(world))
        yield world


async def answers(world: World) -> bool:
    try:
        await world.counts()
    except OSError:
        return False
    return True


async def until(condition: Callable[[], Awaitable[bool]], every: float = 0.1) -> None:
    """Ask again until it is so."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110 - the answer is in another process's hands
            await asyncio.sleep(every)


@asynccontextmanager
async def workers(
    databases: Databases, settings: Settings, count: int, speed: float
) -> AsyncIterator[list["subprocess.Popen[bytes]"]]:
    """So many workers, and this process's own pools and bell on the same database, as the portal's web process has."""
    environ = environment(settings, free_port()) | {"BENCH_SPEED": str(speed)}
    db.configure(settings)
    ringer = asyncio.create_task(live.ringer(str(settings.database_direct_url)))
    try:
        async with AsyncExitStack() as stack:
            log = str(databases.folder / "worker.log")
            command = ["-m", "bench.messages"]
            yield [await stack.enter_async_context(process(command, environ, log)) for _ in range(count)]
    finally:
        ringer.cancel()
        await db.dispose()


async def crowded(databases: Databases, crowd: Crowd) -> tuple[Settings, asyncpg.Connection]:
    """A fresh database with these people."""
    settings = await databases.empty()
    admin = await databases.superuser("bench_empty")
    await chats.fill(admin, crowd)
    return settings, admin


# --- event to message -------------------------------------------------------------------------------------------------


async def ask(crowd: Crowd, rate: int, first: int, count: int) -> Seen:
    """So many events a second, each in a transaction of its own that rings as the portal's processes ring. Returns when
    each was committed."""
    committed: Seen = {}
    begin = time.time()

    async def one(number: int) -> None:
        await asyncio.sleep(max(0.0, begin + (number - first) / rate - time.time()))
        async with db.unit_of_work(crowd.factory) as session:
            await ask_again(session, crowd.factory, chats.line_id(number), None)
        committed[number] = time.time()

    await asyncio.gather(*(one(number) for number in range(first, first + count)))
    return committed


async def measured(
    name: str, databases: Databases, crowd: Crowd, settings: Settings, rate: int, left: Callable[[], Awaitable[Seen]]
) -> Result:
    """Events at a rate, after some for warming up; then when the message about each left."""
    async with workers(databases, settings, 1, 1.0) as (worker,):
        warm = WARM * rate
        await ask(crowd, rate, 0, warm)
        await until(lambda: all_left(left, warm))
        machine.forget_peak(worker.pid)
        committed = await ask(crowd, rate, warm, SECONDS * rate)
        await until(lambda: all_left(left, warm + SECONDS * rate))
        peak = machine.peak_mb(worker.pid)
    seen = await left()
    taken = sorted(max(0.0, seen[number] - at) for number, at in committed.items())
    return Result(
        name, "s", median(taken), None, None, peak, taken[:: max(1, len(taken) // 100)], quantiles(taken, n=100)[98]
    )


async def all_left(left: Callable[[], Awaitable[Seen]], count: int) -> bool:
    return len(await left()) >= count


async def event_to_message(databases: Databases) -> Result:
    """From the commit of an event to its message in the portal's own chat, at 50 events a second."""
    rate = 50
    crowd = Crowd(100, 1, (SECONDS + WARM) * rate // 100, "portal", chats.soon(30), "rejected")
    settings, admin = await crowded(databases, crowd)

    async def left() -> Seen:
        rows = await admin.fetch("select text, extract(epoch from at)::float8 from chat_message order by no desc")
        return {int(found.group(1)): at for text, at in rows if (found := PART.search(text))}

    try:
        return await measured("event_to_message", databases, crowd, settings, rate, left)
    finally:
        await admin.close()


async def event_to_telegram(databases: Databases) -> Result:
    """From the commit of an event to its arrival at Telegram's stand-in, at 20 events a second."""
    rate = 20
    crowd = Crowd(100, 1, (SECONDS + WARM) * rate // 100 + 1, "telegram", chats.soon(30), "rejected")
    settings, admin = await crowded(databases, crowd)
    await admin.close()
    async with stand_in(databases, crowd.partners, 1.0) as world:
        ours = time.time() - await world.clock()

        async def left() -> Seen:
            calls = await world.calls("sendMessage", status=200)
            found = [(PART.search(str(call.params["text"])), call.at) for call in calls]
            return {int(part.group(1)): at + ours for part, at in found if part}

        settings = with_bot(settings, world)
        return await measured("event_to_telegram", databases, crowd, settings, rate, left)


def with_bot(settings: Settings, world: World) -> Settings:
    return settings.model_copy(
        update={"telegram_token": DEMO_TOKEN, "telegram_api": world.url, "telegram_mode": TelegramMode.POLLING}
    )


# --- reminders --------------------------------------------------------------------------------------------------------


async def reminders_10k(databases: Databases) -> Result:
    """Ten thousand reminders from the clock to Telegram's stand-in; the ratio is of the time that its limits allow."""
    partners = 100
    crowd = Crowd(partners, REMINDERS // partners, 1, "telegram", soonest(), "confirmed")
    settings, admin = await crowded(databases, crowd)
    await admin.close()
    async with stand_in(databases, REMINDERS, SPEED) as world:
        async with workers(databases, with_bot(settings, world), WORKERS, SPEED) as running:
            await until(lambda: sent(world), every=1.0)
            peak = max(machine.peak_mb(each.pid) for each in running)
        calls = await world.calls("sendMessage")
    good = [call.at for call in calls if call.status == 200]
    refused = [call for call in calls if call.status == 429]
    taken = max(good) - min(good)
    allowed = (REMINDERS - TELEGRAM_BURST) / TELEGRAM_RATE
    if len(good) != REMINDERS or refused:
        raise RuntimeError(f"{len(good)} of {REMINDERS} reminders were sent, {len(refused)} were refused as too many")
    return Result("reminders_10k", "s", taken, allowed, taken / allowed, peak, [taken])


async def sent(world: World) -> bool:
    counts = await world.counts()
    return counts.get("sendMessage", {}).get("200", 0) >= REMINDERS


def soonest() -> date:
    """A day of which the workspace is reminded today."""
    return chats.soon(2)


CASES = (
    Case("event_to_message", Target(most=1, most_p99=3), event_to_message),
    Case("event_to_telegram", Target(most=1, most_p99=3), event_to_telegram),
    Case("reminders_10k", Target(most_ratio=1.1), reminders_10k),
)
