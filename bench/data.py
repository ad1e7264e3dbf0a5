"""What is measured on, written by set-based SQL. Ids follow from names, so that statements need no look-ups.

The shape is the trade's: a partner has contracts, a contract ten parts, a part one delivery a week from ten weeks ago
to ten weeks ahead; what is past was received, the next four weeks are asked or confirmed, the rest is a forecast.
"""

import hashlib
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from portal.accounts.tokens import hash_of
from portal.core import clock
from portal.core.access import Permission, Role
from portal.core.db import to_json
from portal.core.ids import uuid7

ZONE = "Asia/Shanghai"
PARTNERS = 20  # a tenant; the even ones are customers, the odd ones suppliers
PARTS = 10  # a contract
WEEKS = 20  # a part
MEASURED = 7  # the tenant whose pages are read


class Shape(NamedTuple):
    """How many tenants, and how many contracts each has."""

    tenants: int
    contracts: int

    @property
    def lines(self) -> int:
        return self.contracts * PARTS * WEEKS


MILLION = Shape(50, 100)
TEN_THOUSAND = Shape(50, 1)
WORK = Shape(8, 4)
LARGE = Shape(1, 5000)  # a million lines of one tenant


class Access(NamedTuple):
    """How one company is entered: by a browser's cookie and by an API key."""

    tenant_id: UUID
    party_id: UUID
    member_id: UUID
    cookie: dict[str, str]
    key: dict[str, str]


_TENANTS = """
insert into tenant (tenant_id, id, code, name, factory_party_id, time_zone, currency, language)
select md5('tenant ' || t)::uuid, md5('tenant ' || t)::uuid, 'bench-' || t, 'Hengyuan Precision ' || t,
    md5('party ' || t || ' factory')::uuid, $2, 'CNY', 'en'
from generate_series(0, $1::int - 1) t"""
_PARTIES = """
insert into party (tenant_id, id, party_id, code, name, country, is_factory, is_customer, is_supplier, version)
select md5('tenant ' || t)::uuid, p.id, p.id, p.code, p.name, 'China', p.no < 0, p.no >= 0 and p.no % 2 = 0,
    p.no % 2 = 1, 1
from generate_series(0, $1::int - 1) t cross join lateral (
    select -1 as no, md5('party ' || t || ' factory')::uuid as id, 'F' as code, 'Hengyuan Precision' as name
    union all
    select n, md5('party ' || t || ' ' || n)::uuid, 'P' || n, 'Aurora Drives ' || n
    from generate_series(0, $2::int - 1) n) p"""
