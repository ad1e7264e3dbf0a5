"""How steady the factory's releases were, by partner, from the releases themselves."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import Driver
from portal.schedules.model import Zone
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_stability import Steadiness, steadiness
from portal.schedules.service import visible

PLACES = Decimal("0.0001")


class StabilityRow(Struct, frozen=True):
    """One partner over the days that were asked for. None where nothing was asked for, or nothing changed."""

    party_id: UUID
    party_name: str
    pairs: int  # releases with one before them
    stability: Decimal | None
    firm_lines: int  # changed ones
    mean_notice: Decimal | None  # days


_PAIRS = """
select n.id, n.calculated_on, n.contents -> 'delivered' as delivered, o.id as before, c.party_id, c.party_name,
    c.direction, array(
        select t.line_id from change_request q join change_part t on t.tenant_id = q.tenant_id and t.change_id = q.id
        where q.tenant_id = n.tenant_id and q.contract_id = n.contract_id and q.release_no = n.number
            and (q.asked_scope = 'factory') = (c.direction = 'sale') and t.line_id is not null) as of_seller
from release n
join contract c on c.tenant_id = n.tenant_id and c.id = n.contract_id
join release o on o.tenant_id = n.tenant_id and o.contract_id = n.contract_id
    and o.number = coalesce((n.contents ->> 'prior')::int, n.prior_number)
where n.tenant_id = $1 and n.kind = 'forecast' and n.calculated_on >= $2 and n.calculated_on <= $3
    and ($4::uuid[] is null or n.contract_id = any($4))
order by lower(c.party_name), c.party_id, n.contract_id, n.number"""
_LINES = """
select release_id, schedule_line_id, contract_line_id, due_date, quantity, zone from release_line
where tenant_id = $1 and release_id = any($2)"""


Pair = tuple[UUID, str, Direction]  # the partner, its name, and which of the two buys


def rows_of(found: Mapping[Pair, Steadiness], direction: Direction | None = None) -> list[StabilityRow]:
    """One row a partner that had a release with one before it, by name; of one direction, or both together."""
    sums: dict[tuple[str, UUID], Steadiness] = defaultdict(Steadiness)
    for (party_id, name, side), one in found.items():
        if direction in (None, side):
            sums[name, party_id] = sums[name, party_id].plus(one)
    return [_row(party_id, name, sums[name, party_id]) for name, party_id in sorted(sums, key=_by_name)]


def _by_name(key: tuple[str, UUID]) -> tuple[str, str]:
    """Whatever the capitals of a name."""
    name, party_id = key
    return name.lower(), str(party_id)


async def steadiness_of(connection: Driver, actor: Actor, since: date, until: date) -> dict[Pair, Steadiness]:
    """The sums of each partner and direction."""
    actor.require(Permission.READ)
    pairs = await connection.fetch(_PAIRS, actor.tenant_id, since, until, visible(actor))
    wanted = {one for row in pairs for one in (row["id"], row["before"])}
    lines: dict[UUID, list[tuple[Frozen, Zone]]] = defaultdict(list)
    for row in await connection.fetch(_LINES, actor.tenant_id, list(wanted)):
        lines[row[0]].append((Frozen(*list(row.values())[1:5]), Zone(row[5])))
    sums: dict[Pair, Steadiness] = defaultdict(Steadiness)
    for row in pairs:
        key = row["party_id"], row["party_name"], Direction(row["direction"])
        sums[key] = sums[key].plus(_pair(row, lines))
    return sums


def _pair(row: Any, lines: dict[UUID, list[tuple[Frozen, Zone]]]) -> Steadiness:
    """Without what was delivered, and without what the seller asked for: neither is of the sender's making."""
    gone = {UUID(one) for one in row["delivered"] or []}
    asked = set(row["of_seller"])
    before = {line: zone for line, zone in lines[row["before"]] if line.line_id not in gone | asked}
    now = {line: zone for line, zone in lines[row["id"]] if line.line_id not in asked}
    return steadiness(before, now, row["calculated_on"], before.__getitem__, now.__getitem__)


def _row(party_id: UUID, name: str, found: Steadiness) -> StabilityRow:
    steady, notice = found.stability, found.mean_notice
    return StabilityRow(
        party_id,
        name,
        found.pairs,
        None if steady is None else steady.quantize(PLACES),
        found.firm_lines,
        None if notice is None else notice.quantize(Decimal("0.1")),
    )
