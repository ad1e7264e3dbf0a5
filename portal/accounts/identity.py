"""Who is it? The only module that opens the tables which recognise people and keys before a company is known.

A row found here opens nothing by itself: the actor comes from the live row on the tenant's side (`actors`).
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from portal.accounts import attempts, passwords
from portal.accounts.actors import LiveMember, Place, live_key, live_member
from portal.accounts.revocation import Recognised, revoke
from portal.accounts.revocation import listen_for_revocations as listen_for_revocations
from portal.accounts.tokens import derived, hash_of
from portal.core import db
from portal.core.actor import Actor, Scope
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_, Language
from portal.core.ids import uuid7
from portal.core.settings import get_settings

KEY_PREFIX = "clk_"
AGENT_LENGTH = 200  # characters of the browser's name that are kept


class EmailTaken(Conflict):
    code = "email-taken"
    text = N_("Somebody with this e-mail already has an account. Sign in with it instead.")


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed-in browser. Without a company chosen it has no actor yet."""

    session_id: UUID
    token_hash: str
    user_id: UUID
    user_name: str
    email: str
    language: Language | None
    companies: int
    membership_id: UUID | None = None
    actor: Actor | None = None
    tenant_name: str = ""
    company_name: str = ""
    time_zone: str = "UTC"
    form_token: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """One company that a user may act for."""

    membership_id: UUID
    live: LiveMember


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in."""

    id: UUID
    email: str
    name: str
    password_hash: str
    disabled: bool
    has_factor: bool  # a code is asked after the password


class SecondStep(Exception):
    """The password is right; this user's session begins with a one-time code (`second_factor`)."""

    def __init__(self, user: User) -> None:
        super().__init__(user.id)
        self.user = user


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open one-time link."""

    id: UUID
    place: Place
    email: str
    expires_at: datetime


_browsers: Recognised[Signed] = Recognised()
_keys: Recognised[Actor] = Recognised()


def form_token(signed: Signed) -> str:
    """What every form carries: it fits one session and one company, so a second tab of another company is refused."""
    return derived(f"form:{signed.session_id}:{signed.membership_id}")


def _place(row: asyncpg.Record) -> Place:
    return Place(row["tenant_id"], row["party_id"], Scope(row["scope"]), row["subject_id"])


async def _one(statement: str, *values: Any) -> asyncpg.Record | None:
    async with db.identity_work() as session:
        return await (await db.driver(session)).fetchrow(statement, *values)


# --- browsers ---------------------------------------------------------------------------------------------------------

_SESSION = """
with seen as (
    update user_session s set seen_at = now()
    where s.token_hash = $1 and s.expires_at > now() and s.seen_at > now() - $2::interval
    returning s.id, s.user_id, s.membership_id
)
select s.id, s.user_id, u.name, u.email, u.language, m.id as membership_id, m.tenant_id, m.party_id, m.scope,
    m.member_id as subject_id, (select count(*) from membership c where c.user_id = u.id) as companies
