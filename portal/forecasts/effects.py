"""What the approval of a commit leads to: it is made, in the name of whoever asked."""

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.effects import applies
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.contracts.service_approval import requester
from portal.core.actor import Actor
from portal.forecasts.model import CommitWay
from portal.forecasts.service import Commit, commit


@applies(ApprovalPoint.COMMIT)
async def go_on(session: AsyncSession, decider: Actor, case: ApprovalCase) -> None:
    """Commit as it was said; a refused one is left. Raises ReleaseMoved or Stale when the forecast has moved on."""
    if case.status is not CaseStatus.APPROVED:
        return
    asker = requester(decider, case)
    said, way = Commit.model_validate(case.data["commit"]), CommitWay(case.data["way"])
    await commit(session, asker, case.subject_id, case.data["version"], said, way, passed=True)
