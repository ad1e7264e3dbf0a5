"""Which chat speaks for whom: approved by its person in the portal, ended from either side.

Two databases' worth of rows are touched, as when somebody joins. The identity side says whose chat it is, the
company's row that it may speak; the order of the steps is such that a chat speaks for nobody in between.
"""

import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.accounts import chats, identity
from portal.accounts.chats import ChatName, Request
from portal.accounts.events import ChatBlocked, ChatBound, ChatMoved, ChatUnbound
from portal.accounts.identity import Signed
from portal.accounts.model_chats import Chat, ChatBot
from portal.core import clock
from portal.core.access import Permission
from portal.core.actor import Actor, Channel
from portal.core.db import Driver, unit_of_work
from portal.core.errors import Conflict, NotFound
from portal.core.i18n import N_
from portal.core.ids import uuid7
from portal.core.journal import Subject, emit, record

logger = logging.getLogger(__name__)


class NotAGroup(Conflict):
    code = "not-a-group"
    text = N_(
        "Only a group chat can be bound to a contract or plant. Add the bot to a group and send the command there."
    )


class ChatRow(Struct, frozen=True):
    """One live binding, as its person and the company's administrators see it."""

    id: UUID
    bot: ChatBot
    name: str
    member_id: UUID
    member_name: str
    contract_number: str  # of a group
    bound_at: datetime
    ship_to_code: str  # of a group that speaks of all contracts of a plant


_LIST = """
select h.id, h.bot, h.name, h.member_id, m.name, coalesce(c.number, ''), h.bound_at, h.ship_to_code
from chat h join member m on m.tenant_id = $1 and m.id = h.member_id
left join contract c on c.tenant_id = $1 and c.id = h.contract_id
where h.tenant_id = $1 and h.party_id = $2 and h.unbound_at is null and ($3::uuid is null or h.member_id = $3)
order by h.bound_at, h.id limit 500"""


async def own_chats(connection: Driver, actor: Actor) -> list[ChatRow]:
    """The chats that speak for the reader in this company."""
    return [ChatRow(*row) for row in await connection.fetch(_LIST, actor.tenant_id, actor.party_id, actor.member_id)]


async def company_chats(connection: Driver, actor: Actor) -> list[ChatRow]:
    """All chats of the own company, for those who manage its people."""
    actor.require(Permission.MANAGE_PEOPLE)
    return [ChatRow(*row) for row in await connection.fetch(_LIST, actor.tenant_id, actor.party_id, None)]


# --- binding ----------------------------------------------------------------------------------------------------------


async def approve(signed: Signed, request_id: UUID) -> None:
    """The person recognises the chat: from now on it speaks for them, in every company they act for.

    Whoever had it before loses it first, and is told. Raises LinkExpired.
    """
    assert signed.membership_id is not None
    request = await _request(signed, request_id)
    former = await chats.owner_of(request.chat)
    if former is not None:
        await _leave_all(former, request.chat, moved=former != signed.user_id)
    approved = await chats.approve(signed.user_id, signed.membership_id, request_id)
    for company in await identity.companies_of(signed.user_id):
        actor = company.live.actor
        async with unit_of_work(actor) as session:
            chosen = company.membership_id == signed.membership_id
            await _bind(session, actor, approved.account_id, approved.chat, greet=chosen)
    logger.info("chat bound", extra={"account_id": str(approved.account_id), "again": former is not None})


async def _request(signed: Signed, request_id: UUID) -> Request:
    for request in await chats.requests_of(signed.user_id):
        if request.id == request_id:
            return request
    raise chats.LinkExpired


