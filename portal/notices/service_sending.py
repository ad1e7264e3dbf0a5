"""Sending what was planned: claim, write the card as it is now, send, note. Each message has its own tries.

The database is never held while a channel is spoken to. A worker that is killed between sending and noting repeats a
message, recognisable because it says the same; what people answered is never repeated.
"""

import logging
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from portal.accounts.actors import Place
from portal.accounts.addressees import Person, addressee, people
from portal.core import clock, db
from portal.core.actor import Actor, Scope
from portal.core.db import Driver
from portal.core.errors import NotFound
from portal.core.i18n import N_, _, speaking
from portal.core.ids import uuid7
from portal.notices import rules
from portal.notices.cards import Card, number_only, shortened
from portal.notices.channels import Abilities
from portal.notices.compose import card_for
from portal.notices.model import Kind
from portal.notices.wording import address

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)  # for which a message is claimed; sending has less
ATTEMPTS = 8  # then this way is given up and the next one asked
FIRST_PAUSE, LONGEST_PAUSE = 2, 600  # seconds; the pause before a new try is random below the doubled one
SUMMARY = 500
GONE = N_("This is not shared with you any more.")


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message in the hands of one worker."""

    id: UUID
    tenant_id: UUID
    party_id: UUID
    scope: Scope
    member_id: UUID
    notice_id: UUID | None
    card_id: UUID | None
    kind: Kind | None
    object_kind: str
    object_id: UUID
    contract_id: UUID | None
    channel: str
    address: str
    silent: bool
    attempts: int
    number_only: bool
    expires_at: datetime | None
    person: Person | None = None

    @property
    def place(self) -> Place:
        return Place(self.tenant_id, self.party_id, self.scope, self.member_id)


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be sent: a new message, or the change of one. `actor` is the reader."""

    actor: Actor
    card: Card
    edits: str = ""  # the provider's id of the message to change; empty: a new one
    same: bool = False  # the message shows this already


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Why nothing is sent: the notice's last status, and a sentence for the log."""

    status: str
    why: str


# --- claiming ---------------------------------------------------------------------------------------------------------

# One message an address at a time, the longest due first: a chat that is slow keeps only itself. Only the head of the
# line is looked at, so that a claim costs the same however many wait.
_CLAIM = """
with head as (
    select d.tenant_id, d.id, d.next_try, d.channel, d.address
    from dispatch d
    where d.tenant_id = $1 and d.state = 'waiting' and d.next_try <= now() and not (d.address = any($2))
        and d.channel = any($5)
    order by d.next_try limit 300
), due as (
    select distinct on (h.channel, h.address) h.tenant_id, h.id, h.next_try
    from head h order by h.channel, h.address, h.next_try, h.id
), taken as (
    select d.tenant_id, d.id from dispatch d join due on due.tenant_id = d.tenant_id and due.id = d.id
    where d.state = 'waiting' and d.next_try <= now()
    order by due.next_try limit $3 for update of d skip locked
)
update dispatch d set attempts = d.attempts + 1, next_try = now() + $4::interval
from taken t
where d.tenant_id = t.tenant_id and d.id = t.id
returning d.id, d.tenant_id, d.party_id, d.member_id, d.notice_id, d.card_id, d.kind, d.object_kind, d.object_id,
    d.contract_id, d.channel, d.address, d.silent, d.attempts,
    (select chat_detail = 'number_only' from tenant where tenant_id = $1) as number_only"""


async def claim(system: Actor, busy: Collection[str], channels: Collection[str], most: int) -> list[Claimed]:
    """Take messages that are due, at most one an address. busy: addresses that are being written to."""
    async with db.statements(system, durable=False) as connection:
        rows = await connection.fetch(_CLAIM, system.tenant_id, list(busy), most, LEASE, list(channels))
    if not rows:
        return []
    known = await people(system.tenant_id, [row["member_id"] for row in rows])
    return [_claimed(row, system, known.get(row["member_id"])) for row in rows]


def _claimed(row: asyncpg.Record, system: Actor, person: Person | None) -> Claimed:
    values = dict(row)
    values["kind"] = Kind(row["kind"]) if row["kind"] else None
    scope = Scope.FACTORY if row["party_id"] == system.party_id else Scope.PARTNER
    return Claimed(**values, scope=scope, expires_at=None, person=person)


# --- writing ----------------------------------------------------------------------------------------------------------

_NOTICE = """
select n.status, n.expires_at, n.level, exists (
        select from action a where a.tenant_id = $1 and a.object_id = n.object_id and a.used_at >= n.occurred_at
            and a.object_kind = n.object_kind) as pressed
from notice n where n.tenant_id = $1 and n.id = $2"""
_CARD_BY_ID = """
select message_id, rendering, purpose from card_message where tenant_id = $1 and id = $2"""
_CARD_OF_CHAT = """
select message_id, rendering, purpose from card_message
where tenant_id = $1 and party_id = $2 and object_kind = $3 and object_id = $4 and channel = $5 and address = $6"""


