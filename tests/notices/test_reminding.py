"""What time alone makes known: summaries, near deliveries, late answers and late counts; each once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from portal.accounts.service_companies import CreateSite, create_site
from portal.core import clock, db
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.ids import uuid7
from portal.notices import rules, wording
from portal.notices.model import Kind
from portal.schedules.service import ConfirmLine, confirm_line
from portal.schedules.service_plans import SetPlan, set_plan
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from portal.shipments.service import NewShipment, ShippedLine, ship
from tests.factories import ZONE, Tenant, fetch, make_contract, make_deliveries, today
from tests.notices.conftest import Post
from tests.notices.test_compose import card, published
from tests.notices.test_planning import hire, line_of


def at(hours: int, minutes: int = 0, day: date | None = None) -> datetime:
    return rules.instant(day or today(), hours * 60 + minutes, ZONE)


async def planned(actor: Actor, kind: Kind) -> list[tuple[int, str]]:
    """(level, key's beginning) of a person's notices of a kind."""
    rows = await fetch(
        actor,
        "select level, key from notice where tenant_id = $1 and member_id = $2 and kind = $3 order by occurred_at, id",
        *(actor.tenant_id, actor.member_id, kind.value),
    )
    return [(row["level"], row["key"]) for row in rows]


async def test_the_summary_comes_once_a_day_also_when_nothing_waits(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.customer)
    for now in (at(7, 59), at(8), at(8, 1), at(11)):
        await post.time_passes(now)
    await post.deliver(at(11))

    assert await planned(tenant.customer, Kind.DIGEST) == [(1, f"digest:{today()}")]
    if clock.now() < at(24):  # it is about today, and is not sent tomorrow
        (message,) = post.chat.of(f"{tenant.customer.member_id.hex}@example.com")  # type: ignore[union-attr]
        assert message.card.facts == ("Nothing waits for you.",)


async def test_who_wants_no_summary_gets_none(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.customer, kinds={Kind.DIGEST: "off"})
    await post.time_passes(at(9))

    assert await planned(tenant.customer, Kind.DIGEST) == []


async def test_no_summary_on_a_day_that_is_not_worked(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.customer)
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)
        await connection.execute(
            "insert into site_day (tenant_id, id, party_id, site_id, day, working, name)"
            " select tenant_id, gen_random_uuid(), party_id, id, $2, false, 'Holiday' from site where tenant_id = $1",
            *(tenant.id, today()),
        )
    await post.time_passes(at(9))

    assert await planned(tenant.customer, Kind.DIGEST) == []
    assert len(await planned(tenant.supplier, Kind.DIGEST)) == 0


async def test_the_summary_follows_what_happens_through_the_day(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    made, _release = await published(tenant, Direction.PURCHASE, [100])
    await post.happen()
    await post.time_passes(at(9))
    await post.deliver(at(9))
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, await line_of(tenant, made.contract.id), None, ConfirmLine())
    await post.happen()
    rows = await fetch(
        tenant.supplier, "select count(*) from dispatch where tenant_id = $1 and object_kind = 'digest'", tenant.id
    )

    if clock.now() < at(24):
        assert rows[0][0] == 2  # sent once, and to be written anew in a minute


async def test_what_was_agreed_is_summed_up_in_the_evening(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier, tenant.factory)
    made, _release = await published(tenant, Direction.PURCHASE, [100])
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, await line_of(tenant, made.contract.id), None, ConfirmLine())
    await post.time_passes(at(18, 29))
    before = await planned(tenant.supplier, Kind.AGREED)
    await post.time_passes(at(18, 30))
    await post.time_passes(at(18, 31))

    assert before == []
    assert await planned(tenant.supplier, Kind.AGREED) == [(1, f"agreed:{today()}")]
    assert await planned(tenant.customer, Kind.AGREED) == []  # they did nothing


async def test_the_evening_is_of_the_companys_own_day(tenant: Tenant) -> None:
    """One of two places on both sides of the date line has another day than the workspace, whenever this runs."""
    zone = next(z for z in ("Pacific/Kiritimati", "Pacific/Pago_Pago") if local_today(clock.now(), z) != today())
    async with db.unit_of_work(tenant.factory) as session:
        dock = CreateSite(code="FAR", name="Dock", time_zone=zone)
        await create_site(session, tenant.factory, tenant.supplier.party_id, dock)

    said = await card(tenant.supplier, "agreed", uuid7())

    assert said.title == f"What you agreed today, {wording.day(local_today(clock.now(), zone))}"


async def test_a_delivery_is_reminded_of_once_to_who_sells_it(post: Post, tenant: Tenant) -> None:
    clerk = await hire(tenant, tenant.supplier, Role.CLERK)
    await post.awake(clerk, tenant.customer, tenant.factory)
    made = await make_contract(tenant, Direction.PURCHASE)
    lines = await make_deliveries(tenant, made, [1, 2, 3, 4, 5, 6])  # due today and on the five days after
    await make_deliveries(tenant, await make_contract(tenant, Direction.SALE), [1, 2])
    for _ in range(2):
        await post.time_passes(at(9))

    keys = [key for _level, key in await planned(clerk, Kind.REMINDER)]
    assert keys == [f"reminder:{line.id}:{line.due_date}" for line in lines[1:4]]  # tomorrow, and up to three days
    assert await planned(tenant.customer, Kind.REMINDER) == []
    assert len(await planned(tenant.factory, Kind.REMINDER)) == 1
    assert await planned(tenant.supplier, Kind.REMINDER) == []


async def test_what_comes_due_in_quiet_hours_waits_for_the_next_morning(post: Post, tenant: Tenant) -> None:
    await post.work_every_day()  # the hours are the usual ones, 20:00 to 07:30
    await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [1, 2])
    await post.time_passes(at(23))
    rows = await fetch(
        tenant.factory,
        "select state, next_try from dispatch where tenant_id = $1 and kind = 'reminder' and member_id = $2",
        *(tenant.id, tenant.supplier.member_id),
    )

    assert [tuple(row) for row in rows] == [("waiting", at(7, 30, today() + timedelta(days=1)))]


async def ask_until(tenant: Tenant, respond_by: datetime) -> None:
    async with db.unit_of_work(tenant.factory) as session:
        connection = await db.driver(session)
        await connection.execute(
            "update schedule_line set respond_by = $2 where tenant_id = $1 and status = 'proposed'",
            *(tenant.id, respond_by),
        )


async def test_a_missing_answer_rises_from_the_person_to_the_deputy_to_the_administrator(
    post: Post, tenant: Tenant
) -> None:
    deputy = await hire(tenant, tenant.supplier, Role.CLERK)
    clerk = await hire(tenant, tenant.supplier, Role.CLERK)
    await post.awake(clerk, deputy_id=deputy.member_id)
    await post.awake(deputy, kinds={Kind.OVERDUE: "off"})
    made, _release = await published(tenant, Direction.PURCHASE, [100])
    due = datetime(2027, 3, 3, 4, tzinfo=UTC)
    await ask_until(tenant, due)
    for hours in (-25, -23, -1, 0, 1, 4, 5):
        await post.time_passes(due + timedelta(hours=hours))

    key = f"{made.contract.id}:{due.isoformat()}"
    assert await planned(clerk, Kind.OVERDUE) == [(1, f"overdue:1:{key}"), (3, f"overdue:3:{key}")]
    assert await planned(deputy, Kind.OVERDUE) == [(2, f"overdue:2:{key}"), (3, f"overdue:3:{key}")]
    assert await planned(tenant.supplier, Kind.OVERDUE) == [(3, f"overdue:3:{key}")]
    history = await fetch(
        tenant.factory,
        "select verb from timeline where tenant_id = $1 and subject = 'reminder' order by id",
        tenant.id,
    )
    assert [row["verb"] for row in history] == ["reminded", "escalated", "escalated_to_admin"]


async def test_a_release_that_nobody_acknowledged_is_asked_about_and_its_publisher_learns_of_it(
    post: Post, tenant: Tenant
) -> None:
    for actor in (tenant.supplier, tenant.factory):
        await post.awake(actor)
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    order = CallOff(contract_line_id=made.line.id, quantity=Decimal(100), due_date=today() + timedelta(days=40))
    async with db.unit_of_work(tenant.factory) as session:
        await set_plan(session, tenant.factory, made.contract.id, None, SetPlan(answer_hours=16))
    async with db.unit_of_work(tenant.factory) as session:
        await call_off(session, tenant.factory, made.contract.id, order)
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    [(due,)] = await fetch(tenant.factory, "select answer_by from release_standing where tenant_id = $1", tenant.id)
    for hours in (-1, 0, 5):
        await post.time_passes(due + timedelta(hours=hours))

    key = f"{made.contract.id}:{due.isoformat()}"
    assert await planned(tenant.supplier, Kind.OVERDUE) == [(n, f"overdue:{n}:{key}") for n in (1, 2, 3)]
    assert await planned(tenant.factory, Kind.OVERDUE) == [(1, f"overdue:1:{key}")]


async def test_who_answered_in_time_hears_nothing_more(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.supplier)
    made, _release = await published(tenant, Direction.PURCHASE, [100])
    due = datetime(2027, 3, 3, 4, tzinfo=UTC)
    await ask_until(tenant, due)
    async with db.unit_of_work(tenant.supplier) as session:
        await confirm_line(session, tenant.supplier, await line_of(tenant, made.contract.id), None, ConfirmLine())
    await post.time_passes(due + timedelta(hours=5))

    assert await planned(tenant.supplier, Kind.OVERDUE) == []


async def test_a_delivery_note_that_nobody_counted_is_asked_about(post: Post, tenant: Tenant) -> None:
    await post.awake(tenant.customer)
    made = await make_contract(tenant, Direction.SALE)
    (line,) = await make_deliveries(tenant, made, [800])
    async with db.unit_of_work(tenant.factory) as session:
        note = NewShipment(
            number="ASN-9", expected_on=today(), lines=[ShippedLine(line_id=line.id, quantity=Decimal(800))]
        )
        shipment = await ship(session, tenant.factory, note)
    await post.time_passes(at(12))
    before = await planned(tenant.customer, Kind.RECEIPT_DUE)
    tomorrow = today() + timedelta(days=1)
    for _ in range(2):
        await post.time_passes(at(9, day=tomorrow))

    assert before == []
    assert await planned(tenant.customer, Kind.RECEIPT_DUE) == [(1, f"receipt_due:{shipment.id}:{today()}")]


async def test_two_workers_that_look_at_once_plan_once(post: Post, tenant: Tenant) -> None:
    import asyncio

    await post.awake(tenant.supplier)
    await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [1, 2, 3])
    await asyncio.gather(*(post.time_passes(at(9)) for _ in range(3)))

    assert len(await planned(tenant.supplier, Kind.REMINDER)) == 2
    assert len(await planned(tenant.supplier, Kind.DIGEST)) == 1


async def test_whoever_cannot_be_reached_is_told_once_they_can(tenant: Tenant) -> None:
    unreachable = Post(tenant, None)  # type: ignore[arg-type]
    await unreachable.awake(tenant.supplier)
    await unreachable.time_passes(at(9))

    assert await planned(tenant.supplier, Kind.DIGEST) == []
