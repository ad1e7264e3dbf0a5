"""What is agreed for the periods of a contract: how they are used, which there are, and what somebody allows beyond.

Terms and typed periods are part of the contract's text: they change in a draft, and for contracts from an import as
long as nobody accepted them in the portal. What was accepted changes by an amendment (`refresh_periods`).
"""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import CommitmentsChanged, OverCallAllowed
from portal.contracts.inputs_buckets import AllowOverCall, SetPeriods, SetTerms
from portal.contracts.model import Contract, ContractLine, ContractStatus
from portal.contracts.model_buckets import BucketCadence, BucketEntry, CommitmentBucket, CommitmentTerms, EntryKind
from portal.contracts.rules_carry import rule_of
from portal.contracts.rules_life import last_day
from portal.contracts.rules_periods import DAY, Agreed, agreed_periods, check_periods
from portal.contracts.service import get_contract, get_line, get_lines, subject
from portal.contracts.service_buckets import Entry, post
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import driver
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.journal import emit, record
from portal.core.quantities import check_scale

logger = logging.getLogger(__name__)
HORIZON = timedelta(days=830)  # how far ahead a contract without an end has periods: two years and a quarter


class TermsAgreed(Conflict):
    code = "commitments-agreed"
    text = N_(
        "Both companies agreed on these periods, and the contract is “{status}”. Change them in a draft, or by an"
        " amendment."
    )


class PeriodsInUse(Conflict):
    code = "periods-in-use"
    text = N_("Something was already called off from the periods of {item}, so they stay as they are.")


class PeriodOver(Conflict):
    code = "period-over"
    text = N_("This period has ended, so nothing more is called off from it. Allow it for a later one.")


class NoFixedQuantity(Conflict):
    code = "no-fixed-quantity"
    text = N_("{item} has no fixed quantity to derive periods from. Type the periods, or enter a fixed quantity first.")


# --- reading ----------------------------------------------------------------------------------------------------------


async def get_terms(session: AsyncSession, contract: Contract) -> CommitmentTerms:
    """How the periods of a contract are used; the defaults where nothing was said."""
    query = select(CommitmentTerms).where(
        CommitmentTerms.tenant_id == contract.tenant_id, CommitmentTerms.contract_id == contract.id
    )
    found = (await session.exec(query)).one_or_none()
    return found or CommitmentTerms(tenant_id=contract.tenant_id, party_id=contract.party_id, contract_id=contract.id)


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


def can_set(contract: Contract, actor: Actor) -> bool:
    """Whether this reader may write terms and periods now."""
    unsigned = contract.source is not None and contract.accepted_by is None
    open_ = contract.status is ContractStatus.DRAFT or unsigned
    return open_ and actor.is_factory and actor.may(Permission.EDIT_CONTRACTS)


# --- writing ----------------------------------------------------------------------------------------------------------


async def set_terms(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: SetTerms, version: int | None = None
) -> Contract:
    """Say how the periods of a contract are used, all of it anew."""
    rule_of(data.shortfall_carry, data.shortfall_periods, data.shortfall_cap_percent)
    rule_of(data.excess_carry, data.excess_periods, data.excess_cap_percent)
    contract = await writable(session, actor, contract_id, version)
    terms = await get_terms(session, contract)
    terms.sqlmodel_update(data.model_dump())
    session.add(terms)
    await session.flush()
    connection = await driver(session)
    await connection.execute(
        "update commitment_bucket set price_basis = $3 where tenant_id = $1 and contract_id = $2",
        *(actor.tenant_id, contract.id, data.price_basis.value),
    )
    changed(session, actor, contract, "commitment_terms_set")
    return contract


async def set_periods(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    line_id: UUID,
    data: SetPeriods,
    version: int | None = None,
) -> Contract:
    """Write the periods of one line anew: those of the list, or those that follow from its fixed quantity and band."""
    contract = await writable(session, actor, contract_id, version)
    line = await get_line(session, actor, contract_id, line_id)
    agreed = [Agreed(data.cadence, **dict(one)) for one in data.periods]
    agreed = check_periods(agreed, contract.valid_from, contract.valid_to, line.unit)
    if not agreed:
        agreed = _from_quantity(contract, line)
        if not agreed:
            raise NoFixedQuantity(item=line.item_code)
    await write_periods(session, actor, contract, line, agreed)
    changed(session, actor, contract, "periods_set", line_no=line.line_no, item_code=line.item_code, n=len(agreed))
    return contract


async def write_periods(
    session: AsyncSession, actor: Actor, contract: Contract, line: ContractLine, agreed: Sequence[Agreed]
) -> None:
    """Replace a line's periods, of which none is used. Raises PeriodsInUse."""
    mine = (CommitmentBucket.tenant_id == actor.tenant_id, CommitmentBucket.contract_line_id == line.id)
    used = select(BucketEntry.id).join(
        CommitmentBucket,
        (col(CommitmentBucket.tenant_id) == col(BucketEntry.tenant_id))
        & (col(CommitmentBucket.id) == col(BucketEntry.bucket_id)),
    )
    if (await session.exec(used.where(*mine).limit(1))).first() is not None:
        raise PeriodsInUse(item=line.item_code)
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
        if end is None or (contract.valid_to is None and cadence == line.cadence):
            new += [(line, one) for one in _from_quantity(contract, line, end)]
    await _insert(session, contract, new)
    return len(new)


