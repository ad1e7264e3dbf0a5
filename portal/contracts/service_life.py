"""The life of a contract: offered by the one company, answered by the other, in force, suspended, ended."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import (
    ContractAccepted,
    ContractActivated,
    ContractCompleted,
    ContractCountered,
    ContractDeclined,
    ContractExpired,
    ContractProposed,
    ContractResumed,
    ContractSuspended,
    ContractTerminated,
    ContractWithdrawn,
)
from portal.contracts.evidence import FORM, digest, form_of
from portal.contracts.inputs import Decline, Offer, Reason, Terminate
from portal.contracts.model import Contract, ContractRevision, ContractStatus, RevisionStatus
from portal.contracts.rules_approval import OfferStep
from portal.contracts.rules_life import (
    check_activation,
    check_completion,
    check_end,
    check_proposable,
    check_resumed_by,
    contract_target,
    last_day,
    offered_by_factory,
    over,
)
from portal.contracts.service import get_contract, get_lines, require_step, subject
from portal.contracts.service_approval import Passed, Wish, cleared, kept
from portal.contracts.service_periods import open_periods
from portal.contracts.service_signing import proven
from portal.contracts.service_versions import (
    Rows,
    answer,
    content_of,
    current,
    get_revisions,
    live,
    offer,
    offered,
    write_content,
)
from portal.core import clock
from portal.core.actor import Actor, Channel, Origin, Scope
from portal.core.calendars import local_today
from portal.core.journal import Event, emit, record
from portal.core.model import Timeline

logger = logging.getLogger(__name__)
IN_FORCE = (ContractStatus.ACCEPTED, ContractStatus.ACTIVE, ContractStatus.SUSPENDED)


async def propose(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None, passed: Passed = None
) -> Contract:
    """Show the draft to the partner and ask for its answer. From now on its text stands still.

    It stays a draft while a rule wants colleagues to approve it first. passed: the approval that was just given.
    """
    contract = await _looked_at(session, actor, contract_id, "propose", version)
    check_proposable(len(await get_lines(session, actor, contract_id)))
    said = await content_of(session, actor, contract)
    if not await cleared(session, actor, contract, Wish(OfferStep.PROPOSAL, said, None, contract.valid_from), passed):
        return contract
    _take(actor, contract, "propose")
    contract.proposed_by, contract.proposed_at = actor.member_id, clock.now()
    made = await offer(session, actor, contract, said, effective_from=contract.valid_from)
    data = {"sha256": made.sha256, "offer": made.number}
    _told(session, actor, contract, "proposed", ContractProposed(contract.id), **data)
    return contract


async def counter(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    data: Offer,
    version: int | None = None,
    passed: Passed = None,
) -> Contract:
    """Change terms of the other company's offer and send it back. From now on this is the only live offer.

    The factory's own waits where a rule wants colleagues to approve it. passed: the approval that was just given.
    """
    contract = await _looked_at(session, actor, contract_id, "counter", version)
    theirs = await _live_offer(session, actor, contract, contract.status)
    said = await offered(session, actor, contract, theirs.content, data)
    first = date.fromisoformat(said["valid_from"])
    wish = Wish(OfferStep.COUNTER, said, theirs.content, first, {"offer": kept(data)})
    if not await cleared(session, actor, contract, wish, passed):
        return contract
    _take(actor, contract, "counter")
    answer(theirs, actor, "counter")
    made = await offer(session, actor, contract, said, effective_from=first, note=data.note, based_on=theirs.number)
    if actor.is_factory:
        await write_content(session, actor, contract, said, first)
    told = {"sha256": made.sha256, "offer": made.number, "note": data.note}
    _told(session, actor, contract, "countered", ContractCountered(contract.id), **told)
    return contract


async def accept(
    session: AsyncSession,
    actor: Actor,
    contract_id: UUID,
    version: int | None = None,
    origin: Origin | None = None,
    passed: Passed = None,
    code: str = "",
) -> Contract:
    """Agree to the live offer. It keeps who, when, from where, by which way, and the digest of what was agreed.

    The factory's own word waits where a rule wants colleagues to approve it. passed: the approval just given.
    code: a one-time code of the person, where the workspace asks for one.
    """
    contract = await _looked_at(session, actor, contract_id, "accept", version)
    theirs = await _live_offer(session, actor, contract, contract.status)
    origin = await proven(session, actor, origin, code, given=passed is not None)
    wish = Wish(OfferStep.ACCEPTANCE, theirs.content, None, contract.valid_from, {"origin": kept(origin)})
    if not await cleared(session, actor, contract, wish, passed):
        return contract
    former = _take(actor, contract, "accept")
    answer(theirs, actor, "accept", origin)
    if not offered_by_factory(former):
        await write_content(session, actor, contract, theirs.content, contract.valid_from)
    contract.accepted_by, contract.accepted_at = actor.member_id, clock.now()
    data = {"sha256": theirs.sha256, "offer": theirs.number}
    _told(session, actor, contract, "accepted", ContractAccepted(contract.id), **data)
    return contract


async def decline(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: Decline, version: int | None = None
) -> Contract:
    """Do not agree, and say why. The draft goes back to its writer."""
    contract, former = await _move(session, actor, contract_id, "decline", version)
    theirs = await _live_offer(session, actor, contract, former)
    answer(theirs, actor, "decline", reason=data.reason)
    told = {"reason": data.reason, "offer": theirs.number}
    _told(session, actor, contract, "declined", ContractDeclined(contract.id), **told)
    return contract


async def withdraw(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """Take the own offer back. The factory's draft is its own again; under a partner's counter-offer the factory's
    offer, which it replaced, is live again."""
    contract, former = await _move(session, actor, contract_id, "withdraw", version)
    ours = await _live_offer(session, actor, contract, former)
    answer(ours, actor, "withdraw")
    if offered_by_factory(former):
        contract.proposed_by = contract.proposed_at = None
    else:
        await _restore(session, contract, ours)
    _told(session, actor, contract, "withdrawn", ContractWithdrawn(contract.id), offer=ours.number)
    return contract


async def _restore(session: AsyncSession, contract: Contract, withdrawn: ContractRevision) -> None:
    for revision in await get_revisions(session, contract):
        if revision.number == withdrawn.based_on:
            revision.status = RevisionStatus.PROPOSED
            revision.answered_by = revision.answered_at = None
            revision.answered_name = revision.answered_via = ""


async def _live_offer(
    session: AsyncSession, actor: Actor, contract: Contract, former: ContractStatus
) -> ContractRevision:
    """The offer that waits. A contract proposed before offers were kept gets its own here."""
    found = live(await get_revisions(session, contract))
    if found is None:
        said = await content_of(session, actor, contract)
        by = Scope.FACTORY if offered_by_factory(former) else Scope.PARTNER
        theirs: dict[str, Any] = {
            "offered_scope": by.value,
            "offered_by": contract.proposed_by,
            "offered_name": "",
        }
        found = await offer(session, actor, contract, said, effective_from=contract.valid_from, **theirs)
    return found


async def activate(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """Put an accepted contract in force: from now on deliveries can be called off."""
    contract, _former = await _move(session, actor, contract_id, "activate", version)
    check_activation(last_day(contract.valid_to, contract.ends_on), local_today(clock.now(), contract.time_zone))
    await open_periods(session, actor, contract)
    _told(session, actor, contract, "activated", ContractActivated(contract.id))
    return contract


async def suspend(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: Reason, version: int | None = None
) -> Contract:
    """Nothing new is called off until the same company resumes; what was called off is still delivered."""
    contract, _former = await _move(session, actor, contract_id, "suspend", version)
    contract.suspended_by = actor.scope.value
    _told(session, actor, contract, "suspended", ContractSuspended(contract.id), reason=data.reason)
    return contract


async def resume(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """Go on. Raises SuspendedByOther."""
    contract, _former = await _move(session, actor, contract_id, "resume", version)
    check_resumed_by(contract.suspended_by, actor.scope.value)
    contract.suspended_by = ""
    _told(session, actor, contract, "resumed", ContractResumed(contract.id))
    return contract


async def terminate(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: Terminate, version: int | None = None
) -> Contract:
    """End the contract before its time. On the last day it is terminated at once; before, on the morning after it."""
    contract, former = await _move(session, actor, contract_id, "terminate", version)
    today = local_today(clock.now(), contract.time_zone)
    check_end(data.last_day, contract.valid_to, today)
    contract.ends_on, contract.end_reason = data.last_day, data.reason
    if data.last_day > today:
        contract.status = former
    told = {"reason": data.reason, "last_day": data.last_day}
    _told(session, actor, contract, "terminated", ContractTerminated(contract.id), **told)
    return contract


async def complete(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None, *, open_lines: int
) -> Contract:
    """End a contract whose deliveries have all ended.

    open_lines: how many schedule lines are still open, counted while the contract is locked; the schedules know, so
    faces call `schedules.service_contract.complete_contract`.
    """
    contract, _former = await _move(session, actor, contract_id, "complete", version)
    check_completion(open_lines)
    _told(session, actor, contract, "completed", ContractCompleted(contract.id))
    return contract


async def expire_contracts(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """End every contract whose last day has passed where it is kept. Safe to repeat. Returns how many ended."""
    query = (
        select(Contract)
        .where(Contract.tenant_id == actor.tenant_id, col(Contract.status).in_(IN_FORCE))
        .where((col(Contract.valid_to) < now.date()) | (col(Contract.ends_on) < now.date()))
        .order_by(col(Contract.id))
        .with_for_update()
    )
    ended = 0
    for contract in (await session.exec(query)).all():
        target = over(local_today(now, contract.time_zone), contract.valid_to, contract.ends_on)
        if target is not None:
            contract.status, contract.version, ended = target, contract.version + 1, ended + 1
            last = last_day(contract.valid_to, contract.ends_on)
            _told(session, actor, contract, "expired", ContractExpired(contract.id), last_day=last)
    return ended


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The evidence of an acceptance, as the history keeps it."""

    member_name: str
    at: datetime
    sha256: str
    address: str = ""


