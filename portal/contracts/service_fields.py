"""The custom fields of a contract and its lines belong to whoever edits it; partners are told nothing of them."""

from uuid import UUID

from msgspec.structs import replace
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import ContractLine
from portal.contracts.service import get_contract, get_line, subject
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.journal import Subject
from portal.fields.holders import holds
from portal.fields.model import Holder


@holds(Holder.CONTRACT, Permission.EDIT_CONTRACTS)
async def contract(session: AsyncSession, actor: Actor, holder_id: UUID) -> tuple[Subject, str]:
    found = await get_contract(session, actor, holder_id)
    return replace(subject(found), shared=False), found.number


@holds(Holder.LINE, Permission.EDIT_CONTRACTS)
async def line(session: AsyncSession, actor: Actor, holder_id: UUID) -> tuple[Subject, str]:
    query = select(ContractLine.contract_id).where(
        ContractLine.tenant_id == actor.tenant_id, ContractLine.id == holder_id
    )
    contract_id = (await session.exec(query)).one_or_none()
    if contract_id is None:
        raise NotFound
    found = await get_line(session, actor, contract_id, holder_id)
    whose, number = await contract(session, actor, contract_id)
    return whose, f"{number} · {found.line_no} · {found.item_code}"
