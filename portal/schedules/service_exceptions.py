"""Confirm by exception: everything that waits for the own company's answer, except what is named."""

from uuid import UUID

from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.service import get_contract
from portal.core import db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.inputs import Input
from portal.schedules import reads
from portal.schedules.service import ConfirmLines, LineVersion, confirm_lines
from portal.schedules.service_lines import LineHead

MOST = 5000


class UnknownException(Invalid):
    code = "unknown-exception"
    text = N_("A delivery that should be left out is not among those that wait for your answer. Load the list again.")


class NothingWaits(Conflict):
    code = "nothing-waits"
    text = N_("No delivery waits for your answer, or all of them were left out.")


class ConfirmExcept(Input):
    """Confirm whole, on its due date, each delivery that waits; the named ones keep waiting."""

    contract_id: UUID | None = Field(default=None, description="of one contract only")
    except_ids: list[UUID] = Field(default=[], max_length=MOST, description="deliveries to leave out")


async def confirm_except(session: AsyncSession, actor: Actor, data: ConfirmExcept) -> list[LineHead]:
    """All or none, each in the version that it has now. Raises UnknownException, NothingWaits."""
    actor.require(Permission.CONFIRM_LINES)
    if data.contract_id is not None:
        await get_contract(session, actor, data.contract_id)
    rows = await reads.to_confirm(await db.driver(session), actor, MOST, data.contract_id)
    left_out = set(data.except_ids)
    if not left_out <= {row.id for row in rows}:
        raise UnknownException(field="except_ids")
    lines = [LineVersion(id=row.id, version=row.version) for row in rows if row.id not in left_out]
    if not lines:
        raise NothingWaits
    return await confirm_lines(session, actor, ConfirmLines(lines=lines))
