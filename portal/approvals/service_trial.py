"""A draft of rules tried on what was really asked, before it decides anything."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import reads
from portal.approvals.model import ApprovalPoint
from portal.approvals.own import own_facts
from portal.approvals.rules import DraftMissing, WrongSpan
from portal.approvals.rules_matching import compiled
from portal.approvals.rules_trial import Trial, tried
from portal.approvals.service_sets import get_draft, rules_of
from portal.core import clock, db
from portal.core.actor import Actor

DAYS, MOST_DAYS = 90, 1100


async def try_draft(session: AsyncSession, actor: Actor, point: ApprovalPoint, days: int) -> tuple[datetime, Trial]:
    """Ask the draft about every request decided in the last days. Raises DraftMissing or WrongSpan."""
    draft = await get_draft(session, actor, point)
    if draft is None:
        raise DraftMissing
    if not 1 <= days <= MOST_DAYS:
        raise WrongSpan(field="days", most=MOST_DAYS)
    since = clock.now() - timedelta(days=days)
    own = await own_facts(session, actor, point)
    past = await reads.past_cases(await db.driver(session), actor, point, since)
    return since, tried(compiled(point, rules_of(draft), own), past)
