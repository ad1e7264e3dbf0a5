"""The card of an approval: what is asked and by when. Never a price: the figures in money stand on the page."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import people, service, words
from portal.approvals.facts import POINT_NAMES
from portal.approvals.model import ApprovalCase, CaseStatus, StepStatus
from portal.approvals.own import own_facts
from portal.approvals.rules import may_decide
from portal.changes import service as changes
from portal.core import i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.i18n import N_, _
from portal.notices import wording
from portal.notices.actions import Verb, offer
from portal.notices.cards import Card
from portal.notices.compose_changes import told
from portal.notices.wording import acting, joined, opening

SHOWN = 6
ASKED = N_("Your approval is asked")
TITLES = {
    CaseStatus.WAITING: N_("A request waits for approval"),
    CaseStatus.APPROVED: N_("A request was approved"),
    CaseStatus.REFUSED: N_("A request was refused"),
    CaseStatus.WITHDRAWN: N_("A request for approval was taken back"),
    CaseStatus.REPLACED: N_("A request for approval was asked again, as it is now"),
}


async def case_card(session: AsyncSession, actor: Actor, case_id: UUID, purpose: str) -> Card:
    """One case as it stands now, with buttons for whoever may decide it. Raises NotFound."""
    case, steps = await service.get_case(session, actor, case_id)
    decider = await people.decider(session, actor, await service.person_of(session, actor))
    waits = case.status is CaseStatus.WAITING and actor.may(Permission.APPROVE)
    asked = waits and may_decide(decider, steps, case.requested_by)
    verbs = [Verb.APPROVE, Verb.TURN_DOWN] if asked else []
    actions = await offer(session, actor, verbs, "approval_case", case.id, case.version) if verbs else {}
    known = words.fact_rows(case.point, case.facts, case.currency, await own_facts(session, actor), prices=False)
    due = min((step.respond_by for step in steps if step.status is StepStatus.OPEN and step.respond_by), default=None)
    by = _("Answer by {when}").format(when=i18n.moment(due, actor.time_zone)) if asked and due else ""
    path = f"/approvals/{case_id}"
    note = next((step.note for step in steps if step.status is StepStatus.REFUSED), "")
    return Card(
        title=_(ASKED if asked else TITLES[case.status]),
        subject=joined(_(POINT_NAMES[case.point]), case.label),
        facts=(*await _about(session, actor, case), *(_labelled(*fact) for fact in known[:SHOWN])),
        deadline=by or ("" if asked else _(wording.INFORMATION)),
        state=_("Refused: {reason}").format(reason=note) if note else "",
        buttons=((*(acting(verb, actions) for verb in verbs), opening(path)),),
        link=wording.address(path),
    )


async def _about(session: AsyncSession, actor: Actor, case: ApprovalCase) -> list[str]:
    """What the change would be: nobody approves a number."""
    if case.subject != "change_request":
        return []
    try:
        change = await changes.get_change(session, actor, case.subject_id)
    except NotFound:  # the case outlives the draft that it was asked for
        return []
    return told(await changes.impact(session, actor, change, curves=False))


def _labelled(label: str, value: str) -> str:
    return _("{label}: {things}").format(label=label, things=value)
