"""Releases in full: kinds and what they tell, how they are made, held and answered, what cancelling costs.

Revision ID: 0010
Revises: 0012
"""

from collections.abc import Sequence

from alembic import op

revision = "0010"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

RELEASE_COLUMNS = (
    "kind varchar(24) not null default 'forecast'"
    " constraint ck_release_releasekind check (kind in ('forecast', 'jit'))",
    "trigger varchar(24) not null default 'manual'"
    " constraint ck_release_trigger check (trigger in ('manual', 'every', 'weekdays', 'change'))",
    "prior_number integer",
    "daily_until date",
    "weekly_until date",
    "contents jsonb not null default '{}'",
)

TABLES = """
CREATE TABLE release_plan (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    contract_id UUID NOT NULL,
    trigger VARCHAR(24) NOT NULL,
    every_days INTEGER NOT NULL,
    weekdays SMALLINT[] NOT NULL,
    horizon_days INTEGER NOT NULL,
    daily_days INTEGER NOT NULL,
    weekly_days INTEGER NOT NULL,
    jit_days INTEGER NOT NULL,
    only_transmitted BOOLEAN NOT NULL,
    hold_by VARCHAR(24) NOT NULL,
    hold_quantity NUMERIC(18, 6),
    hold_percent NUMERIC(5, 2),
    hold_days INTEGER,
    quiet_percent NUMERIC(5, 2) NOT NULL,
    answer_hours INTEGER,
    last_run_on DATE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_release_plan PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_release_plan_tenant_id_contract_id UNIQUE (tenant_id, contract_id),
    CONSTRAINT fk_release_plan_tenant_id_contract_id FOREIGN KEY(tenant_id, contract_id) REFERENCES contract (tenant_id, id),
    CONSTRAINT ck_release_plan_spans_in_order CHECK (daily_days >= 0 and weekly_days >= daily_days and horizon_days >= weekly_days),
    CONSTRAINT ck_release_plan_plan_trigger CHECK (trigger IN ('manual', 'every', 'weekdays', 'change')),
    CONSTRAINT ck_release_plan_holdby CHECK (hold_by IN ('none', 'curve', 'template'))
);
CREATE INDEX ix_release_plan_running ON release_plan (tenant_id) WHERE trigger <> 'manual';
CREATE TABLE prepared_release (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    contract_id UUID NOT NULL,
    kind VARCHAR(24) NOT NULL,
    trigger VARCHAR(24) NOT NULL,
    status VARCHAR(24) NOT NULL,
    waiting BOOLEAN NOT NULL,
    note VARCHAR(300) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    verdict JSONB NOT NULL,
    prepared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    prepared_by UUID,
    prepared_name VARCHAR(120) NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_name VARCHAR(120) NOT NULL,
    release_id UUID,
    version INTEGER NOT NULL,
    CONSTRAINT pk_prepared_release PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_prepared_release_tenant_id_contract_id FOREIGN KEY(tenant_id, contract_id) REFERENCES contract (tenant_id, id),
    CONSTRAINT ck_prepared_release_releasekind CHECK (kind IN ('forecast', 'jit')),
    CONSTRAINT ck_prepared_release_trigger CHECK (trigger IN ('manual', 'every', 'weekdays', 'change')),
    CONSTRAINT ck_prepared_release_preparedstatus CHECK (status IN ('draft', 'checked', 'held', 'approved', 'published', 'discarded'))
);
CREATE INDEX ix_prepared_release_contract_id ON prepared_release (tenant_id, contract_id);
CREATE UNIQUE INDEX uq_prepared_release_waiting ON prepared_release (tenant_id, contract_id) WHERE waiting;
CREATE TABLE release_standing (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    release_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    status VARCHAR(24) NOT NULL,
    answer_by TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE,
    answered_by UUID,
    answered_name VARCHAR(120) NOT NULL,
    reason VARCHAR(500) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_release_standing PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_release_standing_tenant_id_party_id_release_id UNIQUE (tenant_id, party_id, release_id),
    CONSTRAINT fk_release_standing_tenant_id_party_id_release_id FOREIGN KEY(tenant_id, party_id, release_id) REFERENCES release (tenant_id, party_id, id),
    CONSTRAINT fk_release_standing_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_release_standing_releasestatus CHECK (status IN ('published', 'delivered', 'acknowledged', 'rejected', 'superseded'))
);
CREATE INDEX ix_release_standing_waiting ON release_standing (tenant_id, answer_by) WHERE answer_by is not null;
CREATE TABLE release_terms (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    make_days INTEGER,
    finished_percent NUMERIC(5, 2) NOT NULL,
    in_work_percent NUMERIC(5, 2) NOT NULL,
    material_percent NUMERIC(5, 2) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_release_terms PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_release_terms_tenant_id_party_id_contract_id UNIQUE (tenant_id, party_id, contract_id),
    CONSTRAINT fk_release_terms_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_release_terms_shares_in_order CHECK (0 <= material_percent and material_percent <= in_work_percent and in_work_percent <= finished_percent and finished_percent <= 100)
);
CREATE TABLE line_plan (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    contract_id UUID NOT NULL,
    schedule_line_id UUID NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    due_date DATE NOT NULL,
    planned_by VARCHAR(120) NOT NULL,
    planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_line_plan PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_line_plan_tenant_id_schedule_line_id UNIQUE (tenant_id, schedule_line_id),
    CONSTRAINT fk_line_plan_tenant_id_schedule_line_id FOREIGN KEY(tenant_id, schedule_line_id) REFERENCES schedule_line (tenant_id, id),
    CONSTRAINT ck_line_plan_plan_positive CHECK (quantity > 0)
);
CREATE INDEX ix_line_plan_contract_id ON line_plan (tenant_id, contract_id);
"""

SHARED = {
    "release_standing": "insert, update (status, delivered_at, answered_at, answered_by, answered_name, reason, version)",
    "release_terms": "insert, update (make_days, finished_percent, in_work_percent, material_percent, version)",
}
PRIVATE = {
    "release_plan": "insert, update",
    "prepared_release": "insert, update (status, waiting, decided_at, decided_name, release_id, version)",
    "line_plan": "insert, update, delete",
}
PARTNER = {"release_standing": "update (status, answered_at, answered_by, answered_name, reason, version)"}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table release " + ", ".join(f"add column {column}" for column in RELEASE_COLUMNS))
    op.execute("create index ix_release_contract_id_number on release (tenant_id, contract_id, number)")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table, rights in (SHARED | PRIVATE).items():
        op.execute(f"grant select on {table} to portal_backup")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        _allow(table, "portal_factory", "tenant_id = app_tenant()")
        op.execute(f"grant select on {table} to portal_factory")
        op.execute(f"grant {rights} on {table} to portal_factory")
    for table in SHARED:
        _allow(table, "portal_partner", "tenant_id = app_tenant() and party_id = app_party()")
        op.execute(f"grant select on {table} to portal_partner")
    for table, rights in PARTNER.items():
        op.execute(f"grant {rights} on {table} to portal_partner")


def _allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    for table in reversed((*SHARED, *PRIVATE)):
        op.execute(f"drop table {table}")
    op.execute("drop index ix_release_contract_id_number")
    op.execute("alter table release " + ", ".join(f"drop column {column.split()[0]}" for column in RELEASE_COLUMNS))
