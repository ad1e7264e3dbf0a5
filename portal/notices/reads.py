"""The log of every send and every press, and who can stand in for whom."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import DAY, day_begins
from portal.core.conditions import Conditions, containing
from portal.core.db import Driver


class View(StrEnum):
    """The ready-made selections of the log."""

    ALL = "all"
    SENT = "sent"  # what left
    PRESSED = "pressed"  # what people answered
    WAITING = "waiting"  # still to be sent
    FAILED = "failed"  # not taken by a channel, or not sent for a reason


class LogFilter(Struct, frozen=True):
    """What of the log is wanted. Days are the reader's, both inclusive."""

    view: View = View.ALL
    member: str = ""  # part of the name
    channel: str = ""
    since: date | None = None
    until: date | None = None
    object_id: UUID | None = None


class LogRow(Struct, frozen=True):
    """One send or one press."""

    id: UUID
    at: datetime
    what: str  # sent, edited, pressed
    party_id: UUID
    party_name: str
    member_id: UUID
    member_name: str
    channel: str
    kind: str | None  # of a notice; none for a press and for a card that somebody asked for
    object_kind: str
    object_id: UUID
    state: str  # waiting, sent, failed, dead; of a press: pressed
    text: str  # what was said or answered
    error: str
    attempts: int
    due_at: datetime | None  # of what waits: when it is sent


class Colleague(Struct, frozen=True):
    """Somebody of the own company."""

    id: UUID
    name: str


_SENDS = """
select d.id, coalesce(d.sent_at, d.created_at) as at, case when d.card_id is null then 'sent' else 'edited' end as what,
    d.party_id, d.member_id, d.channel, d.kind, d.object_kind, d.object_id, d.state, d.summary as text, d.error,
    d.attempts, d.next_try
from dispatch d where {where} order by d.id desc limit {limit}"""
_PRESSES = """
select d.id, d.at, 'pressed' as what, d.party_id, d.member_id, d.channel, null as kind, d.object_kind, d.object_id,
    'pressed' as state, d.outcome as text, '' as error, 1 as attempts, null::timestamptz as next_try
from press d where {where} order by d.id desc limit {limit}"""
_NAMED = """
select l.id, l.at, l.what, l.party_id, p.name, l.member_id, m.name, l.channel, l.kind, l.object_kind, l.object_id,
    l.state, l.text, l.error, l.attempts, l.next_try
from ({rows}) l
join party p on p.tenant_id = $1 and p.party_id = l.party_id
join member m on m.tenant_id = $1 and m.id = l.member_id
order by l.id desc limit {limit}"""
_STATES = {
    View.SENT: " and d.state = 'sent'",
    View.WAITING: " and d.state = 'waiting'",
    View.FAILED: " and d.state in ('failed', 'dead')",
}
_MEMBER = " and d.member_id in (select id from member where tenant_id = $1 and name ilike {})"


async def list_log(connection: Driver, actor: Actor, wanted: LogFilter, after: UUID | None, limit: int) -> list[LogRow]:
    """The newest first, after an id; one more than `limit` when there is a next page.

    The factory sees its whole workspace's log, a partner its own; a restricted colleague what was sent to themselves
    and what is about their contracts.
    """
    actor.require(Permission.READ)
    where = _where(actor, wanted, after)
    rows, most = [], limit + 1
    if wanted.view is not View.PRESSED:
        rows.append(_SENDS.format(where=where.sql + _STATES.get(wanted.view, ""), limit=most))
    if wanted.view in (View.ALL, View.PRESSED):
        rows.append(_PRESSES.format(where=where.sql, limit=most))
    query = _NAMED.format(rows=" union all ".join(f"({row})" for row in rows), limit=most)
    return [LogRow(*row.values()) for row in await connection.fetch(query, *where.args)]


def _where(actor: Actor, wanted: LogFilter, after: UUID | None) -> Conditions:
    where = Conditions(actor, table="d")
    if actor.contract_ids is not None:
        seen, own = where.arg(list(actor.contract_ids)), where.arg(actor.member_id)
        where.sql += f" and (d.contract_id = any({seen}) or d.member_id = {own})"
    where.equal(**{"d.channel": wanted.channel or None, "d.object_id": wanted.object_id})
    if wanted.member.strip():
        where.sql += _MEMBER.format(where.arg(containing(wanted.member.strip())))
    if wanted.since is not None:
        where.also("d.id >=", _id_at(wanted.since, actor.time_zone))
    if wanted.until is not None:
        where.also("d.id <", _id_at(wanted.until + DAY, actor.time_zone))
    if after is not None:
        where.also("d.id <", after)
    return where


def _id_at(day: date, zone: str) -> UUID:
    """The smallest id that can have been made on a day: ids carry their instant."""
    return UUID(int=int(day_begins(day, zone).timestamp() * 1000) << 80)


async def colleagues(connection: Driver, actor: Actor, member_id: UUID) -> list[Colleague]:
    """Active people of the own company, without one."""
    rows: list[Any] = await connection.fetch(
        "select id, name from member where tenant_id = $1 and party_id = $2 and status = 'active' and id <> $3"
        " order by lower(name), id limit 500",
        *(actor.tenant_id, actor.party_id, member_id),
    )
    return [Colleague(*row) for row in rows]
