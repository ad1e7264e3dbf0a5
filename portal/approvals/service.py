"""Asking for an approval, deciding, taking back. Nothing here knows what is asked about: the upper domain does.

An upper domain calls `ask` where its document would move on. A case that is `approved` lets it go on at once; one that
is `refused` was refused by a rule; one that is `waiting` is decided later, by `decide` inside the upper domain's own
command, which then applies what was decided. Cases are the factory's own, so `ask` runs in the factory's scope: what a
partner asks is brought here by a job.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.model import ApiKey, Tenant
from portal.accounts.office import office_hours
from portal.approvals import people
from portal.approvals.events import ApprovalAsked, ApprovalDecided, ApprovalEnded
from portal.approvals.facts import Facts, stored
from portal.approvals.inputs import Mode, OutcomeKind
from portal.approvals.model import (
    ApprovalCase,
    ApprovalPoint,
    ApprovalStep,
    CaseStatus,
    Escalation,
    RuleSet,
    StepStatus,
)
from portal.approvals.own import own_facts, own_values
from portal.approvals.rules import (
    DecidedAlready,
    NobodyToAsk,
    NotYourRequest,
    RefusalUnsaid,
    needed,
    open_at_first,
    outcome_of,
    step_for,
)
from portal.approvals.rules_matching import Compiled, Verdict
from portal.approvals.service_sets import in_force
from portal.core import clock, db
from portal.core.access import ROLE_NAMES, Permission, Role
from portal.core.actor import Actor, Scope
from portal.core.calendars import deadline
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.journal import Subject, emit, record
from portal.core.versions import check_version

logger = logging.getLogger(__name__)


class Decision(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


async def ask(
    session: AsyncSession,
    actor: Actor,
    point: ApprovalPoint,
    about: Subject,
    facts: Mapping[str, Any],
    *,
    label: str = "",
    data: Mapping[str, Any] | None = None,
    requested_scope: Scope = Scope.FACTORY,
) -> ApprovalCase:
    """Ask whether this may go on. What was asked about the same document at this point before is replaced.

    facts: by the names of `facts.FACTS[point]`; what is not known is left out. Money is in the workspace's currency.
    label: the document's number. data: ids and plain values that the asker needs again when it goes on.
    requested_scope: partner when a job brings what a partner asked; nobody of the factory asked then.
    Raises NobodyToAsk when only the requester could decide.
    """
    await _replace(session, actor, point, about.id)
    ours = requested_scope is Scope.FACTORY
    asked = {
        "subject": about.kind,
        "subject_id": about.id,
        "subject_version": about.version,
        "contract_id": about.contract_id,
        "label": label,
        "data": dict(data or {}),
        "requested_by": await person_of(session, actor) if ours else None,
        "requested_name": actor.name if ours else "",
        "requested_scope": requested_scope,
    }
    known, rules = await _weighed(session, actor, point, about, facts)
    return await _new_case(session, actor, point, known, asked, rules)


async def foreseen(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, about: Subject, facts: Mapping[str, Any]
) -> tuple[OutcomeKind, list[Role]]:
    """What `ask` would come to now, and whose word it would need. Nothing is asked and nothing kept."""
    known, (_rule_set, compiled) = await _weighed(session, actor, point, about, facts)
    outcome = compiled.verdict(known).outcome
    return outcome.kind, [approver.role for approver in needed(outcome, _value(known))]


async def _weighed(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, about: Subject, facts: Mapping[str, Any]
) -> tuple[Facts, tuple[RuleSet | None, Compiled]]:
    """All facts, own fields among them, and the rules that hold now."""
    own = await own_facts(session, actor, point)
    known = {**facts, **await own_values(session, actor, own, about, facts.get("item"))}
    return stored(point, known, own), await in_force(session, actor, point, clock.now(), own)


def _value(facts: Facts) -> Decimal | None:
    return None if facts.get("value") is None else Decimal(facts["value"])


async def _new_case(
    session: AsyncSession,
    actor: Actor,
    point: ApprovalPoint,
    facts: Facts,
    asked: Mapping[str, Any],
    rules: tuple[RuleSet | None, Compiled],
) -> ApprovalCase:
    """Write down what was asked with what the rules in force say about it, and do that."""
    now, (rule_set, compiled) = clock.now(), rules
    verdict = compiled.verdict(facts)
    case = ApprovalCase(
        **asked,
        tenant_id=actor.tenant_id,
        id=uuid7(),
        point=point,
        facts=facts,
        currency=await _currency(session, actor),
        rule_set_id=rule_set.id if rule_set and not verdict.built_in else None,
        rule_no=verdict.rule_no,
        rule=verdict.rule.model_dump(mode="json"),
        requested_at=now,
    )
    session.add(case)
    await session.flush()
    await _follow(session, actor, case, verdict)
    return case


async def _follow(session: AsyncSession, actor: Actor, case: ApprovalCase, verdict: Verdict) -> None:
    """Do what the rule says: settle the case at once, or ask its approvers."""
    if verdict.outcome.kind is OutcomeKind.APPROVERS:
        await _ask_people(session, actor, case, verdict)
        _told(session, actor, case, "asked", ApprovalAsked(case.id), point=case.point, rule=case.rule["name"])
        return
    approved = verdict.outcome.kind is OutcomeKind.APPROVE
    case.status = CaseStatus.APPROVED if approved else CaseStatus.REFUSED
    case.decided_at = case.requested_at
    verb = "approved_by_rule" if approved else "refused_by_rule"
    record(session, actor, subject(actor, case), verb, point=case.point, rule=case.rule["name"])


async def _ask_people(session: AsyncSession, actor: Actor, case: ApprovalCase, verdict: Verdict) -> None:
    outcome = verdict.outcome
    approvers = needed(outcome, _value(case.facts))
    steps = [
        ApprovalStep(
            tenant_id=actor.tenant_id,
            id=uuid7(),
            case_id=case.id,
            step_no=no,
            role=approver.role,
            limit_value=approver.limit,
            answer_hours=outcome.answer_hours,
        )
        for no, approver in enumerate(approvers, 1)
    ]
    session.add_all(steps)
    for step in steps[: open_at_first(Mode(outcome.mode), len(steps))]:
        await _open(session, actor, case, step)
    await session.flush()


async def _open(session: AsyncSession, actor: Actor, case: ApprovalCase, step: ApprovalStep) -> None:
    """Ask a step's role from now on; administrators at once where nobody but the requester has it."""
    known = await people.of_factory(session, actor)
    askable = [person for person in known if person.id != case.requested_by and person.sees(case.contract_id)]
    step.status = StepStatus.OPEN
    if not any(person.role is step.role for person in askable):
        if not any(person.role is Role.ADMIN for person in askable):
            raise NobodyToAsk(role=ROLE_NAMES[step.role])
        step.escalation = Escalation.ADMINS
    if step.answer_hours is not None:
        step.respond_by = await due(session, actor, clock.now(), step.answer_hours)


