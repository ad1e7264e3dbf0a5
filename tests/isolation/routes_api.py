"""The interface for programs."""

import io
from itertools import count
from typing import Any

from PIL import Image

from portal.core.access import Permission
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import BUYER, FACTORY, PARTNER, SELLER, Sight, Spec, body, of, query, version
from tests.isolation.routes_open import Routes
from tests.isolation.routes_web import email, new
from tests.isolation.things import (
    ASKED,
    Ids,
    accepted,
    active,
    company,
    contract,
    delivery,
    draft,
    invited,
    item,
    key,
    member,
    proposed,
    receipt,
    shipment,
    site,
)

P = Permission

V1 = "/api/v1"
COMPANY, OWN = Sight.COMPANY, Sight.OWN
PEOPLE: dict[str, Any] = {"need": P.MANAGE_PEOPLE, "sight": COMPANY}
MASTER: dict[str, Any] = {"need": P.MANAGE_MASTER_DATA, "sight": COMPANY}
SITE: dict[str, Any] = {"name": "Dock 2", "time_zone": "Europe/Berlin"}

ACCESS: Routes = {
    ("GET", f"{V1}/me"): Spec(need=None),
    ("GET", f"{V1}/api-keys"): Spec(need=P.MANAGE_PEOPLE),
    ("GET", f"{V1}/api-keys/{{key_id:uuid}}"): Spec(key, need=P.MANAGE_PEOPLE, sight=OWN),
    ("POST", f"{V1}/api-keys"): Spec(need=P.MANAGE_PEOPLE, parts=body(name="ERP", scopes=["read"])),
    ("DELETE", f"{V1}/api-keys/{{key_id:uuid}}"): Spec(key, need=P.MANAGE_PEOPLE, sight=OWN, fresh=True),
    ("GET", f"{V1}/parties"): Spec(),
    ("GET", f"{V1}/parties/{{party_id:uuid}}"): Spec(company, sight=COMPANY),
    ("POST", f"{V1}/parties"): Spec(
        need=P.MANAGE_MASTER_DATA, parts=body(code=lambda ids: new("P"), name="Dornier", is_customer=True)
    ),
    ("PATCH", f"{V1}/parties/{{party_id:uuid}}"): Spec(
        company, body(versioned=True, country=lambda ids: new("Land ")), fresh=True, **MASTER
    ),
    ("GET", f"{V1}/sites"): Spec(company, query("party_id"), filters=True, sight=COMPANY),
    ("GET", f"{V1}/sites/{{site_id:uuid}}"): Spec(site, sight=COMPANY),
    ("POST", f"{V1}/sites"): Spec(company, body(**SITE, code=lambda ids: new("S"), party_id=of("party_id")), **MASTER),
    ("PATCH", f"{V1}/sites/{{site_id:uuid}}"): Spec(site, body(versioned=True, name="Dock 9"), fresh=True, **MASTER),
    ("PUT", f"{V1}/sites/{{site_id:uuid}}/days/{{day:date}}"): Spec(site, body(working=True), fresh=True, **MASTER),
    ("DELETE", f"{V1}/sites/{{site_id:uuid}}/days/{{day:date}}"): Spec(site, fresh=True, **MASTER),
    ("GET", f"{V1}/members"): Spec(company, query("party_id"), need=P.MANAGE_PEOPLE, filters=True, sight=COMPANY),
    ("GET", f"{V1}/members/{{member_id:uuid}}"): Spec(member, **PEOPLE),
    ("POST", f"{V1}/members"): Spec(
        company, body(email=lambda ids: email(), name="Ina", role="viewer", party_id=of("party_id")), **PEOPLE
    ),
    ("GET", f"{V1}/members/{{member_id:uuid}}/invitation"): Spec(invited, **PEOPLE),
    ("POST", f"{V1}/members/{{member_id:uuid}}/invitation"): Spec(invited, fresh=True, **PEOPLE),
    ("PATCH", f"{V1}/members/{{member_id:uuid}}"): (
        Spec(member, body(versioned=True, role="finance"), fresh=True, **PEOPLE),
        Spec(
            member,
            body(
                versioned=True,
                restriction=lambda ids: {"restricted": True, "contract_ids": [str(ids["contract_id"])]},
            ),
            fresh=True,
            **PEOPLE,
        ),
    ),
    ("DELETE", f"{V1}/members/{{member_id:uuid}}"): Spec(member, version, fresh=True, **PEOPLE),
}

