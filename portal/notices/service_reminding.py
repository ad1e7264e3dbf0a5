"""What time alone makes known: summaries, deliveries that come near, answers and counts that are late.

Each look plans everything that is due by now; keys make sure that a person gets each of it once, however many workers
look and however often. What was due while no worker ran is caught up with as far as it still makes sense.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from portal.core import db
from portal.core.actor import Actor, Direction, Scope
from portal.core.calendars import DAY, local_today
from portal.core.db import Driver
from portal.core.journal import Subject, record
from portal.notices import rules
from portal.notices.addresses import EMAIL, addresses_of
from portal.notices.compose_days import day_id
from portal.notices.groups import groups_of
from portal.notices.model import Choice, Kind, Urgency
from portal.notices.recipients import Company, company, speaker
from portal.notices.rules import Recipient
from portal.notices.service_planning import Draft, plan, repeated

NEAR = 14  # days within which a delivery can be three working days away
LATE_RECEIPTS = 7  # days for which a missing count is worth a notice
MOST = 20_000  # rows of one look; the next look goes on
Verbs = tuple[str, ...]
VERBS: Mapping[int, str] = {1: "reminded", 2: "escalated", 3: "escalated_to_admin"}


async def parties(system: Actor) -> list[tuple[Scope, UUID]]:
    """The companies of a workspace that have somebody who could be told."""
    async with db.read(system) as connection:
        rows = await connection.fetch(
            "select distinct party_id from member where tenant_id = $1 and status = 'active'", system.tenant_id
        )
    return [(Scope.FACTORY if row["party_id"] == system.party_id else Scope.PARTNER, row["party_id"]) for row in rows]


async def remind(system: Actor, scope: Scope, party_id: UUID, now: datetime) -> int:
    """Plan for one company what is due by now. Returns how many notices were new."""
    actor = speaker(system.tenant_id, party_id, scope)
    async with db.read(actor) as connection:
        of = await company(connection, actor)
        known = await addresses_of(connection, actor, of.people)
        drafts = [
            *_digests(of, now),
            *await _evenings(connection, of, now),
            *await _near(connection, of, now),
            *await _uncounted(connection, of, now),
        ]
        drafts += repeated(drafts, await groups_of(connection, of))
        late = await _unanswered(connection, of, now)
        done = await _known_keys(connection, actor, [*drafts, *(draft for _row, draft in late)])
    drafts = [draft for draft in drafts if (draft.who.member_id, draft.key) not in done]
    late = [(row, draft) for row, draft in late if (draft.who.member_id, draft.key) not in done]
    if not drafts and not late:
        return 0
    async with db.unit_of_work(actor) as session:
        connection = await db.driver(session)
        planned = await plan(connection, of, drafts, known, now)
        for level in VERBS:
            rows = {row["id"]: row for row, draft in late if draft.level == level}
            news = [draft for _row, draft in late if draft.level == level]
            if await plan(connection, of, news, known, now):
                for row in rows.values():
                    record(
                        session,
                        actor,
                        _step(row, party_id if scope is Scope.PARTNER else row["party_id"]),
                        VERBS[level],
                    )
                planned += len(news)
    return planned


def _step(row: asyncpg.Record, party_id: UUID) -> Subject:
    """The demand for an answer, as the contract's history tells it."""
    return Subject("reminder", row["contract_id"], party_id, 1, row["contract_id"])


_KNOWN = """
select n.member_id, n.key from notice n
join unnest($3::uuid[], $4::text[]) as r(member_id, key) on r.member_id = n.member_id and r.key = n.key
where n.tenant_id = $1 and n.party_id = $2"""


async def _known_keys(connection: Driver, actor: Actor, drafts: Sequence[Draft]) -> set[tuple[UUID, str]]:
    """Which of these are planned already."""
    if not drafts:
        return set()
    members, keys = [draft.who.member_id for draft in drafts], [draft.key for draft in drafts]
    rows = await connection.fetch(_KNOWN, actor.tenant_id, actor.party_id, members, keys)
    return {(row["member_id"], row["key"]) for row in rows}


def _wanting(people: Sequence[Recipient], kind: Kind) -> list[Recipient]:
    return [who for who in people if rules.choice(who.wishes, kind) is Choice.AT_ONCE]


# --- summaries --------------------------------------------------------------------------------------------------------


