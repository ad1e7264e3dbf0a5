"""The periods of contract lines as rows: made from what is agreed, and brought to what an amendment says of them."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.evidence import Content, typed
from portal.contracts.inputs_buckets import SetPeriods, TypedPeriod
from portal.contracts.model import Contract, ContractLine
from portal.contracts.model_buckets import BucketCadence, BucketEntry, CommitmentBucket, EntryKind
from portal.contracts.rules_life import last_day
from portal.contracts.rules_periods import DAY, Agreed, agreed_periods, typed_periods
from portal.contracts.service import get_lines
from portal.contracts.service_buckets import Document, Entry, post
from portal.core import clock
from portal.core.actor import Actor
from portal.core.arrays import columns
from portal.core.calendars import local_today
from portal.core.days import KEPT
from portal.core.db import driver
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.ids import uuid7

HORIZON = timedelta(days=830)  # how far ahead a contract without an end has periods: two years and a quarter


class PeriodsInUse(Conflict):
    code = "periods-in-use"
    text = N_("Something was already called off from the periods of {item}, so they stay as they are.")


async def periods_of(session: AsyncSession, contract: Contract) -> dict[UUID, list[Agreed]]:
    """What is agreed for the periods of a contract, by line and in order of date."""
    connection = await driver(session)
    rows = await connection.fetch(
        "select contract_line_id, cadence, period_start, period_end, floor, target, ceiling from commitment_bucket"
        " where tenant_id = $1 and contract_id = $2 order by contract_line_id, period_start",
        *(contract.tenant_id, contract.id),
    )
    found: dict[UUID, list[Agreed]] = {}
    for line_id, cadence, *rest in rows:
        found.setdefault(line_id, []).append(Agreed(BucketCadence(cadence), *rest))
    return found


def as_typed(agreed: Sequence[Agreed]) -> Content | None:
    """Periods as the agreed text of their line has them."""
    if not agreed:
        return None
    periods = [TypedPeriod(**{name: getattr(one, name) for name in TypedPeriod.model_fields}) for one in agreed]
    found: Content = typed(SetPeriods(cadence=agreed[0].cadence, periods=periods))["typed_periods"]
    return found


def agreed_for(contract: Contract, line: ContractLine, since: date | None = None) -> list[Agreed]:
    """The periods that are agreed for a line: those that were typed, else those of its fixed quantity from a day on."""
    if line.typed_periods is None:
        return from_quantity(contract, line, since)
    last = _last(contract, line)
    listed = typed_periods(SetPeriods.model_validate(line.typed_periods, context=KEPT))
    return [one for one in listed if last is None or one.start <= last]


async def write_periods(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    line: ContractLine,
    agreed: Sequence[Agreed],
    *,
    typed: bool = True,
) -> None:
    """Replace a line's periods, of which none is used. Raises PeriodsInUse. typed: they do not follow from its fixed
    quantity, so they are part of what is agreed for the line."""
    mine = (CommitmentBucket.tenant_id == actor.tenant_id, CommitmentBucket.contract_line_id == line.id)
    used = select(BucketEntry.id).join(
        CommitmentBucket,
        (col(CommitmentBucket.tenant_id) == col(BucketEntry.tenant_id))
        & (col(CommitmentBucket.id) == col(BucketEntry.bucket_id)),
    )
    if (await session.exec(used.where(*mine).limit(1))).first() is not None:
        raise PeriodsInUse(item=line.item_code)
    line.typed_periods = as_typed(agreed) if typed else None
    await session.flush()
    await drop_periods(session, line)
    await _insert(session, contract, [(line, one) for one in agreed])


async def drop_periods(session: AsyncSession, line: ContractLine) -> None:
    """Take a line's periods away, of which none is used: the line itself goes, or gets others."""
    connection = await driver(session)
    query = "delete from commitment_bucket where tenant_id = $1 and contract_line_id = $2"
    await connection.execute(query, line.tenant_id, line.id)


async def open_periods(session: AsyncSession, actor: Actor, contract: Contract) -> int:
    """Make the periods of all fixed quantities that have none, when a contract comes into force. Returns how many.

    For a contract without an end it is repeated from time to time: the periods go on from the last one.
    """
    connection = await driver(session)
    rows = await connection.fetch(
        "select contract_line_id, max(period_end), min(cadence) from commitment_bucket"
        " where tenant_id = $1 and contract_id = $2 group by 1",
        *(actor.tenant_id, contract.id),
    )
    there = {row[0]: (row[1], row[2]) for row in rows}
    new = []
    for line in await get_lines(session, actor, contract.id):
        end, cadence = there.get(line.id, (None, None))
        goes_on = contract.valid_to is None and cadence == line.cadence and line.typed_periods is None
        if end is None or goes_on:
            new += [(line, one) for one in agreed_for(contract, line, end)]
    await _insert(session, contract, new)
    return len(new)