_ITEMS = """
insert into item (tenant_id, id, code, description, revision, unit, category, version)
select md5('tenant ' || t)::uuid, md5('item ' || t || ' ' || i)::uuid, 'A' || 1000 + i, 'Bearing housing ' || i, 'B',
    'H87', 'castings', 1
from generate_series(0, $1::int - 1) t, generate_series(0, $2::int - 1) i"""
_CONTRACTS = """
insert into contract (tenant_id, id, party_id, number, direction, kind, status, title, party_name, partner_reference,
    currency, valid_from, valid_to, time_zone, response_hours, release_no, released_on, last_line_no, proposed_at,
    accepted_at, version)
select md5('tenant ' || t)::uuid, md5('contract ' || t || ' ' || c)::uuid, md5('party ' || t || ' ' || c % $3)::uuid,
    'FC-2026-' || lpad(c::text, greatest(3, length(c::text)), '0'),
    case c % $3 % 2 when 0 then 'sale' else 'purchase' end, 'periodic', 'active',
    'Housings', 'Aurora Drives ' || c % $3, 'PO-' || c, 'CNY', $4::date - 200, $4::date + 400, $5, 16, 1, $4, 10000,
    now(), now(), 4
from generate_series(0, $1::int - 1) t, generate_series(0, $2::int - 1) c"""
_CONTRACT_LINES = """
insert into contract_line (tenant_id, id, party_id, contract_id, line_no, item_id, item_code, description, revision,
    partner_part_no, unit, foq, cadence, band_below_percent, band_above_percent, pack_size, minimum_order,
    under_percent, over_percent, firm_days, tradeoff_days, day_unit, delivery_weekdays, ship_to_code, ship_to_country,
    ship_to_address, unloading_point, receiving_window, cumulative_from, carried_remainder, version)
select md5('tenant ' || t)::uuid, md5('part ' || t || ' ' || c || ' ' || k)::uuid,
    md5('party ' || t || ' ' || c % $3)::uuid, md5('contract ' || t || ' ' || c)::uuid, k + 1,
    md5('item ' || t || ' ' || (c * $4::int + k) % $5)::uuid, 'A' || 1000 + (c * $4::int + k) % $5,
    'Bearing housing ' || k, 'B', 'AD-88' || 100 + k, 'H87', 600, 'week', 20, 20, 40, 0, 0, 5, 28, 63, 'calendar',
    '{}', 'WUX-1', 'China', '8 Xinwu Road, Wuxi', 'Gate 3', '07:00-09:00', $6::date - 200, 0, 1
from generate_series(0, $1::int - 1) t, generate_series(0, $2::int - 1) c, generate_series(0, $4::int - 1) k"""
# The n-th row belongs to tenant n % tenants: rows of one tenant lie far apart, as they do after months of work.
_LINES = """
insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no, order_date,
    due_date, requested_date, promised_date, period_start, unit, ordered_quantity, under_percent, over_percent, status,
    close_reason, zone, level, respond_by, reject_reason, supply_state, supply_note, confirmed_quantity,
    shipped_quantity, received_quantity, rejected_quantity, last_received_on, ship_to_code, version)
select md5('tenant ' || t)::uuid, uuidv7(), md5('party ' || t || ' ' || c % $4)::uuid,
    md5('contract ' || t || ' ' || c)::uuid, md5('part ' || t || ' ' || c || ' ' || k)::uuid, k * 100 + w,
    '45000' || c, due - 60, due, due, case when answered then due end, due - 2, 'H87', quantity, 0, 5,
    case when past then 'closed' when w > 13 then 'published' when answered then 'confirmed' else 'proposed' end,
    case when past then 'complete' end,
    case when w <= 13 then 'firm' when w <= 18 then 'tradeoff' else 'forecast' end,
    case when w <= 13 then 'firm' when w <= 18 then 'make' else 'plan' end,
    case when not past and not answered then now() + interval '16 hours' end, '', 'unknown', '',
    case when answered then quantity else 0 end, case when past then quantity else 0 end,
    case when past then quantity else 0 end, 0, case when past then due end, 'WUX-1', 3
from generate_series(0, $1::int * $2::int * $5::int * $6::int - 1) n
    cross join lateral (select n % $1::int as t, n / $1::int % $2::int as c, n / $1::int / $2::int as rest) a
    cross join lateral (select rest % $5::int as k, rest / $5::int as w) b
    cross join lateral (select $3::date + (w - 10) * 7 + (c + k) % 5 as due, 600 + 40 * ((c + k + w) % 7) as quantity) d
    cross join lateral (select w < 10 as past, w < 14 and (c + k + w) % 3 > 0 or w < 10 as answered) e"""


async def fill(connection: asyncpg.Connection, monday: date, shape: Shape, first: int = 0) -> None:
    """Tenants with contracts and deliveries, numbered from the first, and sign-ins into the measured one."""
    tenants, contracts = shape
    items = PARTS * 10

    async def write(statement: str, *values: object) -> None:
        numbered = statement.replace(
            "generate_series(0, $1::int - 1) t", f"generate_series({first}, {first - 1} + $1) t"
        )
        await connection.execute(numbered.replace("n % $1::int as t", f"{first} + n % $1::int as t"), tenants, *values)

    await write(_TENANTS, ZONE)
    await write(_PARTIES, PARTNERS)
    await write(_ITEMS, items)
    await write(_CONTRACTS, contracts, PARTNERS, monday, ZONE)
    await write(_CONTRACT_LINES, contracts, PARTNERS, PARTS, items, monday)
    await write(_LINES, contracts, monday, PARTNERS, PARTS, WEEKS)
    for party in ("factory", 0, 1):
        await _let_in(connection, access(MEASURED, party))