from seen s
join user_account u on u.id = s.user_id and u.disabled_at is null
left join membership m on m.id = s.membership_id"""


async def signed_in(token: str) -> Signed | None:
    """Whose browser sent this token; None when it is unknown, over, or its user disabled."""
    token_hash = hash_of(token)
    if (known := _browsers.get(token_hash)) is not None:
        return known
    mark = _browsers.mark()
    row = await _one(_SESSION, token_hash, timedelta(minutes=get_settings().session_idle_minutes))
    if row is None:
        return None
    language = Language(row["language"]) if row["language"] else None
    signed = Signed(row["id"], token_hash, row["user_id"], row["name"], row["email"], language, row["companies"])
    if row["membership_id"] and (live := await live_member(_place(row))):
        actor = replace(live.actor, language=language or live.actor.language)
        signed = replace(
            signed,
            membership_id=row["membership_id"],
            actor=actor,
            tenant_name=live.tenant_name,
            company_name=live.company_name,
            time_zone=actor.time_zone,
        )
    signed = replace(signed, form_token=form_token(signed))
    _browsers.remember(token_hash, signed, (row["user_id"], row["subject_id"]), mark)
    return signed


async def companies_of(user_id: UUID) -> list[Company]:
    """The companies this user is a live member of, by tenant and name."""
    async with db.identity_work() as session:
        rows = await (await db.driver(session)).fetch(
            "select id, tenant_id, party_id, scope, member_id as subject_id from membership where user_id = $1", user_id
        )
    found = [Company(row["id"], live) for row in rows if (live := await live_member(_place(row)))]
    return sorted(found, key=lambda company: (company.live.tenant_name.lower(), company.live.company_name.lower()))


async def sign_in(email: str, password: str, agent: str, network: str) -> str | None:
    """A new session's token, or None. Takes as long for an unknown e-mail as for a wrong password.

    agent: the browser's name; network: its address as the server saw it. Raises TooManyAttempts, TooBusy, SecondStep.
    """
    user = await check_sign_in(email, password, network)
    if user is None:
        return None
    if user.has_factor:
        raise SecondStep(user)
    return await start_session(user.id, agent)


async def start_session(user_id: UUID, agent: str) -> str:
    """A session of a person who has proven who they are; for their company, where they have one only."""
    companies = await companies_of(user_id)
    return await open_session(user_id, companies[0].membership_id if len(companies) == 1 else None, agent)


async def check_sign_in(email: str, password: str, network: str) -> User | None:
    """The user whose password this is. Counts failures; renews a hash that was made with older parameters."""
    email = email.strip().lower()
    await attempts.check(email, network)
    user = await find_user(email)
    async with passwords.turnstile():
        await attempts.check(email, network)  # those who waited here learn what those before them caused
        right = await passwords.fits(user.password_hash if user else None, password)
        if not right or user is None or user.disabled:
            await attempts.failed(email, network)
            return None
    await attempts.succeeded(email, network)
    if passwords.outdated(user.password_hash):
        renewed = await passwords.hashed(password)
        await _one("update user_account set password_hash = $2 where id = $1", user.id, renewed)
    return user


async def open_session(user_id: UUID, membership_id: UUID | None, agent: str, lasts: timedelta | None = None) -> str:
    """A session with a fresh token. What the browser carried before is worth nothing afterwards."""
    token = secrets.token_urlsafe(32)
    lasts = lasts or timedelta(hours=get_settings().session_absolute_hours)
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await connection.execute("delete from user_session where user_id = $1 and expires_at < now()", user_id)
        await connection.execute(
            "insert into user_session (id, token_hash, user_id, membership_id, created_at, seen_at, expires_at, agent)"
            " values ($1, $2, $3, $4, now(), now(), now() + $5::interval, $6)",
            *(uuid7(), hash_of(token), user_id, membership_id, lasts, agent[:AGENT_LENGTH]),
        )
    return token


async def sign_out(token: str) -> None:
    """End this session, here and in every process."""
    async with db.identity_work() as session:
        await (await db.driver(session)).execute("delete from user_session where token_hash = $1", hash_of(token))
        await revoke(session, hash_of(token))


async def choose_company(signed: Signed, membership_id: UUID) -> str:
    """Act for another of the user's companies, under a fresh token. Raises NotFound when it is not one of theirs."""
    if membership_id not in {company.membership_id for company in await companies_of(signed.user_id)}:
        raise NotFound
    token = secrets.token_urlsafe(32)
    async with db.identity_work() as session:
        changed = await (await db.driver(session)).fetchval(
            "update user_session set id = $2, token_hash = $3, membership_id = $4, seen_at = now()"
            " where token_hash = $1 returning id",
            *(signed.token_hash, uuid7(), hash_of(token), membership_id),
        )
        if changed is None:
            raise NotFound
        await revoke(session, signed.token_hash)
    return token


# --- people -----------------------------------------------------------------------------------------------------------


_USER = """
select id, email, name, password_hash, disabled_at is not null as disabled, exists (
    select from user_factor f where f.user_id = u.id and f.confirmed_at is not null) as has_factor
from user_account u where email = $1"""


async def find_user(email: str) -> User | None:
    """The person with this e-mail, in any case of letters."""
    row = await _one(_USER, email.strip().lower())
    return User(**row) if row else None


async def create_user(email: str, name: str, password_hash: str, *, instance_admin: bool = False) -> UUID:
    """A person who can sign in; they act for nobody until they join a company. Raises EmailTaken."""
    created = await _one(
        "insert into user_account (id, email, name, password_hash, is_instance_admin, created_at)"
        " values ($1, $2, $3, $4, $5, now()) on conflict do nothing returning id",
        *(uuid7(), email.strip().lower(), name, password_hash, instance_admin),
    )
    if created is None:
        raise EmailTaken(field="email")
    user_id: UUID = created["id"]
    return user_id


async def change_user(user_id: UUID, *, name: str | None = None, language: Language | None = None) -> None:
    """The person's own name and language; open pages show them at once."""
    async with db.identity_work() as session:
        await (await db.driver(session)).execute(
            "update user_account set name = coalesce($2, name), language = coalesce($3, language) where id = $1",
            *(user_id, name, language),
        )
        await revoke(session, user_id)


