"""From what happened to what is to be sent: notices for those whom it concerns, and edits of cards it outdates.

Planned in each company's own scope. A notice has a key, so planning the same thing twice plans it once; who decided to
hear of a kind with the daily summary, or not at all, gets no notice.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from portal.core import db
from portal.core.actor import Actor, Scope
from portal.core.arrays import columns
from portal.core.db import Driver
from portal.core.ids import uuid7
from portal.core.journal import Event
from portal.notices import rules
from portal.notices.addresses import Address, addresses_of
from portal.notices.groups import Group, about, groups_of
from portal.notices.happenings import understood
from portal.notices.model import Choice, Kind, Urgency
from portal.notices.news import News, Touched
from portal.notices.recipients import Company, company, speaker
from portal.notices.rules import Recipient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice for one person, before it is known whether it was planned already."""

    who: Recipient
    kind: Kind
    object_kind: str
    object_id: UUID
    contract_id: UUID | None
    key: str
    occurred_at: datetime
    urgency: Urgency = Urgency.NORMAL
    level: int = 1
    due_at: datetime | None = None
    expires_at: datetime | None = None
    at_once: bool = False  # at the person's own hour, so quiet hours do not move it
    also: Sequence[str] = field(default=())  # channels that get it in any case
    group: Address | None = None  # a group chat that gets it instead of the person


_NOTICES = """
insert into notice (tenant_id, id, party_id, member_id, kind, object_kind, object_id, contract_id, key, urgency, level,
    due_at, expires_at, status, occurred_at)
select $1, r.id, $2, r.member_id, r.kind, r.object_kind, r.object_id, r.contract_id, r.key, r.urgency, r.level,
    r.due_at, r.expires_at, 'planned', r.occurred_at
from unnest($3::text::uuid[], $4::text::uuid[], $5::text::text[], $6::text::text[], $7::text::uuid[],
    $8::text::uuid[], $9::text::text[], $10::text::text[], $11::text::int[], $12::text::timestamptz[],
    $13::text::timestamptz[], $14::text::timestamptz[]) as r(id, member_id, kind, object_kind, object_id, contract_id,
    key, urgency, level, due_at, expires_at, occurred_at)
on conflict (tenant_id, party_id, member_id, key) do nothing returning id"""
_DISPATCHES = """
insert into dispatch (tenant_id, id, party_id, notice_id, member_id, kind, object_kind, object_id, contract_id, channel,
    address, state, silent, attempts, next_try, message_id, summary, error, created_at)
select $1, r.id, $2, r.notice_id, r.member_id, r.kind, r.object_kind, r.object_id, r.contract_id, r.channel, r.address,
    'waiting', r.silent, 0, r.next_try, '', '', '', now()
from unnest($3::text::uuid[], $4::text::uuid[], $5::text::uuid[], $6::text::text[], $7::text::text[],
    $8::text::uuid[], $9::text::uuid[], $10::text::text[], $11::text::text[], $12::text::boolean[],
    $13::text::timestamptz[]) as r(id, notice_id, member_id, kind, object_kind, object_id, contract_id, channel,
    address, silent, next_try)"""


async def plan(
    connection: Driver, of: Company, drafts: Sequence[Draft], addresses: Mapping[UUID, list[Address]], now: datetime
) -> int:
    """Write the notices that are new and what is to be sent for them. Returns how many notices were new.

    Whoever cannot be reached at all gets none, so that it is planned when they can.
    """
    wanted = [(uuid7(), draft) for draft in drafts if _ways(draft, addresses)]
    if not wanted:
        return 0
    party = of.actor.tenant_id, of.actor.party_id
    rows = await connection.fetch(_NOTICES, *party, *columns(_notice(*each) for each in wanted))
    fresh = {row["id"] for row in rows}
    sends = [
        send
        for notice_id, draft in wanted
        if notice_id in fresh
        for send in _dispatches(notice_id, draft, of, _ways(draft, addresses), now)
    ]
    if sends:
        await connection.execute(_DISPATCHES, *party, *columns(sends))
        logger.info("notices planned", extra={"notices": len(fresh), "first": str(sends[0][5])})
    return len(fresh)


