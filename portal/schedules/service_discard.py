"""Deliveries that are in no release yet are thrown away, as if they had never been written down."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver
from portal.core.journal import Subject, record

_DISCARD = """
delete from schedule_line where tenant_id = $1 and id = any($2) and status = 'draft' and version = 1
    and ($3::uuid[] is null or contract_id = any($3))
returning id, party_id, contract_id"""


async def discard_lines(session: AsyncSession, actor: Actor, line_ids: Sequence[UUID]) -> set[UUID]:
    """Throw drafted deliveries away that nobody touched since. Returns those that are gone."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    connection = await driver(session)
    restricted = None if actor.contract_ids is None else list(actor.contract_ids)
    rows = await connection.fetch(_DISCARD, actor.tenant_id, list(line_ids), restricted)
    for row in rows:
        record(session, actor, Subject("schedule_line", row["id"], row["party_id"], 2, row["contract_id"]), "discarded")
    return {row["id"] for row in rows}
