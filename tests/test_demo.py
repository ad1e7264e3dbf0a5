"""The demo: made once, whole, and with work waiting today for everybody who can sign in."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from portal.accounts import identity
from portal.accounts.identity import Company
from portal.core import db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.ids import uuid7
from portal.core.invariants import run
from portal.core.settings import Settings
from portal.demo.people import PASSWORD, PEOPLE
from portal.demo.programme import Part, Terms, build
from portal.demo.seed import PLAN, ZONE, is_demo, seed, tenants
from tests.databases import Server, create_database, drop_database
from tests.factories import fetch


@pytest.fixture(scope="module")
async def demo(server: Server, database: Settings) -> AsyncIterator[Settings]:
    """The demo in a database of its own; the pools point to it while this module runs."""
    name = f"portal_demo_{os.urandom(4).hex()}"
    settings = await create_database(server, name)
    await db.dispose()
    db.configure(settings)
    await seed(str(settings.database_url))
    yield settings
    await db.dispose()
    db.configure(database)
    await drop_database(server, name)


async def companies(email: str) -> list[Company]:
    user = await identity.find_user(email)
    assert user
    return await identity.companies_of(user.id)


async def actor(email: str) -> Actor:
    return (await companies(email))[0].live.actor


async def test_all_invariants_hold(demo: Settings) -> None:
    assert await run(str(demo.database_url)) == []
    assert await tenants(str(demo.database_url)) == ["scms"]
    assert await is_demo(str(demo.database_url))


async def test_everybody_signs_in_with_the_printed_password(demo: Settings) -> None:
    for person in PEOPLE:
        assert await identity.check_sign_in(person.email, PASSWORD, f"test-{person.email}") is not None
    assert len(await companies("samuel.okoro@freight.example")) == 2


async def test_three_deliveries_wait_for_each_seller(demo: Settings) -> None:
    waiting = (
        "select count(*) as lines, count(*) filter (where l.supply_state = 'secured') as secured from schedule_line l"
        " join contract c on c.tenant_id = l.tenant_id and c.id = l.contract_id"
        " where l.tenant_id = $1 and l.status = 'proposed' and c.number like '_C-%' and c.direction = $2"
    )
    for email, direction in (("lena.vogt@factory.example", "sale"), ("li.na@supplier.example", "purchase")):
        seller = await actor(email)
        (row,) = await fetch(seller, waiting, seller.tenant_id, direction)
        assert (row["lines"], row["secured"]) == (3, 3)


async def test_the_first_part_is_behind_and_the_third_ahead(demo: Settings) -> None:
    planner = await actor("lena.vogt@factory.example")
    rows = await fetch(
        planner,
        "select k.line_no, sum(l.received_quantity) - coalesce(sum(l.ordered_quantity) filter"
        " (where l.due_date <= (now() at time zone 'Asia/Shanghai')::date), 0) as ahead"
        " from schedule_line l join contract_line k on k.tenant_id = l.tenant_id and k.id = l.contract_line_id"
        " join contract c on c.tenant_id = k.tenant_id and c.id = k.contract_id"
        " where l.tenant_id = $1 and c.number like 'FC-%-014' group by 1 order by 1",
        planner.tenant_id,
    )
    assert [int(row["ahead"]) for row in rows] == [-200, 0, 260, 0, 0]


async def test_a_delivery_note_can_be_received_by_each_buyer(demo: Settings) -> None:
    query = (
        "select count(*) from shipment where tenant_id = $1 and status = 'sent' and direction = $2"
        " and shipped_on <= (now() at time zone 'Asia/Shanghai')::date"
    )
    for email, direction in (("wang.wei@factory.example", "purchase"), ("mary.banda@customer.example", "sale")):
        buyer = await actor(email)
        (row,) = await fetch(buyer, query, buyer.tenant_id, direction)
        assert row["count"] >= 1


async def test_a_contract_waits_for_the_customer_and_the_clerk_sees_one(demo: Settings) -> None:
    admin, clerk = await actor("mary.banda@customer.example"), await actor("joseph.phiri@customer.example")
    (row,) = await fetch(
        admin, "select count(*) from contract where tenant_id = $1 and status = 'proposed'", admin.tenant_id
    )
    assert row["count"] == 1
    assert clerk.contract_ids is not None
    assert len(clerk.contract_ids) == 1


async def test_two_deliveries_changed_with_the_last_release(demo: Settings) -> None:
    planner = await actor("lena.vogt@factory.example")
    rows = await fetch(
        planner,
        "select n.quantity - o.quantity as delta from release_line n"
        " join release r on r.tenant_id = n.tenant_id and r.id = n.release_id and r.number = 3"
        " join release p on p.tenant_id = r.tenant_id and p.contract_id = r.contract_id and p.number = 2"
        " join release_line o on o.tenant_id = n.tenant_id and o.release_id = p.id"
        " and o.schedule_line_id = n.schedule_line_id"
        " where n.tenant_id = $1 and n.quantity <> o.quantity order by 1",
        planner.tenant_id,
    )
    assert [int(row["delta"]) for row in rows] == [-80, -80, 30, 30]


async def test_a_counter_offer_and_a_change_wait_for_the_buyer(demo: Settings) -> None:
    buyer = await actor("zhao.min@factory.example")
    assert buyer.role is Role.BUYER
    offers = "select count(*) from contract where tenant_id = $1 and status = 'countered' and direction = 'purchase'"
    wishes = "select status, reason from change_request where tenant_id = $1"
    assert [row["count"] for row in await fetch(buyer, offers, buyer.tenant_id)] == [1]
    assert [tuple(row) for row in await fetch(buyer, wishes, buyer.tenant_id)] == [("submitted", "material")]


@pytest.mark.parametrize("weekday", range(7))
def test_whatever_the_day_there_is_work(weekday: int) -> None:
    """Three to confirm, one at risk, two on a delivery note; all of them after today and in the firm zone."""
    now = datetime(2026, 11, 23, 4, tzinfo=UTC) + timedelta(days=weekday)
    terms = Terms(uuid7(), uuid7(), "Zambia", Direction.SALE, "FC", "", "", "USD", ZONE, ("ZM", "", "", ""), "Lena")
    parts = [Part(uuid7(), f"P{no}", "", "XPK", Decimal(1), *plan) for no, plan in enumerate(PLAN)]
    programme = build(terms, parts, now)
    acted = {letter: len(lines) for letter, lines in programme.acted.items()}
    assert (acted["p"], acted["r"], acted["s"]) == (3, 1, 2)
    assert all(line.due_date > now.date() for lines in programme.acted.values() for line in lines)
