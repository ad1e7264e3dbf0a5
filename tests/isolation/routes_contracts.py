"""Offers, versions, endings, files, notes, templates and rates of contracts, in pages and over the interface."""

from decimal import Decimal
from typing import Any

from portal.contracts import service, service_amendments, service_files, service_life, service_rates, service_templates
from portal.contracts.inputs import Amendment, LineOffer, Offer, Reason, SaveTemplate, SetRate
from portal.contracts.model import Cadence
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, PARTNER, Sight, Spec, body, form, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, Thing, active, contract, draft, proposed
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"
FOQ = LineOffer(line_no=1, foq=Decimal(480), cadence=Cadence.WEEK)  # what nobody has agreed to yet


async def taken(world: World, place: Place, ids: Ids, actor: Actor, commands: Any, deed: str, *said: Any) -> Ids:
    """One more step on a contract, with its new version."""
    async with unit_of_work(actor) as session:
        await getattr(commands, deed)(session, actor, ids["contract_id"], *said)
    async with unit_of_work(actor) as session:
        found = await service.get_contract(session, actor, ids["contract_id"])
    return ids | {"version": found.version}


async def countered(world: World, place: Place) -> Ids:
    """A contract whose partner asks for less."""
    ids = await proposed(world, place)
    return await taken(world, place, ids, world.company(place), service_life, "counter", Offer(lines=[FOQ]))


def amended(by_factory: bool) -> Thing:
    """A contract in force with an amendment that waits for the other company."""

    async def made(world: World, place: Place) -> Ids:
        ids = await active(world, place)
        actor = world.companies[place].factory if by_factory else world.company(place)
        data = Amendment(effective_from=today(), lines=[FOQ])
        return await taken(world, place, ids, actor, service_amendments, "amend", data)

    return made


def suspended(by_factory: bool) -> Thing:
    async def made(world: World, place: Place) -> Ids:
        ids = await active(world, place)
        actor = world.companies[place].factory if by_factory else world.company(place)
        return await taken(world, place, ids, actor, service_life, "suspend", Reason(reason="rebuilt"))

    return made


def filed(internal: bool) -> Thing:
    async def made(world: World, place: Place) -> Ids:
        ids, factory = await draft_seen(world, place), world.companies[place].factory
        content = f"drawing {uuid7()}".encode()
        async with unit_of_work(factory) as session:
            file = await service_files.add_file(
                session, factory, ids["contract_id"], "drawing.txt", content, internal=internal
            )
        return {"contract_id": ids["contract_id"], "file_id": file.id}

    return made


async def draft_seen(world: World, place: Place) -> Ids:
    """A contract that both companies see."""
    return {"contract_id": (await contract(world, place))["contract_id"]}


async def template(world: World, place: Place) -> Ids:
    ids, factory = await draft(world, place), world.companies[place].factory
    async with unit_of_work(factory) as session:
        found = await service_templates.save_template(
            session, factory, ids["contract_id"], SaveTemplate(name=f"T {uuid7()}")
        )
    return {"template_id": found.id, "party_id": ids["party_id"], "direction": ids["direction"]}


async def rate(world: World, place: Place) -> Ids:
    factory = world.companies[place].factory
    base = "".join(chr(65 + byte % 26) for byte in uuid7().bytes[-3:])
    said = SetRate(base=base, quote="CHF" if base == "CNY" else "CNY", day=today(), rate=Decimal(2))
    async with unit_of_work(factory) as session:
        found = await service_rates.set_rate(session, factory, said)
    return {"rate_id": found.id}


def from_template(ids: Ids) -> dict[str, str]:
    said = {"party_id": str(ids["party_id"]), "direction": ids["direction"].value}
    return said | {"valid_from": today().isoformat(), "valid_to": "2031-01-01"}


def sent_file(ids: Ids) -> Parts:
    return Parts(form={}, file=("drawing.txt", f"drawing {uuid7()}".encode()))


def posted_file(ids: Ids) -> Parts:
    return Parts(file=("drawing.txt", f"drawing {uuid7()}".encode()))


