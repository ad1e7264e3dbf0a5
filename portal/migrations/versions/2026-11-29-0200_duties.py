"""Who answers a release in place of those who were asked; and the telephone that colleagues are told.

Revision ID: 0032
Revises: 0033
"""

from collections.abc import Sequence

from alembic import op

revision = "0032"
down_revision: str | None = "0033"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = """
CREATE TABLE duty (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    release_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    member_id UUID NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_duty PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_duty_tenant_id_party_id_release_id UNIQUE (tenant_id, party_id, release_id),
    CONSTRAINT fk_duty_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id)
        REFERENCES member (tenant_id, party_id, id)
)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(TABLE)
    op.execute("alter table duty enable row level security")
    op.execute("alter table duty force row level security")
    own = "tenant_id = app_tenant() and party_id = app_party()"
    for role in ("portal_factory", "portal_partner"):
        op.execute(f"create policy {role}_all on duty for all to {role} using ({own}) with check ({own})")
        op.execute(f"grant select, insert, update (member_id, taken_at) on duty to {role}")
    op.execute("grant select on duty to portal_backup")
    op.execute("alter table preference add column phone varchar(40) default '' not null")


def downgrade() -> None:
    op.execute("alter table preference drop column phone")
    op.execute("drop table duty")
