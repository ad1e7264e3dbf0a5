"""Carry-overs: the periods that they are about, how they are kept with an offer, and their entries in the ledger."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from portal.changes.impact import Item
from portal.changes.inputs import NewPart
from portal.changes.model import ChangePart, ChangeRequest, PartKind
from portal.changes.rules import NEEDED, BaseMoved, PartUnclear
from portal.changes.rules_carrying import ZERO, Carried, PeriodNow, carried
from portal.contracts.model_buckets import EntryKind
from portal.contracts.service_buckets import Entry, lock, post
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.errors import NotFound

_SIDES = """
select b.id, b.contract_line_id, b.period_start, b.period_end, b.target + e.moved, b.consumed
from commitment_bucket b cross join lateral (
    select coalesce(sum(quantity), 0) as moved from bucket_entry
    where tenant_id = $1 and bucket_id = b.id and kind in ('carried_in', 'carried_out')) e
where b.tenant_id = $1 and b.contract_id = $2 and b.id = any($3)"""
_OPEN = f"""{_SIDES.partition(" and b.id")[0]} order by b.contract_line_id, b.period_start"""


async def sides(connection: Driver, actor: Actor, contract_id: UUID, ids: Iterable[UUID]) -> dict[UUID, PeriodNow]:
    """Periods of a contract as they stand, as far as they are its periods."""
    rows = await connection.fetch(_SIDES, actor.tenant_id, contract_id, list(set(ids)))
    return {row["id"]: PeriodNow(*row.values()) for row in rows}


async def offered(
    connection: Driver, actor: Actor, contract_id: UUID, today: date
) -> tuple[list[PeriodNow], list[PeriodNow]]:
    """The periods that have something to carry, and those into which it can be carried."""
    found = [PeriodNow(*row.values()) for row in await connection.fetch(_OPEN, actor.tenant_id, contract_id)]
    ended = [side for side in found if side.end <= today and side.left]
    lines = {side.contract_line_id for side in ended}
    return ended, [side for side in found if side.end > today and side.contract_line_id in lines]


async def wanted_periods(
    connection: Driver, actor: Actor, contract_id: UUID, parts: Sequence[NewPart]
) -> dict[UUID, PeriodNow]:
    """The periods of the carry-overs of an offer. Raises PartUnclear, or NotFound for those of other contracts."""
    ids: list[UUID] = []
    for part in parts:
        if part.kind is PartKind.CARRY_OVER:
            if part.bucket_id is None or part.to_bucket_id is None:
                raise PartUnclear(field="bucket_id", item="", needed=NEEDED[PartKind.CARRY_OVER])
            ids += [part.bucket_id, part.to_bucket_id]
    known = await sides(connection, actor, contract_id, ids) if ids else {}
    if set(ids) - set(known):
        raise NotFound
    return known


def kept(
    change: ChangeRequest,
    part_no: int,
    wanted: NewPart,
    known: Mapping[UUID, Item],
    periods: Mapping[UUID, PeriodNow],
    today: date,
) -> ChangePart:
    """One carry-over as an offer keeps it. Raises what stands against it."""
    assert wanted.bucket_id is not None
    assert wanted.to_bucket_id is not None
    source = periods[wanted.bucket_id]
    item = known[source.contract_line_id]
    quantity = carried(item.unit, source, periods[wanted.to_bucket_id], wanted.quantity, today)
    return ChangePart(
        tenant_id=change.tenant_id,
        party_id=change.party_id,
        change_id=change.id,
        offer_no=change.offer_no,
        part_no=part_no,
        kind=PartKind.CARRY_OVER,
        contract_line_id=item.id,
        unit=item.unit,
        before_quantity=source.left,
        pieces={"of": []},
        bucket_id=wanted.bucket_id,
        to_bucket_id=wanted.to_bucket_id,
        carried=quantity,
    )


def carry_overs(parts: Sequence[ChangePart]) -> list[ChangePart]:
    return [part for part in parts if part.kind is PartKind.CARRY_OVER]


async def standing(
    connection: Driver,
    actor: Actor,
    contract_id: UUID,
    parts: Sequence[ChangePart],
    names: Mapping[UUID, str],
    *,
    applied: bool = False,
) -> list[Carried]:
    """The carry-overs among kept parts with their periods as they stand now; of an applied one as they stood before
    it. names: of the contract lines."""
    ours = carry_overs(parts)
    known = await sides(connection, actor, contract_id, [one for part in ours for one in _both(part)]) if ours else {}
    found = []
    for part in ours:
        source, to = (known[one] for one in _both(part))
        name = names.get(part.contract_line_id, "")
        quantity = part.carried or ZERO
        if applied and part.agreed is not False:
            source, to = (side._replace(target=side.target + by) for side, by in ((source, quantity), (to, -quantity)))
        found.append(Carried(part.part_no, name, part.unit, source, to, quantity))
    return found


def _both(part: ChangePart) -> tuple[UUID, UUID]:
    assert part.bucket_id is not None
    assert part.to_bucket_id is not None
    return part.bucket_id, part.to_bucket_id


async def moved(connection: Driver, actor: Actor, contract_id: UUID, parts: Sequence[ChangePart]) -> list[int]:
    """The numbers of the carry-overs whose period is not any more short by what the offer was based on."""
    base = {part.part_no: part.before_quantity for part in carry_overs(parts)}
    now = await standing(connection, actor, contract_id, parts, {})
    return [one.part_no for one in now if one.source.left != base[one.part_no]]


_LOCK = """
select id from commitment_bucket where tenant_id = $1 and contract_line_id = any($2) order by id for update"""


async def lock_lines(connection: Driver, actor: Actor, parts: Sequence[ChangePart]) -> None:
    """All periods of the lines of an offer with a carry-over, in the order in which everybody locks them."""
    if carry_overs(parts):
        await connection.fetch(_LOCK, actor.tenant_id, [part.contract_line_id for part in parts])


async def write(
    connection: Driver, actor: Actor, change: ChangeRequest, carries: Sequence[Carried], today: date
) -> None:
    """Two entries each, one on each period: their sum is zero, their reason the request. The periods are locked."""
    entries = []
    for one in carries:
        if one.to.end <= today:
            raise BaseMoved
        both = (
            (one.source, EntryKind.CARRIED_OUT, -one.quantity, one.to),
            (one.to, EntryKind.CARRIED_IN, one.quantity, one.source),
        )
        entries += [
            Entry(change.party_id, side.id, kind, quantity, "commitment_bucket", other.id)
            for side, kind, quantity, other in both
        ]
    await lock(connection, actor, [entry.bucket_id for entry in entries])
    await post(connection, actor, entries, change.number or "")