async def _bind(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    chat: ChatName,
    *,
    contract_id: UUID | None = None,
    plant: str = "",
    greet: bool = True,
) -> Chat:
    """The company's row, in place of one that this chat had here before. greet: the chat is told."""
    before = await _live(session, actor, account_id=account_id)
    same = [row for row in before if (row.contract_id, row.ship_to_code) == (contract_id, plant)]
    await _end(session, actor, same, tell=False)
    assert actor.member_id is not None
    row = Chat(
        tenant_id=actor.tenant_id,
        id=uuid7(),
        party_id=actor.party_id,
        member_id=actor.member_id,
        bot=chat.bot,
        account_id=account_id,
        name=chat.name[: chats.NAME_LENGTH],
        contract_id=contract_id,
        ship_to_code=plant,
        address=chat.address if contract_id or plant else "",
        bound_at=clock.now(),
    )
    session.add(row)
    await session.flush()
    record(session, actor, _subject(row), "bound", bot=chat.bot, name=chat.name)
    if greet:
        emit(session, actor, row.party_id, ChatBound(chat_id=row.id))
    return row


async def bind_group(
    session: AsyncSession,
    actor: Actor,
    user_id: UUID,
    membership_id: UUID,
    chat: ChatName,
    contract_id: UUID | None,
    plant: str = "",
) -> Chat:
    """An administrator lets a group chat speak of a contract, or of all that deliver to a plant, in this topic. Its
    buttons ask whoever presses them.

    It may have been spoken of in another topic before; the same once more changes nothing.
    """
    actor.require(Permission.MANAGE_PEOPLE)
    if chat.chat_id > 0:
        raise NotAGroup
    account_id = await chats.bind_group(chat, user_id, membership_id)
    for row in await _live(session, actor, account_id=account_id):
        if (row.contract_id, row.ship_to_code, row.address) == (contract_id, plant, chat.address):
            return row
    return await _bind(session, actor, account_id, chat, contract_id=contract_id, plant=plant, greet=False)


async def group_rows(session: AsyncSession, actor: Actor, group: ChatName) -> list[Chat]:
    """What the own company bound in a group, in any of its topics."""
    known = await chats.known(group)
    return [] if known is None else await _live(session, actor, account_id=known.account_id)


async def unbind_here(session: AsyncSession, actor: Actor, group: ChatName) -> int:
    """An administrator ends what this topic of a group speaks of. Returns of how many contracts and plants."""
    actor.require(Permission.MANAGE_PEOPLE)
    rows = [row for row in await group_rows(session, actor, group) if chats.place_of(row.address)[1] == group.topic]
    await _end(session, actor, rows, tell=False)
    return len(rows)


async def open_window(signed: Signed) -> tuple[UUID, ChatName]:
    """The portal's own chat of this person in the company chosen: the row's id and the chat's number."""
    actor = signed.actor
    assert actor is not None
    assert actor.member_id is not None
    assert signed.membership_id is not None
    account_id, chat = await chats.window_of(signed.user_id, signed.membership_id, signed.user_name)
    async with unit_of_work(actor) as session:
        live = [row for row in await _live(session, actor, account_id=account_id) if row.member_id == actor.member_id]
        row = live[0] if live else await _bind(session, actor, account_id, chat, greet=False)
        return row.id, chat


# --- ending -----------------------------------------------------------------------------------------------------------


async def unbind(session: AsyncSession, actor: Actor, row_id: UUID) -> Chat:
    """End a chat of one's own, or as an administrator any of the company's. Twice changes nothing. Raises NotFound."""
    query = select(Chat).where(
        Chat.tenant_id == actor.tenant_id, Chat.party_id == actor.party_id, col(Chat.id) == row_id
    )
    row = (await session.exec(query.with_for_update())).one_or_none()
    if row is None or (row.member_id != actor.member_id and not actor.may(Permission.MANAGE_PEOPLE)):
        raise NotFound
    if row.unbound_at is None:
        await _end(session, actor, [row], tell=True)
    return row


async def unbind_everywhere(user_id: UUID, chat: ChatName) -> None:
    """The person ends it from the chat: it speaks for them nowhere any more, and identity forgets whose it was."""
    await _leave_all(user_id, chat)