EITHER: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "partner_need": P.ACCEPT_CONTRACTS, "fresh": True}
BY_FACTORY: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "scope": FACTORY, "fresh": True}
BY_PARTNER: dict[str, Any] = {"need": P.ACCEPT_CONTRACTS, "scope": PARTNER, "fresh": True}
WRITES: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "fresh": True}
FACTORYS: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "sight": Sight.FACTORY, "restricted": False}
ENDS: dict[str, str] = {"reason": "rebuilt", "last_day": today().isoformat()}
DAY = today().isoformat()
OFFERED = {"foq.1": "520", "effective_from": DAY}
LINES = [{"line_no": 1, "foq": "520", "cadence": "week"}]

HERE = "/contracts/{contract_id:uuid}"
PAGES: Routes = {
    ("GET", f"{HERE}/versions"): Spec(contract),
    ("GET", f"{HERE}/counter"): (
        Spec(proposed, need=P.ACCEPT_CONTRACTS, scope=PARTNER),
        Spec(countered, need=P.EDIT_CONTRACTS, scope=FACTORY),
    ),
    ("POST", f"{HERE}/counter"): (
        Spec(proposed, form("version", **OFFERED), **BY_PARTNER),
        Spec(countered, form("version", **OFFERED), **BY_FACTORY),
    ),
    ("GET", f"{HERE}/amend"): Spec(active, need=P.EDIT_CONTRACTS, partner_need=P.ACCEPT_CONTRACTS),
    ("POST", f"{HERE}/amend"): Spec(active, form("version", **OFFERED), **EITHER),
    ("GET", f"{HERE}/amendment/counter"): Spec(amended(True), need=P.EDIT_CONTRACTS, partner_need=P.ACCEPT_CONTRACTS),
    ("POST", f"{HERE}/amendment/counter"): (
        Spec(amended(True), form("version", **OFFERED), **BY_PARTNER),
        Spec(amended(False), form("version", **OFFERED), **BY_FACTORY),
    ),
    ("POST", f"{HERE}/amendment/accept"): (
        Spec(amended(True), form("version"), **BY_PARTNER),
        Spec(amended(False), form("version"), **BY_FACTORY),
    ),
    ("POST", f"{HERE}/amendment/decline"): (
        Spec(amended(True), form("version", reason="no"), **BY_PARTNER),
        Spec(amended(False), form("version", reason="no"), **BY_FACTORY),
    ),
    ("POST", f"{HERE}/amendment/withdraw"): (
        Spec(amended(True), form("version"), **BY_FACTORY),
        Spec(amended(False), form("version"), **BY_PARTNER),
    ),
    ("POST", f"{HERE}/suspend"): Spec(active, form("version", reason="rebuilt"), **EITHER),
    ("POST", f"{HERE}/resume"): (
        Spec(suspended(True), form("version"), **BY_FACTORY),
        Spec(suspended(False), form("version"), **BY_PARTNER),
    ),
    ("POST", f"{HERE}/terminate"): Spec(active, form("version", **ENDS), **EITHER),
    ("GET", f"{HERE}/note"): Spec(contract, need=P.EDIT_CONTRACTS),
    ("POST", f"{HERE}/note"): Spec(draft_seen, form(note="ours"), **WRITES),
    ("POST", f"{HERE}/files"): Spec(draft_seen, sent_file, **EITHER),
    ("GET", f"{HERE}/files/{{file_id:uuid}}"): (Spec(filed(False)), Spec(filed(True), sight=Sight.FACTORY)),
    ("POST", f"{HERE}/template"): Spec(
        draft, lambda ids: Parts(form={"name": f"T {uuid7()}"}), **WRITES, restricted=False
    ),
    ("GET", "/contracts/templates"): Spec(need=P.EDIT_CONTRACTS),
    ("GET", "/contracts/templates/{template_id:uuid}"): Spec(template, **FACTORYS),
    ("POST", "/contracts/templates/{template_id:uuid}"): Spec(
        template, lambda ids: Parts(form=from_template(ids)), **FACTORYS, fresh=True
    ),
    ("POST", "/contracts/templates/{template_id:uuid}/remove"): Spec(template, form(), **FACTORYS, fresh=True),
    ("GET", "/contracts/rates"): Spec(need=P.SEE_PRICES, scope=FACTORY),
    ("POST", "/contracts/rates"): Spec(
        need=P.EDIT_CONTRACTS, parts=lambda ids: Parts(form={"base": "EUR", "quote": "CNY", "day": DAY, "rate": "7.8"})
    ),
    ("POST", "/contracts/rates/{rate_id:uuid}/remove"): Spec(
        rate, form(), need=P.EDIT_CONTRACTS, sight=Sight.FACTORY, fresh=True
    ),
}

