"""An answer to an Idempotency-Key is forgotten after a month: nothing sends its request again by then.

Revision ID: 0044
Revises: 0043
"""

from collections.abc import Sequence

from alembic import op

revision = "0044"
down_revision: str | None = "0043"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Each company's keys are its own to read; a company that calls no more must not keep them for ever. In portions, so
# that the first time holds nobody up.
FORGET = """
create function forget_answers() returns integer
    language sql security definer set search_path = pg_catalog, pg_temp
    as $$
    with gone as (
        delete from public.idempotency i using (
            select tenant_id, id from public.idempotency
            where tenant_id = public.app_tenant() and created_at < now() - interval '30 days'
            order by created_at limit 10000
        ) old
        where i.tenant_id = old.tenant_id and i.id = old.id
        returning 1
    )
    select count(*)::integer from gone
    $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("create index ix_idempotency_created_at on idempotency (tenant_id, created_at)")
    op.execute(FORGET)
    op.execute("revoke all on function forget_answers() from public")
    op.execute("grant execute on function forget_answers() to portal_factory")


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("drop function forget_answers()")
    op.execute("drop index ix_idempotency_created_at")
