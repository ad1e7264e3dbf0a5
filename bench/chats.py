"""People with chats, for the cases that send messages: one workspace whose partners each have one purchase contract.

Nobody has quiet hours and every day is worked, so that a measurement does not depend on the time of day.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Scope
from portal.core.calendars import local_today
from portal.core.db import to_json

ZONE = "Asia/Shanghai"
FIRST_CHAT = 700_000_001  # number of the first chat, as the stand-in counts
FACTORY = "md5('chats factory')::uuid"
TENANT = "md5('chats tenant')::uuid"


def named(text: str) -> UUID:
    """The id that PostgreSQL's md5 gives a name."""
    return UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many partners, how many people each, how many deliveries each is asked for."""

    partners: int
    people: int
    lines: int
    bot: str  # telegram or portal
    due: date
    status: str  # of the deliveries: rejected ones can be asked for again

    @property
    def factory(self) -> Actor:
        """Who acts for the factory."""
        return Actor(
            named("chats tenant"),
            named("chats factory"),
            Scope.FACTORY,
            Role.ADMIN,
            named("chats boss"),
            time_zone=ZONE,
        )


_STATEMENTS = (
    f"""
insert into tenant (tenant_id, id, code, name, factory_party_id, time_zone, currency, language)
values ({TENANT}, {TENANT}, 'chats', 'Hengyuan Precision', {FACTORY}, '{ZONE}', 'CNY', 'en')""",
    f"""
insert into party (tenant_id, id, party_id, code, name, country, is_factory, is_customer, is_supplier, version)
select {TENANT}, p.id, p.id, p.code, 'Castings ' || p.code, '', p.no < 0, false, p.no >= 0, 1 from (
    select -1 as no, {FACTORY} as id, 'F' as code
    union all select n, md5('chats party ' || n)::uuid, 'P' || n from generate_series(0, $1::int - 1) n) p""",
    f"""
insert into site (tenant_id, id, party_id, code, name, country, address, time_zone, weekdays, version)
select {TENANT}, md5('chats site ' || code)::uuid, party_id, 'HERE', 'Here', '', '', '{ZONE}', '{{0,1,2,3,4,5,6}}', 1
from party where tenant_id = {TENANT}""",
    f"""
insert into member (tenant_id, id, party_id, email, name, role, status, restricted, version)
values ({TENANT}, md5('chats boss')::uuid, {FACTORY}, 'boss@example.com', 'Lena Vogt', 'admin', 'active', false, 1)""",
    f"""
insert into member (tenant_id, id, party_id, email, name, role, status, restricted, version)
select {TENANT}, md5('chats member ' || n)::uuid, md5('chats party ' || n / $2)::uuid, 'c' || n || '@example.com',
    'Clerk ' || n, 'clerk', 'active', false, 1 from generate_series(0, $1::int * $2::int - 1) n""",
    """
insert into user_account (id, email, name, password_hash, is_instance_admin, created_at)
select md5('chats user ' || n)::uuid, 'c' || n || '@example.com', 'Clerk ' || n, '', false, now()
from generate_series(0, $1::int * $2::int - 1) n""",
    f"""
insert into membership (id, user_id, tenant_id, party_id, scope, member_id)
select md5('chats membership ' || n)::uuid, md5('chats user ' || n)::uuid, {TENANT},
    md5('chats party ' || n / $2)::uuid, 'partner', md5('chats member ' || n)::uuid
from generate_series(0, $1::int * $2::int - 1) n""",
    f"""
insert into chat_account (id, bot, chat_id, name, user_id, membership_id, bound_at)
select md5('chats account ' || n)::uuid, $3, {FIRST_CHAT} + n, 'Clerk ' || n, md5('chats user ' || n)::uuid,
    md5('chats membership ' || n)::uuid, now() from generate_series(0, $1::int * $2::int - 1) n""",
    f"""
insert into chat (tenant_id, id, party_id, member_id, bot, account_id, name, bound_at)
select {TENANT}, md5('chats chat ' || n)::uuid, md5('chats party ' || n / $2)::uuid,
    md5('chats member ' || n)::uuid, $3, md5('chats account ' || n)::uuid, 'Clerk ' || n, now()