def _ways(draft: Draft, addresses: Mapping[UUID, list[Address]]) -> Sequence[Address]:
    return addresses.get(draft.who.member_id, []) if draft.group is None else [draft.group]


def _notice(notice_id: UUID, draft: Draft) -> tuple[Any, ...]:
    about = draft.kind.value, draft.object_kind, draft.object_id, draft.contract_id, draft.key
    when = draft.due_at, draft.expires_at, draft.occurred_at
    return notice_id, draft.who.member_id, *about, draft.urgency.value, draft.level, *when


def _dispatches(
    notice_id: UUID, draft: Draft, of: Company, addresses: Sequence[Address], now: datetime
) -> list[tuple[Any, ...]]:
    """The first way now or when it may disturb again; the next one when half of the time is over without a press."""
    wishes = draft.who.wishes
    first = now if draft.at_once else rules.next_allowed(now, of.place, wishes, draft.urgency)
    chosen = [(addresses[0], first)]
    chosen += [(each, first) for each in addresses[1:] if each.channel in draft.also]
    later = rules.fallback_at(first, draft.due_at)
    rest = [each for each in addresses[1:] if each.channel not in draft.also]
    if later is not None and rest and draft.kind in rules.TO_DO:
        chosen.append((rest[0], rules.next_allowed(later, of.place, wishes, draft.urgency)))
    about = draft.who.member_id, draft.kind.value, draft.object_kind, draft.object_id, draft.contract_id
    silent = draft.at_once and rules.is_quiet(now, of.place, wishes)
    return [(uuid7(), notice_id, *about, where.channel, where.ref, silent, at) for where, at in chosen]


# --- cards that show something old ------------------------------------------------------------------------------------

_OUTDATED = """
select m.id, m.member_id, nullif(m.purpose, '') as kind, m.object_kind, m.object_id, m.channel, m.address
from card_message m where m.tenant_id = $1 and m.party_id = $2 and (
    (m.object_kind, m.object_id) in (select * from unnest($3::text::text[], $4::text::uuid[]))
    or (m.object_kind = 'digest' and m.id > $5))"""
# A send that is under way may have looked before the change: its count starts anew, so that it is sent once more.
_EDITS = """
insert into dispatch (tenant_id, id, party_id, card_id, member_id, kind, object_kind, object_id, channel, address,
    state, silent, attempts, next_try, message_id, summary, error, created_at)
select $1, r.id, $2, r.card_id, r.member_id, r.kind, r.object_kind, r.object_id, r.channel, r.address,
    'waiting', true, 0, r.at, '', '', '', now()
from unnest($3::text::uuid[], $4::text::uuid[], $5::text::uuid[], $6::text::text[], $7::text::text[],
    $8::text::uuid[], $9::text::text[], $10::text::text[], $11::text::timestamptz[]) as r(id, card_id, member_id,
    kind, object_kind, object_id, channel, address, at)
on conflict (tenant_id, party_id, card_id) where state = 'waiting' and card_id is not null
    do update set attempts = 0, next_try = least(dispatch.next_try, excluded.next_try)"""
DIGEST_PAUSE = timedelta(minutes=1)  # a day's summary follows a burst of events once
DIGEST_LASTS = timedelta(hours=20)  # for which a day's summary is kept up to date


async def outdated(connection: Driver, actor: Actor, touched: Sequence[Touched], now: datetime) -> list[asyncpg.Record]:
    """The sent cards of these objects in this company, and the day's summaries."""
    if not touched:
        return []
    kinds, ids = columns(touched)
    today = UUID(int=int((now - DIGEST_LASTS).timestamp() * 1000) << 80)  # ids carry when they were made
    rows: list[asyncpg.Record] = await connection.fetch(_OUTDATED, actor.tenant_id, actor.party_id, kinds, ids, today)
    return rows


