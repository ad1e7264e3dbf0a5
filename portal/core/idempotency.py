"""The same request twice has one effect: the key is claimed, and the answer stored, in the work's own transaction."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct, json
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.actor import Actor
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.core.ids import uuid7


class KeyReused(Invalid):
    code = "idempotency-key-reused"
    text = N_("This Idempotency-Key was used for a different request. Send a new key with a new request.")


class Replay(Exception):
    """The work was done before; this is what was answered then."""

    def __init__(self, status: int, headers: dict[str, Any], body: str) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        super().__init__(status)


@dataclass(slots=True)
class Claim:
    """One key while its request runs."""

    key: str
    request_hash: str  # sha256 of method, path and body, hex
    status: int = 0
    headers: dict[str, Any] = field(default_factory=dict)  # that the handler gave, the media type among them
    body: str = ""

    async def take(self, session: AsyncSession, actor: Actor) -> None:
        """Claim the key, or raise Replay (done before) or KeyReused. A twin in flight waits here for the first."""
        connection = await db.driver(session)
        key = f"{actor.member_id or ''}:{self.key}"
        claimed = await connection.fetchval(
            "insert into idempotency (tenant_id, id, party_id, key, request_hash, status, body)"
            " values ($1, $2, $3, $4, $5, 0, '') on conflict do nothing returning true",
            *(actor.tenant_id, uuid7(), actor.party_id, key, self.request_hash),
        )
        if claimed:
            return
        row = await connection.fetchrow(
            "select request_hash, status, headers, body from idempotency"
            " where tenant_id = $1 and party_id = $2 and key = $3",
            *(actor.tenant_id, actor.party_id, key),
        )
        if row is None or row["request_hash"] != self.request_hash:
            raise KeyReused(field="Idempotency-Key")
        raise Replay(row["status"], row["headers"], row["body"])

    async def store(self, session: AsyncSession, actor: Actor) -> None:
        """Keep the answer for the next time the key comes."""
        connection = await db.driver(session)
        await connection.execute(
            "update idempotency set status = $4, headers = $5, body = $6"
            " where tenant_id = $1 and party_id = $2 and key = $3",
            *(actor.tenant_id, actor.party_id, f"{actor.member_id or ''}:{self.key}"),
            *(self.status, db.to_json(self.headers), self.body),
        )


async def forget(actor: Actor) -> int:
    """Drop what the companies of the actor's tenant were answered over a month ago. Returns how many answers.

    A month, because a phone at the dock keeps its receipts while it is out of reach, and sends them with their keys.
    """
    async with db.statements(actor) as connection:
        forgotten: int = await connection.fetchval("select forget_answers()")
        return forgotten


current: ContextVar[Claim | None] = ContextVar("claim", default=None)


def answer_without_secret(status: int, kept: Struct) -> None:
    """What a repeated key gets where the answer itself holds a secret, which is stored nowhere."""
    claim = current.get()
    if claim is not None:
        claim.status, claim.body = status, json.encode(kept).decode()
        current.set(None)
