"""What came about since the last summary, of the kinds that this reader wants to hear of with the summary."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from portal.core import clock, i18n
from portal.core.access import permissions_of
from portal.core.actor import Actor, Direction
from portal.core.calendars import day_begins, local_today
from portal.core.db import Driver
from portal.core.i18n import N_, ngettext
from portal.core.states import Side
from portal.notices import rules, wording
from portal.notices.compose_contracts import SHOWN, amount
from portal.notices.model import Choice, Kind
from portal.schedules import reads
from portal.schedules.reads import part_of

# Which deed in the history tells of a kind, of which table, and how it is counted.
NEWS: dict[Kind, tuple[str, str, str, str]] = {
    Kind.RELEASED: (
        "released",
        "contract",
        N_("Newly released since the last summary: {n} contract"),
        N_("Newly released since the last summary: {n} contracts"),
    ),
    Kind.CONFIRMED: (
        "confirmed",
        "schedule_line",
        N_("Confirmed since the last summary: {n} delivery"),
        N_("Confirmed since the last summary: {n} deliveries"),
    ),
    Kind.REJECTED: (
        "rejected",
        "schedule_line",
        N_("Refused since the last summary: {n} delivery"),
        N_("Refused since the last summary: {n} deliveries"),
    ),
    Kind.CANCELLED: (
        "cancelled",
        "schedule_line",
        N_("Cancelled since the last summary: {n} delivery"),
        N_("Cancelled since the last summary: {n} deliveries"),
    ),
    Kind.AT_RISK: (
        "reported",
        "schedule_line",
        N_("Warned of since the last summary: {n} delivery"),
        N_("Warned of since the last summary: {n} deliveries"),
    ),
    Kind.SHIPPED: (
        "sent",
        "shipment",
        N_("Sent since the last summary: {n} delivery note"),
        N_("Sent since the last summary: {n} delivery notes"),
    ),
    Kind.DIFFERENCE: (
        "received",
        "shipment",
        N_("Received with a difference since the last summary: {n} delivery note"),
        N_("Received with a difference since the last summary: {n} delivery notes"),
    ),
    Kind.RECEIVED: (
        "received",
        "shipment",
        N_("Received since the last summary: {n} delivery note"),
        N_("Received since the last summary: {n} delivery notes"),
    ),
}
MOST = 1000
_CHOICES = "select kinds from preference where tenant_id = $1 and party_id = $2 and member_id = $3"
_LAST = """
select max(occurred_at) from notice
where tenant_id = $1 and party_id = $2 and member_id = $3 and kind = 'digest' and occurred_at < $4"""
_NEWS = """
select t.verb, t.subject, t.subject_id, coalesce((t.data->>'differing')::int, 0) > 0 as differs
from timeline t
left join contract c on c.tenant_id = $1 and c.id = t.contract_id
left join shipment s on s.tenant_id = $1 and t.subject = 'shipment' and s.id = t.subject_id
where t.tenant_id = $1 and t.party_id = any(array(
        select p.party_id from party p where p.tenant_id = $1 and ($2 or p.party_id = $3)))
    and t.id > $4 and t.at >= $5 and t.verb = any($6) and t.member_id is distinct from $7
    and ($8::uuid[] is null or t.contract_id = any($8)) and (t.verb, coalesce(c.direction, s.direction)) in
        (select * from unnest($6::text[], $9::text[]))
order by t.id limit $10"""


async def news(connection: Driver, actor: Actor) -> list[str]:
    """The lines of the summary. Empty when nothing came about, or everything is told at once."""
    kinds = await _wanted(connection, actor)
    if not kinds:
        return []
    since = await _since(connection, actor)
    verbs = [NEWS[kind][0] for kind in kinds]
    directions = [_direction(actor, kind) for kind in kinds]
    earliest = UUID(int=int(since.astimezone(ZoneInfo("UTC")).timestamp() * 1000) << 80)
    seen = None if actor.contract_ids is None else list(actor.contract_ids)
    rows = await connection.fetch(
        _NEWS,
        *(actor.tenant_id, actor.is_factory, actor.party_id, earliest, since, verbs, actor.member_id, seen, directions),
        MOST,
    )
    said = []
    for kind in kinds:
        _verb, table, one, many = NEWS[kind]
        ids = list(dict.fromkeys(row["subject_id"] for row in rows if _tells(row, kind)))
        if ids:
            said.append(ngettext(one, many, len(ids)).format(n=i18n.number(len(ids))))
            said += await first_lines(connection, actor, ids) if table == "schedule_line" else []
    return said


def _tells(row: asyncpg.Record, kind: Kind) -> bool:
    """Whether an entry of the history is of this kind; a receipt with a difference is one thing, not two."""
    verb, table, *_words = NEWS[kind]
    return (row["verb"], row["subject"]) == (verb, table) and (
        kind not in {Kind.RECEIVED, Kind.DIFFERENCE} or row["differs"] is (kind is Kind.DIFFERENCE)
    )


async def _wanted(connection: Driver, actor: Actor) -> list[Kind]:
    """The kinds that this reader hears of with the summary, and may hear of at all."""
    stored = await connection.fetchval(_CHOICES, actor.tenant_id, actor.party_id, actor.member_id)
    wishes = rules.Wishes(kinds=stored or {})
    may = permissions_of(actor.scope, actor.role)
    return [
        kind for kind in NEWS if rules.choice(wishes, kind) is Choice.DIGEST and rules.NEEDED[kind][actor.scope] in may
    ]


def _direction(actor: Actor, kind: Kind) -> str:
    """Of the contracts on which this reader's company is told of the kind."""
    sells = rules.SIDE[kind] is Side.SELLER
    return (Direction.SALE if sells == actor.is_factory else Direction.PURCHASE).value


async def _since(connection: Driver, actor: Actor) -> datetime:
    """When the summary before today's was planned; without one, yesterday's midnight where the workspace is."""
    today = local_today(clock.now(), actor.time_zone)
    whose = actor.tenant_id, actor.party_id, actor.member_id
    last = await connection.fetchval(_LAST, *whose, day_begins(today, actor.time_zone))
    return last or day_begins(today - timedelta(days=1), actor.time_zone)


async def first_lines(connection: Driver, actor: Actor, ids: list[UUID]) -> list[str]:
    """The first of these deliveries, a line each."""
    found = [await reads.get_row(connection, actor, line_id) for line_id in ids[:SHOWN]]
    return [f"{part_of(row, actor)} {amount(row)}, {wording.day(row.due_date)}" for row in found if row is not None]
