"""The first tables, their row-level policies, and the functions that need more than a policy.

Revision ID: 0001
Revises:
"""

from collections.abc import Sequence

from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

APPLICATION = ("portal_factory", "portal_partner")

# Which tables belong to which class of portal/core/tables.py.
SHARED = (
    "party", "site", "site_day", "member", "member_restriction", "api_key", "party_item", "contract", "contract_line",
    "contract_price", "schedule_line", "release", "release_line", "confirmation", "shipment", "shipment_line", "receipt",
    "receipt_line", "photo", "document_number",
)  # fmt: skip
PRIVATE = ("item", "delivery", "import_run", "contract_note")
IDENTITY = ("user_account", "membership", "user_session", "invitation_token", "api_key_token")

# What the factory may do beyond SELECT. Documents that prove something are never updated or deleted.
FACTORY = {
    "tenant": "update (name, time_zone, currency, language)",
    "party": "insert, update",
    "site": "insert, update",
    "site_day": "insert, update, delete",
    "member": "insert, update",
    "member_restriction": "insert, delete",
    "api_key": "insert, update",
    "party_item": "insert, update, delete",
    "item": "insert, update",
    "contract": "insert, update",
    "contract_line": "insert, update, delete",
    "contract_price": "insert, update, delete",
    "contract_note": "insert, update",
    "schedule_line": "insert, update, delete",
    "release": "insert",
    "release_line": "insert",
    "confirmation": "insert, update (status)",
    "shipment": "insert, update",
    "shipment_line": "insert",
    "receipt": "insert",
    "receipt_line": "insert",
    "photo": "insert",
    "document_number": "insert, update (last)",
    "timeline": "insert",
    "outbox": "insert, update (taken_at)",
    "audit": "insert (tenant_id, id, party_id, member_id, action, subject_id, data)",
    "delivery": "insert, update",
    "idempotency": "insert, update (status, body)",
    "import_run": "insert, update",
}
# What a partner may do beyond SELECT: answer, deliver, receive, and look after its own people.
PARTNER = {
    "member": "insert, update (name, role, status, restricted, version)",
    "member_restriction": "insert, delete",
    "api_key": "insert, update (revoked_at)",
    "contract": "update (status, accepted_by, accepted_at, version)",
    "schedule_line": "update (status, close_reason, promised_date, respond_by, reject_reason, supply_state, supply_note,"
    " confirmed_quantity, shipped_quantity, received_quantity, rejected_quantity, last_received_on, version)",
    "confirmation": "insert, update (status)",
    "shipment": "insert, update (status, carrier, vehicle, expected_on, note, version)",
    "shipment_line": "insert",
    "receipt": "insert",
    "receipt_line": "insert",
    "photo": "insert",
    "document_number": "insert, update (last)",
    "timeline": "insert",
    "outbox": "insert",
    "audit": "insert (tenant_id, id, party_id, member_id, action, subject_id, data)",
    "idempotency": "insert, update (status, body)",
}
# Rows of its own that a partner is not told of yet.
NOT_TOLD_YET = {"contract": "proposed_at is not null", "schedule_line": "status <> 'draft'"}
WRITE_ONLY_FOR_PARTNER = ("outbox", "audit")

FUNCTIONS = """
create function app_tenant() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.tenant_id', true), '')::uuid;;
create function app_party() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.party_id', true), '')::uuid;;
create function all_tenants() returns table (tenant_id uuid, factory_party_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$ select t.tenant_id, t.factory_party_id from public.tenant t order by t.tenant_id $$;;
create function pending_tenants() returns table (tenant_id uuid, factory_party_id uuid)
    language sql stable security definer set search_path = pg_catalog, pg_temp
    as $$
        select t.tenant_id, t.factory_party_id from public.tenant t
        where exists (select 1 from public.outbox o where o.tenant_id = t.tenant_id and o.taken_at is null)
           or exists (select 1 from public.delivery d
                      where d.tenant_id = t.tenant_id and d.done_at is null and d.next_try <= now())
           or exists (select 1 from public.audit a where a.tenant_id = t.tenant_id and a.seal is null)
    $$;;
create function seal_audit(max_rows integer) returns integer
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
    declare
        t uuid := public.app_tenant();
        no bigint;
        prev bytea;
        r record;
        n integer := 0;
    begin
        if t is null or not pg_try_advisory_xact_lock(hashtextextended('audit ' || t, 0)) then
            return 0;
        end if;
        select a.seal_no, a.seal into no, prev from public.audit a
            where a.tenant_id = t and a.seal_no is not null order by a.seal_no desc limit 1;
        no := coalesce(no, 0);
        prev := coalesce(prev, ''::bytea);
        for r in select * from public.audit a where a.tenant_id = t and a.seal is null order by a.id limit max_rows loop
            no := no + 1;
            n := n + 1;
            prev := sha256(prev || convert_to(concat_ws('|', no, r.tenant_id, r.id, r.party_id,
                coalesce(r.member_id::text, ''), r.action, r.subject_id, r.data, extract(epoch from r.at)), 'UTF8'));
            update public.audit a set seal_no = no, seal = prev where a.tenant_id = t and a.id = r.id;
        end loop;
        return n;
    end $$;;
create function learn_statistics() returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
    declare
        name regclass;
    begin
        -- Without statistics the planner takes any index that begins with the tenant, also for foreign keys.
        for name in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public' and c.relkind = 'r' and c.reltuples < 0 and pg_relation_size(c.oid) > 0
            order by c.oid
        loop
            execute format('analyze %s', name);
        end loop;
    end $$
"""

