"""Change requests: what one company wants different in called-off deliveries, offer by offer.

Revision ID: 0013
Revises: 0006
"""

import re
from collections.abc import Sequence

from alembic import op

revision = "0013"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

ANSWERED = (
    "status, way, number, offer_no, offered_scope, offer_note, submitted_at, respond_by, decided_at, decided_by,"
    " decided_name, decided_scope, decline_reason, failure, version"
)
FACTORY = {
    "change_request": "insert, update",
    "change_part": "insert, update (agreed)",
    "change_file": "insert",
    "change_terms": "insert, update",
}
PARTNER = {
    "change_request": f"insert, update ({ANSWERED})",
    "change_part": "insert, update (agreed)",
    "change_file": "insert",
}
# The writer's draft is its own; what hangs on a request is told with it.
WITH_THE_REQUEST = "exists (select from change_request c where c.tenant_id = {0}.tenant_id and c.id = {0}.change_id)"
TOLD = {
    "change_request": "(submitted_at is not null or asked_scope = 'partner')",
    "change_part": WITH_THE_REQUEST.format("change_part"),
    "change_file": WITH_THE_REQUEST.format("change_file"),
}

TABLES = """
CREATE TABLE change_request (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    number VARCHAR(60),
    status VARCHAR(24) NOT NULL,
    way VARCHAR(24) NOT NULL,
    asked_scope VARCHAR(24) NOT NULL,
    asked_by UUID,
    asked_name VARCHAR(120) NOT NULL,
    reason VARCHAR(24) NOT NULL,
    note VARCHAR(500) NOT NULL,
    offer_no INTEGER NOT NULL,
    offered_scope VARCHAR(24) NOT NULL,
    offer_note VARCHAR(500) NOT NULL,
    by_line BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    respond_by TIMESTAMP WITH TIME ZONE,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    decided_name VARCHAR(120) NOT NULL,
    decided_scope VARCHAR(8) NOT NULL,
    decline_reason VARCHAR(500) NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE,
    release_no INTEGER,
    failure JSONB NOT NULL,
    erp_state VARCHAR(24) NOT NULL,
    erp_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    CONSTRAINT pk_change_request PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_change_request_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_change_request_tenant_id_party_id_number UNIQUE (tenant_id, party_id, number),
    CONSTRAINT fk_change_request_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_change_request_changestatus CHECK (status IN ('draft', 'submitted', 'in_review', 'countered', 'accepted', 'declined', 'withdrawn', 'expired', 'applied', 'apply_failed')),
    CONSTRAINT ck_change_request_way CHECK (way IN ('inside', 'firm', 'band', 'seller', 'terms')),
    CONSTRAINT ck_change_request_asked_scope CHECK (asked_scope IN ('factory', 'partner')),
    CONSTRAINT ck_change_request_changereason CHECK (reason IN ('demand', 'production', 'material', 'capacity', 'transport', 'quality', 'stock', 'holiday', 'other')),
    CONSTRAINT ck_change_request_offered_scope CHECK (offered_scope IN ('factory', 'partner')),
    CONSTRAINT ck_change_request_erpstate CHECK (erp_state IN ('not_sent', 'sent', 'echoed'))
);
CREATE INDEX ix_change_request_contract_id_id ON change_request (tenant_id, contract_id, id);
CREATE INDEX ix_change_request_waiting ON change_request (tenant_id, respond_by) WHERE status in ('submitted', 'in_review', 'countered');
CREATE TABLE change_part (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    change_id UUID NOT NULL,
    offer_no INTEGER NOT NULL,
    part_no INTEGER NOT NULL,
    kind VARCHAR(24) NOT NULL,
    contract_line_id UUID NOT NULL,
    line_id UUID,
    base_version INTEGER NOT NULL,
    unit VARCHAR(3) NOT NULL,
    before_quantity NUMERIC(18, 6),
    before_date DATE,
    before_place VARCHAR(40) NOT NULL,
    before_price NUMERIC(18, 6),
    pieces JSONB NOT NULL,
    place VARCHAR(40) NOT NULL,
    price NUMERIC(18, 6),
    agreed BOOLEAN,
    CONSTRAINT pk_change_part PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_change_part_tenant_id_party_id_change_id_offer_no_part_no UNIQUE (tenant_id, party_id, change_id, offer_no, part_no),
    CONSTRAINT fk_change_part_tenant_id_party_id_change_id FOREIGN KEY(tenant_id, party_id, change_id) REFERENCES change_request (tenant_id, party_id, id),
    CONSTRAINT fk_change_part_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT fk_change_part_tenant_id_party_id_line_id FOREIGN KEY(tenant_id, party_id, line_id) REFERENCES schedule_line (tenant_id, party_id, id),
    CONSTRAINT ck_change_part_addition_has_no_line CHECK ((line_id is null) = (kind = 'add')),
    CONSTRAINT ck_change_part_partkind CHECK (kind IN ('change', 'split', 'add', 'cancel', 'pause', 'price'))
);
CREATE INDEX ix_change_part_line_id ON change_part (tenant_id, line_id);
CREATE TABLE change_file (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    change_id UUID NOT NULL,
    name VARCHAR(160) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    content_type VARCHAR(80) NOT NULL,
    size INTEGER NOT NULL,
    added_scope VARCHAR(24) NOT NULL,
    added_by VARCHAR(120) NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_change_file PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_change_file_tenant_id_party_id_change_id FOREIGN KEY(tenant_id, party_id, change_id) REFERENCES change_request (tenant_id, party_id, id),
    CONSTRAINT ck_change_file_scope CHECK (added_scope IN ('factory', 'partner'))
);
CREATE INDEX ix_change_file_change_id ON change_file (tenant_id, change_id);
CREATE TABLE change_terms (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    by_line BOOLEAN NOT NULL,
    answer_hours INTEGER,
    CONSTRAINT pk_change_terms PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_change_terms_tenant_id_party_id_contract_id UNIQUE (tenant_id, party_id, contract_id),
    CONSTRAINT fk_change_terms_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_change_terms_answer_hours_sensible CHECK (answer_hours between 1 and 400)
);
"""

KINDS = ("change_asked", "change")  # of notices


def upgrade() -> None:
    for table in ("notice", "dispatch"):
        name_kinds(table, add=KINDS)
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table, rights in FACTORY.items():
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        allow(table, "portal_factory", "tenant_id = app_tenant()")
        own = "tenant_id = app_tenant() and party_id = app_party()"
        allow(table, "portal_partner", f"{own} and {TOLD[table]}" if table in TOLD else own)
        op.execute(f"grant select on {table} to portal_factory, portal_partner, portal_backup")
        op.execute(f"grant {rights} on {table} to portal_factory")
    for table, rights in PARTNER.items():
        op.execute(f"grant {rights} on {table} to portal_partner")


def allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


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
    for line in reversed([line for line in TABLES.splitlines() if line.startswith("CREATE TABLE ")]):
        op.execute(f"drop table {line.split()[2]}")
