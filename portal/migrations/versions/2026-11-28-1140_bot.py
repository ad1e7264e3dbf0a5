"""The bot: chats and their links, what bots were told, the portal's own chat window, and warnings about deliveries.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SHARED = ("line_report", "line_report_photo", "chat")
OWN = ("chat_inbox", "chat_message")
IDENTITY = ("chat_account", "chat_link", "bot_update")
# What both roles may do beyond SELECT.
RIGHTS = {
    "line_report": "insert, update (status, closed_at)",
    "line_report_photo": "insert",
    "chat": "insert, update (unbound_at)",
    "chat_inbox": "insert, update (answers)",
    "chat_message": "insert, update (text, buttons, edited_at, gone_at)",
}

TABLES = """
CREATE TABLE line_report (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    number VARCHAR(60) NOT NULL,
    line_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    kind VARCHAR(24) NOT NULL,
    reason VARCHAR(24) NOT NULL,
    expected_on DATE,
    urgency VARCHAR(24) NOT NULL,
    note VARCHAR(500) NOT NULL,
    status VARCHAR(24) NOT NULL,
    member_id UUID,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_line_report PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_line_report_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_line_report_tenant_id_party_id_number UNIQUE (tenant_id, party_id, number),
    CONSTRAINT fk_line_report_tenant_id_party_id_line_id FOREIGN KEY(tenant_id, party_id, line_id) REFERENCES schedule_line (tenant_id, party_id, id),
    CONSTRAINT ck_line_report_reportkind CHECK (kind IN ('late', 'problem')),
    CONSTRAINT ck_line_report_reportreason CHECK (reason IN ('material', 'capacity', 'transport', 'quality', 'other')),
    CONSTRAINT ck_line_report_urgency CHECK (urgency IN ('can_wait', 'line_stop')),
    CONSTRAINT ck_line_report_reportstatus CHECK (status IN ('open', 'closed'))
);
CREATE INDEX ix_line_report_line_id ON line_report (tenant_id, line_id);
CREATE TABLE line_report_photo (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    report_id UUID NOT NULL,
    digest VARCHAR(64) NOT NULL,
    content_type VARCHAR(40) NOT NULL,
    size INTEGER NOT NULL,
    CONSTRAINT pk_line_report_photo PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_line_report_photo_tenant_id_party_id_report_id FOREIGN KEY(tenant_id, party_id, report_id) REFERENCES line_report (tenant_id, party_id, id)
);
CREATE INDEX ix_line_report_photo_report_id ON line_report_photo (tenant_id, report_id);
CREATE TABLE chat (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    bot VARCHAR(24) NOT NULL,
    account_id UUID NOT NULL,
    name VARCHAR(120) NOT NULL,
    contract_id UUID,
    bound_at TIMESTAMP WITH TIME ZONE NOT NULL,
    unbound_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_chat PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_chat_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_chat_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id),
    CONSTRAINT ck_chat_chatbot CHECK (bot IN ('telegram', 'portal'))
);
CREATE INDEX ix_chat_member_id ON chat (tenant_id, member_id);
CREATE UNIQUE INDEX uq_chat_live ON chat (tenant_id, party_id, account_id) WHERE unbound_at is null;
CREATE TABLE chat_inbox (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    bot VARCHAR(24) NOT NULL,
    update_id BIGINT NOT NULL,
    answers JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_chat_inbox PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_chat_inbox_tenant_id_party_id_bot_update_id UNIQUE (tenant_id, party_id, bot, update_id),
    CONSTRAINT ck_chat_inbox_chatbot CHECK (bot IN ('telegram', 'portal'))
);
CREATE TABLE chat_message (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    chat_id UUID NOT NULL,
    no BIGINT GENERATED ALWAYS AS IDENTITY,
    kind VARCHAR(24) NOT NULL,
    text VARCHAR(5000) NOT NULL,
    buttons JSONB NOT NULL,
    photo VARCHAR(64) NOT NULL,
    answer_to UUID,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    edited_at TIMESTAMP WITH TIME ZONE,
    gone_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_chat_message PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_chat_message_tenant_id_party_id_chat_id FOREIGN KEY(tenant_id, party_id, chat_id) REFERENCES chat (tenant_id, party_id, id),
    CONSTRAINT uq_chat_message_tenant_id_party_id_no UNIQUE (tenant_id, party_id, no),
    CONSTRAINT ck_chat_message_chatmessagekind CHECK (kind IN ('said', 'pressed', 'shown'))
);
CREATE INDEX ix_chat_message_chat_id_id ON chat_message (tenant_id, chat_id, id);
CREATE TABLE chat_account (
    id UUID NOT NULL,
    bot VARCHAR(24) NOT NULL,
    chat_id BIGINT NOT NULL,
    name VARCHAR(120) NOT NULL,
    language VARCHAR(24),
    user_id UUID,
    membership_id UUID,
    bound_at TIMESTAMP WITH TIME ZONE,
    dead_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_chat_account PRIMARY KEY (id),
    CONSTRAINT uq_chat_account_bot_chat_id UNIQUE (bot, chat_id),
    CONSTRAINT ck_chat_account_bound_to_somebody CHECK ((user_id is null) = (bound_at is null)),
    CONSTRAINT ck_chat_account_chatbot CHECK (bot IN ('telegram', 'portal')),
    CONSTRAINT ck_chat_account_language CHECK (language IN ('en', 'zh-CN')),
    CONSTRAINT fk_chat_account_user_id FOREIGN KEY(user_id) REFERENCES user_account (id),
    CONSTRAINT fk_chat_account_membership_id FOREIGN KEY(membership_id) REFERENCES membership (id)
);
CREATE INDEX ix_chat_account_user_id ON chat_account (user_id);
CREATE UNIQUE INDEX uq_chat_account_window ON chat_account (membership_id) WHERE bot = 'portal';
CREATE TABLE chat_link (
    id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    user_id UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    bot VARCHAR(24),
    chat_id BIGINT,
    chat_name VARCHAR(120) NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_chat_link PRIMARY KEY (id),
    CONSTRAINT uq_chat_link_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_chat_link_user_id FOREIGN KEY(user_id) REFERENCES user_account (id),
    CONSTRAINT ck_chat_link_chatbot CHECK (bot IN ('telegram', 'portal'))
);
CREATE INDEX ix_chat_link_user_id ON chat_link (user_id);
CREATE TABLE bot_update (
    id UUID NOT NULL,
    bot VARCHAR(24) NOT NULL,
    update_id BIGINT NOT NULL,
    chat_id BIGINT NOT NULL,
    raw JSONB NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_try TIMESTAMP WITH TIME ZONE NOT NULL,
    tries INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE,
    last_error VARCHAR(300) NOT NULL,
    CONSTRAINT pk_bot_update PRIMARY KEY (id),
    CONSTRAINT uq_bot_update_bot_update_id UNIQUE (bot, update_id),
    CONSTRAINT ck_bot_update_chatbot CHECK (bot IN ('telegram', 'portal'))
);
CREATE INDEX ix_bot_update_waiting ON bot_update (bot, chat_id, update_id) WHERE done_at is null;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    own = "tenant_id = app_tenant() and party_id = app_party()"
    for table in (*SHARED, *OWN):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        allow(table, "portal_factory", "tenant_id = app_tenant()" if table in SHARED else own)
        allow(table, "portal_partner", own)
        for role in ("portal_factory", "portal_partner"):
            op.execute(f"grant select on {table} to {role}")
            op.execute(f"grant {RIGHTS[table]} on {table} to {role}")
    for table in IDENTITY:
        op.execute(f"grant select, insert, update, delete on {table} to portal_identity")
    op.execute(f"grant select on {', '.join((*SHARED, *OWN, *IDENTITY))} to portal_backup")


def allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    for line in reversed([line for line in TABLES.splitlines() if line.startswith("CREATE TABLE ")]):
        op.execute(f"drop table {line.split()[2]}")