async def write(claimed: Claimed, abilities: Abilities) -> Written | Unwanted:
    """The card as it is now for this reader, or why nothing is to be sent any more."""
    actor = await addressee(claimed.place, claimed.person)
    if actor is None:
        return Unwanted("dropped", "The person is not a member any more.")
    async with db.unit_of_work(actor) as session:
        connection = await db.driver(session)
        level, unwanted = await _still(connection, claimed)
        if unwanted is not None:
            return unwanted
        before = await _before(connection, claimed)
        try:
            purpose = before["purpose"] if claimed.card_id and before else _purpose(claimed.kind, level)
            card = await card_for(session, actor, claimed.object_kind, claimed.object_id, purpose)
        except NotFound:
            return _gone(actor, before) if claimed.card_id else Unwanted("dropped", "It is not the person's to see.")
    return _decided(claimed, abilities, actor, card, before)


def _purpose(kind: Kind | None, level: int) -> str:
    return {2: "deputy", 3: "admin"}.get(level, kind or "") if kind is Kind.OVERDUE else (kind or "")


async def _still(connection: Driver, claimed: Claimed) -> tuple[int, Unwanted | None]:
    """The level of the notice, and whether it is still worth sending."""
    if claimed.notice_id is None:
        return 1, None
    notice = await connection.fetchrow(_NOTICE, claimed.tenant_id, claimed.notice_id)
    if notice is None:
        return 1, Unwanted("dropped", "The notice is gone.")
    if notice["expires_at"] is not None and notice["expires_at"] <= clock.now():
        return 1, Unwanted("expired", "It came too late to be sent.")
    if notice["pressed"] and claimed.kind in rules.TO_DO:
        return 1, Unwanted("superseded", "It was answered meanwhile.")
    return notice["level"], None


async def _before(connection: Driver, claimed: Claimed) -> asyncpg.Record | None:
    """The message that shows the object in this chat already."""
    row: asyncpg.Record | None
    if claimed.card_id is not None:
        row = await connection.fetchrow(_CARD_BY_ID, claimed.tenant_id, claimed.card_id)
    else:
        chat = claimed.object_kind, claimed.object_id, claimed.channel, claimed.address
        row = await connection.fetchrow(_CARD_OF_CHAT, claimed.tenant_id, claimed.party_id, *chat)
    return row


def _gone(actor: Actor, before: asyncpg.Record | None) -> Written | Unwanted:
    """What a sent card shows once its reader may not see the object any more."""
    if before is None:
        return Unwanted("dropped", "It is not the person's to see.")
    with speaking(actor.language):
        card = Card(_(GONE), "", (), "", "", (), address("/"))
    return Written(actor, card, before["message_id"], same=before["rendering"] == card.rendering)


def _decided(
    claimed: Claimed, abilities: Abilities, actor: Actor, card: Card, before: asyncpg.Record | None
) -> Written | Unwanted:
    if claimed.kind is Kind.AGREED and not card.facts:
        return Unwanted("dropped", "Nothing was agreed.")
    if claimed.card_id is None and claimed.kind in rules.TO_DO and not _asks(card):
        return Unwanted("superseded", "It was answered meanwhile.")
    with speaking(actor.language):
        if claimed.number_only and abilities.outside:
            card = number_only(card)
        card = shortened(card, abilities.max_len)
    edits = before["message_id"] if before is not None and abilities.edit and not _is_new(claimed) else ""
    if claimed.card_id is not None and not edits:
        return Unwanted("superseded", "There is no message to change.")
    same = bool(edits) and before is not None and before["rendering"] == card.rendering
    return Written(actor, card, edits, same)


def _asks(card: Card) -> bool:
    """Whether the reader can do something about it. What is answered has a state and buttons that only open pages."""
    return any(button.action_id for row in card.buttons for button in row) or not card.state


def _is_new(claimed: Claimed) -> bool:
    """Whether the reader must notice it: then a new message comes, although the chat shows the object already."""
    return claimed.card_id is None and claimed.kind in rules.ALWAYS_NEW


# --- noting -----------------------------------------------------------------------------------------------------------

