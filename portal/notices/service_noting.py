"""What came of sending: sent and remembered for later edits, dropped, put off, or given up for the person's next way.

`attempts` of a dispatch is the number of the try: a try that was overtaken, or whose card changed meanwhile, marks
nothing.
"""

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.core import db
from portal.core.actor import Actor
from portal.core.arrays import array, columns
from portal.core.db import Driver
from portal.core.errors import Unavailable
from portal.core.ids import uuid7
from portal.notices.service_sending import Claimed, Unwanted, Written

logger = logging.getLogger(__name__)
ATTEMPTS = 8  # then this way is given up and the next one asked
FIRST_PAUSE, LONGEST_PAUSE = 2, 600  # seconds; the pause before a new try is random below the doubled one
LONGEST_AWAY = 60  # seconds; the same while the service does not answer at all
SUMMARY = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that has left. remembered: its channel can change it later."""

    claimed: Claimed
    written: Written
    message_id: str
    remembered: bool


_SENT = """
update dispatch d set state = 'sent', next_try = null, message_id = r.message_id, summary = r.summary, sent_at = now(),
    error = ''
from unnest($2::text::uuid[], $3::text::int[], $4::text::text[], $5::text::text[]) as r(id, attempts, message_id,
    summary)
where d.tenant_id = $1 and d.id = r.id and d.attempts = r.attempts and d.next_try is not null returning d.id"""
_NOTICES_ARE = (
    "update notice set status = $3 where tenant_id = $1 and id = any($2::text::uuid[]) and status = 'planned'"
)
_REMEMBER = """
insert into card_message as m (tenant_id, id, party_id, member_id, object_kind, object_id, channel, address, message_id,
    purpose, rendering, written_at)
select $1, r.id, $2, r.member_id, r.object_kind, r.object_id, r.channel, r.address, r.message_id, r.purpose,
    r.rendering, now()
from unnest($3::text::uuid[], $4::text::uuid[], $5::text::text[], $6::text::uuid[], $7::text::text[],
    $8::text::text[], $9::text::text[], $10::text::text[], $11::text::text[]) as r(id, member_id, object_kind,
    object_id, channel, address, message_id, purpose, rendering)
