"""What people are told, what their buttons do, and the log of every send and every press."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, String, UniqueConstraint, text
from sqlmodel import Field

from portal.core.i18n import N_
from portal.core.tables import OwnRow, SharedRow, child_of, document, index, parent, text_enum, unique

EVENING, MORNING = 20 * 60, 7 * 60 + 30  # default quiet hours, minutes after midnight
DIGEST = 8 * 60


class Kind(StrEnum):
    """What a notice is about; a person chooses for each whether and how to be told."""

    TO_CONFIRM = "to_confirm"  # deliveries wait for the seller's answer
    RELEASED = "released"  # the buyer's copy of what was called off
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    AT_RISK = "at_risk"  # the seller doubts the material behind a delivery, or reports a problem
    CANCELLED = "cancelled"
    SHIPPED = "shipped"  # a delivery note waits for the buyer's count
    RECEIVED = "received"
    DIFFERENCE = "difference"  # counted is not what was announced
    CONTRACT = "contract"  # proposed, accepted, declined
    APPROVAL = "approval"  # a rule asks for this person's word
    APPROVED = "approved"  # what became of what this person asked
    CHANGE_ASKED = "change_asked"  # a change request or a counter-offer waits for an answer
    CHANGE = "change"  # what became of it, or a remark
    REMINDER = "reminder"  # a delivery is due in three working days
    OVERDUE = "overdue"  # no answer in time; escalates
    COMMIT = "commit"  # a forecast waits for the seller's commit
    RECEIPT_DUE = "receipt_due"  # announced to have arrived, not counted
    DIGEST = "digest"  # what waits, once every working day
    AGREED = "agreed"  # what you agreed today, every evening


KIND_NAMES: dict[Kind, str] = {
    Kind.TO_CONFIRM: N_("Deliveries to confirm"),
    Kind.RELEASED: N_("A release was published"),
    Kind.CONFIRMED: N_("A delivery was confirmed"),
    Kind.REJECTED: N_("A delivery was refused"),
    Kind.AT_RISK: N_("A delivery is at risk"),
    Kind.CANCELLED: N_("A delivery was cancelled"),
    Kind.SHIPPED: N_("Goods are on the way"),
    Kind.RECEIVED: N_("Goods were received"),
    Kind.DIFFERENCE: N_("A receipt differs from the delivery note"),
    Kind.CONTRACT: N_("A contract was proposed or answered"),
    Kind.APPROVAL: N_("Something waits for your approval"),
    Kind.APPROVED: N_("What you asked was approved or refused"),
    Kind.CHANGE_ASKED: N_("A change of deliveries waits for your answer"),
    Kind.CHANGE: N_("A change of deliveries was asked for or answered"),
    Kind.REMINDER: N_("A delivery is due in three working days"),
    Kind.OVERDUE: N_("An answer is overdue"),
    Kind.COMMIT: N_("A forecast to commit to"),
    Kind.RECEIPT_DUE: N_("A receipt is overdue"),
    Kind.DIGEST: N_("Daily summary of what waits"),
    Kind.AGREED: N_("Every evening: what you agreed today"),
}


class Choice(StrEnum):
    """How a person wants to be told of one kind."""

    AT_ONCE = "at_once"
    DIGEST = "digest"  # with the next daily summary
    OFF = "off"


CHOICE_NAMES: dict[Choice, str] = {
    Choice.AT_ONCE: N_("At once"),
    Choice.DIGEST: N_("With the daily summary"),
    Choice.OFF: N_("Not at all"),
}
ON_OR_OFF = [Choice.AT_ONCE, Choice.OFF]  # of the summary, which comes at its own hour
AT_ITS_HOUR = N_("Every working day")


def choice_name(kind: Kind, choice: Choice) -> str:
    """How a person is told of a kind. The summary comes at its own hour, not at once."""
    return AT_ITS_HOUR if kind is Kind.DIGEST and choice is Choice.AT_ONCE else CHOICE_NAMES[choice]


class Urgency(StrEnum):
    NORMAL = "normal"
    DEADLINE = "deadline"  # an answer is due at a time
    LINE_STOP = "line_stop"  # the only class that may break quiet hours, where the person agreed


class NoticeStatus(StrEnum):
    PLANNED = "planned"
    SENT = "sent"
    SUPERSEDED = "superseded"  # the object moved on before it was sent
    EXPIRED = "expired"
    DROPPED = "dropped"  # the person wants none of this kind, or may not see it any more


class DispatchState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # this channel did not take it; the next one was asked
    DEAD = "dead"  # given up


class Action(OwnRow, table=True):
    """What one button does. The button carries this row's id and nothing else; used at most once."""

    __tablename__ = "action"
    __table_args__ = (parent(), child_of("member", "member_id"), index("action", "object_id"))

    member_id: UUID  # for whom the button was made; who may press it is asked at the press
    verb: str = Field(max_length=24)
    object_kind: str = Field(max_length=24)
    object_id: UUID
    object_version: int | None = None  # the version that the reader was shown
    data: dict[str, Any] = document()
    created_at: datetime
    used_at: datetime | None = None
    used_channel: str = Field(default="", max_length=16)
    result: str = Field(default="", max_length=500)  # the first answer, which a second press gets again


