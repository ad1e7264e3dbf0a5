"""What an operator is told of bots: figures come in, sentences go out. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_WAITING = 50  # updates that a bot may be behind before an operator is told


def concerns(bots: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What wants a look, for each bot: too much stored and not worked off, too much held at Telegram, an error."""
    for name, bot in bots.items():
        if bot.get("waiting", 0) > MOST_WAITING:
            yield f"{name}: {bot['waiting']} messages wait for the bot, more than {MOST_WAITING}"
        if bot.get("pending", 0) > MOST_WAITING:
            yield f"{name}: {bot['pending']} updates wait at Telegram, more than {MOST_WAITING}"
        if bot.get("error"):
            yield f"{name}: {bot['error']}"