from generate_series(0, $1::int * $2::int - 1) n""",
    f"""
insert into preference (tenant_id, id, party_id, member_id, digest_at, quiet_from, quiet_to, kinds, channels,
    evening_summary, wake_for_line_stop, version)
select {TENANT}, md5('chats preference ' || n)::uuid, md5('chats party ' || n / $2)::uuid,
    md5('chats member ' || n)::uuid, 480, 0, 0, $3, '{{}}', false, false, 1
from generate_series(0, $1::int * $2::int - 1) n""",
    f"""
insert into contract (tenant_id, id, party_id, number, direction, kind, status, title, party_name, partner_reference,
    currency, valid_from, valid_to, time_zone, response_hours, release_no, last_line_no, proposed_at, accepted_at,
    version)
select {TENANT}, md5('chats contract ' || n)::uuid, md5('chats party ' || n)::uuid, 'FC-' || n, 'purchase', 'periodic',
    'active', '', 'Castings P' || n, '', 'CNY', $2::date - 200, $2::date + 400, '{ZONE}', 16, 1, 1000, now(), now(), 4
from generate_series(0, $1::int - 1) n""",
    f"""
insert into contract_line (tenant_id, id, party_id, contract_id, line_no, item_id, item_code, description, revision,
    partner_part_no, unit, band_below_percent, band_above_percent, pack_size, minimum_order, under_percent,
    over_percent, firm_days, tradeoff_days, day_unit, delivery_weekdays, ship_to_code, ship_to_country, ship_to_address,
    unloading_point, receiving_window, carried_remainder, version)
select {TENANT}, md5('chats part ' || n)::uuid, md5('chats party ' || n % $1)::uuid,
    md5('chats contract ' || n % $1)::uuid, n, md5('chats item')::uuid, 'A' || n, 'Bearing housing', 'B', '', 'H87', 20,
    20, 1, 0, 0, 5, 28, 63, 'calendar', '{{}}', 'WUX-1', 'China', '', 'Gate 3', '', 0, 1
from generate_series(0, $1::int * $2::int - 1) n""",
    f"""
insert into schedule_line (tenant_id, id, party_id, contract_id, contract_line_id, line_no, order_no, due_date,
    requested_date, unit, ordered_quantity, under_percent, over_percent, status, zone, level, reject_reason,
    supply_state, supply_note, confirmed_quantity, shipped_quantity, received_quantity, rejected_quantity, ship_to_code,
    version)
select {TENANT}, md5('chats line ' || n)::uuid, md5('chats party ' || n % $1)::uuid,
    md5('chats contract ' || n % $1)::uuid, md5('chats part ' || n)::uuid, n, '', $3, $3, 'H87', 800, 0, 5, $4, 'firm',
    'firm', '', 'unknown', '', 0, 0, 0, 0, 'WUX-1', 1
from generate_series(0, $1::int * $2::int - 1) n""",
)


async def fill(admin: asyncpg.Connection, crowd: Crowd) -> None:
    """Make the workspace in an empty database, past foreign keys, then learn its statistics."""
    kinds = to_json({"digest": "off", "agreed": "off"})
    today = local_today(clock.now(), ZONE)
    counts = crowd.partners, crowd.people
    values: Sequence[tuple[object, ...]] = (
        (), (crowd.partners,), (), (), counts, counts, counts, (*counts, crowd.bot), (*counts, crowd.bot),
        (*counts, kinds), (crowd.partners, today), (crowd.partners, crowd.lines),
        (crowd.partners, crowd.lines, crowd.due, crowd.status),
    )  # fmt: skip
    await admin.execute("set session_replication_role = replica")
    for statement, given in zip(_STATEMENTS, values, strict=True):
        await admin.execute(statement, *given)
    await admin.execute("set session_replication_role = origin")
    await admin.execute("analyze")


def line_id(number: int) -> UUID:
    """The id of a delivery; its part is A and the number."""
    return named(f"chats line {number}")


def soon(days: int) -> date:
    """So many days ahead where the workspace is."""
    return local_today(clock.now(), ZONE) + timedelta(days=days)
