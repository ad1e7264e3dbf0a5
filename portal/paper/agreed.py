"""The agreed text of a contract as documents need it: its canonical content, its digest, and who agreed to it how."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Tenant
from portal.contracts import service
from portal.contracts.evidence import content
from portal.contracts.model import Contract
from portal.contracts.service_life import acceptance, digest_of
from portal.core.actor import Actor
from portal.core.model import Timeline


@dataclass(frozen=True, slots=True)
class Deed:
    """One side's step: who, for which company, when, by which way, over which content."""

    verb: str
    name: str
    company: str
    at: datetime
    channel: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """One version of a contract's text. Without an acceptance it is a draft."""

    contract: Contract
    version_no: int
    content: dict[str, Any]
    sha256: str  # of the content
    factory: str  # the company whose workspace this is
    time_zone: str  # in which the people of this workspace read times
    deeds: tuple[Deed, ...]
    accepted: bool


async def agreed(session: AsyncSession, actor: Actor, contract_id: UUID) -> Agreed:
    """The contract's text as it stands, with the evidence of its acceptance if there is one. Raises NotFound."""
    contract = await service.get_contract(session, actor, contract_id)
    lines = await service.get_lines(session, actor, contract_id)
    prices = await service.prices_of(session, actor, contract_id)
    tenant = await session.get_one(Tenant, (actor.tenant_id, actor.tenant_id))
    accepted = await is_accepted(session, actor, contract)
    return Agreed(
        contract=contract,
        version_no=1,
        content=content(contract, lines, prices),
        sha256=await digest_of(session, actor, contract),
        factory=tenant.name,
        time_zone=tenant.time_zone,
        deeds=await _deeds(session, actor, contract, tenant.name) if accepted else (),
        accepted=accepted,
    )


async def is_accepted(session: AsyncSession, actor: Actor, contract: Contract) -> bool:
    """Whether the contract was accepted in the portal, so that there is something to seal."""
    return await acceptance(session, actor, contract) is not None


async def _deeds(session: AsyncSession, actor: Actor, contract: Contract, factory: str) -> tuple[Deed, ...]:
    """The last proposal and its acceptance."""
    query = (
        select(Timeline)
        .where(
            Timeline.tenant_id == actor.tenant_id,
            Timeline.subject_id == contract.id,
            col(Timeline.verb).in_(("proposed", "accepted")),
        )
        .order_by(col(Timeline.version))
    )
    last = {row.verb: row for row in (await session.exec(query)).all()}
    return tuple(
        Deed(
            verb=row.verb,
            name=row.member_name,
            company=factory if row.scope == "factory" else contract.party_name,
            at=row.at,
            channel=row.channel,
            sha256=str(row.data["sha256"]),
        )
        for row in last.values()
        if row.at is not None
    )
