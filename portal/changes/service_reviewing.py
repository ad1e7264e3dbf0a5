"""The factory's own rules about changes: what it asks itself, and what a partner asked, is shown to its approvers.

Cases are the factory's own; a partner reads "in review". Whoever decides locks the case before the contract and the
request. A buyer's change outside the firm zone and inside the band is agreed already and asks nobody.
"""

from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals import people
from portal.approvals import service as approvals
from portal.approvals.effects import applies
from portal.approvals.inputs import OutcomeKind
from portal.approvals.model import ApprovalCase, ApprovalPoint, CaseStatus
from portal.approvals.rules import may_decide
from portal.approvals.service import Decision
from portal.catalog.service import items_by_code
from portal.changes.events import ChangeAsked, ChangeDeclined
from portal.changes.impact import Impact
from portal.changes.model import ChangeRequest, ChangeStatus, PartKind, Way
from portal.changes.rules import CHANGE_STATES, WAITING, check_in_time
from portal.changes.rules_impact import ZERO, most_binding, zone_after, zone_before
from portal.changes.service import actions, check_base, get_change, impact, open_for_answer, subject, told
from portal.changes.service_applying import settle
from portal.contracts.service_rates import in_own_currency
from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.numbering import next_number
from portal.core.states import Side, WrongState
from portal.schedules.service_terms import lock_contract


class RefusedByRules(Conflict):
    code = "refused-by-own-rules"
    text = N_("Your company's rules do not allow this change: {reason}. Ask for less, or let the rules be changed.")


class SecondPersonNeeded(Conflict):
    code = "second-person-needed"
    text = N_(
        "Your company's rules want a second person for this offer. Refuse the request, and ask for a change of your own"
        " instead."
    )


async def answers(session: AsyncSession, actor: Actor, change: ChangeRequest) -> list[str]:
    """What this reader can do with the request now: while approvers are asked, its answer is theirs alone to give."""
    possible = actions(change, actor)
    if not actor.is_factory or "accept" not in possible:
        return possible
    for case in await approvals.open_cases(session, actor, change.id):
        if case.point is not ApprovalPoint.CHANGE:
            continue
        decider = await people.decider(session, actor, await approvals.person_of(session, actor))
        if not may_decide(decider, await approvals.steps_of(session, case, fresh=False), case.requested_by):
            return [action for action in possible if action not in {"accept", "decline"}]
    return possible


# --- what is asked of the approvers -----------------------------------------------------------------------------------

MONEY = ("value", "value_change")
_OFFERED_BY = """
select coalesce(m.role, k.role) from timeline t
left join member m on m.tenant_id = $1 and m.id = t.member_id
left join api_key k on k.tenant_id = $1 and k.id = t.member_id
where t.tenant_id = $1 and t.subject_id = $2 and t.scope = 'partner' and t.verb in ('submitted', 'countered', 'rebased')
order by t.id desc limit 1"""
_CODE = "select p.code from party p where p.tenant_id = $1 and p.id = $2"


async def ask_approvers(session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact) -> ApprovalCase:
    """Bring the live offer before the factory's rules. actor: of the factory, or the system for a partner's offer."""
    facts = await _facts(session, actor, change, sheet)
    ours = change.offered_scope == Scope.FACTORY
    return await approvals.ask(
        session, actor, ApprovalPoint.CHANGE, subject(change), facts, label=change.number or "",
        requested_scope=Scope.FACTORY if ours else Scope.PARTNER,
    )  # fmt: skip


async def foreseen(
    session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact
) -> tuple[OutcomeKind, list[Role]]:
    """What the factory's rules would say of its own draft now, and whose word they would want. actor: the factory."""
    if sheet.way is Way.INSIDE:
        return OutcomeKind.APPROVE, []
    facts = await _facts(session, actor, change, sheet)
    return await approvals.foreseen(session, actor, ApprovalPoint.CHANGE, subject(change), facts)


async def _facts(session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact) -> dict[str, Any]:
    """Everything that rules can look at, money in the own currency."""
    code = await (await db.driver(session)).fetchval(_CODE, actor.tenant_id, change.party_id)
    facts = facts_of(change, sheet, code or "")
    today, amounts = local_today(clock.now(), sheet.head.time_zone), [facts.get(name) for name in MONEY]
    facts |= zip(MONEY, await in_own_currency(session, actor, sheet.head.currency, today, amounts), strict=True)
    known = await items_by_code(session, actor, facts["item"])
    facts["item_category"] = sorted({item.category for item in known.values() if item.category})
    ours = change.offered_scope == Scope.FACTORY
    facts["requester_role"] = actor.role if ours else await _partners_role(session, actor, change)
    return facts


