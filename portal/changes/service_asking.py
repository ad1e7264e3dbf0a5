"""The asker's steps: write a wish down, send it, take it back, say something about it.

A partner's role writes no deliveries, so what is agreed is applied by the factory's role: in the same transaction where
the factory speaks, by a job in a moment where a partner does.
"""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.changes import rules
from portal.changes.events import ChangeCommented, ChangeWithdrawn
from portal.changes.impact import get_head
from portal.changes.inputs import Comment, NewChange
from portal.changes.model import ChangeRequest, ChangeStatus, Way
from portal.changes.service import (
    check_base,
    get_change,
    impact,
    speaker,
    subject,
    told,
    write_offer,
)
from portal.changes.service_reviewing import may_go_out, send
from portal.contracts.model import ContractStatus
from portal.core import clock, db
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.ids import uuid7
from portal.core.journal import emit, record
from portal.schedules.service_terms import NotInForce, lock_contract


async def draft_change(session: AsyncSession, actor: Actor, data: NewChange) -> ChangeRequest:
    """Write down a wish and see what it does, before anybody else does. Its writer's company alone sees it."""
    actor.require(Permission.REQUEST_CHANGES)
    head = await get_head(await db.driver(session), actor, data.contract_id)
    if head.status != ContractStatus.ACTIVE:
        raise NotInForce(status=ContractStatus(head.status))
    change = ChangeRequest(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        party_id=head.party_id,
        contract_id=head.id,
        way=Way.SELLER,
        asked_scope=actor.scope,
        asked_by=actor.member_id,
        asked_name=actor.name,
        reason=data.reason,
        note=data.note,
        offered_scope=actor.scope,
        by_line=head.by_line,
        created_at=clock.now(),
    )
    session.add(change)
    await session.flush()
    sheet = await write_offer(session, actor, head, change, data)
    record(session, actor, subject(change), "drafted", parts=len(sheet.stakes) + len(sheet.carries))
    return change


async def submit_change(
    session: AsyncSession, actor: Actor, change_id: UUID, version: int | None = None
) -> ChangeRequest:
    """Send a draft. Inside the band and outside the firm zone a buyer's change is agreed by that; else the other
    company is asked. The factory's own rules may want a colleague's word first: then it stays a draft until that."""
    actor.require(Permission.REQUEST_CHANGES)
    found = await get_change(session, actor, change_id)
    await lock_contract(session, actor, found.contract_id, None)
    change = await get_change(session, actor, change_id, lock=True, version=version)
    rules.target(change.status, "submit", speaker(change, actor))
    await check_base(session, actor, change)
    sheet = await impact(session, actor, change, curves=False)
    if await may_go_out(session, actor, change, sheet):
        await send(session, actor, change, sheet)
    return change


async def ask_change(session: AsyncSession, actor: Actor, data: NewChange) -> ChangeRequest:
    """Draft and send in one step, where the sheet was shown before."""
    draft = await draft_change(session, actor, data)
    return await submit_change(session, actor, draft.id)


async def withdraw_change(
    session: AsyncSession, actor: Actor, change_id: UUID, version: int | None = None
) -> ChangeRequest:
    """Take the own request back before it is decided."""
    actor.require(Permission.REQUEST_CHANGES)
    change = await get_change(session, actor, change_id, lock=True, version=version)
    was_draft = change.status is ChangeStatus.DRAFT
    change.status = rules.target(change.status, "withdraw", speaker(change, actor))
    change.respond_by = None
    told(session, actor, change, "withdrawn", None if was_draft else ChangeWithdrawn(change.id))
    return change


async def comment_change(session: AsyncSession, actor: Actor, change_id: UUID, data: Comment) -> ChangeRequest:
    """Say something that both companies read in the request's history."""
    actor.require(Permission.REQUEST_CHANGES)
    change = await get_change(session, actor, change_id)
    record(session, actor, subject(change), "commented", note=data.note)
    if change.submitted_at is not None:
        emit(session, actor, change.party_id, ChangeCommented(change.id))
    return change
