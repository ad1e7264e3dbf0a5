"""Typed periods and the use of periods as part of what is agreed; invoices.

Revision ID: 0022
Revises: 0024
"""

from collections.abc import Sequence

from alembic import op

revision = "0022"
down_revision: str | None = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TERMS = "uq_commitment_terms_tenant_id_party_id_contract_id"
KINDS = (
    "'called', 'released', 'confirmed', 'shipped', 'received', 'returned', 'invoiced', 'carried_in', 'carried_out',"
    " 'over_call', 'tolerance', 'opening_called', 'opening_shipped', 'opening_received'"
)
# Periods that do not follow from a fixed quantity were typed, or taken from history.
TYPED = """
update contract_line l set typed_periods = p.said
from (
    select b.tenant_id, b.contract_line_id, jsonb_build_object('cadence', min(b.cadence), 'periods', jsonb_agg(
        jsonb_build_object('start', b.period_start::text, 'end', b.period_end::text,
            'floor', trim_scale(b.floor)::text, 'target', trim_scale(b.target)::text,
            'ceiling', trim_scale(b.ceiling)::text) order by b.period_start)) as said
    from commitment_bucket b join contract_line k on k.tenant_id = b.tenant_id and k.id = b.contract_line_id
    where b.cadence = 'custom' or k.foq is null group by 1, 2) p
where l.tenant_id = p.tenant_id and l.id = p.contract_line_id"""


INVOICES = """
CREATE TABLE contract_invoice (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    bucket_id UUID,
    number VARCHAR(60) NOT NULL,
    invoiced_on DATE NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    amount NUMERIC(18, 6),
    source VARCHAR(8) NOT NULL,
    entered_by UUID,
    entered_name VARCHAR(120) NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reversed_by UUID,
    reversed_name VARCHAR(120) NOT NULL,
    reversed_at TIMESTAMP WITH TIME ZONE,
    reason VARCHAR(300) NOT NULL,
    CONSTRAINT pk_contract_invoice PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_invoice_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_contract_invoice_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_contract_invoice_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT ck_contract_invoice_positive CHECK (quantity > 0),
    CONSTRAINT ck_contract_invoice_amount_not_negative CHECK (amount >= 0)
);
CREATE UNIQUE INDEX ux_contract_invoice_number ON contract_invoice (tenant_id, party_id, contract_line_id, number)
    WHERE reversed_at is null;
CREATE INDEX ix_contract_invoice_contract_id_id ON contract_invoice (tenant_id, contract_id, id)"""
REVERSAL = "reversed_by, reversed_name, reversed_at, reason"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table contract_line add column typed_periods jsonb")
    op.execute("alter table commitment_terms add column replaced_on date not null default 'infinity'")
    op.execute("alter table commitment_terms alter column replaced_on drop default")
    op.execute(f"alter table commitment_terms drop constraint {TERMS}")
    op.execute(
        f"alter table commitment_terms add constraint {TERMS}_replaced_on"
        " unique (tenant_id, party_id, contract_id, replaced_on)"
    )
    _of_all_tenants(TYPED, "contract_line", "commitment_bucket")
    _kinds(f"{KINDS}, 'amended'")
    _invoices()


def downgrade() -> None:
    op.execute("drop table contract_invoice")
    _of_all_tenants("delete from bucket_entry where kind = 'amended'", "bucket_entry")
    _kinds(KINDS)
    _of_all_tenants("delete from commitment_terms where replaced_on < 'infinity'", "commitment_terms")
    op.execute(f"alter table commitment_terms drop constraint {TERMS}_replaced_on")
    op.execute(f"alter table commitment_terms add constraint {TERMS} unique (tenant_id, party_id, contract_id)")
    op.execute("alter table commitment_terms drop column replaced_on")
    op.execute("alter table contract_line drop column typed_periods")


def _invoices() -> None:
    for statement in INVOICES.split(";\n"):
        op.execute(statement)
    op.execute("alter table contract_invoice enable row level security")
    op.execute("alter table contract_invoice force row level security")
    for role, rows in (
        ("portal_factory", "tenant_id = app_tenant()"),
        ("portal_partner", "tenant_id = app_tenant() and party_id = app_party()"),
    ):
        op.execute(f"create policy {role}_all on contract_invoice for all to {role} using ({rows}) with check ({rows})")
    op.execute("grant select on contract_invoice to portal_factory, portal_partner, portal_backup")
    op.execute(f"grant insert, update ({REVERSAL}) on contract_invoice to portal_factory")


def _of_all_tenants(statement: str, *tables: str) -> None:
    """Rows of every tenant, for which the owner of these tables steps out of their policies for a moment."""
    for table in tables:
        op.execute(f"alter table {table} no force row level security")
    op.execute(statement)
    for table in tables:
        op.execute(f"alter table {table} force row level security")


def _kinds(values: str) -> None:
    """Which entries the ledger knows."""
    op.execute("alter table bucket_entry drop constraint ck_bucket_entry_entrykind")
    op.execute(
        f"alter table bucket_entry add constraint ck_bucket_entry_entrykind check (kind in ({values})) not valid"
    )
    op.execute("alter table bucket_entry validate constraint ck_bucket_entry_entrykind")
