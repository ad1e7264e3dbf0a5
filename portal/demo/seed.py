"""Making the demo: the moved history through the importer, two weekly contracts, and people who have begun to work."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import select

from portal.accounts.model import ChatDetail, Member
from portal.accounts.service import RestrictMember, restrict_member
from portal.accounts.service_companies import CreateTenant, create_tenant, find_tenant
from portal.contracts import service_drafts, service_life
from portal.contracts.inputs import NewContract, NewLine, NewPrice
from portal.contracts.inputs_buckets import AllowOverCall
from portal.contracts.model import Cadence, Contract, ContractLine
from portal.contracts.model_buckets import Carry, CommitmentTerms, Consequence
from portal.contracts.reads_buckets import ledger
from portal.contracts.service_closing import close_periods
from portal.contracts.service_commitments import allow_over_call
from portal.contracts.service_periods import open_periods
from portal.core import clock
from portal.core.actor import Actor, Direction
from portal.core.calendars import local_today
from portal.core.db import asyncpg_dsn, driver, read, unit_of_work
from portal.core.journal import Subject, record
from portal.demo import contracts, people
from portal.demo.people import CUSTOMER, FACTORY, SUPPLIER
from portal.demo.programme import Part, Programme, Terms, build
from portal.schedules.model import SupplyState
from portal.schedules.service import ConfirmLines, LineVersion, NoteSupply, confirm_lines, note_supply
from portal.shipments.service import NewShipment, ShippedLine, ship
from portal.shipments.service_ledger import open_ledger
from portal.sync.scms_demo import bundled, shift_to
from portal.sync.scms_file import SOURCE
from portal.sync.scms_writer import write

ZONE = "Asia/Shanghai"
NAME = "SCMS Health Supply"
PARTNERS = {CUSTOMER: "Zambia", SUPPLIER: "Aurobindo Pharma Limited"}
PLANNER = "Lena Vogt"
# Quantity a week, weekday, and what is said of the next four deliveries; see `programme.Part`.
PLAN = ((800, 1, "pcpc"), (400, 1, "cccc"), (260, 3, "erpc"), (150, 4, "sccc"), (2400, 4, "sccc"))
# Both weekly contracts: what is missing at a week's end goes on into the next one, and below the floor they talk.
COMMITMENTS: dict[str, Any] = {
    "shortfall_carry": Carry.NEXT,
    "consequence": Consequence.DISCUSS,
    "over_call_percent": Decimal(5),
}
OVER_CALL = {Direction.SALE: "Vaccination campaign in the north", Direction.PURCHASE: "Stock for the campaign"}
AT_RISK = {Direction.SALE: "Filling line is down, two days late", Direction.PURCHASE: "Active ingredient two days late"}


async def tenants(owner_url: str) -> list[str]:
    """The codes of all workspaces."""
    connection = await asyncpg.connect(asyncpg_dsn(owner_url))
    try:
        return [row["code"] for row in await connection.fetch("select code from tenant order by code")]
    finally:
        await connection.close()


async def is_demo(owner_url: str) -> bool:
    """Whether the workspace that is here is the demo, so that its sign-ins can be printed again."""
    system = await find_tenant(owner_url, SOURCE)
    if system is None:
        return False
    async with read(system) as connection:
        query = "select true from member where tenant_id = $1 and email = $2"
        return bool(await connection.fetchval(query, system.tenant_id, people.PEOPLE[0].email))


async def seed(owner_url: str) -> None:
    """The whole demo in an empty database. The people come last: they are the sign that everything is there."""
    file = await asyncio.to_thread(bundled)
    today = local_today(clock.now(), ZONE)
    # The demo's Telegram is the stand-in beside it: nothing leaves the house, so the phone shows everything.
    new = CreateTenant(code=SOURCE, name=NAME, country="", time_zone=ZONE, currency="USD", chat_detail=ChatDetail.FULL)
    system = await find_tenant(owner_url, SOURCE) or await create_tenant(owner_url, new)
    async with unit_of_work(system) as session:
        await write(session, system, shift_to(file, today))
    companies = {FACTORY: system.party_id, **await _partners(system)}
    programmes = {
        direction: await _write_programme(system, direction, companies)
        for direction in (Direction.SALE, Direction.PURCHASE)
    }
    actors = await people.join_all(system, companies, ZONE)
    sellers = {Direction.SALE: actors["factory planner"], Direction.PURCHASE: actors[SUPPLIER]}
    for direction, programme in programmes.items():
        await _work(sellers[direction], direction, programme, today)
        await _allow_more(actors["factory planner"], direction, programme)
    async with unit_of_work(system) as session:
        await close_periods(session, system, clock.now())
    await _propose(actors["factory planner"], companies[CUSTOMER], today)
    await _move_contracts(actors, companies, programmes[Direction.SALE].contract, today)
    bought = programmes[Direction.PURCHASE]
    await contracts.change_asked(actors[SUPPLIER], bought.contract, bought.acted["r"][0])
    await _restrict(actors[CUSTOMER], programmes[Direction.SALE].contract.id)


async def _partners(system: Actor) -> dict[str, UUID]:
    async with read(system) as connection:
        query = "select id from party where tenant_id = $1 and name = $2"
        return {role: await connection.fetchval(query, system.tenant_id, name) for role, name in PARTNERS.items()}


_PARTS = """
select k.item_id, k.item_code, k.description, k.unit, max(l.price) filter (where l.price > 0) as price
from schedule_line l join contract_line k on k.tenant_id = l.tenant_id and k.id = l.contract_line_id
where l.tenant_id = $1 and l.party_id = $2
group by 1, 2, 3, 4 order by count(*) desc, k.item_code limit $3"""


async def _items_of(system: Actor, party_id: UUID, count: int) -> list[asyncpg.Record]:
    """The items that a partner's deliveries name most often."""
    async with read(system) as connection:
        rows: list[asyncpg.Record] = await connection.fetch(_PARTS, system.tenant_id, party_id, count)
    return rows


