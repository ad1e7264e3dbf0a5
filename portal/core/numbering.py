"""Document numbers: one count per company and kind of document, so that gaps tell nobody another's volume."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.actor import Actor
from portal.core.ids import uuid7

_NEXT = """
insert into document_number as n (tenant_id, id, party_id, kind, last) values ($1, $2, $3, $4, 1)
on conflict (tenant_id, party_id, kind) do update set last = n.last + 1
returning last"""


async def next_number(session: AsyncSession, actor: Actor, party_id: UUID, kind: str) -> int:
    """The next number of a company's documents of one kind, from 1 on, without a gap after a rollback.

    kind: at most 24 characters; one that carries the year counts afresh every year. Whoever asks holds the count until
    its transaction ends, so ask late.
    """
    connection = await db.driver(session)
    last: int = await connection.fetchval(_NEXT, actor.tenant_id, uuid7(), party_id, kind)
    return last