async def outdate(connection: Driver, actor: Actor, touched: Sequence[Touched], now: datetime) -> int:
    """Let every sent card of these objects in this company be written anew, and the day's summaries a little later."""
    rows = await outdated(connection, actor, touched, now)
    edits = [(uuid7(), *row, now + DIGEST_PAUSE if row["object_kind"] == "digest" else now) for row in rows]
    if edits:
        await connection.execute(_EDITS, actor.tenant_id, actor.party_id, *columns(edits))
    return len(edits)


# --- events -----------------------------------------------------------------------------------------------------------


async def tell(
    system: Actor, event: Event, key: str, occurred_at: datetime, actor_id: UUID | None, now: datetime
) -> int:
    """Plan everything that one event means, for both companies concerned. Returns how many messages were planned."""
    async with db.read(system) as connection:
        happening = await understood(connection, system.tenant_id, event)
        if happening is None:
            return 0
        cards = await outdated(connection, system, happening.touched, now)
    planned = 0
    for scope, party_id in ((Scope.FACTORY, system.party_id), (Scope.PARTNER, happening.party_id)):
        news = [each for each in happening.news if each.scope is scope]
        if scope is Scope.FACTORY and not news and not cards:
            continue  # the factory's cards were seen already, on the way
        if scope is Scope.PARTNER and party_id == system.party_id:
            continue  # the factory's own affair
        actor = speaker(system.tenant_id, party_id, scope)
        async with db.statements(actor) as connection:
            planned += await outdate(connection, actor, happening.touched, now)
            if news:
                of = await company(connection, actor)
                groups = await groups_of(connection, of)
                drafts = [draft for each in news for draft in _drafts(of, each, key, occurred_at, actor_id, now)]
                drafts += [draft for each in news for draft in _in_groups(groups, each, key, occurred_at, now)]
                addresses = await addresses_of(connection, actor, [draft.who for draft in drafts])
                planned += await plan(connection, of, drafts, addresses, now)
    return planned


def _drafts(
    of: Company, news: News, key: str, occurred_at: datetime, actor_id: UUID | None, now: datetime
) -> list[Draft]:
    meant = [who for who in of.people if news.only is None or who.member_id in news.only]
    contracts, whose = news.contracts, {"actor_id": actor_id, "asker": news.asker}
    people = rules.told(meant, news.kind, news.contract_id, contracts=contracts, **whose)
    return [
        Draft(
            who, news.kind, news.object_kind, news.object_id, news.contract_id, f"{news.kind}:{key}", occurred_at,
            urgency=news.urgency, due_at=news.due_at, expires_at=rules.expiry(news.kind, now, news.due_at),
        )
        for who in people
        if rules.choice(who.wishes, news.kind) is Choice.AT_ONCE
    ]  # fmt: skip


def _in_groups(groups: Sequence[Group], news: News, key: str, occurred_at: datetime, now: datetime) -> list[Draft]:
    """What everybody with the right is told is told in the group chats of the contract too."""
    if news.kind not in rules.IN_GROUPS or news.only is not None:
        return []
    return [
        Draft(
            group.who, news.kind, news.object_kind, news.object_id, _contract_of(news, group),
            f"{news.kind}:{key}:{group.id}", occurred_at, urgency=news.urgency, due_at=news.due_at,
            expires_at=rules.expiry(news.kind, now, news.due_at), group=group.address,
        )
        for group in about(groups, news.contract_id, news.contracts)
        if group.who.may(rules.NEEDED[news.kind][group.who.scope])
    ]  # fmt: skip


def _contract_of(news: News, group: Group) -> UUID:
    """The contract through which it concerns the group."""
    return next(each for each in (news.contract_id, *news.contracts) if each in group.contracts)


def repeated(drafts: Sequence[Draft], groups: Sequence[Group]) -> list[Draft]:
    """What these drafts tell people, once for each group chat of its contract."""
    told = {
        (draft.key, group.id): replace(draft, who=group.who, key=f"{draft.key}:{group.id}", group=group.address)
        for draft in drafts
        if draft.kind in rules.IN_GROUPS
        for group in about(groups, draft.contract_id)
    }
    return list(told.values())
