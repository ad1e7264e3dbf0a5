"""Whose chat is it? Beside `identity` the only module that opens identity tables: chats, their links and raw updates.

As there, a row found here opens nothing by itself: whoever writes acts as the live member on the tenant's side, and
only while the company's own `chat` row lives. Link tokens are 256 random bits, and only their sha256 is stored.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from portal.accounts import attempts
from portal.accounts.actors import Place, live_member
from portal.accounts.model_chats import ChatBot
from portal.accounts.tokens import hash_of
from portal.core import db
from portal.core.actor import Actor, Channel, Scope
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_, Language
from portal.core.ids import uuid7

LINK_MINUTES = 10
NAME_LENGTH = 120
WINDOW_BITS = 52  # of a chat window's number: other services' numbers have no more either


class LinkExpired(Conflict):
    code = "chat-link-expired"
    text = N_("This link has expired. Open My account > Chat in the portal for a new one.")


@dataclass(frozen=True, slots=True)
class ChatName:
    """A chat as an update tells of it."""

    bot: ChatBot
    chat_id: int
    name: str = ""
    topic: int | None = None  # of a group with topics; none: its general one

    @property
    def address(self) -> str:
        """Where it is written to: the chat's number, and that of the topic after a stroke."""
        return str(self.chat_id) if self.topic is None else f"{self.chat_id}/{self.topic}"


def place_of(address: str) -> tuple[int, int | None]:
    """The chat's number and that of the topic."""
    chat, _, topic = address.partition("/")
    return int(chat), int(topic) if topic else None


def is_group(bot: str, address: str) -> bool:
    """Whether several people read what is written there."""
    return bot == ChatBot.TELEGRAM and address.startswith("-")


@dataclass(frozen=True, slots=True)
class Known:
    """A chat that is bound, with the member it speaks for; no actor where nothing lives on the tenant's side."""

    account_id: UUID
    chat: ChatName
    user_id: UUID | None = None
    actor: Actor | None = None
    row_id: UUID | None = None  # of the company's `chat` row
    membership_id: UUID | None = None
    company_name: str = ""
    tenant_name: str = ""
    tenant_id: UUID | None = None
    numbers_only: bool = False  # the workspace lets no figures leave the house
    language: Language | None = None  # in which it spoke last, also when it speaks for nobody any more


@dataclass(frozen=True, slots=True)
class Request:
    """A chat that opened a person's link and waits for that person's word in the portal."""

    id: UUID
    chat: ChatName
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Approved:
    """A binding as the identity side knows it after the person's word."""

    account_id: UUID
    chat: ChatName


@dataclass(frozen=True, slots=True)
class Address:
    """Where one member is reached: the number that the bot sends to."""

    member_id: UUID
    bot: ChatBot
    address: str
    account_id: UUID


def _place(row: asyncpg.Record) -> Place:
    return Place(row["tenant_id"], row["party_id"], Scope(row["scope"]), row["member_id"])


async def _one(statement: str, *values: Any) -> asyncpg.Record | None:
    async with db.identity_work() as session:
        return await (await db.driver(session)).fetchrow(statement, *values)


async def _all(statement: str, *values: Any) -> list[asyncpg.Record]:
    async with db.identity_work() as session:
        rows: list[asyncpg.Record] = await (await db.driver(session)).fetch(statement, *values)
        return rows


# --- who writes -------------------------------------------------------------------------------------------------------

_ACCOUNT = """
select a.id, a.bot, a.chat_id, a.name, a.user_id, coalesce(a.language, u.language) as language, m.id as membership_id,
    m.tenant_id, m.party_id, m.scope, m.member_id
from chat_account a
left join user_account u on u.id = a.user_id and u.disabled_at is null
left join membership m on m.id = a.membership_id and m.user_id = u.id
where a.bot = $1 and a.chat_id = $2"""
_LIVE = """
select id, (select chat_detail = 'number_only' from tenant where tenant_id = $1) as numbers_only from chat
where tenant_id = $1 and party_id = $2 and member_id = $3 and account_id = $4 and unbound_at is null"""


