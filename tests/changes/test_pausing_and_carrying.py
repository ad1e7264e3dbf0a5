"""A pause of a span of days, and what an ended period is short of counting in a later one; proven on both sides."""

from datetime import date
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.changes import service, service_answering, service_asking, words
from portal.changes.inputs import NewChange, NewPart, NewPause
from portal.changes.model import ChangeReason, ChangeRequest, ChangeStatus, PartKind, Way
from portal.changes.rules import BaseMoved, DayPassed, NothingAsked, PartUnclear, Piece
from portal.changes.rules_carrying import (
    CarriedBackwards,
    MoreThanThereIs,
    NothingToCarry,
    PeriodNow,
    PeriodRuns,
    TargetUsedUp,
    carried,
)
from portal.changes.rules_pausing import NothingToPause, PauseBackwards, Paused, Span, check_span, paused
from portal.contracts.rules_carry import Ended, Move, Rule, carry
from portal.contracts.service_closing import close_periods
from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.db import driver, unit_of_work
from portal.core.errors import Conflict, Invalid, NotFound
from tests.changes.makers import agree, another, day, delivery, lines, state, step, wish, worked
from tests.changes.test_interleavings import exact
from tests.contracts.bucket_makers import figures, make_committed, periods, span
from tests.factories import Made, Tenant, firm_may_change

D = Decimal
K, S = PartKind, ChangeStatus
TODAY = date(2026, 9, 10)
LINE = uuid4()


# --- rules ------------------------------------------------------------------------------------------------------------


def test_what_a_pause_makes_of_a_delivery() -> None:
    due, on = date(2026, 8, 5), date(2026, 8, 17)
    assert paused(due, D(300), D(0), on, drop=False) == Paused(K.PAUSE, due_date=on)
    assert paused(due, D(300), D(0), on, drop=True) == Paused(K.CANCEL)
    both = (Piece(D(100), due), Piece(D(200), on))  # what is on the way stays
    assert paused(due, D(300), D(100), on, drop=False) == Paused(K.SPLIT, pieces=both)
    assert paused(due, D(300), D(100), on, drop=True) == Paused(K.CHANGE, quantity=D(100))
    assert paused(due, D(300), D(300), on, drop=True) is None


@pytest.mark.parametrize(
    ("since", "until", "refusal"),
    [(20, 10, PauseBackwards), (1, 9, DayPassed), (20, 900, Invalid)],
)
def test_days_of_a_pause_that_cannot_be(since: int, until: int, refusal: type[Invalid]) -> None:
    first = date(2026, 9, 1).toordinal() - 1
    with pytest.raises(refusal):
        check_span(Span(date.fromordinal(first + since), date.fromordinal(first + until)), TODAY)


def at(first: date, last: date, target: int, called: int, line: UUID = LINE) -> PeriodNow:
    return PeriodNow(uuid4(), line, first, last, D(target), D(called))


AUGUST, SEPTEMBER = (date(2026, 8, 1), date(2026, 9, 1)), (date(2026, 9, 1), date(2026, 10, 1))


def test_a_shortfall_and_an_excess_are_carried_with_their_sign() -> None:
    later = at(*SEPTEMBER, 100, 0)
    assert carried("H87", at(*AUGUST, 100, 80), later, None, TODAY) == 20
    assert carried("H87", at(*AUGUST, 100, 80), later, D(15), TODAY) == 15
    assert carried("H87", at(*AUGUST, 100, 130), later, D(30), TODAY) == -30


@pytest.mark.parametrize(
    ("source", "to", "quantity", "refusal"),
    [
        (at(*SEPTEMBER, 100, 80), at(date(2026, 10, 1), date(2026, 11, 1), 100, 0), None, PeriodRuns),
        (at(*AUGUST, 100, 80), at(date(2026, 7, 1), date(2026, 8, 1), 100, 0), None, CarriedBackwards),
        (at(*AUGUST, 100, 80), at(*SEPTEMBER, 100, 0, uuid4()), None, CarriedBackwards),
        (at(*AUGUST, 100, 100), at(*SEPTEMBER, 100, 0), None, NothingToCarry),
        (at(*AUGUST, 100, 80), at(*SEPTEMBER, 100, 0), D(21), MoreThanThereIs),
        (at(*AUGUST, 100, 130), at(*SEPTEMBER, 20, 0), None, TargetUsedUp),
    ],
)
def test_what_cannot_be_carried(
    source: PeriodNow, to: PeriodNow, quantity: Decimal | None, refusal: type[Invalid | Conflict]
) -> None:
    with pytest.raises(refusal):
        carried("H87", source, to, quantity, TODAY)


