"""Calendar feeds: a member's deliveries by a secret address.

Revision ID: 0023
Revises: 0011
"""

from collections.abc import Sequence

from alembic import op

revision = "0023"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

OWN = ("calendar_feed",)
IDENTITY = ("calendar_token",)
# What both roles may do beyond SELECT.
RIGHTS = {
    "calendar_feed": "insert, update (used_at, revoked_at)",
}

TABLES = """
CREATE TABLE calendar_feed (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    name VARCHAR(120) NOT NULL,
    contract_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_calendar_feed PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_calendar_feed_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id)
);
CREATE INDEX ix_calendar_feed_member_id ON calendar_feed (tenant_id, member_id);
CREATE TABLE calendar_token (
    id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    scope VARCHAR(24) NOT NULL,
    member_id UUID NOT NULL,
    feed_id UUID NOT NULL,
    CONSTRAINT pk_calendar_token PRIMARY KEY (id),
    CONSTRAINT uq_calendar_token_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_calendar_token_scope CHECK (scope IN ('factory', 'partner'))
);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    own = "tenant_id = app_tenant() and party_id = app_party()"
    for table in OWN:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        for role in ("portal_factory", "portal_partner"):
            op.execute(f"create policy {role}_all on {table} for all to {role} using ({own}) with check ({own})")
            op.execute(f"grant select on {table} to {role}")
            op.execute(f"grant {RIGHTS[table]} on {table} to {role}")
    for table in IDENTITY:
        op.execute(f"grant select, insert, update, delete on {table} to portal_identity")
    op.execute(f"grant select on {', '.join((*OWN, *IDENTITY))} to portal_backup")


def downgrade() -> None:
    for table in ("calendar_token", "calendar_feed"):
        op.execute(f"drop table {table}")
