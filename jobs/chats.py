"""Tells a chat that it was linked or that its link ended, because the word was spoken elsewhere."""

from uuid import UUID

from jobs.subscribers import Occurrence
from portal.accounts import chats
from portal.accounts.actors import Place, live_member
from portal.accounts.chats import ChatName
from portal.accounts.events import ChatBound, ChatUnbound
from portal.core import db
from portal.core.actor import Actor, Scope
from portal.core.i18n import N_, Language, _, speaking
from portal.core.settings import get_settings
from portal.notices import rules
from portal.notices.cards import Card
from portal.notices.channels import Blocked, Channel, ChannelUnavailable, SlowDown
from portal.notices.model import DIGEST, EVENING, MORNING

LINKED = N_(
    "Linked to {company}. Digest at {digest}, quiet {quiet}. Prices stay in the portal. /settings changes this."
)
ENDED = N_("The link of this chat has ended. You get no more messages here.")
_CHAT = """
select h.account_id, h.address, h.member_id, h.party_id, h.unbound_at, p.is_factory,
    coalesce(f.digest_at, $3) as digest, coalesce(f.quiet_from, $4) as quiet_from, coalesce(f.quiet_to, $5) as quiet_to
from chat h join party p on p.tenant_id = $1 and p.id = h.party_id
left join preference f on f.tenant_id = $1 and f.party_id = h.party_id and f.member_id = h.member_id
where h.tenant_id = $1 and h.id = $2"""


async def greet(actor: Actor, occurrence: Occurrence) -> None:
    """A chat was bound: it names the company, and how its person is told."""
    assert isinstance(occurrence.event, ChatBound)
    await _tell(actor, occurrence.event.chat_id, LINKED, bound=True)


async def farewell(actor: Actor, occurrence: Occurrence) -> None:
    """The link was ended in the portal."""
    assert isinstance(occurrence.event, ChatUnbound)
    await _tell(actor, occurrence.event.chat_id, ENDED, bound=False)


async def _tell(actor: Actor, row_id: UUID, text: str, *, bound: bool) -> None:
    from bot.channels import CHANNELS, bots  # imported late: only a worker that tells chats pays for it

    async with db.read(actor) as connection:
        row = await connection.fetchrow(_CHAT, actor.tenant_id, row_id, DIGEST, EVENING, MORNING)
    if row is None or (row["unbound_at"] is None) is not bound:
        return
    scope = Scope.FACTORY if row["is_factory"] else Scope.PARTNER
    live = await live_member(Place(actor.tenant_id, row["party_id"], scope, row["member_id"]))
    chat = (await chats.chat_numbers([row["account_id"]])).get(row["account_id"])
    if chat is None:
        return
    quiet = f"{rules.clock_time(row['quiet_from'])}–{rules.clock_time(row['quiet_to'])}"
    with speaking(await _language(chat, live.actor.language if live else None)):
        company = live.company_name if live else ""
        said = _(text).format(company=company, digest=rules.clock_time(row["digest"]), quiet=quiet)
        async with bots(get_settings()) as found:
            if chat.bot in found:
                await _send(CHANNELS[chat.bot](found[chat.bot]), row["address"] or chat.address, said)


async def _send(channel: Channel, address: str, said: str) -> None:
    try:
        await channel.send(address, Card("", said, (), "", "", (), ""))
    except Blocked:
        return
    except SlowDown as error:
        raise ChannelUnavailable from error


async def _language(chat: ChatName, otherwise: Language | None) -> Language:
    known = await chats.known(chat)
    if known is not None and known.actor is not None:
        return known.actor.language
    return otherwise or get_settings().default_language
