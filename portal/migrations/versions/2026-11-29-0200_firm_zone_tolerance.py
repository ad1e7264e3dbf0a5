"""By how much a customer's release may change its firm zone.

Revision ID: 0033
Revises: 0029
"""

from collections.abc import Sequence

from alembic import op

revision = "0033"
down_revision: str | None = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table release_terms add column zone_percent numeric(5, 2) default 0 not null")
    op.execute("grant update (zone_percent) on release_terms to portal_factory")


def downgrade() -> None:
    op.execute("alter table release_terms drop column zone_percent")