async def _write_programme(system: Actor, direction: Direction, companies: dict[str, UUID]) -> Programme:
    """One weekly contract with its history, in a transaction of its own."""
    role = CUSTOMER if direction is Direction.SALE else SUPPLIER
    items = await _items_of(system, companies[role], len(PLAN))
    now = clock.now()
    sale = direction is Direction.SALE
    terms = Terms(
        tenant_id=system.tenant_id,
        party_id=companies[role],
        party_name=PARTNERS[role],
        direction=direction,
        number=f"FC-{now:%Y}-014" if sale else f"PC-{now:%Y}-021",
        title="Weekly essential medicines" if sale else "Weekly replenishment of the distribution centres",
        reference="ZM-MOH-2207" if sale else "",
        currency="USD",
        zone=ZONE,
        place=("Lusaka", "Zambia", "Gate 3", "07:00-09:00") if sale else ("Accra", "Ghana", "Gate 1", "13:00-15:00"),
        planner=PLANNER,
    )
    parts = [
        Part(item["item_id"], item["item_code"], item["description"], item["unit"], item["price"], *plan)
        for item, plan in zip(items, PLAN, strict=True)
    ]
    programme = build(terms, parts, now)
    contract = programme.contract
    async with unit_of_work(system) as session:
        for rows in programme.rows:
            session.add_all(rows)
            await session.flush()
        base: dict[str, Any] = {"tenant_id": system.tenant_id, "party_id": contract.party_id}
        session.add(CommitmentTerms(**base, contract_id=contract.id, **COMMITMENTS))
        await session.flush()
        await open_periods(session, system, contract)
        await open_ledger(session, system, contract)
        told = Subject("contract", contract.id, contract.party_id, 1, contract.id)
        record(session, system, told, "imported", lines=programme.count, number=3)
    return programme


