"""A workspace with something on every page, made through the commands: three companies, contracts in every state,
releases, answers, delivery notes and receipts, as on the pictures of the design.

Commits for real. Days count from this week's Monday, so the pages look alike on every day of the year.
"""

import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.accounts import identity, recovery, service_calendars, service_companies, service_joining, service_keys
from portal.accounts import service as accounts
from portal.accounts.second_factor import begin as begin_factor
from portal.accounts.service import InviteMember
from portal.accounts.service_companies import CreateParty, CreateSite, CreateTenant
from portal.accounts.service_keys import CreateKey
from portal.catalog.service import NewItem, NewPartNumber, add_part_number, create_item
from portal.contracts import service as contracts
from portal.contracts import service_life
from portal.contracts.inputs import NewContract, NewLine, NewPrice
from portal.contracts.inputs_buckets import SetTerms
from portal.contracts.model import Cadence, ContractLine
from portal.contracts.model_buckets import Carry
from portal.contracts.reads_buckets import current
from portal.contracts.service_commitments import set_terms
from portal.contracts.service_drafts import create_contract
from portal.core import files
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.i18n import Language
from portal.paper.service import seal_contract
from portal.schedules import service, service_release
from portal.schedules.model import LineStatus, ScheduleLine, SupplyState
from portal.schedules.service import ConfirmLine, NoteSupply
from portal.schedules.service_release import CallOff, Publish
from portal.shipments import service as shipments
from portal.shipments import service_receipts
from portal.shipments.counting import CountedLine, Receive
from portal.shipments.model import Problem
from portal.shipments.service import NewShipment, ShippedLine
from tests.browser.approving import make_approvals
from tests.browser.imported import make_books, make_imports, make_sheets
from tests.browser.moving import amended, asked, countered
from tests.browser.photos import box_photo
from tests.browser.words import ENGLISH, Words
from tests.factories import ZONE, firm_may_change, today

PASSWORD = "nine halyards of hemp"
PARTS = ("A100", "A120", "B210", "C330", "D045")
PAST = (400, 400, 260, 150, 2400)  # a week, before this one; so many weeks of it:
PAST_WEEKS = (12, 8, 7, 9, 6)
WEEKS = (
    (800, 0, 800, 800, 400, 0, 900, 800, 800, 500, 0, 800, 400),
    (400, 400, 0, 400, 400, 400, 0, 400, 400, 0, 500, 500, 0),
    (0, 260, 260, 0, 300, 300, 0, 0, 320, 320, 0, 300, 0),
    (150, 150, 150, 150, 0, 150, 180, 180, 0, 200, 200, 0, 200),
    (2400, 0, 2400, 0, 0, 2400, 0, 2400, 0, 0, 2600, 0, 0),
)
LATER = ((0, 5, 200), (3, 5, 30))  # part, week, quantity: what the second release adds behind the firm zone
UNANSWERED = {(0, 0), (0, 2), (2, 1), (2, 2)}  # part, week
LATE = (2, 1)
NOTE, SITE = "ASN-07", "WUXI-3"


@dataclass(slots=True)
class World:
    """What the tests open; ids by the name of the thing."""

    words: Words
    factory: Actor
    customer: Actor
    supplier: Actor
    tokens: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def address(self, path: str) -> str:
        """A path with the ids of this world filled in."""
        return path.format(**self.ids)


@dataclass(slots=True)
class Agreed:
    """An active contract with its lines."""

    id: UUID
    party: UUID
    lines: list[ContractLine]


