"""What others may react to when companies, places and people change."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class PartyCreated(Event):
    """A partner company was added by hand or over the interface."""

    party_id: UUID


@dataclass(frozen=True, slots=True)
class SiteChanged(Event):
    """A site was added or changed; its calendar, time zone or name may differ now."""

    site_id: UUID


@dataclass(frozen=True, slots=True)
class MemberInvited(Event):
    """Somebody was invited by a one-time link."""

    member_id: UUID


@dataclass(frozen=True, slots=True)
class MemberJoined(Event):
    """Somebody accepted an invitation, or an operator added them."""

    member_id: UUID


@dataclass(frozen=True, slots=True)
class MemberRemoved(Event):
    """Somebody lost access to a company; sessions, keys and chats ended with it."""

    member_id: UUID


@dataclass(frozen=True, slots=True)
class KeyCreated(Event):
    """A key for the interface was made."""

    key_id: UUID


@dataclass(frozen=True, slots=True)
class KeyRevoked(Event):
    """A key for the interface was ended; its next request is refused."""

    key_id: UUID


@dataclass(frozen=True, slots=True)
class ChatBound(Event):
    """Somebody linked a chat to their membership."""

    chat_id: UUID  # the company's row


@dataclass(frozen=True, slots=True)
class ChatUnbound(Event):
    """A linked chat was ended by its person, or with the membership."""

    chat_id: UUID


@dataclass(frozen=True, slots=True)
class ChatMoved(Event):
    """The same chat was linked by somebody else; the former link ended."""

    chat_id: UUID  # the row that ended


@dataclass(frozen=True, slots=True)
class ChatBlocked(Event):
    """The chat service says that the person lets the bot write there no more."""

    chat_id: UUID
