"""Steps that nobody answers in time: reminded, then deputies are asked, then administrators."""

import logging
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import people
from portal.approvals.events import ApprovalOverdue
from portal.approvals.model import ApprovalCase, ApprovalStep, CaseStatus, Escalation, StepStatus
from portal.approvals.rules import further_hours, next_escalation
from portal.approvals.service import due, subject
from portal.core.actor import Actor
from portal.core.journal import emit, record

logger = logging.getLogger(__name__)
VERBS = {
    Escalation.REMINDED: "reminded",
    Escalation.DEPUTIES: "escalated",
    Escalation.ADMINS: "escalated_to_admin",
}


async def lapse(session: AsyncSession, actor: Actor, now: datetime) -> int:
    """Move on every open step whose answer was due. Safe to repeat. Returns how many moved."""
    query = (
        select(ApprovalCase, ApprovalStep)
        .join(
            ApprovalStep,
            (col(ApprovalStep.tenant_id) == col(ApprovalCase.tenant_id))
            & (col(ApprovalStep.case_id) == col(ApprovalCase.id)),
        )
        .where(ApprovalCase.tenant_id == actor.tenant_id, ApprovalCase.status == CaseStatus.WAITING)
        .where(ApprovalStep.status == StepStatus.OPEN, col(ApprovalStep.respond_by) <= now)
        .order_by(col(ApprovalCase.id), col(ApprovalStep.step_no))
        .with_for_update()
    )
    found = (await session.exec(query)).all()
    deputies = {each.role for each in await people.of_factory(session, actor) if each.deputy_id} if found else set()
    for case, step in found:
        await _move(session, actor, case, step, now, deputies=step.role in deputies)
    return len(found)


async def _move(
    session: AsyncSession, actor: Actor, case: ApprovalCase, step: ApprovalStep, now: datetime, *, deputies: bool
) -> None:
    further = next_escalation(step.escalation, deputies=deputies)
    if further is None or step.answer_hours is None:
        step.respond_by = None  # everybody who can be asked is asked
        return
    step.escalation = further
    last = further is Escalation.ADMINS
    step.respond_by = None if last else await due(session, actor, now, further_hours(step.answer_hours))
    record(session, actor, subject(actor, case), VERBS[further], step=step.step_no, role=step.role)
    emit(session, actor, actor.party_id, ApprovalOverdue(case.id))
    logger.info("approval overdue", extra={"case_id": str(case.id), "escalation": further.value})
