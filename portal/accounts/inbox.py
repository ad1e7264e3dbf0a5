"""Updates of bots whose effect is done: one row in the transaction of the effect, with what was answered."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model_chats import ChatBot
from portal.core import db
from portal.core.actor import Actor
from portal.core.ids import uuid7

_CLAIM = """
insert into chat_inbox (tenant_id, id, party_id, bot, update_id, answers, created_at)
values ($1, $2, $3, $4, $5, '{}'::jsonb, now()) on conflict do nothing returning true"""


async def claim(session: AsyncSession, actor: Actor, bot: ChatBot, update_id: int) -> dict[str, Any] | None:
    """None: the update is new and this transaction's. Else what was answered; a twin in flight is waited for."""
    connection = await db.driver(session)
    if await connection.fetchval(_CLAIM, actor.tenant_id, uuid7(), actor.party_id, bot.value, update_id):
        return None
    answers: dict[str, Any] = await connection.fetchval(
        "select answers from chat_inbox where tenant_id = $1 and party_id = $2 and bot = $3 and update_id = $4",
        *(actor.tenant_id, actor.party_id, bot.value, update_id),
    )
    return answers


async def keep(session: AsyncSession, actor: Actor, bot: ChatBot, update_id: int, answers: dict[str, Any]) -> None:
    """Store the answers with the effect."""
    connection = await db.driver(session)
    await connection.execute(
        "update chat_inbox set answers = $5::jsonb"
        " where tenant_id = $1 and party_id = $2 and bot = $3 and update_id = $4",
        *(actor.tenant_id, actor.party_id, bot.value, update_id, db.to_json(answers)),
    )
