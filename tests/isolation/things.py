"""Objects made for one request, in the state that the request needs, each as the ids and versions that name it."""

import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from PIL import Image

from portal.accounts import identity, service_calendars, service_companies, service_keys
from portal.accounts import service as people
from portal.accounts.model import Member
from portal.catalog import service as catalog
from portal.contracts import service_life
from portal.contracts.inputs import Decline
from portal.core import files
from portal.core.access import Permission, Role
from portal.core.actor import Actor, Direction
from portal.core.db import driver, unit_of_work
from portal.core.ids import uuid7
from portal.core.model import ImportRun
from portal.paper.service import seal_contract
from portal.schedules.service import ConfirmLine, Split, confirm_line
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from portal.shipments import service as shipping
from portal.shipments import service_receipts
from portal.shipments.counting import Receive
from portal.shipments.service import NewShipment, ShippedLine
from tests.contracts.makers import make_draft
from tests.factories import fetch, make_deliveries, today
from tests.isolation.world import Place, World

Ids = dict[str, Any]
Thing = Callable[[World, Place], Awaitable[Ids]]
ASKED = "proposed"
UPDATE_STATUS = "update schedule_line set status = $3 where tenant_id = $1 and id = $2"


def absent(ids: Ids) -> Ids:
    """The same request about objects that nobody has."""
    return {name: _other(value) for name, value in ids.items()}


def _other(value: Any) -> Any:
    if isinstance(value, UUID):
        return uuid7()
    return f"absent{value[6:]}" if isinstance(value, Token) else value


class Token(str):
    """A secret in an address."""


# --- contracts --------------------------------------------------------------------------------------------------------


async def contract(world: World, place: Place) -> Ids:
    """The place's contract in force; it has a release."""
    made = world.contracts[place]
    first = "select min(number) from release where contract_id = $1"
    ((number,),) = await fetch(world.companies[place].factory, first, made.contract.id)
    if number is None:
        factory = world.companies[place].factory
        order = CallOff(contract_line_id=made.line.id, quantity=Decimal(800), due_date=today() + timedelta(days=9))
        async with unit_of_work(factory) as session:
            await call_off(session, factory, made.contract.id, order)
            await publish_release(session, factory, made.contract.id, None, Publish())
    return {
        "contract_id": made.contract.id,
        "contract_line_id": made.line.id,
        "party_id": made.contract.party_id,
        "number": number or 1,
    }


async def draft(world: World, place: Place) -> Ids:
    """A draft with one line and its price."""
    tenant = world.companies[place]
    made = await make_draft(tenant, world.direction(place))
    query = "select l.id, p.id, l.item_code from contract_line l join contract_price p on p.contract_line_id = l.id"
    ((line_id, price_id, code),) = await fetch(tenant.factory, f"{query} where l.contract_id = $1", made.id)
    ids = {"contract_id": made.id, "line_id": line_id, "price_id": price_id, "item_code": code}
    return ids | {"party_id": made.party_id, "version": made.version, "direction": made.direction}


def at(*steps: str) -> Thing:
    """A contract on which these steps were taken, each by the company whose step it is."""

    async def moved(world: World, place: Place) -> Ids:
        ids = await draft(world, place)
        for step in steps:
            actor = world.company(place) if step == "accept" else world.companies[place].factory
            async with unit_of_work(actor) as session:
                ids["version"] = (await getattr(service_life, step)(session, actor, ids["contract_id"])).version
        return ids

    return moved


proposed, accepted, active = at("propose"), at("propose", "accept"), at("propose", "accept", "activate")


async def sealed(world: World, place: Place) -> Ids:
    """An accepted contract with its sealed documents."""
    ids = await accepted(world, place)
    factory = world.companies[place].factory
    await seal_contract(Actor.system(factory.tenant_id, factory.party_id), ids["contract_id"])
    return ids