def test_the_contracts_own_carry_over_and_its_cap_leave_alone_what_was_agreed() -> None:
    one, two, rule = uuid4(), uuid4(), Rule(1, D(10))
    before = carry([Ended(one, D(100), D(60))], two, rule, Rule(), "H87")
    assert before == [Move(one, two, D(10))]  # 40 are missing, 10 % of the target go on
    assert carry([Ended(one, D(100), D(60), agreed=D(-30))], two, rule, Rule(), "H87") == before
    assert carry([Ended(one, D(100), D(60), agreed=D(-40))], two, rule, Rule(), "H87") == []


@given(st.integers(0, 200), st.integers(0, 300), st.integers(0, 100))
def test_what_was_agreed_and_what_goes_on_by_itself_are_the_difference_together(
    target: int, taken: int, share: int
) -> None:
    """Of any period, and of any part of it that both agree to carry."""
    source, later = at(*AUGUST, target, taken), at(*SEPTEMBER, 1000, 0)
    wanted = D(abs(target - taken) * share // 100)
    if not wanted:
        return
    agreed = carried("H87", source, later, wanted, TODAY)
    ended = Ended(source.id, D(target), D(taken), agreed=-agreed)
    moves = carry([ended], later.id, Rule(None), Rule(None), "H87")
    assert agreed + sum(move.quantity for move in moves) == target - taken


def system(tenant: Tenant) -> Actor:
    return Actor.system(tenant.id, tenant.factory.party_id)


# --- pauses -----------------------------------------------------------------------------------------------------------


async def pausing(actor: Actor, made: Made, first: int, last: int, *, drop: bool = False) -> ChangeRequest:
    pause = NewPause(contract_line_id=made.line.id, since=day(first), until=day(last), drop=drop)
    data = NewChange(contract_id=made.contract.id, reason=ChangeReason.HOLIDAY, pauses=[pause])
    async with unit_of_work(actor) as session:
        return await service_asking.ask_change(session, actor, data)


async def said(actor: Actor, change: ChangeRequest) -> str:
    async with unit_of_work(actor) as session:
        return words.sentence(await service.impact(session, actor, await service.get_change(session, actor, change.id)))


async def test_a_pause_moves_what_lies_in_its_days_behind_them(tenant: Tenant) -> None:
    made, _first = await delivery(tenant, Direction.SALE, ahead=40)
    await another(tenant, made, 50, 43)
    await another(tenant, made, 70, 60)
    with pytest.raises(NothingToPause):
        await pausing(tenant.customer, made, 44, 59)
    change = await pausing(tenant.customer, made, 38, 45)
    assert (change.status, change.way) == (S.ACCEPTED, Way.INSIDE)  # of the buyer, outside the firm zone
    sentence = await said(tenant.customer, change)
    assert sentence.startswith("A100: no delivery from ")
    assert "2 deliveries, 150\u00a0pcs move to " in sentence
    assert (await worked(tenant, change.id)).status is S.APPLIED

    (one, two, three) = await lines(tenant.factory, made)
    assert [one[0], two[0], three[0]] == [100, 50, 70]
    assert one[1] == two[1]
    assert day(46) <= one[1] <= day(48)  # the first working day behind it
    assert three[1] == day(60)


async def test_a_pause_that_drops_its_deliveries_waits_for_the_seller(tenant: Tenant) -> None:
    made, _line = await delivery(tenant, Direction.PURCHASE, ahead=10)
    await firm_may_change(tenant.factory, made.contract.id)
    change = await pausing(tenant.factory, made, 5, 15, drop=True)
    assert (change.status, change.way) == (S.SUBMITTED, Way.FIRM)
    assert "1 delivery, 100\u00a0pcs fall away" in await said(tenant.supplier, change)
    await another(tenant, made, 30, 12)  # meanwhile one more is called off in these days
    await agree(tenant.supplier, change.id)
    assert (await worked(tenant, change.id)).status is S.APPLIED
    assert await lines(tenant.supplier, made) == [(100, day(10), "cancelled"), (30, day(12), "proposed")]


async def test_a_pause_asked_anew_covers_what_lies_in_its_days_now(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=10)
    await firm_may_change(tenant.factory, made.contract.id)
    change = await pausing(tenant.supplier, made, 5, 15)
    async with unit_of_work(tenant.factory) as session:
        await (await driver(session)).execute("update schedule_line set ordered_quantity = 90 where id = $1", line_id)
    with pytest.raises(BaseMoved):
        await agree(tenant.factory, change.id)
    await another(tenant, made, 30, 12)
    await step(tenant.supplier, service_answering.rebase_change, change.id)
    assert "2 deliveries, 120\u00a0pcs" in await said(tenant.factory, change)


# --- carry-overs ------------------------------------------------------------------------------------------------------


async def carrying(actor: Actor, made: Made, quantity: int | None = None) -> ChangeRequest:
    ended, later = await periods(actor, made.contract)
    part = wish(None, K.CARRY_OVER, bucket_id=ended.id, to_bucket_id=later.id, quantity=quantity and D(quantity))
    data = NewChange(contract_id=made.contract.id, reason=ChangeReason.DEMAND, parts=[part])
    async with unit_of_work(actor) as session:
        return await service_asking.ask_change(session, actor, data)


async def test_a_shortfall_counts_in_a_later_period_once_both_agree(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-40, -10), span(-10, 45))
    change = await carrying(tenant.factory, made, 60)
    assert (change.status, change.way) == (S.SUBMITTED, Way.CARRY)
    assert await figures(tenant, made) == [{}, {}]
    sentence = await said(tenant.supplier, change)
    assert "60\u00a0pcs missing in " in sentence
    assert "whose target becomes 160\u00a0pcs" in sentence

    await agree(tenant.supplier, change.id)
    assert (await worked(tenant, change.id)).status is S.APPLIED
    assert (await worked(tenant, change.id)).release_no is None  # a second run finds it done; no delivery changed
    assert await figures(tenant, made) == [{"carried_out": -60}, {"carried_in": 60}]
    assert "whose target becomes 160\u00a0pcs" in await said(tenant.supplier, change)
    with pytest.raises(MoreThanThereIs):
        await carrying(tenant.factory, made, 41)

    async with unit_of_work(system(tenant)) as session:  # the period's end leaves alone what was agreed
        await close_periods(session, system(tenant), clock.now())
    assert await figures(tenant, made) == [{"carried_out": -60}, {"carried_in": 60}]
    await exact(tenant, made)


