"""The statements by which a staged SCMS file becomes rows, parents first. $1 is the tenant everywhere.

Zones count from the release date with the contract lines' 28 and 63 calendar days. A delivered line goes from published
to closed by its receipt, without a confirmation; its sums are those of its one shipment line and one receipt line.
"""

PREPARE = "set local jit = off; set local work_mem = '64MB'"
LOCK = "select pg_advisory_xact_lock(hashtextextended('scms import ' || $1, 0))"  # one import a tenant at a time
# The first large import of a fresh database: each table whose rows others refer to is analysed as soon as it is filled,
# else every foreign key is checked by a walk over the tenant's rows.
LEARN = "select learn_statistics()"

PRICES = """
insert into contract_price (tenant_id, id, party_id, contract_line_id, valid_from, order_no, price, price_unit,
    tier, from_quantity)
select $1, p.id, k.party_id, k.id, p.order_date, p.order_no, p.price, 1, 'all', 0
from scms_price p join scms_contract_line k on k.n = p.contract_line
on conflict (tenant_id, party_id, contract_line_id, valid_from, order_no, from_quantity, price) do nothing"""

RELEASES = """
insert into release (tenant_id, id, party_id, contract_id, number, calculated_on, horizon_end, published_at,
    published_by, note)
select $1, r.id, c.party_id, r.contract_id, r.number, $2::date, greatest(r.valid_to, $2::date), $3, $4, ''
from scms_release r join contract c on c.tenant_id = $1 and c.id = r.contract_id"""

CONTRACTS = """
update contract c set release_no = r.number, released_on = $2, last_line_no = r.last_line_no,
    valid_from = least(c.valid_from, r.valid_from), valid_to = greatest(c.valid_to, r.valid_to),
    version = c.version + case when r.known then 1 else 0 end
from scms_release r where c.tenant_id = $1 and c.id = r.contract_id"""

SCHEDULE_LINES = """
insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no, order_date,
    due_date, requested_date, unit, ordered_quantity, under_percent, over_percent, status, close_reason, zone, level,
    release_line_id, respond_by, reject_reason, supply_state, supply_note, confirmed_quantity, shipped_quantity,
    received_quantity, rejected_quantity, last_received_on, price, stated_value, ship_to_code, source, external_id,
    payload_hash, version)
select $1, s.id, k.party_id, k.contract_id, k.id, s.line_no, s.order_no, s.order_date, s.due, s.due, k.unit, s.quantity,
    0, 0, case when s.received_on is not null then 'closed' when s.proposed then 'proposed' else 'published' end,
    case when s.received_on is not null then 'complete' end,
    case when s.due <= $2::date + 28 then 'firm' when s.due <= $2::date + 63 then 'tradeoff' else 'forecast' end,
    case when s.due <= $2::date and s.received_on is null then 'immediate' when s.due <= $2::date + 28 then 'firm'
        when s.due <= $2::date + 63 then 'make' else 'plan' end,
    s.release_line_id, case when s.proposed then $3::timestamptz end, '', 'unknown', '', 0,
    case when s.shipment is not null then s.quantity else 0 end,
    case when s.received_on is not null then s.quantity else 0 end, 0, s.received_on, s.price, s.value, k.code, $4,
    s.external_id, s.hash, 1
from scms_line s join scms_contract_line k on k.n = s.contract_line"""

RELEASE_LINES = """
insert into release_line (tenant_id, id, party_id, release_id, schedule_line_id, contract_line_id, due_date, quantity,
    zone, level)
select $1, s.release_line_id, k.party_id, r.id, s.id, k.id, s.due, s.quantity,
    case when s.due <= $2::date + 28 then 'firm' when s.due <= $2::date + 63 then 'tradeoff' else 'forecast' end,
    case when s.due <= $2::date and s.received_on is null then 'immediate' when s.due <= $2::date + 28 then 'firm'
        when s.due <= $2::date + 63 then 'make' else 'plan' end
from scms_line s
join scms_contract_line k on k.n = s.contract_line
join scms_release r on r.contract_id = k.contract_id"""

# A release replaces the one before, so what was open in a contract known before stands in the new one too.
CARRIED_LINES = """
with carried as (
    update schedule_line l set release_line_id = gen_random_uuid(), version = l.version + 1
    from scms_release r
    where r.known and l.tenant_id = $1 and l.contract_id = r.contract_id
        and l.status in ('published', 'proposed', 'partly_confirmed', 'confirmed', 'rejected')
        and not exists (select from scms_line s where s.id = l.id)
    returning l.id, l.party_id, l.release_line_id, r.id as release_id, l.contract_line_id, l.due_date,
        l.ordered_quantity, l.zone, l.level)
insert into release_line (tenant_id, id, party_id, release_id, schedule_line_id, contract_line_id, due_date, quantity,
    zone, level)
select $1, release_line_id, party_id, release_id, id, contract_line_id, due_date, ordered_quantity, zone, level
from carried"""

SHIPMENTS = """
insert into shipment (tenant_id, id, party_id, number, year, direction, status, order_no, shipped_on, expected_on,
    carrier, vehicle, ship_to_code, note, scan_token, source, version)
select $1, s.id, k.party_id, s.number, extract(year from s.shipped_on), k.direction,
    case when s.received_on is null then 'sent' else 'received' end, s.order_no, s.shipped_on,
    case when s.received_on is null then greatest(s.due, s.shipped_on) end, s.carrier, '', k.code, s.note, s.token, $2,
    1
from scms_shipment s
join (select distinct contract, party_id, direction, code from scms_contract_line) k on k.contract = s.contract
where s.new"""

SHIPMENT_LINES = """
insert into shipment_line (tenant_id, id, party_id, shipment_id, schedule_line_id, contract_id, line_no, quantity, unit,
    lot)
select $1, s.shipment_line_id, k.party_id, d.id, s.id, k.contract_id, s.shipment_line_no, s.quantity, k.unit, ''
from scms_line s
join scms_shipment d on d.n = s.shipment
join scms_contract_line k on k.n = s.contract_line"""

# Posted when the day began, where the factory is: nobody corrects history as a miscount of the last minutes.
RECEIPTS = """
insert into receipt (tenant_id, id, party_id, number, shipment_id, received_on, posted_at, note, source)
select $1, s.receipt_id, k.party_id, 'R-' || s.number, s.id, s.received_on, s.received_on::timestamp at time zone $2,
    '', $3
from scms_shipment s
join (select distinct contract, party_id from scms_contract_line) k on k.contract = s.contract
where s.new and s.received_on is not null"""

RECEIPT_LINES = """
insert into receipt_line (tenant_id, id, party_id, receipt_id, shipment_line_id, schedule_line_id, contract_id,
    announced, counted, accepted, rejected, short, unit, note)
select $1, s.receipt_line_id, k.party_id, d.receipt_id, s.shipment_line_id, s.id, k.contract_id, s.quantity, s.quantity,
    s.quantity, 0, 0, k.unit, ''
from scms_line s
join scms_shipment d on d.n = s.shipment
join scms_contract_line k on k.n = s.contract_line
where s.received_on is not null"""
