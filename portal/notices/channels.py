"""What every way of reaching a person has to offer. Adapters live with their libraries: mail here, chats in the bot."""

from dataclasses import dataclass
from typing import Protocol

from portal.core.errors import Unavailable
from portal.core.i18n import N_
from portal.notices.cards import Card


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do. What it cannot becomes a link to the page."""

    buttons: bool  # buttons that act; else they become links
    edit: bool  # a sent message can be changed
    media_in: bool
    text_in: bool
    max_len: int  # characters of text
    max_buttons: int
    outside: bool = True  # messages leave the house: workspaces that send numbers only do so here


class Blocked(Exception):
    """The person closed this way, or the address does not exist any more: use another one."""


class SlowDown(Exception):
    """The provider takes no more for this address now."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"try again in {retry_after} s")
        self.retry_after = retry_after


class ChannelUnavailable(Unavailable):
    code = "channel-unavailable"
    text = N_("The messages cannot be delivered now. They are kept and sent later.")


class MessageRefused(ChannelUnavailable):
    """The service answers, but does not take this message; it is at fault, or the settings are."""

    lasting = True
    code = "message-refused"
    text = N_("The service that delivers messages does not take this one.")


class Channel(Protocol):
    """One way of reaching people. Raises Blocked, SlowDown, ChannelUnavailable or MessageRefused."""

    @property
    def name(self) -> str: ...

    @property
    def abilities(self) -> Abilities: ...

    async def send(self, address: str, card: Card, *, silent: bool = False) -> str:
        """Send a new message; returns the provider's id for it."""
        ...

    async def close(self) -> None:
        """Let go of connections; nothing is sent afterwards."""
        ...

    async def edit(self, address: str, message_id: str, card: Card) -> None:
        """Change a sent message. One that shows the same already is fine."""
        ...
