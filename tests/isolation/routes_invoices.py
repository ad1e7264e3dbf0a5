"""Invoices: reported and reversed by the factory, read by the contract's two companies."""

from decimal import Decimal
from typing import Any

from portal.contracts.inputs_invoices import ReportInvoice
from portal.contracts.service_invoices import report_invoice
from portal.core.access import Permission
from portal.core.db import unit_of_work
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Spec, body, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, active
from tests.isolation.world import Place, World

P = Permission
SAID: dict[str, Any] = {"number": "INV-1", "invoiced_on": today().isoformat(), "line_no": "1", "quantity": "40"}


async def invoiced(world: World, place: Place) -> Ids:
    """A contract in force with an invoice."""
    ids = await active(world, place)
    factory = world.companies[place].factory
    data = ReportInvoice(number="INV-0", invoiced_on=today(), line_no=1, quantity=Decimal(40))
    async with unit_of_work(factory) as session:
        made = await report_invoice(session, factory, ids["contract_id"], data)
    return ids | {"invoice_id": made.id}


def typed(ids: Ids) -> Parts:
    return Parts(form={**SAID, "amount": "", "period_day": ""})


WRITES: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "scope": FACTORY, "fresh": True}
HERE = "/contracts/{contract_id:uuid}/invoices"
REVERSE = f"{HERE}/{{invoice_id:uuid}}/reverse"
V1 = "/api/v1"
ROUTES: Routes = {
    ("GET", HERE): Spec(active),
    ("POST", HERE): Spec(active, typed, **WRITES),
    ("POST", REVERSE): Spec(invoiced, form(reason="not so"), **WRITES),
    ("GET", f"{V1}{HERE}"): Spec(active),
    ("POST", f"{V1}{HERE}"): Spec(active, body(**SAID), **WRITES),
    ("POST", f"{V1}{REVERSE}"): Spec(invoiced, body(reason="not so"), **WRITES),
}
