"""Chats: who writes from which account, what may speak for a member, and what the portal's own chat window shows."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field

from portal.core.i18n import Language
from portal.core.tables import IdentityRow, OwnRow, SharedRow, child_of, document, index, parent, text_enum, unique


class ChatBot(StrEnum):
    """By which bot a chat is reached; also the name of its channel."""

    TELEGRAM = "telegram"
    PORTAL = "portal"  # the portal's own chat window


class ChatMessageKind(StrEnum):
    SAID = "said"  # by the person
    PRESSED = "pressed"  # a button; the text is the bot's short answer to it
    SHOWN = "shown"  # by the bot


class Chat(SharedRow, table=True):
    """A chat that speaks for a member, or a group chat: it has a row for each contract and each plant it speaks of.
    The authority: without a live row of its company a recognised chat opens nothing."""

    __tablename__ = "chat"
    __table_args__ = (
        parent(),
        child_of("member", "member_id"),
        index("chat", "member_id"),
        Index(
            "uq_chat_live",
            *("tenant_id", "party_id", "account_id", "contract_id", "ship_to_code"),
            unique=True,
            postgresql_where=text("unbound_at is null"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    member_id: UUID  # in whose name it speaks; of a group who brought it in
    bot: ChatBot = Field(sa_type=text_enum(ChatBot))
    account_id: UUID  # of the identity row that knows the chat's number
    name: str = Field(max_length=120)  # as the other service shows it
    contract_id: UUID | None = None  # of a group: the contract it is about
    # of a group: the plant it is about, with every contract that delivers there
    ship_to_code: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    # of a group: where of this is spoken, its number and that of the topic; empty where one person reads
    address: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    bound_at: datetime
    unbound_at: datetime | None = None


class ChatInbox(OwnRow, table=True):
    """An update whose effect is in this transaction, with what is to be answered: the same update again is answered
    again and does nothing more."""

    __tablename__ = "chat_inbox"
    __table_args__ = (unique("bot", "update_id"),)

    bot: ChatBot = Field(sa_type=text_enum(ChatBot))
    update_id: int = Field(sa_type=BigInteger)
    answers: dict[str, Any] = document()
    created_at: datetime


class ChatMessage(OwnRow, table=True):
    """One entry of the portal's own chat window."""

    __tablename__ = "chat_message"
    __table_args__ = (child_of("chat", "chat_id"), index("chat_message", "chat_id", "id"), unique("no"))

    chat_id: UUID
    no: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )  # the number under which bots know it
    kind: ChatMessageKind = Field(sa_type=text_enum(ChatMessageKind))
    text: str = Field(default="", max_length=5000)  # of a bot: Telegram's subset of HTML
    buttons: dict[str, Any] = document()  # {"rows": [[{"text", "data" or "url", "style"}]]}
    photo: str = Field(default="", max_length=64)  # the digest of a picture
    answer_to: UUID | None = None  # of a press: the message with the button
    at: datetime
    edited_at: datetime | None = None
    gone_at: datetime | None = None


# --- identity: who writes, before the company is known ----------------------------------------------------------------


class ChatAccount(IdentityRow, table=True):
    """A chat as its service numbers it, bound to at most one user. Opens nothing without a live `chat` row."""

    __tablename__ = "chat_account"
    __table_args__ = (
        UniqueConstraint("bot", "chat_id"),
        Index("ix_chat_account_user_id", "user_id"),
        Index("uq_chat_account_window", "membership_id", unique=True, postgresql_where=text("bot = 'portal'")),
        CheckConstraint("(user_id is null) = (bound_at is null)", name="bound_to_somebody"),
    )

    bot: ChatBot = Field(sa_type=text_enum(ChatBot))
    chat_id: int = Field(sa_type=BigInteger)
    name: str = Field(default="", max_length=120)
    language: Language | None = Field(default=None, sa_type=text_enum(Language))  # chosen in the chat
    user_id: UUID | None = Field(default=None, foreign_key="user_account.id")
    membership_id: UUID | None = Field(default=None, foreign_key="membership.id")  # the company chosen
    bound_at: datetime | None = None
    dead_at: datetime | None = None  # the person blocked the bot


class ChatLink(IdentityRow, table=True):
    """A one-time link by which a signed-in person asks for a chat to be bound. Only the hash of its token is stored."""

    __tablename__ = "chat_link"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_chat_link_user_id", "user_id"))

    token_hash: str = Field(max_length=64)  # sha256, hex
    user_id: UUID = Field(foreign_key="user_account.id")
    expires_at: datetime
    bot: ChatBot | None = Field(default=None, sa_type=text_enum(ChatBot), nullable=True)  # which chat opened it
    chat_id: int | None = Field(default=None, sa_type=BigInteger)
    chat_name: str = Field(default="", max_length=120)
    opened_at: datetime | None = None
    answered_at: datetime | None = None


class BotUpdate(IdentityRow, table=True):
    """What a bot was told, stored before it is acknowledged. Each is fed once; its number repeats nowhere."""

    __tablename__ = "bot_update"
    __table_args__ = (
        UniqueConstraint("bot", "update_id"),
        Index("ix_bot_update_waiting", "bot", "chat_id", "update_id", postgresql_where=text("done_at is null")),
    )

    bot: ChatBot = Field(sa_type=text_enum(ChatBot))
    update_id: int = Field(sa_type=BigInteger)
    chat_id: int = Field(sa_type=BigInteger)  # updates of one chat are fed in order
    raw: dict[str, Any] = document()
    received_at: datetime
    next_try: datetime  # not before; while it is fed, the moment when the claim lapses
    tries: int = 0
    sent: int = 0  # how many of its answers have left
    done_at: datetime | None = None
    last_error: str = Field(default="", max_length=300)
