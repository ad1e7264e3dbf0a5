"""Whose calendar asks? Beside `identity` and `chats` the only module that opens identity tables: secret addresses.

As there, a row found here opens nothing by itself: the calendar reads as the live member on the tenant's side, and only
while the company's own `calendar_feed` row lives. Nothing is remembered, so whatever ends is over at once.
"""

import secrets
from dataclasses import dataclass, replace
from uuid import UUID

from portal.accounts.actors import Place, live_member
from portal.accounts.tokens import hash_of
from portal.core import db
from portal.core.actor import Actor, Channel, Scope
from portal.core.i18n import Language
from portal.core.ids import uuid7


@dataclass(frozen=True, slots=True)
class Opened:
    """A feed whose secret fits, and the member as whom it reads."""

    feed_id: UUID
    actor: Actor


_INSERT = """
insert into calendar_token (id, token_hash, tenant_id, party_id, scope, member_id, feed_id)
values ($1, $2, $3, $4, $5, $6, $7)"""


async def register(place: Place, feed_id: UUID) -> str:
    """A new feed's secret, to be shown once. It opens nothing until the feed's own row is there."""
    secret = secrets.token_urlsafe(32)
    async with db.identity_work() as session:
        await (await db.driver(session)).execute(
            _INSERT,
            *(uuid7(), hash_of(secret), place.tenant_id, place.party_id, place.scope, place.id, feed_id),
        )
    return secret


_OPEN = """
select t.feed_id, t.tenant_id, t.party_id, t.scope, t.member_id, u.language
from calendar_token t
join membership m on m.tenant_id = t.tenant_id and m.member_id = t.member_id
join user_account u on u.id = m.user_id and u.disabled_at is null
where t.token_hash = $1"""


async def opened(secret: str) -> Opened | None:
    """The feed of this secret; None when it is unknown, or its person cannot sign in for the company any more."""
    async with db.identity_work() as session:
        row = await (await db.driver(session)).fetchrow(_OPEN, hash_of(secret))
    if row is None:
        return None
    live = await live_member(Place(row["tenant_id"], row["party_id"], Scope(row["scope"]), row["member_id"]))
    if live is None:
        return None
    language = Language(row["language"]) if row["language"] else live.actor.language
    return Opened(row["feed_id"], replace(live.actor, language=language, channel=Channel.FILE))
