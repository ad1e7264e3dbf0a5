"""How steady releases were, by partner: the published ones, or weekly ones that an imported history would have had."""

import asyncio
from collections import defaultdict
from datetime import date
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.core.i18n import _
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_history import DEFINITION as OF_HISTORY
from portal.schedules.rules_history import Known, steadiness_by_contract, weeks_of
from portal.schedules.rules_stability import DEFINITION, Steadiness
from portal.schedules.service import visible
from portal.scorecards import reads_stability
from portal.scorecards.reads_stability import Pair, StabilityRow

_HISTORY = """
select l.order_date, case when l.status = 'closed' then l.last_received_on end, l.contract_id, l.id,
    l.contract_line_id, l.due_date, l.ordered_quantity, c.party_id, c.party_name, c.direction
from schedule_line l join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id
where l.tenant_id = $1 and l.source is not null and l.order_date <= $3 and l.status not in ('draft', 'cancelled')
    and (l.status <> 'closed' or l.last_received_on > $2) and ($4::uuid[] is null or l.contract_id = any($4))"""


async def steadiness_of(connection: Driver, actor: Actor, since: date, until: date) -> dict[Pair, Steadiness]:
    """The sums of each partner and direction over the weekly releases from one day to another. Raises TooManyWeeks."""
    actor.require(Permission.READ)
    weeks = weeks_of(since, until)
    history: list[Known[UUID]] = []
    pairs: dict[UUID, Pair] = {}
    for row in await connection.fetch(_HISTORY, actor.tenant_id, since, until, visible(actor)):
        ordered, received, contract, *line = list(row.values())[:7]
        history.append(Known(ordered, received, contract, Frozen(*line)))
        pairs[contract] = row["party_id"], row["party_name"], Direction(row["direction"])
    found = await asyncio.to_thread(steadiness_by_contract, history, since, weeks)  # a year of the set: 0.3 s
    sums: dict[Pair, Steadiness] = defaultdict(Steadiness)
    for contract, one in found.items():
        sums[pairs[contract]] = sums[pairs[contract]].plus(one)
    return sums


class Source(StrEnum):
    """Which releases are compared."""

    RELEASES = "releases"  # those that were published
    HISTORY = "history"  # those that the imported deliveries would have had, one a week


class Asked(Struct, frozen=True):
    """Both days inclusive."""

    source: Source
    since: date
    until: date
    direction: Direction | None = None


def asked_of(today: date, source: Source, since: date | None, until: date | None, direction: Direction | None) -> Asked:
    """What is looked at; without days the year up to today, of a history 52 weekly releases on Mondays."""
    last = until or today
    if since is None:
        back = 365 if source is Source.RELEASES else 51 * 7 + last.weekday()
        since = date.fromordinal(max(last.toordinal() - back, 1))
    return Asked(source, since, last, direction)


def definitions(source: Source) -> list[str]:
    """What the figures mean, in the reader's language."""
    return [_(DEFINITION), *([_(OF_HISTORY)] if source is Source.HISTORY else [])]


async def stability(connection: Driver, actor: Actor, asked: Asked) -> list[StabilityRow]:
    """One row a partner that had a release with one before it. A partner sees its own."""
    sums = reads_stability.steadiness_of if asked.source is Source.RELEASES else steadiness_of
    found = await sums(connection, actor, asked.since, asked.until)
    return reads_stability.rows_of(found, asked.direction)
