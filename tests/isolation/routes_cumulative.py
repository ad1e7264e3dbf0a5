"""Cumulative quantities: pages, forms and the interface."""

from typing import Any

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import read, unit_of_work
from portal.shipments import reads_cumulative as reads
from portal.shipments import service_cumulative as service
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, PARTNER, Spec, body, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, active, contract
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"


async def counted(world: World, place: Place) -> Ids:
    """The place's contract and its first line."""
    ids = await contract(world, place)
    factory = world.companies[place].factory
    async with read(factory) as connection:
        head = await reads.head(connection, factory, ids["contract_id"])
    return ids | {"line_id": ids["contract_line_id"], "version": head.version}


async def fresh(world: World, place: Place) -> Ids:
    """A line for which nothing waits."""
    return await active(world, place)


async def proposed(world: World, place: Place) -> Ids:
    """A correction that the factory proposed and then, for its own answer, one of the partner's."""
    return await _proposed(world, place, world.companies[place].factory)


async def offered(world: World, place: Place) -> Ids:
    """A correction that the partner proposed."""
    return await _proposed(world, place, world.company(place))


async def _proposed(world: World, place: Place, by: Actor) -> Ids:
    ids = await active(world, place)
    data = service.Correct(figure="received", quantity="5", note="counted again")  # type: ignore[arg-type]
    async with unit_of_work(by) as session:
        entry = await service.correct(session, by, ids["contract_id"], ids["line_id"], data)
    return ids | {"entry_id": entry.id}


def with_document(ids: Ids) -> Parts:
    said = {"number": "ASN-1", "day": str(today()), "quantity": "5"}
    return Parts(json={"received": "5", "documents": [said]})


SPEAKS: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "partner_need": P.ACCEPT_CONTRACTS, "fresh": True}
FIX: dict[str, Any] = {"figure": "received", "quantity": "-5", "reason": "partner", "note": "as in their books"}
ANEW: dict[str, Any] = {"start": "10", "sync_date": "2026-01-01", "execution_date": "2026-01-05", "note": "new year"}
HERE = "/contracts/{contract_id:uuid}/cumulative"
LINE = f"{HERE}/{{line_id:uuid}}"
PAGES: Routes = {
    ("GET", HERE): Spec(counted),
    ("POST", f"{HERE}/policy"): Spec(
        counted, form("version", count_by="despatch", count_per="line"), need=P.EDIT_CONTRACTS, fresh=True
    ),
    ("POST", f"{LINE}/reports"): Spec(fresh, form(received="5", documents="ASN-1 2026-01-01 5"), **SPEAKS),
    ("POST", f"{LINE}/corrections"): Spec(fresh, form(**FIX), **SPEAKS),
    ("GET", f"{LINE}/reset"): Spec(counted, need=P.EDIT_CONTRACTS, partner_need=P.ACCEPT_CONTRACTS),
    ("POST", f"{LINE}/reset"): Spec(fresh, form(**ANEW), **SPEAKS),
    ("POST", f"{HERE}/entries/{{entry_id:uuid}}"): (
        Spec(offered, form(action="agree"), need=P.EDIT_CONTRACTS, scope=FACTORY, fresh=True),
        Spec(proposed, form(action="agree"), need=P.ACCEPT_CONTRACTS, scope=PARTNER, fresh=True),
    ),
}
PROGRAMS: Routes = {
    ("GET", f"{V1}{HERE}"): Spec(counted),
    ("GET", f"{V1}{LINE}/documents"): Spec(counted),
    ("GET", f"{V1}{LINE}/reports"): Spec(counted),
    ("PUT", f"{V1}{HERE}/policy"): Spec(
        counted, body(versioned=True, count_by="despatch"), need=P.EDIT_CONTRACTS, fresh=True
    ),
    ("POST", f"{V1}{LINE}/reports"): Spec(fresh, with_document, **SPEAKS),
    ("POST", f"{V1}{LINE}/corrections"): Spec(fresh, body(**FIX), **SPEAKS),
    ("POST", f"{V1}{LINE}/resets"): Spec(fresh, body(**ANEW), **SPEAKS),
    ("POST", f"{V1}{HERE}/entries/{{entry_id:uuid}}"): (
        Spec(offered, body(action="decline"), need=P.EDIT_CONTRACTS, scope=FACTORY, fresh=True),
        Spec(proposed, body(action="decline"), need=P.ACCEPT_CONTRACTS, scope=PARTNER, fresh=True),
    ),
}
ROUTES: Routes = {**PAGES, **PROGRAMS}
