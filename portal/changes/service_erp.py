"""How far applied changes have come in the factory's ERP: noted one by one by a connector, or several at once."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import Tenant
from portal.accounts.service_tenant import decide
from portal.changes.events import ChangeEchoed
from portal.changes.inputs import MarkShown, NoteErp, SetErpDays
from portal.changes.model import ChangeRequest, ChangeStatus, ErpState
from portal.changes.rules_erp import NotApplied
from portal.changes.service import get_change, told
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound


async def note_erp(
    session: AsyncSession, actor: Actor, change_id: UUID, data: NoteErp, version: int | None = None
) -> ChangeRequest:
    """Say how far an applied change has come. Said once more, nothing changes. Raises NotApplied."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    change = await get_change(session, actor, change_id, lock=True, version=version)
    if change.status is not ChangeStatus.APPLIED:
        raise NotApplied(number=change.number or "–")
    if (change.erp_state, change.erp_reference) == (data.state, data.reference):
        return change
    change.erp_state, change.erp_reference, change.erp_at = data.state, data.reference, clock.now()
    told(session, actor, change, "erp_noted", ChangeEchoed(change.id), state=data.state.value, **_named(data.reference))
    return change


def _named(reference: str) -> dict[str, str]:
    return {"reference": reference} if reference else {}


async def mark_shown(session: AsyncSession, actor: Actor, data: MarkShown) -> list[ChangeRequest]:
    """The ERP shows these applied changes: all are marked, or none. Raises NotApplied, Stale or NotFound."""
    noted = NoteErp(state=ErpState.ECHOED, reference=data.reference)
    wanted = {one.change_id: one.version for one in data.changes}
    return [await note_erp(session, actor, each, noted, wanted[each]) for each in sorted(wanted)]


async def set_days(session: AsyncSession, actor: Actor, data: SetErpDays) -> Tenant:
    """How many working days a change may wait for the ERP; the factory's administrators decide it."""
    return await decide(session, actor, erp_days=data.working_days)


async def days(session: AsyncSession, actor: Actor) -> int:
    """How many working days a change may wait. NotFound for partners."""
    if not actor.is_factory:
        raise NotFound
    return (await session.exec(select(col(Tenant.erp_days)).where(Tenant.tenant_id == actor.tenant_id))).one()