async def _partners_role(session: AsyncSession, actor: Actor, change: ChangeRequest) -> str | None:
    """The role of the partner's colleague, or of its program, who made the live offer."""
    found: str | None = await (await db.driver(session)).fetchval(_OFFERED_BY, actor.tenant_id, change.id)
    return found


def facts_of(change: ChangeRequest, sheet: Impact, party: str) -> dict[str, Any]:
    """What the rules look at; money in the contract's currency still."""
    stakes = sheet.stakes
    before = sum((stake.before.quantity for stake in stakes), ZERO)
    after = sum((piece.quantity for stake in stakes for piece in stake.after.pieces), ZERO)
    units = {stake.before.unit for stake in stakes}
    one_unit = len(units) == 1
    moved = [(p.due_date - s.before.due_date).days for s in stakes if s.line_id for p in s.after.pieces]
    zone = most_binding(zone for stake in stakes for zone in (zone_before(stake), zone_after(stake)))
    banded = bool(sheet.periods)
    carried = {PartKind.CARRY_OVER.value} if sheet.carries else set[str]()
    facts: dict[str, Any] = {
        "kind": sorted({kind for stake in stakes for kind in _kinds(stake)} | carried),
        "direction": sheet.head.direction.value,
        "asked_by": change.offered_scope.value,
        "zone": zone.value if zone else None,
        "band": ("outside" if any(effect.leaves for effect in sheet.effects) else "inside") if banded else "none",
        "change_quantity": after - before if one_unit else None,
        "unit": units.pop() if one_unit else None,
        "change_percent": (after - before) * 100 / before if one_unit and before else None,
        "days_moved": max(moved, key=abs, default=None),
        "notice_days": sheet.notice,
        "lines": len(stakes) or None,
        "item": sorted({stake.before.item for stake in stakes} | {one.item for one in sheet.carries}),
        "party": party,
        "reason": change.reason.value,
    }
    if stakes and sheet.value is not None:
        values = [piece.quantity * (stake.price_after or ZERO) for stake in stakes for piece in stake.after.pieces]
        facts |= {"value": sum(values, ZERO), "value_change": sheet.value}
    return facts


def _kinds(stake: Any) -> list[str]:
    """A change of one delivery can be of several kinds at once; what a pause covers is one, whatever becomes of it."""
    if stake.pause is not None:
        return [PartKind.PAUSE.value]
    if stake.kind is not PartKind.CHANGE:
        return [stake.kind.value]
    (piece,) = stake.after.pieces
    different = {
        "quantity": piece.quantity != stake.before.quantity,
        "date": piece.due_date != stake.before.due_date,
        "place": stake.after.place != stake.before.place,
    }
    return [name for name, is_so in different.items() if is_so]


# --- the factory's own offers -----------------------------------------------------------------------------------------


async def send(session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact) -> None:
    """A locked draft goes to the other company, or is agreed by being inside. The contract is locked too."""
    change.way = sheet.way
    change.number = f"C-{await next_number(session, actor, change.party_id, 'change_request')}"
    change.submitted_at = clock.now()
    change.status = CHANGE_STATES.target(change.status, "submit", by=Side.SELLER)
    await open_for_answer(session, actor, change, sheet.head)
    by_rule = change.way is Way.INSIDE
    asked = None if by_rule else ChangeAsked(change.id)
    told(session, actor, change, "submitted", asked, reason=change.reason.value, way=change.way.value)
    if by_rule:
        await settle(session, actor, change, by_rule=True)


async def may_go_out(session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact) -> bool:
    """Whether a draft may be sent now. False: the factory's approvers were asked, and it goes out when they agree."""
    if not actor.is_factory or sheet.way is Way.INSIDE:
        return True
    case = await ask_approvers(session, actor, change, sheet)
    if case.status is CaseStatus.REFUSED:
        raise RefusedByRules(reason=case.rule["then"].get("reason") or case.rule["name"])
    return case.status is CaseStatus.APPROVED


async def check_own_offer(session: AsyncSession, actor: Actor, change: ChangeRequest, sheet: Impact) -> None:
    """Raise unless the factory may make this counter-offer without asking anybody."""
    if not actor.is_factory:
        return
    case = await ask_approvers(session, actor, change, sheet)
    if case.status is not CaseStatus.APPROVED:
        raise SecondPersonNeeded


# --- what a partner offers --------------------------------------------------------------------------------------------


