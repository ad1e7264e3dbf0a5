"""Where people are reached: the ways that this portal has, and the addresses of a company's people on them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.accounts import chats
from portal.core.actor import Actor
from portal.core.db import Driver
from portal.core.settings import get_settings
from portal.notices.rules import Recipient, ordered

EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Address:
    """One way of reaching one person."""

    channel: str
    ref: str  # an e-mail, or a chat's number


def mail_works() -> bool:
    """Whether this portal can send mail at all."""
    return bool(get_settings().smtp_url)


async def addresses_of(connection: Driver, actor: Actor, people: Sequence[Recipient]) -> Mapping[UUID, list[Address]]:
    """The addresses of these people, each person's in the order of their choice. In the scope of their company."""
    found: dict[UUID, dict[str, Address]] = defaultdict(dict)
    for who in people if mail_works() else ():
        found[who.member_id][EMAIL] = Address(EMAIL, who.email)
    for chat in await chats.addresses_of(connection, actor, [who.member_id for who in people]):
        found[chat.member_id].setdefault(chat.bot.value, Address(chat.bot.value, chat.address))
    return {
        who.member_id: [found[who.member_id][name] for name in ordered(found[who.member_id], who.wishes)]
        for who in people
    }