async def _leave_all(user_id: UUID, chat: ChatName, *, moved: bool = False) -> None:
    """moved: somebody else has it now, which its former person did not do and is told once."""
    numbers = await chats.known(chat)
    if numbers is None:
        return
    told = False
    for company in await identity.companies_of(user_id):
        actor = company.live.actor
        actor = nobody_of(actor) if moved else replace(actor, channel=Channel.CHAT)
        async with unit_of_work(actor) as session:
            rows = await _live(session, actor, account_id=numbers.account_id)
            await _end(session, actor, rows, tell=False, moved=moved)
            if moved and rows and not told:
                emit(session, actor, rows[0].party_id, ChatMoved(chat_id=rows[0].id))
                told = True
    await chats.forget([numbers.account_id], user_id)


def nobody_of(actor: Actor) -> Actor:
    """The machinery in the scope of this actor's company: what happens to people is not said to be done by them."""
    return replace(actor, member_id=None, name="system", channel=Channel.SYSTEM)


async def blocked(bot: ChatBot, chat_id: int) -> None:
    """The person blocked the bot, or a group put it out: nobody writes there any more, and its person is told once."""
    if not await chats.mark_dead(bot, chat_id):
        return
    known = await chats.known(ChatName(bot, chat_id))
    if known is None or known.actor is None:
        return
    actor = nobody_of(known.actor)
    async with unit_of_work(actor) as session:
        rows = await _live(session, actor, account_id=known.account_id)
        for row in rows:
            record(session, actor, _subject(row), "blocked", bot=row.bot, name=row.name)
        for row in rows[:1]:  # a group with several contracts is one chat
            emit(session, actor, row.party_id, ChatBlocked(chat_id=row.id))


async def renumbered(bot: ChatBot, old: int, new: int) -> None:
    """A group became one that can have topics and has another number since: what was bound there stays bound.

    The rows of a company that did not bind it last keep the old number; who writes there is sent on.
    """
    if not await chats.renumber(bot, old, new):
        return
    known = await chats.known(ChatName(bot, new))
    if known is None or known.actor is None:
        return
    async with unit_of_work(known.actor) as session:
        for row in await _live(session, known.actor, account_id=known.account_id):
            here = replace(known.chat, name=row.name, topic=chats.place_of(row.address)[1])
            about = row.contract_id, row.ship_to_code
            await _bind(session, known.actor, known.account_id, here, contract_id=about[0], plant=about[1], greet=False)


async def end_chats_of(session: AsyncSession, actor: Actor, member_id: UUID, party_id: UUID) -> None:
    """Whoever leaves the company takes no chat along."""
    query = select(Chat).where(
        Chat.tenant_id == actor.tenant_id,
        Chat.party_id == party_id,
        Chat.member_id == member_id,
        col(Chat.unbound_at).is_(None),
    )
    await _end(session, actor, list((await session.exec(query.with_for_update())).all()), tell=True)


async def _live(session: AsyncSession, actor: Actor, *, account_id: UUID) -> list[Chat]:
    query = select(Chat).where(
        Chat.tenant_id == actor.tenant_id,
        Chat.party_id == actor.party_id,
        Chat.account_id == account_id,
        col(Chat.unbound_at).is_(None),
    )
    return list((await session.exec(query.with_for_update())).all())


async def _end(session: AsyncSession, actor: Actor, rows: list[Chat], *, tell: bool, moved: bool = False) -> None:
    """tell: the chat learns that it was ended; a chat that ends itself, or changes hands, is answered anyway."""
    for row in rows:
        row.unbound_at = clock.now()
        session.add(row)
        record(session, actor, _subject(row), "moved" if moved else "unbound", bot=row.bot, name=row.name)
        if tell and row.bot is not ChatBot.PORTAL:
            emit(session, actor, row.party_id, ChatUnbound(chat_id=row.id))
    if rows:
        await session.flush()


def _subject(row: Chat) -> Subject:
    return Subject("chat", row.id, row.party_id, 1, row.contract_id)
