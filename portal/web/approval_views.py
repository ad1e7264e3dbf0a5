"""Cases of approval in the reader's words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import people, reads, service, words
from portal.approvals.facts import POINT_NAMES, Fact
from portal.approvals.model import ApprovalCase, ApprovalStep, CaseStatus, StepStatus
from portal.approvals.own import own_facts
from portal.approvals.reads import CaseRow, View
from portal.approvals.rules import may_decide
from portal.changes import service as changes
from portal.changes import words as change_words
from portal.changes.model import ChangeRequest
from portal.core import i18n
from portal.core.access import ROLE_NAMES, Permission, Role
from portal.core.actor import Actor, Scope
from portal.core.db import driver, unit_of_work
from portal.core.errors import NotFound
from portal.core.i18n import N_, _
from portal.schedules.reads import history
from portal.web.addresses import address
from portal.web.audit_views import PLACES
from portal.web.contract_views import CHANNELS
from portal.web.views import Moment

SIZE = 50
VIEWS = {
    View.MINE: N_("For me"),
    View.ASKED: N_("By me"),
    View.WAITING: N_("All open"),
    View.DECIDED: N_("Decided"),
}
EMPTY = {
    View.MINE: N_("Nothing waits for your approval."),
    View.ASKED: N_("You have not asked for an approval yet. What a rule holds back appears here."),
    View.WAITING: N_("Nothing waits for an approval."),
    View.DECIDED: N_("Nothing was decided yet. What people and rules decide appears here, with the facts."),
}
TONES = {CaseStatus.WAITING: "waiting", CaseStatus.APPROVED: "confirmed", CaseStatus.REFUSED: "risk"}
STEP_TONES = {StepStatus.OPEN: "waiting", StepStatus.APPROVED: "confirmed", StepStatus.REFUSED: "risk"}


class Item(Struct, frozen=True):
    """One case in the list."""

    title: str
    href: str
    state: str
    tone: str
    meta: str
    facts: str
    deadline: str


class StepView(Struct, frozen=True):
    """One word that is asked for."""

    role: str
    state: str
    tone: str
    detail: str
    note: str


async def list_context(actor: Actor, view: View, after: UUID | None) -> dict[str, Any]:
    """What `approvals/list.html` shows."""
    async with unit_of_work(actor) as session:
        connection, own = await driver(session), await own_facts(session, actor)
        rows = await reads.list_cases(connection, actor, view, limit=SIZE, after=after)
        mine = await reads.count_mine(connection, actor)
    last = rows[SIZE - 1].id if len(rows) > SIZE else None
    return {
        "segments": [
            (_(name), _href(each), mine if each is View.MINE else None, each is view) for each, name in VIEWS.items()
        ],
        "items": [item(row, actor, own) for row in rows[:SIZE]],
        "empty": _(EMPTY[view]),
        "next_href": _href(view, last) if last else None,
        "size": SIZE,
        "can_rule": actor.may(Permission.MANAGE_RULES),
    }


def _href(view: View, after: UUID | None = None) -> str:
    return address("/approvals", {"view": "" if view is View.MINE else view.value, "after": after})


def item(row: CaseRow, actor: Actor, own: Sequence[Fact]) -> Item:
    """A case in two lines: what it is about, by whom, and the first facts."""
    rows = words.fact_rows(row.point, row.facts, row.currency, own, prices=actor.may(Permission.SEE_PRICES))
    return Item(
        title=row.label or _(POINT_NAMES[row.point]),
        href=f"/approvals/{row.id}",
        state=_(words.STATUS_NAMES[row.status]),
        tone=TONES.get(row.status, ""),
        meta=" · ".join(filter(None, (_(POINT_NAMES[row.point]), asker(row), _waits_for(row)))),
        facts=" · ".join(label + _(": ") + value for label, value in rows[:4]),
        deadline=answer_by(row.respond_by, actor),
    )


def asker(case: CaseRow | ApprovalCase) -> str:
    """Who asked and when."""
    if case.requested_scope == Scope.PARTNER:
        return _("asked by the partner")
    return _("asked by {name}").format(name=case.requested_name) if case.requested_name else ""


def _waits_for(row: CaseRow) -> str:
    if not row.roles:
        return ""
    return _("waits for {roles}").format(roles=_(", ").join(_(ROLE_NAMES[Role(role)]) for role in row.roles))


def answer_by(when: Any, actor: Actor) -> str:
    return _("Answer by {when}").format(when=i18n.moment(when, actor.time_zone)) if when else ""


async def case_context(session: AsyncSession, actor: Actor, case_id: UUID) -> dict[str, Any]:
    """What `approvals/case.html` shows."""
    case, steps = await service.get_case(session, actor, case_id)
    person = await service.person_of(session, actor)
    prices = actor.may(Permission.SEE_PRICES)
    waits = case.status is CaseStatus.WAITING
    own = await own_facts(session, actor)
    decider = await people.decider(session, actor, person)
    everything = replace(actor, contract_ids=None)  # who sees the case sees its history, which names no contract
    past = await history(await driver(session), everything, case.id)
    place = PLACES.get(case.subject)
    return {
        "case": case,
        "title": case.label or _(POINT_NAMES[case.point]),
        "point": _(POINT_NAMES[case.point]),
        "about": await about(session, actor, case),
        "state": (_(words.STATUS_NAMES[case.status]), TONES.get(case.status, "")),
        "asked": " · ".join(filter(None, (asker(case), i18n.moment(case.requested_at, actor.time_zone)))),
        "why": words.why(case.point, case.rule_no, case.rule, case.currency if prices else "", own),
        "facts": words.fact_rows(case.point, case.facts, case.currency, own, prices=prices),
        "steps": [step_view(step, actor) for step in steps],
        "moments": [_moment(entry, actor) for entry in past],
        "document": f"{place}{case.subject_id}" if place else "",
        "can_decide": waits and actor.may(Permission.APPROVE) and may_decide(decider, steps, case.requested_by),
        "own": waits and person is not None and person == case.requested_by,
        "can_withdraw": waits and service.may_withdraw(case, actor, person),
        "refusal": "",
        "note": "",
    }


async def about(session: AsyncSession, actor: Actor, case: ApprovalCase) -> str:
    """What a change request does, in one sentence; empty for other subjects, and where the reader may not see it."""
    if case.subject != ChangeRequest.__tablename__:
        return ""
    try:
        change = await changes.get_change(session, actor, case.subject_id)
    except NotFound:
        return ""
    return change_words.sentence(await changes.impact(session, actor, change))


def step_view(step: ApprovalStep, actor: Actor) -> StepView:
    """A step: whose word, what it was, until when it is awaited."""
    who = _("{name}, in the place of {colleague}") if step.deputy_of else "{name}"
    detail = who.format(name=step.decided_name, colleague=step.deputy_of) if step.decided_name else ""
    if step.decided_at is not None:
        detail = " · ".join((detail, i18n.moment(step.decided_at, actor.time_zone)))
    elif step.status is StepStatus.OPEN:
        further = words.ESCALATION_NAMES[step.escalation]
        detail = " · ".join(filter(None, (answer_by(step.respond_by, actor), _(further) if further else "")))
    return StepView(
        _(ROLE_NAMES[step.role]), _(words.STEP_NAMES[step.status]), STEP_TONES.get(step.status, ""), detail, step.note
    )


def _moment(entry: Any, actor: Actor) -> Moment:
    text = _(words.VERBS.get(entry.verb, entry.verb)).format(rule=_(entry.data.get("rule", "")))
    role = entry.data.get("role")
    way = _(CHANNELS[entry.channel]) if entry.channel in CHANNELS else ""
    return Moment(
        text=f"{text}{_(': ')}{_(ROLE_NAMES[Role(role)])}" if role else text,
        who=_("system") if entry.channel == "system" else entry.member_name,
        when=i18n.moment(entry.at, actor.time_zone),
        way="" if entry.channel == "system" else way,
        note=entry.data.get("note", ""),
    )