def _digests(of: Company, now: datetime) -> list[Draft]:
    return [
        _of_day(who, Kind.DIGEST, day, now, of.place.zone)
        for who in of.people
        if rules.choice(who.wishes, Kind.DIGEST) is not Choice.OFF
        and (day := rules.digest_day(now, of.place, who.wishes)) is not None
    ]


def _of_day(who: Recipient, kind: Kind, day: date, now: datetime, zone: str) -> Draft:
    ends = rules.instant(day + DAY, 0, zone)
    return Draft(
        *(who, kind, kind.value, day_id(who.member_id, kind.value, day), None, f"{kind}:{day}", now),
        expires_at=ends,
        at_once=True,
    )


_ACTED = """
select distinct member_id from timeline
where tenant_id = $1 and id > $2 and at >= $3 and member_id = any($4)"""


async def _evenings(connection: Driver, of: Company, now: datetime) -> list[Draft]:
    """For those who did something today."""
    days = {
        who.member_id: (who, day)
        for who in of.people
        if rules.choice(who.wishes, Kind.AGREED) is not Choice.OFF
        and (day := rules.evening_day(now, of.place, who.wishes)) is not None
    }
    if not days:
        return []
    begins = rules.instant(local_today(now, of.place.zone), 0, of.place.zone)
    earliest = UUID(int=int(begins.timestamp() * 1000) << 80)
    rows = await connection.fetch(_ACTED, of.actor.tenant_id, earliest, begins, list(days))
    acted = [days[row["member_id"]] for row in rows]
    return [_of_day(who, Kind.AGREED, day, now, of.place.zone) for who, day in acted]


# --- deliveries -------------------------------------------------------------------------------------------------------

_NEAR = """
select l.id, l.contract_id, l.due_date, l.respond_by
from schedule_line l join contract c on c.tenant_id = $1 and c.id = l.contract_id
where l.tenant_id = $1 and ($2::uuid is null or l.party_id = $2) and c.direction = $3
    and l.status in ('published', 'proposed', 'partly_confirmed', 'confirmed')
    and l.due_date > $4 and l.due_date <= $5 and l.shipped_quantity < l.ordered_quantity
order by l.due_date, l.id limit $6"""


def _sells(scope: Scope) -> str:
    return (Direction.SALE if scope is Scope.FACTORY else Direction.PURCHASE).value


def _buys(scope: Scope) -> str:
    return (Direction.PURCHASE if scope is Scope.FACTORY else Direction.SALE).value


def _of_party(actor: Actor) -> UUID | None:
    return None if actor.is_factory else actor.party_id


async def _near(connection: Driver, of: Company, now: datetime) -> list[Draft]:
    """Deliveries that are due in three working days, for those who sell them."""
    people = _wanting(of.people, Kind.REMINDER)
    if not people:
        return []
    today = local_today(now, of.place.zone)
    begins = {day: rules.reminder_begins(day, of.place.calendar) for day in (today + DAY * n for n in range(NEAR))}
    last = max((day for day, first in begins.items() if first <= today), default=today)
    values = of.actor.tenant_id, _of_party(of.actor), _sells(of.actor.scope), today, last, MOST
    rows = await connection.fetch(_NEAR, *values)
    return [
        Draft(
            *(who, Kind.REMINDER, "schedule_line", row["id"], row["contract_id"]),
            key=f"{Kind.REMINDER}:{row['id']}:{row['due_date']}",
            occurred_at=now,
            urgency=Urgency.DEADLINE,
            expires_at=rules.instant(row["due_date"] + DAY, 0, of.place.zone),
        )
        for row in rows
        for who in rules.told(people, Kind.REMINDER, row["contract_id"])
    ]


# What somebody of the company took over is asked about no further, as long as they are there.
_UNANSWERED = """
select r.id, l.contract_id, l.party_id, min(l.respond_by) as respond_by,
    case c.lapse when 'nothing' then 1 when 'remind' then 2 else 3 end as most
from schedule_line l
join contract c on c.tenant_id = $1 and c.id = l.contract_id
join release r on r.tenant_id = $1 and r.contract_id = c.id and r.number = c.release_no
where l.tenant_id = $1 and ($2::uuid is null or l.party_id = $2) and c.direction = $3 and l.status = 'proposed'
    and l.respond_by < $4 and l.respond_by > $5
    and not exists (select from duty d join member m on m.tenant_id = $1 and m.id = d.member_id and m.status = 'active'
        where d.tenant_id = $1 and d.release_id = r.id)
group by r.id, l.contract_id, l.party_id, c.lapse limit $6"""
# Releases themselves wait for the partner's acknowledgement, where their contract asks for one.
_UNREAD = """
select release_id as id, contract_id, party_id, answer_by as respond_by, 3 as most
from release_standing s
where tenant_id = $1 and ($2::uuid is null or party_id = $2) and status in ('published', 'delivered')
    and answer_by < $3 and answer_by > $4
    and not exists (select from duty d join member m on m.tenant_id = $1 and m.id = d.member_id and m.status = 'active'
        where d.tenant_id = $1 and d.release_id = s.release_id)
limit $5"""
Late = tuple[asyncpg.Record, Draft]


