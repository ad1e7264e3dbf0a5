"""Opening balances: the figures up to a cut-over date, confirmed by both, and only then in the ledger of both."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.app import create_app
from portal.contracts.inputs import Decline
from portal.contracts.inputs_opening import OpeningFigure, ProposeOpening
from portal.contracts.model_buckets import Assignment, EntryKind
from portal.contracts.model_opening import OpeningStatus
from portal.contracts.rules_buckets import OverCeiling, count
from portal.contracts.rules_opening import (
    CutOverNotPast,
    Figure,
    FigureTwice,
    MoreReceived,
    NothingBefore,
    PeriodNotOpen,
    PeriodsMissing,
    Place,
    check_figures,
    opening_entries,
)
from portal.contracts.service_buckets import BeforeCutOver, Goods, book_goods
from portal.core import invariants
from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.i18n import Language
from portal.core.ids import uuid7
from portal.core.settings import Settings
from portal.core.states import WrongState
from portal.core.versions import Stale
from portal.schedules.service import ConfirmLine, confirm_line
from portal.shipments.service import NewShipment, ShippedLine, ship
from portal.shipments.service_opening import (
    CountedAlready,
    OpeningDone,
    OpeningWaits,
    UnknownPlace,
    confirm_opening,
    decline_opening,
    get_openings,
    propose_opening,
    withdraw_opening,
)
from tests.accounts.browser import text_of
from tests.contracts.bucket_makers import called, consumed, figures, make_committed, periods, span
from tests.factories import Made, Tenant, fetch, make_contract, make_tenant, today, traces
from tests.web.refusals import EMPTY, EN, ZH, signed_in, wrong

D = Decimal
LINE, PERIOD, FREE = uuid7(), uuid7(), uuid7()
YESTERDAY = today() - timedelta(days=1)
PLACES = {
    (LINE, None): Place("A100", "H87", None),
    (LINE, PERIOD): Place("A100", "H87", YESTERDAY),
    (FREE, None): Place("B200", "KGM", None),
}
AMOUNTS = st.integers(0, 10**6).map(D)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=5))
def test_the_entries_add_up_to_the_figures(numbers: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    said = [Figure(LINE, uuid7(), *each) for each in numbers] + [Figure(FREE, None, D(5))]
    entries = opening_entries(said)
    for figure, each in zip(said, numbers, strict=False):
        sums = count((kind, quantity) for bucket, kind, quantity in entries if bucket == figure.bucket_id)
        assert (sums.called, sums.shipped, sums.received) == each
    assert all(quantity for _bucket, _kind, quantity in entries)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ([Figure(LINE, PERIOD)], NothingBefore),
        ([Figure(LINE, PERIOD, D(9), D(5), D(6))], MoreReceived),
        ([Figure(LINE, PERIOD, D(9)), Figure(LINE, PERIOD, D(1))], FigureTwice),
        ([Figure(LINE, None, D(9))], PeriodsMissing),
    ],
)
def test_figures_that_cannot_stand_are_refused(said: list[Figure], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        check_figures(said, PLACES, YESTERDAY, today())


def test_the_day_is_over_and_the_period_open() -> None:
    good = [Figure(LINE, PERIOD, D(9), D(5), D(5)), Figure(FREE, None, D("0.5"))]
    check_figures(good, PLACES, YESTERDAY, today())
    with pytest.raises(CutOverNotPast):
        check_figures(good, PLACES, today(), today())
    for place in (Place("A100", "H87", YESTERDAY, closed=True), Place("A100", "H87", today())):
        with pytest.raises(PeriodNotOpen):
            check_figures(good, PLACES | {(LINE, PERIOD): place}, YESTERDAY, today())


async def committed(tenant: Tenant) -> Made:
    """A contract whose period of 80, 100, 120 began ten days ago; nothing is called off from it here."""
    return await make_committed(tenant, span(-10, 20))


async def proposed(tenant: Tenant, made: Made, *numbers: int, days: int = 1) -> None:
    (row,) = await periods(tenant.factory, made.contract)
    names = ("called", "shipped", "received")
    one = OpeningFigure(line_id=made.line.id, period_id=row.id, **dict(zip(names, map(D, numbers), strict=False)))
    data = ProposeOpening(cut_over=today() - timedelta(days=days), figures=[one])
    async with unit_of_work(tenant.factory) as session:
        await propose_opening(session, tenant.factory, made.contract.id, data)


async def confirmed(actor: Actor, made: Made, version: int | None = None) -> None:
    async with unit_of_work(actor) as session:
        await confirm_opening(session, actor, made.contract.id, version)


async def statuses(actor: Actor, made: Made) -> list[OpeningStatus]:
    async with unit_of_work(actor) as session:
        return [one.status for one in await get_openings(session, actor, made.contract.id)]


async def told(tenant: Tenant, contract_id: UUID) -> Sequence[str]:
    query = "select name from outbox where data->>'contract_id' = $1 and name like 'Opening%' order by id"
    return [row["name"] for row in await fetch(tenant.factory, query, str(contract_id))]


async def test_only_when_both_confirmed_are_figures_in_the_ledger_of_both(tenant: Tenant, database: Settings) -> None:
    made = await committed(tenant)
    await proposed(tenant, made, 90, 70, 60)
    assert await figures(tenant, made) == [{}]
    assert await statuses(tenant.supplier, made) == [OpeningStatus.PROPOSED]
    with pytest.raises(OpeningWaits):
        await proposed(tenant, made, 1)
    with pytest.raises(Forbidden):
        await confirmed(tenant.factory, made)
    await confirmed(tenant.supplier, made, 1)
    assert await figures(tenant, made) == [{"called": 90, "shipped": 70, "received": 60}]
    kinds = await fetch(tenant.supplier, "select kind, member_name from bucket_entry order by id")
    assert {(row[0], row[1]) for row in kinds} == {
        (EntryKind.OPENING_CALLED, "Ben"), (EntryKind.OPENING_SHIPPED, "Ben"), (EntryKind.OPENING_RECEIVED, "Ben"),
    }  # fmt: skip
    with pytest.raises(WrongState):
        await confirmed(tenant.supplier, made)
    with pytest.raises(OpeningDone):
        await proposed(tenant, made, 1)
    with pytest.raises(OverCeiling):  # 90 of at most 120 are used
        await consumed(tenant.factory, made, 31)
    await consumed(tenant.factory, made, 30)
    assert await figures(tenant, made) == [{"called": 120, "shipped": 70, "received": 60}]
    assert await told(tenant, made.contract.id) == ["OpeningProposed", "OpeningConfirmed"]
    found = [one for one in await invariants.run(str(database.database_url)) if "period's sums" in str(one)]
    assert [one for one in found if str(tenant.id) in str(one)] == []


async def test_what_is_declined_or_taken_back_changes_no_ledger(tenant: Tenant) -> None:
    made = await committed(tenant)
    await proposed(tenant, made, 90)
    await declined(tenant.supplier, made)
    await proposed(tenant, made, 80)
    async with unit_of_work(tenant.factory) as session:
        await withdraw_opening(session, tenant.factory, made.contract.id)
    with pytest.raises(WrongState):
        await confirmed(tenant.supplier, made)
    assert await statuses(tenant.factory, made) == [OpeningStatus.WITHDRAWN, OpeningStatus.DECLINED]
    assert await figures(tenant, made) == [{}]


async def standing(tenant: Tenant, made: Made) -> list[object]:
    """The ledger of both and the figures with their history as the supplier reads them; audit and outbox of the
    factory."""
    balances = "select id, status, version, reason, answered_name from opening_balance order by id"
    return [
        await figures(tenant, made),
        [tuple(row) for row in await fetch(tenant.supplier, balances)],
        await traces(tenant, tenant.supplier),
    ]


@pytest.mark.parametrize(
    ("who", "version", "refusal"),
    [
        ("factory", None, Forbidden),
        ("viewer", None, Forbidden),
        ("customer", None, NotFound),
        ("supplier", 2, Stale),
    ],
)
async def test_a_refused_declining_changes_nothing(
    tenant: Tenant, who: str, version: int | None, refusal: type[PortalError]
) -> None:
    made = await committed(tenant)
    await proposed(tenant, made, 90)
    before = await standing(tenant, made)
    actor = tenant.as_role(tenant.supplier, Role.VIEWER) if who == "viewer" else getattr(tenant, who)
    with pytest.raises(refusal):
        await declined(actor, made, version)
    assert await standing(tenant, made) == before


async def test_figures_that_are_answered_or_were_never_entered_are_not_declined(tenant: Tenant) -> None:
    made = await committed(tenant)
    before = await standing(tenant, made)
    with pytest.raises(NotFound):
        await declined(tenant.supplier, made)
    assert await standing(tenant, made) == before
    await proposed(tenant, made, 90)
    await declined(tenant.supplier, made)
    before = await standing(tenant, made)
    with pytest.raises(WrongState):
        await declined(tenant.supplier, made)
    assert await standing(tenant, made) == before
    await proposed(tenant, made, 80)
    await confirmed(tenant.supplier, made)
    before = await standing(tenant, made)
    with pytest.raises(WrongState):
        await declined(tenant.supplier, made)
    assert await standing(tenant, made) == before


@pytest.mark.parametrize(
    ("language", "late"),
    [(EN, "you saw version 7, now it is 1"), (ZH, "您看到的是第 7 版，现在是第 1 版")],
)
async def test_the_page_says_why_figures_were_not_declined(
    tenant: Tenant, database: Settings, language: Language, late: str
) -> None:
    made = await committed(tenant)
    await proposed(tenant, made, 90)
    before = await standing(tenant, made)
    address = f"/contracts/{made.contract.id}/opening/decline"
    async with signed_in(create_app(database), tenant.supplier, language) as browser:
        unsaid = await browser.send(address, version="1", reason=" ")
        stale = await browser.send(address, version="7", reason="We shipped 80 until then.")
    assert wrong(unsaid) == {"reason": EMPTY[language]}
    assert (stale.status_code, late in text_of(stale)) == (409, True)
    assert "We shipped 80 until then." in stale.text  # what was typed stays
    assert await standing(tenant, made) == before


async def declined(actor: Actor, made: Made, version: int | None = None) -> None:
    async with unit_of_work(actor) as session:
        reason = Decline(reason="We shipped 80 until then.")
        await decline_opening(session, actor, made.contract.id, reason, version)


async def test_documents_up_to_the_cut_over_never_count_twice(tenant: Tenant) -> None:
    made = await committed(tenant)
    await proposed(tenant, made, 40, 40, 40)
    await confirmed(tenant.supplier, made)
    (row,) = await periods(tenant.factory, made.contract)
    line_id = await called(tenant, made, 20)
    one = Goods(line_id, made.contract.party_id, row.id, Assignment.REQUESTED, shipped=D(20))
    before = await figures(tenant, made)
    with pytest.raises(BeforeCutOver):
        await booked(tenant.supplier, one, YESTERDAY)
    assert await figures(tenant, made) == before
    await booked(tenant.supplier, one, today())
    assert await figures(tenant, made) == [{"called": 60, "shipped": 60, "received": 40}]


async def booked(actor: Actor, goods: Goods, day: date) -> None:
    async with unit_of_work(actor) as session:
        await book_goods(session, actor, "shipment", uuid7(), day, [goods])


async def test_figures_of_days_with_documents_are_refused(tenant: Tenant) -> None:
    made = await committed(tenant)
    line_id = await called(tenant, made, 20)
    (number,) = await fetch(tenant.supplier, "select version from schedule_line where id = $1", line_id)
    await confirm(tenant.supplier, line_id, number["version"])
    note = NewShipment(
        number=f"ASN-{uuid7()}", shipped_on=YESTERDAY, lines=[ShippedLine(line_id=line_id, quantity=D(20))]
    )
    async with unit_of_work(tenant.supplier) as session:
        await ship(session, tenant.supplier, note)
    before = await figures(tenant, made)
    with pytest.raises(CountedAlready):
        await proposed(tenant, made, 20, 20)
    assert await statuses(tenant.factory, made) == []
    await proposed(tenant, made, 20, 20, days=2)  # the note is of the day after
    assert await figures(tenant, made) == before


async def confirm(actor: Actor, line_id: UUID, version: int) -> None:
    async with unit_of_work(actor) as session:
        await confirm_line(session, actor, line_id, version, ConfirmLine())


async def test_a_line_of_another_contract_is_no_place_for_figures(tenant: Tenant) -> None:
    made = await committed(tenant)
    other = await make_contract(tenant)
    with pytest.raises(UnknownPlace):
        await proposed_by(tenant.factory, made, other.line.id)
    assert await statuses(tenant.factory, made) == []


async def test_foreign_hands_confirm_nothing(tenant: Tenant, database: Settings) -> None:
    made = await committed(tenant)
    await proposed(tenant, made, 90)
    other = await make_tenant(str(database.database_url))
    for actor in (tenant.customer, other.supplier, other.factory):
        with pytest.raises((NotFound, Forbidden)):
            await confirmed(actor, made)
        with pytest.raises(NotFound):
            await statuses(actor, made)
    with pytest.raises(Forbidden):
        await proposed_by(tenant.supplier, made, made.line.id)
    assert await figures(tenant, made) == [{}]
    free = await make_contract(tenant, foq=None)
    one = OpeningFigure(line_id=free.line.id, called=D(5), shipped=D(4), received=D(4))
    async with unit_of_work(tenant.factory) as session:
        data = ProposeOpening(cut_over=YESTERDAY, figures=[one])
        await propose_opening(session, tenant.factory, free.contract.id, data)
    await confirmed(tenant.customer, free)  # a pure call-off has no ledger; its figures stand on their page
    assert await statuses(tenant.customer, free) == [OpeningStatus.CONFIRMED]


async def proposed_by(actor: Actor, made: Made, line_id: UUID) -> None:
    async with unit_of_work(actor) as session:
        data = ProposeOpening(cut_over=YESTERDAY, figures=[OpeningFigure(line_id=line_id, called=D(1))])
        await propose_opening(session, actor, made.contract.id, data)