TABLES = """
CREATE TABLE api_key_token (
    id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    scope VARCHAR(24) NOT NULL,
    key_id UUID NOT NULL,
    CONSTRAINT pk_api_key_token PRIMARY KEY (id),
    CONSTRAINT uq_api_key_token_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_api_key_token_scope CHECK (scope IN ('factory', 'partner'))
);
CREATE TABLE audit (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID,
    action VARCHAR(60) NOT NULL,
    subject_id UUID NOT NULL,
    data JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    transaction BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
    seal_no BIGINT,
    seal BYTEA,
    CONSTRAINT pk_audit PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_audit_seal_no ON audit (tenant_id, seal_no);
CREATE INDEX ix_audit_subject_id ON audit (tenant_id, subject_id);
CREATE INDEX ix_audit_unsealed ON audit (tenant_id, id) WHERE seal is null;
CREATE TABLE delivery (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    outbox_id UUID NOT NULL,
    subscriber VARCHAR(60) NOT NULL,
    tries INTEGER NOT NULL,
    next_try TIMESTAMP WITH TIME ZONE,
    done_at TIMESTAMP WITH TIME ZONE,
    last_error VARCHAR(500) NOT NULL,
    CONSTRAINT pk_delivery PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_delivery_waiting ON delivery (tenant_id, next_try) WHERE done_at is null;
CREATE UNIQUE INDEX uq_delivery_event ON delivery (tenant_id, outbox_id, subscriber);
CREATE TABLE document_number (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    kind VARCHAR(24) NOT NULL,
    last INTEGER NOT NULL,
    CONSTRAINT pk_document_number PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_document_number_tenant_id_party_id_kind UNIQUE (tenant_id, party_id, kind)
);
CREATE TABLE idempotency (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    key VARCHAR(120) NOT NULL,
    request_hash VARCHAR(64) NOT NULL,
    status INTEGER NOT NULL,
    body VARCHAR NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_idempotency_tenant_id_party_id_key UNIQUE (tenant_id, party_id, key)
);
CREATE TABLE import_run (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind VARCHAR(24) NOT NULL,
    filename VARCHAR(200) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    status VARCHAR(12) NOT NULL,
    rows INTEGER NOT NULL,
    done INTEGER NOT NULL,
    result JSONB NOT NULL,
    created_by UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_import_run PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_import_run_created_at_id ON import_run (tenant_id, created_at, id);
CREATE TABLE invitation_token (
    id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    scope VARCHAR(24) NOT NULL,
    member_id UUID NOT NULL,
    email VARCHAR(254) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_invitation_token PRIMARY KEY (id),
    CONSTRAINT uq_invitation_token_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_invitation_token_scope CHECK (scope IN ('factory', 'partner'))
);
CREATE TABLE item (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code VARCHAR(60) NOT NULL,
    description VARCHAR(300) NOT NULL,
    revision VARCHAR(20) NOT NULL,
    unit VARCHAR(3) NOT NULL,
    category VARCHAR(80) NOT NULL,
    source VARCHAR(20),
    version INTEGER NOT NULL,
    CONSTRAINT pk_item PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_item_tenant_id_code UNIQUE (tenant_id, code)
);
CREATE TABLE outbox (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    name VARCHAR(60) NOT NULL,
    data JSONB NOT NULL,
    member_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE,
    transaction BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_outbox_waiting ON outbox (tenant_id, id) WHERE taken_at is null;
CREATE TABLE party (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    code VARCHAR(40) NOT NULL,
    name VARCHAR(200) NOT NULL,
    country VARCHAR(80) NOT NULL,
    is_factory BOOLEAN NOT NULL,
    is_customer BOOLEAN NOT NULL,
    is_supplier BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_party PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_party_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_party_tenant_id_party_id UNIQUE (tenant_id, party_id),
    CONSTRAINT uq_party_tenant_id_party_id_code UNIQUE (tenant_id, party_id, code),
    CONSTRAINT ck_party_is_its_own CHECK (id = party_id)
);
CREATE TABLE tenant (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code VARCHAR(40) NOT NULL,
    name VARCHAR(200) NOT NULL,
    factory_party_id UUID NOT NULL,
    time_zone VARCHAR(64) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    language VARCHAR(24) NOT NULL,
    CONSTRAINT pk_tenant PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_tenant_is_its_own CHECK (id = tenant_id),
    CONSTRAINT ck_tenant_language CHECK (language IN ('en', 'zh-CN'))
);
CREATE TABLE timeline (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    subject VARCHAR(24) NOT NULL,
    subject_id UUID NOT NULL,
    contract_id UUID,
    verb VARCHAR(40) NOT NULL,
    version INTEGER NOT NULL,
    member_id UUID,
    member_name VARCHAR(120) NOT NULL,
    scope VARCHAR(8) NOT NULL,
    channel VARCHAR(8) NOT NULL,
    data JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    transaction BIGINT DEFAULT (pg_current_xact_id()::text)::bigint NOT NULL,
    CONSTRAINT pk_timeline PRIMARY KEY (tenant_id, id)
);
CREATE INDEX ix_timeline_party_id_id ON timeline (tenant_id, party_id, id);
CREATE INDEX ix_timeline_subject_id_id ON timeline (tenant_id, subject_id, id);
CREATE TABLE user_account (
    id UUID NOT NULL,
    email VARCHAR(254) NOT NULL,
    name VARCHAR(120) NOT NULL,
    password_hash VARCHAR(200) NOT NULL,
    language VARCHAR(24),
    is_instance_admin BOOLEAN NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_user_account PRIMARY KEY (id),
    CONSTRAINT uq_user_account_email UNIQUE (email),
    CONSTRAINT ck_user_account_language CHECK (language IN ('en', 'zh-CN'))
);
CREATE TABLE api_key (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    name VARCHAR(120) NOT NULL,
    prefix VARCHAR(16) NOT NULL,
    role VARCHAR(24) NOT NULL,
    scopes JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by UUID,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_key PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_api_key_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_api_key_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_api_key_role CHECK (role IN ('admin', 'planner', 'buyer', 'sales', 'warehouse', 'production', 'finance', 'auditor', 'viewer', 'partner_admin', 'clerk'))
);
CREATE TABLE contract (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    number VARCHAR(60) NOT NULL,
    direction VARCHAR(24) NOT NULL,
    kind VARCHAR(24) NOT NULL,
    status VARCHAR(24) NOT NULL,
    title VARCHAR(200) NOT NULL,
    party_name VARCHAR(200) NOT NULL,
    partner_reference VARCHAR(60) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    time_zone VARCHAR(64) NOT NULL,
    response_hours INTEGER NOT NULL,
    release_no INTEGER NOT NULL,
    released_on DATE,
    last_line_no INTEGER NOT NULL,
    proposed_by UUID,
    proposed_at TIMESTAMP WITH TIME ZONE,
    accepted_by UUID,
    accepted_at TIMESTAMP WITH TIME ZONE,
    source VARCHAR(20),
    external_id VARCHAR(120),
    version INTEGER NOT NULL,
    CONSTRAINT pk_contract PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_contract_tenant_id_party_id_number UNIQUE (tenant_id, party_id, number),
    CONSTRAINT uq_contract_tenant_id_party_id_source_external_id UNIQUE (tenant_id, party_id, source, external_id),
    CONSTRAINT fk_contract_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_contract_valid_to_after_from CHECK (valid_to is null or valid_to >= valid_from),
    CONSTRAINT ck_contract_direction CHECK (direction IN ('sale', 'purchase')),
    CONSTRAINT ck_contract_contractkind CHECK (kind IN ('periodic', 'annual', 'strategic', 'long_term')),
    CONSTRAINT ck_contract_contractstatus CHECK (status IN ('draft', 'proposed', 'accepted', 'active', 'completed'))
);
CREATE INDEX ix_contract_status_id ON contract (tenant_id, status, id);
CREATE TABLE contract_note (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    contract_id UUID NOT NULL,
    reference VARCHAR(60) NOT NULL,
    note VARCHAR(500) NOT NULL,
    CONSTRAINT pk_contract_note PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_note_tenant_id_contract_id UNIQUE (tenant_id, contract_id),
    CONSTRAINT fk_contract_note_tenant_id_contract_id FOREIGN KEY(tenant_id, contract_id) REFERENCES contract (tenant_id, id)
);
CREATE INDEX ix_contract_note_reference ON contract_note (tenant_id, reference);
CREATE TABLE member (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    email VARCHAR(254) NOT NULL,
    name VARCHAR(120) NOT NULL,
    role VARCHAR(24) NOT NULL,
    status VARCHAR(24) NOT NULL,
    restricted BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_member PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_member_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_member_tenant_id_party_id_email UNIQUE (tenant_id, party_id, email),
    CONSTRAINT fk_member_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_member_role CHECK (role IN ('admin', 'planner', 'buyer', 'sales', 'warehouse', 'production', 'finance', 'auditor', 'viewer', 'partner_admin', 'clerk')),
    CONSTRAINT ck_member_memberstatus CHECK (status IN ('invited', 'active', 'removed'))
);
CREATE TABLE membership (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    scope VARCHAR(24) NOT NULL,
    member_id UUID NOT NULL,
    CONSTRAINT pk_membership PRIMARY KEY (id),
    CONSTRAINT uq_membership_user_id_tenant_id_party_id UNIQUE (user_id, tenant_id, party_id),
    CONSTRAINT uq_membership_tenant_id_member_id UNIQUE (tenant_id, member_id),
    CONSTRAINT fk_membership_user_id FOREIGN KEY(user_id) REFERENCES user_account (id),
    CONSTRAINT ck_membership_scope CHECK (scope IN ('factory', 'partner'))
);
CREATE TABLE party_item (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    item_id UUID NOT NULL,
    part_no VARCHAR(60) NOT NULL,
    CONSTRAINT pk_party_item PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_party_item_tenant_id_party_id_item_id_part_no UNIQUE (tenant_id, party_id, item_id, part_no),
    CONSTRAINT fk_party_item_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT fk_party_item_tenant_id_item_id FOREIGN KEY(tenant_id, item_id) REFERENCES item (tenant_id, id)
);
CREATE TABLE shipment (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    number VARCHAR(60) NOT NULL,
    year INTEGER NOT NULL,
    direction VARCHAR(24) NOT NULL,
    status VARCHAR(24) NOT NULL,
    order_no VARCHAR(40) NOT NULL,
    shipped_on DATE NOT NULL,
    expected_on DATE,
    carrier VARCHAR(120) NOT NULL,
    vehicle VARCHAR(60) NOT NULL,
    ship_to_code VARCHAR(40) NOT NULL,
    note VARCHAR(500) NOT NULL,
    scan_token VARCHAR(32) NOT NULL,
    source VARCHAR(20),
    version INTEGER NOT NULL,
    CONSTRAINT pk_shipment PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_shipment_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_shipment_tenant_id_party_id_direction_number_year UNIQUE (tenant_id, party_id, direction, number, year),
    CONSTRAINT fk_shipment_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_shipment_direction CHECK (direction IN ('sale', 'purchase')),
    CONSTRAINT ck_shipment_shipmentstatus CHECK (status IN ('draft', 'sent', 'partly_received', 'received', 'closed', 'withdrawn'))
);
CREATE INDEX ix_shipment_number ON shipment (tenant_id, number);
CREATE INDEX ix_shipment_on_the_way ON shipment (tenant_id, shipped_on, id) WHERE status in ('sent', 'partly_received');
CREATE INDEX ix_shipment_party_id_shipped_on_id ON shipment (tenant_id, party_id, shipped_on, id);
CREATE INDEX ix_shipment_scan_token ON shipment (tenant_id, scan_token);
CREATE INDEX ix_shipment_shipped_on_id ON shipment (tenant_id, shipped_on, id);
CREATE TABLE site (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    code VARCHAR(40) NOT NULL,
    name VARCHAR(200) NOT NULL,
    country VARCHAR(80) NOT NULL,
    address VARCHAR(300) NOT NULL,
    time_zone VARCHAR(64) NOT NULL,
    weekdays SMALLINT[] NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_site PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_site_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_site_tenant_id_party_id_code UNIQUE (tenant_id, party_id, code),
    CONSTRAINT fk_site_tenant_id_party_id FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id)
);
CREATE TABLE contract_line (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    line_no INTEGER NOT NULL,
    item_id UUID NOT NULL,
    item_code VARCHAR(60) NOT NULL,
    description VARCHAR(300) NOT NULL,
    revision VARCHAR(20) NOT NULL,
    partner_part_no VARCHAR(60) NOT NULL,
    unit VARCHAR(3) NOT NULL,
    foq NUMERIC(18, 6),
    cadence VARCHAR(24),
    target_quantity NUMERIC(18, 6),
    band_below_percent NUMERIC(5, 2) NOT NULL,
    band_above_percent NUMERIC(5, 2) NOT NULL,
    pack_size NUMERIC(18, 6) NOT NULL,
    minimum_order NUMERIC(18, 6) NOT NULL,
    under_percent NUMERIC(5, 2) NOT NULL,
    over_percent NUMERIC(5, 2) NOT NULL,
    firm_days INTEGER NOT NULL,
    tradeoff_days INTEGER NOT NULL,
    day_unit VARCHAR(24) NOT NULL,
    delivery_weekdays SMALLINT[] NOT NULL,
    ship_to_code VARCHAR(40) NOT NULL,
    ship_to_country VARCHAR(80) NOT NULL,
    ship_to_address VARCHAR(300) NOT NULL,
    unloading_point VARCHAR(60) NOT NULL,
    receiving_window VARCHAR(40) NOT NULL,
    cumulative_from DATE,
    generated_until DATE,
    carried_remainder NUMERIC(18, 6) NOT NULL,
    external_id VARCHAR(200),
    version INTEGER NOT NULL,
    CONSTRAINT pk_contract_line PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_line_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_contract_line_tenant_id_party_id_contract_id_line_no UNIQUE (tenant_id, party_id, contract_id, line_no),
    CONSTRAINT fk_contract_line_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_contract_line_tenant_id_item_id FOREIGN KEY(tenant_id, item_id) REFERENCES item (tenant_id, id),
    CONSTRAINT ck_contract_line_foq_with_cadence CHECK ((foq is null) = (cadence is null)),
    CONSTRAINT ck_contract_line_positive CHECK (foq > 0 and pack_size > 0),
    CONSTRAINT ck_contract_line_zones_in_order CHECK (firm_days >= 0 and tradeoff_days >= firm_days),
    CONSTRAINT ck_contract_line_cadence CHECK (cadence IN ('week', 'month', 'quarter')),
    CONSTRAINT ck_contract_line_dayunit CHECK (day_unit IN ('calendar', 'working'))
);
CREATE INDEX ix_contract_line_contract_id ON contract_line (tenant_id, contract_id);
CREATE TABLE member_restriction (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    member_id UUID NOT NULL,
    contract_id UUID,
    ship_to_code VARCHAR(40),
    CONSTRAINT pk_member_restriction PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_member_restriction_tenant_id_party_id_member_id_cont_e616 UNIQUE (tenant_id, party_id, member_id, contract_id, ship_to_code),
    CONSTRAINT fk_member_restriction_tenant_id_party_id_member_id FOREIGN KEY(tenant_id, party_id, member_id) REFERENCES member (tenant_id, party_id, id),
    CONSTRAINT ck_member_restriction_contract_or_site CHECK ((contract_id is null) <> (ship_to_code is null))
);
CREATE TABLE receipt (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    number VARCHAR(60) NOT NULL,
    shipment_id UUID NOT NULL,
    received_on DATE NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    member_id UUID,
    note VARCHAR(500) NOT NULL,
    corrects_id UUID,
    source VARCHAR(20),
    CONSTRAINT pk_receipt PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_receipt_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_receipt_tenant_id_party_id_number UNIQUE (tenant_id, party_id, number),
    CONSTRAINT uq_receipt_tenant_id_party_id_corrects_id UNIQUE (tenant_id, party_id, corrects_id),
    CONSTRAINT fk_receipt_tenant_id_party_id_shipment_id FOREIGN KEY(tenant_id, party_id, shipment_id) REFERENCES shipment (tenant_id, party_id, id),
    CONSTRAINT fk_receipt_tenant_id_party_id_corrects_id FOREIGN KEY(tenant_id, party_id, corrects_id) REFERENCES receipt (tenant_id, party_id, id)
);
CREATE INDEX ix_receipt_party_id_received_on_id ON receipt (tenant_id, party_id, received_on, id);
CREATE INDEX ix_receipt_received_on_id ON receipt (tenant_id, received_on, id);
CREATE INDEX ix_receipt_shipment_id ON receipt (tenant_id, shipment_id);
CREATE TABLE release (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    number INTEGER NOT NULL,
    calculated_on DATE NOT NULL,
    horizon_end DATE NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_by VARCHAR(120) NOT NULL,
    note VARCHAR(300) NOT NULL,
    CONSTRAINT pk_release PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_release_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_release_tenant_id_party_id_contract_id_number UNIQUE (tenant_id, party_id, contract_id, number),
    CONSTRAINT fk_release_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id)
);
CREATE TABLE site_day (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    site_id UUID NOT NULL,
    day DATE NOT NULL,
    working BOOLEAN NOT NULL,
    name VARCHAR(80) NOT NULL,
    CONSTRAINT pk_site_day PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_site_day_tenant_id_party_id_site_id_day UNIQUE (tenant_id, party_id, site_id, day),
    CONSTRAINT fk_site_day_tenant_id_party_id_site_id FOREIGN KEY(tenant_id, party_id, site_id) REFERENCES site (tenant_id, party_id, id)
);
CREATE TABLE user_session (
    id UUID NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    user_id UUID NOT NULL,
    membership_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    agent VARCHAR(200) NOT NULL,
    CONSTRAINT pk_user_session PRIMARY KEY (id),
    CONSTRAINT uq_user_session_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_user_session_user_id FOREIGN KEY(user_id) REFERENCES user_account (id),
    CONSTRAINT fk_user_session_membership_id FOREIGN KEY(membership_id) REFERENCES membership (id)
);
CREATE INDEX ix_user_session_user_id ON user_session (user_id);
CREATE TABLE contract_price (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    valid_from DATE NOT NULL,
    order_no VARCHAR(40) NOT NULL,
    price NUMERIC(18, 6) NOT NULL,
    price_unit NUMERIC(18, 6) NOT NULL,
    CONSTRAINT pk_contract_price PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_contract_price_tenant_id_party_id_contract_line_id_v_6468 UNIQUE (tenant_id, party_id, contract_line_id, valid_from, order_no, price),
    CONSTRAINT fk_contract_price_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT ck_contract_price_not_negative CHECK (price >= 0 and price_unit > 0)
);
CREATE TABLE photo (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    receipt_id UUID NOT NULL,
    digest VARCHAR(64) NOT NULL,
    content_type VARCHAR(40) NOT NULL,
    size INTEGER NOT NULL,
    CONSTRAINT pk_photo PRIMARY KEY (tenant_id, id),
    CONSTRAINT fk_photo_tenant_id_party_id_receipt_id FOREIGN KEY(tenant_id, party_id, receipt_id) REFERENCES receipt (tenant_id, party_id, id)
);
CREATE INDEX ix_photo_receipt_id ON photo (tenant_id, receipt_id);
CREATE TABLE schedule_line (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    line_no INTEGER NOT NULL,
    order_no VARCHAR(40) NOT NULL,
    order_date DATE,
    due_date DATE NOT NULL,
    requested_date DATE NOT NULL,
    promised_date DATE,
    period_start DATE,
    unit VARCHAR(3) NOT NULL,
    ordered_quantity NUMERIC(18, 6) NOT NULL,
    under_percent NUMERIC(5, 2) NOT NULL,
    over_percent NUMERIC(5, 2) NOT NULL,
    status VARCHAR(24) NOT NULL,
    close_reason VARCHAR(24),
    zone VARCHAR(24),
    level VARCHAR(24),
    release_line_id UUID,
    respond_by TIMESTAMP WITH TIME ZONE,
    reject_reason VARCHAR(24) NOT NULL,
    supply_state VARCHAR(24) NOT NULL,
    supply_note VARCHAR(200) NOT NULL,
    confirmed_quantity NUMERIC(18, 6) NOT NULL,
    shipped_quantity NUMERIC(18, 6) NOT NULL,
    received_quantity NUMERIC(18, 6) NOT NULL,
    rejected_quantity NUMERIC(18, 6) NOT NULL,
    last_received_on DATE,
    price NUMERIC(18, 6),
    stated_value NUMERIC(18, 6),
    ship_to_code VARCHAR(40) NOT NULL,
    source VARCHAR(20),
    external_id VARCHAR(120),
    payload_hash VARCHAR(64),
    version INTEGER NOT NULL,
    CONSTRAINT pk_schedule_line PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_schedule_line_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT uq_schedule_line_tenant_id_party_id_contract_id_line_no UNIQUE (tenant_id, party_id, contract_id, line_no),
    CONSTRAINT uq_schedule_line_tenant_id_party_id_source_external_id UNIQUE (tenant_id, party_id, source, external_id),
    CONSTRAINT fk_schedule_line_tenant_id_party_id_contract_id FOREIGN KEY(tenant_id, party_id, contract_id) REFERENCES contract (tenant_id, party_id, id),
    CONSTRAINT fk_schedule_line_tenant_id_party_id_contract_line_id FOREIGN KEY(tenant_id, party_id, contract_line_id) REFERENCES contract_line (tenant_id, party_id, id),
    CONSTRAINT ck_schedule_line_ordered_positive CHECK (ordered_quantity > 0),
    CONSTRAINT ck_schedule_line_linestatus CHECK (status IN ('draft', 'published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected', 'closed', 'cancelled')),
    CONSTRAINT ck_schedule_line_closereason CHECK (close_reason IN ('complete', 'short', 'agreed', 'cancelled')),
    CONSTRAINT ck_schedule_line_zone CHECK (zone IN ('firm', 'tradeoff', 'forecast')),
    CONSTRAINT ck_schedule_line_level CHECK (level IN ('firm', 'make', 'buy', 'plan', 'backlog', 'immediate', 'pilot')),
    CONSTRAINT ck_schedule_line_supplystate CHECK (supply_state IN ('unknown', 'secured', 'at_risk'))
);
CREATE INDEX ix_schedule_line_contract_line_id_due_date ON schedule_line (tenant_id, contract_line_id, due_date);
CREATE INDEX ix_schedule_line_due_date_id ON schedule_line (tenant_id, due_date, id);
CREATE INDEX ix_schedule_line_open ON schedule_line (tenant_id, due_date, id) WHERE status in ('published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected');
CREATE INDEX ix_schedule_line_party_id_due_date_id ON schedule_line (tenant_id, party_id, due_date, id);
CREATE TABLE confirmation (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    line_id UUID NOT NULL,
    release_line_id UUID,
    command_id UUID NOT NULL,
    delivery_date DATE NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    status VARCHAR(24) NOT NULL,
    member_id UUID,
    CONSTRAINT pk_confirmation PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_confirmation_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_confirmation_tenant_id_party_id_line_id FOREIGN KEY(tenant_id, party_id, line_id) REFERENCES schedule_line (tenant_id, party_id, id),
    CONSTRAINT ck_confirmation_promise_positive CHECK (quantity > 0),
    CONSTRAINT ck_confirmation_confirmationstatus CHECK (status IN ('valid', 'replaced'))
);
CREATE INDEX ix_confirmation_line_id ON confirmation (tenant_id, line_id);
CREATE TABLE release_line (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    release_id UUID NOT NULL,
    schedule_line_id UUID NOT NULL,
    contract_line_id UUID NOT NULL,
    due_date DATE NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    zone VARCHAR(24) NOT NULL,
    level VARCHAR(24) NOT NULL,
    CONSTRAINT pk_release_line PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_release_line_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_release_line_tenant_id_party_id_release_id FOREIGN KEY(tenant_id, party_id, release_id) REFERENCES release (tenant_id, party_id, id),
    CONSTRAINT fk_release_line_tenant_id_party_id_schedule_line_id FOREIGN KEY(tenant_id, party_id, schedule_line_id) REFERENCES schedule_line (tenant_id, party_id, id),
    CONSTRAINT ck_release_line_zone CHECK (zone IN ('firm', 'tradeoff', 'forecast')),
    CONSTRAINT ck_release_line_level CHECK (level IN ('firm', 'make', 'buy', 'plan', 'backlog', 'immediate', 'pilot'))
);
CREATE INDEX ix_release_line_release_id ON release_line (tenant_id, release_id);
CREATE INDEX ix_release_line_schedule_line_id ON release_line (tenant_id, schedule_line_id);
CREATE TABLE shipment_line (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    shipment_id UUID NOT NULL,
    schedule_line_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    line_no INTEGER NOT NULL,
    quantity NUMERIC(18, 6) NOT NULL,
    unit VARCHAR(3) NOT NULL,
    lot VARCHAR(60) NOT NULL,
    packages INTEGER,
    package_size NUMERIC(18, 6),
    CONSTRAINT pk_shipment_line PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_shipment_line_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_shipment_line_tenant_id_party_id_shipment_id FOREIGN KEY(tenant_id, party_id, shipment_id) REFERENCES shipment (tenant_id, party_id, id),
    CONSTRAINT fk_shipment_line_tenant_id_party_id_schedule_line_id FOREIGN KEY(tenant_id, party_id, schedule_line_id) REFERENCES schedule_line (tenant_id, party_id, id),
    CONSTRAINT ck_shipment_line_shipped_positive CHECK (quantity > 0)
);
CREATE INDEX ix_shipment_line_schedule_line_id ON shipment_line (tenant_id, schedule_line_id);
CREATE INDEX ix_shipment_line_shipment_id ON shipment_line (tenant_id, shipment_id);
CREATE TABLE receipt_line (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    party_id UUID NOT NULL,
    receipt_id UUID NOT NULL,
    shipment_line_id UUID NOT NULL,
    schedule_line_id UUID NOT NULL,
    contract_id UUID NOT NULL,
    announced NUMERIC(18, 6) NOT NULL,
    counted NUMERIC(18, 6) NOT NULL,
    accepted NUMERIC(18, 6) NOT NULL,
    rejected NUMERIC(18, 6) NOT NULL,
    short NUMERIC(18, 6) NOT NULL,
    unit VARCHAR(3) NOT NULL,
    problem VARCHAR(24),
    note VARCHAR(500) NOT NULL,
    CONSTRAINT pk_receipt_line PRIMARY KEY (tenant_id, id),
    CONSTRAINT uq_receipt_line_tenant_id_party_id_id UNIQUE (tenant_id, party_id, id),
    CONSTRAINT fk_receipt_line_tenant_id_party_id_receipt_id FOREIGN KEY(tenant_id, party_id, receipt_id) REFERENCES receipt (tenant_id, party_id, id),
    CONSTRAINT fk_receipt_line_tenant_id_party_id_shipment_line_id FOREIGN KEY(tenant_id, party_id, shipment_line_id) REFERENCES shipment_line (tenant_id, party_id, id),
    CONSTRAINT fk_receipt_line_tenant_id_party_id_schedule_line_id FOREIGN KEY(tenant_id, party_id, schedule_line_id) REFERENCES schedule_line (tenant_id, party_id, id),
    CONSTRAINT ck_receipt_line_counted_adds_up CHECK (counted = accepted + rejected and accepted >= 0 and rejected >= 0),
    CONSTRAINT ck_receipt_line_problem CHECK (problem IN ('not_on_truck', 'damaged', 'wrong_part', 'counted_again'))
);
CREATE INDEX ix_receipt_line_receipt_id ON receipt_line (tenant_id, receipt_id);
CREATE INDEX ix_receipt_line_schedule_line_id ON receipt_line (tenant_id, schedule_line_id);
CREATE INDEX ix_receipt_line_shipment_line_id ON receipt_line (tenant_id, shipment_line_id);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for statement in FUNCTIONS.split(";;\n"):
        op.execute(statement)
    op.execute("revoke all on all functions in schema public from public")
    op.execute("grant execute on function app_tenant(), app_party() to portal_factory, portal_partner")
    op.execute("grant execute on function all_tenants(), pending_tenants(), seal_audit(integer) to portal_factory")
    op.execute("grant execute on function learn_statistics() to portal_factory")
    op.execute("grant usage on schema public to portal_factory, portal_partner, portal_identity, portal_backup")
    op.execute("grant select on all tables in schema public to portal_backup")
    for table in (*SHARED, "timeline"):
        both(table, partner_reads=True, only=NOT_TOLD_YET.get(table, ""))
    both("idempotency", partner_reads=True, factory_party=True)
    both("tenant", partner_reads=True, party=False)
    for table in PRIVATE:
        secure(table)
        allow(table, "portal_factory", "all", "tenant_id = app_tenant()")
    for table in WRITE_ONLY_FOR_PARTNER:
        both(table, partner_reads=False)
    for table in IDENTITY:
        op.execute(f"grant select, insert, update, delete on {table} to portal_identity")
    for table, rights in FACTORY.items():
        op.execute(f"grant select on {table} to portal_factory")
        op.execute(f"grant {rights} on {table} to portal_factory")
    op.execute("grant select on release, release_line to portal_factory")
    for table, rights in PARTNER.items():
        op.execute(f"grant {rights} on {table} to portal_partner")


def secure(table: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")


def allow(table: str, role: str, what: str, rows: str) -> None:
    check = "" if what == "select" else f" with check ({rows})"
    using = "" if what == "insert" else f" using ({rows})"
    op.execute(f"create policy {role}_{what} on {table} for {what} to {role}{using}{check}")


def both(table: str, *, partner_reads: bool, party: bool = True, factory_party: bool = False, only: str = "") -> None:
    secure(table)
    own = "tenant_id = app_tenant() and party_id = app_party()"
    allow(table, "portal_factory", "all", own if factory_party else "tenant_id = app_tenant()")
    if not partner_reads:
        allow(table, "portal_partner", "insert", own)
        return
    op.execute(f"grant select on {table} to portal_partner")
    own += f" and {only}" if only else ""
    allow(table, "portal_partner", "all" if party else "select", own if party else "tenant_id = app_tenant()")


def downgrade() -> None:
    for line in reversed([line for line in TABLES.splitlines() if line.startswith("CREATE TABLE ")]):
        op.execute(f"drop table {line.split()[2]}")
    op.execute("drop function seal_audit(integer)")
    for function in ("learn_statistics", "pending_tenants", "all_tenants", "app_party", "app_tenant"):
        op.execute(f"drop function {function}()")
    op.execute("revoke usage on schema public from portal_factory, portal_partner, portal_identity, portal_backup")