async def _work(seller: Actor, direction: Direction, programme: Programme, today: date) -> None:
    """What the seller has done so far: most is confirmed, one delivery is at risk, a delivery note is on its way."""
    acted = programme.acted
    async with unit_of_work(seller) as session:
        answered = [LineVersion(id=line.id, version=line.version) for line in (*acted["c"], *acted["r"], *acted["s"])]
        await confirm_lines(session, seller, ConfirmLines(lines=answered))
        for letter, state, note in (
            ("p", SupplyState.SECURED, ""),
            ("r", SupplyState.AT_RISK, AT_RISK[direction]),
        ):
            for line in acted[letter]:
                await note_supply(session, seller, line.id, None, NoteSupply(state=state, note=note))
        prefix = "DN" if direction is Direction.SALE else "ASN"
        sent = NewShipment(
            number=f"{prefix}-{today:%y%m%d}-1",
            shipped_on=today - timedelta(days=1),
            expected_on=today,
            carrier="Sinotrans" if direction is Direction.SALE else "DHL Freight",
            vehicle="苏B·7K218" if direction is Direction.SALE else "",
            lines=[ShippedLine(line_id=line.id, quantity=line.ordered_quantity) for line in acted["s"]],
        )
        await ship(session, seller, sent)


async def _allow_more(planner: Actor, direction: Direction, programme: Programme) -> None:
    """More of the first part than its ceiling may be called off in the week after next."""
    contract = programme.contract
    line = next(row for rows in programme.rows for row in rows if isinstance(row, ContractLine))
    async with unit_of_work(planner) as session:
        rows = await ledger(await driver(session), planner, contract.id, line.id)
        ahead = [row for row in rows if row.period_start > local_today(clock.now(), ZONE)]
        more = AllowOverCall(quantity=Decimal(100), reason=OVER_CALL[direction])
        await allow_over_call(session, planner, contract.id, ahead[1].id, more)


async def _propose(planner: Actor, customer_id: UUID, today: date) -> None:
    """A contract that waits for the customer's answer."""
    begin = (today + timedelta(days=45)).replace(day=1)
    items = await _items_of(planner, customer_id, len(PLAN) + 2)
    lines = [
        NewLine(
            item_code=item["item_code"],
            foq=Decimal(foq),
            cadence=Cadence.MONTH,
            pack_size=Decimal(10),
            ship_to_code="Lusaka",
            unloading_point="Gate 3",
            receiving_window="07:00-09:00",
            prices=[NewPrice(valid_from=begin, price=item["price"])],
        )
        for item, foq in zip(items[-2:], (1200, 500), strict=True)
    ]
    data = NewContract(
        party_id=customer_id,
        direction=Direction.SALE,
        title="Monthly additions",
        partner_reference="ZM-MOH-2301",
        currency="USD",
        valid_from=begin,
        valid_to=begin.replace(year=begin.year + 1) - timedelta(days=1),
        lines=lines,
    )
    async with unit_of_work(planner) as session:
        contract = await service_drafts.create_contract(session, planner, data)
        await service_life.propose(session, planner, contract.id)


async def _move_contracts(actors: dict[str, Actor], companies: dict[str, UUID], weekly: Contract, today: date) -> None:
    """Contracts that are countered, amended and about to end."""
    planner = actors["factory planner"]
    bought = await _items_of(planner, companies[SUPPLIER], 2)
    sold = await _items_of(planner, companies[CUSTOMER], 1)
    await contracts.countered(planner, actors[SUPPLIER], bought, today)
    await contracts.amended(planner, actors[CUSTOMER], weekly, today)
    await contracts.ending(planner, actors[CUSTOMER], sold, today)


async def _restrict(admin: Actor, contract_id: UUID) -> None:
    """The customer's clerk sees the weekly contract only."""
    email = next(person.email for person in people.PEOPLE if person.name == "Joseph Phiri")
    async with unit_of_work(admin) as session:
        query = select(Member).where(
            Member.tenant_id == admin.tenant_id, Member.party_id == admin.party_id, Member.email == email
        )
        member = (await session.exec(query)).one()
        narrow = RestrictMember(restricted=True, contract_ids=[contract_id])
        await restrict_member(session, admin, member.id, member.version, narrow)
