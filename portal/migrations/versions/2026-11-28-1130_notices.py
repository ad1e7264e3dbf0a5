"""Notices: what people are told, what their buttons do, the log of sends and presses, and links for a new password.

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SHARED = ("dispatch", "press")
OWN = ("action", "notice", "card_message", "preference")
# What both roles may do beyond SELECT. The log of presses is never changed.
RIGHTS = {
    "action": "insert, update (used_at, used_channel, result)",
    "notice": "insert, update (status)",
    "dispatch": "insert, update (state, attempts, next_try, message_id, summary, error, sent_at, channel, address)",
    "press": "insert",
    "card_message": "insert, update (message_id, purpose, rendering, written_at, member_id)",
    "preference": "insert, update",
}

TABLES = """
CREATE TABLE action (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    verb VARCHAR(24) NOT NULL,
    object_kind VARCHAR(24) NOT NULL,
    object_id UUID NOT NULL,
    object_version INTEGER,
    data JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    used_channel VARCHAR(16) NOT NULL,
    result VARCHAR(500) NOT NULL,
    CONSTRAINT pk_action PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_action_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_action_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id)
);
CREATE INDEX ix_action_object_id ON action (tenant_id, object_id);
CREATE TABLE notice (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    kind VARCHAR(24) NOT NULL,
    object_kind VARCHAR(24) NOT NULL,
    object_id UUID NOT NULL,
    contract_id UUID,
    key VARCHAR(160) NOT NULL,
    urgency VARCHAR(24) NOT NULL,
    level INTEGER NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    status VARCHAR(24) NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_notice PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_notice_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_notice_tenant_id_party_id_member_id_key UNIQUE (tenant_id, party_id, member_id, key),
    CONSTRAINT fk_notice_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id),
    CONSTRAINT ck_notice_level CHECK (level between 1 and 3),
    CONSTRAINT ck_notice_kind CHECK (kind IN ('to_confirm', 'released', 'confirmed', 'rejected', 'at_risk', 'cancelled', 'shipped', 'received', 'difference', 'contract', 'reminder', 'overdue', 'receipt_due', 'digest', 'agreed')),
    CONSTRAINT ck_notice_urgency CHECK (urgency IN ('normal', 'deadline', 'line_stop')),
    CONSTRAINT ck_notice_noticestatus CHECK (status IN ('planned', 'sent', 'superseded', 'expired', 'dropped'))
);
CREATE INDEX ix_notice_object_id ON notice (tenant_id, object_id);
CREATE TABLE dispatch (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    notice_id UUID,
    card_id UUID,
    member_id UUID NOT NULL,
    kind VARCHAR(24),
    object_kind VARCHAR(24) NOT NULL,
    object_id UUID NOT NULL,
    contract_id UUID,
    channel VARCHAR(16) NOT NULL,
    address VARCHAR(254) NOT NULL,
    state VARCHAR(24) NOT NULL,
    silent BOOLEAN NOT NULL,
    attempts INTEGER NOT NULL,
    next_try TIMESTAMP WITH TIME ZONE,
    message_id VARCHAR(120) NOT NULL,
    summary VARCHAR(500) NOT NULL,
    error VARCHAR(300) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_dispatch PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_dispatch_tenant_id_party_id_notice_id FOREIGN KEY(tenant_id, party_id, notice_id) REFERENCES notice (tenant_id, party_id, id),
    CONSTRAINT fk_dispatch_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id),
    CONSTRAINT ck_dispatch_kind CHECK (kind IN ('to_confirm', 'released', 'confirmed', 'rejected', 'at_risk', 'cancelled', 'shipped', 'received', 'difference', 'contract', 'reminder', 'overdue', 'receipt_due', 'digest', 'agreed')),
    CONSTRAINT ck_dispatch_dispatchstate CHECK (state IN ('waiting', 'sent', 'failed', 'dead'))
);
CREATE INDEX ix_dispatch_party_id_id ON dispatch (tenant_id, party_id, id);
CREATE INDEX ix_dispatch_notice_id ON dispatch (tenant_id, notice_id);
CREATE INDEX ix_dispatch_waiting ON dispatch (tenant_id, next_try) WHERE state = 'waiting';
CREATE UNIQUE INDEX uq_dispatch_edit ON dispatch (tenant_id, party_id, card_id) WHERE state = 'waiting' and card_id is not null;
CREATE TABLE press (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    action_id UUID NOT NULL,
    member_id UUID NOT NULL,
    verb VARCHAR(24) NOT NULL,
    object_kind VARCHAR(24) NOT NULL,
    object_id UUID NOT NULL,
    contract_id UUID,
    channel VARCHAR(16) NOT NULL,
    outcome VARCHAR(300) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_press PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_press_tenant_id_party_id_action_id FOREIGN KEY(tenant_id, party_id, action_id) REFERENCES action (tenant_id, party_id, id),
    CONSTRAINT fk_press_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id)
);
CREATE INDEX ix_press_party_id_id ON press (tenant_id, party_id, id);
CREATE INDEX ix_press_action_id ON press (tenant_id, action_id);
CREATE TABLE card_message (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    object_kind VARCHAR(24) NOT NULL,
    object_id UUID NOT NULL,
    channel VARCHAR(16) NOT NULL,
    address VARCHAR(254) NOT NULL,
    message_id VARCHAR(120) NOT NULL,
    purpose VARCHAR(24) NOT NULL,
    rendering VARCHAR(64) NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_card_message PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_card_message_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_card_message_chat UNIQUE (tenant_id, party_id, object_kind, object_id, channel, address),
    CONSTRAINT fk_card_message_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id)
);
CREATE TABLE preference (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    digest_at INTEGER NOT NULL,
    quiet_from INTEGER NOT NULL,
    quiet_to INTEGER NOT NULL,
    kinds JSONB NOT NULL,
    channels VARCHAR(16)[] NOT NULL,
    deputy_id UUID,
    evening_summary BOOLEAN NOT NULL,
    wake_for_line_stop BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_preference PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_preference_tenant_id_party_id_member_id UNIQUE (tenant_id, party_id, member_id),
    CONSTRAINT fk_preference_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id),
    CONSTRAINT fk_preference_tenant_id_party_id_deputy_id FOREIGN KEY(tenant_id, party_id, deputy_id) REFERENCES member (tenant_id, party_id, id),
    CONSTRAINT ck_preference_within_a_day CHECK (digest_at between 0 and 1439 and quiet_from between 0 and 1439 and quiet_to between 0 and 1439),
    CONSTRAINT ck_preference_somebody_else CHECK (deputy_id <> member_id)
);
CREATE TABLE password_token (
    id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    tries INTEGER NOT NULL,
    next_try TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_password_token PRIMARY KEY (id),
    CONSTRAINT uq_password_token_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_password_token_user_id FOREIGN KEY(user_id) REFERENCES user_account (id)
);
CREATE INDEX ix_password_token_user_id ON password_token (user_id);
CREATE INDEX ix_password_token_unsent ON password_token (next_try) WHERE sent_at is null;
ALTER TABLE tenant ADD COLUMN chat_detail VARCHAR(24) DEFAULT 'full' NOT NULL
    CONSTRAINT ck_tenant_chatdetail CHECK (chat_detail IN ('full', 'number_only'));
