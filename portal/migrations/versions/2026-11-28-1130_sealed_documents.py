"""Sealed documents and the keys that seal them.

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Sequence

from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = """
CREATE TABLE seal_key (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    certificate BYTEA NOT NULL,
    private_key BYTEA,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_seal_key PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_seal_key_tenant_id_fingerprint UNIQUE (tenant_id, fingerprint)
);
CREATE TABLE sealed_document (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    version_no INTEGER NOT NULL,
    language VARCHAR(5) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    size INTEGER NOT NULL,
    content_sha256 VARCHAR(64) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    stamped BOOLEAN NOT NULL,
    CONSTRAINT pk_sealed_document PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_sealed_document_tenant_id_party_id_contract_id_versi_e9c6 UNIQUE (tenant_id, party_id, contract_id, version_no, language),
    CONSTRAINT fk_sealed_document_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id)
);
CREATE INDEX ix_sealed_document_digest ON sealed_document (tenant_id, digest);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in ("seal_key", "sealed_document"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy portal_factory_all on {table} for all to portal_factory"
            " using (tenant_id = app_tenant()) with check (tenant_id = app_tenant())"
        )
        op.execute(f"grant select on {table} to portal_backup")
        op.execute(f"grant select, insert on {table} to portal_factory")
    op.execute(
        "create policy portal_partner_select on seal_key for select to portal_partner using (tenant_id = app_tenant())"
    )
    # The private half, though encrypted, is not a partner's to read.
    op.execute(
        "grant select (tenant_id, id, fingerprint, certificate, made_at, not_after) on seal_key to portal_partner"
    )
    op.execute(
        "create policy portal_partner_all on sealed_document for all to portal_partner"
        " using (tenant_id = app_tenant() and party_id = app_party())"
        " with check (tenant_id = app_tenant() and party_id = app_party())"
    )
    op.execute("grant select on sealed_document to portal_partner")


def downgrade() -> None:
    op.execute("drop table sealed_document")
    op.execute("drop table seal_key")
