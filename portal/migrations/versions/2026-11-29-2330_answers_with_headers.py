"""An answer is kept with its headers, so that who asks again gets the ETag and the Location too.

Revision ID: 0043
Revises: 0042
"""

from collections.abc import Sequence

from alembic import op

revision = "0043"
down_revision: str | None = "0042"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table idempotency add column headers jsonb not null default '{}'")
    for role in ("portal_factory", "portal_partner"):
        op.execute(f"grant update (headers) on idempotency to {role}")


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table idempotency drop column headers")