ITEM: dict[str, Any] = {"need": P.MANAGE_MASTER_DATA, "sight": Sight.FACTORY, "fresh": True}
ONE_ITEM, NUMBERS = f"{V1}/items/{{item_id:uuid}}", f"{V1}/items/{{item_id:uuid}}/part-numbers"
ITEMS: Routes = {
    ("GET", f"{V1}/items"): Spec(scope=FACTORY),
    ("POST", f"{V1}/items"): Spec(
        need=P.MANAGE_MASTER_DATA, parts=body(code=lambda ids: new("I"), description="Housing", unit="H87")
    ),
    ("GET", ONE_ITEM): Spec(item, sight=Sight.FACTORY),
    ("PATCH", ONE_ITEM): Spec(item, body(versioned=True, description="Cover"), **ITEM),
    ("GET", NUMBERS): Spec(item, sight=Sight.FACTORY),
    ("POST", NUMBERS): Spec(item, body(versioned=True, party_id=of("party_id"), part_no=lambda ids: new("P")), **ITEM),
    ("DELETE", f"{NUMBERS}/{{part_number_id:uuid}}"): Spec(item, version, **ITEM),
}

CONTRACT = f"{V1}/contracts/{{contract_id:uuid}}"
LINE, PRICES = f"{CONTRACT}/lines/{{line_id:uuid}}", f"{CONTRACT}/lines/{{line_id:uuid}}/prices"
WRITES: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "fresh": True}
ANSWERS: dict[str, Any] = {"need": P.ACCEPT_CONTRACTS, "scope": PARTNER, "fresh": True}
HEAD: dict[str, Any] = {"currency": "CNY", "valid_from": "2026-01-01"}
CONTRACTS: Routes = {
    ("GET", f"{V1}/contracts"): Spec(contract, query("party_id"), filters=True),
    ("POST", f"{V1}/contracts"): Spec(
        draft,
        body(**HEAD, party_id=of("party_id"), direction=lambda ids: ids["direction"].value),
        need=P.EDIT_CONTRACTS,
    ),
    ("GET", CONTRACT): Spec(contract),
    ("PATCH", CONTRACT): Spec(draft, body(versioned=True, **HEAD), **WRITES),
    ("GET", f"{CONTRACT}/history"): Spec(contract),
    ("POST", f"{CONTRACT}/propose"): Spec(draft, version, **WRITES),
    ("POST", f"{CONTRACT}/withdraw"): Spec(proposed, version, **WRITES),
    ("POST", f"{CONTRACT}/accept"): Spec(proposed, version, **ANSWERS),
    ("POST", f"{CONTRACT}/decline"): Spec(proposed, body(versioned=True, reason="too dear"), **ANSWERS),
    ("POST", f"{CONTRACT}/activate"): Spec(accepted, version, **WRITES),
    ("POST", f"{CONTRACT}/complete"): Spec(active, version, **WRITES),
    ("POST", f"{CONTRACT}/lines"): Spec(draft, body(versioned=True, item_code=of("item_code")), **WRITES),
    ("PUT", LINE): Spec(draft, body(versioned=True, foq="80", cadence="week"), **WRITES),
    ("DELETE", LINE): Spec(draft, version, **WRITES),
    ("POST", PRICES): Spec(draft, body(versioned=True, valid_from="2027-01-01", price="12.60"), **WRITES),
    ("DELETE", f"{PRICES}/{{price_id:uuid}}"): Spec(draft, version, **WRITES),
}

DELIVERY = f"{V1}/schedule-lines/{{line_id:uuid}}"
CONFIRMS: dict[str, Any] = {"need": P.CONFIRM_LINES, "side": SELLER, "fresh": True}
PUBLISHES: dict[str, Any] = {"need": P.PUBLISH_SCHEDULES, "fresh": True}


