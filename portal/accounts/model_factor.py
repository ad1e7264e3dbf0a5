"""The second factor of a person: an app that shows one-time codes, and codes for the day when the phone is lost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlmodel import Field

from portal.core.tables import IdentityRow


class UserFactor(IdentityRow, table=True):
    """The secret that a person's app shares with the portal; it counts once a code of it was typed."""

    __tablename__ = "user_factor"
    __table_args__ = (UniqueConstraint("user_id"),)

    user_id: UUID = Field(foreign_key="user_account.id")
    secret: bytes = Field(sa_type=LargeBinary)  # encrypted, see core/at_rest.py
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int | None = Field(default=None, sa_type=BigInteger)  # of the code used last; no older one counts


class UserRecoveryCode(IdentityRow, table=True):
    """A code of one use for a person whose app is out of reach. Only its hash is stored."""

    __tablename__ = "user_recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    user_id: UUID = Field(foreign_key="user_account.id")
    code_hash: str = Field(max_length=64)  # sha256, hex
    used_at: datetime | None = None
