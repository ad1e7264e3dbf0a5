"""The ledger of the fixed order quantity: terms, periods and entries.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Sequence

from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

FACTORY = {
    "commitment_terms": "insert, update",
    "commitment_bucket": "insert, update, delete",
    "bucket_entry": "insert",
}
# A partner answers, delivers and receives; only a receipt of a customer changes what a period has used up.
PARTNER = {"commitment_bucket": "update (consumed)", "bucket_entry": "insert"}
TOLD_WITH_THE_CONTRACT = ("commitment_terms", "commitment_bucket")  # a draft's are nobody else's yet

TABLES = """
CREATE TABLE commitment_terms (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    assignment VARCHAR(24) NOT NULL,
    shortfall_carry VARCHAR(24) NOT NULL,
    shortfall_periods INTEGER,
    shortfall_cap_percent NUMERIC(5, 2),
    excess_carry VARCHAR(24) NOT NULL,
    excess_periods INTEGER,
    excess_cap_percent NUMERIC(5, 2),
    consequence VARCHAR(24) NOT NULL,
    over_call_percent NUMERIC(5, 2) NOT NULL,
    call_low_percent NUMERIC(5, 2),
    call_high_percent NUMERIC(5, 2),
    price_basis VARCHAR(24) NOT NULL,
    CONSTRAINT pk_commitment_terms PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_commitment_terms_tenant_id_party_id_contract_id UNIQUE (tenant_id, party_id, contract_id),
    CONSTRAINT fk_commitment_terms_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_commitment_terms_periods_positive CHECK (shortfall_periods > 0 and excess_periods > 0),
    CONSTRAINT ck_commitment_terms_over_call_not_negative CHECK (over_call_percent >= 0),
    CONSTRAINT ck_commitment_terms_call_band_in_order CHECK (call_high_percent >= call_low_percent),
    CONSTRAINT ck_commitment_terms_assignment CHECK (assignment IN ('requested', 'despatch', 'receipt')),
    CONSTRAINT ck_commitment_terms_carry CHECK (shortfall_carry IN ('none', 'next', 'periods', 'to_end')),
    CONSTRAINT ck_commitment_terms_excess_carry CHECK (excess_carry IN ('none', 'next', 'periods', 'to_end')),
    CONSTRAINT ck_commitment_terms_consequence CHECK (consequence IN ('none', 'invoice', 'extend', 'discuss')),
    CONSTRAINT ck_commitment_terms_pricebasis CHECK (price_basis IN ('receipt_date', 'order_date', 'period_start'))
);
CREATE TABLE commitment_bucket (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    cadence VARCHAR(24) NOT NULL,
    period_start DATE NOT NULL,
    period_end DATE NOT NULL,
    floor NUMERIC(18, 6) NOT NULL,
    target NUMERIC(18, 6) NOT NULL,
    ceiling NUMERIC(18, 6) NOT NULL,
    unit VARCHAR(3) NOT NULL,
    price_basis VARCHAR(24) NOT NULL,
    consumed NUMERIC(18, 6) NOT NULL,
    allowance NUMERIC(18, 6) NOT NULL,
    tolerance_used NUMERIC(18, 6) NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_commitment_bucket PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_commitment_bucket_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_commitment_bucket_tenant_id_party_id_contract_line_i_18ac UNIQUE (tenant_id, party_id, contract_line_id, period_start),
    CONSTRAINT fk_commitment_bucket_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_commitment_bucket_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT ck_commitment_bucket_period_not_empty CHECK (period_end > period_start),
    CONSTRAINT ck_commitment_bucket_floor_target_ceiling CHECK (floor >= 0 and target >= floor and ceiling >= target),
    CONSTRAINT ck_commitment_bucket_bucketcadence CHECK (cadence IN ('week', 'month', 'quarter', 'custom')),
    CONSTRAINT ck_commitment_bucket_pricebasis CHECK (price_basis IN ('receipt_date', 'order_date', 'period_start'))
);
CREATE INDEX ix_commitment_bucket_contract_id_period_start ON commitment_bucket (tenant_id, contract_id, period_start);
CREATE INDEX ix_commitment_bucket_period_end ON commitment_bucket (tenant_id, period_end);
CREATE TABLE bucket_entry (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    bucket_id UUID NOT NULL,
    kind VARCHAR(24) NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    document VARCHAR(24) NOT NULL,
    document_id UUID NOT NULL,
    line_id UUID,
    member_id UUID,
    member_name VARCHAR(120) NOT NULL,
    reason VARCHAR(300) NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_bucket_entry PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_bucket_entry_tenant_id_party_id_bucket_id FOREIGN KEY(tenant_id, party_id, bucket_id) REFERENCES commitment_bucket (tenant_id, party_id, id),
    CONSTRAINT ck_bucket_entry_entrykind CHECK (kind IN ('called', 'released', 'confirmed', 'shipped', 'received', 'returned', 'invoiced', 'carried_in', 'carried_out', 'over_call', 'tolerance'))
);
CREATE INDEX ix_bucket_entry_bucket_id ON bucket_entry (tenant_id, bucket_id);
CREATE INDEX ix_bucket_entry_line_id ON bucket_entry (tenant_id, line_id);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    # Without a value nothing is checked and nothing is written: the million lines of pure call-offs stay as they are.
    op.execute("alter table schedule_line add column bucket_id uuid")
    op.execute(
        "alter table schedule_line add constraint fk_schedule_line_tenant_id_party_id_bucket_id"
        " foreign key (tenant_id, party_id, bucket_id) references commitment_bucket (tenant_id, party_id, id)"
    )
    op.execute(
        "create index ix_schedule_line_bucket on schedule_line (tenant_id, bucket_id) where bucket_id is not null"
    )
    for table, rights in FACTORY.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        allow(table, "portal_factory", "tenant_id = app_tenant()")
        own = "tenant_id = app_tenant() and party_id = app_party()"
        if table in TOLD_WITH_THE_CONTRACT:
            own += (
                f" and exists (select from contract c where c.tenant_id = {table}.tenant_id"
                f" and c.id = {table}.contract_id)"
            )
        allow(table, "portal_partner", own)
        op.execute(f"grant select on {table} to portal_factory, portal_partner, portal_backup")
        op.execute(f"grant {rights} on {table} to portal_factory")
    for table, rights in PARTNER.items():
        op.execute(f"grant {rights} on {table} to portal_partner")


def allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    op.execute("alter table schedule_line drop column bucket_id")
    for table in ("bucket_entry", "commitment_bucket", "commitment_terms"):
        op.execute(f"drop table {table}")