def many(ids: Ids) -> list[dict[str, Any]]:
    return [{"id": str(ids["line_id"]), "version": ids["version"]}]


SCHEDULES: Routes = {
    ("GET", f"{V1}/schedule-lines"): Spec(contract, query("contract_id"), filters=True),
    ("GET", DELIVERY): Spec(delivery(ASKED)),
    ("GET", f"{DELIVERY}/history"): Spec(delivery(ASKED)),
    ("POST", f"{DELIVERY}/confirm"): Spec(delivery(ASKED), body(versioned=True, splits=[]), **CONFIRMS),
    ("POST", f"{V1}/schedule-lines/confirm"): Spec(delivery(ASKED), body(lines=many), **CONFIRMS),
    ("POST", f"{DELIVERY}/reject"): Spec(delivery(ASKED), body(versioned=True, reason="capacity"), **CONFIRMS),
    ("POST", f"{DELIVERY}/supply"): Spec(delivery(ASKED), body(versioned=True, state="at_risk"), **CONFIRMS),
    ("POST", f"{DELIVERY}/cancel"): Spec(delivery(ASKED), version, side=BUYER, **PUBLISHES),
    ("POST", f"{DELIVERY}/ask-again"): Spec(delivery("rejected"), version, side=BUYER, **PUBLISHES),
    ("POST", f"{CONTRACT}/schedule-lines/generate"): Spec(active, body(), **PUBLISHES),
    ("POST", f"{CONTRACT}/schedule-lines"): Spec(
        active, body(contract_line_id=of("line_id"), quantity="40", due_date=today().isoformat()), **PUBLISHES
    ),
}

SHIPMENT, RECEIPT = f"{V1}/shipments/{{shipment_id:uuid}}", f"{V1}/receipts/{{receipt_id:uuid}}"
RECEIVES: dict[str, Any] = {"need": P.RECEIVE, "side": BUYER, "fresh": True}


def shipped(ids: Ids) -> list[dict[str, Any]]:
    return [{"line_id": str(ids["line_id"]), "quantity": "40"}]


def counts(ids: Ids) -> list[dict[str, Any]]:
    return [{"shipment_line_id": str(ids["shipment_line_id"]), "good": "40"}]


_SHADES = count()


def picture(ids: Ids) -> Parts:
    """One photo that no receipt has yet."""
    target = io.BytesIO()
    Image.new("RGB", (8, 8), (next(_SHADES) % 256, 0, 0)).save(target, "PNG")
    return Parts(form={}, file=("damage.png", target.getvalue()))


GOODS: Routes = {
    ("GET", f"{V1}/shipments"): Spec(contract, query("contract_id"), filters=True),
    ("POST", f"{V1}/shipments"): Spec(
        delivery("confirmed"),
        body(number=lambda ids: new("N"), lines=shipped),
        need=P.SHIP,
        side=SELLER,
        fresh=True,
    ),
    ("GET", SHIPMENT): Spec(shipment),
    ("GET", f"{SHIPMENT}/history"): Spec(shipment),
    ("POST", f"{SHIPMENT}/transport"): Spec(
        shipment, body(versioned=True, carrier="Deppon"), need=P.SHIP, side=SELLER, fresh=True
    ),
    ("POST", f"{SHIPMENT}/withdraw"): Spec(shipment, version, need=P.SHIP, side=SELLER, fresh=True),
    ("POST", f"{SHIPMENT}/receipts"): Spec(shipment, body(versioned=True, lines=counts), **RECEIVES),
    ("GET", f"{V1}/receipts"): Spec(shipment, query("shipment_id"), filters=True),
    ("GET", RECEIPT): Spec(receipt),
    ("POST", f"{RECEIPT}/correct"): Spec(receipt, body(lines=counts), **RECEIVES),
    ("POST", f"{RECEIPT}/photos"): Spec(receipt, picture, **RECEIVES),
    ("GET", f"{RECEIPT}/photos/{{photo_id:uuid}}"): Spec(receipt),
}
ROUTES: Routes = {**ACCESS, **ITEMS, **CONTRACTS, **SCHEDULES, **GOODS}
