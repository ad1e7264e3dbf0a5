"""Amendments: a change of a contract in force, offered by either company, agreed by both, in force from its day on.

The version in force stays in force until then, and the contract never goes back to draft.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import (
    AmendmentAccepted,
    AmendmentApplied,
    AmendmentCountered,
    AmendmentDeclined,
    AmendmentProposed,
    AmendmentWithdrawn,
)
from portal.contracts.inputs import Amendment, Decline
from portal.contracts.model import Contract, ContractRevision, ContractStatus
from portal.contracts.rules_approval import OfferStep
from portal.contracts.rules_life import check_answered_by_other, last_day
from portal.contracts.rules_versions import NoOfferOpen, OfferOpen, check_effective
from portal.contracts.service import get_contract, require_step, subject
from portal.contracts.service_approval import Passed, Wish, cleared, kept
from portal.contracts.service_life import check_step
from portal.contracts.service_periods import refresh_periods
from portal.contracts.service_signing import proven
from portal.contracts.service_versions import (
    agreed,
    answer,
    base,
    get_revisions,
    live,
    offer,
    offered,
    write_content,
)
from portal.core import clock
from portal.core.actor import Actor, Origin
from portal.core.calendars import local_today
from portal.core.journal import Event, emit, record

logger = logging.getLogger(__name__)
AHEAD = timedelta(hours=15)  # where the day begins first, it begins this long before it does in UTC


async def amend(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    data: Amendment,
    version: int | None = None,
    passed: Passed = None,
) -> ContractRevision | None:
    """Offer a change of the contract from a day on. Raises OfferOpen while another one waits.

    None while a rule wants the factory's own offer to be approved first. passed: the approval that was just given.
    """
    contract = await _locked(session, actor, contract_id, version)
    revisions = await base(session, actor, contract)
    if (waiting := live(revisions)) is not None:
        raise OfferOpen(number=waiting.number)
    latest = agreed(revisions)[0]
    check_effective(data.effective_from, latest, last_day(contract.valid_to, contract.ends_on))
    said = await offered(session, actor, contract, latest.content, data)
    wish = Wish(OfferStep.AMENDMENT, said, latest.content, data.effective_from, {"offer": kept(data)})
    if not await cleared(session, actor, contract, wish, passed):
        return None
    contract.version += 1
    made = await offer(
        session, actor, contract, said, effective_from=data.effective_from, note=data.note, based_on=latest.number
    )
    _told(session, actor, contract, "amendment_proposed", AmendmentProposed(contract.id), made, note=data.note)
    return made


async def counter_amendment(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    data: Amendment,
    version: int | None = None,
    passed: Passed = None,
) -> ContractRevision | None:
    """Change terms of the waiting amendment and send it back; this is now the only live offer. None as for `amend`."""
    contract, theirs = await _waiting(session, actor, contract_id, version)
    latest = agreed(await get_revisions(session, contract))[0]
    check_effective(data.effective_from, latest, last_day(contract.valid_to, contract.ends_on))
    if data.effective_from != theirs.effective_from and data.model_fields_set == {"effective_from"}:
        said = theirs.content  # another day for the same terms is an offer of its own
    else:
        said = await offered(session, actor, contract, theirs.content, data)
    wish = Wish(OfferStep.COUNTER, said, latest.content, data.effective_from, {"offer": kept(data)})
    if not await cleared(session, actor, contract, wish, passed):
        return None
    contract.version += 1
    answer(theirs, actor, "counter")
    made = await offer(
        session, actor, contract, said, effective_from=data.effective_from, note=data.note, based_on=theirs.number
    )
    _told(session, actor, contract, "amendment_countered", AmendmentCountered(contract.id), made, note=data.note)
    return made


async def accept_amendment(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    version: int | None = None,
    origin: Origin | None = None,
    passed: Passed = None,
    code: str = "",
) -> ContractRevision:
    """Agree. The amendment is written into the contract on its day: by a job, or at once when the day has come.

    It goes on waiting while a rule wants the factory's own word to be approved first. code: a one-time code of the
    person, where the workspace asks for one.
    """
    contract, theirs = await _waiting(session, actor, contract_id, version)
    check_answered_by_other("accept", proposed_by_us=theirs.offered_scope == actor.scope.value)
    origin = await proven(session, actor, origin, code, given=passed is not None)
    latest = agreed(await get_revisions(session, contract))[0]
    wish = Wish(OfferStep.ACCEPTANCE, theirs.content, latest.content, theirs.effective_from, {"origin": kept(origin)})
    if not await cleared(session, actor, contract, wish, passed):
        return theirs
    contract.version += 1
    answer(theirs, actor, "accept", origin)
    theirs.applies = True
    _told(session, actor, contract, "amendment_accepted", AmendmentAccepted(contract.id), theirs)
    if actor.is_factory:  # a partner's role writes no lines, so its acceptance is applied by the job, in a moment
        await _apply(session, actor, contract, theirs, clock.now())
    return theirs


async def decline_amendment(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: Decline, version: int | None = None
) -> ContractRevision:
    """Do not agree, and say why. The version in force stays in force."""
    contract, theirs = await _waiting(session, actor, contract_id, version)
    contract.version += 1
    answer(theirs, actor, "decline", reason=data.reason)
    _told(session, actor, contract, "amendment_declined", AmendmentDeclined(contract.id), theirs, reason=data.reason)
    return theirs


async def withdraw_amendment(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None
) -> ContractRevision:
    """Take the own amendment back before it is answered."""
    contract, ours = await _waiting(session, actor, contract_id, version)
    contract.version += 1
    answer(ours, actor, "withdraw")
    _told(session, actor, contract, "amendment_withdrawn", AmendmentWithdrawn(contract.id), ours)
    return ours


async def apply_due_amendments(
    session: AsyncSession, actor: Actor, now: datetime, contract_id: UUID | None = None
) -> int:
    """Write every agreed amendment whose day has come into its contract. Safe to repeat. Returns how many."""
    query = (
        select(ContractRevision)
        .where(ContractRevision.tenant_id == actor.tenant_id, col(ContractRevision.applies))
        .where(ContractRevision.effective_from <= (now + AHEAD).date())
        .order_by(col(ContractRevision.contract_id), col(ContractRevision.number))
    )
    if contract_id is not None:
        query = query.where(ContractRevision.contract_id == contract_id)
    applied = 0
    for due in (await session.exec(query)).all():
        contract = await get_contract(session, actor, due.contract_id, lock=True)
        await session.refresh(due)
        applied += await _apply(session, actor, contract, due, now)
    return applied


async def _apply(
    session: AsyncSession, actor: Actor, contract: Contract, revision: ContractRevision, now: datetime
) -> bool:
    """Once, on its day, and only while the contract is in force. The contract is locked."""
    begun = revision.effective_from <= local_today(now, contract.time_zone)
    if not (begun and revision.applies and contract.status in (ContractStatus.ACTIVE, ContractStatus.SUSPENDED)):
        return False
    await write_content(session, actor, contract, revision.content, revision.effective_from)
    revision.applies, revision.applied_at = False, now
    contract.version += 1
    await session.flush()
    document = ("contract_revision", revision.id)
    periods = await refresh_periods(session, actor, contract, revision.effective_from, document)
    event = AmendmentApplied(contract.id, revision.id)
    _told(session, actor, contract, "amendment_applied", event, revision, n=periods)
    return True


async def _locked(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None) -> Contract:
    """Lock a contract in force for a step of an amendment; its state stays, its version counts the step."""
    require_step(actor, "amend")
    contract = await get_contract(session, actor, contract_id, lock=True, version=version)
    check_step(actor, contract, "amend")
    return contract


async def _waiting(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None
) -> tuple[Contract, ContractRevision]:
    contract = await _locked(session, actor, contract_id, version)
    found = live(await get_revisions(session, contract))
    if found is None:
        raise NoOfferOpen
    return contract, found


def _told(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    verb: str,
    event: Event,
    revision: ContractRevision,
    **data: str | int,
) -> None:
    """Ids, the version's number and its digest; terms and prices stay out of the history."""
    what = {"offer": revision.number, "sha256": revision.sha256, "effective_from": revision.effective_from, **data}
    record(session, actor, subject(contract), verb, **what)
    emit(session, actor, contract.party_id, event)
    logger.info("contract amendment moved on", extra={"contract_id": str(contract.id), "verb": verb})