async def due(session: AsyncSession, actor: Actor, start: datetime, hours: int) -> datetime:
    """So many of the factory's working hours after a moment."""
    zone, calendar = await office_hours(await db.driver(session), actor.tenant_id, actor.party_id)
    return deadline(start, hours, zone, calendar)


# --- deciding ---------------------------------------------------------------------------------------------------------


async def decide(
    session: AsyncSession, actor: Actor, case_id: UUID, version: int, verdict: Decision, note: str = ""
) -> ApprovalCase:
    """Say yes or no to the step that is this person's. Returns the case as it is now: waiting on, approved, refused.

    Raises Stale, DecidedAlready, OwnRequest, DecidedBefore, NotAsked or RefusalUnsaid. Called by the upper domain's
    command, which applies the outcome in the same transaction (`effects.settle` finds it).
    """
    actor.require(Permission.APPROVE)
    case, steps = await get_case(session, actor, case_id, lock=True)
    if case.status is not CaseStatus.WAITING:
        raise DecidedAlready
    check_version(version, case.version)
    if verdict is Decision.REFUSE and not note.strip():
        raise RefusalUnsaid(field="note")
    decider = await people.decider(session, actor, await person_of(session, actor))
    step, deputy_of = step_for(decider, steps, case.requested_by)
    step.status = StepStatus.APPROVED if verdict is Decision.APPROVE else StepStatus.REFUSED
    step.decided_by, step.decided_name, step.decided_at = decider.person, actor.name, clock.now()
    step.decided_via, step.deputy_of, step.note = actor.channel.value, deputy_of, note.strip()
    ended = await _go_on(session, actor, case, steps)
    told = {"step": step.step_no, "role": step.role, "note": step.note, "deputy_of": deputy_of}
    event = ApprovalDecided(case.id) if ended else ApprovalAsked(case.id)
    _told(session, actor, case, "approved" if verdict is Decision.APPROVE else "refused", event, **told)
    return case


async def _go_on(session: AsyncSession, actor: Actor, case: ApprovalCase, steps: Sequence[ApprovalStep]) -> bool:
    """Open the next step, or end the case. Returns whether it ended."""
    case.version += 1
    case.status = outcome_of(steps)
    if case.status is CaseStatus.WAITING:
        if not any(step.status is StepStatus.OPEN for step in steps):
            await _open(session, actor, case, next(step for step in steps if step.status is StepStatus.LATER))
        return False
    _close(case, steps)
    return True


def _close(case: ApprovalCase, steps: Sequence[ApprovalStep]) -> None:
    case.decided_at = clock.now()
    for step in steps:
        if step.status in (StepStatus.OPEN, StepStatus.LATER):
            step.status = StepStatus.DROPPED


