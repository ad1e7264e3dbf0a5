"""How a person comes to act for a company, and what they may change about themselves.

Two databases' worth of rows are touched: the person's (identity) and the company's (tenant). Each step leaves a state
from which the person can simply try again.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import identity, passwords, rules, service_chats
from portal.accounts.actors import Place
from portal.accounts.events import MemberJoined
from portal.accounts.identity import Invitation, Signed
from portal.accounts.model import Member, MemberStatus
from portal.accounts.service import InviteMember, get_company, new_member, place_of, revoke_keys_of, scope_of
from portal.accounts.tokens import hash_of
from portal.core import db
from portal.core.access import Permission, Role
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.i18n import N_, Language
from portal.core.journal import Subject, emit, record


class ForSomebodyElse(Forbidden):
    code = "invitation-for-somebody-else"
    text = N_("This invitation was made for {email}. Sign out, then open the link again as that person.")


class InvitationOver(NotFound):
    code = "invitation-over"
    text = N_(
        "This invitation was used, was taken back or is older than seven days. Sign in if you have joined already, or"
        " ask whoever invited you for a new link."
    )


class WrongPassword(Invalid):
    code = "wrong-password"
    text = N_("This is not your present password.")


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """What the one who opens the link is shown."""

    invitation: Invitation
    name: str
    role: Role
    company_name: str
    tenant_name: str
    has_account: bool


_INVITED = """
select m.name, m.role, p.name as company_name, t.name as tenant_name
from member m
join party p on p.tenant_id = m.tenant_id and p.party_id = m.party_id
join tenant t on t.tenant_id = m.tenant_id
where m.tenant_id = $1 and m.id = $2 and m.status <> 'removed'"""


async def open_invitation(token: str) -> OpenInvitation:
    """The invitation behind a link. Raises InvitationOver when it is used, expired, replaced or taken back."""
    invitation = await identity.find_invitation(token)
    if invitation is None:
        raise InvitationOver
    place = invitation.place
    async with read(place.asking) as connection:
        row = await connection.fetchrow(_INVITED, place.tenant_id, place.id)
    if row is None:
        raise InvitationOver
    known = await identity.find_user(invitation.email) is not None
    return OpenInvitation(
        invitation, row["name"], Role(row["role"]), row["company_name"], row["tenant_name"], has_account=known
    )


async def join_as_new(token: str, name: str, password: str, agent: str, language: Language) -> str:
    """The invited person gets an account and joins; returns the token of their first session.

    language: in which they read the invitation, and are written to until they choose another.
    """
    opened = await open_invitation(token)
    invitation = opened.invitation
    name = rules.checked_name(name)
    rules.check_password(password, (name, invitation.email, opened.company_name, opened.tenant_name))
    user_id = await identity.create_user(invitation.email, name, await passwords.hashed(password))
    await identity.change_user(user_id, language=language)
    await _join(user_id, invitation, name)
    return await identity.open_session(user_id, await _membership(user_id, invitation.place), agent)


async def join_as(signed: Signed, token: str) -> str:
    """A person with an account gains a company; returns the token of the session that acts for it."""
    opened = await open_invitation(token)
    if opened.invitation.email != signed.email:
        raise ForSomebodyElse(email=opened.invitation.email)
    await _join(signed.user_id, opened.invitation, signed.user_name)
    return await identity.choose_company(signed, await _membership(signed.user_id, opened.invitation.place))


async def _join(user_id: UUID, invitation: Invitation, name: str) -> None:
    """The company's row first: should the second step fail, the link still works and finds the member active."""
    await _activate(invitation.place, name)
    if not await identity.join(user_id, invitation.place, invitation.id):
        raise NotFound


async def _membership(user_id: UUID, place: Place) -> UUID:
    for company in await identity.companies_of(user_id):
        if company.live.actor.member_id == place.id:
            return company.membership_id
    raise NotFound