async def drafted(world: World, place: Place) -> Ids:
    """An active contract with one delivery drafted by hand."""
    ids = await active(world, place)
    factory = world.companies[place].factory
    order = CallOff(contract_line_id=ids["line_id"], quantity=Decimal(80), due_date=today() + timedelta(days=9))
    async with unit_of_work(factory) as session:
        await call_off(session, factory, ids["contract_id"], order)
    return ids | {"contract_line_id": ids["line_id"]}


async def declined(world: World, place: Place) -> Ids:
    """A draft again, after the partner said no."""
    ids = await proposed(world, place)
    actor = world.company(place)
    async with unit_of_work(actor) as session:
        contract = await service_life.decline(session, actor, ids["contract_id"], Decline(reason="too dear"))
    return ids | {"version": contract.version}


async def deviating(world: World, place: Place) -> Ids:
    """A delivery whose seller can come later only, which waits for the buyer's decision."""
    ids = await delivery(ASKED)(world, place)
    tenant = world.companies[place]
    seller = tenant.factory if world.direction(place) is Direction.SALE else world.company(place)
    late = Split(quantity=Decimal(40), delivery_date=today() + timedelta(days=20))
    async with unit_of_work(seller) as session:
        head = await confirm_line(session, seller, ids["line_id"], 1, ConfirmLine(splits=[late]))
    return ids | {"version": head.version}


# --- deliveries, shipments, receipts ----------------------------------------------------------------------------------


def delivery(status: str) -> Thing:
    """A schedule line of the place's contract in this status, as it was seen in version 1."""

    async def made(world: World, place: Place) -> Ids:
        head = world.contracts[place]
        (line,) = await make_deliveries(world.companies[place], head, [40], status=status)
        return {"line_id": line.id, "contract_id": head.contract.id, "version": 1, "due": line.due_date.isoformat()}

    return made


def pictures() -> bytes:
    """A small photo."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "JPEG")
    return out.getvalue()


async def shipment(world: World, place: Place) -> Ids:
    """A delivery note on the way."""
    ids = await delivery("confirmed")(world, place)
    actor = world.seller(place)
    note = NewShipment(number=f"ASN-{uuid7()}", lines=[ShippedLine(line_id=ids["line_id"], quantity=Decimal(40))])
    async with unit_of_work(actor) as session:
        sent = await shipping.ship(session, actor, note)
    async with unit_of_work(actor) as session:
        (line,) = await shipping.lines_of(session, actor, sent.id)
    more = {"shipment": sent.id, "shipment_id": sent.id, "shipment_line_id": line.id}
    return ids | more | {"token": Token(sent.scan_token), "note": Token(sent.number)}


async def receipt(world: World, place: Place) -> Ids:
    """A receipt with a photo, posted just now."""
    ids = await shipment(world, place)
    actor = world.buyer(place)
    photo = await files.drawn_anew(pictures())
    async with unit_of_work(actor) as session:
        posted = await service_receipts.receive(session, actor, ids["shipment_id"], None, Receive(), [photo])
    ((photo_id,),) = await fetch(actor, "select id from photo where receipt_id = $1", posted.id)
    return ids | {"receipt_id": posted.id, "photo_id": photo_id}


# --- companies, people, items -----------------------------------------------------------------------------------------


async def company(world: World, place: Place) -> Ids:
    """The place's company."""
    actor = world.company(place)
    ((version,),) = await fetch(actor, "select version from party where id = $1", actor.party_id)
    return {"party_id": actor.party_id, "party": actor.party_id, "version": version}


async def member(world: World, place: Place) -> Ids:
    """A viewer of the place's company who has joined."""
    person = await world.hire("viewer", world.company(place), Role.VIEWER)
    assert person.actor is not None
    contract_id = world.contracts[Place.A if place is Place.FACTORY else place].contract.id
    return {
        "member_id": person.actor.member_id,
        "party_id": person.actor.party_id,
        "contract_id": contract_id,
        "version": 1,
    }


