"""Tells the person of a chat, on all other ways to them, what happened to it: linked, taken over, or blocked."""

import logging
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from jobs.subscribers import Occurrence
from portal.accounts import chats
from portal.accounts.actors import Place, live_member
from portal.accounts.addressees import people
from portal.accounts.events import ChatBlocked, ChatBound, ChatMoved
from portal.core import db
from portal.core.actor import Actor, Scope
from portal.core.errors import Unavailable
from portal.core.i18n import N_, _, speaking
from portal.core.settings import get_settings
from portal.notices import addresses, recipients
from portal.notices.addresses import Address
from portal.notices.cards import Card
from portal.notices.channels import Blocked, ChannelUnavailable, MessageRefused, SlowDown
from portal.notices.wording import address, opening

logger = logging.getLogger(__name__)
PAGE = "/profile/chat"
LINKED = N_("A chat was linked to you")
MOVED = N_("Your chat was linked to somebody else")
BLOCKED = N_("Messages no longer reach your chat")
FACTS = {
    LINKED: N_("“{name}” speaks for you from now on, and gets what you are told."),
    MOVED: N_("“{name}” speaks for you no more. Whoever linked it approved that in their own portal account."),
    BLOCKED: N_("“{name}” takes no messages from the portal. You are told by your other ways until you write there."),
}
ADVICE = {
    LINKED: N_("If it was not you, end the link and change your password now."),
    MOVED: N_("If you did not hand the phone on, change your password and tell your administrator."),
    BLOCKED: N_("If you did not block it, unblock the bot and send it /start."),
}
_CHAT = """
select h.account_id, h.member_id, h.party_id, h.name, h.unbound_at, h.contract_id, p.is_factory
from chat h join party p on p.tenant_id = $1 and p.id = h.party_id where h.tenant_id = $1 and h.id = $2"""


async def linked(actor: Actor, occurrence: Occurrence) -> None:
    """A further chat: whoever sits at somebody else's open browser shall not go unnoticed."""
    assert isinstance(occurrence.event, ChatBound)
    await _alert(actor, occurrence.event.chat_id, LINKED)


async def moved(actor: Actor, occurrence: Occurrence) -> None:
    """The chat is another person's now; the earlier one hears of it where they are still reached."""
    assert isinstance(occurrence.event, ChatMoved)
    await _alert(actor, occurrence.event.chat_id, MOVED)


async def blocked(actor: Actor, occurrence: Occurrence) -> None:
    """Nothing can be said in the chat itself."""
    assert isinstance(occurrence.event, ChatBlocked)
    await _alert(actor, occurrence.event.chat_id, BLOCKED)


async def _alert(actor: Actor, row_id: UUID, what: str) -> None:
    async with db.read(actor) as connection:
        row = await connection.fetchrow(_CHAT, actor.tenant_id, row_id)
    if row is None or (what == LINKED and row["unbound_at"] is not None):
        return
    place = Place(actor.tenant_id, row["party_id"], _scope(row), row["member_id"])
    live = await live_member(place)
    if live is None:
        return
    known = (await people(actor.tenant_id, [place.id])).get(place.id)
    ways = await _other_ways(place, row["account_id"])
    language = known.language if known and known.language else live.actor.language
    with speaking(language):
        await _send(ways, _card(what, row["name"], live.company_name))


def _scope(row: asyncpg.Record) -> Scope:
    return Scope.FACTORY if row["is_factory"] else Scope.PARTNER


async def _other_ways(place: Place, account_id: UUID) -> list[Address]:
    """Every way to the person but the chat itself."""
    chat = (await chats.chat_numbers([account_id])).get(account_id)
    speaker = recipients.speaker(place.tenant_id, place.party_id, place.scope)
    async with db.read(speaker) as connection:
        of = await recipients.company(connection, speaker)
        who = [each for each in of.people if each.member_id == place.id]
        found = await addresses.addresses_of(connection, speaker, who)
    ways = found.get(place.id, [])
    return [way for way in ways if chat is None or way != Address(chat.bot.value, str(chat.chat_id))]


def _card(what: str, name: str, company: str) -> Card:
    title, fact = _(what), _(FACTS[what]).format(name=name)
    return Card(title, company, (fact,), _(ADVICE[what]), "", ((opening(PAGE),),), address(PAGE))


async def _send(ways: Sequence[Address], card: Card) -> None:
    """To each way once. Tried again as long as none took it."""
    from jobs.sending import channels_of  # imported late: it knows the outbox, which knows us

    channels, taken, away = channels_of(get_settings()), 0, False
    try:
        for way in ways:
            try:
                await (await channels.get(way.channel)).send(way.ref, card)
            except (Blocked, SlowDown, Unavailable) as error:
                logger.warning("an alert was not taken", extra={"channel": way.channel, "error": str(error)})
                away = away or isinstance(error, SlowDown) or (isinstance(error, Unavailable) and not error.lasting)
            else:
                taken += 1
    finally:
        await channels.close()
    if ways and not taken:
        raise ChannelUnavailable if away else MessageRefused
