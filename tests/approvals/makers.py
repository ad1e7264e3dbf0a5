"""What the tests of approvals ask, and the people whom they ask."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.approvals.inputs import Approver, Condition, Group, Join, Op, Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalCase, ApprovalPoint
from portal.approvals.service import ask
from portal.approvals.service_sets import publish, write_draft
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.journal import Subject
from tests.factories import Tenant, make_member

APPROVE = Outcome(kind=OutcomeKind.APPROVE)
REFUSE = Outcome(kind=OutcomeKind.REFUSE, reason="Too late")
SMALL = Condition(fact="change_percent", op=Op.WITHIN, values=["20"])
FIRM = Condition(fact="zone", op=Op.ANY_OF, values=["firm"])


def all_of(*parts: Condition | Group) -> Group:
    return Group(join=Join.AND, of=list(parts))


def any_of(*parts: Condition | Group) -> Group:
    return Group(join=Join.OR, of=list(parts))


def approvers(*roles: Role, **more: Any) -> Outcome:
    return Outcome(kind=OutcomeKind.APPROVERS, approvers=[Approver(role=role) for role in roles], **more)


def rules_of(*rules: tuple[Group, Outcome], otherwise: Outcome | None = None) -> Rules:
    named = [Rule(name=f"Rule {n}", when=when, then=then) for n, (when, then) in enumerate(rules, 1)]
    return Rules(rules=named, otherwise=otherwise)


async def make_colleague(tenant: Tenant, role: Role, name: str = "") -> Actor:
    """Another active person of the factory."""
    member_id = uuid7()
    async with unit_of_work(tenant.factory) as session:
        member = make_member(tenant.id, tenant.factory.party_id, member_id, role)
        member.name = name or role.value
        session.add(member)
    return replace(tenant.factory, role=role, member_id=member_id, name=name or role.value)


async def put_in_force(tenant: Tenant, rules: Rules, point: ApprovalPoint = ApprovalPoint.CHANGE) -> None:
    async with unit_of_work(tenant.factory) as session:
        draft = await write_draft(session, tenant.factory, point, rules)
        await publish(session, tenant.factory, point, draft.version)


def something(actor: Actor, subject_id: UUID | None = None, version: int = 1) -> Subject:
    """A document of some upper domain."""
    return Subject("change_request", subject_id or uuid7(), actor.party_id, version)


async def ask_for(
    session: AsyncSession,
    actor: Actor,
    facts: Mapping[str, Any] | None = None,
    about: Subject | None = None,
    point: ApprovalPoint = ApprovalPoint.CHANGE,
    **more: Any,
) -> ApprovalCase:
    return await ask(session, actor, point, about or something(actor), facts or {}, label="C-1", **more)