THERE = f"{V1}/contracts/{{contract_id:uuid}}"


async def versioned(world: World, place: Place) -> Ids:
    """A contract with one offer, which is number 1."""
    return (await proposed(world, place)) | {"number": 1}


INTERFACE: Routes = {
    ("POST", f"{THERE}/counter"): (
        Spec(proposed, body(versioned=True, lines=LINES), **BY_PARTNER),
        Spec(countered, body(versioned=True, lines=LINES), **BY_FACTORY),
    ),
    ("POST", f"{THERE}/suspend"): Spec(active, body(versioned=True, reason="rebuilt"), **EITHER),
    ("POST", f"{THERE}/resume"): (
        Spec(suspended(True), version, **BY_FACTORY),
        Spec(suspended(False), version, **BY_PARTNER),
    ),
    ("POST", f"{THERE}/terminate"): Spec(active, body(versioned=True, **ENDS), **EITHER),
    ("GET", f"{THERE}/versions"): Spec(contract),
    ("GET", f"{THERE}/versions/{{number:int}}"): Spec(versioned),
    ("GET", f"{THERE}/versions/{{number:int}}/differences"): Spec(
        versioned, lambda ids: Parts(query={"since": ids["number"]})
    ),
    ("POST", f"{THERE}/amendment"): Spec(active, body(versioned=True, lines=LINES, effective_from=DAY), **EITHER),
    ("POST", f"{THERE}/amendment/counter"): (
        Spec(amended(True), body(versioned=True, lines=LINES, effective_from=DAY), **BY_PARTNER),
        Spec(amended(False), body(versioned=True, lines=LINES, effective_from=DAY), **BY_FACTORY),
    ),
    ("POST", f"{THERE}/amendment/accept"): (
        Spec(amended(True), version, **BY_PARTNER),
        Spec(amended(False), version, **BY_FACTORY),
    ),
    ("POST", f"{THERE}/amendment/decline"): (
        Spec(amended(True), body(versioned=True, reason="no"), **BY_PARTNER),
        Spec(amended(False), body(versioned=True, reason="no"), **BY_FACTORY),
    ),
    ("POST", f"{THERE}/amendment/withdraw"): (
        Spec(amended(True), version, **BY_FACTORY),
        Spec(amended(False), version, **BY_PARTNER),
    ),
    ("GET", f"{THERE}/note"): Spec(contract, need=P.EDIT_CONTRACTS),
    ("PUT", f"{THERE}/note"): Spec(draft_seen, body(note="ours"), **WRITES),
    ("GET", f"{THERE}/files"): Spec(contract),
    ("POST", f"{THERE}/files"): Spec(draft_seen, posted_file, **EITHER),
    ("GET", f"{THERE}/files/{{file_id:uuid}}"): (Spec(filed(False)), Spec(filed(True), sight=Sight.FACTORY)),
    ("GET", f"{THERE}/lines/{{line_id:uuid}}/price"): Spec(
        proposed, lambda ids: Parts(query={"day": DAY}), need=P.SEE_PRICES
    ),
    ("POST", f"{THERE}/template"): Spec(draft, body(name=lambda ids: f"T {uuid7()}"), **WRITES, restricted=False),
    ("GET", f"{V1}/contract-templates"): Spec(need=P.EDIT_CONTRACTS),
    ("POST", f"{V1}/contract-templates/{{template_id:uuid}}/contracts"): Spec(
        template, lambda ids: Parts(json=from_template(ids)), **FACTORYS, fresh=True
    ),
    ("DELETE", f"{V1}/contract-templates/{{template_id:uuid}}"): Spec(template, **FACTORYS, fresh=True),
    ("GET", f"{V1}/exchange-rates"): Spec(need=P.SEE_PRICES, scope=FACTORY),
    ("PUT", f"{V1}/exchange-rates"): Spec(
        need=P.EDIT_CONTRACTS, parts=body(base="EUR", quote="CNY", day=DAY, rate="7.8")
    ),
    ("DELETE", f"{V1}/exchange-rates/{{rate_id:uuid}}"): Spec(
        rate, need=P.EDIT_CONTRACTS, sight=Sight.FACTORY, fresh=True
    ),
}
ROUTES: Routes = {**PAGES, **INTERFACE}
