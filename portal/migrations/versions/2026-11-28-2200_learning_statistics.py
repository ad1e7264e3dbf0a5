"""Statistics also for a table that was analysed while it was empty.

Revision ID: 0025
Revises: 0022
"""

from collections.abc import Sequence

from alembic import op

revision = "0025"
down_revision: str | None = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Somebody else's ANALYZE of the same table is as good as ours: nobody waits for it.
FUNCTION = """
create or replace function learn_statistics() returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
    declare
        name regclass;
    begin
        -- Without statistics the planner takes any index that begins with the tenant, also for foreign keys.
        for name in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public' and c.relkind = 'r' and c.reltuples {known} and pg_relation_size(c.oid) > 0
            order by c.oid
        loop
            execute format('analyze {skip}%s', name);
        end loop;
    end $$"""


def upgrade() -> None:
    op.execute(FUNCTION.format(known="<= 0", skip="(skip_locked) "))


def downgrade() -> None:
    op.execute(FUNCTION.format(known="< 0", skip=""))