async def _activate(place: Place, name: str) -> None:
    asking = replace(place.asking, member_id=place.id, name=name)
    async with unit_of_work(asking) as session:
        member = await own_row(session, asking)
        if member.status is MemberStatus.REMOVED:
            raise NotFound
        if member.status is MemberStatus.INVITED:
            member.status, member.name = MemberStatus.ACTIVE, name
            member.version += 1
            record(session, asking, Subject("member", member.id, member.party_id, member.version), "joined")
            emit(session, asking, member.party_id, MemberJoined(member_id=member.id))


async def own_row(session: AsyncSession, actor: Actor) -> Member:
    """The row of the person who acts, locked."""
    query = select(Member).where(
        Member.tenant_id == actor.tenant_id, Member.party_id == actor.party_id, Member.id == actor.member_id
    )
    return (await session.exec(query.with_for_update())).one()


async def add_member(actor: Actor, party_id: UUID, data: InviteMember, password: str) -> UUID:
    """Without an invitation, for the command line and the demo: the person can sign in at once. Returns the member id.

    Somebody who has an account already keeps their own password.
    """
    actor.require(Permission.MANAGE_PEOPLE)
    async with unit_of_work(actor) as session:
        party = await get_company(session, actor, party_id)
        if await identity.find_user(data.email) is None:
            rules.check_password(password, (data.name, data.email, party.name))
        member = await new_member(session, actor, party, data)
        member.status = MemberStatus.ACTIVE
        record(session, actor, Subject("member", member.id, member.party_id, member.version), "joined", role=data.role)
        emit(session, actor, member.party_id, MemberJoined(member_id=member.id))
        place = place_of(member, scope_of(party))
    user = await identity.find_user(data.email)
    user_id = user.id if user else await identity.create_user(data.email, data.name, await passwords.hashed(password))
    await identity.join(user_id, place)
    return place.id


# --- oneself ----------------------------------------------------------------------------------------------------------


async def change_password(signed: Signed, present: str, new: str, network: str) -> None:
    """Another password; every other session of this person ends."""
    if await identity.check_sign_in(signed.email, present, network) is None:
        raise WrongPassword(field="present")
    rules.check_password(new, (signed.user_name, signed.email, signed.company_name, signed.tenant_name), field="new")
    await identity.replace_password(signed.user_id, await passwords.hashed(new), keep=signed.session_id)


async def change_name(signed: Signed, name: str) -> None:
    """The name that colleagues and partners see, in every company of this person. Histories keep the former one."""
    name = rules.checked_name(name)
    for company in await identity.companies_of(signed.user_id):
        actor = company.live.actor
        async with unit_of_work(actor) as session:
            member = await own_row(session, actor)
            member.name = name
            member.version += 1
            record(session, actor, Subject("member", member.id, member.party_id, member.version), "renamed")
    await identity.change_user(signed.user_id, name=name)


async def change_language(signed: Signed, language: Language) -> None:
    """The language of pages and messages for this person, on every device."""
    await identity.change_user(signed.user_id, language=language)


# --- the instance's operator ------------------------------------------------------------------------------------------


async def keep_language(token: str, language: Language) -> None:
    """Who has never chosen a language is written to, too, in the one in which they came in."""
    query = "update user_account set language = $2 where language is null and id ="
    query += " (select user_id from user_session where token_hash = $1)"
    async with db.identity_work() as session:
        await (await db.driver(session)).execute(query, hash_of(token), language)


async def reset_password(email: str, password: str) -> None:
    """A new password given by the operator; every session of the person ends. Raises NotFound."""
    user = await identity.find_user(email)
    if user is None:
        raise NotFound(field="email")
    rules.check_password(password, (user.name, user.email))
    await identity.replace_password(user.id, await passwords.hashed(password))


async def disable_user(email: str) -> None:
    """This person signs in nowhere any more, and the keys they made end. Raises NotFound."""
    user = await identity.find_user(email)
    if user is None:
        raise NotFound(field="email")
    for place in await identity.disable_user(user.id):
        admin = replace(place.asking, role=rules.ADMIN_ROLE[place.scope], name="system")
        async with unit_of_work(admin) as session:
            member = await own_row(session, replace(admin, member_id=place.id))
            await revoke_keys_of(session, admin, member)
            await service_chats.end_chats_of(session, admin, member.id, member.party_id)
