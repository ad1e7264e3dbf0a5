"""Sending what was planned: claim, write the card as it is now; then it is sent, and `service_noting` notes it.

The messages of one company are written together. The database is never held while a channel is spoken to. A worker that
is killed between sending and noting repeats a message, recognisable because it says the same; what people answered is
never repeated.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from portal.accounts.actors import Place
from portal.accounts.addressees import Person, addressees, people
from portal.accounts.chats import is_group
from portal.core import clock, db
from portal.core.actor import Actor, Scope
from portal.core.arrays import array, columns
from portal.core.db import Driver
from portal.core.i18n import N_, _, speaking
from portal.notices import rules
from portal.notices.cards import Card, Wanted, number_only, shortened
from portal.notices.channels import Abilities
from portal.notices.compose import cards_for
from portal.notices.groups import shown_at, spoken_at
from portal.notices.model import Kind
from portal.notices.wording import address

LEASE = timedelta(seconds=60)  # for which a message is claimed; sending has less
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
# line is looked at, so that a claim costs the same however many wait. Only what waits has a next try: rows are found
# again by their ids alone, because the index of what waits would be walked through once for each of them.
_CLAIM = """
with head as materialized (
    select d.id, d.next_try, d.channel, d.address
    from dispatch d
    where d.tenant_id = $1 and d.state = 'waiting' and d.next_try <= now() and not (d.address = any($2))
        and d.channel = any($5)
    order by d.next_try limit 300
), due as (
    select distinct on (h.channel, h.address) h.id from head h order by h.channel, h.address, h.next_try, h.id
), taken as materialized (
    select d.id from dispatch d
    where d.tenant_id = $1 and d.id = any(array(select id from due)) and d.next_try <= now()
    order by d.next_try limit $3 for update of d skip locked
)
update dispatch d set attempts = d.attempts + 1, next_try = now() + $4::interval
where d.tenant_id = $1 and d.id = any(array(select id from taken))
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

# The actions of an object are looked through once, however many are told of it.
_NOTICES = """
with pressed as materialized (
    select a.object_kind, a.object_id, max(a.used_at) as at from action a
    where a.tenant_id = $1 and a.object_id = any($3::text::uuid[]) and a.used_at is not null and a.verb <> 'take_over'
    group by a.object_kind, a.object_id
)
select n.id, n.expires_at, n.level, coalesce(p.at >= n.occurred_at, false) as pressed
from notice n left join pressed p on p.object_kind = n.object_kind and p.object_id = n.object_id
where n.tenant_id = $1 and n.id = any($2::text::uuid[])"""
_CARDS = """
select m.id, m.object_kind, m.object_id, m.channel, m.address, m.message_id, m.rendering, m.purpose
from card_message m where m.tenant_id = $1 and m.party_id = $2 and m.id = any($3)
union all
select m.id, m.object_kind, m.object_id, m.channel, m.address, m.message_id, m.rendering, m.purpose
from unnest($4::text::text[], $5::text::uuid[], $6::text::text[], $7::text::text[]) as r(object_kind, object_id,
    channel, address)
join card_message m on m.tenant_id = $1 and m.party_id = $2 and m.object_kind = r.object_kind
    and m.object_id = r.object_id and m.channel = r.channel and m.address = r.address"""
Row: TypeAlias = asyncpg.Record | None


async def write(claims: Sequence[Claimed], abilities: Mapping[str, Abilities]) -> dict[UUID, Written | Unwanted]:
    """The cards of one company's messages as they are now for their readers, or why nothing is to be sent any more.

    One transaction for all, committed before any of them leaves: their buttons must be there when they are pressed.
    abilities: of each channel.
    """
    of = claims[0].place
    async with db.unit_of_work(of.asking) as session:
        connection = await db.driver(session)
        readers = await addressees(connection, of, {each.member_id: each.person for each in claims})
        notices = await _notices(connection, of, claims)
        cards = await _before(connection, of, claims)
        places = [(each.channel, each.address) for each in claims]
        spoken = await spoken_at(connection, of.tenant_id, of.party_id, places)
        befores = {each.id: cards.get(each.card_id or _chat(each)) for each in claims}
        said: dict[UUID, Written | Unwanted] = {}
        wanted: list[tuple[Claimed, Wanted]] = []
        for each in claims:
            found = _wanted(each, await _reader(each, readers, spoken), notices, befores[each.id])
            if isinstance(found, Unwanted):
                said[each.id] = found
            else:
                wanted.append((each, found))
        written = await cards_for(session, [want for _each, want in wanted])
        for (each, want), card in zip(wanted, written, strict=True):
            said[each.id] = _decided(each, abilities[each.channel], want.actor, card, befores[each.id])
        return said


