"""The agreed text of a contract as documents need it: its canonical content, its digest, and who agreed to it how."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Tenant
from portal.contracts import service
from portal.contracts.evidence import FORM, digest, form_of
from portal.contracts.model import Contract, ContractRevision
from portal.contracts.service_versions import content_of, current, get_revisions
from portal.core import clock
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today


@dataclass(frozen=True, slots=True)
class Deed:
    """One side's step: who, for which company, when, by which way, over which content."""

    verb: str
    name: str
    company: str
    at: datetime
    channel: str  # empty where it was not kept
    address: str  # of the network it came from
    sha256: str
    proof: str = ""  # what proved the person beside the password


@dataclass(frozen=True, slots=True)
class Agreed:
    """One version of a contract's text. Without an acceptance it is a draft."""

    contract: Contract
    version_no: int
    content: dict[str, Any]
    sha256: str  # of the content
    standing_sha256: str  # of what the contract's rows say now; another one: they moved behind the version's back
    factory: str  # the company whose workspace this is
    time_zone: str  # in which the people of this workspace read times
    deeds: tuple[Deed, ...]
    accepted: bool


async def agreed(session: AsyncSession, actor: Actor, contract_id: UUID) -> Agreed:
    """The version in force with the evidence of its acceptance; without one the text as it stands. Raises NotFound."""
    contract = await service.get_contract(session, actor, contract_id)
    tenant = await session.get_one(Tenant, (actor.tenant_id, actor.tenant_id))
    version = await accepted_version(session, contract)
    form = form_of(version.content) if version else FORM
    standing = await content_of(session, actor, contract, form)
    said = version.content if version else standing
    return Agreed(
        contract=contract,
        version_no=version.number if version else 1,
        content=said,
        sha256=version.sha256 if version else digest(said),
        standing_sha256=digest(standing),
        factory=tenant.name,
        time_zone=tenant.time_zone,
        deeds=_deeds(contract, version, tenant.name) if version else (),
        accepted=version is not None,
    )


async def accepted_version(session: AsyncSession, contract: Contract) -> ContractRevision | None:
    """The version in force, if it was accepted in the portal, so that there is something to seal."""
    version = current(await get_revisions(session, contract), local_today(clock.now(), contract.time_zone))
    return version if version is not None and version.answered_name and version.answered_at else None


async def still_holds(session: AsyncSession, text: Agreed, version_no: int, sha256: str) -> bool:
    """Whether the database still holds this version with this digest: in its rows while it is in force, else kept."""
    if version_no == text.version_no:
        return text.sha256 == text.standing_sha256 == sha256
    revisions = await get_revisions(session, text.contract)
    return any(kept.number == version_no and digest(kept.content) == sha256 for kept in revisions)


def _deeds(contract: Contract, version: ContractRevision, factory: str) -> tuple[Deed, ...]:
    """The offer and its acceptance."""
    by_factory = version.offered_scope == Scope.FACTORY
    companies = (factory, contract.party_name) if by_factory else (contract.party_name, factory)
    assert version.answered_at is not None
    return (
        Deed("proposed", version.offered_name, companies[0], version.offered_at, "", "", version.sha256),
        Deed(
            *("accepted", version.answered_name, companies[1], version.answered_at),
            *(version.answered_via, version.answered_from, version.sha256, version.answered_with),
        ),
    )
