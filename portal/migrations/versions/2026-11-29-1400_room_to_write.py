"""The rows that commands write by the thousand lie in no index that nobody reads, and what counts has room to change.

Nothing refers to a promise or to a line of a release together with its company; most deliveries came from no other
system; and what is not sealed yet is no link of the audit's chain.

Revision ID: 0041
Revises: 0040
"""

from collections.abc import Sequence

from alembic import op

revision = "0041"
down_revision: str | None = "0040"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

PARENTS = ("confirmation", "release_line")  # as nobody's
COUNTING = ("commitment_bucket", "contract_line")  # changed with each release
SOURCE = "tenant_id, party_id, source, external_id"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for table in PARENTS:
        op.execute(f"alter table {table} drop constraint uq_{table}_tenant_id_party_id_id")
    op.execute("alter table schedule_line drop constraint uq_schedule_line_tenant_id_party_id_source_external_id")
    op.execute(
        f"create unique index uq_schedule_line_external on schedule_line ({SOURCE}) where external_id is not null"
    )
    op.execute("drop index ix_audit_seal_no")
    op.execute("create index ix_audit_sealed on audit (tenant_id, seal_no) where seal_no is not null")
    for table in COUNTING:
        op.execute(f"alter table {table} set (fillfactor = 50)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for table in COUNTING:
        op.execute(f"alter table {table} reset (fillfactor)")
    op.execute("drop index ix_audit_sealed")
    op.execute("create index ix_audit_seal_no on audit (tenant_id, seal_no)")
    op.execute("drop index uq_schedule_line_external")
    op.execute(
        "alter table schedule_line add constraint uq_schedule_line_tenant_id_party_id_source_external_id"
        f" unique ({SOURCE})"
    )
    for table in PARENTS:
        op.execute(
            f"alter table {table} add constraint uq_{table}_tenant_id_party_id_id unique (tenant_id, party_id, id)"
        )
