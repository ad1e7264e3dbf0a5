"""Commands on schedule lines, proven on both sides."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from portal.accounts.service_calendars import SetWindows, Shutdown, set_windows, shut_down
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.states import WrongSide, WrongState
from portal.schedules import service
from portal.schedules.model import LineStatus
from portal.schedules.reads_calendars import receiving_hours
from portal.schedules.rules import OutsideTolerance, RejectReason, Stale
from portal.schedules.service import ConfirmLine, ConfirmLines, LineVersion, RejectLine, Split
from portal.schedules.service_release import CallOff, Generate, Publish, call_off, generate_lines, publish_release
from tests.accounts.test_calendars import site_of
from tests.factories import Made, Tenant, fetch, make_contract, today

LINE = "select status, version, confirmed_quantity, zone, release_line_id from schedule_line where id = $1"


async def published(tenant: Tenant, direction: Direction, quantity: int = 100, in_days: int = 7) -> tuple[Made, UUID]:
    """An active contract with one published line, due in the firm zone: its seller is asked."""
    made = await make_contract(tenant, direction, foq=None)
    order = CallOff(
        contract_line_id=made.line.id, quantity=Decimal(quantity), due_date=today() + timedelta(days=in_days)
    )
    async with unit_of_work(tenant.factory) as session:
        line_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    return made, line_id


def confirming(*parts: int) -> ConfirmLine:
    days = [today() + timedelta(days=7 - n) for n in range(len(parts))]  # none is late
    return ConfirmLine(
        splits=[Split(quantity=Decimal(part), delivery_date=day) for part, day in zip(parts, days, strict=True)]
    )


async def confirm(actor: Actor, line_id: UUID, version: int | None, data: ConfirmLine) -> LineStatus:
    async with unit_of_work(actor) as session:
        return (await service.confirm_line(session, actor, line_id, version, data)).status


async def test_supplier_confirms_a_proposed_line_in_two_parts(tenant: Tenant) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)

    assert await confirm(tenant.supplier, line_id, 2, confirming(60, 40)) is LineStatus.CONFIRMED

    (line,) = await fetch(tenant.factory, LINE, line_id)
    parts = await fetch(
        tenant.factory, "select quantity, release_line_id, member_id from confirmation where line_id = $1", line_id
    )
    history = await fetch(
        tenant.factory,
        "select verb, version, member_name, scope from timeline where subject_id = $1 order by id",
        line_id,
    )
    events = await fetch(
        tenant.factory, "select name, transaction from outbox where data->>'line_id' = $1", str(line_id)
    )
    audit = await fetch(
        tenant.factory, "select action, transaction from audit where subject_id = $1 order by id", line_id
    )
    assert (line["status"], line["version"], line["confirmed_quantity"]) == ("confirmed", 3, Decimal(100))
    assert sorted(part["quantity"] for part in parts) == [Decimal(40), Decimal(60)]
    assert {part["release_line_id"] for part in parts} == {line["release_line_id"]}
    assert {part["member_id"] for part in parts} == {tenant.supplier.member_id}
    assert [(h["verb"], h["version"]) for h in history] == [("called_off", 1), ("asked", 2), ("confirmed", 3)]
    assert (history[-1]["member_name"], history[-1]["scope"]) == ("Ben", "partner")
    assert [event["name"] for event in events] == ["LineConfirmed"]
    assert [row["action"] for row in audit][-1] == "schedule_line.confirmed"
    assert events[0]["transaction"] == audit[-1]["transaction"]
    assert await fetch(tenant.supplier, "select 1 from timeline where subject_id = $1 and verb = 'confirmed'", line_id)


async def test_a_part_is_partly_confirmed_and_the_rest_completes_it(tenant: Tenant) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    assert await confirm(tenant.supplier, line_id, 2, confirming(60)) is LineStatus.PARTLY_CONFIRMED
    assert await confirm(tenant.supplier, line_id, 3, ConfirmLine()) is LineStatus.CONFIRMED
    (line,) = await fetch(tenant.factory, LINE, line_id)
    assert line["confirmed_quantity"] == Decimal(100)


async def test_the_factory_confirms_what_it_sells(tenant: Tenant) -> None:
    _, line_id = await published(tenant, Direction.SALE)
    assert await confirm(tenant.factory, line_id, 2, ConfirmLine()) is LineStatus.CONFIRMED
    (line,) = await fetch(tenant.customer, LINE, line_id)
    assert line["status"] == "confirmed"


@pytest.mark.parametrize(
    ("who", "version", "parts", "refusal"),
    [
        ("customer", 2, (100,), WrongSide),
        ("factory", 1, (100,), Stale),
        ("factory", 2, (101,), OutsideTolerance),
        ("supplier", 2, (100,), NotFound),
    ],
)
async def test_a_refused_confirmation_changes_nothing(
    tenant: Tenant, who: str, version: int, parts: tuple[int, ...], refusal: type[Exception]
) -> None:
    _, line_id = await published(tenant, Direction.SALE)
    before = await fetch(tenant.factory, LINE, line_id)
    with pytest.raises(refusal):
        await confirm(getattr(tenant, who), line_id, version, confirming(*parts))
    assert await fetch(tenant.factory, LINE, line_id) == before
    assert not await fetch(tenant.factory, "select 1 from confirmation where line_id = $1", line_id)
    assert not await fetch(
        tenant.factory, "select 1 from outbox where name = 'LineConfirmed' and tenant_id = $1", tenant.id
    )


async def test_a_viewer_may_not_confirm(tenant: Tenant) -> None:
    _, line_id = await published(tenant, Direction.SALE)
    with pytest.raises(Forbidden):
        await confirm(tenant.as_role(tenant.factory, Role.VIEWER), line_id, 2, ConfirmLine())


async def test_bulk_confirmation_is_all_or_nothing(tenant: Tenant) -> None:
    _, mine = await published(tenant, Direction.PURCHASE)
    _, foreign = await published(tenant, Direction.SALE)
    data = ConfirmLines(lines=[LineVersion(id=mine, version=2), LineVersion(id=foreign, version=2)])
    with pytest.raises(NotFound):
        async with unit_of_work(tenant.supplier) as session:
            await service.confirm_lines(session, tenant.supplier, data)
    (line,) = await fetch(tenant.factory, LINE, mine)
    assert (line["status"], line["version"]) == ("proposed", 2)


async def test_a_rejected_line_stays_visible_and_is_asked_again_by_the_buyer(tenant: Tenant) -> None:
    _, line_id = await published(tenant, Direction.PURCHASE)
    async with unit_of_work(tenant.supplier) as session:
        await service.reject_line(session, tenant.supplier, line_id, 2, RejectLine(reason=RejectReason.CAPACITY))
    with pytest.raises(WrongState):
        await confirm(tenant.supplier, line_id, 3, ConfirmLine())
    site = await site_of(tenant, tenant.supplier, "FOUNDRY")
    async with unit_of_work(tenant.supplier) as session:  # the answer is due in the seller's own working hours
        shut = Shutdown(first=today(), last=today() + timedelta(days=20), name="Relining")
        await shut_down(session, tenant.supplier, site.id, shut)
    async with unit_of_work(tenant.factory) as session:
        await service.ask_again(session, tenant.factory, line_id, 3)
    (line,) = await fetch(tenant.supplier, LINE, line_id)
    assert (line["status"], line["version"]) == ("proposed", 4)
    ((until,),) = await fetch(tenant.supplier, "select respond_by from schedule_line where id = $1", line_id)
    assert until > clock.now() + timedelta(days=19)


@pytest.mark.parametrize("direction", list(Direction))
async def test_both_sides_see_when_the_receiving_site_takes_goods(tenant: Tenant, direction: Direction) -> None:
    _, line_id = await published(tenant, direction)  # due in seven days, on today's weekday
    sender, receiver, foreign = tenant.supplier, tenant.factory, tenant.customer
    if direction is Direction.SALE:
        sender, receiver, foreign = tenant.factory, tenant.customer, tenant.supplier
    site = await site_of(tenant, receiver)
    day = today().weekday()
    windows = ((day, "07:00", "11:30"), ((day + 1) % 7, "13:00", "15:00"))
    hours = [dict(zip(("weekday", "opens", "closes"), window, strict=True)) for window in windows]
    async with unit_of_work(receiver) as session:
        await set_windows(session, receiver, site.id, SetWindows.model_validate({"windows": hours}))
    for actor, expected in ((sender, ["07:00-11:30"]), (receiver, ["07:00-11:30"]), (foreign, None)):
        async with read(actor) as connection:
            assert await receiving_hours(connection, actor, line_id) == expected


async def test_generated_lines_become_a_release_with_zones_by_date(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, ("A100", "A120"), foq=Decimal(800))
    async with unit_of_work(tenant.factory) as session:
        count = await generate_lines(session, tenant.factory, made.contract.id, Generate())
        again = await generate_lines(session, tenant.factory, made.contract.id, Generate())
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    rows = await fetch(
        tenant.supplier,
        "select l.due_date, l.zone, l.status, r.quantity, r.zone as frozen from schedule_line l"
        " join release_line r on r.id = l.release_line_id order by l.due_date",
    )
    assert (count, again) == (len(rows), 0)
    assert count >= 2 * 25
    for row in rows:
        days = (row["due_date"] - today()).days
        expected = "firm" if days <= 28 else "tradeoff" if days <= 63 else "forecast"
        assert (row["zone"], row["frozen"], row["quantity"]) == (expected, expected, Decimal(800))
        assert row["status"] == ("proposed" if expected == "firm" else "published")


async def test_a_restricted_colleague_cannot_confirm_another_contract(tenant: Tenant) -> None:
    made, line_id = await published(tenant, Direction.PURCHASE)
    other, _ = await published(tenant, Direction.PURCHASE)
    colleague = replace(tenant.supplier, contract_ids=frozenset({other.contract.id}))
    with pytest.raises(NotFound):
        await confirm(colleague, line_id, 2, ConfirmLine())
    allowed = replace(tenant.supplier, contract_ids=frozenset({made.contract.id}))
    assert await confirm(allowed, line_id, 2, ConfirmLine()) is LineStatus.CONFIRMED