async def withdraw(session: AsyncSession, actor: Actor, case_id: UUID, version: int | None = None) -> ApprovalCase:
    """Take a waiting request back: who asked, or an administrator. Raises NotYourRequest or DecidedAlready."""
    case, steps = await get_case(session, actor, case_id, lock=True)
    if case.status is not CaseStatus.WAITING:
        raise DecidedAlready
    if version is not None:
        check_version(version, case.version)
    if not may_withdraw(case, actor, await person_of(session, actor)):
        raise NotYourRequest
    _end(session, actor, case, steps, CaseStatus.WITHDRAWN)
    return case


def may_withdraw(case: ApprovalCase, actor: Actor, person: UUID | None) -> bool:
    """Whether this person can take the request back while it waits."""
    own = case.requested_by is not None and case.requested_by == person
    return own or actor.may(Permission.MANAGE_RULES)


async def _replace(session: AsyncSession, actor: Actor, point: ApprovalPoint, subject_id: UUID) -> None:
    for case in await open_cases(session, actor, subject_id, lock=True):
        if case.point is point:
            _end(session, actor, case, await steps_of(session, case), CaseStatus.REPLACED)


def _end(
    session: AsyncSession, actor: Actor, case: ApprovalCase, steps: Sequence[ApprovalStep], status: CaseStatus
) -> None:
    case.status = status
    case.version += 1
    _close(case, steps)
    _told(session, actor, case, status.value, ApprovalEnded(case.id))


# --- finding ----------------------------------------------------------------------------------------------------------


async def get_case(
    session: AsyncSession, actor: Actor, case_id: UUID, *, lock: bool = False
) -> tuple[ApprovalCase, list[ApprovalStep]]:
    """One case with its steps in order. NotFound when absent or not this colleague's to see."""
    if not actor.is_factory:
        raise NotFound
    query = select(ApprovalCase).where(ApprovalCase.tenant_id == actor.tenant_id, ApprovalCase.id == case_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    case = (await session.exec(query)).one_or_none()
    if case is None or not sees(actor, case.contract_id):
        raise NotFound
    return case, await steps_of(session, case, fresh=lock)


def sees(actor: Actor, contract_id: UUID | None) -> bool:
    """Whether a colleague may know of a case: those restricted to some contracts only of these."""
    return actor.contract_ids is None or contract_id in actor.contract_ids


async def steps_of(session: AsyncSession, case: ApprovalCase, *, fresh: bool = True) -> list[ApprovalStep]:
    """The steps of a case in order. Whoever changes them has locked the case."""
    query = (
        select(ApprovalStep)
        .where(ApprovalStep.tenant_id == case.tenant_id, ApprovalStep.case_id == case.id)
        .order_by(col(ApprovalStep.step_no))
    )
    if fresh:
        query = query.execution_options(populate_existing=True)
    return list((await session.exec(query)).all())


async def open_cases(
    session: AsyncSession, actor: Actor, subject_id: UUID, *, lock: bool = False
) -> list[ApprovalCase]:
    """What waits about a document; nothing for a partner."""
    if not actor.is_factory:
        return []
    query = select(ApprovalCase).where(
        ApprovalCase.tenant_id == actor.tenant_id,
        ApprovalCase.subject_id == subject_id,
        ApprovalCase.status == CaseStatus.WAITING,
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return list((await session.exec(query.order_by(col(ApprovalCase.id)))).all())


async def latest_case(session: AsyncSession, actor: Actor, subject_id: UUID) -> ApprovalCase | None:
    """What was asked last about a document, whatever became of it; none for a partner."""
    if not actor.is_factory:
        return None
    query = (
        select(ApprovalCase)
        .where(ApprovalCase.tenant_id == actor.tenant_id, ApprovalCase.subject_id == subject_id)
        .order_by(col(ApprovalCase.id).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def person_of(session: AsyncSession, actor: Actor) -> UUID | None:
    """The person behind the actor: of a key whoever made it, so that nobody decides his own request by program."""
    if actor.granted is None:
        return actor.member_id
    query = select(ApiKey.created_by).where(ApiKey.tenant_id == actor.tenant_id, ApiKey.id == actor.member_id)
    return (await session.exec(query)).one_or_none() or actor.member_id


async def _currency(session: AsyncSession, actor: Actor) -> str:
    query = select(Tenant.currency).where(Tenant.tenant_id == actor.tenant_id)
    return (await session.exec(query)).one()


def subject(actor: Actor, case: ApprovalCase) -> Subject:
    """The case as the journal names it. Its history is the factory's own company's, so no partner reads it, and names
    no contract, which is another company's."""
    return Subject("approval_case", case.id, actor.party_id, case.version)


def _told(session: AsyncSession, actor: Actor, case: ApprovalCase, verb: str, event: Any, **data: object) -> None:
    record(session, actor, subject(actor, case), verb, **data)
    emit(session, actor, actor.party_id, event)
    logger.info("approval moved on", extra={"case_id": str(case.id), "verb": verb})
