"""A planned line may become part of another one of its day: nothing is left of it.

Revision ID: 0029
Revises: 0030
"""

from alembic import op

revision: str = "0029"
down_revision: str | None = "0030"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table line_plan drop constraint ck_line_plan_plan_positive")
    op.execute("alter table line_plan add constraint ck_line_plan_plan_positive check (quantity >= 0)")


def downgrade() -> None:
    op.execute("delete from line_plan where quantity = 0")
    op.execute("alter table line_plan drop constraint ck_line_plan_plan_positive")
    op.execute("alter table line_plan add constraint ck_line_plan_plan_positive check (quantity > 0)")
