"""A field is taken away only when no rule looks at it: a rule never turns false because a field is gone."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.facts import POINT_NAMES
from portal.approvals.model import ApprovalPoint, RuleSet, RuleSetStatus
from portal.approvals.rules_trial import own_names
from portal.approvals.service_sets import in_force, rules_of
from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.fields import service
from portal.fields.model import CustomField


class FieldInUse(Conflict):
    code = "field-in-use"
    text = N_("Version {number} of the rules for “{point}” looks at this field. Take it out of those rules first.")


async def remove(session: AsyncSession, actor: Actor, field_id: UUID, version: int | None = None) -> CustomField:
    """Take a field away. Raises Stale, FieldRemoved, or FieldInUse for rules in force, to come, or in draft."""
    field = await service.changeable(session, actor, field_id, version)
    name = f"{field.holder.value}.{field.key}"
    for found in await _counting(session, actor):
        if name in own_names(rules_of(found)):
            raise FieldInUse(number=found.number, point=POINT_NAMES[found.point])
    await service.remove_field(session, actor, field)
    return field


async def _counting(session: AsyncSession, actor: Actor) -> list[RuleSet]:
    """The rules that decide now or may decide later: in force, begun later, in draft."""
    now = clock.now()
    query = select(RuleSet).where(RuleSet.tenant_id == actor.tenant_id)
    later = query.where((col(RuleSet.status) == RuleSetStatus.DRAFT) | (col(RuleSet.live_from) > now))
    live = [(await in_force(session, actor, point, now))[0] for point in ApprovalPoint]
    return [*(each for each in live if each is not None), *(await session.exec(later)).all()]
