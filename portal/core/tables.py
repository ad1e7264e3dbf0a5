"""The classes of tables. A model's base class decides its pair of row-level policies, and a test checks the pair.

Every tenant table has the primary key (tenant_id, id). Parents of shared rows are also unique by
(tenant_id, party_id, id), and children reference that, so a row can never hang on another company's parent.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Enum, ForeignKeyConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from sqlmodel._compat import SQLModelConfig

from portal.core.ids import uuid7

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# Rows of tables are never validated, so nothing is built for it: a second of every process's start is saved.
DEFERRED = SQLModelConfig(defer_build=True)


class Policy(StrEnum):
    """Who reads and writes rows of a class; the migration spells each out as SQL."""

    SHARED = "shared"  # factory: its tenant; partner: its tenant and its own party
    PRIVATE = "private"  # factory only
    PUBLISHED = "published"  # factory: its tenant; partner: may read its tenant's
    TIMELINE = "timeline"  # as shared, but rows are never changed
    OUTBOX = "outbox"  # factory: insert, read, update; partner: insert only
    AUDIT = "audit"  # factory: insert, read; partner: insert only
    OWN = "own"  # both: own tenant and own party
    IDENTITY = "identity"  # tables without a tenant, for portal_identity alone


def text_enum(values: type[StrEnum], name: str = "") -> Any:
    """A text column that holds the enum's values, with a CHECK constraint instead of a native type.

    name: of the constraint, where a table has two columns of one enum.
    """
    return Enum(
        values,
        native_enum=False,
        create_constraint=True,
        name=name or values.__name__.lower(),
        length=24,
        values_callable=lambda cls: [member.value for member in cls],
    )


def numeric(**options: Any) -> Any:
    """NUMERIC(18,6) in the unit of the column beside it."""
    return Field(sa_type=Numeric(18, 6), **options)


def percentage(**options: Any) -> Any:
    """NUMERIC(5,2): 20.00 is twenty per cent."""
    return Field(sa_type=Numeric(5, 2), **options)


def document() -> Any:
    """A JSON object; ids and plain values only."""
    return Field(default_factory=dict, sa_type=JSONB)


def document_or_none() -> Any:
    """The same, or nothing."""
    return Field(default=None, sa_type=JSONB(none_as_null=True))


def parent() -> UniqueConstraint:
    """Lets shared children reference this table together with their company."""
    return UniqueConstraint("tenant_id", "party_id", "id")


# A page keeps half of its room for the next versions of its rows. A row whose counters change over and over then stays
# where its indexes point, and a change costs the row alone, not the row and an entry in each index.
ROOM_TO_CHANGE = {"postgresql_with": {"fillfactor": "50"}}


def child_of(table: str, column: str, *, same: Sequence[str] = ()) -> ForeignKeyConstraint:
    """A reference to a shared parent of the same tenant and the same company.

    same: columns in which both are alike, too; what they refer to is then known through the parent.
    """
    alike = ["tenant_id", "party_id", *same]
    return ForeignKeyConstraint([*alike, column], [f"{table}.{name}" for name in (*alike, "id")])


def of_party() -> ForeignKeyConstraint:
    """A reference to the company the row belongs to."""
    return ForeignKeyConstraint(["tenant_id", "party_id"], ["party.tenant_id", "party.party_id"])


def private_ref(table: str, column: str) -> ForeignKeyConstraint:
    """A reference to a private parent of the same tenant; partners cannot write such a column."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"])


def unique(*columns: str) -> UniqueConstraint:
    """Unique within one company of one tenant, so that a refused insert tells nothing about another company."""
    return UniqueConstraint("tenant_id", "party_id", *columns)


def index(table: str, *columns: str) -> Index:
    """An index that begins with the tenant."""
    return Index(f"ix_{table}_{'_'.join(columns)}", "tenant_id", *columns)


class Row(SQLModel):
    """A row of one tenant."""

    model_config = DEFERRED

    policy: ClassVar[Policy]

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=uuid7, primary_key=True)


class SharedRow(Row):
    """Belongs to the factory and one partner: `party_id` is that partner, or the factory itself."""

    policy = Policy.SHARED
    partner_sees: ClassVar[str] = ""  # SQL: rows of its own that a partner is not told of yet fail it
    party_id: UUID


class PrivateRow(Row):
    """The factory's own: stock, cost, capacity, notes, import runs."""

    policy = Policy.PRIVATE


class OwnRow(Row):
    """Seen by one company alone, factory or partner."""

    policy = Policy.OWN
    party_id: UUID


class IdentityRow(SQLModel):
    """Without a tenant: how a person or a key is recognised before the company is known."""

    model_config = DEFERRED

    policy: ClassVar[Policy] = Policy.IDENTITY

    id: UUID = Field(default_factory=uuid7, primary_key=True)


ZERO = Decimal(0)
