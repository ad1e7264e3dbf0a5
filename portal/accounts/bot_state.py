"""How the bot process stands, noted in Valkey by itself and read by pages, /readyz and the doctor."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.core.settings import get_settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEY = "portal:bot"
LASTS = 90  # seconds after which a silent bot counts as away


@dataclass(frozen=True, slots=True)
class BotState:
    """What `portal bot` last said of Telegram."""

    username: str
    pending: int  # updates that Telegram holds for us
    error: str  # what it last had to say about our webhook


async def note(redis: "Redis", state: dict[str, object]) -> None:
    """Said by the bot every few seconds."""
    await redis.set(KEY, json.dumps(state), ex=LASTS)


async def read() -> BotState | None:
    """None: no bot runs, it has no Telegram, or Valkey is away."""
    url = get_settings().redis_url
    if not url or not get_settings().telegram_token:
        return None
    from redis.asyncio import Redis  # imported late: without Telegram nobody pays for it
    from redis.exceptions import RedisError

    redis: Redis = Redis.from_url(url)
    try:
        said = await redis.get(KEY)
    except (RedisError, OSError):
        return None
    finally:
        await redis.aclose()
    return BotState(**json.loads(said)) if said else None