async def refresh_periods(session: AsyncSession, actor: Actor, contract: Contract, since: date) -> int:
    """Bring the periods from a day on to what the lines and the validity say now: an amendment is in force.

    What was used keeps its entries; a period that is no longer agreed goes only if nothing was called off from it.
    Returns how many periods are different.
    """
    count = 0
    for line in await get_lines(session, actor, contract.id):
        wanted = {(one.start, one.end): one for one in _from_quantity(contract, line) if one.start >= since}
        query = (
            select(CommitmentBucket)
            .where(
                CommitmentBucket.tenant_id == actor.tenant_id,
                CommitmentBucket.contract_line_id == line.id,
                CommitmentBucket.period_start >= since,
            )
            .order_by(col(CommitmentBucket.id))
            .with_for_update()
        )
        kept = []
        for bucket in (await session.exec(query)).all():
            one = wanted.pop((bucket.period_start, bucket.period_end), None)
            limits = (bucket.floor, bucket.target, bucket.ceiling)
            if one is not None and limits != one[3:]:
                bucket.floor, bucket.target, bucket.ceiling = one[3:]
                count += 1
            elif one is None and line.foq is not None and not await _is_used(session, bucket):
                await session.delete(bucket)
                count += 1
                continue
            kept.append(bucket)
        await session.flush()
        free = [one for one in wanted.values() if all(_apart(one, bucket) for bucket in kept)]
        await _insert(session, contract, [(line, one) for one in free])
        count += len(free)
    return count


async def allow_over_call(
    session: AsyncSession, actor: Actor, contract_id: UUID, bucket_id: UUID, data: AllowOverCall
) -> CommitmentBucket:
    """Let more be called off from a period than its ceiling: an entry of the ledger, with who and why."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id)
    query = select(CommitmentBucket).where(
        CommitmentBucket.tenant_id == actor.tenant_id,
        CommitmentBucket.contract_id == contract.id,
        CommitmentBucket.id == bucket_id,
    )
    bucket = (await session.exec(query.with_for_update())).one_or_none()
    if bucket is None:
        raise NotFound
    if bucket.closed_at is not None or bucket.period_end <= local_today(clock.now(), contract.time_zone):
        raise PeriodOver
    check_scale(data.quantity, bucket.unit)
    line = await get_line(session, actor, contract.id, bucket.contract_line_id)
    entry = Entry(contract.party_id, bucket.id, EntryKind.OVER_CALL, data.quantity, "contract", contract.id)
    await post(await driver(session), actor, [entry], data.reason)
    figures: dict[str, Any] = {"quantity": str(data.quantity), "unit": bucket.unit, "item_code": line.item_code}
    record(
        session, actor, subject(contract), "over_call_allowed",
        **figures, line_no=line.line_no, since=bucket.period_start, reason=data.reason,
    )  # fmt: skip
    emit(session, actor, contract.party_id, OverCallAllowed(contract.id, bucket.id))
    logger.info("over-call allowed", extra={"contract_id": str(contract.id), "bucket_id": str(bucket.id)})
    return bucket


# --- parts ------------------------------------------------------------------------------------------------------------


async def writable(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None) -> Contract:
    """Lock a contract whose periods this reader may write."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id, lock=True, version=version)
    if not can_set(contract, actor):
        raise TermsAgreed(status=contract.status)
    return contract


def changed(session: AsyncSession, actor: Actor, contract: Contract, verb: str, **data: Any) -> None:
    """One change, one version, one step of the history; a refused draft is its writer's own again."""
    contract.version += 1
    if contract.status is ContractStatus.DRAFT:
        contract.proposed_by = contract.proposed_at = None
    record(session, actor, subject(contract), verb, **data)
    if contract.status is not ContractStatus.DRAFT:
        emit(session, actor, contract.party_id, CommitmentsChanged(contract.id))
    logger.info("commitments changed", extra={"contract_id": str(contract.id), "verb": verb})


def _from_quantity(contract: Contract, line: ContractLine, since: date | None = None) -> list[Agreed]:
    """The periods of the line's fixed quantity, from a day on."""
    until = max(local_today(clock.now(), contract.time_zone), contract.valid_from) + HORIZON
    last = last_day(contract.valid_to, contract.ends_on)
    if line.ended_from is not None:  # an amendment took the line out
        last = line.ended_from - DAY if last is None else min(last, line.ended_from - DAY)
    return agreed_periods(line, since or contract.valid_from, last, until)


async def _is_used(session: AsyncSession, bucket: CommitmentBucket) -> bool:
    query = select(BucketEntry.id).where(BucketEntry.tenant_id == bucket.tenant_id, BucketEntry.bucket_id == bucket.id)
    return (await session.exec(query.limit(1))).first() is not None


def _apart(one: Agreed, bucket: CommitmentBucket) -> bool:
    return one.end <= bucket.period_start or bucket.period_end <= one.start


_PERIODS = """
insert into commitment_bucket (tenant_id, party_id, contract_id, price_basis, consumed, allowance, tolerance_used, id,
    contract_line_id, unit, cadence, period_start, period_end, floor, target, ceiling)
select $1, $2, $3, coalesce((select price_basis from commitment_terms where tenant_id = $1 and contract_id = $3),
    'receipt_date'), 0, 0, 0, r.*
from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::date[], $9::date[], $10::numeric[], $11::numeric[],
    $12::numeric[]) as r"""


async def _insert(session: AsyncSession, contract: Contract, new: Sequence[tuple[ContractLine, Agreed]]) -> None:
    """All periods with one statement."""
    if not new:
        return
    rows = [(uuid7(), line.id, line.unit, one.cadence.value, *one[1:]) for line, one in new]
    connection = await driver(session)
    fixed = (contract.tenant_id, contract.party_id, contract.id)
    await connection.execute(_PERIODS, *fixed, *map(list, zip(*rows, strict=True)))
