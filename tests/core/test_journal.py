"""What happened is written with the work or not at all, once, and in the words of who did it."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from portal.core import db, journal
from portal.core.actor import Channel
from portal.core.ids import uuid7
from portal.core.journal import Bell, Event, Subject, emit, record
from tests.factories import Tenant, fetch


@dataclass(frozen=True, slots=True)
class DoorOpened(Event):
    """An event of these tests."""

    door_id: UUID


async def test_one_deed_is_history_audit_and_event_of_one_transaction(tenant: Tenant) -> None:
    door, contract = uuid7(), uuid7()
    actor = tenant.supplier.via(Channel.API)
    async with db.unit_of_work(actor) as session:
        subject = Subject("door", door, actor.party_id, 3, contract)
        record(session, actor, subject, "opened", by="hand")
        emit(session, actor, actor.party_id, DoorOpened(door))

    (deed,) = await fetch(
        tenant.factory, "select * from timeline where tenant_id = $1 and subject_id = $2", tenant.id, door
    )
    (proof,) = await fetch(
        tenant.factory, "select * from audit where tenant_id = $1 and subject_id = $2", tenant.id, door
    )
    (event,) = await fetch(
        tenant.factory, "select * from outbox where tenant_id = $1 and name = 'DoorOpened'", tenant.id
    )
    assert (deed["verb"], deed["version"], deed["contract_id"], deed["data"]) == ("opened", 3, contract, {"by": "hand"})
    assert (deed["member_id"], deed["member_name"], deed["scope"], deed["channel"]) == (
        *(actor.member_id, actor.name, "partner", "api"),
    )
    assert (proof["action"], proof["member_id"], proof["data"]) == ("door.opened", actor.member_id, {"by": "hand"})
    assert (event["data"], event["member_id"], event["taken_at"]) == ({"door_id": str(door)}, actor.member_id, None)
    assert deed["transaction"] == proof["transaction"] == event["transaction"]


async def test_both_sides_read_the_same_history_and_a_third_company_nothing(tenant: Tenant) -> None:
    door = uuid7()
    async with db.unit_of_work(tenant.factory) as session:
        record(session, tenant.factory, Subject("door", door, tenant.supplier.party_id), "opened")

    query = "select verb, member_name, scope, at from timeline where tenant_id = $1 and subject_id = $2"
    factory, supplier, customer = [
        await fetch(actor, query, tenant.id, door) for actor in (tenant.factory, tenant.supplier, tenant.customer)
    ]
    assert factory == supplier != []
    assert customer == []


async def test_what_is_not_shared_is_audited_only(tenant: Tenant) -> None:
    door = uuid7()
    async with db.unit_of_work(tenant.factory) as session:
        record(session, tenant.factory, Subject("door", door, tenant.factory.party_id, shared=False), "opened")

    counts = [
        (await fetch(tenant.factory, f"select count(*) from {table} where subject_id = $1", door))[0][0]
        for table in ("timeline", "audit")
    ]
    assert counts == [0, 1]


async def test_work_that_fails_leaves_no_word_and_rings_no_bell(tenant: Tenant) -> None:
    rung: list[Bell] = []

    async def hear(bells: set[Bell]) -> None:
        rung.extend(bell for bell in bells if bell.tenant_id == tenant.id)

    journal.on_ring(hear)
    door = uuid7()

    async def fail() -> None:
        async with db.unit_of_work(tenant.factory) as session:
            record(session, tenant.factory, Subject("door", door, tenant.supplier.party_id), "opened")
            emit(session, tenant.factory, tenant.supplier.party_id, DoorOpened(door))
            await journal.write(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    silent = list(rung)
    async with db.unit_of_work(tenant.factory) as session:
        record(session, tenant.factory, Subject("door", door, tenant.supplier.party_id), "opened")

    for table in ("timeline", "audit"):
        (row,) = await fetch(tenant.factory, f"select count(*) from {table} where subject_id = $1", door)
        assert row[0] == 1
    events = await fetch(tenant.factory, "select 1 from outbox where tenant_id = $1 and name = 'DoorOpened'", tenant.id)
    assert (silent, len(rung), events) == ([], 1, [])


async def test_a_part_that_fails_takes_back_what_the_driver_wrote(tenant: Tenant) -> None:
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)

        async def fail() -> None:
            async with journal.part(session):
                await connection.execute("update party set country = 'nowhere' where tenant_id = $1", tenant.id)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
    assert await fetch(tenant.factory, "select 1 from party where country = 'nowhere'") == []


async def test_a_partner_cannot_speak_for_another_company(tenant: Tenant) -> None:
    """The policy is the second wall: here the command itself is wrong."""
    for subject in (tenant.customer.party_id, tenant.factory.party_id):
        with pytest.raises(Exception, match="row-level security"):
            async with db.unit_of_work(tenant.supplier) as session:
                record(session, tenant.supplier, Subject("door", uuid7(), subject), "opened")


async def test_a_bell_for_each_company_concerned_and_only_once(tenant: Tenant) -> None:
    rung: list[set[Bell]] = []

    async def hear(bells: set[Bell]) -> None:
        if any(bell.tenant_id == tenant.id for bell in bells):
            rung.append(bells)

    journal.on_ring(hear)
    contract = uuid7()
    async with db.unit_of_work(tenant.factory) as session:
        for _ in range(5):
            record(session, tenant.factory, Subject("door", uuid7(), tenant.supplier.party_id, 1, contract), "opened")
        record(session, tenant.factory, Subject("door", uuid7(), tenant.customer.party_id), "opened")

    (bells,) = rung
    assert bells == {
        Bell(tenant.id, tenant.supplier.party_id, contract),
        Bell(tenant.id, tenant.customer.party_id, None),
    }