async def acceptance(
    session: AsyncSession, actor: Actor, contract: Contract, revisions: Sequence[ContractRevision]
) -> Acceptance | None:
    """Who accepted what is in force, when and over which digest; None before, and for contracts that were imported."""
    version = current(revisions, local_today(clock.now(), contract.time_zone))
    if version is not None and version.answered_name and version.answered_at is not None:
        return Acceptance(version.answered_name, version.answered_at, version.sha256, version.answered_from)
    query = (
        select(Timeline)
        .where(Timeline.tenant_id == actor.tenant_id, Timeline.subject_id == contract.id, Timeline.verb == "accepted")
        .order_by(col(Timeline.version).desc())
        .limit(1)
    )
    row = (await session.exec(query)).one_or_none()
    if row is None or row.at is None:
        return None
    return Acceptance(row.member_name, row.at, str(row.data["sha256"]))


async def digest_of(
    session: AsyncSession,
    actor: Actor,
    contract: Contract,
    revisions: Sequence[ContractRevision] | None = None,
    rows: Rows | None = None,
) -> str:
    """The sha256 of the contract's content as it is now, in the form of the version in force.

    What was accepted before versions were kept is of the first form.
    """
    known = await get_revisions(session, contract) if revisions is None else revisions
    version = current(known, local_today(clock.now(), contract.time_zone))
    form = FORM if contract.accepted_at is None else 1
    return digest(await content_of(session, actor, contract, form_of(version.content) if version else form, rows))