async def make_world(
    owner_url: str, words: Words = ENGLISH, language: Language = Language.EN, *, weeks: int = 3
) -> World:
    """Everything. weeks: how far the past reaches at most; the pictures of the README show twelve."""
    code = f"b-{os.urandom(4).hex()}"
    tenant = CreateTenant(code=code, name=words.tenant, country="CN", time_zone=ZONE, currency="CNY", language=language)
    system = await service_companies.create_tenant(owner_url, tenant)
    async with unit_of_work(system) as session:
        aurora = CreateParty(code="AURORA", name=words.customer, country="CN", is_customer=True)
        north = CreateParty(code="NORTH", name=words.supplier, country="CN", is_supplier=True)
        customer = await service_companies.create_party(session, system, aurora)
        supplier = await service_companies.create_party(session, system, north)
    world = World(words, system, system, system)
    for name, person, party, role in (
        ("factory", words.planner, system.party_id, Role.ADMIN),
        ("customer", words.clerk, customer.id, Role.PARTNER_ADMIN),
        ("supplier", words.seller, supplier.id, Role.PARTNER_ADMIN),
    ):
        setattr(world, name, await _sign_in(world, system, name, person, party, role, language))
    await _master_data(world)
    await _sale(world, weeks)
    await _spare_parts(world)
    await _purchase(world)
    await _waiting_contracts(world)
    await _moving_contracts(world)
    await _people_and_keys(world)
    world.ids |= await make_approvals(world.factory, language) | await make_imports(world.factory)
    world.ids |= await make_sheets(world.factory, UUID(world.ids["draft_id"])) | await make_books(world.supplier)
    return world


async def _sign_in(
    world: World, system: Actor, name: str, person: str, party: UUID, role: Role, language: Language
) -> Actor:
    email = f"{name}-{os.urandom(4).hex()}@people.example"
    await service_joining.add_member(system, party, InviteMember(email=email, name=person, role=role), PASSWORD)
    token = await identity.sign_in(email, PASSWORD, "browser", f"net-{email}")
    assert token is not None
    signed = await identity.signed_in(token)
    assert signed is not None
    assert signed.actor is not None
    await service_joining.change_language(signed, language)
    await begin_factor(signed.user_id, email)  # shown where it is set up; it counts for nothing yet
    world.tokens[name], world.emails[name] = token, email
    world.ids[f"{name}_party"] = str(party)
    return signed.actor


async def _master_data(world: World) -> None:
    factory, words = world.factory, world.words
    async with unit_of_work(factory) as session:
        names = dict(zip(PARTS, words.items, strict=True)) | {"R100": words.castings[0], "R120": words.castings[1]}
        for code, name in names.items():
            item = await create_item(session, factory, NewItem(code=code, description=name, unit="H87", revision="C"))
            world.ids[f"item_{code}"] = str(item.id)
        number = NewPartNumber(party_id=world.customer.party_id, part_no="AD-88120")
        await add_part_number(session, factory, UUID(world.ids["item_A100"]), number)
        site = CreateSite(code=SITE, name=words.place, country="CN", time_zone=ZONE)
        made = await service_companies.create_site(session, factory, factory.party_id, site)
        holiday = service_calendars.SetDay(day=_monday() + timedelta(weeks=40), working=False, name=words.holiday)
        await service_calendars.set_days(session, factory, made.id, [holiday])
        world.ids["site_id"] = str(made.id)
    world.ids["item_id"] = world.ids["item_A100"]


def _monday() -> date:
    return today() - timedelta(days=today().weekday())


def _due(week: int, weekday: int = 1) -> date:
    """A delivery's day: Tuesday, or later in the first week once that has passed."""
    day = _monday() + timedelta(weeks=week, days=weekday)
    return day if week < 0 else max(day, today())


def _terms(code: str, quantity: int, total: int) -> NewLine:
    price = NewPrice(valid_from=_monday() - timedelta(weeks=13), price=Decimal("12.50"))
    return NewLine(
        item_code=code, foq=Decimal(quantity), cadence=Cadence.WEEK, target_quantity=Decimal(total), ship_to_code=SITE,
        pack_size=Decimal(40 if code.startswith("A") else 10), ship_to_country="CN", prices=[price],
        over_percent=Decimal(5),
    )  # fmt: skip


