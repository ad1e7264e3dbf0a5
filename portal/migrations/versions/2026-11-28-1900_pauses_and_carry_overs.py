"""Change requests that pause a span of days, and that carry a period's difference into a later one.

Revision ID: 0024
Revises: 0021
"""

from collections.abc import Sequence

from alembic import op

revision = "0024"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

WAYS = "'inside', 'firm', 'band', 'seller', 'terms'"
KINDS = "'change', 'split', 'add', 'cancel', 'pause', 'price'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    columns = "paused_from date, paused_until date, bucket_id uuid, to_bucket_id uuid, carried numeric(18, 6)"
    for column in columns.replace("18, 6", "18;6").split(", "):
        op.execute(f"alter table change_part add column {column.replace(';', ', ')}")
    for column in ("bucket_id", "to_bucket_id"):
        op.execute(
            f"alter table change_part add constraint fk_change_part_tenant_id_party_id_{column}"
            f" foreign key (tenant_id, party_id, {column}) references commitment_bucket (tenant_id, party_id, id)"
        )
    check("change_request", "way", f"way in ({WAYS}, 'carry')")
    check("change_part", "partkind", f"kind in ({KINDS}, 'carry_over')")
    check("change_part", "addition_has_no_line", "(line_id is null) = (kind in ('add', 'carry_over'))")
    add("change_part", "carried_between_two", "num_nulls(bucket_id, to_bucket_id, carried) in (0, 3)")
    add("change_part", "only_a_carry_over_has_periods", "(bucket_id is null) = (kind <> 'carry_over')")


def downgrade() -> None:
    """Requests about carry-overs go; what they carried stays in the ledger."""
    op.execute("set local row_security = off")
    op.execute("delete from change_part where kind = 'carry_over'")
    op.execute("update change_request set way = 'terms' where way = 'carry'")
    check("change_request", "way", f"way in ({WAYS})")
    check("change_part", "partkind", f"kind in ({KINDS})")
    check("change_part", "addition_has_no_line", "(line_id is null) = (kind = 'add')")
    for name in ("carried_between_two", "only_a_carry_over_has_periods"):
        op.execute(f"alter table change_part drop constraint ck_change_part_{name}")
    for column in ("carried", "to_bucket_id", "bucket_id", "paused_until", "paused_from"):
        op.execute(f"alter table change_part drop column {column}")


def check(table: str, name: str, condition: str) -> None:
    """Another condition in the place of the one of this name."""
    op.execute(f"alter table {table} drop constraint ck_{table}_{name}")
    add(table, name, condition)


def add(table: str, name: str, condition: str) -> None:
    op.execute(f"alter table {table} add constraint ck_{table}_{name} check ({condition})")
