"""People of a company: invite, change, restrict, remove. Partners manage their own, the factory everybody's."""

import logging
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import text
from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import identity, rules, service_chats
from portal.accounts.actors import Place
from portal.accounts.events import MemberInvited, MemberRemoved
from portal.accounts.model import ApiKey, Member, MemberRestriction, MemberStatus, Party
from portal.accounts.revocation import revoke
from portal.core import clock
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Scope
from portal.core.db import driver
from portal.core.errors import NotFound, Reading
from portal.core.inputs import Input
from portal.core.journal import Subject, emit, record
from portal.core.versions import check_version

logger = logging.getLogger(__name__)


class InviteMember(Input):
    """Somebody is asked to act for a company."""

    email: str = Field(examples=["ann@aurora.example"])
    name: str = Field(examples=["Ann Weber"])
    role: Role


class ChangeRole(Input):
    role: Role


class RestrictMember(Input):
    """What a member may see; neither contracts nor sites lifts the restriction when `restricted` is false."""

    restricted: bool
    contract_ids: list[UUID] = Field(default_factory=list, max_length=500)
    ship_to_codes: list[str] = Field(default_factory=list, max_length=500)


# --- getting ----------------------------------------------------------------------------------------------------------


async def get_company(session: AsyncSession, actor: Actor, party_id: UUID) -> Party:
    """A company of this tenant that the actor may see. Raises NotFound."""
    if not actor.is_factory and party_id != actor.party_id:
        raise NotFound
    query = select(Party).where(Party.tenant_id == actor.tenant_id, Party.party_id == party_id)
    party = (await session.exec(query)).one_or_none()
    if party is None:
        raise NotFound
    return party