on conflict on constraint uq_card_message_chat do update
    set message_id = excluded.message_id, purpose = excluded.purpose, rendering = excluded.rendering,
        written_at = excluded.written_at, member_id = excluded.member_id
    where (length(m.message_id), m.message_id collate "C") <= (length(excluded.message_id), excluded.message_id)"""
_REWRITTEN = """
update card_message m set rendering = r.rendering, written_at = now()
from unnest($2::text::uuid[], $3::text::text[]) as r(id, rendering) where m.tenant_id = $1 and m.id = r.id"""


async def note_sent(sent: Sequence[Sent]) -> set[UUID]:
    """Write into the log that one company's messages left, and remember them for later edits, at most one an address.

    Returns the dispatches of tries that were not overtaken.
    """
    place = sent[0].claimed.place
    notices = [each.claimed.notice_id for each in sent if each.claimed.notice_id is not None]
    async with db.statements(place.asking) as connection:
        await _remember(connection, place.asking, [each for each in sent if each.remembered])
        if notices:
            await connection.execute(_NOTICES_ARE, place.tenant_id, array(notices), "sent")
        rows = await connection.fetch(_SENT, place.tenant_id, *columns(map(_row, sent)))
    return {row["id"] for row in rows}


def _row(sent: Sent) -> tuple[Any, ...]:
    return sent.claimed.id, sent.claimed.attempts, sent.message_id, sent.written.card.text[:SUMMARY]


async def _remember(connection: Driver, of: Actor, sent: Sequence[Sent]) -> None:
    edits = [(each.claimed.card_id, each.written.card.rendering) for each in sent if each.claimed.card_id is not None]
    if edits:
        await connection.execute(_REWRITTEN, of.tenant_id, *columns(edits))
    cards = [
        (
            *(uuid7(), each.claimed.member_id, each.claimed.object_kind, each.claimed.object_id, each.claimed.channel),
            *(each.claimed.address, each.message_id, each.claimed.kind or "", each.written.card.rendering),
        )
        for each in sent
        if each.claimed.card_id is None
    ]
    if cards:
        await connection.execute(_REMEMBER, of.tenant_id, of.party_id, *columns(cards))


async def remember_card(
    connection: Driver,
    actor: Actor,
    object_kind: str,
    object_id: UUID,
    channel: str,
    address: str,
    message_id: str,
    purpose: str,
    rendering: str,
) -> None:
    """The message that shows an object in a chat from now on; the bot calls it for cards that somebody asked for. An
    old message whose button was pressed does not take the place of a newer one: its number is smaller."""
    assert actor.member_id is not None
    card = uuid7(), actor.member_id, object_kind, object_id, channel, address, message_id, purpose, rendering
    await connection.execute(_REMEMBER, actor.tenant_id, actor.party_id, *columns([card]))


_DROPPED = """
update dispatch set state = 'dead', next_try = null, error = $4
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'waiting'"""


async def note_unwanted(claimed: Claimed, unwanted: Unwanted) -> None:
    """Nothing was sent, and the log says why."""
    async with db.statements(claimed.place.asking) as connection:
        await connection.execute(_DROPPED, claimed.tenant_id, claimed.id, claimed.attempts, unwanted.why)
        if claimed.notice_id is not None:
            await connection.execute(_NOTICES_ARE, claimed.tenant_id, array([claimed.notice_id]), unwanted.status)


_LATER = """
update dispatch set next_try = now() + make_interval(secs => $4), attempts = attempts - $5, error = $6
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'waiting'"""


async def note_later(claimed: Claimed, seconds: float, error: str = "", *, counts: bool = True) -> None:
    """Try again after a pause; a try that the provider only put off does not count."""
    async with db.statements(claimed.place.asking) as connection:
        values = claimed.tenant_id, claimed.id, claimed.attempts
        await connection.execute(_LATER, *values, seconds, 0 if counts else 1, error[:300])


async def note_failure(claimed: Claimed, error: Exception, addresses: Sequence[tuple[str, str]]) -> None:
    """The channel did not take it: pause longer each time, and ask the person's next way at the end.

    Without a next way it waits until an outage is over, however long that takes, or until it is too late to be read.
    """
    outage, why = isinstance(error, Unavailable) and not error.lasting, f"{type(error).__name__}: {error}"
    longest = LONGEST_AWAY if outage else LONGEST_PAUSE
    pause = min(longest, FIRST_PAUSE * 2**claimed.attempts) * random.random()  # noqa: S311 - no secret
    if claimed.attempts < ATTEMPTS:
        await note_later(claimed, pause, why)
    elif not outage:
        await give_up(claimed, str(error), addresses)
    elif not await give_up(claimed, str(error), addresses, last=False):
        await note_later(claimed, pause, why, counts=False)


_GIVEN_UP = """
update dispatch set state = $5, next_try = null, error = $4
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'waiting' returning true"""
_PULL = """
update dispatch set next_try = now()
where tenant_id = $1 and notice_id = $2 and state = 'waiting' and id <> $3 returning true"""
_TRIED = "select channel, address from dispatch where tenant_id = $1 and notice_id = $2"
_NEXT = """
insert into dispatch (tenant_id, id, party_id, notice_id, member_id, kind, object_kind, object_id, contract_id, channel,
    address, state, silent, attempts, next_try, message_id, summary, error, created_at)
select tenant_id, $3, party_id, notice_id, member_id, kind, object_kind, object_id, contract_id, $4, $5, 'waiting',
    silent, 0, now(), '', '', '', now()
from dispatch where tenant_id = $1 and id = $2"""


async def give_up(claimed: Claimed, why: str, addresses: Sequence[tuple[str, str]], *, last: bool = True) -> bool:
    """This way is closed: the next one is asked now. addresses: the person's ways, in their order. last: also where
    there is no next one. Returns whether it was given up."""
    async with db.statements(claimed.place.asking) as connection:
        pulled, after = [], None
        if claimed.notice_id is not None:
            pulled = await connection.fetch(_PULL, claimed.tenant_id, claimed.notice_id, claimed.id)
        if claimed.notice_id is not None and not pulled:
            tried = {tuple(row) for row in await connection.fetch(_TRIED, claimed.tenant_id, claimed.notice_id)}
            after = next((each for each in addresses if each not in tried), None)
        if not (last or pulled or after):
            return False
        state = "failed" if pulled or after is not None else "dead"
        values: tuple[Any, ...] = (claimed.tenant_id, claimed.id, claimed.attempts, why[:300], state)
        if await connection.fetchval(_GIVEN_UP, *values) and after is not None:
            await connection.execute(_NEXT, claimed.tenant_id, claimed.id, uuid7(), *after)
    logger.warning("a message was not taken", extra={"dispatch_id": str(claimed.id), "channel": claimed.channel})
    return True
