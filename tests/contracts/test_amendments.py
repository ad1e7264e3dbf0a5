"""Counter-offers, amendments and versions, proven on both sides."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.contracts import apply_amendment
from jobs.subscribers import Occurrence
from portal.contracts import service, service_life
from portal.contracts.events import AmendmentAccepted
from portal.contracts.inputs import Amendment, Decline, HeadOffer, LineOffer, NewPrice, Offer
from portal.contracts.model import Contract, ContractStatus, RevisionStatus
from portal.contracts.rules_life import (
    NotYourProposal,
    OwnProposal,
)
from portal.contracts.rules_versions import (
    EffectiveTooEarly,
    FixedOnceAgreed,
    NothingChanged,
    OfferOpen,
    UnknownLine,
    differences,
    in_force,
)
from portal.contracts.service_versions import agreed, get_revisions
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Direction, Origin
from portal.core.db import driver, unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.ids import uuid7
from portal.schedules.service_release import (
    CallOff,
    Generate,
    LineEnded,
    call_off,
    generate_lines,
)
from tests.contracts.makers import events, head, history, make_item, make_proposed, new_line, step
from tests.contracts.versions import foqs, from_day, make_active, noon, offers, run_day, take, wanting
from tests.factories import Tenant, fetch, today

DAY = timedelta(days=1)
BOTH = pytest.mark.parametrize("direction", list(Direction))


# Counter-offers ------------------------------------------------------------------------------------------------------


@BOTH
async def test_a_partner_counters_the_factory_counters_back_and_the_newest_offer_is_agreed(
    tenant: Tenant, direction: Direction
) -> None:
    partner = tenant.partner(direction)
    contract = await make_proposed(tenant, direction)

    await step(partner, "counter", contract.id, 2, data=wanting(480, note="The furnace is small."))
    assert (await head(tenant.factory, contract.id) or ())[:2] == ("countered", 3)
    assert await foqs(tenant.factory, contract) == [Decimal(600)]  # the rows are the factory's offer
    await step(tenant.factory, "counter", contract.id, 3, data=wanting(560))
    await step(partner, "accept", contract.id, 4)

    assert await foqs(tenant.factory, contract) == await foqs(partner, contract) == [Decimal(560)]
    said = [(1, "replaced", "factory"), (2, "replaced", "partner"), (3, "agreed", "factory")]
    assert await offers(tenant.factory, contract) == await offers(partner, contract) == said
    verbs = [verb for verb, _ in await history(partner, contract.id)]
    assert verbs == ["created", "proposed", "countered", "countered", "accepted"]
    assert (await events(tenant, contract.id))[1:3] == ["ContractCountered", "ContractCountered"]


async def test_the_factory_accepts_a_counter_offer_and_the_rows_say_what_was_accepted(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    terms = HeadOffer(payment_terms="30 days net", incoterm="DAP", incoterm_place="Wuxi")
    price = NewPrice(valid_from=date(2026, 1, 1), price=Decimal("12.10"))
    data = Offer(terms=terms, lines=[LineOffer(line_no=1, prices=[price])])

    await step(tenant.customer, "counter", contract.id, data=data)
    await step(tenant.factory, "accept", contract.id, origin=Origin("192.0.2.7", "Firefox"))

    async with unit_of_work(tenant.customer) as session:
        found = await service.get_contract(session, tenant.customer, contract.id)
        (revision, _first) = await get_revisions(session, found)
        digest = await service_life.digest_of(session, tenant.customer, found)
        prices = await service.get_prices(session, tenant.customer, contract.id)
    assert (found.status, found.payment_terms, found.incoterm) == (ContractStatus.ACCEPTED, "30 days net", "DAP")
    assert [price.price for row in prices.values() for price in row] == [Decimal("12.1")]
    assert revision.sha256 == digest
    evidence = (revision.answered_name, revision.answered_from, revision.answered_agent, revision.answered_via)
    assert evidence == ("Lena Vogt", "192.0.2.7", "Firefox", "page")


@pytest.mark.parametrize(("who", "refusal"), [("factory", OwnProposal), ("supplier", NotFound)])
async def test_who_was_not_asked_cannot_counter(tenant: Tenant, who: str, refusal: type[PortalError]) -> None:
    contract = await make_proposed(tenant)

    with pytest.raises(refusal):
        await step(getattr(tenant, who), "counter", contract.id, data=wanting(480))

    assert await head(tenant.factory, contract.id) == ("proposed", 2, True, None)
    assert await offers(tenant.factory, contract) == [(1, "proposed", "factory")]


async def test_a_clerk_cannot_counter_and_an_offer_that_changes_nothing_is_none(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    with pytest.raises(Forbidden):
        await step(tenant.as_role(tenant.customer, Role.CLERK), "counter", contract.id, data=wanting(480))
    for data, refusal in ((Offer(), NothingChanged), (wanting(600), NothingChanged)):
        with pytest.raises(refusal):
            await step(tenant.customer, "counter", contract.id, data=data)
    with pytest.raises(UnknownLine) as refused:
        await step(tenant.customer, "counter", contract.id, data=Offer(lines=[LineOffer(line_no=9, firm_days=1)]))

    assert refused.value.field == "lines.0.line_no"
    assert await head(tenant.factory, contract.id) == ("proposed", 2, True, None)


async def test_a_withdrawn_counter_offer_leaves_the_proposal_and_only_its_maker_withdraws(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer, "counter", contract.id, data=wanting(480))

    with pytest.raises(NotYourProposal):
        await step(tenant.factory, "withdraw", contract.id)
    with pytest.raises(OwnProposal):
        await step(tenant.customer, "accept", contract.id)
    await step(tenant.customer, "withdraw", contract.id)
    assert await offers(tenant.customer, contract) == [(1, "proposed", "factory"), (2, "withdrawn", "partner")]
    await step(tenant.customer, "accept", contract.id)

    assert await offers(tenant.factory, contract) == [(1, "agreed", "factory"), (2, "withdrawn", "partner")]


async def test_a_declined_counter_offer_goes_back_to_the_writer_of_the_draft(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    await step(tenant.customer, "counter", contract.id, data=wanting(480))
    await step(tenant.factory, "decline", contract.id, data=Decline(reason="Too little."))

    assert (await head(tenant.customer, contract.id) or ())[0] == "draft"
    assert await foqs(tenant.factory, contract) == [Decimal(600)]
    await step(tenant.factory, "propose", contract.id)
    assert [row[1] for row in await offers(tenant.customer, contract)] == ["replaced", "declined", "proposed"]


# Amendments ----------------------------------------------------------------------------------------------------------


@BOTH
async def test_the_version_in_force_stays_in_force_until_the_amendments_day(
    tenant: Tenant, direction: Direction
) -> None:
    partner, day = tenant.partner(direction), today() + 10 * DAY
    contract = await make_active(tenant, direction)
    (line_id,) = [
        row[0] for row in await fetch(partner, "select id from contract_line where contract_id=$1", contract.id)
    ]

    await take(partner, "amend", contract, from_day(day, 720, note="More from spring on."))
    await take(tenant.factory, "accept_amendment", contract)

    assert (await head(partner, contract.id) or ())[0] == "active"
    assert await foqs(partner, contract) == [Decimal(600)]
    before, after = noon(9), noon(10)
    assert (await run_day(tenant, before))["applied"] == 0
    assert [(await run_day(tenant, after))["applied"] for _ in range(2)] == [1, 0]
    assert await foqs(tenant.factory, contract) == await foqs(partner, contract) == [Decimal(720)]
    ids = await fetch(partner, "select id, version from contract_line where contract_id = $1", contract.id)
    assert [tuple(row) for row in ids] == [(line_id, 2)]
    verbs = [verb for verb, _ in await history(partner, contract.id)][-3:]
    assert verbs == ["amendment_proposed", "amendment_accepted", "amendment_applied"]
    told = [name for name in await events(tenant, contract.id) if name != "ContractUnderused"]  # nothing was called off
    assert told[-3:] == ["AmendmentProposed", "AmendmentAccepted", "AmendmentApplied"]


async def test_an_amendment_that_the_factory_accepts_on_its_day_holds_at_once(tenant: Tenant) -> None:
    contract = await make_active(tenant)
    await take(tenant.customer, "amend", contract, from_day(today(), 640))
    await take(tenant.factory, "accept_amendment", contract)
    assert await foqs(tenant.customer, contract) == [Decimal(640)]


async def test_an_amendment_that_a_partner_accepts_on_its_day_is_applied_by_a_job_and_once_by_two(
    tenant: Tenant,
) -> None:
    contract = await make_active(tenant)
    await take(tenant.factory, "amend", contract, from_day(today(), 640))
    await take(tenant.customer, "accept_amendment", contract)
    told = Occurrence(uuid7(), contract.party_id, None, clock.now(), AmendmentAccepted(contract.id))

    async def react() -> None:
        async with unit_of_work(tenant.factory) as session:
            await apply_amendment(session, tenant.factory, told)

    await asyncio.gather(react(), react(), run_day(tenant, clock.now()))

    assert await foqs(tenant.customer, contract) == [Decimal(640)]
    assert (await events(tenant, contract.id)).count("AmendmentApplied") == 1
    versions = [version for _, version in await history(tenant.customer, contract.id)]
    assert versions == list(range(1, len(versions) + 1))


async def test_an_amendment_adds_and_ends_lines_and_nothing_is_called_off_from_an_ended_one(tenant: Tenant) -> None:
    await make_item(tenant, "A1")
    await make_item(tenant, "B2")
    contract = await make_active(tenant, Direction.SALE)
    query = "select id, line_no, ended_from from contract_line where contract_id = $1 order by line_no"
    ((first_id, *_),) = await fetch(tenant.factory, query, contract.id)
    data = Amendment(effective_from=today(), new_lines=[new_line("B2"), new_line("A1")], ended_lines=[1])

    with pytest.raises(Forbidden):
        await take(tenant.customer, "amend", contract, data)  # items are the factory's
    await take(tenant.factory, "amend", contract, data)
    await take(tenant.customer, "accept_amendment", contract)
    await run_day(tenant, clock.now())

    rows = [tuple(row)[1:] for row in await fetch(tenant.customer, query, contract.id)]
    assert rows == [(1, today()), (2, None), (3, None)]
    order = CallOff(contract_line_id=first_id, quantity=Decimal(40), due_date=today() + DAY)
    async with unit_of_work(tenant.factory) as session:
        with pytest.raises(LineEnded):
            await call_off(session, tenant.factory, contract.id, order)
        assert await generate_lines(session, tenant.factory, contract.id, Generate()) > 0
    drafted = "select count(*) from schedule_line where contract_line_id = $1"
    assert [row[0] for row in await fetch(tenant.factory, drafted, first_id)] == [0]


async def test_refused_amendments_change_nothing(tenant: Tenant) -> None:
    contract, day = await make_active(tenant), today() + 5 * DAY
    await take(tenant.factory, "amend", contract, from_day(day, 700))
    await take(tenant.customer, "accept_amendment", contract)
    state, seen = await head(tenant.customer, contract.id), await offers(tenant.customer, contract)
    first = HeadOffer(valid_from=contract.valid_from - DAY)

    for actor, data, refusal in (
        (tenant.factory, from_day(day - DAY, 720), EffectiveTooEarly),
        (tenant.customer, from_day(day, 700), NothingChanged),
        (tenant.customer, Amendment(effective_from=day, terms=first), FixedOnceAgreed),
        (tenant.as_role(tenant.factory, Role.VIEWER), from_day(day, 720), Forbidden),
        (tenant.supplier, from_day(day, 720), NotFound),
    ):
        with pytest.raises(refusal):
            await take(actor, "amend", contract, data)

    assert await head(tenant.customer, contract.id) == state
    assert await offers(tenant.factory, contract) == seen
    assert (await history(tenant.customer, contract.id))[-1][0] == "amendment_accepted"


async def test_one_amendment_waits_at_a_time_and_its_maker_cannot_answer_it(tenant: Tenant) -> None:
    contract, day = await make_active(tenant), today() + 5 * DAY
    await take(tenant.customer, "amend", contract, from_day(day, 700))

    with pytest.raises(OfferOpen):
        await take(tenant.factory, "amend", contract, from_day(day, 720))
    for deed in ("accept_amendment", "counter_amendment"):
        more = [from_day(day, 710)] if deed == "counter_amendment" else []
        with pytest.raises(OwnProposal):
            await take(tenant.customer, deed, contract, *more)
    await take(tenant.factory, "counter_amendment", contract, from_day(day + DAY, 650))
    with pytest.raises(NotYourProposal):
        await take(tenant.customer, "withdraw_amendment", contract)
    await take(tenant.customer, "decline_amendment", contract, Decline(reason="No."))

    states = [row[1] for row in await offers(tenant.factory, contract)]
    assert states == ["agreed", "replaced", "declined"]
    assert await foqs(tenant.factory, contract) == [Decimal(600)]
    assert (await head(tenant.customer, contract.id) or ())[0] == "active"


async def test_a_contract_of_before_versions_gets_its_first_one_with_its_first_amendment(tenant: Tenant) -> None:
    contract = await make_active(tenant)
    async with unit_of_work(tenant.factory) as session:
        found = await session.get(Contract, (tenant.id, contract.id))
        assert found is not None
        old = await service_life.digest_of(session, tenant.factory, found)
    owner = "update contract_revision set status = 'declined' where contract_id = $1"  # as if it had none
    async with unit_of_work(tenant.factory) as session:
        await (await driver(session)).execute(owner, contract.id)

    await take(tenant.customer, "amend", contract, from_day(today() + DAY, 700))

    async with unit_of_work(tenant.customer) as session:
        found = await service.get_contract(session, tenant.customer, contract.id)
        (base,) = agreed(await get_revisions(session, found))
    assert (base.sha256, base.effective_from, base.answered_by) == (old, contract.valid_from, contract.accepted_by)


async def test_what_was_offered_can_be_changed_by_nobody(tenant: Tenant) -> None:
    contract = await make_proposed(tenant)
    for actor in (tenant.factory, tenant.customer):
        for column in ("content = '{}'", "sha256 = ''", "effective_from = current_date", "number = 9"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with unit_of_work(actor) as session:
                    await (await driver(session)).execute(f"update contract_revision set {column}")
    assert await fetch(tenant.supplier, "select 1 from contract_revision where contract_id = $1", contract.id) == []


# The law of versions -------------------------------------------------------------------------------------------------

deeds = st.lists(
    st.tuples(
        st.sampled_from(["amend", "accept", "decline", "counter", "withdraw"]), st.integers(-3, 30), st.booleans()
    ),
    max_size=12,
)


@given(deeds)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_on_every_day_exactly_one_version_is_in_force_whatever_was_offered_and_agreed(
    tenant: Tenant, plan: list[tuple[str, int, bool]]
) -> None:
    contract = await make_active(tenant)
    accepted = [(contract.valid_from, 1)]
    for n, (deed, ahead, by_factory) in enumerate(plan):
        actor = tenant.factory if by_factory else tenant.customer
        given_data: list[Any] = []
        if deed in ("amend", "counter"):
            given_data = [from_day(today() + ahead * DAY, 601 + n)]
        if deed == "decline":
            given_data = [Decline(reason="no")]
        name = deed if deed == "amend" else f"{deed}_amendment"
        try:
            made = await take(actor, name, contract, *given_data)
        except PortalError:
            continue
        if made.status is RevisionStatus.AGREED:
            accepted.append((made.effective_from, made.number))

    async with unit_of_work(tenant.customer) as session:
        found = await service.get_contract(session, tenant.customer, contract.id)
        versions = agreed(await get_revisions(session, found))
    assert [(version.effective_from, version.number) for version in reversed(versions)] == accepted
    for ahead in range(32):
        day = contract.valid_from + ahead * DAY
        holds = in_force(versions, day)
        assert holds is not None
        assert holds.number == max(entry for entry in accepted if entry[0] <= day)[1]
    for ahead in (0, 31):
        await run_day(tenant, noon(ahead))
        async with unit_of_work(tenant.factory) as session:
            found = await service.get_contract(session, tenant.factory, contract.id)
            holds = in_force(versions, today() + ahead * DAY)
            assert holds is not None
            assert await service_life.digest_of(session, tenant.factory, found) == holds.sha256


def test_differences_name_the_field_the_line_and_both_values() -> None:
    price = {"valid_from": "2026-01-01", "order_no": "", "price": "12.5", "price_unit": "1"}
    line = {"line_no": 1, "item_code": "A", "unit": "H87", "foq": "600", "prices": [price]}
    old = {"title": "a", "lines": [line, line | {"line_no": 2}]}
    new = {"title": "b", "payment_terms": "net", "lines": [line | {"foq": "720", "prices": [price | {"price": "12"}]}]}

    found = [(d.change.value, d.field, d.line_no) for d in differences(old, new)]

    head_fields = [("changed", "title", None), ("changed", "payment_terms", None)]
    assert found == [*head_fields, ("changed", "foq", 1), ("changed", "price", 1), ("ended", "line", 2)]
