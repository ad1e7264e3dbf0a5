"""A draft that nobody was shown is thrown away, as if it had never been begun."""

import logging
from uuid import UUID

from asyncpg import ForeignKeyViolationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.model import Contract, ContractStatus
from portal.contracts.service import get_contract, subject
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.journal import part, record

logger = logging.getLogger(__name__)
_GONE = (
    "delete from contract_price where tenant_id = $1 and contract_line_id in"
    " (select id from contract_line where tenant_id = $1 and contract_id = $2)",
    "delete from commitment_bucket where tenant_id = $1 and contract_id = $2",
    "delete from contract_line where tenant_id = $1 and contract_id = $2",
    "delete from contract where tenant_id = $1 and id = $2",
)


class DraftInUse(Conflict):
    code = "draft-in-use"
    text = N_("Somebody has worked on {number} since, so it is not thrown away. Go on with it, or leave it as a draft.")


async def discard_draft(session: AsyncSession, actor: Actor, contract_id: UUID, version: int) -> None:
    """Throw a draft away. version: the one it was left with. Raises DraftInUse when anybody acted on it since, which
    a change of its text shows, and everything that hangs on it: a file, a note, an offer."""
    actor.require(Permission.EDIT_CONTRACTS)
    contract = await get_contract(session, actor, contract_id, lock=True)
    number = contract.number
    if contract.status is not ContractStatus.DRAFT or contract.version != version:
        raise DraftInUse(number=number)
    gone = subject(contract)
    try:
        async with part(session):
            await _delete(session, contract)
    except ForeignKeyViolationError:
        raise DraftInUse(number=number) from None
    record(session, actor, gone, "discarded")
    logger.info("contract draft discarded", extra={"contract_id": str(contract_id)})


async def _delete(session: AsyncSession, contract: Contract) -> None:
    connection = await driver(session)
    for statement in _GONE:
        await connection.execute(statement, contract.tenant_id, contract.id)
    session.expunge(contract)
