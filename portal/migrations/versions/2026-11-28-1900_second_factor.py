"""Second factor of people, and accepting contracts with it.

Revision ID: 0021
Revises: 0023
"""

from collections.abc import Sequence

from alembic import op

revision = "0021"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = """
CREATE TABLE user_factor (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    secret BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE,
    last_step BIGINT,
    CONSTRAINT pk_user_factor PRIMARY KEY (id),
    CONSTRAINT uq_user_factor_user_id UNIQUE (user_id),
    CONSTRAINT fk_user_factor_user_id FOREIGN KEY(user_id) REFERENCES user_account (id)
);
CREATE TABLE user_recovery_code (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    code_hash VARCHAR(64) NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_user_recovery_code PRIMARY KEY (id),
    CONSTRAINT uq_user_recovery_code_user_id_code_hash UNIQUE (user_id, code_hash),
    CONSTRAINT fk_user_recovery_code_user_id FOREIGN KEY(user_id) REFERENCES user_account (id)
);
ALTER TABLE tenant ADD COLUMN acceptance VARCHAR(24) DEFAULT 'password' NOT NULL
    CONSTRAINT ck_tenant_acceptance CHECK (acceptance IN ('password', 'one_time_code'));
ALTER TABLE contract_revision ADD COLUMN answered_with VARCHAR(16) DEFAULT '' NOT NULL
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        op.execute(statement)
    for table in ("user_factor", "user_recovery_code"):
        op.execute(f"grant select, insert, update, delete on {table} to portal_identity")
        op.execute(f"grant select on {table} to portal_backup")
    op.execute("grant update (acceptance) on tenant to portal_factory")
    op.execute("grant update (answered_with) on contract_revision to portal_factory, portal_partner")


def downgrade() -> None:
    op.execute("alter table contract_revision drop column answered_with")
    op.execute("alter table tenant drop column acceptance")
    op.execute("drop table user_recovery_code")
    op.execute("drop table user_factor")