def check_step(actor: Actor, contract: Contract, action: str) -> ContractStatus:
    """The state after a step of this company. Raises WrongSide, WrongState, OwnProposal or NotYourProposal."""
    ours = offered_by_factory(contract.status) == actor.is_factory
    return contract_target(contract.status, action, actor.side_on(contract.direction), proposed_by_us=ours)


async def _looked_at(
    session: AsyncSession, actor: Actor, contract_id: UUID, action: str, version: int | None
) -> Contract:
    """Lock the contract for a step that the role, the state and the side allow."""
    require_step(actor, action)
    contract = await get_contract(session, actor, contract_id, lock=True, version=version)
    check_step(actor, contract, action)
    return contract


def _take(actor: Actor, contract: Contract, action: str) -> ContractStatus:
    """Take the step. Returns the former state."""
    former = contract.status
    contract.status = check_step(actor, contract, action)
    contract.version += 1
    return former


async def _move(
    session: AsyncSession, actor: Actor, contract_id: UUID, action: str, version: int | None
) -> tuple[Contract, ContractStatus]:
    """Lock the contract and take the step, if the role, the state and the side allow it. With its former state."""
    contract = await _looked_at(session, actor, contract_id, action, version)
    return contract, _take(actor, contract, action)


def _told(session: AsyncSession, actor: Actor, contract: Contract, verb: str, event: Event, **data: object) -> None:
    record(session, actor, subject(contract), verb, **data)
    emit(session, actor, contract.party_id, event)
    level = logging.DEBUG if actor.channel is Channel.SYSTEM and verb == "expired" else logging.INFO  # hundreds at once
    logger.log(level, "contract moved on", extra={"contract_id": str(contract.id), "verb": verb})
