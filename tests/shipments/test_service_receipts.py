"""Receipts: each answer at the dock, what closes a line, one receipt however often it is sent, and corrections."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from portal.core import files as store
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.ids import uuid7
from portal.core.states import WrongSide, WrongState
from portal.core.versions import Stale
from portal.shipments import rules, rules_documents, service, service_receipts
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Photo, Problem, Receipt, Shipment
from tests.factories import Tenant, fetch, make_contract, make_deliveries, rows_of, today
from tests.shipments.makers import (
    LINES,
    correct,
    counting,
    in_transit,
    nothing_was_received,
    photo,
    receive,
    sent,
    sums,
)

D = Decimal


# --- what each answer means -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("good", "problem", "figures"),
    [
        (800, None, (800, 800, 0, 0, None)),
        (760, Problem.NOT_ON_TRUCK, (760, 760, 0, 40, "not_on_truck")),
        (760, Problem.DAMAGED, (800, 760, 40, 0, "damaged")),
        (760, Problem.WRONG_PART, (760, 760, 0, 40, "wrong_part")),
        (760, Problem.COUNTED_AGAIN, (800, 800, 0, 0, None)),
        (0, Problem.NOT_ON_TRUCK, (0, 0, 0, 800, "not_on_truck")),
    ],
)
async def test_each_answer_gives_its_figures_to_both_sides(
    tenant: Tenant, good: int, problem: Problem | None, figures: tuple[Any, ...]
) -> None:
    """800 announced: 760 counted and 40 short leave nothing in transit and 40 open."""
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800))
    receipt = await receive(tenant.factory, shipment, counting(announced, good, problem))

    for reader in (tenant.supplier, tenant.factory):
        rows = await fetch(reader, LINES, tenant.id, receipt.id)
        assert [tuple(row) for row in rows] == [figures]
        accepted, rejected = figures[1], figures[2]
        closed = ("closed", "complete") if accepted == 800 else ("confirmed", None)
        assert await sums(reader, line) == (800, accepted, rejected, *closed)
        assert await in_transit(reader, line) == 0
        assert 800 - accepted == (0 if closed[1] else 800 - good)
    async with unit_of_work(tenant.supplier) as session:
        read = await service.get_shipment(session, tenant.supplier, shipment.id)
        posted = await service_receipts.get_receipt(session, tenant.supplier, receipt.id)
    assert (read.status, read.version) == ("received", 2)
    assert (posted.number, posted.received_on) == ("R-1", today())


async def test_history_audit_and_event_tell_of_a_receipt(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.SALE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800), direction=Direction.SALE)
    receipt = await receive(tenant.customer, shipment, counting(announced, 800))

    history = "select subject, verb, version, data from timeline where tenant_id = $1 and verb = 'received'"
    rows = await fetch(tenant.customer, history, tenant.id)
    assert {(row["subject"], row["version"]) for row in rows} == {("schedule_line", 3), ("shipment", 2)}
    assert all(row["data"]["number"] == receipt.number for row in rows)
    audit = await fetch(tenant.factory, "select action, member_id from audit where tenant_id = $1", tenant.id)
    assert ("shipment.received", tenant.customer.member_id) in [tuple(row) for row in audit]
    told = await fetch(tenant.factory, "select name, party_id from outbox where tenant_id = $1", tenant.id)
    assert ("ReceiptPosted", tenant.customer.party_id) in [tuple(row) for row in told]


async def test_a_shortage_may_be_shipped_again_but_not_more(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800))
    await receive(tenant.factory, shipment, counting(announced, 760, Problem.NOT_ON_TRUCK))
    with pytest.raises(rules.OverShipped):
        await sent(tenant, (line, 41))
    again, (rest,) = await sent(tenant, (line, 40))
    await receive(tenant.factory, again, counting(rest, 40))
    assert await sums(tenant.supplier, line) == (840, 800, 0, "closed", "complete")
    assert await in_transit(tenant.supplier, line) == 0


@pytest.mark.parametrize(("good", "closing"), [(95, ("closed", "short")), (94, ("confirmed", None))])
async def test_a_line_closes_short_within_its_tolerance(tenant: Tenant, good: int, closing: tuple[Any, ...]) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [100], under_percent=D(5))
    shipment, (announced,) = await sent(tenant, (line, 100))
    await receive(tenant.factory, shipment, counting(announced, good, Problem.NOT_ON_TRUCK))
    assert (await sums(tenant.supplier, line))[3:] == closing


async def test_twenty_trucks_fill_one_line(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [10_000], over_percent=D(2))
    for _ in range(20):
        shipment, _ = await sent(tenant, (line, 510))
        await receive(tenant.factory, shipment, Receive())
        if (await sums(tenant.factory, line))[3] == "closed":
            break
    assert await sums(tenant.supplier, line) == (10_200, 10_200, 0, "closed", "complete")


async def test_what_is_wrong_with_several_lines_is_told_at_once(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    lines = await make_deliveries(tenant, made, [100, 100, 100], over_percent=D(10))
    shipment, announced = await sent(tenant, *((line, 100) for line in lines))

    def goods(*counts: str) -> Receive:
        pairs = zip(announced, counts, strict=True)
        return Receive(lines=[CountedLine(shipment_line_id=line.id, good=D(good)) for line, good in pairs])

    for said, fields in (
        (goods("100.5", "100", "90"), ["lines.0.good", "lines.2.problem"]),
        (goods("111", "100", "112"), ["lines.0.counted", "lines.2.counted"]),
    ):
        with pytest.raises(PortalError) as refused:
            await receive(tenant.factory, shipment, said)
        assert [one.field for one in refused.value.each()] == fields
    assert await nothing_was_received(tenant, shipment, *lines)

    receipt = await receive(tenant.factory, shipment, goods("100", "100", "100"))
    before = [await sums(tenant.supplier, line) for line in lines]
    entries = [
        CountedLine(shipment_line_id=line.id, counted=D(100), accepted=D("60.5"), rejected=D("39.5"))
        for line in announced[1:]
    ]
    with pytest.raises(PortalError) as refused:
        await correct(tenant.factory, receipt, Receive(lines=entries))
    fields = [f"lines.{no}.{figure}" for no in (0, 1) for figure in ("accepted", "rejected")]
    assert [one.field for one in refused.value.each()] == fields
    assert [await sums(tenant.supplier, line) for line in lines] == before


async def test_an_excess_is_accepted_within_tolerance_only(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    (line,) = await make_deliveries(tenant, made, [100], over_percent=D(10))
    shipment, (announced,) = await sent(tenant, (line, 100))
    with pytest.raises(rules.OverReceived) as refused:
        await receive(tenant.factory, shipment, counting(announced, 111))
    assert refused.value.field == "lines.0.counted"
    assert await nothing_was_received(tenant, shipment, line)
    receipt = await receive(tenant.factory, shipment, counting(announced, 110))
    assert [row["short"] for row in await fetch(tenant.supplier, LINES, tenant.id, receipt.id)] == [-10]
    assert await in_transit(tenant.supplier, line) == 0


async def test_lines_left_out_wait_for_the_next_receipt(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    first, second = await make_deliveries(tenant, made, [800, 400])
    shipment, (one, _) = await sent(tenant, (first, 800), (second, 400))
    await receive(tenant.factory, shipment, counting(one, 800))
    assert await in_transit(tenant.supplier, second) == 400
    with pytest.raises(rules.AlreadyCounted):
        await receive(tenant.factory, shipment, counting(one, 800), version=2)
    (head,) = await fetch(tenant.supplier, "select status from shipment where id = $1", shipment.id)
    assert head["status"] == "partly_received"
    async with unit_of_work(tenant.supplier) as session:
        with pytest.raises(WrongState):
            await service.withdraw(session, tenant.supplier, shipment.id, 2)
    await receive(tenant.factory, shipment, Receive(), version=2)
    (head,) = await fetch(tenant.supplier, "select status, version from shipment where id = $1", shipment.id)
    assert tuple(head) == ("received", 3)
    assert await sums(tenant.supplier, second) == (400, 400, 0, "closed", "complete")
    with pytest.raises(WrongState):
        await receive(tenant.factory, shipment, Receive(), version=3)


# --- who may, and what a refusal leaves -------------------------------------------------------------------------------


async def test_every_refusal_leaves_nothing(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    line, foreign = await make_deliveries(tenant, made, [800, 400])
    shipment, (announced,) = await sent(tenant, (line, 800))
    _, (elsewhere,) = await sent(tenant, (foreign, 400))
    good = counting(announced, 800)
    picture = await store.drawn_anew(photo())
    viewer = tenant.as_role(tenant.factory, Role.VIEWER)
    day = timedelta(days=1)
    mixed = Receive(lines=[*good.lines, *counting(elsewhere, 1).lines])
    attempts: list[tuple[Actor, Receive, int, type[PortalError]]] = [
        (viewer, good, 1, Forbidden),
        (tenant.supplier, good, 1, WrongSide),
        (tenant.customer, good, 1, NotFound),
        (tenant.factory, good, 2, Stale),
        (tenant.factory, counting(announced, 760), 1, rules.ProblemNeeded),
        (tenant.factory, counting(announced, -1), 1, rules.NegativeCount),
        (tenant.factory, mixed, 1, NotFound),
        (tenant.factory, good.model_copy(update={"received_on": today() + day}), 1, rules_documents.DayAhead),
        (tenant.factory, good.model_copy(update={"received_on": today() - day}), 1, rules_documents.TooEarly),
    ]
    for actor, data, version, refusal in attempts:
        with pytest.raises(refusal):
            await receive(actor, shipment, data, picture, version=version)
    with pytest.raises(NotFound):
        await receive(tenant.factory, replace_id(shipment), good)
    assert await nothing_was_received(tenant, shipment, line)


def replace_id(shipment: Shipment) -> Shipment:
    """The same shipment under an id that nobody has."""
    return shipment.model_copy(update={"id": uuid7()})


async def test_three_figures_must_add_up(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800))
    entry = CountedLine(
        shipment_line_id=announced.id, counted=D(790), accepted=D(760), rejected=D(20), problem=Problem.DAMAGED
    )
    with pytest.raises(rules.CountDoesNotAddUp):
        await receive(tenant.factory, shipment, Receive(lines=[entry]))
    assert await nothing_was_received(tenant, shipment, line)
    entry = entry.model_copy(update={"rejected": D(30)})
    await receive(tenant.factory, shipment, Receive(lines=[entry]))
    assert await sums(tenant.supplier, line) == (800, 760, 30, "confirmed", None)
    assert await in_transit(tenant.supplier, line) == 0


async def test_a_restricted_colleague_counts_its_own_lines(tenant: Tenant) -> None:
    mine, others = await make_contract(tenant, Direction.SALE), await make_contract(tenant, Direction.SALE)
    (own,) = await make_deliveries(tenant, mine, [800])
    (hidden,) = await make_deliveries(tenant, others, [400])
    shipment, (_, two) = await sent(tenant, (own, 800), (hidden, 400), direction=Direction.SALE)
    colleague = replace(tenant.customer, contract_ids=frozenset({mine.contract.id}))
    with pytest.raises(NotFound):
        await receive(colleague, shipment, counting(two, 400))
    receipt = await receive(colleague, shipment, Receive())
    assert (await sums(tenant.factory, hidden))[1] == 0
    assert (await sums(tenant.factory, own))[1] == 800
    rest = await receive(tenant.customer, shipment, Receive(), version=2)
    async with unit_of_work(colleague) as session:
        assert (await service_receipts.get_receipt(session, colleague, receipt.id)).number == "R-1"
        with pytest.raises(NotFound):
            await service_receipts.get_receipt(session, colleague, rest.id)


# --- once, however often it is sent -----------------------------------------------------------------------------------


async def test_eight_receivers_of_one_note_make_one_receipt(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    shipment, _ = await sent(tenant, (line, 800))
    tries = [receive(tenant.factory, shipment, Receive(request_id=uuid7())) for _ in range(8)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Receipt"] + ["WrongState"] * 7
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(1,)]
    assert await sums(tenant.supplier, line) == (800, 800, 0, "closed", "complete")


async def test_a_receipt_sent_again_from_the_queue_is_the_same_receipt(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    line, other = await make_deliveries(tenant, made, [800, 400])
    shipment, (announced,) = await sent(tenant, (line, 800))
    data = counting(announced, 760, Problem.DAMAGED).model_copy(update={"request_id": uuid7()})
    picture = await store.drawn_anew(photo())
    results = await asyncio.gather(*(receive(tenant.factory, shipment, data, picture) for _ in range(8)))
    assert {receipt.id for receipt in results} == {data.request_id}
    assert await fetch(tenant.factory, rows_of(Receipt), tenant.id) == [(1,)]
    assert await fetch(tenant.factory, rows_of(Photo), tenant.id) == [(1,)]
    assert await sums(tenant.supplier, line) == (800, 760, 40, "confirmed", None)
    told = await fetch(
        tenant.factory, "select 1 from outbox where tenant_id = $1 and name = 'ReceiptPosted'", tenant.id
    )
    assert len(told) == 1

    changed = counting(announced, 700, Problem.DAMAGED).model_copy(update={"request_id": data.request_id})
    with pytest.raises(rules_documents.RequestReused):
        await receive(tenant.factory, shipment, changed)
    elsewhere, _ = await sent(tenant, (other, 400))
    with pytest.raises(rules_documents.RequestReused):
        await receive(tenant.factory, elsewhere, Receive(request_id=data.request_id))


# --- corrections ------------------------------------------------------------------------------------------------------


async def test_a_correction_takes_the_place_of_the_receipt(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE)
    first, second = await make_deliveries(tenant, made, [800, 400])
    shipment, (one, _) = await sent(tenant, (first, 800), (second, 400))
    receipt = await receive(tenant.factory, shipment, Receive())
    assert await sums(tenant.supplier, first) == (800, 800, 0, "closed", "complete")

    fixed = await correct(tenant.factory, receipt, counting(one, 760, Problem.DAMAGED))
    assert (fixed.number, fixed.corrects_id, fixed.received_on) == ("R-2", receipt.id, receipt.received_on)
    assert await sums(tenant.supplier, first) == (800, 760, 40, "confirmed", None)
    assert await sums(tenant.supplier, second) == (400, 400, 0, "closed", "complete")
    assert await in_transit(tenant.supplier, first) == await in_transit(tenant.supplier, second) == 0
    with pytest.raises(rules_documents.CorrectedBefore):
        await correct(tenant.factory, receipt, Receive())
    again = await correct(tenant.factory, fixed, counting(one, 800))
    assert await sums(tenant.supplier, first) == (800, 800, 0, "closed", "complete")
    assert again.corrects_id == fixed.id
    told = await fetch(tenant.factory, "select name from outbox where tenant_id = $1", tenant.id)
    assert [row["name"] for row in told].count("ReceiptCorrected") == 2


async def test_a_correction_is_for_the_company_that_counted_and_for_a_quarter_of_an_hour(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800))
    receipt = await receive(tenant.factory, shipment, Receive())
    data = counting(announced, 760, Problem.DAMAGED)
    for actor, refusal in (
        (tenant.supplier, WrongSide),
        (tenant.customer, NotFound),
        (tenant.as_role(tenant.factory, Role.VIEWER), Forbidden),
    ):
        with pytest.raises(refusal):
            await correct(actor, receipt, data)
    assert await sums(tenant.supplier, line) == (800, 800, 0, "closed", "complete")
    late = receipt.posted_at + timedelta(minutes=15, seconds=1)
    with pytest.raises(rules_documents.TooLateToCorrect):
        rules_documents.check_correctable(rules.BUYER[0], receipt.posted_at, late, replaced=False)


async def test_two_corrections_at_once_are_one(tenant: Tenant) -> None:
    (line,) = await make_deliveries(tenant, await make_contract(tenant, Direction.PURCHASE), [800])
    shipment, (announced,) = await sent(tenant, (line, 800))
    receipt = await receive(tenant.factory, shipment, Receive())
    tries = [correct(tenant.factory, receipt, counting(announced, 760 - no, Problem.DAMAGED)) for no in range(4)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["CorrectedBefore"] * 3 + ["Receipt"]
    shipped, accepted, rejected, _, _ = await sums(tenant.supplier, line)
    assert accepted + rejected == shipped == 800