async def known(chat: ChatName) -> Known | None:
    """The chat and for whom it speaks now; None when no one ever bound it."""
    row = await _one(_ACCOUNT, chat.bot.value, chat.chat_id)
    if row is None:
        return None
    language = Language(row["language"]) if row["language"] else None
    found = Known(row["id"], chat, row["user_id"], membership_id=row["membership_id"], language=language)
    if row["membership_id"] is None:
        return found
    place = _place(row)
    live = await live_member(place)
    if live is None:
        return found
    async with db.read(place.asking) as connection:
        chat_row = await connection.fetchrow(_LIVE, place.tenant_id, place.party_id, place.id, row["id"])
    if chat_row is None:
        return found
    return replace(
        found,
        actor=replace(live.actor.via(Channel.CHAT), language=language or live.actor.language),
        row_id=chat_row["id"],
        company_name=live.company_name,
        tenant_name=live.tenant_name,
        tenant_id=place.tenant_id,
        numbers_only=chat_row["numbers_only"],
    )


_SPOKEN = """
select contract_id, address from chat
where tenant_id = $1 and party_id = $2 and account_id = $3 and contract_id is not null and unbound_at is null
union
select l.contract_id, h.address from chat h
left join contract_line l on l.tenant_id = $1 and l.ship_to_code = h.ship_to_code
where h.tenant_id = $1 and h.party_id = $2 and h.account_id = $3 and h.ship_to_code <> '' and h.unbound_at is null"""


async def spoken_of(group: ChatName, presser: Actor) -> frozenset[UUID] | None:
    """The contracts that may be spoken of in this place of a group, those that deliver to its plants among them: of its
    topic, elsewhere of the whole group; nothing where it belongs to another workspace. None: nobody bound the group.

    What the presser's own company bound here counts, else what the company did that bound it last.
    """
    row = await _one(_ACCOUNT, group.bot.value, group.chat_id)
    if row is None or row["user_id"] is None:
        return None
    rows = await _spoken(presser, row["id"])
    if not rows and row["membership_id"] is not None and row["tenant_id"] == presser.tenant_id:
        rows = await _spoken(_place(row).asking, row["id"])
    here = [row for row in rows if place_of(row["address"])[1] == group.topic]
    return frozenset(row["contract_id"] for row in here or rows if row["contract_id"] is not None)


async def _spoken(actor: Actor, account_id: UUID) -> list[asyncpg.Record]:
    async with db.read(actor) as connection:
        rows: list[asyncpg.Record] = await connection.fetch(_SPOKEN, actor.tenant_id, actor.party_id, account_id)
        return rows


