"""Approvals: rule sets, the cases they decide, and the steps of those.

Revision ID: 0014
Revises: 0013
"""

import re
from collections.abc import Sequence

from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = """
CREATE TABLE rule_set (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    point VARCHAR(24) NOT NULL,
    number INTEGER NOT NULL,
    status VARCHAR(24) NOT NULL,
    content JSONB NOT NULL,
    live_from TIMESTAMP WITH TIME ZONE,
    note VARCHAR(300) NOT NULL,
    changed_by VARCHAR(120) NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_rule_set PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_rule_set_tenant_id_point_number UNIQUE (tenant_id, point, number),
    CONSTRAINT ck_rule_set_live_from_a_moment CHECK ((status = 'live') = (live_from is not null)),
    CONSTRAINT ck_rule_set_approvalpoint CHECK (point IN ('change', 'contract_above_limit', 'price_change', 'forecast_commit', 'statement')),
    CONSTRAINT ck_rule_set_rulesetstatus CHECK (status IN ('draft', 'live'))
);
CREATE UNIQUE INDEX uq_rule_set_draft ON rule_set (tenant_id, point) WHERE status = 'draft';
CREATE TABLE approval_case (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    point VARCHAR(24) NOT NULL,
    subject VARCHAR(24) NOT NULL,
    subject_id UUID NOT NULL,
    subject_version INTEGER NOT NULL,
    contract_id UUID,
    label VARCHAR(200) NOT NULL,
    facts JSONB NOT NULL,
    currency VARCHAR(3) NOT NULL,
    data JSONB NOT NULL,
    status VARCHAR(24) NOT NULL,
    rule_set_id UUID,
    rule_no INTEGER NOT NULL,
    rule JSONB NOT NULL,
    requested_by UUID,
    requested_name VARCHAR(120) NOT NULL,
    requested_scope VARCHAR(24) NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_approval_case PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_approval_case_tenant_id_rule_set_id FOREIGN KEY(tenant_id, rule_set_id) REFERENCES rule_set (tenant_id, id),
    CONSTRAINT ck_approval_case_approvalpoint CHECK (point IN ('change', 'contract_above_limit', 'price_change', 'forecast_commit', 'statement')),
    CONSTRAINT ck_approval_case_casestatus CHECK (status IN ('waiting', 'approved', 'refused', 'withdrawn', 'replaced')),
    CONSTRAINT ck_approval_case_scope CHECK (requested_scope IN ('factory', 'partner'))
);
CREATE INDEX ix_approval_case_point_requested_at ON approval_case (tenant_id, point, requested_at);
CREATE INDEX ix_approval_case_subject_id ON approval_case (tenant_id, subject_id);
CREATE INDEX ix_approval_case_waiting ON approval_case (tenant_id, id) WHERE status = 'waiting';
CREATE TABLE approval_step (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    step_no INTEGER NOT NULL,
    role VARCHAR(24) NOT NULL,
    limit_value NUMERIC(18, 6),
    status VARCHAR(24) NOT NULL,
    answer_hours INTEGER,
    respond_by TIMESTAMP WITH TIME ZONE,
    escalation VARCHAR(24) NOT NULL,
    decided_by UUID,
    decided_name VARCHAR(120) NOT NULL,
    decided_via VARCHAR(8) NOT NULL,
    deputy_of VARCHAR(120) NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    note VARCHAR(500) NOT NULL,
    CONSTRAINT pk_approval_step PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_approval_step_tenant_id_case_id_step_no UNIQUE (tenant_id, case_id, step_no),
    CONSTRAINT fk_approval_step_tenant_id_case_id FOREIGN KEY(tenant_id, case_id) REFERENCES approval_case (tenant_id, id),
    CONSTRAINT ck_approval_step_role CHECK (role IN ('admin', 'planner', 'buyer', 'sales', 'warehouse', 'production', 'finance', 'auditor', 'viewer', 'partner_admin', 'clerk')),
    CONSTRAINT ck_approval_step_stepstatus CHECK (status IN ('later', 'open', 'approved', 'refused', 'dropped')),
    CONSTRAINT ck_approval_step_escalation CHECK (escalation IN ('asked', 'reminded', 'deputies', 'admins'))
);
CREATE INDEX ix_approval_step_open ON approval_step (tenant_id, respond_by) WHERE status = 'open';
"""

# The factory's own. Facts, and what was asked about, are never changed; nothing is deleted but a draft.
PRIVATE = {
    "rule_set": "insert, update (status, content, live_from, note, changed_by, changed_at, version), delete",
    "approval_case": "insert, update (status, decided_at, version)",
    "approval_step": "insert, update (status, respond_by, escalation, decided_by, decided_name, decided_via,"
    " deputy_of, decided_at, note)",
}
KINDS = ("approval", "approved")  # of notices


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
    for table in ("notice", "dispatch"):
        name_kinds(table, add=KINDS)


def name_kinds(table: str, *, add: tuple[str, ...] = (), drop: tuple[str, ...] = ()) -> None:
    """Let notices be of more or of fewer kinds, whatever kinds others have added."""
    found = op.get_bind().exec_driver_sql(
        f"select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck_{table}_kind'"
    )
    kinds = [kind for kind in re.findall(r"'([a-z_]+)'", found.scalar_one()) if kind not in drop]
    listed = ", ".join(f"'{kind}'" for kind in [*kinds, *add])
    op.execute(f"alter table {table} drop constraint ck_{table}_kind")
    op.execute(f"alter table {table} add constraint ck_{table}_kind check (kind in ({listed}))")


def downgrade() -> None:
    op.execute(f"delete from dispatch where kind in {KINDS}")
    op.execute(f"delete from notice where kind in {KINDS}")
    for table in ("notice", "dispatch"):
        name_kinds(table, drop=KINDS)
    for table in reversed(PRIVATE):
        op.execute(f"drop table {table}")
