"""What came about since the last summary, of the kinds that this reader wants to hear of with the summary."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from portal.contracts.parts import part_of
from portal.core import clock, i18n
from portal.core.access import permissions_of
from portal.core.actor import Actor, Direction, Scope
from portal.core.calendars import day_begins, local_today
from portal.core.db import Driver
from portal.core.i18n import N_, _, ngettext
from portal.core.states import Side
from portal.notices import rules, wording
from portal.notices.compose_contracts import SHOWN, amount
from portal.notices.model import Choice, Kind
from portal.schedules import reads


@dataclass(frozen=True, slots=True)
class Told:
    """Deeds in the history that tell of a kind, to what they were done, and how that is counted.

    side: whose company on the contract is told of it; scope: or of which company; neither: both.
    """

    table: str
    verbs: tuple[str, ...]
    one: str
    many: str
    side: Side | None = None
    scope: Scope | None = None


_CONTRACT = (
    *("proposed", "accepted", "declined", "countered", "activated", "suspended", "resumed", "terminated", "completed"),
    *("expired", "amendment_proposed", "amendment_countered", "amendment_accepted", "amendment_declined"),
    "amendment_applied",
)
NEWS: dict[Kind, tuple[Told, ...]] = {
    Kind.APPROVED: (),  # is not in the history of documents
    Kind.RELEASED: (
        Told(
            *("contract", ("released",)),
            N_("Newly released since the last summary: {n} contract"),
            N_("Newly released since the last summary: {n} contracts"),
            Side.BUYER,
        ),
    ),
    Kind.CONFIRMED: (
        Told(
            *("schedule_line", ("confirmed",)),
            N_("Confirmed since the last summary: {n} delivery"),
            N_("Confirmed since the last summary: {n} deliveries"),
            Side.BUYER,
        ),
        Told(
            *("schedule_line", ("deviation_accepted",)),
            N_("Your answer was accepted since the last summary: {n} delivery"),
            N_("Your answer was accepted since the last summary: {n} deliveries"),
            Side.SELLER,
        ),
        Told(
            *("contract", ("forecast_committed",)),
            N_("Committed to since the last summary: forecast of {n} contract"),
            N_("Committed to since the last summary: forecasts of {n} contracts"),
            Side.BUYER,
        ),
        Told(
            *("release", ("acknowledged",)),
            N_("Acknowledged since the last summary: {n} release"),
            N_("Acknowledged since the last summary: {n} releases"),
            scope=Scope.FACTORY,
        ),
    ),
    Kind.REJECTED: (
        Told(
            *("schedule_line", ("rejected",)),
            N_("Refused since the last summary: {n} delivery"),
            N_("Refused since the last summary: {n} deliveries"),
            Side.BUYER,
        ),
        Told(
            *("release", ("rejected",)),
            N_("Rejected since the last summary: {n} release"),
            N_("Rejected since the last summary: {n} releases"),
            scope=Scope.FACTORY,
        ),
    ),
    Kind.CANCELLED: (
        Told(
            *("schedule_line", ("cancelled",)),
            N_("Cancelled since the last summary: {n} delivery"),
            N_("Cancelled since the last summary: {n} deliveries"),
            Side.SELLER,
        ),
    ),
    Kind.AT_RISK: (
        Told(
            *("schedule_line", ("reported",)),
            N_("Warned of since the last summary: {n} delivery"),
            N_("Warned of since the last summary: {n} deliveries"),
            Side.BUYER,
        ),
    ),
    Kind.SHIPPED: (
        Told(
            *("shipment", ("sent",)),
            N_("Sent since the last summary: {n} delivery note"),
            N_("Sent since the last summary: {n} delivery notes"),
            Side.BUYER,
        ),
    ),
    Kind.DIFFERENCE: (
        Told(
            *("shipment", ("received",)),
            N_("Received with a difference since the last summary: {n} delivery note"),
            N_("Received with a difference since the last summary: {n} delivery notes"),
            Side.SELLER,
        ),
    ),
    Kind.RECEIVED: (
        Told(
            *("shipment", ("received",)),
            N_("Received since the last summary: {n} delivery note"),
            N_("Received since the last summary: {n} delivery notes"),
            Side.SELLER,
        ),
    ),
    Kind.CHANGE: (
        Told(
            *("change_request", ("accepted", "declined", "withdrawn", "expired", "applied", "apply_failed")),
            N_("Answered or ended since the last summary: {n} change request"),
            N_("Answered or ended since the last summary: {n} change requests"),
        ),
    ),
    Kind.CONTRACT: (
        Told(
            *("contract", _CONTRACT),
            N_("Moved on since the last summary: {n} contract"),
            N_("Moved on since the last summary: {n} contracts"),
        ),
    ),
}
MOST = 1000
_CHOICES = "select kinds from preference where tenant_id = $1 and party_id = $2 and member_id = $3"
_LAST = """
select max(occurred_at) from notice
where tenant_id = $1 and party_id = $2 and member_id = $3 and kind = 'digest' and occurred_at < $4"""
_NEWS = """
select t.verb, t.subject, t.subject_id, coalesce((t.data->>'differing')::int, 0) > 0 as differs,
    coalesce(c.direction, s.direction) as direction
