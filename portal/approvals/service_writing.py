"""The draft of a rule set, rule by rule: added, changed, moved, removed."""

from typing import Literal

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.inputs import MOST_RULES, Outcome, Rule, Rules
from portal.approvals.model import ApprovalPoint, RuleSet
from portal.approvals.rules import TooManyRules
from portal.approvals.service_sets import begin_draft, discard, get_draft, require, rules_of, write_draft
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.versions import check_version

Step = Literal["begin", "discard", "up", "down", "remove"]


async def change(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int, step: Step, no: int = 0
) -> None:
    """Begin a draft or throw it away; move rule `no` before the one above or below it, or take it out."""
    require(actor)
    if step == "begin":
        await begin_draft(session, actor, point)
        return
    if step == "discard":
        await discard(session, actor, point, version)
        return
    rules = list((await _seen(session, actor, point, version)).rules)
    if not 1 <= no <= len(rules):
        raise NotFound
    moved = rules.pop(no - 1)
    if step != "remove":
        rules.insert(max(0, no - 2) if step == "up" else no, moved)
    await _written(session, actor, point, version, rules=rules)


async def save_rule(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int, rule: Rule, no: int | None = None
) -> RuleSet:
    """Write rule `no` of the draft anew, or add one at its end. Raises WrongRules, NotFound, TooManyRules or Stale."""
    rules = list((await _seen(session, actor, point, version)).rules)
    if no is None:
        rules.append(rule)
    elif 1 <= no <= len(rules):
        rules[no - 1] = rule
    else:
        raise NotFound
    if len(rules) > MOST_RULES:
        raise TooManyRules(most=MOST_RULES)
    return await _written(session, actor, point, version, rules=rules)


async def save_otherwise(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int, outcome: Outcome | None
) -> RuleSet:
    """What holds when no rule of the draft fits; none: what holds without rules."""
    await _seen(session, actor, point, version)
    return await _written(session, actor, point, version, otherwise=outcome)


async def _seen(session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int) -> Rules:
    require(actor)
    draft = await get_draft(session, actor, point, lock=True)
    check_version(version, draft.version if draft else 0)
    return rules_of(draft)


async def _written(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int, **changed: object
) -> RuleSet:
    rules = rules_of(await get_draft(session, actor, point)).model_copy(update=changed)
    return await write_draft(session, actor, point, rules, version)