async def alive(account_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these accounts that nobody has closed to the bot."""
    rows = await _all("select id from chat_account where id = any($1) and dead_at is null", list(account_ids))
    return {row["id"] for row in rows}


async def heard_from(chat: ChatName) -> None:
    """The person writes, so the chat is alive; its name may have changed."""
    await _one(
        "update chat_account set dead_at = null, name = case when $3 = '' then name else $3 end"
        " where bot = $1 and chat_id = $2 and (dead_at is not null or name <> $3) returning id",
        *(chat.bot.value, chat.chat_id, chat.name[:NAME_LENGTH]),
    )


async def mark_dead(bot: ChatBot, chat_id: int) -> bool:
    """The person blocked the bot: nobody is sent to this chat until it writes again. False: it was known before."""
    row = await _one(
        "update chat_account set dead_at = now() where bot = $1 and chat_id = $2 and dead_at is null returning id",
        *(bot.value, chat_id),
    )
    return row is not None


async def renumber(bot: ChatBot, old: int, new: int) -> bool:
    """The service gave a group another number. False: that is known, or the new number was bound by itself already."""
    row = await _one(
        "update chat_account a set chat_id = $3 where bot = $1 and chat_id = $2"
        " and not exists (select from chat_account b where b.bot = $1 and b.chat_id = $3) returning id",
        *(bot.value, old, new),
    )
    return row is not None


async def speak(account_id: UUID, language: Language) -> None:
    """The language of this chat from now on."""
    await _one("update chat_account set language = $2 where id = $1 returning id", account_id, language.value)


async def switch(account_id: UUID, user_id: UUID, membership_id: UUID) -> None:
    """The chat speaks for another of its person's companies. Raises NotFound when it is not one of theirs."""
    changed = await _one(
        "update chat_account a set membership_id = m.id from membership m"
        " where a.id = $1 and a.user_id = $2 and m.id = $3 and m.user_id = $2 returning a.id",
        *(account_id, user_id, membership_id),
    )
    if changed is None:
        raise NotFound


_REACHED = """
select m.member_id, a.bot, a.chat_id, a.id from chat_account a join membership m on m.user_id = a.user_id
where a.id = any($1) and a.dead_at is null and m.tenant_id = $2 and m.member_id = any($3)"""


async def addresses_of(connection: db.Driver, actor: Actor, member_ids: Sequence[UUID]) -> list[Address]:
    """Where these members are reached by chat: bound, alive and not blocked. The connection sees their company."""
    rows = await connection.fetch(
        "select account_id, member_id from chat where tenant_id = $1 and member_id = any($2)"
        " and unbound_at is null and address = '' order by bound_at",
        *(actor.tenant_id, list(member_ids)),
    )
    bound = [(row["account_id"], row["member_id"]) for row in rows]
    if not bound:
        return []
    found = await _all(_REACHED, [account for account, _ in bound], actor.tenant_id, list(member_ids))
    return [
        Address(row["member_id"], ChatBot(row["bot"]), str(row["chat_id"]), row["id"])
        for row in found
        if (row["id"], row["member_id"]) in bound
    ]


async def chat_numbers(account_ids: Sequence[UUID]) -> dict[UUID, ChatName]:
    """The numbers behind accounts, for the bot that sends to them."""
    rows = await _all("select id, bot, chat_id, name from chat_account where id = any($1)", list(account_ids))
    return {row["id"]: ChatName(ChatBot(row["bot"]), row["chat_id"], row["name"]) for row in rows}


# --- binding ----------------------------------------------------------------------------------------------------------


async def make_link(user_id: UUID) -> tuple[str, datetime]:
    """A new one-time token for this person's next chat, and when it ends; older ones that nobody opened end now."""
    token = secrets.token_urlsafe(32)
    async with db.identity_work() as session:
        connection = await db.driver(session)
        await connection.execute("delete from chat_link where user_id = $1 and opened_at is null", user_id)
        await connection.execute(
            "delete from chat_link where user_id = $1 and expires_at < now() - interval '1 day'", user_id
        )
        expires: datetime = await connection.fetchval(
            "insert into chat_link (id, token_hash, user_id, expires_at, chat_name)"
            " values ($1, $2, $3, now() + $4::interval, '') returning expires_at",
            *(uuid7(), hash_of(token), user_id, timedelta(minutes=LINK_MINUTES)),
        )
    return token, expires


_OPEN = """
update chat_link set opened_at = now(), bot = $2, chat_id = $3, chat_name = $4
where token_hash = $1 and expires_at > now() and answered_at is null
    and (opened_at is null or (bot = $2 and chat_id = $3)) returning id"""


async def open_link(chat: ChatName, token: str) -> None:
    """A chat opened a link; its person is asked in the portal. Raises LinkExpired, and TooManyAttempts for guesses."""
    who = f"chat:{chat.bot}:{chat.chat_id}"
    await attempts.check(who, who)
    if await _one(_OPEN, hash_of(token), chat.bot.value, chat.chat_id, chat.name[:NAME_LENGTH]) is None:
        await attempts.failed(who, who)
        raise LinkExpired


_REQUESTS = """
select id, bot, chat_id, chat_name, opened_at from chat_link
where user_id = $1 and opened_at is not null and answered_at is null and opened_at > now() - $2::interval
order by opened_at desc"""


async def requests_of(user_id: UUID) -> list[Request]:
    """The chats that opened a link of this person and were not answered yet."""
    rows = await _all(_REQUESTS, user_id, timedelta(minutes=LINK_MINUTES))
    return [
        Request(row["id"], ChatName(ChatBot(row["bot"]), row["chat_id"], row["chat_name"]), row["opened_at"])
        for row in rows
    ]


async def owner_of(chat: ChatName) -> UUID | None:
    """The person to whom a chat is bound now."""
    row = await _one("select user_id from chat_account where bot = $1 and chat_id = $2", chat.bot.value, chat.chat_id)
    return row["user_id"] if row else None


async def refuse(user_id: UUID, request_id: UUID) -> None:
    """The person does not know this chat. Raises LinkExpired when there is nothing to answer any more."""
    if await _one(_ANSWERED, request_id, user_id, timedelta(minutes=LINK_MINUTES)) is None:
        raise LinkExpired


_ANSWERED = """
update chat_link set answered_at = now()
where id = $1 and user_id = $2 and opened_at > now() - $3::interval and answered_at is null
returning bot, chat_id, chat_name"""
_BIND = """
insert into chat_account (id, bot, chat_id, name, user_id, membership_id, bound_at)
values ($1, $2, $3, $4, $5, $6, now())
on conflict (bot, chat_id) do update set name = excluded.name, user_id = excluded.user_id,
    membership_id = excluded.membership_id, bound_at = excluded.bound_at, dead_at = null, language = null
returning id"""


async def approve(user_id: UUID, membership_id: UUID, request_id: UUID) -> Approved:
    """The person's word: the chat is theirs. It speaks for nobody until a company's row says so. Raises LinkExpired."""
    async with db.identity_work() as session:
        connection = await db.driver(session)
        row = await connection.fetchrow(_ANSWERED, request_id, user_id, timedelta(minutes=LINK_MINUTES))
        if row is None:
            raise LinkExpired
        chat = ChatName(ChatBot(row["bot"]), row["chat_id"], row["chat_name"])
        values = (uuid7(), chat.bot.value, chat.chat_id, chat.name, user_id, membership_id)
        return Approved(await connection.fetchval(_BIND, *values), chat)


async def bind_group(chat: ChatName, user_id: UUID, membership_id: UUID) -> UUID:
    """A group belongs to the one who brought it in, as far as identity goes. Returns the account."""
    row = await _one(_BIND, *(uuid7(), chat.bot.value, chat.chat_id, chat.name[:NAME_LENGTH], user_id, membership_id))
    assert row is not None
    account_id: UUID = row["id"]
    return account_id


async def forget(account_ids: Sequence[UUID], user_id: UUID) -> None:
    """The person's chat is nobody's any more. It keeps its last language, so that whoever ended it reads how to begin
    again; with the next link that of its person counts."""
    await _all(
        "update chat_account a set user_id = null, membership_id = null, bound_at = null,"
        " language = coalesce(a.language, u.language) from user_account u"
        " where u.id = a.user_id and a.id = any($1) and a.user_id = $2 returning a.id",
        *(list(account_ids), user_id),
    )


_FIND_WINDOW = "select id, chat_id from chat_account where bot = 'portal' and membership_id = $1 and user_id = $2"
_MAKE_WINDOW = """
insert into chat_account (id, bot, chat_id, name, user_id, membership_id, bound_at)
values ($1, 'portal', $2, $3, $4, $5, now()) on conflict do nothing returning id"""


async def window_of(user_id: UUID, membership_id: UUID, name: str) -> tuple[UUID, ChatName]:
    """The portal's own chat of this person in one company: made at first sight, its number drawn at random."""
    row = await _one(_FIND_WINDOW, membership_id, user_id)
    while row is None:
        number = secrets.randbits(WINDOW_BITS) | 1
        await _one(_MAKE_WINDOW, uuid7(), number, name[:NAME_LENGTH], user_id, membership_id)
        row = await _one(_FIND_WINDOW, membership_id, user_id)
    return row["id"], ChatName(ChatBot.PORTAL, row["chat_id"], name)
