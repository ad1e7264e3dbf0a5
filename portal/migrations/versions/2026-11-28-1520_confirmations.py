"""Answers that differ from what was asked, what happens without one, and receiving hours.

Revision ID: 0011
Revises: 0010
"""

from collections.abc import Sequence

from alembic import op

revision = "0011"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

RULES = "'free', 'approval', 'forbidden'"
KINDS = ("quantity", "earlier", "later", "price")
TERMS = (
    *(
        f"deviation_{kind} varchar(24) constraint ck_contract_deviation_{kind} check (deviation_{kind} in ({RULES}))"
        for kind in KINDS
    ),
    "early_days integer",
    "late_days integer",
    "lapse varchar(24) constraint ck_contract_lapse"
    " check (lapse in ('nothing', 'remind', 'escalate', 'deemed', 'previous', 'percent'))",
    "lapse_percent numeric(5, 2)",
    "transit_days integer",
    "date_rule varchar(24) constraint ck_contract_daterule"
    " check (date_rule in ('earlier', 'later', 'nearest', 'keep'))",
)
ASKED = (
    "requested_quantity numeric(18, 6)",
    "deviation_id uuid",
    "lapsed_at timestamp with time zone",
    "deemed boolean not null default false",
)
ANSWERED = (
    "line_version integer not null default 0",
    "despatch_date date",
    "price numeric(18, 6)",
    "deviations varchar(60) not null default ''",
    "reason varchar(24) not null default ''",
    "note varchar(500) not null default ''",
    "channel varchar(8) not null default ''",
    "on_behalf boolean not null default false",
    "deemed boolean not null default false",
)
ADDED = {
    "contract": TERMS,
    "contract_line": ("transit_days integer",),
    "schedule_line": ASKED,
    "confirmation": ANSWERED,
}
TABLES = """
CREATE TABLE site_window (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    site_id UUID NOT NULL,
    weekday SMALLINT NOT NULL,
    opens SMALLINT NOT NULL,
    closes SMALLINT NOT NULL,
    CONSTRAINT pk_site_window PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_site_window_tenant_id_party_id_site_id_weekday_opens UNIQUE (tenant_id, party_id, site_id, weekday, opens),
    CONSTRAINT fk_site_window_tenant_id_party_id_site_id FOREIGN KEY(tenant_id, party_id, site_id) REFERENCES site (tenant_id, party_id, id),
    CONSTRAINT ck_site_window_open_before_close CHECK (closes > opens and weekday between 0 and 6)
);
CREATE TABLE site_calendar (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code VARCHAR(40) NOT NULL,
    weekdays SMALLINT[] NOT NULL,
    closed DATE[] NOT NULL,
    extra DATE[] NOT NULL,
    windows JSONB NOT NULL,
    CONSTRAINT pk_site_calendar PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_site_calendar_code ON site_calendar (tenant_id, code);
"""
# Every partner may know when the factory receives: its sites' calendars, never their names or reasons.
PUBLISH = """
insert into site_calendar (tenant_id, id, code, weekdays, closed, extra, windows)
select s.tenant_id, s.id, s.code, s.weekdays,
    coalesce(array_agg(d.day order by d.day) filter (where not d.working), '{}'),
    coalesce(array_agg(d.day order by d.day) filter (where d.working), '{}'), '[]'
from site s join tenant t on t.tenant_id = s.tenant_id and t.factory_party_id = s.party_id
left join site_day d on d.tenant_id = s.tenant_id and d.site_id = s.id
group by s.tenant_id, s.id, s.code, s.weekdays"""
# A partner's acceptance writes the agreed day and quantity; they can be nothing else than its valid promises say.
GUARD = """
create function partner_keeps_agreed() returns trigger language plpgsql as $$
declare
    last date;
    total numeric;
begin
    if current_user = 'portal_partner' then
        select max(delivery_date), sum(quantity) into last, total from public.confirmation
        where tenant_id = new.tenant_id and line_id = new.id and status = 'valid';
        if (new.due_date <> old.due_date and new.due_date is distinct from last)
            or (new.ordered_quantity <> old.ordered_quantity and new.ordered_quantity is distinct from total)
            or (new.price is distinct from old.price and not exists (
                select from public.confirmation where tenant_id = new.tenant_id and line_id = new.id
                and status = 'valid' and price = new.price)) then
            raise insufficient_privilege using message = 'what was asked is not the partner''s to change';
        end if;
    end if;
    return new;
end $$"""
STATES = "'needs_approval', 'valid', 'declined', 'replaced', 'closed'"
ANSWERS = "due_date, ordered_quantity, requested_quantity, deviation_id, lapsed_at, deemed, price"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for table, columns in ADDED.items():
        op.execute(f"alter table {table} " + ", ".join(f"add column {column}" for column in columns))
    _states(STATES)
    op.execute(
        "create index ix_schedule_line_asked on schedule_line (tenant_id, respond_by) where respond_by is not null"
    )
    op.execute("create index ix_schedule_line_decide on schedule_line (tenant_id, id) where deviation_id is not null")
    op.execute(GUARD)
    op.execute("revoke all on function partner_keeps_agreed() from public")
    op.execute(
        "create trigger partner_keeps_agreed before update of due_date, ordered_quantity, price on schedule_line"
        " for each row execute function partner_keeps_agreed()"
    )
    op.execute(f"grant update ({ANSWERS}) on schedule_line to portal_partner")
    op.execute("grant update (tolerance_used) on commitment_bucket to portal_partner")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(PUBLISH)
    for table in ("site_window", "site_calendar"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        _allow(table, "portal_factory", "tenant_id = app_tenant()")
        op.execute(f"grant select on {table} to portal_factory, portal_backup")
        op.execute(f"grant insert, update, delete on {table} to portal_factory")
    own = "tenant_id = app_tenant() and party_id = app_party()"
    _allow("site_window", "portal_partner", own)
    op.execute("grant select, insert, delete on site_window to portal_partner")
    op.execute(
        "create policy portal_partner_select on site_calendar for select to portal_partner"
        " using (tenant_id = app_tenant())"
    )
    op.execute("grant select on site_calendar to portal_partner")
    op.execute("grant insert, delete on site_day to portal_partner")
    op.execute("grant update (version) on site to portal_partner")


def _states(names: str) -> None:
    op.execute("alter table confirmation drop constraint ck_confirmation_confirmationstatus")
    op.execute(
        f"alter table confirmation add constraint ck_confirmation_confirmationstatus check (status in ({names}))"
    )


def _allow(table: str, role: str, rows: str) -> None:
    op.execute(f"create policy {role}_all on {table} for all to {role} using ({rows}) with check ({rows})")


def downgrade() -> None:
    op.execute("revoke update (version) on site from portal_partner")
    op.execute("revoke insert, delete on site_day from portal_partner")
    for table in ("site_calendar", "site_window"):
        op.execute(f"drop table {table}")
    op.execute("revoke update (tolerance_used) on commitment_bucket from portal_partner")
    op.execute(f"revoke update ({ANSWERS}) on schedule_line from portal_partner")
    op.execute("drop trigger partner_keeps_agreed on schedule_line")
    op.execute("drop function partner_keeps_agreed()")
    op.execute("drop index ix_schedule_line_decide")
    op.execute("drop index ix_schedule_line_asked")
    _states("'valid', 'replaced'")
    for table, columns in ADDED.items():
        op.execute(f"alter table {table} " + ", ".join(f"drop column {column.split()[0]}" for column in columns))