async def _contract(world: World, direction: Direction, number: str, title: str, lines: list[NewLine]) -> Agreed:
    """A contract of the customer or the supplier, in force since thirteen weeks."""
    partner = world.customer if direction is Direction.SALE else world.supplier
    data = NewContract(
        party_id=partner.party_id, direction=direction, number=number, title=title, currency="CNY", lines=lines,
        valid_from=_monday() - timedelta(weeks=13), valid_to=_due(45, 0), penalty_percent=Decimal("0.5"),
    )  # fmt: skip
    async with unit_of_work(world.factory) as session:
        made = await create_contract(session, world.factory, data)
        more = SetTerms(shortfall_carry=Carry.NEXT, over_call_percent=Decimal(900))
        await set_terms(session, world.factory, made.id, more)
        await service_life.propose(session, world.factory, made.id)
    async with unit_of_work(partner) as session:
        await service_life.accept(session, partner, made.id)
    await seal_contract(Actor.system(world.factory.tenant_id, world.factory.party_id), made.id)
    async with unit_of_work(world.factory) as session:
        await service_life.activate(session, world.factory, made.id)
        return Agreed(made.id, partner.party_id, await contracts.get_lines(session, world.factory, made.id))


async def _delivered(
    world: World, agreed: Agreed, part: int, days: list[date], quantity: int, *, last: int | None = None
) -> None:
    """Past deliveries, shipped and received on their day; `last`: how many came of the last one."""
    line = agreed.lines[part]
    seller, buyer = _sides(world, agreed)
    rows = [
        ScheduleLine(
            tenant_id=world.factory.tenant_id, party_id=agreed.party, contract_id=agreed.id, contract_line_id=line.id,
            line_no=10_000 + part * 100 + n, order_no=f"PO-{4300 + part * 20 + n}", due_date=day, requested_date=day,
            promised_date=day, unit=line.unit, ordered_quantity=Decimal(quantity), status=LineStatus.CONFIRMED,
            confirmed_quantity=Decimal(quantity), ship_to_code=line.ship_to_code,
        )
        for n, day in enumerate(days)
    ]  # fmt: skip
    async with unit_of_work(world.factory) as session:
        session.add_all(rows)
    for n, row in enumerate(rows):
        sent = quantity if last is None or n < len(rows) - 1 else last
        day = row.due_date + timedelta(days=part == 1 and n == len(rows) - 1)  # one came late
        await _ship_and_receive(seller, buyer, row.id, sent, day, f"{line.item_code}-{row.due_date:%m%d}")


def _sides(world: World, agreed: Agreed) -> tuple[Actor, Actor]:
    """The seller and the buyer."""
    sale = agreed.party == world.customer.party_id
    return (world.factory, world.customer) if sale else (world.supplier, world.factory)


async def _ship_and_receive(seller: Actor, buyer: Actor, line_id: UUID, sent: int, day: date, number: str) -> None:
    async with unit_of_work(seller) as session:
        line = ShippedLine(line_id=line_id, quantity=Decimal(sent))
        shipment = await shipments.ship(session, seller, NewShipment(number=number, shipped_on=day, lines=[line]))
    async with unit_of_work(buyer) as session:
        await service_receipts.receive(session, buyer, shipment.id, None, Receive(received_on=day))


async def _call_off(world: World, agreed: Agreed, part: int, week: int, quantity: int) -> UUID:
    day = _due(week, 1 + part % 3)
    async with unit_of_work(world.factory) as session:
        data = CallOff(contract_line_id=agreed.lines[part].id, quantity=Decimal(quantity), due_date=day)
        return (await service_release.call_off(session, world.factory, agreed.id, data)).id


async def _publish(world: World, agreed: Agreed) -> None:
    async with unit_of_work(world.factory) as session:
        await service_release.publish_release(session, world.factory, agreed.id, None, Publish())


async def _confirm(seller: Actor, ids: list[UUID]) -> None:
    for line_id in ids:
        async with unit_of_work(seller) as session:
            await service.confirm_line(session, seller, line_id, None, ConfirmLine())