class Notice(OwnRow, table=True):
    """One thing that one person is to be told. Its key makes planning it twice plan it once."""

    __tablename__ = "notice"
    __table_args__ = (
        parent(),
        unique("member_id", "key"),
        child_of("member", "member_id"),
        CheckConstraint("level between 1 and 3", name="level"),
        index("notice", "object_id"),
    )

    member_id: UUID
    kind: Kind = Field(sa_type=text_enum(Kind))
    object_kind: str = Field(max_length=24)
    object_id: UUID
    contract_id: UUID | None = None  # for those who may see some contracts only
    key: str = Field(max_length=160)
    urgency: Urgency = Field(default=Urgency.NORMAL, sa_type=text_enum(Urgency))
    level: int = 1  # of escalation: the person, the deputy, the administrator
    due_at: datetime | None = None  # when the reader's answer is due
    expires_at: datetime | None = None  # after it nobody is told any more
    status: NoticeStatus = Field(default=NoticeStatus.PLANNED, sa_type=text_enum(NoticeStatus))
    occurred_at: datetime


class Dispatch(SharedRow, table=True):
    """One message to one address: the log of every send, and the list of what is still to be sent.

    A claim raises `attempts` and sets `next_try` past the time that the try may take, so that the message of a killed
    worker comes back by itself. Outwards that is at least once: a crash between sending and noting repeats a message.
    """

    __tablename__ = "dispatch"
    __table_args__ = (
        child_of("notice", "notice_id"),
        child_of("member", "member_id"),
        index("dispatch", "party_id", "id"),
        index("dispatch", "notice_id"),
        Index("ix_dispatch_waiting", "tenant_id", "next_try", postgresql_where=text("state = 'waiting'")),
        Index(
            "uq_dispatch_edit",
            *("tenant_id", "party_id", "card_id"),
            unique=True,
            postgresql_where=text("state = 'waiting' and card_id is not null"),
        ),
    )

    notice_id: UUID | None = None  # none: an edit, because the object moved on
    card_id: UUID | None = None  # the message to edit; none: a new message
    member_id: UUID
    kind: Kind | None = Field(default=None, sa_type=text_enum(Kind), nullable=True)  # none: a card somebody asked for
    object_kind: str = Field(max_length=24)
    object_id: UUID
    contract_id: UUID | None = None
    channel: str = Field(max_length=16)  # email, telegram, portal
    address: str = Field(max_length=254)
    state: DispatchState = Field(default=DispatchState.WAITING, sa_type=text_enum(DispatchState))
    silent: bool = False  # arrives without a sound
    attempts: int = 0
    next_try: datetime | None = None
    message_id: str = Field(default="", max_length=120)  # the provider's
    summary: str = Field(default="", max_length=500)  # what was said, without secrets
    error: str = Field(default="", max_length=300)
    created_at: datetime
    sent_at: datetime | None = None


class Press(SharedRow, table=True):
    """One press of a button and what came of it, refused ones too."""

    __tablename__ = "press"
    __table_args__ = (
        child_of("action", "action_id"),
        child_of("member", "member_id"),
        index("press", "party_id", "id"),
        index("press", "action_id"),
    )

    action_id: UUID
    member_id: UUID  # who pressed
    verb: str = Field(max_length=24)
    object_kind: str = Field(max_length=24)
    object_id: UUID
    contract_id: UUID | None = None
    channel: str = Field(max_length=16)
    outcome: str = Field(max_length=300)
    at: datetime


class CardMessage(OwnRow, table=True):
    """The one message that shows an object in a chat. It is edited when the object moves on by any face."""

    __tablename__ = "card_message"
    __table_args__ = (
        parent(),
        UniqueConstraint(
            *("tenant_id", "party_id", "object_kind", "object_id", "channel", "address"), name="uq_card_message_chat"
        ),
        child_of("member", "member_id"),
    )

    member_id: UUID  # as whom it is written
    object_kind: str = Field(max_length=24)
    object_id: UUID
    channel: str = Field(max_length=16)
    address: str = Field(max_length=254)
    message_id: str = Field(max_length=120)
    purpose: str = Field(max_length=24)
    rendering: str = Field(max_length=64)  # sha256 of what it shows, hex
    written_at: datetime


class Preference(OwnRow, table=True):
    """How one person wants to be told. Without a row the defaults hold. Hours are minutes after midnight."""

    __tablename__ = "preference"
    __table_args__ = (
        unique("member_id"),
        child_of("member", "member_id"),
        child_of("member", "deputy_id"),
        CheckConstraint(
            "digest_at between 0 and 1439 and quiet_from between 0 and 1439 and quiet_to between 0 and 1439",
            name="within_a_day",
        ),
        CheckConstraint("deputy_id <> member_id", name="somebody_else"),
    )

    member_id: UUID
    digest_at: int = DIGEST
    quiet_from: int = EVENING
    quiet_to: int = MORNING
    kinds: dict[str, Any] = document()  # kind -> choice; a kind that is missing has its default
    channels: list[str] = Field(default=[], sa_type=ARRAY(String(16)))  # in this order; empty: chat first, then e-mail
    deputy_id: UUID | None = None
    evening_summary: bool = True
    wake_for_line_stop: bool = False
    phone: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})  # colleagues may be told it
    version: int = 1


class Duty(OwnRow, table=True):
    """Somebody answers a release in place of the colleagues who were asked."""

    __tablename__ = "duty"
    __table_args__ = (unique("release_id"), child_of("member", "member_id"))

    release_id: UUID
    contract_id: UUID
    member_id: UUID
    taken_at: datetime
