"""The second factor of a person. Beside `identity` it opens identity tables for this alone.

The row is locked while a code is tried, so that a code is used once and the count of wrong ones holds, however many
come at once. The secret is stored encrypted and leaves this module only for the picture that the person scans.
"""

import hmac
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from portal.accounts import attempts, identity
from portal.accounts import rules_factor as rules
from portal.accounts.identity import User
from portal.accounts.revocation import revoke
from portal.accounts.rules_factor import Proof
from portal.accounts.tokens import derived
from portal.core import at_rest, clock, db
from portal.core.actor import Actor
from portal.core.errors import Invalid, NotFound, Unavailable
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.settings import get_settings

PURPOSE = "portal second factor"
HALF_WAY = timedelta(minutes=5)  # between password and code
logger = logging.getLogger(__name__)


class FactorUnreadable(Unavailable):
    code = "factor-unreadable"
    text = N_(
        "Codes of your app cannot be checked, because the portal's secret key was replaced. Use a recovery code, or ask"
        " the operator to remove your second factor."
    )


@dataclass(frozen=True, slots=True)
class State:
    """What a person's own page says of the second factor."""

    since: datetime | None  # None: there is none
    codes_left: int


@dataclass(frozen=True, slots=True)
class SetUp:
    """What the app needs, shown while the factor is set up."""

    secret: str
    address: str


_STATE = """
select (select confirmed_at from user_factor where user_id = $1) as since,
    (select count(*) from user_recovery_code where user_id = $1 and used_at is null) as codes_left"""


async def state(user_id: UUID) -> State:
    """Whether the person has a second factor, and how many recovery codes are left."""
    async with db.identity_work() as session:
        row = await (await db.driver(session)).fetchrow(_STATE, user_id)
    assert row is not None
    return State(row["since"], row["codes_left"])


_PERSON = """
select m.user_id, f.confirmed_at is not null as enrolled
from membership m left join user_factor f on f.user_id = m.user_id
where m.tenant_id = $1 and m.member_id = $2"""


async def _person(actor: Actor) -> asyncpg.Record | None:
    async with db.identity_work() as session:
        return await (await db.driver(session)).fetchrow(_PERSON, actor.tenant_id, actor.member_id)


async def is_enrolled(actor: Actor) -> bool:
    """Whether the person who acts has a second factor."""
    row = await _person(actor)
    return row is not None and bool(row["enrolled"])


_HOLDERS = """
select m.member_id from membership m join user_factor f on f.user_id = m.user_id and f.confirmed_at is not null
where m.tenant_id = $1 and m.member_id = any($2)"""