async def _sale(world: World, past: int) -> None:
    """FC-2026-014: the board of the pictures."""
    total = (12_000, 8_000, 5_000, 5_000, 60_000)
    terms = [_terms(code, PAST[n], total[n]) for n, code in enumerate(PARTS)]
    agreed = await _contract(world, Direction.SALE, "FC-2026-014", world.words.titles[0], terms)
    for part, most in enumerate(PAST_WEEKS):
        days = [_due(-n) for n in range(min(most, past), 0, -1)]
        await _delivered(world, agreed, part, days, PAST[part], last=200 if part == 0 else None)
    made = {
        (part, week): await _call_off(world, agreed, part, week, quantity)
        for part, row in enumerate(WEEKS)
        for week, quantity in enumerate(row)
        if quantity
    }
    await _publish(world, agreed)
    await _confirm(world.factory, [line for place, line in made.items() if place[1] < 4 and place not in UNANSWERED])
    late, secured = (NoteSupply(state=state) for state in (SupplyState.AT_RISK, SupplyState.SECURED))
    late.note = world.words.late
    async with unit_of_work(world.factory) as session:
        for place, note in ((LATE, late), ((0, 0), secured), ((0, 2), secured)):
            await service.note_supply(session, world.factory, made[place], None, note)
    for part, week, quantity in LATER:
        await _call_off(world, agreed, part, week, quantity)
    await _publish(world, agreed)
    world.ids |= {
        "contract_id": str(agreed.id), "line_id": str(made[0, 0]), "confirmed_line": str(made[0, 3]),
        "bucket_id": await _running_period(world, agreed),
        "second_line": str(made[0, 2]), "contract_line_id": str(agreed.lines[0].id), "number": "2",
    }  # fmt: skip


async def _running_period(world: World, agreed: Agreed) -> str:
    """The period of the first part that holds today."""
    async with read(world.factory) as connection:
        rows = await current(connection, world.factory, agreed.id, today())
    return str(rows[agreed.lines[0].id].id)


async def _spare_parts(world: World) -> None:
    """FC-2026-017: what waits at the customer's dock, and one receipt with a difference and a photo."""
    terms = [_terms(code, 800, 20_000) for code in ("A100", "A120")]
    agreed = await _contract(world, Direction.SALE, "FC-2026-017", world.words.titles[1], terms)
    await firm_may_change(world.factory, agreed.id)  # spare parts are asked for at short notice
    first = [await _call_off(world, agreed, 0, 0, 800), await _call_off(world, agreed, 1, 0, 400)]
    second = [await _call_off(world, agreed, 0, 1, 800), await _call_off(world, agreed, 1, 1, 400)]
    await _publish(world, agreed)
    await _confirm(world.factory, first + second)
    world.ids["shipment_id"] = await _note(world, NOTE, first)
    counted = await _note(world, "ASN-06", second)
    async with unit_of_work(world.customer) as session:
        lines = await shipments.lines_of(session, world.customer, UUID(counted))
        short: dict[str, Any] = {"good": Decimal(760), "problem": Problem.DAMAGED, "note": world.words.wet}
        count = [CountedLine(shipment_line_id=lines[0].id, **short), CountedLine(shipment_line_id=lines[1].id)]
        photo = await files.drawn_anew(box_photo())
        receipt = await service_receipts.receive(
            session, world.customer, UUID(counted), None, Receive(lines=count), [photo]
        )
    world.ids |= {"receipt_id": str(receipt.id), "dock_contract": str(agreed.id), "received_shipment": counted}
    async with unit_of_work(world.customer) as session:
        shipment = await shipments.get_shipment(session, world.customer, UUID(world.ids["shipment_id"]))
        world.ids["scan_token"] = shipment.scan_token


async def arriving(world: World, number: str) -> str:
    """One more delivery note on its way to the customer's dock: 800 of A100 and 400 of A120. Returns its id."""
    async with unit_of_work(world.factory) as session:
        contract = UUID(world.ids["dock_contract"])
        agreed = Agreed(contract, world.customer.party_id, await contracts.get_lines(session, world.factory, contract))
    lines = [await _call_off(world, agreed, 0, 2, 800), await _call_off(world, agreed, 1, 2, 400)]
    await _publish(world, agreed)
    await _confirm(world.factory, lines)
    return await _note(world, number, lines)


async def _note(world: World, number: str, lines: list[UUID]) -> str:
    quantities = (800, 400)
    data = NewShipment(
        number=number, vehicle="苏B·7K218", carrier=world.words.carrier, shipped_on=today(),
        lines=[ShippedLine(line_id=line, quantity=Decimal(q)) for line, q in zip(lines, quantities, strict=True)],
    )  # fmt: skip
    async with unit_of_work(world.factory) as session:
        return str((await shipments.ship(session, world.factory, data)).id)


