"""Pages and buttons of schedules, delivery notes and receipts."""

from typing import Any

from portal.core.access import Permission
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import BUYER, SELLER, Spec, asked, form, query
from tests.isolation.routes_open import Routes
from tests.isolation.routes_web import new
from tests.isolation.things import ASKED, Ids, active, contract, delivery, receipt, shipment

P = Permission

CONFIRMS: dict[str, Any] = {"need": P.CONFIRM_LINES, "side": SELLER, "fresh": True}
PUBLISHES: dict[str, Any] = {"need": P.PUBLISH_SCHEDULES, "fresh": True}
RECEIVES: dict[str, Any] = {"need": P.RECEIVE, "side": BUYER, "fresh": True}


def answer(ids: Ids) -> Parts:
    """The whole quantity on the due date."""
    return Parts(form={"version": ids["version"], "quantity": "40", "delivery_date": ids["due"]})


def chosen(ids: Ids) -> Parts:
    """One line ticked."""
    return Parts(form={"line": f"{ids['line_id']}:{ids['version']}"})


def note(ids: Ids) -> Parts:
    """A delivery note over one line; the address names its contract."""
    line = ids["line_id"]
    said = {"number": new("N"), "line": line, f"quantity.{line}": "40"}
    return Parts(query={"contract": ids["contract_id"]}, form=said)


def counted(ids: Ids) -> Parts:
    """All there."""
    return Parts(form={f"received.{ids['shipment_line_id']}": "40"})


def call_off(ids: Ids) -> Parts:
    said = {"contract_line_id": ids["line_id"], "quantity": "40", "due_date": today().isoformat()}
    return Parts(form=said)


SCHEDULES: Routes = {
    ("GET", "/"): Spec(),
    ("GET", "/counts"): Spec(),
    ("GET", "/search"): Spec(parts=query(q="A100")),
    ("GET", "/schedules"): (
        Spec(contract, asked(contract="contract_id"), filters=True),
        Spec(contract, asked(part="contract_line_id"), filters=True),
    ),
    ("GET", "/schedules/board"): Spec(),
    ("GET", "/schedules/export"): Spec(
        contract, lambda ids: Parts(query={"contract": ids["contract_id"], "kind": "csv"}), filters=True
    ),
    ("GET", "/contracts/{contract_id:uuid}/schedule"): (
        Spec(contract),
        Spec(contract, asked(part="contract_line_id")),
    ),
    ("GET", "/contracts/{contract_id:uuid}/drafts"): Spec(contract, need=P.PUBLISH_SCHEDULES),
    ("POST", "/contracts/{contract_id:uuid}/schedule/generate"): Spec(active, form(), **PUBLISHES),
    ("POST", "/contracts/{contract_id:uuid}/schedule/call-off"): Spec(active, call_off, **PUBLISHES),
    ("GET", "/schedule-lines/{line_id:uuid}"): Spec(delivery(ASKED)),
    ("POST", "/schedule-lines/{line_id:uuid}/confirm"): Spec(delivery(ASKED), answer, **CONFIRMS),
    ("POST", "/schedule-lines/{line_id:uuid}/reject"): Spec(
        delivery(ASKED), form("version", reason="capacity"), **CONFIRMS
    ),
    ("POST", "/schedule-lines/{line_id:uuid}/supply"): Spec(
        delivery(ASKED), form("version", state="at_risk"), **CONFIRMS
    ),
    ("POST", "/schedule-lines/{line_id:uuid}/cancel"): Spec(
        delivery(ASKED), form("version"), need=P.PUBLISH_SCHEDULES, side=BUYER, fresh=True
    ),
    ("POST", "/schedule-lines/{line_id:uuid}/ask-again"): Spec(
        delivery("rejected"), form("version"), need=P.PUBLISH_SCHEDULES, side=BUYER, fresh=True
    ),
    ("POST", "/schedule-lines/confirm"): Spec(delivery(ASKED), chosen, **CONFIRMS),
}

GOODS: Routes = {
    ("GET", "/shipments"): Spec(contract, asked(contract="contract_id"), filters=True),
    ("GET", "/shipments/new"): (
        Spec(contract, asked(contract="contract_id"), need=P.SHIP, side=SELLER),
        Spec(delivery("confirmed"), asked(line="line_id"), need=P.SHIP, side=SELLER),
    ),
    ("POST", "/shipments"): Spec(delivery("confirmed"), note, need=P.SHIP, side=SELLER, fresh=True),
    ("GET", "/shipments/{shipment_id:uuid}"): Spec(shipment),
    ("GET", "/shipments/{shipment_id:uuid}/note"): Spec(shipment),
    ("GET", "/shipments/{shipment_id:uuid}/code.svg"): Spec(shipment),
    ("POST", "/shipments/{shipment_id:uuid}/transport"): Spec(
        shipment,
        lambda ids: Parts(form={"version": 1, "carrier": "Deppon"}),
        need=P.SHIP,
        side=SELLER,
        fresh=True,
    ),
    ("POST", "/shipments/{shipment_id:uuid}/withdraw"): Spec(
        shipment, lambda ids: Parts(form={"version": 1}), need=P.SHIP, side=SELLER, fresh=True
    ),
    ("GET", "/receipts"): Spec(),
    ("GET", "/scan"): (Spec(), Spec(shipment, asked(number="note"))),
    ("GET", "/r/{token:str}"): Spec(shipment),
    ("GET", "/receipts/new"): Spec(shipment, query("shipment"), need=P.RECEIVE),
    ("POST", "/shipments/{shipment_id:uuid}/receipts"): Spec(shipment, counted, **RECEIVES),
    ("GET", "/receipts/{receipt_id:uuid}"): Spec(receipt),
    ("GET", "/receipts/{receipt_id:uuid}/correct"): Spec(receipt, need=P.RECEIVE),
    ("POST", "/receipts/{receipt_id:uuid}/correct"): Spec(receipt, counted, **RECEIVES),
    ("GET", "/photos/{photo_id:uuid}"): Spec(receipt),
}
ROUTES: Routes = {**SCHEDULES, **GOODS}
