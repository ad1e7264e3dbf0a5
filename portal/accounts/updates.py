"""What bots were told: stored before it is acknowledged, handed out once and in the order of each chat.

The web server stores; `portal bot` claims. A claim lapses, so that what a killed bot held comes back by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from portal.accounts.model_chats import ChatBot
from portal.core import db
from portal.core.ids import uuid7

CHANNEL = "bot_update"  # rung when something was stored
LEASE = timedelta(seconds=30)
HOLD = timedelta(seconds=1)  # how long an update waits for the one before it that has not come yet
KEPT = timedelta(days=8)  # numbers are never used again within a week; then they are forgotten
TRIES = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """One update in the hands of one bot process."""

    id: UUID
    bot: ChatBot
    update_id: int
    chat_id: int
    raw: dict[str, Any]
    received_at: datetime
    tries: int
    sent: int


_STORE = """
insert into bot_update (id, bot, update_id, chat_id, raw, received_at, next_try, tries, sent, last_error)
values ($1, $2, $3, $4, $5::jsonb, now(), now(), 0, 0, '') on conflict (bot, update_id) do nothing returning id"""


async def store(bot: ChatBot, update_id: int, chat_id: int, raw: dict[str, Any]) -> bool:
    """Keep an update and wake the bots. False: it was stored before, and nothing more happens."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        new = await connection.fetchval(_STORE, uuid7(), bot.value, update_id, chat_id, db.to_json(raw))
        if new is not None:
            await connection.execute("select pg_notify($1, '')", CHANNEL)
    return new is not None


# The first waiting update of each chat, unless another one of the chat is in hand. Numbers of Telegram count without
# gaps, so one that follows a gap waits a moment for what was overtaken on the way.
_CLAIM = """
with next as (
    select u.id from bot_update u
    where u.bot = any($1) and u.done_at is null and u.next_try <= now()
        and not exists (select 1 from bot_update e where e.bot = u.bot and e.chat_id = u.chat_id and e.done_at is null
            and (e.update_id < u.update_id or (e.id <> u.id and e.tries > 0 and e.next_try > now())))
        and (u.bot <> 'telegram' or u.tries > 0 or u.received_at < now() - $3::interval
            or exists (select 1 from bot_update p where p.bot = u.bot and p.update_id = u.update_id - 1)
            or not exists (select 1 from bot_update p where p.bot = u.bot and p.update_id < u.update_id))
    order by u.received_at limit $4 for update skip locked
)
update bot_update b set next_try = now() + $2::interval, tries = b.tries + 1 from next where b.id = next.id
returning b.id, b.bot, b.update_id, b.chat_id, b.raw, b.received_at, b.tries, b.sent"""


async def claim(bots: Sequence[ChatBot], limit: int) -> list[Taken]:
    """The next updates of different chats, each for one try."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        rows = await connection.fetch(_CLAIM, [bot.value for bot in bots], LEASE, HOLD, limit)
    return [_taken(row) for row in rows]


def _taken(row: asyncpg.Record) -> Taken:
    bot, *rest = tuple(row.values())[1:]
    return Taken(row["id"], ChatBot(bot), *rest)


async def noted(taken: Taken, sent: int) -> None:
    """So many of its answers have left."""
    await _run("update bot_update set sent = $3 where id = $1 and tries = $2", taken.id, taken.tries, sent)


async def done(taken: Taken) -> None:
    """Fed and answered; what was said is not kept, its number is."""
    await _run("update bot_update set done_at = now(), last_error = '', raw = '{}' where id = $1", taken.id)


async def later(taken: Taken, seconds: float, error: str, *, outage: bool = False) -> None:
    """Try again after a pause; given up after some tries, which an operator sees in `portal doctor`.

    outage: what could not be reached says nothing about the update, which therefore is never given up for it: what
    somebody pressed is not lost, however long the database or the other service is away.
    """
    if taken.tries >= TRIES and not outage:
        await _run("update bot_update set done_at = now(), last_error = $2 where id = $1", taken.id, error[:300])
        return
    await _run(
        "update bot_update set next_try = now() + $2::interval, last_error = $3 where id = $1",
        *(taken.id, timedelta(seconds=seconds), error[:300]),
    )


async def postponed(taken: Taken, seconds: float) -> None:
    """The other service asked to wait: not our failure, so the try does not count."""
    await _run(
        "update bot_update set next_try = now() + $2::interval, tries = tries - 1 where id = $1",
        *(taken.id, timedelta(seconds=seconds)),
    )


async def forget_old() -> None:
    """Numbers that cannot come again are dropped."""
    await _run("delete from bot_update where done_at < now() - $1::interval", KEPT)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How far the bots are behind."""

    count: int
    oldest: datetime | None
    last_received: datetime | None  # when anything was last stored


async def waiting(bot: ChatBot) -> Waiting:
    """What is stored and not fed yet."""
    async with db.identity_work() as session:
        row = await (await db.driver(session)).fetchrow(
            "select count(*) filter (where done_at is null), min(received_at) filter (where done_at is null),"
            " max(received_at) from bot_update where bot = $1",
            bot.value,
        )
    assert row is not None
    return Waiting(*row.values())


async def _run(statement: str, *values: Any) -> None:
    async with db.identity_work() as session:
        await (await db.driver(session)).execute(statement, *values)


def chat_of(raw: dict[str, Any]) -> int:
    """The chat that an update is about, by which its order is kept; 0 for one that names none."""
    for part in ("message", "edited_message", "callback_query"):
        about = raw.get(part)
        if isinstance(about, dict):
            chat = about.get("chat") or (about.get("message") or {}).get("chat") or about.get("from") or {}
            return int(chat.get("id", 0)) if isinstance(chat, dict) else 0
    return 0