async def _purchase(world: World) -> None:
    """FC-2026-021 with the supplier: lines to answer, one on the way to the factory, one overdue."""
    terms = [_terms(code, 500, 20_000) for code in ("R100", "R120")]
    agreed = await _contract(world, Direction.PURCHASE, "FC-2026-021", world.words.titles[2], terms)
    await _delivered(world, agreed, 0, [_due(-n) for n in (5, 4, 3, 2)], 500)
    made = [await _call_off(world, agreed, n % 2, n // 2, 500) for n in range(8)]
    await _publish(world, agreed)
    await _confirm(world.supplier, made[:2])
    async with unit_of_work(world.supplier) as session:
        line = ShippedLine(line_id=made[0], quantity=Decimal(500), lot="L-26-118")
        data = NewShipment(number="NC-551", vehicle="鲁A·33K05", shipped_on=today(), lines=[line])
        shipment = await shipments.ship(session, world.supplier, data)
    drafts = [await _call_off(world, agreed, 0, week, 500) for week in (5, 6)]
    world.ids |= {
        "purchase_id": str(agreed.id), "asked_line": str(made[2]), "asked_again": str(made[3]),
        "asked_more": str(made[4]), "asked_live": str(made[5]), "asked_plain": str(made[6]), "plain_line": str(made[7]),
        "inbound_shipment": str(shipment.id), "draft_line": str(drafts[0]), "shippable_line": str(made[1]),
    }  # fmt: skip


async def _waiting_contracts(world: World) -> None:
    """One that the customer may accept, one that is still the factory's draft."""
    for name, number in (("proposed_id", "FC-2027-001"), ("draft_id", "FC-2027-002")):
        data = NewContract(
            party_id=world.customer.party_id, direction=Direction.SALE, number=number, title=world.words.titles[3],
            currency="CNY", valid_from=_monday() + timedelta(weeks=46), valid_to=_monday() + timedelta(weeks=98),
            lines=[_terms("A100", 600, 31_200), _terms("C330", 150, 7_800)],
        )  # fmt: skip
        async with unit_of_work(world.factory) as session:
            made = await create_contract(session, world.factory, data)
            if name == "proposed_id":
                await service_life.propose(session, world.factory, made.id)
            world.ids[name] = str(made.id)
            lines = await contracts.get_lines(session, world.factory, made.id)
            world.ids[name.replace("_id", "_line_id")] = str(lines[0].id)


async def _moving_contracts(world: World) -> None:
    """One that the customer answered with a counter-offer, one with a version that follows and one that waits."""
    title, lines = world.words.titles[3], [_terms("A100", 600, 31_200), _terms("C330", 150, 7_800)]
    agreed = await _contract(world, Direction.SALE, "FC-2026-031", title, lines)
    data = NewContract(
        party_id=world.customer.party_id, direction=Direction.SALE, number="FC-2027-003", title=title, currency="CNY",
        valid_from=_monday() + timedelta(weeks=46), valid_to=_monday() + timedelta(weeks=98), lines=lines[:1],
    )  # fmt: skip
    world.ids |= await amended(world.factory, world.customer, agreed.id, title)
    world.ids |= await countered(world.factory, world.customer, data) | await asked(world.customer, world.ids)


async def _people_and_keys(world: World) -> None:
    factory = world.factory
    async with unit_of_work(factory) as session:
        email = f"v-{os.urandom(4).hex()}@people.example"
        viewer = InviteMember(email=email, name=world.words.invited, role=Role.VIEWER)
        invited = await accounts.invite_member(session, factory, factory.party_id, viewer)
        key = CreateKey(name="ERP", scopes=[Permission.READ], days=90)
        made, _token = await service_keys.create_key(session, factory, key)
    found = (await identity.open_invitations(factory.tenant_id, [invited.id]))[invited.id]
    await recovery.ask(world.emails["customer"], f"net-{os.urandom(4).hex()}")
    (reset,) = [each for each in await recovery.unsent() if each.email == world.emails["customer"]]
    world.ids["password_link"] = reset.path.rpartition("/")[2]
    world.ids |= {"member_id": str(invited.id), "key_id": str(made.id), "party_id": world.ids["customer_party"]}
    world.ids["invitation"] = identity.invitation_link(found.id).rpartition("/")[2]
