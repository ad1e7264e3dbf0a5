"""Saved mappings of a factory's own spreadsheets, and drafts that can be thrown away.

Revision ID: 0008
Revises: 0014
"""

from collections.abc import Sequence

from alembic import op

revision = "0008"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = """
CREATE TABLE import_mapping (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    target VARCHAR(24) NOT NULL,
    name VARCHAR(60) NOT NULL,
    headings JSONB NOT NULL,
    options JSONB NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_import_mapping PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_import_mapping_tenant_id_target_name UNIQUE (tenant_id, target, name)
)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(TABLE)
    op.execute("alter table import_mapping enable row level security")
    op.execute("alter table import_mapping force row level security")
    op.execute(
        "create policy portal_factory_all on import_mapping for all to portal_factory"
        " using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())"
    )
    op.execute("grant select on import_mapping to portal_backup")
    op.execute("grant select, insert, update, delete on import_mapping to portal_factory")
    # Only a draft that nothing hangs on: everything that a partner has seen is referenced, and keeps its contract.
    op.execute("grant delete on contract to portal_factory")


def downgrade() -> None:
    op.execute("revoke delete on contract from portal_factory")
    op.execute("drop table import_mapping")
