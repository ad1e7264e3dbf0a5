"""Calendar feeds: which deliveries a person's own calendar may fetch by a secret address."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from portal.core.actor import Scope
from portal.core.tables import IdentityRow, OwnRow, child_of, index, text_enum


class CalendarFeed(OwnRow, table=True):
    """One feed of a member. The authority: without a live row, and a live member, its address opens nothing."""

    __tablename__ = "calendar_feed"
    __table_args__ = (child_of("member", "member_id"), index("calendar_feed", "member_id"))

    member_id: UUID
    name: str = Field(max_length=120)
    contract_id: UUID | None = None  # only this contract's deliveries
    created_at: datetime
    used_at: datetime | None = None  # fetched last, to some minutes
    revoked_at: datetime | None = None


class CalendarToken(IdentityRow, table=True):
    """Where a feed's secret address belongs. Only the hash of the secret is stored."""

    __tablename__ = "calendar_token"
    __table_args__ = (UniqueConstraint("token_hash"),)

    token_hash: str = Field(max_length=64)
    tenant_id: UUID
    party_id: UUID
    scope: Scope = Field(sa_type=text_enum(Scope))
    member_id: UUID
    feed_id: UUID
