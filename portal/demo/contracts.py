"""Contracts on the move in the demo: one countered, one with a version that follows, one that ends soon, and one with a
change that waits for an answer."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.changes import service_asking
from portal.changes.inputs import NewChange, NewPart
from portal.changes.model import ChangeReason
from portal.contracts import service_amendments, service_drafts, service_life
from portal.contracts.inputs import Amendment, HeadOffer, LineOffer, NewContract, NewLine, NewPrice, Offer
from portal.contracts.model import Cadence, Contract
from portal.core.actor import Actor, Direction, Origin
from portal.core.db import unit_of_work
from portal.schedules.model import ScheduleLine

AT_THE_DESK = Origin("192.0.2.20", "Firefox")


async def countered(planner: Actor, supplier: Actor, items: Sequence[Any], today: date) -> None:
    """Next year's purchase: the supplier asks for less and for another payment term."""
    begin = date(today.year + 1, 1, 1)
    terms = {"incoterm": "DAP", "incoterm_place": "Accra", "payment_terms": "60 days net", "penalty_percent": "0.5"}
    data = _contract(supplier.party_id, Direction.PURCHASE, "Framework of next year", begin, items, 900, **terms)
    less = LineOffer(line_no=1, foq=Decimal(750), cadence=Cadence.MONTH)
    offer = Offer(
        terms=HeadOffer(payment_terms="30 days net"),
        lines=[less],
        note="Our second line starts in April; until then 750 is what we can promise.",
    )
    async with unit_of_work(planner) as session:
        made = await service_drafts.create_contract(session, planner, data)
        await service_life.propose(session, planner, made.id)
    async with unit_of_work(supplier) as session:
        await service_life.counter(session, supplier, made.id, offer)


async def amended(planner: Actor, customer: Actor, contract: Contract, today: date) -> None:
    """The weekly contract gets a larger quantity of its first part in two months; the customer has agreed."""
    day = today + timedelta(days=60 - today.weekday())
    more = LineOffer(line_no=10, foq=Decimal(880), cadence=Cadence.WEEK)
    data = Amendment(effective_from=day, lines=[more], note="As agreed in the quarterly review.")
    async with unit_of_work(planner) as session:
        await service_amendments.amend(session, planner, contract.id, data)
    async with unit_of_work(customer) as session:
        await service_amendments.accept_amendment(session, customer, contract.id, origin=AT_THE_DESK)


async def ending(planner: Actor, customer: Actor, items: Sequence[Any], today: date) -> None:
    """A contract in force that ends within its notice."""
    first, last = today - timedelta(days=340), today + timedelta(days=25)
    data = _contract(
        customer.party_id, Direction.SALE, "Trial packs", first, items, 200, notice_days=60, number="TP-001"
    )
    data = data.model_copy(update={"valid_to": last})
    async with unit_of_work(planner) as session:
        made = await service_drafts.create_contract(session, planner, data)
        await service_life.propose(session, planner, made.id)
    async with unit_of_work(customer) as session:
        await service_life.accept(session, customer, made.id, origin=AT_THE_DESK)
    async with unit_of_work(planner) as session:
        await service_life.activate(session, planner, made.id)


async def change_asked(supplier: Actor, contract: Contract, line: ScheduleLine) -> None:
    """The supplier asks for a week more for one delivery; the buyer's answer is awaited."""
    later = NewPart(line_id=line.id, due_date=line.due_date + timedelta(days=7))
    asked = NewChange(
        contract_id=contract.id,
        reason=ChangeReason.MATERIAL,
        note="The active ingredient arrives a week late.",
        parts=[later],
    )
    async with unit_of_work(supplier) as session:
        await service_asking.ask_change(session, supplier, asked)


def _contract(
    party_id: UUID, direction: Direction, title: str, begin: date, items: Sequence[Any], foq: int, **terms: Any
) -> NewContract:
    """A monthly contract over a year, in dollars."""
    lines = [
        NewLine(
            item_code=item["item_code"],
            foq=Decimal(foq),
            cadence=Cadence.MONTH,
            pack_size=Decimal(10),
            prices=[NewPrice(valid_from=begin, price=item["price"])],
        )
        for item in items
    ]
    return NewContract(
        party_id=party_id,
        direction=direction,
        title=title,
        currency="USD",
        valid_from=begin,
        valid_to=begin + timedelta(days=364),
        lines=lines,
        **terms,
    )