from timeline t
left join contract c on c.tenant_id = $1 and c.id = t.contract_id
left join shipment s on s.tenant_id = $1 and t.subject = 'shipment' and s.id = t.subject_id
where t.tenant_id = $1 and t.party_id = any(array(
        select p.party_id from party p where p.tenant_id = $1 and ($2 or p.party_id = $3)))
    and t.id > $4 and t.at >= $5 and t.verb = any($6) and t.member_id is distinct from $7
    and ($8::uuid[] is null or t.contract_id = any($8))
    and exists (select from unnest($6::text[], $9::text[], $10::text[]) as w(verb, subject, direction)
        where w.verb = t.verb and w.subject = t.subject
            and (w.direction is null or w.direction = coalesce(c.direction, s.direction)))
order by t.id limit $11"""
_DECIDED = """
select count(*) from approval_case
where tenant_id = $1 and requested_by = $2 and decided_at >= $3 and status in ('approved', 'refused')"""


async def news(connection: Driver, actor: Actor) -> list[str]:
    """The lines of the summary. Empty when nothing came about, or everything is told at once."""
    kinds = await _wanted(connection, actor)
    if not kinds:
        return []
    since = await _since(connection, actor)
    wanted = [(kind, told) for kind in kinds for told in NEWS[kind] if told.scope in (None, actor.scope)]
    deeds = [(verb, told.table, _direction(actor, told.side)) for _kind, told in wanted for verb in told.verbs]
    rows = await _rows(connection, actor, since, deeds) if deeds else []
    said = await _approved(connection, actor, since) if Kind.APPROVED in kinds else []
    for kind, told in wanted:
        ids = list(dict.fromkeys(row["subject_id"] for row in rows if _tells(row, kind, told, actor)))
        if ids:
            said.append(ngettext(told.one, told.many, len(ids)).format(n=i18n.number(len(ids))))
            said += await first_lines(connection, actor, ids) if told.table == "schedule_line" else []
    return said


async def _rows(
    connection: Driver, actor: Actor, since: datetime, deeds: list[tuple[str, str, str | None]]
) -> list[asyncpg.Record]:
    verbs, tables, directions = map(list, zip(*deeds, strict=True))
    earliest = UUID(int=int(since.astimezone(ZoneInfo("UTC")).timestamp() * 1000) << 80)
    seen = None if actor.contract_ids is None else list(actor.contract_ids)
    whose = actor.tenant_id, actor.is_factory, actor.party_id
    found: list[asyncpg.Record] = await connection.fetch(
        _NEWS, *whose, earliest, since, verbs, actor.member_id, seen, tables, directions, MOST
    )
    return found


async def _approved(connection: Driver, actor: Actor, since: datetime) -> list[str]:
    """What became of the reader's own requests; only the factory has approvals."""
    if not actor.is_factory:
        return []
    count = await connection.fetchval(_DECIDED, actor.tenant_id, actor.member_id, since)
    text = ngettext(
        "Of what you asked, decided since the last summary: {n} request",
        "Of what you asked, decided since the last summary: {n} requests",
        count,
    )
    return [text.format(n=i18n.number(count))] if count else []


def _tells(row: asyncpg.Record, kind: Kind, told: Told, actor: Actor) -> bool:
    """Whether an entry of the history is this, for this reader's company; a receipt with a difference is one thing."""
    direction = _direction(actor, told.side)
    if row["subject"] != told.table or row["verb"] not in told.verbs or direction not in (None, row["direction"]):
        return False
    return kind not in {Kind.RECEIVED, Kind.DIFFERENCE} or row["differs"] is (kind is Kind.DIFFERENCE)


async def _wanted(connection: Driver, actor: Actor) -> list[Kind]:
    """The kinds that this reader hears of with the summary, and may hear of at all."""
    stored = await connection.fetchval(_CHOICES, actor.tenant_id, actor.party_id, actor.member_id)
    wishes = rules.Wishes(kinds=stored or {})
    may = permissions_of(actor.scope, actor.role)
    return [
        kind for kind in NEWS if rules.choice(wishes, kind) is Choice.DIGEST and rules.NEEDED[kind][actor.scope] in may
    ]


def _direction(actor: Actor, side: Side | None) -> str | None:
    """Of the contracts on which this reader's company is on a side; None: of both."""
    if side is None:
        return None
    return (Direction.SALE if (side is Side.SELLER) == actor.is_factory else Direction.PURCHASE).value


async def _since(connection: Driver, actor: Actor) -> datetime:
    """When the summary before today's was planned; without one, yesterday's midnight where the workspace is."""
    today = local_today(clock.now(), actor.time_zone)
    whose = actor.tenant_id, actor.party_id, actor.member_id
    last = await connection.fetchval(_LAST, *whose, day_begins(today, actor.time_zone))
    return last or day_begins(today - timedelta(days=1), actor.time_zone)


async def first_lines(connection: Driver, actor: Actor, ids: list[UUID]) -> list[str]:
    """The first of these deliveries, a line each, and how many more there are."""
    found = [await reads.get_row(connection, actor, line_id) for line_id in ids[:SHOWN]]
    said = [wording.due(f"{part_of(row, actor)} {amount(row)}", row.due_date) for row in found if row is not None]
    more = len(ids) - SHOWN
    return [*said, _("and {n} more").format(n=i18n.number(more))] if more > 0 else said