async def replace_password(user_id: UUID, password_hash: str, keep: UUID | None = None) -> None:
    """Store the new hash and end every session of the user but one."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await connection.execute("update user_account set password_hash = $2 where id = $1", user_id, password_hash)
        await connection.execute(
            "delete from user_session where user_id = $1 and id is distinct from $2", user_id, keep
        )
        await revoke(session, user_id)


async def disable_user(user_id: UUID) -> list[Place]:
    """Nobody signs in as this person any more. Returns the memberships, whose keys the caller revokes."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await connection.execute("update user_account set disabled_at = now() where id = $1", user_id)
        await connection.execute("delete from user_session where user_id = $1", user_id)
        rows = await connection.fetch("select *, member_id as subject_id from membership where user_id = $1", user_id)
        await revoke(session, user_id)
    return [_place(row) for row in rows]


async def join(user_id: UUID, place: Place, invitation: UUID | None = None) -> bool:
    """Let the user act as this member; with an invitation only if that is still open, which it then no longer is."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        if invitation is not None and not await connection.fetchval(
            "update invitation_token set used_at = now() where id = $1 and used_at is null and expires_at > now()"
            " returning true",
            invitation,
        ):
            return False
        await connection.execute(
            "insert into membership (id, user_id, tenant_id, party_id, scope, member_id)"
            " values ($1, $2, $3, $4, $5, $6)"
            " on conflict (tenant_id, member_id) do update set user_id = excluded.user_id",
            *(uuid7(), user_id, place.tenant_id, place.party_id, place.scope, place.id),
        )
        await revoke(session, user_id)
    return True


# --- invitations ------------------------------------------------------------------------------------------------------


def invitation_link(invitation_id: UUID) -> str:
    """The path of the link. Its token is derived, so that those who may invite can copy it again while it is open."""
    return "/invitations/" + derived(f"invitation:{invitation_id}")


async def invite(place: Place, email: str, days: int) -> UUID:
    """A new one-time link for this member; older ones end. It opens nothing once the member is not invited any more."""
    invitation_id = uuid7()
    token = invitation_link(invitation_id).rpartition("/")[2]
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await connection.execute(
            "delete from invitation_token where tenant_id = $1 and member_id = $2", place.tenant_id, place.id
        )
        await connection.execute(
            "insert into invitation_token (id, token_hash, tenant_id, party_id, scope, member_id, email, expires_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, now() + $8::interval)",
            *(invitation_id, hash_of(token), place.tenant_id, place.party_id, place.scope, place.id, email),
            timedelta(days=days),
        )
    return invitation_id


def _invitation(row: asyncpg.Record) -> Invitation:
    return Invitation(row["id"], _place(row), row["email"], row["expires_at"])


_OPEN = "select *, member_id as subject_id from invitation_token where used_at is null and expires_at > now() and "


async def find_invitation(token: str) -> Invitation | None:
    """The open invitation of this link."""
    row = await _one(_OPEN + "token_hash = $1", hash_of(token))
    return _invitation(row) if row else None


async def open_invitations(tenant_id: UUID, member_ids: list[UUID]) -> dict[UUID, Invitation]:
    """The open links of these members, by member."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        rows = await connection.fetch(_OPEN + "tenant_id = $1 and member_id = any($2)", tenant_id, member_ids)
    return {row["subject_id"]: _invitation(row) for row in rows}


# --- programs ---------------------------------------------------------------------------------------------------------


async def actor_of_key(token: str) -> Actor | None:
    """The actor of an API key; None when the key is unknown, revoked or expired."""
    token_hash = hash_of(token)
    if (known := _keys.get(token_hash)) is not None:
        return known
    mark = _keys.mark()
    row = await _one("select *, key_id as subject_id from api_key_token where token_hash = $1", token_hash)
    actor = await live_key(_place(row)) if row else None
    if actor is not None:
        _keys.remember(token_hash, actor, (actor.member_id,), mark)
    return actor


async def register_key(place: Place) -> str:
    """A new key's token, to be shown once. It opens nothing until the key's own row is there."""
    token = KEY_PREFIX + secrets.token_urlsafe(32)
    await _one(
        "insert into api_key_token (id, token_hash, tenant_id, party_id, scope, key_id)"
        " values ($1, $2, $3, $4, $5, $6)",
        *(uuid7(), hash_of(token), place.tenant_id, place.party_id, place.scope, place.id),
    )
    return token
