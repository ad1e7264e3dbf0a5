"""Typed periods and the use of periods as part of what both companies agree on."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.app import create_app
from portal.contracts import service, service_life
from portal.contracts.evidence import FORM, content, digest, form_of
from portal.contracts.inputs import Amendment, FromTemplate, HeadOffer, LineOffer, Offer, SaveTemplate
from portal.contracts.inputs_buckets import SetPeriods, SetTerms, TypedPeriod
from portal.contracts.model import Contract, ContractKind, RevisionStatus
from portal.contracts.model_buckets import BucketCadence, Carry, Consequence
from portal.contracts.rules_buckets import Call
from portal.contracts.rules_carry import CallBandReversed, Ended, PeriodsNeeded, Rule, carry
from portal.contracts.rules_periods import LimitsOutOfOrder, OutsideContract
from portal.contracts.rules_versions import changed, differences
from portal.contracts.service_buckets import consume
from portal.contracts.service_closing import close_periods
from portal.contracts.service_commitments import all_terms, get_terms, set_periods, set_terms
from portal.contracts.service_templates import draft_from, save_template
from portal.contracts.service_versions import agreed, content_of, get_revisions, offer
from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import PortalError
from portal.core.ids import uuid7
from portal.core.settings import Settings
from tests.accounts.browser import text_of
from tests.contracts.bucket_makers import D, periods
from tests.contracts.makers import make_draft, step
from tests.contracts.versions import noon, run_day, take
from tests.factories import Tenant, fetch, today
from tests.paper.test_pages import signed_in

DAY = timedelta(days=1)
TERMS = SetTerms(shortfall_carry=Carry.NEXT, consequence=Consequence.DISCUSS, over_call_percent=D(5))


def ten_days(*limits: tuple[int, int, int], cadence: BucketCadence = BucketCadence.CUSTOM) -> SetPeriods:
    """Periods of ten days each from today on."""
    return SetPeriods(
        cadence=cadence,
        periods=[
            TypedPeriod(start=at(n), end=at(n + 1), floor=D(low), target=D(aim), ceiling=D(high))
            for n, (low, aim, high) in enumerate(limits)
        ],
    )


def at(n: int) -> date:
    return today() + 10 * n * DAY


async def make_signed(tenant: Tenant) -> Contract:
    """A contract in force whose line has three typed periods and whose shortfalls are carried on once."""
    contract = await make_draft(tenant)
    async with unit_of_work(tenant.factory) as session:
        (line,) = await service.get_lines(session, tenant.factory, contract.id)
        await set_periods(session, tenant.factory, contract.id, line.id, ten_days(*[(80, 100, 120)] * 3))
        await set_terms(session, tenant.factory, contract.id, TERMS)
    for actor, action in ((tenant.factory, "propose"), (tenant.customer, "accept"), (tenant.factory, "activate")):
        await step(actor, action, contract.id)
    return contract


async def versions(actor: Actor, contract: Contract) -> list[Any]:
    """The agreed versions, the newest first, and what the rows say as a digest of the same form."""
    async with unit_of_work(actor) as session:
        found = await service.get_contract(session, actor, contract.id)
        return [await service_life.digest_of(session, actor, found), *agreed(await get_revisions(session, found))]


def amendment(day: date, *limits: tuple[int, int, int], **terms: Any) -> Amendment:
    lines = [LineOffer(line_no=1, typed_periods=ten_days(*limits))] if limits else []
    return Amendment(effective_from=day, terms=HeadOffer(**terms), lines=lines)


# The canonical text --------------------------------------------------------------------------------------------------


async def test_what_is_signed_says_how_periods_are_used_and_which_were_typed(tenant: Tenant) -> None:
    contract = await make_signed(tenant)
    (sha, version) = await versions(tenant.customer, contract)
    assert sha == version.sha256 == digest(version.content)
    said = version.content
    assert (said["form"], said["shortfall_carry"], said["consequence"], said["over_call_percent"]) == (
        *(FORM, "next", "discuss", "5"),
    )
    assert "excess_carry" not in said  # as usual, so nothing is said
    first = {"start": at(0).isoformat(), "end": at(1).isoformat(), "floor": "80", "target": "100", "ceiling": "120"}
    assert said["lines"][0]["typed_periods"]["periods"][0] == first
    async with unit_of_work(tenant.factory) as session:  # a template keeps it for the next one
        kept = await save_template(session, tenant.factory, contract.id, SaveTemplate(name="Carried on"))
        days = FromTemplate(party_id=contract.party_id, direction=contract.direction, valid_from=today())
        draft = await draft_from(session, tenant.factory, kept.id, days)
        assert (await get_terms(session, draft)).shortfall_carry is Carry.NEXT
    async with unit_of_work(tenant.factory) as session:  # nobody changes the rows behind it unseen
        terms = await get_terms(session, await service.get_contract(session, tenant.factory, contract.id))
        terms.over_call_percent = D(90)
        session.add(terms)
    assert (await versions(tenant.customer, contract))[0] != version.sha256


async def test_a_version_of_the_first_form_goes_on_being_verified_and_an_amendment_of_it_keeps_the_use(
    tenant: Tenant,
) -> None:
    contract = await make_signed(tenant)
    async with unit_of_work(tenant.factory) as session:  # as it was signed before the second form
        found = await service.get_contract(session, tenant.factory, contract.id, lock=True)
        (signed,) = await get_revisions(session, found)
        signed.status = RevisionStatus.DECLINED
        old = await content_of(session, tenant.factory, found, form=1)
        former: dict[str, Any] = {"status": RevisionStatus.AGREED, "answered_name": "Ann", "answered_at": clock.now()}
        await offer(session, tenant.factory, found, old, effective_from=found.valid_from, **former)
    assert form_of(old) == 1
    assert not {"form", "shortfall_carry"} & set(old)
    assert "typed_periods" not in old["lines"][0]
    sha, version = await versions(tenant.customer, contract)
    assert sha == version.sha256 == digest(old)

    await take(tenant.customer, "amend", contract, amendment(today(), title="Castings"))
    await take(tenant.factory, "accept_amendment", contract)

    sha, version, _old = await versions(tenant.customer, contract)
    assert sha == version.sha256
    assert (version.content["shortfall_carry"], version.content["form"]) == ("next", FORM)
    assert [row.target for row in await periods(tenant.customer, contract)] == [100, 100, 100]
    names = [one.field for one in differences(old, version.content)]
    assert {"title", "shortfall_carry", "period"} <= set(names)


def test_a_content_without_periods_says_what_it_said_before() -> None:
    contract = Contract(
        tenant_id=UUID(int=1), party_id=UUID(int=2), number="F-1", direction=Direction.SALE, kind=ContractKind.ANNUAL,
        party_name="Aurora", currency="CNY", valid_from=date(2026, 1, 1),
    )  # fmt: skip
    assert content(contract, [], {}) == content(contract, [], {}, form=1) | {"form": FORM}


# An amendment --------------------------------------------------------------------------------------------------------


async def test_an_amendment_changes_the_use_and_the_periods_from_its_day_and_what_began_before_stays(
    tenant: Tenant,
) -> None:
    contract = await make_signed(tenant)
    before = await periods(tenant.factory, contract)
    for n in (0, 1):
        call = Call(uuid7(), before[0].contract_line_id, "A", at(n) + DAY, D(50))
        async with unit_of_work(tenant.factory) as session:
            await consume(session, tenant.factory, contract.party_id, [call])
    data = amendment(
        at(1), (10, 20, 30), (150, 200, 250), (80, 100, 120), shortfall_carry=Carry.NONE, consequence=Consequence.EXTEND
    )
    await take(tenant.customer, "amend", contract, data)
    await take(tenant.factory, "accept_amendment", contract)
    assert [(row.floor, row.target) for row in await periods(tenant.customer, contract)] == [(D(80), D(100))] * 3
    assert (await run_day(tenant, noon(10)))["applied"] == 1

    rows = await periods(tenant.customer, contract)
    assert rows == await periods(tenant.factory, contract)
    assert [row.target for row in rows] == [100, 200, 100]  # the first began before the day
    assert [row.sums.called for row in rows] == [50, 50, 0]
    (entry,) = await fetch(
        tenant.customer, "select quantity, document, bucket_id from bucket_entry where kind='amended'"
    )
    assert tuple(entry) == (100, "contract_revision", rows[1].id)
    sha, version, _first = await versions(tenant.customer, contract)
    assert sha == version.sha256
    async with unit_of_work(tenant.customer) as session:
        found = await service.get_contract(session, tenant.customer, contract.id)
        use = [(one.shortfall_carry, one.replaced_on) for one in await all_terms(session, found)]
    assert use == [(Carry.NEXT, at(1)), (Carry.NONE, date.max)]

    async with unit_of_work(tenant.factory) as session:  # the first is closed as was agreed when it began
        await close_periods(session, tenant.factory, noon(20))
    rows = await periods(tenant.customer, contract)
    assert [(row.sums.carried_in, row.sums.carried_out) for row in rows] == [
        (D(0), D(-50)),
        (D(50), D(0)),
        (D(0), D(0)),
    ]
    told = await fetch(tenant.customer, "select data->>'consequence' from timeline where verb = 'period_closed'")
    assert [row[0] for row in told] == ["none", "extend"]

    late = amendment(at(1), (10, 20, 30), (10, 20, 30), (90, 100, 130))
    await take(tenant.customer, "amend", contract, late)
    await take(tenant.factory, "accept_amendment", contract)
    await run_day(tenant, noon(20))
    assert [row.target for row in await periods(tenant.customer, contract)] == [100, 200, 100]  # closed ones stay
    assert (await periods(tenant.customer, contract))[2].ceiling == 130


async def test_a_counter_offer_changes_the_use_of_a_contract_that_is_not_in_force_yet(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    await step(tenant.factory, "propose", contract.id)
    terms = HeadOffer(excess_carry=Carry.TO_END, excess_cap_percent=D(10))
    lines = [LineOffer(line_no=1, typed_periods=ten_days((80, 100, 120)))]
    await step(tenant.customer, "counter", contract.id, data=Offer(terms=terms, lines=lines))
    assert await periods(tenant.factory, contract) == []
    await step(tenant.factory, "accept", contract.id)
    await step(tenant.factory, "activate", contract.id)

    sha, version = await versions(tenant.customer, contract)
    assert sha == version.sha256
    assert [row.target for row in await periods(tenant.customer, contract)] == [100]
    async with unit_of_work(tenant.customer) as session:
        (use,) = await all_terms(session, await service.get_contract(session, tenant.customer, contract.id))
    assert (use.excess_carry, use.excess_cap_percent, use.replaced_on) == (Carry.TO_END, D(10), date.max)

    given_up = Amendment(effective_from=today(), lines=[LineOffer(line_no=1, typed_periods=SetPeriods())])
    await take(tenant.factory, "amend", contract, given_up)
    await take(tenant.customer, "accept_amendment", contract)
    await run_day(tenant, clock.now())
    weeks = {row.cadence for row in await periods(tenant.customer, contract)}
    assert weeks == {BucketCadence.WEEK}  # from the fixed quantity again


@pytest.mark.parametrize(
    ("data", "refusal", "field"),
    [
        (amendment(at(1), shortfall_carry=Carry.PERIODS), PeriodsNeeded, "terms.shortfall_periods"),
        (
            amendment(at(1), call_low_percent=D(60), call_high_percent=D(50)),
            CallBandReversed,
            "terms.call_high_percent",
        ),
        (amendment(at(1), (90, 80, 100)), LimitsOutOfOrder, "lines.0.typed_periods.periods.0.target"),
        (amendment(at(1), valid_to=at(2)), OutsideContract, "terms.valid_to"),
    ],
)
async def test_what_cannot_be_agreed_is_refused_at_its_field(
    tenant: Tenant, data: Amendment, refusal: type[PortalError], field: str
) -> None:
    contract = await make_signed(tenant)
    (_sha, version) = await versions(tenant.factory, contract)
    with pytest.raises(refusal) as refused:
        changed(version.content, data)
    assert refused.value.field == field
    with pytest.raises(refusal):
        await take(tenant.customer, "amend", contract, data)
    assert len(await versions(tenant.customer, contract)) == 2


def test_each_period_is_carried_by_the_rules_that_held_when_it_began() -> None:
    once, never = (Rule(1), Rule(0)), (Rule(0), Rule(0))
    a, b, c = (UUID(int=n) for n in range(3))
    ended = [Ended(a, D(100), D(60), rules=once), Ended(b, D(100), D(100), rules=never)]
    moves = carry(ended, c, Rule(None), Rule(None), "H87")
    assert [(move.source, move.target, move.quantity) for move in moves] == [(a, b, Decimal(40))]


async def test_the_form_of_an_amendment_holds_the_use_and_the_periods_and_versions_compare_them(
    tenant: Tenant, database: Settings
) -> None:
    app = create_app(database)
    contract = await make_signed(tenant)
    rows = [f"{at(n)} {at(n + 1)} 80 {target} 120" for n, target in enumerate((100, 110, 100))]
    async with signed_in(app, tenant.customer) as customer:
        page = await customer.open(f"/contracts/{contract.id}/amend")
        assert f"{at(0)} {at(1)} 80 100 120" in page.text
        form = {"effective_from": str(at(1)), "consequence": "extend", "over_call_percent": ""}
        form["version"] = re.search(r'name="version" value="(\d+)"', page.text)[1]  # type: ignore[index]
        bad = await customer.send(f"/contracts/{contract.id}/amend", **form | {"typed_periods.1": "1 2 3"})
        assert bad.status_code == 422
        assert "Row 1 is not a period" in text_of(bad)
        wrong = "\n".join(rows).replace(" 110 ", " 130 ")
        bad = await customer.send(f"/contracts/{contract.id}/amend", **form | {"typed_periods.1": wrong})
        assert "have to rise in this order" in text_of(bad)
        sent = await customer.send(f"/contracts/{contract.id}/amend", **form | {"typed_periods.1": "\r\n".join(rows)})
        assert sent.status_code in (302, 303)
    async with signed_in(app, tenant.factory) as factory:
        said = text_of(await factory.open(f"/contracts/{contract.id}/versions")).replace("\u00a0", " ")
    for words in ("Below the floor both sides talk about it the contract is extended", "110 pcs, 80 to 120"):
        assert words in said
