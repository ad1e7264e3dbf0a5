"""Contract life: more states and terms, price scales, agreed versions, templates, rates and files.

Revision ID: 0005
Revises: 0004
"""

from collections.abc import Sequence

from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = "'draft', 'proposed', 'countered', 'accepted', 'active', 'suspended', 'completed', 'terminated', 'expired'"
FORMER_STATES = "'draft', 'proposed', 'accepted', 'active', 'completed'"
OWN_TERMS = (
    "incoterm varchar(3) not null default ''",
    "incoterm_place varchar(120) not null default ''",
    "payment_terms varchar(200) not null default ''",
    "take_or_pay_percent numeric(5, 2)",
    "penalty_percent numeric(5, 2)",
    "penalty_cap_percent numeric(5, 2)",
    "notice_days integer",
    "suspended_by varchar(8) not null default ''",
    "ends_on date",
    "end_reason varchar(500) not null default ''",
    "reminded_end date",
    "reminded_use date",
)
LINE_TERMS = ("take_or_pay_quantity numeric(18, 6)", "ended_from date")
PRICE_TERMS = (
    "tier varchar(24) not null default 'all'"
    " constraint ck_contract_price_pricetier check (tier in ('all', 'cumulative', 'delivery'))",
    "from_quantity numeric(18, 6) not null default 0"
    " constraint ck_contract_price_from_quantity check (from_quantity >= 0)",
)
FORMER_PRICES = "uq_contract_price_tenant_id_party_id_contract_line_id_v_6468"
PRICES = "uq_contract_price_tenant_id_party_id_contract_line_id_v_a1e0"

TABLES = """
CREATE TABLE contract_revision (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    number INTEGER NOT NULL,
    status VARCHAR(24) NOT NULL,
    effective_from DATE NOT NULL,
    content JSONB NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    based_on INTEGER,
    note VARCHAR(500) NOT NULL,
    offered_scope VARCHAR(8) NOT NULL,
    offered_by UUID,
    offered_name VARCHAR(120) NOT NULL,
    offered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_by UUID,
    answered_name VARCHAR(120) NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    answered_via VARCHAR(8) NOT NULL,
    answered_from VARCHAR(45) NOT NULL,
    answered_agent VARCHAR(200) NOT NULL,
    reason VARCHAR(500) NOT NULL,
    applies BOOLEAN NOT NULL,
    applied_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_contract_revision PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_revision_tenant_id_party_id_contract_id_number UNIQUE (tenant_id, party_id, contract_id, number),
    CONSTRAINT fk_contract_revision_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT ck_contract_revision_revisionstatus CHECK (status IN ('proposed', 'replaced', 'declined', 'withdrawn', 'agreed'))
);
CREATE INDEX ix_contract_revision_contract_id ON contract_revision (tenant_id, contract_id);
CREATE INDEX ix_contract_revision_due ON contract_revision (tenant_id, effective_from) WHERE applies;
CREATE TABLE contract_template (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name VARCHAR(120) NOT NULL,
    content JSONB NOT NULL,
    created_by VARCHAR(120) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contract_template PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_template_tenant_id_name UNIQUE (tenant_id, name)
);
CREATE TABLE exchange_rate (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    base VARCHAR(3) NOT NULL,
    quote VARCHAR(3) NOT NULL,
    day DATE NOT NULL,
    rate NUMERIC(18, 8) NOT NULL,
    CONSTRAINT pk_exchange_rate PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_exchange_rate_tenant_id_base_quote_day UNIQUE (tenant_id, base, quote, day),
    CONSTRAINT ck_exchange_rate_positive CHECK (rate > 0)
);
CREATE TABLE contract_file (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    name VARCHAR(160) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    content_type VARCHAR(80) NOT NULL,
    size INTEGER NOT NULL,
    internal BOOLEAN NOT NULL,
    added_by VARCHAR(120) NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_contract_file PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_contract_file_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT uq_contract_file_tenant_id_party_id_contract_id_digest_internal UNIQUE (tenant_id, party_id, contract_id, digest, internal)
);
CREATE INDEX ix_contract_file_contract_id ON contract_file (tenant_id, contract_id);
"""

SHARED = {"contract_revision": "", "contract_file": " and not internal"}  # with what a partner is not told of
PRIVATE = ("contract_template", "exchange_rate")
ANSWER = "status, answered_by, answered_name, answered_at, answered_via, answered_from, answered_agent, reason, applies"
FACTORY = {
    "contract_revision": f"insert, update ({ANSWER}, applied_at)",  # what was offered is never changed
    "contract_template": "insert, delete",
    "exchange_rate": "insert, update (rate), delete",
    "contract_file": "insert",
}
PARTNER = {"contract_revision": f"insert, update ({ANSWER})", "contract_file": "insert"}
ENDING = "suspended_by, ends_on, end_reason"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for table, terms in (("contract", OWN_TERMS), ("contract_line", LINE_TERMS), ("contract_price", PRICE_TERMS)):
        op.execute(f"alter table {table} " + ", ".join(f"add column {term}" for term in terms))
    _states(STATES)
    op.execute(f"alter table contract_price drop constraint {FORMER_PRICES}")
    op.execute(
        f"alter table contract_price add constraint {PRICES}"
        " unique (tenant_id, party_id, contract_line_id, valid_from, order_no, from_quantity, price)"
    )
    op.execute(f"grant update ({ENDING}) on contract to portal_partner")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for table in (*SHARED, *PRIVATE):
        op.execute(f"grant select on {table} to portal_backup")
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        _allow(table, "portal_factory", "tenant_id = app_tenant()")
        op.execute(f"grant select on {table} to portal_factory")
        op.execute(f"grant {FACTORY[table]} on {table} to portal_factory")
    for table, only in SHARED.items():
        _allow(table, "portal_partner", f"tenant_id = app_tenant() and party_id = app_party(){only}")
        op.execute(f"grant select on {table} to portal_partner")
        op.execute(f"grant {PARTNER[table]} on {table} to portal_partner")


def _states(names: str) -> None:
    op.execute("alter table contract drop constraint ck_contract_contractstatus")
    op.execute(f"alter table contract add constraint ck_contract_contractstatus check (status in ({names}))")


def _allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    for table in reversed((*SHARED, *PRIVATE)):
        op.execute(f"drop table {table}")
    op.execute(f"revoke update ({ENDING}) on contract from portal_partner")
    op.execute(f"alter table contract_price drop constraint {PRICES}")
    op.execute(
        f"alter table contract_price add constraint {FORMER_PRICES}"
        " unique (tenant_id, party_id, contract_line_id, valid_from, order_no, price)"
    )
    _states(FORMER_STATES)
    for table, terms in (("contract", OWN_TERMS), ("contract_line", LINE_TERMS), ("contract_price", PRICE_TERMS)):
        op.execute(f"alter table {table} " + ", ".join(f"drop column {term.split()[0]}" for term in terms))
