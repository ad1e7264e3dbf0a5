"""What others may react to when companies, places and people change."""

from dataclasses import dataclass
from uuid import UUID

from portal.core.journal import Event


@dataclass(frozen=True, slots=True)
class PartyCreated(Event):
    party_id: UUID


@dataclass(frozen=True, slots=True)
class SiteChanged(Event):
    site_id: UUID  # its calendar or zone may differ now


@dataclass(frozen=True, slots=True)
class MemberInvited(Event):
    member_id: UUID


@dataclass(frozen=True, slots=True)
class MemberJoined(Event):
    member_id: UUID


@dataclass(frozen=True, slots=True)
class MemberRemoved(Event):
    member_id: UUID


@dataclass(frozen=True, slots=True)
class KeyCreated(Event):
    key_id: UUID


@dataclass(frozen=True, slots=True)
class KeyRevoked(Event):
    key_id: UUID


@dataclass(frozen=True, slots=True)
class ChatBound(Event):
    chat_id: UUID  # the company's row


@dataclass(frozen=True, slots=True)
class ChatUnbound(Event):
    chat_id: UUID


@dataclass(frozen=True, slots=True)
class ChatMoved(Event):
    chat_id: UUID  # the row that ended because somebody else linked the same chat


@dataclass(frozen=True, slots=True)
class ChatBlocked(Event):
    chat_id: UUID  # its person lets the bot write there no more
