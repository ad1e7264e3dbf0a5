"""The end of periods: what is carried on, and what follows when one stayed below its floor. Safe to repeat.

A period closes on its first day after, in the contract's time zone. What it carries is worked out anew each time from
all ended periods of the line, and only the difference to what the ledger says already is written; so a delivery that is
counted or closed late corrects the carry-over, and a second run on the same day writes nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import PeriodClosed
from portal.contracts.model import Contract
from portal.contracts.model_buckets import CommitmentTerms, Consequence, EntryKind
from portal.contracts.rules_carry import Ended, Move, below_floor, carry, differences, rules_of
from portal.contracts.service import get_contract, subject
from portal.contracts.service_buckets import Entry, lock, post
from portal.contracts.service_commitments import all_terms, terms_on
from portal.contracts.service_periods import open_periods
from portal.core.actor import Actor
from portal.core.db import Driver, driver
from portal.core.journal import emit, record

logger = logging.getLogger(__name__)
ZERO = Decimal(0)

# A line is looked at when a period of it has ended and is not closed, or something was called or given back since.
_DUE = """
select c.id, array_agg(distinct b.contract_line_id)
from commitment_bucket b join contract c on c.tenant_id = b.tenant_id and c.id = b.contract_id
where b.tenant_id = $1 and c.status <> 'draft' and b.period_end <= ($2::timestamptz at time zone c.time_zone)::date
    and (b.closed_at is null or exists (
        select from bucket_entry e where e.tenant_id = b.tenant_id and e.bucket_id = b.id
            and e.kind in ('called', 'released') and e.at > b.closed_at))
group by c.id order by c.id"""
_OPEN_ENDED = """
select id from contract c where tenant_id = $1 and status = 'active' and valid_to is null and exists (
    select from commitment_bucket b where b.tenant_id = $1 and b.contract_id = c.id
    having max(b.period_end) < ($2::timestamptz at time zone c.time_zone)::date + 738)"""
_PERIODS = """
select b.id, b.contract_line_id, b.period_start, b.period_end, b.floor, b.target, b.unit, b.closed_at, b.consumed,
    b.period_end <= ($3::timestamptz at time zone c.time_zone)::date as ended, k.item_code, k.line_no
from commitment_bucket b
join contract c on c.tenant_id = b.tenant_id and c.id = b.contract_id
join contract_line k on k.tenant_id = b.tenant_id and k.id = b.contract_line_id
where b.tenant_id = $1 and b.contract_line_id = any($2) order by b.id for update of b"""
_WRITTEN = """
select document_id, bucket_id, sum(quantity) from bucket_entry
where tenant_id = $1 and bucket_id = any($2) and kind = 'carried_in' and reason = '' group by 1, 2"""
# What both companies agreed to carry has their request as its reason; it moves the target that a period is held to.
_AGREED = """
select bucket_id, sum(quantity) from bucket_entry
where tenant_id = $1 and bucket_id = any($2) and kind in ('carried_in', 'carried_out') and reason <> '' group by 1"""
_CLOSED = """
update commitment_bucket set closed_at = now() where tenant_id = $1 and id = any($2)"""


class _Period(NamedTuple):
    id: UUID
    line_id: UUID
    start: date
    end: date
    floor: Decimal
    target: Decimal
    unit: str
    closed_at: datetime | None
    consumed: Decimal
    ended: bool
    item_code: str
    line_no: int


async def close_periods(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """Close what has ended in this tenant by now, and go on with the periods of contracts without an end.

    Returns how many periods were closed or corrected. actor: the system.
    """
    connection = await driver(session)
    for row in await connection.fetch(_OPEN_ENDED, actor.tenant_id, now):
        await open_periods(session, actor, await get_contract(session, actor, row["id"]))
    count = 0
    for contract_id, line_ids in await connection.fetch(_DUE, actor.tenant_id, now):
        contract = await get_contract(session, actor, contract_id)
        terms = await all_terms(session, contract)
        rows = await connection.fetch(_PERIODS, actor.tenant_id, line_ids, now)
        by_line: dict[UUID, list[_Period]] = defaultdict(list)
        for row in rows:
            by_line[row["contract_line_id"]].append(_Period(*row.values()))
        for periods in by_line.values():
            count += await _close_line(session, actor, contract, terms, sorted(periods, key=lambda one: one.start))
    return count


async def _close_line(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    terms: Sequence[CommitmentTerms],
    periods: Sequence[_Period],
) -> int:
    """Write the carry-over of one line and close its ended periods, each as was agreed when it began."""
    connection = await driver(session)
    over = [one for one in periods if one.ended]
    following = next((one.id for one in periods if not one.ended), None)
    agreed = dict(await connection.fetch(_AGREED, actor.tenant_id, [one.id for one in over]))
    moves = carry(
        [
            Ended(
                one.id,
                one.target,
                one.consumed,
                agreed.get(one.id, ZERO),
                rules_of(terms_on(terms, contract, one.start)),
            )
            for one in over
        ],
        following,
        *rules_of(terms_on(terms, contract, over[-1].start)),
        over[0].unit,
    )
    written = await _written(connection, actor, [one.id for one in periods])
    changes = differences(moves, written)
    await _write(connection, actor, contract, changes)
    touched = {move.source for move in changes} | {one.id for one in over if one.closed_at is None}
    await connection.execute(_CLOSED, actor.tenant_id, [one.id for one in over])  # also says when it was looked at last
    for one in over:
        if one.id in touched:
            then = terms_on(terms, contract, one.start)
            _tell(session, actor, contract, then, one, moves, agreed.get(one.id, ZERO))
    return len(touched)


async def _written(connection: Driver, actor: Actor, ids: list[UUID]) -> dict[tuple[UUID, UUID], Decimal]:
    """What the ledger carries already, by source and target."""
    rows = await connection.fetch(_WRITTEN, actor.tenant_id, ids)
    return {(source, target): quantity for source, target, quantity in rows if quantity}


async def _write(connection: Driver, actor: Actor, contract: Contract, changes: Sequence[Move]) -> None:
    """Two entries a move, one on each period; their sum is zero."""
    entries = []
    for move in changes:
        both = (
            (move.source, EntryKind.CARRIED_OUT, -move.quantity, move.target),
            (move.target, EntryKind.CARRIED_IN, move.quantity, move.source),
        )
        entries += [
            Entry(contract.party_id, bucket, kind, quantity, "commitment_bucket", other)
            for bucket, kind, quantity, other in both
        ]
    await lock(connection, actor, [entry.bucket_id for entry in entries])
    await post(connection, actor, entries)


def _tell(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    terms: CommitmentTerms,
    one: _Period,
    moves: Sequence[Move],
    agreed: Decimal,
) -> None:
    """The contract's history: what was carried on, and what follows below the floor. A period that ended as agreed is
    no news; the ledger shows it."""
    carried_in = sum((move.quantity for move in moves if move.target == one.id), agreed)
    carried_on = sum((move.quantity for move in moves if move.source == one.id), ZERO)
    missing = below_floor(one.floor, carried_in, carried_on, one.consumed)
    if not carried_on and not missing:
        return
    said: Mapping[str, Any] = {
        "item_code": one.item_code,
        "line_no": one.line_no,
        "since": one.start,
        "unit": one.unit,
        "called": str(one.consumed),
        "target": str(one.target + carried_in),
        "carried": str(carried_on),
        "missing": str(missing),
        "consequence": terms.consequence.value if missing else Consequence.NONE.value,
    }
    record(session, actor, subject(contract), "period_closed", **said)
    emit(session, actor, contract.party_id, PeriodClosed(contract.id, one.id))
