"""What is under a contract's line belongs to that line's contract, by one reference instead of two.

Revision ID: 0039
Revises: 0038
"""

from collections.abc import Sequence

from alembic import op

revision = "0039"
down_revision: str | None = "0038"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

PARENT = "uq_contract_line_tenant_id_party_id_contract_id_id"
BOTH = {  # the names that models give, cut to PostgreSQL's length
    "schedule_line": "fk_schedule_line_tenant_id_party_id_contract_id_contrac_91fc",
    "commitment_bucket": "fk_commitment_bucket_tenant_id_party_id_contract_id_con_df3b",
    "cumulative_entry": "fk_cumulative_entry_tenant_id_party_id_contract_id_cont_9a0f",
    "cumulative_report": "fk_cumulative_report_tenant_id_party_id_contract_id_con_ea76",
    "contract_invoice": "fk_contract_invoice_tenant_id_party_id_contract_id_cont_3b9d",
}
EACH = {"contract_id": "contract", "contract_line_id": "contract_line"}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(f"alter table contract_line add constraint {PARENT} unique (tenant_id, party_id, contract_id, id)")
    for table, name in BOTH.items():
        for column in EACH:
            op.execute(f"alter table {table} drop constraint fk_{table}_tenant_id_party_id_{column}")
        op.execute(
            f"alter table {table} add constraint {name} foreign key (tenant_id, party_id, contract_id, contract_line_id)"
            " references contract_line (tenant_id, party_id, contract_id, id)"
        )


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for table, name in BOTH.items():
        op.execute(f"alter table {table} drop constraint {name}")
        for column, parent in EACH.items():
            op.execute(
                f"alter table {table} add constraint fk_{table}_tenant_id_party_id_{column}"
                f" foreign key (tenant_id, party_id, {column}) references {parent} (tenant_id, party_id, id)"
            )
    op.execute(f"alter table contract_line drop constraint {PARENT}")
