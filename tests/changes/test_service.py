"""Change requests from the wish to the changed deliveries, proven on both sides."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.accounts.service_calendars import Shutdown, shut_down
from portal.changes import service as changes
from portal.changes import service_answering, service_asking, service_erp, service_files, service_terms
from portal.changes.inputs import Comment, NewPiece, NoteErp, SetTerms
from portal.changes.model import ChangeStatus, ErpState, PartKind, Way
from portal.changes.rules import (
    AlreadyShipped,
    BaseMoved,
    DayPassed,
    NotByLine,
    NothingWanted,
    NotYourRequest,
    OwnOffer,
    PartUnclear,
    TooLate,
)
from portal.changes.service import get_change
from portal.contracts.rules_buckets import NoPeriod
from portal.contracts.service_files import FileThere
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import driver, unit_of_work
from portal.core.errors import Forbidden, NotFound
from portal.core.quantities import TooFine
from portal.core.states import WrongState
from portal.core.versions import Stale
from portal.schedules import service
from portal.schedules.service import ConfirmLine
from tests.accounts.test_calendars import site_of
from tests.changes.makers import (
    FAR,
    FIRM,
    agree,
    another,
    ask,
    counter,
    day,
    delivery,
    lines,
    refuse,
    state,
    step,
    wanting,
    wish,
    worked,
)  # fmt: skip
from tests.contracts.bucket_makers import figures, span
from tests.factories import ZONE, Tenant, fetch

D = Decimal
K, S = PartKind, ChangeStatus


async def test_a_buyers_change_inside_the_band_is_applied_at_once_and_told_with_a_release(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE)

    change = await ask(tenant.factory, made, wish(line_id, quantity=D(110), due_date=day(FAR + 3)))

    assert (change.status, change.way, change.number, change.release_no) == (S.APPLIED, Way.INSIDE, "C-1", 2)
    assert await lines(tenant.supplier, made) == [(110, day(FAR + 3), "published")]
    frozen = (
        "select quantity::int, due_date from release_line l join release r on r.id = l.release_id where r.number = 2"
    )
    assert [tuple(row) for row in await fetch(tenant.supplier, frozen)] == [(110, day(FAR + 3))]
    events = "select name from outbox where tenant_id = $1 order by id"
    names = [row["name"] for row in await fetch(tenant.factory, events, tenant.id)]
    assert names[-3:] == ["ChangeAccepted", "ReleasePublished", "ChangeApplied"]


async def test_a_partners_change_inside_the_band_is_applied_by_the_factorys_role_in_a_moment(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(90)))
    assert (change.status, await lines(tenant.factory, made)) == (S.ACCEPTED, [(100, day(FAR), "published")])

    assert (await worked(tenant, change.id)).status is S.APPLIED
    assert (await worked(tenant, change.id)).release_no == 2  # a second run finds it done
    assert await lines(tenant.customer, made) == [(90, day(FAR), "published")]


async def test_inside_the_firm_zone_the_seller_must_agree_and_then_it_is_promised(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM)
    async with unit_of_work(tenant.factory) as session:
        await service.confirm_line(session, tenant.factory, line_id, None, ConfirmLine())
    change = await ask(tenant.customer, made, wish(line_id, due_date=day(FIRM + 2)))
    assert (change.status, change.way) == (S.SUBMITTED, Way.FIRM)
    assert await lines(tenant.customer, made) == [(100, day(FIRM), "confirmed")]

    done = await agree(tenant.factory, change.id)

    assert (done.status, done.decided_name) == (S.APPLIED, "Lena Vogt")
    assert await lines(tenant.customer, made) == [(100, day(FIRM + 2), "confirmed")]
    parts = "select status, quantity::int, delivery_date from confirmation where line_id = $1 order by id"
    assert [tuple(row) for row in await fetch(tenant.customer, parts, line_id)] == [
        ("closed", 100, day(FIRM)),
        ("valid", 100, day(FIRM + 2)),
    ]


async def test_a_seller_needs_the_buyer_and_the_first_day_asked_for_stays(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE)
    pieces = [NewPiece(quantity=D(60), due_date=day(FAR)), NewPiece(quantity=D(40), due_date=day(FAR + 7))]
    change = await ask(tenant.supplier, made, wish(line_id, K.SPLIT, pieces=pieces))
    assert (change.status, change.way) == (S.SUBMITTED, Way.SELLER)
    with pytest.raises(OwnOffer):
        await agree(tenant.supplier, change.id)

    assert (await agree(tenant.factory, change.id)).status is S.APPLIED
    assert await lines(tenant.supplier, made) == [(60, day(FAR), "confirmed"), (40, day(FAR + 7), "confirmed")]
    first = await fetch(
        tenant.supplier, "select requested_date from schedule_line where contract_id = $1", made.contract.id
    )
    assert {row["requested_date"] for row in first} == {day(FAR)}


async def test_deliveries_are_added_paused_cancelled_and_priced(tenant: Tenant) -> None:
    made, _ = await delivery(tenant, Direction.SALE)
    paused, cancelled, priced = [await another(tenant, made, 50 + n, FAR + n) for n in (1, 2, 3)]
    change = await ask(
        tenant.customer, made,
        wish(None, K.ADD, contract_line_id=made.line.id, quantity=D(70), due_date=day(FAR + 9)),
        wish(paused, K.PAUSE, due_date=day(FAR + 30)), wish(cancelled, K.CANCEL), wish(priced, K.PRICE, price=D("9.5")),
    )  # fmt: skip
    assert change.way is Way.TERMS
    await agree(tenant.factory, change.id)
    assert await lines(tenant.customer, made) == [
        (100, day(FAR), "published"), (52, day(FAR + 2), "cancelled"), (53, day(FAR + 3), "published"),
        (70, day(FAR + 9), "confirmed"), (51, day(FAR + 30), "confirmed"),
    ]  # fmt: skip
    (price,) = await fetch(tenant.customer, "select price from schedule_line where id = $1", priced)
    assert price["price"] == D("9.5")


async def test_the_ledger_moves_with_the_deliveries_and_an_agreement_may_go_beyond_a_ceiling(tenant: Tenant) -> None:
    spans = (span(30, 45), span(45, 60))
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=40, spans=spans)
    moved = await ask(tenant.factory, made, wish(line_id, due_date=day(50)))
    assert moved.way is Way.BAND  # the first period falls below its floor
    await agree(tenant.supplier, moved.id)
    await worked(tenant, moved.id)
    assert await figures(tenant, made) == [{}, {"called": 100, "confirmed": 100}]

    inside = await ask(tenant.factory, made, wish(line_id, quantity=D(115)))
    assert (inside.way, inside.status) == (Way.INSIDE, S.APPLIED)
    assert await figures(tenant, made) == [{}, {"called": 115}]

    beyond = await ask(tenant.factory, made, wish(line_id, quantity=D(150)))
    await agree(tenant.supplier, beyond.id)
    assert (await worked(tenant, beyond.id)).status is S.APPLIED
    assert await figures(tenant, made) == [{}, {"called": 150, "confirmed": 150, "over_called": 30}]
    async with unit_of_work(tenant.factory) as session:
        change = await changes.get_change(session, tenant.factory, beyond.id)
        told = await changes.impact(session, tenant.factory, change)
    assert (told.way, told.effects, told.curves) == (Way.BAND, [], [])  # what holds it already is not counted again


async def test_a_sellers_delay_counts_where_the_buyer_called_it_off(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=40, spans=(span(30, 45), span(45, 60)))
    change = await ask(tenant.supplier, made, wish(line_id, due_date=day(50)))
    await agree(tenant.factory, change.id)
    assert await figures(tenant, made) == [{"called": 100, "confirmed": 100}, {}]


async def test_counter_offers_go_back_and_forth_and_only_the_newest_is_live(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(200)))
    offered = await counter(tenant.factory, change.id, wish(line_id, quantity=D(150)))
    assert (offered.status, offered.offer_no) == (S.COUNTERED, 2)
    with pytest.raises(OwnOffer):
        await agree(tenant.factory, change.id)
    await counter(tenant.customer, change.id, wish(line_id, quantity=D(160)))
    with pytest.raises(NotYourRequest):
        await step(tenant.factory, service_asking.withdraw_change, change.id)
    await agree(tenant.factory, change.id)
    assert await lines(tenant.customer, made) == [(160, day(FIRM), "confirmed")]


async def test_refused_withdrawn_and_lapsed_requests_change_nothing(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM)
    first = await ask(tenant.customer, made, wish(line_id, quantity=D(200)))
    await refuse(tenant.factory, first.id)
    second = await ask(tenant.customer, made, wish(line_id, quantity=D(200)))
    await step(tenant.customer, service_asking.withdraw_change, second.id)
    third = await ask(tenant.customer, made, wish(line_id, quantity=D(200)))
    system = Actor.system(tenant.id, tenant.factory.party_id)
    assert third.respond_by is not None
    async with unit_of_work(system) as session:
        assert await service_answering.expire_changes(session, system, third.respond_by) == 0
        assert await service_answering.expire_changes(session, system, third.respond_by + timedelta(seconds=1)) == 1
    states = [await state(tenant.customer, one.id) for one in (first, second, third)]
    assert states == ["declined", "withdrawn", "expired"]
    for one in (first, second, third):
        with pytest.raises(WrongState):
            await agree(tenant.factory, one.id)
    assert await lines(tenant.factory, made) == [(100, day(FIRM), "proposed")]


async def test_an_answer_after_the_deadline_is_refused_before_the_portal_has_noted_it(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(200)))
    async with unit_of_work(tenant.factory) as session:
        late = clock.now() - timedelta(minutes=1)
        await (await driver(session)).execute(
            "update change_request set respond_by = $2 where id = $1", change.id, late
        )
    with pytest.raises(TooLate):
        await agree(tenant.factory, change.id)
    assert await lines(tenant.factory, made) == [(100, day(FIRM), "proposed")]


async def test_a_delivery_that_moved_meanwhile_is_asked_for_anew_and_never_silently_changed(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE, ahead=FIRM)
    change = await ask(tenant.customer, made, wish(line_id, quantity=D(200)))
    other = await ask(tenant.customer, made, wish(line_id, due_date=day(FIRM + 5)))
    await agree(tenant.factory, other.id)
    with pytest.raises(BaseMoved):
        await agree(tenant.factory, change.id)
    assert await lines(tenant.factory, made) == [(100, day(FIRM + 5), "confirmed")]

    again = await step(tenant.customer, service_answering.rebase_change, change.id)
    assert (again.status, again.offer_no) == (S.SUBMITTED, 2)
    await agree(tenant.factory, change.id)
    assert await lines(tenant.factory, made) == [(200, day(FIRM), "confirmed")]  # the same wish on the figures of now


async def test_what_a_partner_agreed_to_fails_to_apply_when_the_delivery_moved_in_between(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    change = await ask(tenant.factory, made, wish(line_id, quantity=D(200)))
    await agree(tenant.supplier, change.id)
    async with unit_of_work(tenant.factory) as session:
        await (await driver(session)).execute("update schedule_line set due_date = due_date + 1 where id = $1", line_id)
    failed = await worked(tenant, change.id)
    assert (failed.status, failed.failure["code"]) == (S.APPLY_FAILED, "base-moved")
    assert await lines(tenant.supplier, made) == [(100, day(FIRM + 1), "proposed")]
    again = await step(tenant.factory, service_answering.rebase_change, change.id)
    assert (again.status, again.failure) == (S.SUBMITTED, {})


async def test_parts_are_agreed_one_by_one_where_the_contract_says_so(tenant: Tenant) -> None:
    made, first = await delivery(tenant, Direction.SALE, ahead=FIRM)
    second = await another(tenant, made, 50, FIRM + 1)
    parts = (wish(first, quantity=D(200)), wish(second, quantity=D(70)))
    whole = await ask(tenant.customer, made, *parts)
    with pytest.raises(NotByLine):
        await agree(tenant.factory, whole.id, parts=[2])
    await refuse(tenant.factory, whole.id)
    async with unit_of_work(tenant.factory) as session:
        await service_terms.set_terms(session, tenant.factory, made.contract.id, SetTerms(by_line=True, answer_hours=4))
    split = await ask(tenant.customer, made, *parts)
    await agree(tenant.factory, split.id, parts=[2])
    assert [quantity for quantity, *_ in await lines(tenant.customer, made)] == [100, 70]


async def test_a_draft_is_its_writers_own(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    for writer, other in ((tenant.factory, tenant.customer), (tenant.customer, tenant.factory)):
        async with unit_of_work(writer) as session:
            draft = await service_asking.draft_change(session, writer, wanting(made, wish(line_id, quantity=D(90))))
        async with unit_of_work(other) as session:
            with pytest.raises(NotFound):
                await get_change(session, other, draft.id)
        await step(writer, service_asking.withdraw_change, draft.id)
        async with unit_of_work(other) as session:
            with pytest.raises(NotFound):
                await get_change(session, other, draft.id)


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        ({}, PartUnclear),
        ({"quantity": D(100)}, NothingWanted),
        ({"due_date": day(-1)}, DayPassed),
        ({"quantity": D(90), "version": 7}, Stale),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_and_nothing_is_kept(
    tenant: Tenant, wanted: dict[str, Any], refusal: type[Exception]
) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    with pytest.raises(refusal):
        await ask(tenant.customer, made, wish(line_id, **wanted))
    assert not await fetch(tenant.customer, "select 1 from change_request where contract_id = $1", made.contract.id)


async def test_a_wrong_quantity_and_a_wrong_day_are_told_together(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    with pytest.raises(TooFine) as refused:
        await ask(tenant.customer, made, wish(line_id, quantity=D("90.5"), due_date=day(-1)))
    assert [(type(one), one.field) for one in refused.value.each()] == [(TooFine, "quantity"), (DayPassed, "due_date")]
    assert not await fetch(tenant.customer, "select 1 from change_request where contract_id = $1", made.contract.id)


async def test_strangers_viewers_and_days_without_a_period_are_refused(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=40, spans=(span(30, 45),))
    with pytest.raises(NotFound):
        await ask(tenant.customer, made, wish(line_id, quantity=D(90)))
    with pytest.raises(Forbidden):
        await ask(replace(tenant.factory, role=Role.VIEWER), made, wish(line_id, quantity=D(90)))
    with pytest.raises(NoPeriod):
        await ask(tenant.factory, made, wish(line_id, due_date=day(50)))
    assert await figures(tenant, made) == [{"called": 100}]


async def test_what_was_shipped_stays_where_it_was_sent(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    async with unit_of_work(tenant.factory) as session:
        await (await driver(session)).execute("update schedule_line set shipped_quantity = 60 where id = $1", line_id)
    for wanted in (wish(line_id, quantity=D(50)), wish(line_id, due_date=day(FAR + 1)), wish(line_id, K.CANCEL)):
        with pytest.raises(AlreadyShipped):
            await ask(tenant.customer, made, wanted)


async def test_remarks_and_the_erp_are_part_of_the_history(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE)
    change = await ask(tenant.factory, made, wish(line_id, quantity=D(110)))
    await step(tenant.supplier, service_asking.comment_change, change.id, Comment(note="thank you"))
    await step(tenant.factory, service_erp.note_erp, change.id, NoteErp(state=ErpState.ECHOED))
    await step(tenant.factory, service_erp.note_erp, change.id, NoteErp(state=ErpState.ECHOED))  # once is enough
    with pytest.raises(Forbidden):
        await step(tenant.supplier, service_erp.note_erp, change.id, NoteErp(state=ErpState.ECHOED))
    verbs = await history(tenant.supplier, change.id)
    assert verbs == ["submitted", "accepted", "applied", "commented", "erp_noted"]


async def test_the_time_to_answer_runs_on_the_working_days_of_whoever_answers(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.PURCHASE, ahead=FIRM)
    site = await site_of(tenant, tenant.supplier, "FOUNDRY")
    async with unit_of_work(tenant.supplier) as session:
        await shut_down(session, tenant.supplier, site.id, Shutdown(first=day(0), last=day(20), name="Relining"))

    asked = await ask(tenant.factory, made, wish(line_id, quantity=D(150)))
    assert asked.respond_by is not None
    assert local_today(asked.respond_by, ZONE) > day(20)  # the supplier is closed until then

    offered = await counter(tenant.supplier, asked.id, wish(line_id, quantity=D(120)))
    assert offered.respond_by is not None
    assert local_today(offered.respond_by, ZONE) < day(20)  # the factory is not


async def history(actor: Actor, change_id: UUID) -> list[str]:
    rows = await fetch(actor, "select verb from timeline where subject_id = $1 order by id", change_id)
    return [row["verb"] for row in rows]


async def test_a_place_is_changed_and_a_file_says_why(tenant: Tenant) -> None:
    made, line_id = await delivery(tenant, Direction.SALE)
    change = await ask(tenant.customer, made, wish(line_id, place="GATE-7"))
    async with unit_of_work(tenant.customer) as session:
        file = await service_files.add_file(session, tenant.customer, change.id, "gate.csv", b"gate;7\n")
    async with unit_of_work(tenant.factory) as session:
        shown, content = await service_files.get_file(session, tenant.factory, change.id, file.id)
    assert (shown.name, content) == ("gate.csv", b"gate;7\n")
    with pytest.raises(FileThere):
        async with unit_of_work(tenant.customer) as session:
            await service_files.add_file(session, tenant.customer, change.id, "again.csv", b"gate;7\n")
    await agree(tenant.factory, change.id)
    (line,) = await fetch(tenant.customer, "select ship_to_code from schedule_line where id = $1", line_id)
    assert line["ship_to_code"] == "GATE-7"
    assert (await history(tenant.factory, change.id)).count("file_added") == 1
