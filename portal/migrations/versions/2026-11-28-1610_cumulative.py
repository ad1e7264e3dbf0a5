"""What is agreed about cumulative quantities: how they count, resets, corrections, and each side's own books.

Revision ID: 0020
Revises: 0010
"""

from collections.abc import Sequence

from alembic import op

revision = "0020"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ANSWER = "insert, update (status, answered_name, answered_at)"
FACTORY = {"cumulative_policy": "insert, update", "cumulative_entry": ANSWER, "cumulative_report": "insert"}
PARTNER = {"cumulative_entry": ANSWER, "cumulative_report": "insert"}

TABLES = """
CREATE TABLE cumulative_policy (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    count_by VARCHAR(24) NOT NULL,
    count_per VARCHAR(24) NOT NULL,
    count_rejected BOOLEAN NOT NULL,
    returns_lower BOOLEAN NOT NULL,
    other_orders BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_cumulative_policy PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_cumulative_policy_tenant_id_party_id_contract_id UNIQUE (tenant_id, party_id, contract_id),
    CONSTRAINT fk_cumulative_policy_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_cumulative_policy_countby CHECK (count_by IN ('receipt', 'despatch')),
    CONSTRAINT ck_cumulative_policy_countper CHECK (count_per IN ('line', 'plant'))
);
CREATE TABLE cumulative_entry (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR(24) NOT NULL,
    reason VARCHAR(24) NOT NULL,
    figure VARCHAR(24),
    quantity NUMERIC(18, 6) NOT NULL,
    sync_date DATE,
    effective_on DATE NOT NULL,
    document VARCHAR(60) NOT NULL,
    note VARCHAR(500) NOT NULL,
    status VARCHAR(24) NOT NULL,
    offered_scope VARCHAR(8) NOT NULL,
    offered_name VARCHAR(120) NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_name VARCHAR(120) NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_cumulative_entry PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_cumulative_entry_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_cumulative_entry_tenant_id_party_id_contract_line_id_number UNIQUE (tenant_id, party_id, contract_line_id, number),
    CONSTRAINT fk_cumulative_entry_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_cumulative_entry_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT ck_cumulative_entry_figure_of_corrections CHECK ((kind = 'correction') = (figure is not null)),
    CONSTRAINT ck_cumulative_entry_entrykind CHECK (kind IN ('reset', 'opening', 'correction')),
    CONSTRAINT ck_cumulative_entry_entryreason CHECK (reason IN ('model_year', 'fiscal_year', 'succession', 'correction', 'partner', 'shipping', 'rollback')),
    CONSTRAINT ck_cumulative_entry_figure CHECK (figure IN ('requested', 'shipped', 'received')),
    CONSTRAINT ck_cumulative_entry_entrystatus CHECK (status IN ('proposed', 'agreed', 'declined', 'withdrawn'))
);
CREATE INDEX ix_cumulative_entry_contract_line_id_effective_on ON cumulative_entry (tenant_id, contract_line_id, effective_on);
CREATE TABLE cumulative_report (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    scope VARCHAR(8) NOT NULL,
    as_of DATE NOT NULL,
    requested NUMERIC(18, 6),
    received NUMERIC(18, 6),
    last_document VARCHAR(60) NOT NULL,
    documents JSONB NOT NULL,
    note VARCHAR(300) NOT NULL,
    member_name VARCHAR(120) NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_cumulative_report PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_cumulative_report_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_cumulative_report_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id)
);
CREATE INDEX ix_cumulative_report_contract_line_id_id ON cumulative_report (tenant_id, contract_line_id, id);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table, rights in FACTORY.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        allow(table, "portal_factory", "tenant_id = app_tenant()")
        allow(table, "portal_partner", "tenant_id = app_tenant() and party_id = app_party()")
        op.execute(f"grant select on {table} to portal_factory, portal_partner, portal_backup")
        op.execute(f"grant {rights} on {table} to portal_factory")
    for table, rights in PARTNER.items():
        op.execute(f"grant {rights} on {table} to portal_partner")


def allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    for table in ("cumulative_report", "cumulative_entry", "cumulative_policy"):
        op.execute(f"drop table {table}")
