"""Opening balances that both companies confirm.

Revision ID: 0009
Revises: 0020
"""

from collections.abc import Sequence

from alembic import op

revision = "0009"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = """
CREATE TABLE opening_balance (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    number INTEGER NOT NULL,
    cut_over DATE NOT NULL,
    status VARCHAR(24) NOT NULL,
    figures JSONB NOT NULL,
    offered_by UUID,
    offered_name VARCHAR(120) NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_by UUID,
    answered_name VARCHAR(120) NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    reason VARCHAR(500) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_opening_balance PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_opening_balance_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_opening_balance_tenant_id_party_id_contract_id_number UNIQUE (tenant_id, party_id, contract_id, number),
    CONSTRAINT fk_opening_balance_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_opening_balance_openingstatus CHECK (status IN ('proposed', 'confirmed', 'declined', 'withdrawn'))
)
"""
FORMER = (
    "'called', 'released', 'confirmed', 'shipped', 'received', 'returned', 'invoiced', 'carried_in', 'carried_out',"
    " 'over_call', 'tolerance'"
)
OPENING = "'opening_called', 'opening_shipped', 'opening_received'"
ANSWER = "status, answered_by, answered_name, answered_at, reason, version"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(TABLE)
    op.execute("alter table opening_balance enable row level security")
    op.execute("alter table opening_balance force row level security")
    for role, rows in (
        ("portal_factory", "tenant_id = app_tenant()"),
        ("portal_partner", "tenant_id = app_tenant() and party_id = app_party()"),
    ):
        op.execute(f"create policy {role}_all on opening_balance for all to {role} using ({rows}) with check ({rows})")
        op.execute(f"grant update ({ANSWER}) on opening_balance to {role}")
    op.execute("grant select on opening_balance to portal_factory, portal_partner, portal_backup")
    op.execute("grant insert on opening_balance to portal_factory")
    kinds(f"{FORMER}, {OPENING}")


def downgrade() -> None:
    kinds(FORMER)
    op.execute("drop table opening_balance")


def kinds(values: str) -> None:
    """Which entries the ledger knows."""
    op.execute("alter table bucket_entry drop constraint ck_bucket_entry_entrykind")
    op.execute(
        f"alter table bucket_entry add constraint ck_bucket_entry_entrykind check (kind in ({values})) not valid"
    )
    op.execute("alter table bucket_entry validate constraint ck_bucket_entry_entrykind")