async def invited(world: World, place: Place) -> Ids:
    """Somebody of the place's company who has not joined yet, with the open link."""
    actor = world.company(place)
    data = people.InviteMember(email=f"{uuid7().hex}@people.example", name="Inga", role=Role.VIEWER)
    async with unit_of_work(actor) as session:
        found: Member = await people.invite_member(session, actor, actor.party_id, data)
    links = await identity.open_invitations(actor.tenant_id, [found.id])
    token = identity.invitation_link(links[found.id].id).rpartition("/")[2]
    return {"member_id": found.id, "party_id": actor.party_id, "version": 1, "token": Token(token)}


async def key(world: World, place: Place) -> Ids:
    """A key of the place's company."""
    actor = world.company(place)
    async with unit_of_work(actor) as session:
        made, _token = await service_keys.create_key(
            session, actor, service_keys.CreateKey(name="ERP", scopes=[Permission.READ])
        )
    return {"key_id": made.id}


async def site(world: World, place: Place) -> Ids:
    """A site of the place's company, with one holiday."""
    actor = world.company(place)
    factory: Actor = world.companies[place].factory
    data = service_companies.CreateSite(code=f"S{uuid7().hex[-10:].upper()}", name="Dock", time_zone="Asia/Shanghai")
    holiday = service_calendars.SetDay(day=today(), working=False, name="Holiday")
    async with unit_of_work(factory) as session:
        made = await service_companies.create_site(session, factory, actor.party_id, data)
        made = await service_calendars.set_days(session, factory, made.id, [holiday])
    return {"site_id": made.id, "party_id": actor.party_id, "version": made.version, "day": today().isoformat()}


async def item(world: World, place: Place) -> Ids:
    """An item of the place's workspace, with a part number of its partner."""
    tenant = world.companies[place]
    partner = tenant.partner(world.direction(place)).party_id
    code, part_no = f"I-{uuid7().hex[-10:]}", f"P-{uuid7().hex[-8:]}"
    async with unit_of_work(tenant.factory) as session:
        made = await catalog.create_item(
            session, tenant.factory, catalog.NewItem(code=code, description="Bearing housing", unit="H87")
        )
        number = catalog.NewPartNumber(party_id=partner, part_no=part_no)
        await catalog.add_part_number(session, tenant.factory, made.id, number, made.version)
    query = "select i.version, n.id from item i join party_item n on n.item_id = i.id where i.id = $1"
    ((version, number_id),) = await fetch(tenant.factory, query, made.id)
    numbers = {"part_number_id": number_id, "number_id": number_id}
    return {"item_id": made.id, "party_id": partner, "version": version, **numbers}


async def membership(world: World, place: Place) -> Ids:
    """The membership of a person of the place's company."""
    person = await world.hire("viewer", world.company(place), Role.VIEWER)
    return {"membership_id": person.membership_id}


# --- the office -------------------------------------------------------------------------------------------------------


async def run(world: World, place: Place) -> Ids:
    """An import that was read without refusals and waits to be applied."""
    factory = world.companies[place].factory
    found = ImportRun(id=uuid7(), tenant_id=factory.tenant_id, kind="scms", filename="lines.csv", digest="0" * 64)
    found.status, found.result = "previewed", {"fresh": 1}
    async with unit_of_work(factory) as session:
        session.add(found)
    return {"run_id": found.id}


async def dead_letter(world: World, place: Place) -> Ids:
    """A delivery of an event that was given up."""
    outbox_id, delivery_id = uuid7(), uuid7()
    factory = world.companies[place].factory
    async with unit_of_work(factory) as session:
        connection = await driver(session)
        await connection.execute(
            "insert into outbox (tenant_id, id, party_id, name, data) values ($1, $2, $3, 'LineConfirmed', '{}')",
            *(factory.tenant_id, outbox_id, factory.party_id),
        )
        await connection.execute(
            "insert into delivery (tenant_id, id, outbox_id, subscriber, tries, last_error)"
            " values ($1, $2, $3, 'refresh pages', 5, 'gone')",
            *(factory.tenant_id, delivery_id, outbox_id),
        )
    return {"delivery_id": delivery_id}