async def test_a_carry_over_whose_period_moved_meanwhile_is_not_applied(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-40, -10), span(-10, 45))
    first, second = await carrying(tenant.factory, made, 60), await carrying(tenant.factory, made, 70)
    await agree(tenant.supplier, first.id)
    await worked(tenant, first.id)
    with pytest.raises(BaseMoved):
        await agree(tenant.supplier, second.id)
    assert await state(tenant.supplier, second.id) == "submitted"
    assert await figures(tenant, made) == [{"carried_out": -60}, {"carried_in": 60}]


async def test_what_is_unclear_foreign_or_nothing_is_refused_and_nothing_kept(tenant: Tenant) -> None:
    made = await make_committed(tenant, span(-40, -10), span(-10, 45))
    ended, _later = await periods(tenant.factory, made.contract)
    wrong: tuple[tuple[list[NewPart], type[Exception]], ...] = (
        ([NewPart(kind=K.CARRY_OVER, bucket_id=ended.id)], PartUnclear),
        ([NewPart(kind=K.CARRY_OVER, bucket_id=ended.id, to_bucket_id=uuid4())], NotFound),
        ([], NothingAsked),
    )
    for parts, refusal in wrong:
        data = NewChange(contract_id=made.contract.id, reason=ChangeReason.DEMAND, parts=parts)
        with pytest.raises(refusal):
            async with unit_of_work(tenant.supplier) as session:
                await service_asking.draft_change(session, tenant.supplier, data)
    assert await figures(tenant, made) == [{}, {}]
