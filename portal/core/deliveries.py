"""Deliveries of events that failed for good: who looks at them, and how they are tried again."""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import Conflict, Forbidden
from portal.core.i18n import N_
from portal.core.journal import Subject, record

logger = logging.getLogger(__name__)


class NotFailed(Conflict):
    code = "delivery-not-failed"
    text = N_("This event is not waiting for you any more. Somebody may have tried it again already.")


class Failed(Struct, frozen=True):
    """A dead letter: one subscriber's share of one event, given up."""

    id: UUID
    event: str
    subscriber: str
    happened_at: datetime
    tries: int
    error: str


class Queue(Struct, frozen=True):
    """What the worker still has to do for this tenant."""

    waiting: int  # events not yet handed out, and deliveries not yet done
    retrying: int  # of these, how many failed at least once
    failed: int
    oldest: datetime | None  # since when the oldest of them waits


def check_operator(actor: Actor) -> None:
    """Raise Forbidden unless the actor is one of the factory's administrators, who alone manage its people too."""
    if not actor.is_factory:
        raise Forbidden
    actor.require(Permission.MANAGE_PEOPLE)


_FAILED = """
select d.id, o.name, d.subscriber, o.created_at, d.tries, d.last_error
from delivery d join outbox o on o.tenant_id = d.tenant_id and o.id = d.outbox_id
where d.tenant_id = $1 and d.done_at is null and d.next_try is null
order by o.created_at desc, d.id desc limit $2"""
_QUEUE = """
select count(*) filter (where not dead), count(*) filter (where failed and not dead), count(*) filter (where dead),
    min(since) filter (where not dead)
from (
    select false as failed, false as dead, created_at as since from outbox where tenant_id = $1 and taken_at is null
    union all
    select d.last_error <> '', d.next_try is null, o.created_at from delivery d
    join outbox o on o.tenant_id = d.tenant_id and o.id = d.outbox_id where d.tenant_id = $1 and d.done_at is null
) w"""
_AGAIN = """
update delivery set next_try = now(), tries = 0
where tenant_id = $1 and id = any($2) and done_at is null and next_try is null returning id"""


async def list_failed(connection: Driver, actor: Actor, limit: int = 200) -> list[Failed]:
    """The dead letters, newest first."""
    check_operator(actor)
    return [Failed(*row.values()) for row in await connection.fetch(_FAILED, actor.tenant_id, limit)]


async def queue(connection: Driver, actor: Actor) -> Queue:
    """How much waits, and since when."""
    check_operator(actor)
    row = await connection.fetchrow(_QUEUE, actor.tenant_id)
    assert row is not None
    return Queue(*row.values())


async def try_again(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> int:
    """Give dead letters five new tries. Raises NotFailed when none of them is one. Returns how many it were."""
    check_operator(actor)
    connection = await db.driver(session)
    rows = await connection.fetch(_AGAIN, actor.tenant_id, list(ids))
    if not rows:
        raise NotFailed
    for row in rows:
        record(session, actor, Subject("delivery", row["id"], actor.party_id, shared=False), "tried_again")
    logger.info("deliveries will be tried again", extra={"deliveries": len(rows)})
    return len(rows)
