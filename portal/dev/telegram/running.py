"""`portal dev telegram`: the stand-in in a terminal, until it is stopped."""

import asyncio
from dataclasses import dataclass

import typer

from portal.core.settings import StartError
from portal.dev.telegram.clock import Clock
from portal.dev.telegram.server import serving
from portal.dev.telegram.updates import Hook
from portal.dev.telegram.world import DEMO_NAME, DEMO_TOKEN, Bot, World


@dataclass(frozen=True)
class Choices:
    """What the command line says."""

    host: str
    port: int
    token: str | None
    username: str | None
    users: list[str]
    webhook: str | None
    secret: str | None
    speed: float
    limits: bool


async def run(choices: Choices) -> None:
    """Serve, say where, and wait."""
    world = World(Clock(choices.speed))
    bot = world.bot(choices.token or DEMO_TOKEN, choices.username or DEMO_NAME)
    bot.limits.on = choices.limits
    for name in choices.users:
        world.user(name, None, None, "en" if name.isascii() else "zh")
    try:
        async with serving(world, host=choices.host, port=choices.port) as url:
            if choices.webhook:
                await bot.updates.set_hook(Hook(choices.webhook, choices.secret, 40))
            typer.echo(_greeting(url, bot))
            await asyncio.Event().wait()
    except OSError as error:
        raise StartError(
            f"Port {choices.port} on {choices.host} cannot be used: {error.strerror}. "
            "Stop the other program, or choose another one with --port."
        ) from error


def _greeting(url: str, bot: Bot) -> str:
    return (
        f"The phone: {url}    The bot's link: {url}/{bot.user.username}?start=...\n"
        f"The Bot API: {url}/bot<token>/<method> with the token {bot.token}\n"
        "Stop with Ctrl-C."
    )