"""

FUNCTIONS = """
create function sending_tenants() returns table (tenant_id uuid, factory_party_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
        select t.tenant_id, t.factory_party_id from public.tenant t
        where exists (select 1 from public.dispatch d
                      where d.tenant_id = t.tenant_id and d.state = 'waiting' and d.next_try <= now())
    $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(FUNCTIONS)
    op.execute("revoke all on function sending_tenants() from public")
    op.execute("grant execute on function sending_tenants() to portal_factory")
    op.execute("grant update (chat_detail) on tenant to portal_factory")
    own = "tenant_id = app_tenant() and party_id = app_party()"
    for table in (*SHARED, *OWN):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        allow(table, "portal_factory", "tenant_id = app_tenant()" if table in SHARED else own)
        allow(table, "portal_partner", own)
        for role in ("portal_factory", "portal_partner"):
            op.execute(f"grant select on {table} to {role}")
            op.execute(f"grant {RIGHTS[table]} on {table} to {role}")
    op.execute("grant select, insert, update, delete on password_token to portal_identity")
    op.execute(f"grant select on {', '.join((*SHARED, *OWN, 'password_token'))} to portal_backup")


def allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    op.execute("drop function sending_tenants()")
    op.execute("revoke update (chat_detail) on tenant from portal_factory")
    op.execute("alter table tenant drop column chat_detail")
    for table in ("password_token", "preference", "card_message", "press", "dispatch", "notice", "action"):
        op.execute(f"drop table {table}")
