"""Applied changes that the factory's ERP does not show yet: how long they may wait, and the ERP's reference.

Revision ID: 0034
Revises: 0032
"""

from collections.abc import Sequence

from alembic import op

revision = "0034"
down_revision: str | None = "0032"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(
        "alter table tenant add column erp_days integer default 3 not null"
        " constraint ck_tenant_erp_days_sensible check (erp_days between 1 and 60)"
    )
    op.execute("grant update (erp_days) on tenant to portal_factory")
    op.execute("alter table change_request add column erp_reference varchar(60) default '' not null")
    op.execute("grant update (erp_reference) on change_request to portal_factory")
    op.execute(
        "create index ix_change_request_not_in_erp on change_request (tenant_id, applied_at, id)"
        " where status = 'applied' and erp_state <> 'echoed'"
    )


def downgrade() -> None:
    op.execute("drop index ix_change_request_not_in_erp")
    op.execute("alter table change_request drop column erp_reference")
    op.execute("alter table tenant drop column erp_days")
