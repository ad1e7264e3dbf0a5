"""Who decides a request, in which order, and until when. Pure.

Which rule fits is in `rules_matching.py`; what may be written as a rule in `rules_checking.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from portal.approvals.inputs import Approver, Mode, Outcome
from portal.approvals.model import ApprovalStep, CaseStatus, Escalation, StepStatus
from portal.core.access import FACTORY, ROLE_NAMES, Permission, Role
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.i18n import N_

C = CaseStatus
APPROVER_ROLES = tuple(role for role, rights in FACTORY.items() if Permission.APPROVE in rights)


class OwnRequest(Forbidden):
    code = "own-request"
    text = N_("You asked for this yourself, so a colleague has to decide it.")


class DecidedBefore(Forbidden):
    code = "decided-before"
    text = N_("You decided another step of this request already; this one needs a second person.")


class NotAsked(Forbidden):
    code = "not-asked"
    text = N_("This step waits for somebody else: {role}.")


class NotYourRequest(Forbidden):
    code = "not-your-approval"
    text = N_("Only whoever asked for an approval, or an administrator, can take the request back.")


class DecidedAlready(Conflict):
    code = "decided-already"
    text = N_("This request is decided already. Nothing waits for an answer.")


class NobodyToAsk(Conflict):
    code = "nobody-to-ask"
    text = N_(
        "This needs the approval of a second person ({role}), and there is none. Invite one, or change the rules."
    )


class RefusalUnsaid(Invalid):
    code = "refusal-unsaid"
    text = N_("Say in a few words why you refuse; your colleague reads it.")


class DraftMissing(Conflict):
    code = "draft-missing"
    text = N_("There is no draft of these rules any more. Begin one from what is in force.")


class NoRulesYet(Invalid):
    code = "no-rules-yet"
    text = N_("The draft has no rule. Add one before you put it in force.")


class LiveInPast(Invalid):
    code = "live-in-past"
    text = N_("Rules cannot hold from a moment that has passed. Choose a later one, or leave it empty for now.")


class WrongSpan(Invalid):
    code = "wrong-span"
    text = N_("Look back 1 to {most} days.")


class TooManyRules(Invalid):
    code = "too-many-rules"
    text = N_("A point has up to {most} rules. Join some of them by “or”.")


def needed(outcome: Outcome, value: Decimal | None) -> list[Approver]:
    """The approvers whose word is needed. In order, one whose limit covers the value is the last.

    value: of the request, its size without sign; None when it is not known, which no limit covers. Test: limits
    50,000, 500,000 and none: 50,000 needs one word, 50,000.01 two, 600,000 three.
    """
    asked = []
    for approver in outcome.approvers:
        asked.append(approver)
        if approver.limit is not None and value is not None and abs(value) <= approver.limit:
            break
    return asked


def open_at_first(mode: Mode, count: int) -> int:
    """How many steps are asked at once, from the first on."""
    return count if mode is Mode.PARALLEL else min(count, 1)


@dataclass(frozen=True, slots=True)
class Decider:
    """A person of the factory who wants to decide. stands_for: role of a colleague -> the colleague's name."""

    person: UUID | None
    role: Role
    stands_for: Mapping[Role, str] = field(default_factory=dict)


def deputy_for(decider: Decider, step: ApprovalStep) -> str | None:
    """In whose place this person may decide the step; "" in their own right; None: not asked."""
    if decider.role is step.role:
        return ""
    if step.escalation in (Escalation.DEPUTIES, Escalation.ADMINS) and step.role in decider.stands_for:
        return decider.stands_for[step.role]
    return "" if step.escalation is Escalation.ADMINS and decider.role is Role.ADMIN else None


def step_for(decider: Decider, steps: Sequence[ApprovalStep], requested_by: UUID | None) -> tuple[ApprovalStep, str]:
    """The open step that this person may decide, and in whose place. Four eyes: never the own request, and of one
    request at most one step. Raises DecidedAlready, OwnRequest, DecidedBefore or NotAsked."""
    waiting = [step for step in steps if step.status is StepStatus.OPEN]
    if not waiting:
        raise DecidedAlready
    if decider.person is not None and decider.person == requested_by:
        raise OwnRequest
    if any(step.decided_by is not None and step.decided_by == decider.person for step in steps):
        raise DecidedBefore
    for step in waiting:
        place = deputy_for(decider, step)
        if place is not None:
            return step, place
    raise NotAsked(role=ROLE_NAMES[waiting[0].role])


def may_decide(decider: Decider, steps: Sequence[ApprovalStep], requested_by: UUID | None) -> bool:
    """Whether one of the open steps is this person's to decide."""
    try:
        step_for(decider, steps, requested_by)
    except (Forbidden, Conflict):
        return False
    return True


def outcome_of(steps: Collection[ApprovalStep]) -> CaseStatus:
    """What a case is after a step was decided: one refusal refuses, all approvals approve, else it waits."""
    said = {step.status for step in steps}
    if StepStatus.REFUSED in said:
        return C.REFUSED
    return C.APPROVED if said == {StepStatus.APPROVED} else C.WAITING


def next_escalation(now: Escalation, *, deputies: bool) -> Escalation | None:
    """Where an unanswered step goes: reminded, to deputies where there are any, to administrators, no further."""
    match now:
        case Escalation.ASKED:
            return Escalation.REMINDED
        case Escalation.REMINDED:
            return Escalation.DEPUTIES if deputies else Escalation.ADMINS
        case Escalation.DEPUTIES:
            return Escalation.ADMINS
        case _:
            return None


def further_hours(answer_hours: int) -> int:
    """Working hours until the next escalation: a quarter of what the answer had."""
    return max(1, answer_hours // 4)