async def _unanswered(connection: Driver, of: Company, now: datetime) -> list[Late]:
    """Releases whose deliveries wait for an answer that is due within a day or late, with whom that now concerns."""
    values = of.actor.tenant_id, _of_party(of.actor), _sells(of.actor.scope)
    window = now + rules.SOON, now - rules.FORGOTTEN
    rows = await connection.fetch(_UNANSWERED, *values, *window, MOST)
    unread = await connection.fetch(_UNREAD, of.actor.tenant_id, _of_party(of.actor), *window, MOST)
    if of.actor.scope is Scope.FACTORY:  # it hears once that nobody answered in time
        lapsed = (row for row in unread if row["respond_by"] <= now)
        told = [(row, draft) for row in lapsed for draft in _late(of, row, 1, now)]
    else:
        told, rows = [], rows + unread
    return told + [
        (row, draft)
        for row in rows
        for level in rules.levels(now, row["respond_by"])
        if level <= row["most"]  # as the contract says
        for draft in _late(of, row, level, now)
    ]


def _late(of: Company, row: asyncpg.Record, level: int, now: datetime) -> list[Draft]:
    asked = rules.told(of.people, Kind.OVERDUE, row["contract_id"])
    also: Verbs = ()
    match level:
        case 1:
            people = _wanting(asked, Kind.OVERDUE)
        case 2:
            people = rules.deputies(of.people, asked, Kind.OVERDUE, row["contract_id"]) or asked
        case _:
            people, also = [*rules.administrators(of.people), *asked], (EMAIL,)
    return [
        Draft(
            *(who, Kind.OVERDUE, "release", row["id"], row["contract_id"]),
            key=f"{Kind.OVERDUE}:{level}:{row['contract_id']}:{row['respond_by'].isoformat()}",
            occurred_at=now,
            urgency=Urgency.DEADLINE,
            level=level,
            due_at=row["respond_by"],
            expires_at=row["respond_by"] + rules.FORGOTTEN,
            also=also,
        )
        for who in {each.member_id: each for each in people}.values()
    ]


# --- goods ------------------------------------------------------------------------------------------------------------

_UNCOUNTED = """
select s.id, s.expected_on, array(select distinct l.contract_id from shipment_line l
    where l.tenant_id = $1 and l.shipment_id = s.id) as contracts
from shipment s
where s.tenant_id = $1 and ($2::uuid is null or s.party_id = $2) and s.direction = $3
    and s.status in ('sent', 'partly_received') and s.expected_on < $4 and s.expected_on >= $5
order by s.expected_on, s.id limit $6"""


async def _uncounted(connection: Driver, of: Company, now: datetime) -> list[Draft]:
    """Delivery notes that should have arrived and that nobody has counted, for those who receive."""
    people = _wanting(of.people, Kind.RECEIPT_DUE)
    today = local_today(now, of.place.zone)
    values = of.actor.tenant_id, _of_party(of.actor), _buys(of.actor.scope)
    rows = await connection.fetch(_UNCOUNTED, *values, today, today - timedelta(days=LATE_RECEIPTS), MOST)
    return [_receipt_due(of, who, row, now) for row in rows for who in _counters(people, row)]


def _counters(people: Sequence[Recipient], row: asyncpg.Record) -> list[Recipient]:
    return rules.told(people, Kind.RECEIPT_DUE, contracts=row["contracts"])


def _receipt_due(of: Company, who: Recipient, row: Any, now: datetime) -> Draft:
    contract_id = row["contracts"][0] if len(row["contracts"]) == 1 else None
    return Draft(
        *(who, Kind.RECEIPT_DUE, "shipment", row["id"], contract_id),
        key=f"{Kind.RECEIPT_DUE}:{row['id']}:{row['expected_on']}",
        occurred_at=now,
        expires_at=now + rules.LASTS,
    )
