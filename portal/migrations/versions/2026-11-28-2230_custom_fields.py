"""Fields that the factory defines itself, and what they hold.

Revision ID: 0030
Revises: 0025
"""

from collections.abc import Sequence

from alembic import op

revision = "0030"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = """
CREATE TABLE custom_field (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    holder VARCHAR(24) NOT NULL,
    key VARCHAR(20) NOT NULL,
    label_zh VARCHAR(60) NOT NULL,
    label_en VARCHAR(60) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    unit VARCHAR(20) NOT NULL,
    details JSONB NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_custom_field PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_custom_field_tenant_id_holder_key UNIQUE (tenant_id, holder, key),
    CONSTRAINT ck_custom_field_holder CHECK (holder IN ('item', 'partner', 'contract')),
    CONSTRAINT ck_custom_field_fieldkind CHECK (kind IN ('text', 'number', 'date', 'yes_no', 'choice'))
);
CREATE TABLE custom_values (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    holder VARCHAR(24) NOT NULL,
    holder_id UUID NOT NULL,
    content JSONB NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_custom_values PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_custom_values_tenant_id_holder_holder_id UNIQUE (tenant_id, holder, holder_id),
    CONSTRAINT ck_custom_values_holder CHECK (holder IN ('item', 'partner', 'contract'))
);
"""

# The factory's own. A field's holder, key and kind are never changed; nothing is deleted.
PRIVATE = {
    "custom_field": "insert, update (label_zh, label_en, unit, details, removed_at, version)",
    "custom_values": "insert, update (content, version)",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table, rights in PRIVATE.items():
        op.execute(f"grant select on {table} to portal_backup")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        rows = "tenant_id = app_tenant()"
        op.execute(
            f"create policy portal_factory_all on {table} for all to portal_factory using ({rows}) with check ({rows})"
        )
        op.execute(f"grant select on {table} to portal_factory")
        op.execute(f"grant {rights} on {table} to portal_factory")


def downgrade() -> None:
    for table in reversed(PRIVATE):
        op.execute(f"drop table {table}")
