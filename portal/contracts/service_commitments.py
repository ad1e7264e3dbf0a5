"""What is agreed for the periods of a contract: how they are used, which there are, and what somebody allows beyond.

Terms and typed periods are part of the contract's text: they change in a draft, and for contracts from an import as
long as nobody accepted them in the portal. What was accepted changes by an amendment (`service_amendments`).
"""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import CommitmentsChanged, OverCallAllowed
from portal.contracts.inputs_buckets import AllowOverCall, SetPeriods, SetTerms
from portal.contracts.model import Contract, ContractStatus
from portal.contracts.model_buckets import (
    CommitmentBucket,
    CommitmentTerms,
    EntryKind,
    PriceBasis,
)
from portal.contracts.rules_carry import check_use
from portal.contracts.rules_periods import DAY, Agreed, check_periods
from portal.contracts.service import get_contract, get_line, subject
from portal.contracts.service_buckets import Entry, post
from portal.contracts.service_periods import from_quantity, write_periods
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import driver
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.core.journal import emit, record
from portal.core.quantities import check_scale

logger = logging.getLogger(__name__)


class TermsAgreed(Conflict):
    code = "commitments-agreed"
    text = N_(
        "Both companies agreed on these periods, and the contract is “{status}”. Change them in a draft, or by an"
        " amendment."
    )


class PeriodOver(Conflict):
    code = "period-over"
    text = N_("This period has ended, so nothing more is called off from it. Allow it for a later one.")


class NoFixedQuantity(Conflict):
    code = "no-fixed-quantity"
    text = N_("{item} has no fixed quantity to derive periods from. Type the periods, or enter a fixed quantity first.")


# --- reading ----------------------------------------------------------------------------------------------------------


async def get_terms(session: AsyncSession, contract: Contract) -> CommitmentTerms:
    """How the periods of a contract are used now; the defaults where nothing was said."""
    found = [terms for terms in await all_terms(session, contract) if terms.replaced_on == date.max]
    return found[0] if found else _usual(contract)


async def all_terms(session: AsyncSession, contract: Contract) -> list[CommitmentTerms]:
    """What holds and what amendments replaced, the oldest first."""
    query = select(CommitmentTerms).where(
        CommitmentTerms.tenant_id == contract.tenant_id, CommitmentTerms.contract_id == contract.id
    )
    return list((await session.exec(query.order_by(col(CommitmentTerms.replaced_on)))).all())


def terms_on(terms: Sequence[CommitmentTerms], contract: Contract, day: date) -> CommitmentTerms:
    """Those of `all_terms` that held on a day."""
    return next((one for one in terms if one.replaced_on > day), None) or _usual(contract)


def _usual(contract: Contract) -> CommitmentTerms:
    return CommitmentTerms(tenant_id=contract.tenant_id, party_id=contract.party_id, contract_id=contract.id)


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
    check_use(data)
    contract = await writable(session, actor, contract_id, version)
    terms = await get_terms(session, contract)
    terms.sqlmodel_update(data.model_dump())
    session.add(terms)
    await session.flush()
    await _price_periods(session, contract, data.price_basis, date.min)
    changed(session, actor, contract, "commitment_terms_set")
    return contract


async def agree_terms(session: AsyncSession, contract: Contract, said: SetTerms, since: date | None = None) -> None:
    """Write what a version says of the use of periods. since: the day of an amendment; what held before stays for the
    periods that began before it. None: nothing was called off yet, so it is written anew."""
    known = await all_terms(session, contract)
    now = terms_on(known, contract, date.max - DAY)
    values = {name: getattr(said, name) for name in SetTerms.model_fields}
    if all(getattr(now, name) == value for name, value in values.items()):
        return
    if since is not None and not any(one.replaced_on == since for one in known):
        now.replaced_on = since
        session.add(now)
        await session.flush()
        now = _usual(contract)
    now.sqlmodel_update(values)
    session.add(now)
    await session.flush()
    await _price_periods(session, contract, said.price_basis, since or date.min)


async def _price_periods(session: AsyncSession, contract: Contract, basis: PriceBasis, since: date) -> None:
    await (await driver(session)).execute(
        "update commitment_bucket set price_basis = $3 where tenant_id = $1 and contract_id = $2 and period_start >= $4"
        " and closed_at is null",
        *(contract.tenant_id, contract.id, basis.value, since),
    )


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
    typed = bool(agreed)
    agreed = agreed or from_quantity(contract, line)
    if not agreed:
        raise NoFixedQuantity(item=line.item_code)
    await write_periods(session, actor, contract, line, agreed, typed=typed)
    changed(session, actor, contract, "periods_set", line_no=line.line_no, item_code=line.item_code, n=len(agreed))
    return contract


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
