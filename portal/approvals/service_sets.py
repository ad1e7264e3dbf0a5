"""Rule sets: written as a draft, tried, put in force from a moment, kept for ever."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts.service import lock_names
from portal.approvals.facts import Fact
from portal.approvals.inputs import Exported, Rules
from portal.approvals.model import ApprovalPoint, RuleSet, RuleSetStatus
from portal.approvals.own import own_facts
from portal.approvals.rules import DraftMissing, LiveInPast, NoRulesYet
from portal.approvals.rules_checking import check_rules, read_exported
from portal.approvals.rules_matching import Compiled, compiled
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.errors import NotFound
from portal.core.ids import uuid7
from portal.core.journal import Subject, record
from portal.core.versions import check_version
from portal.fields.service import lock_fields

logger = logging.getLogger(__name__)


async def in_force(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, now: datetime, own: Sequence[Fact] | None = None
) -> tuple[RuleSet | None, Compiled]:
    """The rules that hold at a moment; none: what holds without rules. own: the custom fields, where they are read."""
    query = (
        select(RuleSet)
        .where(
            RuleSet.tenant_id == actor.tenant_id,
            RuleSet.point == point,
            RuleSet.status == RuleSetStatus.LIVE,
            col(RuleSet.live_from) <= now,
        )
        .order_by(col(RuleSet.live_from).desc(), col(RuleSet.number).desc())
        .limit(1)
    )
    found = (await session.exec(query)).one_or_none()
    if own is None:
        own = await own_facts(session, actor, point)
    return found, compiled(point, rules_of(found), own)


def rules_of(rule_set: RuleSet | None) -> Rules:
    """The content as typed rules; empty where there is no rule set."""
    return Rules.model_validate(rule_set.content) if rule_set is not None else Rules()


def require(actor: Actor) -> None:
    """Raise NotFound for a partner, Forbidden for a colleague without the right."""
    if not actor.is_factory:
        raise NotFound
    actor.require(Permission.MANAGE_RULES)


async def list_sets(session: AsyncSession, actor: Actor, point: ApprovalPoint) -> Sequence[RuleSet]:
    """All versions of a point's rules, the newest first."""
    require(actor)
    query = select(RuleSet).where(RuleSet.tenant_id == actor.tenant_id, RuleSet.point == point)
    return (await session.exec(query.order_by(col(RuleSet.number).desc()))).all()


async def get_set(session: AsyncSession, actor: Actor, point: ApprovalPoint, number: int) -> RuleSet:
    """One version. Raises NotFound."""
    for found in await list_sets(session, actor, point):
        if found.number == number:
            return found
    raise NotFound


async def get_draft(session: AsyncSession, actor: Actor, point: ApprovalPoint, *, lock: bool = False) -> RuleSet | None:
    """The version that is being written; none: nobody began one."""
    require(actor)
    query = select(RuleSet).where(
        RuleSet.tenant_id == actor.tenant_id, RuleSet.point == point, RuleSet.status == RuleSetStatus.DRAFT
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.exec(query)).one_or_none()


# --- writing ----------------------------------------------------------------------------------------------------------


async def write_draft(
    session: AsyncSession, actor: Actor, point: ApprovalPoint, rules: Rules, version: int | None = None
) -> RuleSet:
    """Write the draft anew, or begin one. version: of the draft that was seen; 0: there was none.

    Raises WrongRules or Stale.
    """
    require(actor)
    await lock_fields(session, actor)  # a field that a rule names is not removed meanwhile
    check_rules(point, rules, await own_facts(session, actor, point))
    await lock_names(session, "rule set", actor.tenant_id, point.value)
    draft = await get_draft(session, actor, point, lock=True)
    if version is not None:
        check_version(version, draft.version if draft else 0)
    if draft is None:
        draft = RuleSet(tenant_id=actor.tenant_id, id=uuid7(), point=point, number=await _next(session, actor, point),
                        changed_at=clock.now(), version=0)  # fmt: skip
        session.add(draft)
    draft.content = rules.model_dump(mode="json")
    draft.changed_by, draft.changed_at = actor.name, clock.now()
    draft.version += 1
    await session.flush()
    _recorded(session, actor, draft, "changed")
    return draft


async def bring_in(
    session: AsyncSession,
    actor: Actor,
    point: ApprovalPoint,
    file: str | dict[str, Any],
    version: int | None = None,
) -> RuleSet:
    """Write the draft anew from a file of rules. Raises WrongRules, which names the place in it."""
    require(actor)
    return await write_draft(
        session, actor, point, read_exported(file, point, await own_facts(session, actor, point)), version
    )


def exported(found: RuleSet) -> Exported:
    """A version as a file."""
    rules = rules_of(found)
    return Exported(point=found.point.value, rules=rules.rules, otherwise=rules.otherwise)


async def begin_draft(session: AsyncSession, actor: Actor, point: ApprovalPoint) -> RuleSet:
    """A draft that says what is in force; the one that is there already stays."""
    draft = await get_draft(session, actor, point)
    if draft is not None:
        return draft
    live, _compiled = await in_force(session, actor, point, clock.now())
    return await write_draft(session, actor, point, rules_of(live))


async def publish(
    session: AsyncSession,
    actor: Actor,
    point: ApprovalPoint,
    version: int,
    live_from: datetime | None = None,
    note: str = "",
) -> RuleSet:
    """Put the draft in force from a moment, now or later. It is never changed again.

    Raises DraftMissing, Stale, NoRulesYet or LiveInPast.
    """
    draft = await _draft_as_seen(session, actor, point, version)
    rules = rules_of(draft)
    if not rules.rules and rules.otherwise is None:
        raise NoRulesYet
    now = clock.now()
    if live_from is not None and live_from < now:
        raise LiveInPast(field="live_from")
    draft.status, draft.live_from, draft.note = RuleSetStatus.LIVE, live_from or now, note
    draft.changed_by, draft.changed_at = actor.name, now
    draft.version += 1
    _recorded(session, actor, draft, "published", live_from=draft.live_from.date())
    return draft


async def discard(session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int) -> None:
    """Throw the draft away; what is in force stays. Raises DraftMissing or Stale."""
    draft = await _draft_as_seen(session, actor, point, version)
    await session.delete(draft)
    _recorded(session, actor, draft, "removed")


async def _draft_as_seen(session: AsyncSession, actor: Actor, point: ApprovalPoint, version: int) -> RuleSet:
    draft = await get_draft(session, actor, point, lock=True)
    if draft is None:
        raise DraftMissing
    check_version(version, draft.version)
    return draft


async def _next(session: AsyncSession, actor: Actor, point: ApprovalPoint) -> int:
    query = select(func.coalesce(func.max(RuleSet.number), 0)).where(
        RuleSet.tenant_id == actor.tenant_id, RuleSet.point == point
    )
    return (await session.exec(query)).one() + 1


def _recorded(session: AsyncSession, actor: Actor, rule_set: RuleSet, verb: str, **data: object) -> None:
    what = Subject("rule_set", rule_set.id, actor.party_id, rule_set.version, shared=False)
    record(session, actor, what, verb, point=rule_set.point, number=rule_set.number, **data)
    logger.info("rules changed", extra={"rule_set_id": str(rule_set.id), "verb": verb})
