"""Each invariant is silent over honest work and names what somebody broke behind the commands' back."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from jobs import outbox, sealing
from jobs.outbox import Tenant as Place
from jobs.subscribers import Subscriber
from portal.contracts import service_amendments as amending
from portal.contracts.inputs import Amendment, LineOffer
from portal.contracts.model import Cadence
from portal.core import db, invariants
from portal.core.actor import Actor, Direction
from portal.core.db import asyncpg_dsn, unit_of_work
from portal.core.invariants import PolicyBound
from portal.core.settings import Settings
from portal.schedules import service
from portal.schedules.service import ConfirmLine, Split
from portal.schedules.service_release import CallOff, Generate, Publish, call_off, generate_lines, publish_release
from portal.shipments import service as shipping
from portal.shipments import service_receipts as receiving
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Problem
from portal.shipments.service import NewShipment, ShippedLine
from tests.databases import Server, create_database, drop_database
from tests.factories import Tenant, make_contract, make_tenant, today

SUBSCRIBERS = {"LineConfirmed": ["tell"]}


async def ignore(actor: Actor, occurrence: object) -> None:
    """A subscriber that is never run here."""


async def live(owner_url: str) -> None:
    """A year in short: contract, generation, release, confirmation in parts, shipment, receipt with a correction."""
    tenant = await make_tenant(owner_url)
    made = await make_contract(tenant, Direction.PURCHASE, foq=Decimal(800), pack_size=Decimal(40))
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(100), due_date=today() + timedelta(days=7))
    async with unit_of_work(tenant.factory) as session:
        await generate_lines(session, tenant.factory, made.contract.id, Generate())
        line_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    for quantity in (60, 40):
        split = Split(quantity=Decimal(quantity), delivery_date=today() + timedelta(days=7))
        async with unit_of_work(tenant.supplier) as session:
            await service.confirm_line(session, tenant.supplier, line_id, None, ConfirmLine(splits=[split]))
    await amended(tenant, made.contract.id)
    note = NewShipment(number="ASN-1", lines=[ShippedLine(line_id=line_id, quantity=Decimal(100))])
    async with unit_of_work(tenant.supplier) as session:
        shipment = await shipping.ship(session, tenant.supplier, note)
        (shipped,) = await shipping.lines_of(session, tenant.supplier, shipment.id)
    async with unit_of_work(tenant.factory) as session:
        receipt = await receiving.receive(session, tenant.factory, shipment.id, None, Receive())
    short = CountedLine(shipment_line_id=shipped.id, good=Decimal(90), problem=Problem.NOT_ON_TRUCK)
    async with unit_of_work(tenant.factory) as session:
        await receiving.correct_receipt(session, tenant.factory, receipt.id, Receive(lines=[short]))
    await told_and_sealed(tenant)


async def amended(tenant: Tenant, contract_id: UUID) -> None:
    """A version that follows, and one that waits for an answer."""
    for quantity, days in ((720, 20), (640, 30)):
        more = LineOffer(line_no=10, foq=Decimal(quantity), cadence=Cadence.WEEK)
        data = Amendment(effective_from=today() + timedelta(days=days), lines=[more])
        async with unit_of_work(tenant.supplier) as session:
            await amending.amend(session, tenant.supplier, contract_id, data)
        if quantity == 720:
            async with unit_of_work(tenant.factory) as session:
                await amending.accept_amendment(session, tenant.factory, contract_id)


async def told_and_sealed(tenant: Tenant) -> None:
    place = Place(tenant.id, tenant.factory.party_id)
    await outbox.take(place, {"LineConfirmed": (Subscriber("tell", errand=ignore),)})
    await sealing.seal(place)


@pytest.fixture(scope="module")
async def world(database: Settings, server: Server) -> AsyncIterator[Settings]:
    """A database where people have worked honestly."""
    name = f"portal_world_{os.urandom(4).hex()}"
    settings = await create_database(server, name)
    await db.dispose()
    db.configure(settings)
    await live(str(settings.database_url))
    await db.dispose()
    db.configure(database)
    yield settings
    await drop_database(server, name)


async def test_honest_work_breaks_nothing(world: Settings) -> None:
    assert await invariants.run(str(world.database_url), SUBSCRIBERS) == []


@pytest.mark.parametrize(
    ("code", "deed"),
    [
        ("I01", "update confirmation set quantity = quantity + 1 where true"),
        ("I01", "update schedule_line set status = 'partly_confirmed' where confirmed_quantity > 0"),
        ("I01", "update schedule_line set status = 'confirmed' where confirmed_quantity = 0"),
        ("I02", "update schedule_line set ordered_quantity = 100.5 where ordered_quantity = 100"),
        ("I02", "update schedule_line set ordered_quantity = 790 where period_start is not null"),
        ("I03", "update receipt_line set short = 3"),
        ("I03", "update schedule_line set shipped_quantity = 99 where shipped_quantity = 100"),
        ("I03", "update schedule_line set received_quantity = 100 where received_quantity = 90"),
        ("I03", "update receipt set corrects_id = null"),
        ("I04", "update shipment_line set contract_id = gen_random_uuid()"),
        ("I04", "update schedule_line set release_line_id = (select id from release_line order by id limit 1)"),
        ("I10", "delete from outbox where id = (select id from outbox where name = 'LineConfirmed' limit 1)"),
        ("I10", "update confirmation set command_id = gen_random_uuid() where quantity = 60"),
        ("I10", "delete from delivery"),
        ("I11", "insert into delivery (tenant_id, id, outbox_id, subscriber, tries, last_error)"
                " select tenant_id, gen_random_uuid(), gen_random_uuid(), 'tell', 0, '' from delivery"),
        ("I12", "update delivery set next_try = now() - interval '1 hour'"),
        ("I12", "update outbox set taken_at = null, created_at = now() - interval '1 hour'"),
        ("I13", "update audit set data = '{\"quantity\": 1}' where seal_no = 3"),
        ("I13", "update audit set at = at - interval '1 day' where seal_no = 3"),
        ("I13", "delete from audit where seal_no = 4"),
        ("I13", "update audit set seal_no = 2 where seal_no = 3"),
        ("I13", "update audit set seal = sha256('forged') where seal_no = 1"),
        ("I15", "insert into import_run values ((select tenant_id from tenant), gen_random_uuid(), 'scms', 'a.csv',"
                " 'd', 'applied', 10, 9, '{}', null, now(), now())"),
        ("I17", "update audit set member_id = gen_random_uuid()"),
        ("I17", "with a as (insert into chat_account (id, bot, chat_id, name)"
                " values (gen_random_uuid(), 'telegram', 7, 'Somebody') returning id)"
                " insert into chat (tenant_id, id, party_id, member_id, bot, account_id, name, bound_at)"
                " select m.tenant_id, gen_random_uuid(), m.party_id, m.id, 'telegram', a.id, 'Somebody', now()"
                " from a, member m limit 1"),
        ("I18", "update schedule_line set version = version + 1"),
        ("I18", "delete from timeline where subject = 'schedule_line' and version = 3"),
        ("I18", "insert into timeline select tenant_id, gen_random_uuid(), party_id, subject, subject_id, contract_id,"
                " verb, version, member_id, member_name, scope, channel, data from timeline where version = 3"),
        ("I18", "update contract set version = version + 1"),
        ("I21", "update timeline set transaction = transaction + 1 where verb = 'confirmed'"),
        ("I24", "with a as (insert into approval_case (tenant_id, id, point, subject, subject_id, subject_version,"
                " label, facts, currency, data, status, rule_no, rule, requested_by, requested_name, requested_scope,"
                " requested_at, version) select m.tenant_id, gen_random_uuid(), 'change', 'contract', m.id, 1, '',"
                " '{}', '', '{}', 'approved', 1, '{}', m.id, '', 'factory', now(), 1 from member m limit 1 returning *)"
                " insert into approval_step (tenant_id, id, case_id, step_no, role, status, escalation, decided_by,"
                " decided_name, decided_via, deputy_of, note) select tenant_id, gen_random_uuid(), id, 1, 'sales',"
                " 'approved', 'asked', requested_by, '', '', '', '' from a"),
        ("I27", "update contract_revision set status = 'proposed'"),
        ("I27", "update contract_revision set effective_from = '2020-01-01' where number = 2"),
        ("I27", "update contract_revision set effective_from = current_date - 3,"
                " answered_at = now() - interval '3 days', applies = true where number = 2"),
        ("I23", "update timeline set at = now() + interval '1 hour' where verb = 'confirmed'"),
    ],
)  # fmt: skip
async def test_a_deed_behind_the_commands_back_is_named(world: Settings, code: str, deed: str) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(str(world.database_url)))
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(deed)
        found = await invariants.find(connection, SUBSCRIBERS)
    finally:
        await transaction.rollback()
        await connection.close()

    assert code in {finding.code for finding in found}
    assert all(str(finding).startswith(finding.code) for finding in found)


async def test_a_disabled_person_who_could_still_enter_is_named(world: Settings) -> None:
    connection = await asyncpg.connect(asyncpg_dsn(str(world.database_url)))
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(
            "insert into user_account (id, email, name, password_hash, is_instance_admin, disabled_at, created_at)"
            " values (gen_random_uuid(), 'gone@example.com', 'Gone', '', false, now(), now())"
        )
        await connection.execute(
            "insert into user_session (id, token_hash, user_id, created_at, seen_at, expires_at, agent)"
            " select gen_random_uuid(), 'x', id, now(), now(), now() + interval '1 day', '' from user_account"
        )
        found = await invariants.find(connection, {})
    finally:
        await transaction.rollback()
        await connection.close()

    assert [finding.code for finding in found] == ["I25"]


async def test_a_role_that_sees_nothing_is_refused_rather_than_satisfied(world: Settings) -> None:
    with pytest.raises(PolicyBound):
        await invariants.run(str(world.database_factory_url))
