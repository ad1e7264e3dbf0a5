"""A group speaks of several contracts, each in a topic of its own.

Revision ID: 0038
Revises: 0036
"""

from collections.abc import Sequence

from alembic import op

revision = "0038"
down_revision: str | None = "0036"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

LIVE = "create unique index uq_chat_live on chat (tenant_id, party_id, account_id{more}) {how}where unbound_at is null"
GROUPS = """
update chat set address = a.chat_id::text from chat_account a where a.id = chat.account_id and contract_id is not null"""
# Of several contracts in a group the one bound last stays.
ONE = """
update chat set unbound_at = now() where unbound_at is null and contract_id is not null and exists (
    select from chat later where later.tenant_id = chat.tenant_id and later.party_id = chat.party_id
        and later.account_id = chat.account_id and later.unbound_at is null and later.id > chat.id)"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table chat add column address varchar(64) not null default ''")
    op.execute(GROUPS)
    op.execute("drop index uq_chat_live")
    op.execute(LIVE.format(more=", contract_id", how="nulls not distinct "))


def downgrade() -> None:
    op.execute(ONE)
    op.execute("drop index uq_chat_live")
    op.execute(LIVE.format(more="", how=""))
    op.execute("alter table chat drop column address")
