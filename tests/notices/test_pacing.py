"""The pace: turns one by one, no burst after a delay, chats that are closed, and workers that share it."""

import asyncio
import os
import time

import pytest

from portal.notices.pacing import FREE, KEPT, PACES, UNANSWERED, Pace, Pacer


@pytest.fixture
def swift() -> str:
    """A service with small limits."""
    name = f"swift-{os.urandom(4).hex()}"
    PACES[name] = Pace(bot=20, chat=1.0, group=20, is_group=lambda address: address.startswith("-"))
    return name


async def asked(pacer: Pacer, channel: str, address: str) -> float:
    """A message that leaves and is answered at once, or after how long to come again."""
    async with pacer.turn(channel, address) as later:
        return later


@pytest.mark.parametrize("shared", [True, False])
async def test_no_second_holds_more_than_a_service_takes(
    database: object, server: object, swift: str, shared: bool
) -> None:
    url = str(server.redis_url) if shared else None  # type: ignore[attr-defined]
    speed = 10.0
    pacers = [Pacer(url, speed) for _ in range(2 if shared else 1)]
    sent: list[float] = []

    async def send(number: int) -> None:
        async with pacers[number % len(pacers)].turn(swift, f"chat {number}") as later:
            assert later == 0
            sent.append(time.monotonic() * speed)

    await asyncio.gather(*(send(number) for number in range(60)))
    for pacer in pacers:
        await pacer.close()

    sent.sort()
    assert sent[-1] - sent[0] >= (60 - KEPT - 1) / 20  # sixty at twenty a second, the first of them at once
    assert max(sum(1 for at in sent if first <= at < first + 0.9) for first in sent) <= 18 + KEPT + 4


@pytest.mark.parametrize("shared", [True, False])
async def test_turns_that_are_asked_for_together_are_turns_one_by_one(
    database: object, server: object, swift: str, shared: bool
) -> None:
    """Forty chats at the same moment, one of them twice: two topics of one group are one chat."""
    pacer = Pacer(str(server.redis_url) if shared else None, speed=20)  # type: ignore[attr-defined]
    addresses = [*(f"chat {number}" for number in range(40)), "-100/1", "-100/2"]
    left: dict[str, float] = {}

    async def send(address: str) -> float:
        async with pacer.turn(swift, address) as later:
            left[address] = time.monotonic()
            return later

    begun = time.monotonic()
    later = await asyncio.gather(*map(send, addresses))
    ahead = pacer.ahead(swift)
    free = await asked(pacer, "email", "a")
    await pacer.close()

    assert [address for address, closed in zip(addresses, later, strict=True) if closed] == ["-100/2"]
    assert max(left.values()) - begun >= (40 - KEPT - 1) / 20 / 20  # twenty a second, twenty times as fast
    assert ahead == 0  # nobody stands in line any more
    assert free == pacer.ahead("email") == 0


@pytest.mark.parametrize("shared", [True, False])
async def test_however_long_the_service_stands_still_no_burst_comes_of_it(
    database: object, server: object, swift: str, shared: bool
) -> None:
    """Two workers with a hundred messages, of which none is answered: what has left waits at the service, and the rest
    with us. All of it together is no more than Telegram takes at once."""
    url = str(server.redis_url) if shared else None  # type: ignore[attr-defined]
    pacers = [Pacer(url, speed=1) for _ in range(2)]
    moves, left = asyncio.Event(), list[int]()

    async def send(number: int) -> None:
        async with pacers[number % 2].turn(swift, f"chat {number}"):
            left.append(number)
            await moves.wait()

    sending = [asyncio.create_task(send(number)) for number in range(100)]
    async with asyncio.timeout(10):
        while len(left) < 2 * UNANSWERED:  # noqa: ASYNC110 - turns come by the clock
            await asyncio.sleep(0.01)
        await asyncio.sleep(10 / 20)  # ten more turns pass, which nobody may take
    stood = len(left)
    for task in sending:
        task.cancel()
    await asyncio.wait(sending)
    for pacer in pacers:
        await pacer.close()

    assert stood == 2 * UNANSWERED
    assert stood + KEPT + 1 <= 30


async def test_a_chat_that_does_not_answer_takes_no_place_for_long(swift: str) -> None:
    pacer = Pacer(None, speed=20)
    stuck, left = asyncio.Event(), list[str]()

    async def send(address: str, *, slow: bool = False) -> None:
        async with pacer.turn(swift, address) as later:
            assert later == 0
            if slow:
                await stuck.wait()
            left.append(address)

    slow = [asyncio.create_task(send(f"slow {number}", slow=True)) for number in range(UNANSWERED)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(send(f"chat {number}") for number in range(20)))
    assert len(left) == 20
    stuck.set()
    await asyncio.gather(*slow)
    await pacer.close()


async def test_whoever_goes_away_while_waiting_holds_up_nobody(swift: str) -> None:
    pacer = Pacer(None, speed=20)

    async def send(number: int) -> float:
        async with pacer.turn(swift, f"chat {number}") as later:
            return later

    waiting = [asyncio.create_task(send(number)) for number in range(60)]
    await asyncio.sleep(0)
    for task in waiting[:50]:
        task.cancel()
    assert await asyncio.gather(*waiting[50:]) == [0] * 10
    await pacer.close()


async def test_one_chat_takes_one_message_at_a_time_and_a_pause_is_kept(swift: str) -> None:
    pacer = Pacer(None, speed=10)
    assert await asked(pacer, swift, "a") == 0
    assert 0 < await asked(pacer, swift, "a") <= 0.1
    assert await asked(pacer, swift, "b") == 0
    await pacer.pause(swift, "c", 30)
    assert 2 < await asked(pacer, swift, "c") <= 3
    assert await asked(pacer, swift, "-100") == 0
    assert 0.1 < await asked(pacer, swift, "-100") <= 0.3
    assert PACES.get("email", FREE) is FREE
    assert await asked(pacer, "email", "a") == await asked(pacer, "email", "a") == 0