async def _notices(connection: Driver, of: Place, claims: Sequence[Claimed]) -> dict[UUID, asyncpg.Record]:
    told = [each for each in claims if each.notice_id is not None]
    if not told:
        return {}
    ids, objects = array([each.notice_id for each in told]), array(list({each.object_id for each in told}))
    return {row["id"]: row for row in await connection.fetch(_NOTICES, of.tenant_id, ids, objects)}


async def _reader(
    claimed: Claimed, readers: Mapping[UUID, Actor], spoken: Mapping[str, frozenset[UUID]]
) -> Actor | Unwanted:
    """Who reads it: in a group nobody sees more than what it speaks of, also in the cards that they asked for there."""
    actor = readers.get(claimed.member_id)
    if actor is None:
        return Unwanted("dropped", "The person is not a member any more.")
    if not is_group(claimed.channel, claimed.address):
        return actor
    contracts = spoken.get(claimed.address)
    if contracts is None and claimed.notice_id is None:
        contracts = await shown_at(actor, claimed.channel, claimed.address)
    if not contracts:
        return Unwanted("dropped", "The group does not speak of it any more.")
    return actor.narrowed(contracts)


def _wanted(
    claimed: Claimed, actor: Actor | Unwanted, notices: Mapping[UUID, asyncpg.Record], before: Row
) -> Wanted | Unwanted:
    """The card that is to be written, where something is still to be sent."""
    if isinstance(actor, Unwanted):
        return actor
    level, unwanted = _still(claimed, notices)
    if unwanted is not None:
        return unwanted
    purpose = before["purpose"] if claimed.card_id and before else _purpose(claimed.kind, level)
    return Wanted(actor, claimed.object_kind, claimed.object_id, purpose)


def _purpose(kind: Kind | None, level: int) -> str:
    return {2: "deputy", 3: "admin"}.get(level, kind or "") if kind is Kind.OVERDUE else (kind or "")


def _still(claimed: Claimed, notices: Mapping[UUID, asyncpg.Record]) -> tuple[int, Unwanted | None]:
    """The level of the notice, and whether it is still worth sending."""
    if claimed.notice_id is None:
        return 1, None
    notice = notices.get(claimed.notice_id)
    if notice is None:
        return 1, Unwanted("dropped", "The notice is gone.")
    if notice["expires_at"] is not None and notice["expires_at"] <= clock.now():
        return 1, Unwanted("expired", "It came too late to be sent.")
    if notice["pressed"] and claimed.kind in rules.TO_DO:
        return 1, Unwanted("superseded", "It was answered meanwhile.")
    return notice["level"], None


def _chat(of: Claimed | asyncpg.Record) -> tuple[str, UUID, str, str]:
    """The object in the chat, by which the message that shows it already is found."""
    if isinstance(of, Claimed):
        return of.object_kind, of.object_id, of.channel, of.address
    return of["object_kind"], of["object_id"], of["channel"], of["address"]


async def _before(connection: Driver, of: Place, claims: Sequence[Claimed]) -> dict[Any, asyncpg.Record]:
    """The messages that show the objects in these chats already, by their ids and by their chats."""
    ids = [each.card_id for each in claims if each.card_id is not None]
    chats = columns(map(_chat, claims))
    rows = await connection.fetch(_CARDS, of.tenant_id, of.party_id, ids, *chats)
    return {key: row for row in rows for key in (row["id"], _chat(row))}


def _gone(actor: Actor, before: Row) -> Written | Unwanted:
    """What a sent card shows once its reader may not see the object any more."""
    if before is None:
        return Unwanted("dropped", "It is not the person's to see.")
    with speaking(actor.language):
        card = Card(_(GONE), "", (), "", "", (), address("/"))
    return Written(actor, card, before["message_id"], same=before["rendering"] == card.rendering)


def _decided(
    claimed: Claimed, abilities: Abilities, actor: Actor, card: Card | None, before: Row
) -> Written | Unwanted:
    if card is None:
        return _gone(actor, before) if claimed.card_id else Unwanted("dropped", "It is not the person's to see.")
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
    asking = [button for row in card.buttons for button in row if button.action_id and not button.afterwards]
    return bool(asking) or not card.state


def _is_new(claimed: Claimed) -> bool:
    """Whether the reader must notice it: then a new message comes, although the chat shows the object already."""
    return claimed.card_id is None and claimed.kind in rules.ALWAYS_NEW