async def refresh_periods(
    session: AsyncSession, actor: Actor, contract: Contract, since: date, document: Document | None = None
) -> int:
    """Bring the periods from a day on to what the lines and the validity say now: an amendment is in force.

    What began before that day and what is closed is never rewritten. A period that was used keeps its entries, and one
    more says by how much its target is another and by which document; one that is no longer agreed goes only if nothing
    was called off from it. Returns how many periods are different.
    """
    count = 0
    for line in await get_lines(session, actor, contract.id):
        wanted = {(one.start, one.end): one for one in agreed_for(contract, line) if one.start >= since}
        kept, entries = list[CommitmentBucket](), list[Entry]()
        for bucket in await _to_come(session, line, since):
            one = wanted.pop((bucket.period_start, bucket.period_end), None)
            if bucket.closed_at is not None:
                kept.append(bucket)
                continue
            used = await _is_used(session, bucket)
            if one is not None and (bucket.floor, bucket.target, bucket.ceiling) != one[3:]:
                if used and document is not None:
                    moved = one.target - bucket.target
                    entries.append(Entry(contract.party_id, bucket.id, EntryKind.AMENDED, moved, *document))
                bucket.floor, bucket.target, bucket.ceiling = one[3:]
                count += 1
            elif one is None and not used:
                await session.delete(bucket)
                count += 1
                continue
            kept.append(bucket)
        await session.flush()
        await post(await driver(session), actor, entries)
        free = [one for one in wanted.values() if all(_apart(one, bucket) for bucket in kept)]
        await _insert(session, contract, [(line, one) for one in free])
        count += len(free)
    return count


async def _to_come(session: AsyncSession, line: ContractLine, since: date) -> list[CommitmentBucket]:
    """The periods of a line that begin from a day on, locked."""
    query = select(CommitmentBucket).where(
        CommitmentBucket.tenant_id == line.tenant_id,
        CommitmentBucket.contract_line_id == line.id,
        CommitmentBucket.period_start >= since,
    )
    return list((await session.exec(query.order_by(col(CommitmentBucket.id)).with_for_update())).all())


def from_quantity(contract: Contract, line: ContractLine, since: date | None = None) -> list[Agreed]:
    """The periods of the line's fixed quantity, from a day on."""
    until = max(local_today(clock.now(), contract.time_zone), contract.valid_from) + HORIZON
    return agreed_periods(line, since or contract.valid_from, _last(contract, line), until)


def _last(contract: Contract, line: ContractLine) -> date | None:
    """The last day of a line; an amendment may have taken it out."""
    last = last_day(contract.valid_to, contract.ends_on)
    if line.ended_from is None:
        return last
    return line.ended_from - DAY if last is None else min(last, line.ended_from - DAY)


async def any_used(session: AsyncSession, contract: Contract) -> bool:
    """Whether anything was written into the periods of a contract."""
    query = "select exists (select from bucket_entry e join commitment_bucket b on b.tenant_id = e.tenant_id and"
    query += " b.id = e.bucket_id where b.tenant_id = $1 and b.contract_id = $2)"
    return bool(await (await driver(session)).fetchval(query, contract.tenant_id, contract.id))


async def _is_used(session: AsyncSession, bucket: CommitmentBucket) -> bool:
    query = select(BucketEntry.id).where(BucketEntry.tenant_id == bucket.tenant_id, BucketEntry.bucket_id == bucket.id)
    return (await session.exec(query.limit(1))).first() is not None


def _apart(one: Agreed, bucket: CommitmentBucket) -> bool:
    return one.end <= bucket.period_start or bucket.period_end <= one.start


_PERIODS = """
insert into commitment_bucket (tenant_id, party_id, contract_id, price_basis, consumed, allowance, tolerance_used, id,
    contract_line_id, unit, cadence, period_start, period_end, floor, target, ceiling)
select $1, $2, $3, coalesce((select price_basis from commitment_terms where tenant_id = $1 and contract_id = $3
    and replaced_on = 'infinity'),
    'receipt_date'), 0, 0, 0, r.*
from unnest($4::text::uuid[], $5::text::uuid[], $6::text::text[], $7::text::text[], $8::text::date[],
    $9::text::date[], $10::text::numeric[], $11::text::numeric[], $12::text::numeric[]) as r"""

# So many periods at once may be the first of a fresh database, and their calls the first to be checked against them.
_MANY = 100


async def _insert(session: AsyncSession, contract: Contract, new: Sequence[tuple[ContractLine, Agreed]]) -> None:
    """All periods with one statement."""
    if not new:
        return
    rows = [(uuid7(), line.id, line.unit, one.cadence.value, *one[1:]) for line, one in new]
    connection = await driver(session)
    fixed = (contract.tenant_id, contract.party_id, contract.id)
    await connection.execute(_PERIODS, *fixed, *columns(rows))
    if len(rows) >= _MANY:
        await connection.execute("select learn_statistics()")