async def review(session: AsyncSession, actor: Actor, change_id: UUID) -> ChangeRequest:
    """A partner's offer meets the factory's rules: agreed or refused by them, or in review. Safe to repeat.

    actor: the system; called by a job after the offer, because a partner's role sees no rules.
    """
    await approvals.open_cases(session, actor, change_id, lock=True)  # before the request, as those who decide
    found = await get_change(session, actor, change_id)
    await lock_contract(session, actor, found.contract_id, None)
    change = await get_change(session, actor, change_id, lock=True)
    if change.status not in (ChangeStatus.SUBMITTED, ChangeStatus.COUNTERED) or change.offered_scope != Scope.PARTNER:
        return change
    case = await ask_approvers(session, actor, change, await impact(session, actor, change, curves=False))
    if case.rule["then"]["kind"] == OutcomeKind.APPROVERS:
        change.status = CHANGE_STATES.target(change.status, "review", by=Side.SELLER)
        told(session, actor, change, "in_review", None)
    elif case.status is CaseStatus.APPROVED:
        await check_base(session, actor, change)
        await settle(session, actor, change, by_rule=True)
    else:
        declined(session, actor, change, case.rule["then"].get("reason") or "", by_rule=True)
    return change


async def decide_open(
    session: AsyncSession, actor: Actor, change_id: UUID, verdict: Decision, note: str = ""
) -> ApprovalCase | None:
    """The factory's answer to a partner's offer is a step of its case. None: no case is open."""
    for case in await approvals.open_cases(session, actor, change_id):
        if case.point is ApprovalPoint.CHANGE:
            return await approvals.decide(session, actor, case.id, case.version, verdict, note)
    return None


async def approved_now(session: AsyncSession, actor: Actor, change: ChangeRequest, case: ApprovalCase | None) -> bool:
    """Whether the factory's word on a locked partner's offer is complete with this person's. case: decided just now;
    none: the rules have not seen the offer yet, so they do here."""
    if case is None:
        case = await ask_approvers(session, actor, change, await impact(session, actor, change, curves=False))
        if case.status is CaseStatus.WAITING:
            case = await approvals.decide(session, actor, case.id, case.version, Decision.APPROVE)
    if case.status is CaseStatus.REFUSED:
        raise RefusedByRules(reason=case.rule["then"].get("reason") or case.rule["name"])
    if case.status is CaseStatus.WAITING and change.status is not ChangeStatus.IN_REVIEW:
        change.status = CHANGE_STATES.target(change.status, "review", by=Side.SELLER)
        told(session, actor, change, "in_review", None)
    return case.status is CaseStatus.APPROVED


@applies(ApprovalPoint.CHANGE)
async def decided(session: AsyncSession, actor: Actor, case: ApprovalCase) -> None:
    """The approvers have decided: a draft goes out or stays, a partner's offer is agreed or refused."""
    found = await get_change(session, actor, case.subject_id)
    await lock_contract(session, actor, found.contract_id, None)
    change = await get_change(session, actor, case.subject_id, lock=True)
    approved = case.status is CaseStatus.APPROVED
    if change.status is ChangeStatus.DRAFT:
        if approved:
            await check_base(session, actor, change)
            await send(session, actor, change, await impact(session, actor, change, curves=False))
        return
    if change.status not in WAITING or change.offered_scope != Scope.PARTNER:
        raise WrongState(status=change.status, action="accept")
    check_in_time(clock.now(), change.respond_by, actor.time_zone)
    if not approved:
        declined(session, actor, change, "")  # what approvers write to each other is the factory's own
        return
    for part in await check_base(session, actor, change):
        part.agreed = True
    await settle(session, actor, change)


def declined(session: AsyncSession, actor: Actor, change: ChangeRequest, reason: str, *, by_rule: bool = False) -> None:
    """The live offer is refused. reason: the other company reads it."""
    change.status = CHANGE_STATES.target(change.status, "decline", by=Side.SELLER)
    change.decided_at, change.respond_by, change.decline_reason = clock.now(), None, reason[:500]
    if not by_rule:
        change.decided_by, change.decided_name, change.decided_scope = actor.member_id, actor.name, actor.scope.value
    told(session, actor, change, "declined", ChangeDeclined(change.id), note=reason, by_rule=by_rule)


async def drop_cases(session: AsyncSession, actor: Actor, change_id: UUID) -> None:
    """Nobody decides about a request that was taken back or has lapsed. actor: the system."""
    for case in await approvals.open_cases(session, actor, change_id, lock=True):
        await approvals.withdraw(session, actor, case.id)
