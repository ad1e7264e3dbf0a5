"""Telegram's stand-in for measurements, with people who know the bot. Arguments: port, speed of its clock, how many."""

import asyncio
import gc
import sys

import uvloop

from portal.dev.telegram.clock import Clock
from portal.dev.telegram.server import serving
from portal.dev.telegram.world import DEMO_NAME, DEMO_TOKEN, World


async def run(port: int, speed: float, people: int) -> None:
    """Serve until it is ended."""
    world = World(Clock(speed))
    bot = world.bot(DEMO_TOKEN, DEMO_NAME)
    for number in range(people):
        world.private_chat(bot, world.user(f"Clerk {number}", None, None, "en"))
    gc.disable()  # it keeps every call; looking through them for garbage is a pause that Telegram does not have
    async with serving(world, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