async def fill_wide_million(connection: asyncpg.Connection, monday: date) -> None:
    """The measured tenant alone, with all the lines, and the wide contract."""
    await fill(connection, monday, LARGE, first=MEASURED)
    await fill_board(connection, monday)


async def fill_work(connection: asyncpg.Connection, monday: date) -> None:
    """A small set, with one contract of 500 lines x 26 weeks in its second release."""
    await fill(connection, monday, WORK)
    await fill_board(connection, monday)


# --- one wide contract ------------------------------------------------------------------------------------------------

WIDE = 500
WIDE_WEEKS = 26
WIDE_CONTRACT = UUID("00000000-0000-4000-8000-000000000500")

_WIDE = (
    """
insert into contract select (jsonb_populate_record(c, jsonb_build_object('id', $2::uuid, 'number', 'FC-2026-W',
    'release_no', 2, 'last_line_no', 13000))).*
from contract c where c.tenant_id = $1 and c.id = md5('contract ' || $3::int || ' 1')::uuid""",
    """
insert into contract_line select (jsonb_populate_record(k, jsonb_build_object('id', md5('wide ' || n)::uuid,
    'contract_id', $2::uuid, 'line_no', n + 1, 'item_code', 'W' || 1000 + n, 'description', 'Flange ' || n))).*
from contract_line k, generate_series(0, 499) n
where k.tenant_id = $1 and k.id = md5('part ' || $3::int || ' 1 0')::uuid""",
    """
insert into schedule_line select (jsonb_populate_record(l, jsonb_build_object('id', md5('wide ' || n || ' ' || w)::uuid,
    'contract_id', $2::uuid, 'contract_line_id', md5('wide ' || n)::uuid, 'line_no', n * 26 + w + 1,
    'due_date', $4::date + w * 7 + n % 5, 'requested_date', $4::date + w * 7 + n % 5,
    'status', case when w > 3 then 'published' when (n + w) % 3 = 0 then 'proposed' else 'confirmed' end,
    'confirmed_quantity', case when w <= 3 and (n + w) % 3 > 0 then l.ordered_quantity else 0 end,
    'zone', case when w <= 3 then 'firm' when w <= 8 then 'tradeoff' else 'forecast' end,
    'respond_by', case when w <= 3 and (n + w) % 3 = 0 then now() + interval '16 hours' end))).*
from schedule_line l, generate_series(0, 499) n, generate_series(0, 25) w
where l.tenant_id = $1 and l.contract_line_id = md5('part ' || $3::int || ' 1 0')::uuid and l.line_no = 13""",
    """
insert into release (tenant_id, id, party_id, contract_id, number, calculated_on, horizon_end, published_at,
    published_by, note)
select tenant_id, md5('wide release ' || r)::uuid, party_id, id, r, $3::date, $3::date + 182, now(), 'Lena Vogt', ''
from contract, generate_series(1, 2) r where tenant_id = $1 and id = $2""",
    # The second release changed every thirteenth quantity.
    """
insert into release_line (tenant_id, id, party_id, release_id, schedule_line_id, contract_line_id, due_date, quantity,
    zone, level)
select l.tenant_id, uuidv7(), l.party_id, md5('wide release ' || r)::uuid, l.id, l.contract_line_id, l.due_date,
    l.ordered_quantity - case when r = 1 and l.line_no % 13 = 0 then 40 else 0 end, l.zone, 'firm'
from schedule_line l, generate_series(1, 2) r where l.tenant_id = $1 and l.contract_id = $2""",
)


async def fill_board(connection: asyncpg.Connection, monday: date) -> None:
    """One purchase contract of 500 lines with a delivery in each of 26 weeks, in the measured tenant."""
    tenant = _named(f"tenant {MEASURED}")
    head, parts, lines, releases, frozen = _WIDE
    await connection.execute(head, tenant, WIDE_CONTRACT, MEASURED)
    await connection.execute(parts, tenant, WIDE_CONTRACT, MEASURED)
    await connection.execute(lines, tenant, WIDE_CONTRACT, MEASURED, monday)
    await connection.execute(releases, tenant, WIDE_CONTRACT, monday)
    await connection.execute(frozen, tenant, WIDE_CONTRACT)


