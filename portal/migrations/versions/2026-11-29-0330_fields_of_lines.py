"""Fields of contract lines, and lines of contracts by their item.

Revision ID: 0036
Revises: 0034
"""

from collections.abc import Sequence

from alembic import op

revision = "0036"
down_revision: str | None = "0034"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

HOLDERS = "'item', 'partner', 'contract'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("create index ix_contract_line_item_id on contract_line (tenant_id, item_id)")
    hold(f"{HOLDERS}, 'line'")


def hold(holders: str) -> None:
    """Let fields and their values belong to these."""
    for table in ("custom_field", "custom_values"):
        op.execute(f"alter table {table} drop constraint ck_{table}_holder")
        op.execute(f"alter table {table} add constraint ck_{table}_holder check (holder in ({holders}))")


def downgrade() -> None:
    for table in ("custom_values", "custom_field"):
        op.execute(f"delete from {table} where holder = 'line'")
    hold(HOLDERS)
    op.execute("drop index ix_contract_line_item_id")
