"""A group, or a topic of one, may speak of all contracts that deliver to one plant.

Revision ID: 0040
Revises: 0039
"""

from collections.abc import Sequence

from alembic import op

revision = "0040"
down_revision: str | None = "0039"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

LIVE = """
create unique index uq_chat_live on chat (tenant_id, party_id, account_id, contract_id{more})
nulls not distinct where unbound_at is null"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table chat add column ship_to_code varchar(40) not null default ''")
    op.execute("drop index uq_chat_live")
    op.execute(LIVE.format(more=", ship_to_code"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("update chat set unbound_at = now() where unbound_at is null and ship_to_code <> ''")
    op.execute("drop index uq_chat_live")
    op.execute(LIVE.format(more=""))
    op.execute("alter table chat drop column ship_to_code")
