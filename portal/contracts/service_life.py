"""The life of a contract: proposed by the one company, answered by the other, in force, completed."""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.events import (
    ContractAccepted,
    ContractActivated,
    ContractCompleted,
    ContractDeclined,
    ContractProposed,
    ContractWithdrawn,
)
from portal.contracts.evidence import content_hash
from portal.contracts.inputs import Decline
from portal.contracts.model import Contract
from portal.contracts.rules import check_activation, check_completion, check_proposable, contract_target
from portal.contracts.service import PERMISSION, get_contract, get_lines, prices_of, subject
from portal.contracts.service_commitments import open_periods
from portal.core import clock
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.journal import Event, emit, record
from portal.core.model import Timeline

logger = logging.getLogger(__name__)


async def propose(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """Show the draft to the partner and ask for its answer. From now on its text stands still."""
    contract = await _move(session, actor, contract_id, "propose", version)
    lines = await get_lines(session, actor, contract_id)
    check_proposable(len(lines))
    contract.proposed_by, contract.proposed_at = actor.member_id, clock.now()
    digest = content_hash(contract, lines, await prices_of(session, actor, contract_id))
    _told(session, actor, contract, "proposed", ContractProposed(contract.id), sha256=digest)
    return contract


async def accept(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """The partner agrees. The history keeps who, when, by which way, and the digest of what was agreed."""
    contract = await _move(session, actor, contract_id, "accept", version)
    contract.accepted_by, contract.accepted_at = actor.member_id, clock.now()
    digest = await digest_of(session, actor, contract)
    _told(session, actor, contract, "accepted", ContractAccepted(contract.id), sha256=digest)
    return contract


async def decline(
    session: AsyncSession, actor: Actor, contract_id: UUID, data: Decline, version: int | None = None
) -> Contract:
    """The partner does not agree and says why. The draft goes back to its writer."""
    contract = await _move(session, actor, contract_id, "decline", version)
    _told(session, actor, contract, "declined", ContractDeclined(contract.id), reason=data.reason)
    return contract


async def withdraw(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """Take the proposal back, to change it. The partner does not see it until it is proposed again."""
    contract = await _move(session, actor, contract_id, "withdraw", version)
    contract.proposed_by = contract.proposed_at = None
    _told(session, actor, contract, "withdrawn", ContractWithdrawn(contract.id))
    return contract


async def activate(session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None) -> Contract:
    """Put an accepted contract in force: from now on deliveries can be called off."""
    contract = await _move(session, actor, contract_id, "activate", version)
    check_activation(contract.valid_to, local_today(clock.now(), contract.time_zone))
    await open_periods(session, actor, contract)
    _told(session, actor, contract, "activated", ContractActivated(contract.id))
    return contract


async def complete(
    session: AsyncSession, actor: Actor, contract_id: UUID, version: int | None = None, *, open_lines: int
) -> Contract:
    """End a contract whose deliveries have all ended.

    open_lines: how many schedule lines are still open, counted while the contract is locked; the schedules know, so
    faces call `schedules.service_contract.complete_contract`.
    """
    contract = await _move(session, actor, contract_id, "complete", version)
    check_completion(open_lines)
    _told(session, actor, contract, "completed", ContractCompleted(contract.id))
    return contract


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The evidence of an acceptance, as the history keeps it."""

    member_name: str
    at: datetime
    sha256: str


async def acceptance(session: AsyncSession, actor: Actor, contract: Contract) -> Acceptance | None:
    """Who accepted the contract, when and over which digest; None before, and for contracts that were imported."""
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


async def digest_of(session: AsyncSession, actor: Actor, contract: Contract) -> str:
    """The sha256 of the contract's content as it is now."""
    lines = await get_lines(session, actor, contract.id)
    return content_hash(contract, lines, await prices_of(session, actor, contract.id))


async def _move(session: AsyncSession, actor: Actor, contract_id: UUID, action: str, version: int | None) -> Contract:
    """Lock the contract and take the step, if the role, the state and the side allow it."""
    actor.require(PERMISSION[action])
    contract = await get_contract(session, actor, contract_id, lock=True, version=version)
    side = actor.side_on(contract.direction)
    contract.status = contract_target(contract.status, action, side, proposed_by_us=actor.is_factory)
    contract.version += 1
    return contract


def _told(session: AsyncSession, actor: Actor, contract: Contract, verb: str, event: Event, **data: str) -> None:
    record(session, actor, subject(contract), verb, **data)
    emit(session, actor, contract.party_id, event)
    logger.info("contract moved on", extra={"contract_id": str(contract.id), "verb": verb})