# --- lines to confirm -------------------------------------------------------------------------------------------------

_ASKED = """
insert into schedule_line select (jsonb_populate_record(l, jsonb_build_object('id', r.id, 'line_no', r.no,
    'due_date', $2::date, 'requested_date', $2::date, 'promised_date', null, 'status', 'proposed', 'version', 1,
    'confirmed_quantity', 0, 'shipped_quantity', 0, 'received_quantity', 0, 'close_reason', null))).*
from schedule_line l, unnest($3::uuid[], $4::int[]) r(id, no)
where l.tenant_id = $1 and l.contract_line_id = $5 and l.line_no = $6"""


async def ask(connection: asyncpg.Connection, contract: int, count: int, first_no: int, due: date) -> list[UUID]:
    """New proposed lines of one of the measured tenant's contracts; even contracts are sales."""
    ids = [uuid7() for _ in range(count)]
    numbers = list(range(first_no, first_no + count))
    part = _named(f"part {MEASURED} {contract} 0")
    await connection.execute(_ASKED, _named(f"tenant {MEASURED}"), due, ids, numbers, part, 13)
    return ids


# --- who enters -------------------------------------------------------------------------------------------------------


def access(tenant: int, party: str | int) -> Access:
    """The factory's planner, or a partner's administrator, of a filled tenant."""
    name = f"{tenant} {party}"
    return Access(
        tenant_id=_named(f"tenant {tenant}"),
        party_id=_named(f"party {name}"),
        member_id=_named(f"member {name}"),
        cookie={"cookie": f"session={_token('session', name)}"},
        key={"authorization": f"Bearer {_token('key', name)}"},
    )


def _token(kind: str, name: str) -> str:
    return f"bench-{kind}-{name}".replace(" ", "-")


def _named(name: str) -> UUID:
    """The id of a name, as the statements make it by md5."""
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


async def _let_in(connection: asyncpg.Connection, who: Access) -> None:
    """An account with an open session, and an API key with every scope."""
    factory = await connection.fetchval("select is_factory from party where id = $1", who.party_id)
    scope = "factory" if factory else "partner"
    role = (Role.ADMIN if factory else Role.PARTNER_ADMIN).value
    now = clock.now()
    user, membership, key = uuid7(), uuid7(), uuid7()
    await connection.execute(
        "insert into member (tenant_id, id, party_id, email, name, role, status, restricted, version)"
        " values ($1, $2, $3, $4, 'Lena Vogt', $5, 'active', false, 1)",
        *(who.tenant_id, who.member_id, who.party_id, f"{who.member_id.hex}@bench.example", role),
    )
    await connection.execute(
        "insert into user_account (id, email, name, password_hash, is_instance_admin, created_at)"
        " values ($1, $2, 'Lena Vogt', '', false, $3)",
        *(user, f"{who.member_id.hex}@bench.example", now),
    )
    await connection.execute(
        "insert into membership (id, user_id, tenant_id, party_id, scope, member_id) values ($1, $2, $3, $4, $5, $6)",
        *(membership, user, who.tenant_id, who.party_id, scope, who.member_id),
    )
    await connection.execute(
        "insert into user_session (id, token_hash, user_id, membership_id, created_at, seen_at, expires_at, agent)"
        " values ($1, $2, $3, $4, $5, $5, $6, 'bench')",
        *(uuid7(), hash_of(who.cookie["cookie"].partition("=")[2]), user, membership, now, _later(now)),
    )
    await connection.execute(
        "insert into api_key (tenant_id, id, party_id, name, prefix, role, scopes, created_at)"
        " values ($1, $2, $3, 'bench', 'clk_bench', $4, $5, $6)",
        *(who.tenant_id, key, who.party_id, role, to_json({p.value: True for p in Permission}), now),
    )
    await connection.execute(
        "insert into api_key_token (id, token_hash, tenant_id, party_id, scope, key_id)"
        " values ($1, $2, $3, $4, $5, $6)",
        *(uuid7(), hash_of(who.key["authorization"].partition(" ")[2]), who.tenant_id, who.party_id, scope, key),
    )


def _later(now: datetime) -> datetime:
    return now + timedelta(days=9)
