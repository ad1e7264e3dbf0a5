"""Commits to forecasts.

Revision ID: 0012
Revises: 0008
"""

import re
from collections.abc import Callable, Sequence

from alembic import op

revision = "0012"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

FACTORY = {
    "commit_terms": "insert, update, delete",
    "commit_request": "insert, update (status, answered_at)",
    "supply_commit": "insert",
    "supply_commit_line": "insert",
}
PARTNER = {
    "commit_request": "update (status, answered_at)",
    "supply_commit": "insert",
    "supply_commit_line": "insert",
}

TABLES = """
CREATE TABLE commit_terms (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    weeks INTEGER NOT NULL,
    response_hours INTEGER NOT NULL,
    under_percent NUMERIC(5, 2) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_commit_terms PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_commit_terms_tenant_id_party_id_contract_id UNIQUE (tenant_id, party_id, contract_id),
    CONSTRAINT fk_commit_terms_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_commit_terms_weeks CHECK (weeks between 1 and 52),
    CONSTRAINT ck_commit_terms_hours CHECK (response_hours between 1 and 400)
);
CREATE TABLE commit_request (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    release_id UUID NOT NULL,
    release_no INTEGER NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR(24) NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_commit_request PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_commit_request_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_commit_request_tenant_id_party_id_contract_id_release_id UNIQUE (tenant_id, party_id, contract_id, release_id),
    CONSTRAINT fk_commit_request_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_commit_request_tenant_id_party_id_release_id FOREIGN KEY(tenant_id, party_id, release_id) REFERENCES release (tenant_id, party_id, id),
    CONSTRAINT ck_commit_request_requeststatus CHECK (status IN ('open', 'answered', 'lapsed', 'superseded'))
);
CREATE INDEX ix_commit_request_status_due_at ON commit_request (tenant_id, status, due_at);
CREATE TABLE supply_commit (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    number INTEGER NOT NULL,
    release_id UUID NOT NULL,
    release_no INTEGER NOT NULL,
    way VARCHAR(24) NOT NULL,
    note VARCHAR(300) NOT NULL,
    member_id UUID,
    member_name VARCHAR(120) NOT NULL,
    committed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_supply_commit PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_supply_commit_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_supply_commit_tenant_id_party_id_contract_id_number UNIQUE (tenant_id, party_id, contract_id, number),
    CONSTRAINT fk_supply_commit_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_supply_commit_tenant_id_party_id_release_id FOREIGN KEY(tenant_id, party_id, release_id) REFERENCES release (tenant_id, party_id, id),
    CONSTRAINT ck_supply_commit_commitway CHECK (way IN ('periods', 'percent', 'sheet'))
);
CREATE TABLE supply_commit_line (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    commit_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    week DATE NOT NULL,
    forecast NUMERIC(18, 6) NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    CONSTRAINT pk_supply_commit_line PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_supply_commit_line_tenant_id_party_id_commit_id_cont_386e UNIQUE (tenant_id, party_id, commit_id, contract_line_id, week),
    CONSTRAINT fk_supply_commit_line_tenant_id_party_id_commit_id FOREIGN KEY(tenant_id, party_id, commit_id) REFERENCES supply_commit (tenant_id, party_id, id),
    CONSTRAINT fk_supply_commit_line_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT ck_supply_commit_line_not_negative CHECK (quantity >= 0 and forecast >= 0)
);
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

    for table in ("notice", "dispatch"):
        kinds(table, lambda known: [*known, "commit"])


def kinds(table: str, changed: Callable[[list[str]], list[str]]) -> None:
    """Change the kinds of notices that a table takes, whatever other migrations added to them."""
    constraint = f"ck_{table}_kind"
    query = f"select pg_get_constraintdef(oid) from pg_constraint where conname = '{constraint}'"
    known = re.findall(r"'(\w+)'", str(op.get_bind().exec_driver_sql(query).scalar_one()))
    values = ", ".join(f"'{kind}'" for kind in changed(known))
    op.execute(f"alter table {table} drop constraint {constraint}")
    op.execute(f"alter table {table} add constraint {constraint} check (kind in ({values}))")


def allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    for table in ("notice", "dispatch"):
        op.execute(f"delete from {table} where kind = 'commit'")
        kinds(table, lambda known: [kind for kind in known if kind != "commit"])
    for table in ("supply_commit_line", "supply_commit", "commit_request", "commit_terms"):
        op.execute(f"drop table {table}")