async def get_member(session: AsyncSession, actor: Actor, member_id: UUID, *, lock: bool = False) -> Member:
    """A member whom the actor may manage; removed ones are gone. Raises Forbidden or NotFound."""
    actor.require(Permission.MANAGE_PEOPLE)
    query = select(Member).where(
        Member.tenant_id == actor.tenant_id, Member.id == member_id, Member.status != MemberStatus.REMOVED
    )
    if not actor.is_factory:
        query = query.where(Member.party_id == actor.party_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    member = (await session.exec(query)).one_or_none()
    if member is None:
        raise NotFound
    return member


async def _member_to_change(session: AsyncSession, actor: Actor, member_id: UUID, version: int) -> Member:
    """Lock the member as it was seen, and before that the company's roles: who is its last administrator stays true."""
    member = await get_member(session, actor, member_id)
    await lock_names(session, "roles", member.tenant_id, member.party_id)
    member = await get_member(session, actor, member_id, lock=True)
    check_version(version, member.version)
    return member


async def lock_names(session: AsyncSession, *parts: object) -> None:
    """One at a time may take a name, code or address of this kind; the look whether it is free is then certain."""
    key = " ".join(map(str, parts))
    connection = await session.connection()
    await connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def scope_of(party: Party) -> Scope:
    """The scope in which a company's members act."""
    return Scope.FACTORY if party.is_factory else Scope.PARTNER


def place_of(member: Member, scope: Scope) -> Place:
    """Where this member's membership and invitations point."""
    return Place(member.tenant_id, member.party_id, scope, member.id)


def _subject(member: Member) -> Subject:
    return Subject("member", member.id, member.party_id, member.version)


# --- commands ---------------------------------------------------------------------------------------------------------


async def invite_member(session: AsyncSession, actor: Actor, party_id: UUID, data: InviteMember) -> Member:
    """Ask somebody to act for a company. The one-time link is in the list of open invitations."""
    actor.require(Permission.MANAGE_PEOPLE)
    party = await get_company(session, actor, party_id)
    member = await new_member(session, actor, party, data)
    # Written first, in its own transaction: a link without an invited member opens nothing, the reverse would be stuck.
    await identity.invite(place_of(member, scope_of(party)), member.email, rules.INVITATION_DAYS)
    record(session, actor, _subject(member), "invited", role=member.role)
    emit(session, actor, member.party_id, MemberInvited(member_id=member.id))
    logger.info("member invited", extra={"member_id": str(member.id), "role": member.role})
    return member


async def new_member(session: AsyncSession, actor: Actor, party: Party, data: InviteMember) -> Member:
    """The row of an invited member: a new one, or that of somebody who was removed before."""
    reading, scope = Reading(), scope_of(party)
    with reading.part():
        email = rules.checked_email(data.email)
    with reading.part():
        name = rules.checked_name(data.name)
    reading.done()
    rules.check_role(scope, data.role)
    rules.check_gives(actor, scope, data.role)
    await lock_names(session, "member", party.tenant_id, party.party_id, email)
    query = select(Member).where(
        Member.tenant_id == party.tenant_id, Member.party_id == party.party_id, Member.email == email
    )
    member = (await session.exec(query)).one_or_none()
    if member is None:
        member = Member(tenant_id=party.tenant_id, party_id=party.party_id, email=email, name=name, role=data.role)
    elif member.status is MemberStatus.ACTIVE:
        raise rules.AlreadyMember(field="email", email=email)
    elif member.status is MemberStatus.INVITED:
        raise rules.AlreadyInvited(field="email", email=email)
    else:
        await _lift_restriction(session, member)
        member.name, member.role, member.status = name, data.role, MemberStatus.INVITED
        member.version += 1
    session.add(member)
    await session.flush()
    return member


async def resend_invitation(session: AsyncSession, actor: Actor, member_id: UUID) -> Member:
    """A fresh link for somebody who has not joined; the old one ends."""
    member = await get_member(session, actor, member_id, lock=True)
    if member.status is not MemberStatus.INVITED:
        raise rules.AlreadyMember(email=member.email)
    party = await get_company(session, actor, member.party_id)
    await identity.invite(place_of(member, scope_of(party)), member.email, rules.INVITATION_DAYS)
    record(session, actor, _subject(member), "invited", role=member.role)
    emit(session, actor, member.party_id, MemberInvited(member_id=member.id))
    return member


async def change_role(session: AsyncSession, actor: Actor, member_id: UUID, version: int, data: ChangeRole) -> Member:
    """Give a member another role. The last administrator keeps theirs."""
    member = await _member_to_change(session, actor, member_id, version)
    scope = scope_of(await get_company(session, actor, member.party_id))
    rules.check_role(scope, data.role)
    rules.check_gives(actor, scope, data.role)
    if data.role is member.role:
        return member
    if member.restricted:
        rules.check_may_be_restricted(data.role)
    await _check_admin_remains(session, member)
    before, member.role = member.role, data.role
    member.version += 1
    record(session, actor, _subject(member), "role_changed", before=before, role=data.role)
    await revoke(session, member.id)
    return member


async def restrict_member(
    session: AsyncSession, actor: Actor, member_id: UUID, version: int, data: RestrictMember
) -> Member:
    """Let a member see some contracts and sites only, or everything again."""
    member = await _member_to_change(session, actor, member_id, version)
    await _lift_restriction(session, member)
    if data.restricted:
        rules.check_may_be_restricted(member.role)
        await _restrict(session, actor, member, data)
    member.restricted = data.restricted
    member.version += 1
    verb = "restricted" if data.restricted else "unrestricted"
    record(session, actor, _subject(member), verb, contracts=data.contract_ids, sites=data.ship_to_codes)
    await revoke(session, member.id)
    return member


async def _lift_restriction(session: AsyncSession, member: Member) -> None:
    await session.exec(
        delete(MemberRestriction).where(
            col(MemberRestriction.tenant_id) == member.tenant_id, col(MemberRestriction.member_id) == member.id
        )
    )
    member.restricted = False


async def _restrict(session: AsyncSession, actor: Actor, member: Member, data: RestrictMember) -> None:
    """Write what the member may see. Only contracts and sites of the member's own company count."""
    contracts, codes = set(data.contract_ids), set(data.ship_to_codes)
    if not contracts and not codes:
        raise rules.NothingChosen(field="contract_ids")
    whose = None if member.party_id == actor.party_id and actor.is_factory else member.party_id
    connection = await driver(session)
    found = await connection.fetch(
        "select id from contract where tenant_id = $1 and id = any($2) and ($3::uuid is null or party_id = $3)",
        *(actor.tenant_id, list(contracts), whose),
    )
    known = await connection.fetch(
        "select distinct ship_to_code from contract_line"
        " where tenant_id = $1 and ship_to_code = any($2) and ($3::uuid is null or party_id = $3)",
        *(actor.tenant_id, list(codes), whose),
    )
    if len(found) != len(contracts) or len(known) != len(codes):
        raise NotFound(field="contract_ids")
    base: dict[str, Any] = {"tenant_id": member.tenant_id, "party_id": member.party_id, "member_id": member.id}
    session.add_all([MemberRestriction(**base, contract_id=contract) for contract in sorted(contracts)])
    session.add_all([MemberRestriction(**base, ship_to_code=code) for code in sorted(codes)])


async def remove_member(session: AsyncSession, actor: Actor, member_id: UUID, version: int) -> Member:
    """End somebody's membership: sessions, open invitation and the keys they made stop with the commit."""
    member = await _member_to_change(session, actor, member_id, version)
    await _check_admin_remains(session, member)
    member.status = MemberStatus.REMOVED
    member.version += 1
    await revoke_keys_of(session, actor, member)
    await service_chats.end_chats_of(session, actor, member.id, member.party_id)
    record(session, actor, _subject(member), "removed")
    emit(session, actor, member.party_id, MemberRemoved(member_id=member.id))
    await revoke(session, member.id)
    logger.info("member removed", extra={"member_id": str(member.id)})
    return member


async def revoke_keys_of(session: AsyncSession, actor: Actor, member: Member) -> None:
    """Whoever leaves takes no key along: those they made end too."""
    query = select(ApiKey).where(
        ApiKey.tenant_id == member.tenant_id, ApiKey.created_by == member.id, col(ApiKey.revoked_at).is_(None)
    )
    for key in (await session.exec(query.with_for_update())).all():
        key.revoked_at = clock.now()
        record(session, actor, Subject("api_key", key.id, key.party_id), "revoked", because=member.id)
        await revoke(session, key.id)


async def _check_admin_remains(session: AsyncSession, member: Member) -> None:
    """Refuse when this member is the only administrator left."""
    if member.status is not MemberStatus.ACTIVE or member.role not in rules.ADMIN_ROLES:
        return
    query = select(func.count()).where(
        Member.tenant_id == member.tenant_id,
        Member.party_id == member.party_id,
        Member.status == MemberStatus.ACTIVE,
        col(Member.role).in_(rules.ADMIN_ROLES),
    )
    rules.check_not_last_admin(member.role, (await session.exec(query)).one())