async def holders(tenant_id: UUID, member_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these members have a second factor."""
    async with db.identity_work() as session:
        rows = await (await db.driver(session)).fetch(_HOLDERS, tenant_id, member_ids)
    return {row["member_id"] for row in rows}


# --- setting up -------------------------------------------------------------------------------------------------------

_BEGIN = """
insert into user_factor (id, user_id, secret, created_at) values ($1, $2, $3, now())
on conflict (user_id) do update set secret = excluded.secret, created_at = now()
where user_factor.confirmed_at is null
returning true"""


async def begin(user_id: UUID, email: str) -> SetUp:
    """A new secret; it counts for nothing until a code of it is typed. Raises FactorThere."""
    secret = rules.new_secret()
    stored = at_rest.closed(secret.encode(), PURPOSE, user_id.bytes, get_settings())
    async with db.identity_work() as session:
        begun = await (await db.driver(session)).fetchval(_BEGIN, uuid7(), user_id, stored)
    if begun is None:
        raise rules.FactorThere
    return SetUp(secret, rules.address(secret, email))


async def begun(user_id: UUID, email: str) -> SetUp:
    """The secret that waits for its first code. Raises FactorThere or FactorNotBegun."""
    async with db.identity_work() as session:
        row = await (await db.driver(session)).fetchrow("select * from user_factor where user_id = $1", user_id)
    secret = _waiting(row)
    return SetUp(secret, rules.address(secret, email))


def _waiting(row: asyncpg.Record | None) -> str:
    if row is not None and row["confirmed_at"] is not None:
        raise rules.FactorThere
    secret = _secret(row) if row is not None else None
    if secret is None:
        raise rules.FactorNotBegun
    return secret


def _secret(row: asyncpg.Record) -> str | None:
    opened = at_rest.opened(row["secret"], PURPOSE, row["user_id"].bytes, get_settings())
    return opened.decode() if opened is not None else None


_LOCKED = "select * from user_factor where user_id = $1 for update"


async def confirm(user_id: UUID, typed: str, keep: UUID) -> list[str]:
    """The app shows the right code: the factor counts, and every other session ends. Returns the recovery codes.

    Raises FactorThere, FactorNotBegun, TooManyAttempts, CodeMissing or CodeWrong.
    """
    code = _said(typed)
    async with db.identity_work() as session:
        connection = await db.driver(session)
        secret = _waiting(await connection.fetchrow(_LOCKED, user_id))
        async with _counted(user_id):
            step = rules.used_step(secret, code, clock.now(), None)
        await connection.execute(
            "update user_factor set confirmed_at = now(), last_step = $2 where user_id = $1", user_id, step
        )
        codes = await _new_codes(connection, user_id)
        await connection.execute("delete from user_session where user_id = $1 and id <> $2", user_id, keep)
        await revoke(session, user_id)
    return codes


def _said(typed: str) -> str:
    code = rules.cleaned(typed)
    if not code:
        raise rules.CodeMissing(field="code")
    return code


@asynccontextmanager
async def _counted(user_id: UUID) -> AsyncIterator[None]:
    """Refuse a person with too many wrong codes; count a wrong one, and forget them after a right one."""
    await attempts.check_codes(user_id)
    try:
        yield
    except Invalid:
        await attempts.code_failed(user_id)
        raise
    await attempts.code_fitted(user_id)


async def _new_codes(connection: db.Driver, user_id: UUID) -> list[str]:
    codes = rules.recovery_codes()
    await connection.execute("delete from user_recovery_code where user_id = $1", user_id)
    await connection.executemany(
        "insert into user_recovery_code (id, user_id, code_hash) values ($1, $2, $3)",
        [(uuid7(), user_id, rules.recovery_hash(user_id, code)) for code in codes],
    )
    return codes


# --- proving ----------------------------------------------------------------------------------------------------------


async def prove(user_id: UUID, typed: str) -> Proof:
    """Use up a code of the app or a recovery code.

    Raises CodeMissing, FactorMissing, TooManyAttempts, CodeWrong, CodeUsed or FactorUnreadable.
    """
    async with db.identity_work() as session:
        return await _use(await db.driver(session), user_id, typed)


async def prove_actor(actor: Actor, typed: str) -> Proof:
    """The same for the person who acts. Raises FactorMissing for who is no person."""
    row = await _person(actor)
    if row is None:
        raise rules.FactorMissing
    return await prove(row["user_id"], typed)


async def _use(connection: db.Driver, user_id: UUID, typed: str) -> Proof:
    row = await connection.fetchrow(_LOCKED, user_id)
    if row is None or row["confirmed_at"] is None:
        raise rules.FactorMissing
    code = _said(typed)
    async with _counted(user_id):
        if not rules.is_totp(code):
            await _use_recovery(connection, user_id, code)
            return Proof.RECOVERY
        secret = _secret(row)
        if secret is None:
            raise FactorUnreadable
        step = rules.used_step(secret, code, clock.now(), row["last_step"])
    await connection.execute("update user_factor set last_step = $2 where user_id = $1", user_id, step)
    return Proof.CODE


async def _use_recovery(connection: db.Driver, user_id: UUID, code: str) -> None:
    """Codes of one person are looked at one after the other, as its factor is locked."""
    kept = rules.recovery_hash(user_id, code)
    found = "select used_at from user_recovery_code where user_id = $1 and code_hash = $2"
    row = await connection.fetchrow(found, user_id, kept)
    if row is None:
        raise rules.CodeWrong(field="code")
    if row["used_at"] is not None:
        raise rules.CodeUsed(field="code")
    await connection.execute(
        "update user_recovery_code set used_at = now() where user_id = $1 and code_hash = $2", user_id, kept
    )


async def renew_codes(user_id: UUID, typed: str) -> list[str]:
    """Ten new recovery codes for a code of the app or one of the old ones, which end. Raises as `prove`."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await _use(connection, user_id, typed)
        return await _new_codes(connection, user_id)


# --- removing ---------------------------------------------------------------------------------------------------------


async def remove(user_id: UUID) -> None:
    """From now on the password suffices. Raises FactorMissing."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await connection.execute("delete from user_recovery_code where user_id = $1", user_id)
        if await connection.fetchval("delete from user_factor where user_id = $1 returning true", user_id) is None:
            raise rules.FactorMissing
    await attempts.code_fitted(user_id)


async def remove_by_operator(email: str) -> UUID:
    """A person lost phone and codes. Their sessions end. Raises NotFound without such a person, or FactorMissing."""
    user = await identity.find_user(email)
    if user is None:
        raise NotFound(field="email")
    await remove(user.id)
    async with db.identity_work() as session:
        await (await db.driver(session)).execute("delete from user_session where user_id = $1", user.id)
        await revoke(session, user.id)
    logger.info("second factor removed by the operator", extra={"user_id": str(user.id)})
    return user.id


# --- signing in -------------------------------------------------------------------------------------------------------


def half_way(user: User) -> str:
    """What a browser carries from the right password to the code: good for five minutes and until the password is
    another one. It opens nothing without a code."""
    until = int((clock.now() + HALF_WAY).timestamp())
    return f"{user.id.hex}.{until}.{_sealed(user.id, until, user.password_hash)}"


def _sealed(user_id: UUID, until: int, password_hash: str) -> str:
    return derived(f"half way:{user_id}:{until}:{password_hash}")


async def who_is_half_way(carried: str) -> UUID | None:
    """Who gave the right password a moment ago; None when nobody did, or too long ago."""
    parts = carried.split(".")
    if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdecimal() and len(parts[1]) <= 12):
        return None
    try:
        user_id, until = UUID(hex=parts[0]), int(parts[1])
    except ValueError:
        return None
    if until < clock.now().timestamp():
        return None
    query = "select password_hash from user_account where id = $1 and disabled_at is null"
    async with db.identity_work() as session:
        password_hash = await (await db.driver(session)).fetchval(query, user_id)
    fits = password_hash and hmac.compare_digest(_sealed(user_id, until, password_hash).encode(), parts[2].encode())
    return user_id if fits else None


async def finish_sign_in(carried: str, typed: str, agent: str) -> str:
    """The token of a new session for the right code. Raises as `prove`; FactorMissing also when nobody is half-way."""
    user_id = await who_is_half_way(carried)
    if user_id is None:
        raise rules.FactorMissing
    await prove(user_id, typed)
    return await identity.start_session(user_id, agent)