# `attempts` is this try's number: a try that was overtaken, or whose card changed meanwhile, marks nothing.
_SENT = """
update dispatch set state = 'sent', next_try = null, message_id = $4, summary = $5, sent_at = now(), error = ''
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'waiting' returning true"""
_NOTICE_IS = "update notice set status = $3 where tenant_id = $1 and id = $2 and status = 'planned'"
_REMEMBER = """
insert into card_message as m (tenant_id, id, party_id, member_id, object_kind, object_id, channel, address, message_id,
    purpose, rendering, written_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now())
on conflict on constraint uq_card_message_chat do update
    set message_id = excluded.message_id, purpose = excluded.purpose, rendering = excluded.rendering,
        written_at = excluded.written_at, member_id = excluded.member_id
returning id"""
_REWRITTEN = "update card_message set rendering = $3, written_at = now() where tenant_id = $1 and id = $2"


async def note_sent(claimed: Claimed, written: Written, message_id: str, abilities: Abilities) -> bool:
    """Write into the log that the message left, and remember it for later edits. False: this try was overtaken."""
    async with db.statements(written.actor) as connection:
        if abilities.edit:
            await _remember(connection, claimed, written, message_id)
        if claimed.notice_id is not None:
            await connection.execute(_NOTICE_IS, claimed.tenant_id, claimed.notice_id, "sent")
        summary = written.card.text[:SUMMARY]
        values = claimed.tenant_id, claimed.id, claimed.attempts, message_id, summary
        return bool(await connection.fetchval(_SENT, *values))


async def _remember(connection: Driver, claimed: Claimed, written: Written, message_id: str) -> None:
    if claimed.card_id is not None:
        await connection.execute(_REWRITTEN, claimed.tenant_id, claimed.card_id, written.card.rendering)
        return
    purpose = claimed.kind or ""
    about = claimed.object_kind, claimed.object_id, claimed.channel, claimed.address, message_id
    await remember_card(connection, written.actor, *about, purpose, written.card.rendering)


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
    """The message that shows an object in a chat from now on; the bot calls it for cards that somebody asked for."""
    assert actor.member_id is not None
    whose = actor.tenant_id, uuid7(), actor.party_id, actor.member_id
    chat = object_kind, object_id, channel, address, message_id
    await connection.execute(_REMEMBER, *whose, *chat, purpose, rendering)


_DROPPED = """
update dispatch set state = 'dead', next_try = null, error = $4
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'waiting'"""


async def note_unwanted(claimed: Claimed, unwanted: Unwanted) -> None:
    """Nothing was sent, and the log says why."""
    async with db.statements(claimed.place.asking) as connection:
        await connection.execute(_DROPPED, claimed.tenant_id, claimed.id, claimed.attempts, unwanted.why)
        if claimed.notice_id is not None:
            await connection.execute(_NOTICE_IS, claimed.tenant_id, claimed.notice_id, unwanted.status)


_LATER = """
update dispatch set next_try = now() + make_interval(secs => $4), attempts = attempts - $5, error = $6
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'waiting'"""


async def note_later(claimed: Claimed, seconds: float, error: str = "", *, counts: bool = True) -> None:
    """Try again after a pause; a try that the provider only put off does not count."""
    async with db.statements(claimed.place.asking) as connection:
        values = claimed.tenant_id, claimed.id, claimed.attempts
        await connection.execute(_LATER, *values, seconds, 0 if counts else 1, error[:300])


async def note_failure(claimed: Claimed, error: Exception, addresses: Sequence[tuple[str, str]]) -> None:
    """The channel did not take it: pause longer each time, and ask the person's next way at the end."""
    if claimed.attempts < ATTEMPTS:
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**claimed.attempts) * random.random()  # noqa: S311 - no secret
        await note_later(claimed, pause, f"{type(error).__name__}: {error}")
        return
    await give_up(claimed, str(error), addresses)


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


async def give_up(claimed: Claimed, why: str, addresses: Sequence[tuple[str, str]]) -> None:
    """This way is closed: the next one is asked now. addresses: the person's ways, in their order."""
    async with db.statements(claimed.place.asking) as connection:
        pulled, after = [], None
        if claimed.notice_id is not None:
            pulled = await connection.fetch(_PULL, claimed.tenant_id, claimed.notice_id, claimed.id)
        if claimed.notice_id is not None and not pulled:
            tried = {tuple(row) for row in await connection.fetch(_TRIED, claimed.tenant_id, claimed.notice_id)}
            after = next((each for each in addresses if each not in tried), None)
        state = "failed" if pulled or after is not None else "dead"
        values: tuple[Any, ...] = (claimed.tenant_id, claimed.id, claimed.attempts, why[:300], state)
        if await connection.fetchval(_GIVEN_UP, *values) and after is not None:
            await connection.execute(_NEXT, claimed.tenant_id, claimed.id, uuid7(), *after)
    logger.warning("a message was not taken", extra={"dispatch_id": str(claimed.id), "channel": claimed.channel})
