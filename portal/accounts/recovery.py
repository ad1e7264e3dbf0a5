"""A forgotten password: a link of one use, by mail. Beside `identity` it opens identity tables for this alone.

Nobody learns whether an address has an account: the answer is the same, it takes the same statement, and the mail is
sent by the worker. The token is derived, so that the worker can write the link; only its sha256 is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from portal.accounts import attempts, passwords, rules
from portal.accounts.revocation import revoke
from portal.accounts.tokens import derived, hash_of
from portal.core import db
from portal.core.errors import NotFound
from portal.core.i18n import Language
from portal.core.ids import uuid7

MINUTES = 30  # for which a link works
MOST = 3  # links of one person at a time; asking more often sends no more
CLAIM = timedelta(seconds=60)  # for which a link is being sent
TRIES = 5


@dataclass(frozen=True, slots=True)
class Link:
    """A link that waits to be mailed."""

    id: UUID
    email: str
    language: Language | None
    tries: int

    @property
    def path(self) -> str:
        return f"/new-password/{token_of(self.id)}"


@dataclass(frozen=True, slots=True)
class Forgetful:
    """Who holds an open link."""

    user_id: UUID
    email: str
    name: str


def token_of(link_id: UUID) -> str:
    """The secret part of a link: 256 bits that nobody can derive without the instance's key."""
    return derived(f"password:{link_id}")


_ASK = """
insert into password_token (id, token_hash, user_id, created_at, expires_at, tries, next_try)
select $1, $2, u.id, now(), now() + $4::interval, 0, now() from user_account u
where u.email = $3 and u.disabled_at is null
    and (select count(*) from password_token t where t.user_id = u.id and t.expires_at > now()) < $5"""


async def ask(email: str, network: str) -> None:
    """Somebody forgot the password of this address. Raises TooManyAttempts; says nothing of whether it is known."""
    account, where = f"forgotten:{email.strip().lower()}", f"forgotten:{attempts.neighbourhood(network)}"
    await attempts.check(account, where)
    await attempts.failed(account, where)
    link_id = uuid7()
    values = link_id, hash_of(token_of(link_id)), email.strip().lower(), timedelta(minutes=MINUTES), MOST
    async with db.identity_work() as session:
        await (await db.driver(session)).execute(_ASK, *values)


_OPEN = """
select t.id, u.id as user_id, u.email, u.name from password_token t join user_account u on u.id = t.user_id
where t.token_hash = $1 and t.used_at is null and t.expires_at > now() and u.disabled_at is null"""


async def holder(token: str) -> Forgetful:
    """Whose open link this is. Raises NotFound when it is used, over or nobody's."""
    async with db.identity_work() as session:
        row = await (await db.driver(session)).fetchrow(_OPEN, hash_of(token))
    if row is None:
        raise NotFound
    return Forgetful(row["user_id"], row["email"], row["name"])


_USE = """
update password_token set used_at = now() where token_hash = $1 and used_at is null and expires_at > now()
returning user_id"""


async def set_password(token: str, password: str) -> None:
    """The holder's new password. The link is used up, their other links and every session end. Raises NotFound."""
    who = await holder(token)
    rules.check_password(password, (who.name, who.email))
    hashed = await passwords.hashed(password)
    async with db.identity_work() as session:
        connection = await db.driver(session)
        user_id = await connection.fetchval(_USE, hash_of(token))
        if user_id is None:
            raise NotFound
        await connection.execute("update user_account set password_hash = $2 where id = $1", user_id, hashed)
        await connection.execute("delete from user_session where user_id = $1", user_id)
        await connection.execute("update password_token set expires_at = now() where user_id = $1", user_id)
        await revoke(session, user_id)


_CLAIM = """
update password_token t set tries = tries + 1, next_try = now() + $1::interval
from user_account u
where u.id = t.user_id and t.id in (
    select id from password_token
    where sent_at is null and next_try <= now() and expires_at > now() and tries < $2
    order by next_try limit 20 for update skip locked)
returning t.id, u.email, u.language, t.tries"""


async def unsent() -> Sequence[Link]:
    """Links that wait to be mailed, claimed for a minute."""
    async with db.identity_work() as session:
        rows = await (await db.driver(session)).fetch(_CLAIM, CLAIM, TRIES)
    return [_link(row) for row in rows]


def _link(row: asyncpg.Record) -> Link:
    return Link(row["id"], row["email"], Language(row["language"]) if row["language"] else None, row["tries"])


async def sent(link: Link) -> None:
    """The mail left."""
    async with db.identity_work() as session:
        await (await db.driver(session)).execute("update password_token set sent_at = now() where id = $1", link.id)
