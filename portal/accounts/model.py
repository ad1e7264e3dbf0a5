"""Tenants, companies, places and people."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Date, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from portal.core.access import Role
from portal.core.actor import Scope
from portal.core.i18n import Language
from portal.core.tables import (
    IdentityRow,
    Policy,
    Row,
    SharedRow,
    child_of,
    document,
    index,
    of_party,
    parent,
    text_enum,
    unique,
)


class ChatDetail(StrEnum):
    """How much a message may say that leaves the house by a chat."""

    FULL = "full"
    NUMBER_ONLY = "number_only"  # what it is about, the number and the link; for mainland China the default


class Acceptance(StrEnum):
    """What whoever accepts a contract or an amendment proves to be the person with."""

    PASSWORD = "password"  # noqa: S105 - a word
    ONE_TIME_CODE = "one_time_code"  # of the second factor, beside the password; API keys then accept nothing


class Tenant(Row, table=True):
    """One factory's workspace. Partners read its name; `id` equals `tenant_id`."""

    __tablename__ = "tenant"
    __table_args__ = (
        CheckConstraint("id = tenant_id", name="is_its_own"),
        CheckConstraint("erp_days between 1 and 60", name="erp_days_sensible"),
    )
    policy = Policy.PUBLISHED

    code: str = Field(max_length=40)
    name: str = Field(max_length=200)
    factory_party_id: UUID  # the factory's own company in `party`
    time_zone: str = Field(default="UTC", max_length=64)  # IANA name; business dates without a site use it
    currency: str = Field(default="USD", max_length=3)  # ISO 4217
    language: Language = Field(default=Language.EN, sa_type=text_enum(Language))
    chat_detail: ChatDetail = Field(
        default=ChatDetail.FULL, sa_type=text_enum(ChatDetail), sa_column_kwargs={"server_default": "full"}
    )
    acceptance: Acceptance = Field(
        default=Acceptance.PASSWORD, sa_type=text_enum(Acceptance), sa_column_kwargs={"server_default": "password"}
    )
    erp_days: int = Field(default=3, sa_column_kwargs={"server_default": "3"})  # working days that a change waits


class Party(SharedRow, table=True):
    """One company: the factory itself, a customer, a supplier, or both of the latter. `id` equals `party_id`."""

    __tablename__ = "party"
    __table_args__ = (
        parent(),
        unique(),
        unique("code"),
        CheckConstraint("id = party_id", name="is_its_own"),
    )

    code: str = Field(max_length=40)
    name: str = Field(max_length=200)
    country: str = Field(default="", max_length=80)
    is_factory: bool = False
    is_customer: bool = False
    is_supplier: bool = False
    version: int = 1


class Site(SharedRow, table=True):
    """A plant, warehouse or dock. A partner reads its own sites; the ship-to of a line is copied onto the line."""

    __tablename__ = "site"
    __table_args__ = (parent(), unique("code"), of_party())

    code: str = Field(max_length=40)
    name: str = Field(max_length=200)
    country: str = Field(default="", max_length=80)
    address: str = Field(default="", max_length=300)
    time_zone: str = Field(default="UTC", max_length=64)
    weekdays: list[int] = Field(default=[0, 1, 2, 3, 4], sa_type=ARRAY(SmallInteger))  # working days, Monday is 0
    version: int = 1


class SiteDay(SharedRow, table=True):
    """One exception to a site's weekly pattern: a holiday, or a day worked to make up for one."""

    __tablename__ = "site_day"
    __table_args__ = (unique("site_id", "day"), child_of("site", "site_id"))

    site_id: UUID
    day: date
    working: bool
    name: str = Field(default="", max_length=80)


class SiteWindow(SharedRow, table=True):
    """Hours of a weekday in which a site takes goods in; a site without any takes them in all day."""

    __tablename__ = "site_window"
    __table_args__ = (
        unique("site_id", "weekday", "opens"),
        child_of("site", "site_id"),
        CheckConstraint("closes > opens and weekday between 0 and 6", name="open_before_close"),
    )

    site_id: UUID
    weekday: int = Field(sa_type=SmallInteger)  # Monday is 0
    opens: int = Field(sa_type=SmallInteger)  # minutes after midnight at the site
    closes: int = Field(sa_type=SmallInteger)


class SiteCalendar(Row, table=True):
    """When a site of the factory works and takes goods in: what every partner may know of it. Its id is the site's."""

    __tablename__ = "site_calendar"
    __table_args__ = (index("site_calendar", "code"),)
    policy: ClassVar[Policy] = Policy.PUBLISHED

    code: str = Field(max_length=40)
    weekdays: list[int] = Field(sa_type=ARRAY(SmallInteger))
    closed: list[date] = Field(sa_type=ARRAY(Date))
    extra: list[date] = Field(sa_type=ARRAY(Date))  # worked although the week says no
    windows: list[list[int]] = Field(sa_type=JSONB)  # weekday, opens, closes


class MemberStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    REMOVED = "removed"


class Member(SharedRow, table=True):
    """A person acting for one company. The authority: without a live row no session or key opens anything."""

    __tablename__ = "member"
    __table_args__ = (
        parent(),
        unique("email"),
        of_party(),
    )

    email: str = Field(max_length=254)  # lower case
    name: str = Field(max_length=120)
    role: Role = Field(sa_type=text_enum(Role))
    status: MemberStatus = Field(default=MemberStatus.INVITED, sa_type=text_enum(MemberStatus))
    restricted: bool = False  # sees only the contracts and sites of its MemberRestriction rows
    version: int = 1


class MemberRestriction(SharedRow, table=True):
    """One contract, or one ship-to site code, that a restricted member may see."""

    __tablename__ = "member_restriction"
    __table_args__ = (
        unique("member_id", "contract_id", "ship_to_code"),
        child_of("member", "member_id"),
        CheckConstraint("(contract_id is null) <> (ship_to_code is null)", name="contract_or_site"),
    )

    member_id: UUID
    contract_id: UUID | None = None
    ship_to_code: str | None = Field(default=None, max_length=40)


class ApiKey(SharedRow, table=True):
    """A program acting for one company with one role, narrowed to scopes."""

    __tablename__ = "api_key"
    __table_args__ = (parent(), of_party())

    name: str = Field(max_length=120)
    prefix: str = Field(max_length=16)  # the first characters, so that people can tell keys apart
    role: Role = Field(sa_type=text_enum(Role))
    scopes: dict[str, bool] = document()  # permission -> true
    created_at: datetime
    created_by: UUID | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


# --- identity: what recognises a person or a key before the company is known -----------------------------------------


class UserAccount(IdentityRow, table=True):
    """A person who can sign in. The companies they act for are their memberships."""

    __tablename__ = "user_account"
    __table_args__ = (UniqueConstraint("email"),)

    email: str = Field(max_length=254)  # lower case
    name: str = Field(max_length=120)
    password_hash: str = Field(max_length=200)  # argon2id
    language: Language | None = Field(default=None, sa_type=text_enum(Language))
    is_instance_admin: bool = False
    disabled_at: datetime | None = None
    created_at: datetime


class Membership(IdentityRow, table=True):
    """Which companies a user may act for. It opens nothing without the live member row on the tenant's side."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("user_id", "tenant_id", "party_id"),
        UniqueConstraint("tenant_id", "member_id"),
    )

    user_id: UUID = Field(foreign_key="user_account.id")
    tenant_id: UUID
    party_id: UUID
    scope: Scope = Field(sa_type=text_enum(Scope))
    member_id: UUID


class UserSession(IdentityRow, table=True):
    """A signed-in browser. Only the hash of its token is stored."""

    __tablename__ = "user_session"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_user_session_user_id", "user_id"),
    )

    token_hash: str = Field(max_length=64)  # sha256, hex
    user_id: UUID = Field(foreign_key="user_account.id")
    membership_id: UUID | None = Field(default=None, foreign_key="membership.id")  # the company chosen
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    agent: str = Field(default="", max_length=200)


class InvitationToken(IdentityRow, table=True):
    """A one-time link by which an invited member sets a password. Only the hash is stored."""

    __tablename__ = "invitation_token"
    __table_args__ = (UniqueConstraint("token_hash"),)

    token_hash: str = Field(max_length=64)
    tenant_id: UUID
    party_id: UUID
    scope: Scope = Field(sa_type=text_enum(Scope))
    member_id: UUID
    email: str = Field(max_length=254)
    expires_at: datetime
    used_at: datetime | None = None


class PasswordToken(IdentityRow, table=True):
    """A one-time link by which a person who forgot the password sets a new one. Only the hash is stored."""

    __tablename__ = "password_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_password_token_user_id", "user_id"),
        Index("ix_password_token_unsent", "next_try", postgresql_where=text("sent_at is null")),
    )

    token_hash: str = Field(max_length=64)
    user_id: UUID = Field(foreign_key="user_account.id")
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    tries: int = 0  # of sending it
    next_try: datetime  # not before; while it is sent, the moment when the claim lapses
    sent_at: datetime | None = None


class ApiKeyToken(IdentityRow, table=True):
    """Where a key belongs. It opens nothing without the live `api_key` row on the tenant's side."""

    __tablename__ = "api_key_token"
    __table_args__ = (UniqueConstraint("token_hash"),)

    token_hash: str = Field(max_length=64)
    tenant_id: UUID
    party_id: UUID
    scope: Scope = Field(sa_type=text_enum(Scope))
    key_id: UUID
