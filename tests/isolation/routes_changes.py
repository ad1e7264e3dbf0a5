"""Change requests, on pages and over the interface."""

from datetime import timedelta
from typing import Any

from portal.changes import service_answering, service_asking, service_files
from portal.changes.inputs import Accept, NewChange, NewPart
from portal.changes.model import ChangeReason
from portal.changes.service_applying import apply_accepted
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import driver, unit_of_work
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import BUYER, FACTORY, SELLER, Spec, asked, body, form, of, query, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import ASKED, Ids, contract, delivery
from tests.isolation.world import Place, World

P = Permission


def wish(ids: Ids) -> NewChange:
    part = NewPart(line_id=ids["line_id"], due_date=today() + timedelta(days=3))
    return NewChange(contract_id=ids["contract_id"], reason=ChangeReason.DEMAND, parts=[part])


async def drafted_by(world: World, place: Place, actor: Actor) -> Ids:
    ids = await delivery(ASKED)(world, place)
    async with unit_of_work(actor) as session:
        made = await service_asking.draft_change(session, actor, wish(ids))
    return ids | {"change_id": made.id, "version": made.version}


async def request(world: World, place: Place) -> Ids:
    """A request of the seller that waits for the buyer; with a file."""
    actor = world.seller(place)
    ids = await drafted_by(world, place, actor)
    async with unit_of_work(actor) as session:
        sent = await service_asking.submit_change(session, actor, ids["change_id"])
        file = await service_files.add_file(session, actor, sent.id, "plan.txt", b"plan")
    return ids | {"version": sent.version, "file_id": file.id}


async def failed(world: World, place: Place) -> Ids:
    """A request whose delivery moved after it was asked."""
    ids = await request(world, place)
    async with unit_of_work(world.companies[place].factory) as session:
        await (await driver(session)).execute(
            "update schedule_line set ordered_quantity = ordered_quantity + 1 where id = $1", ids["line_id"]
        )
    return ids


async def applied(world: World, place: Place) -> Ids:
    """An agreed and applied change."""
    ids = await request(world, place)
    factory, buyer = world.companies[place].factory, world.buyer(place)
    async with unit_of_work(buyer) as session:
        await service_answering.accept_change(session, buyer, ids["change_id"], Accept())
    async with unit_of_work(factory) as session:
        done = await apply_accepted(session, factory, ids["change_id"])
    return ids | {"version": done.version}


async def draft(world: World, place: Place) -> Ids:
    """A draft of the seller, which nobody else sees."""
    return await drafted_by(world, place, world.seller(place))


def typed(ids: Ids) -> Parts:
    """Another day for one delivery."""
    line, day = ids["line_id"], (today() + timedelta(days=5)).isoformat()
    said = {"contract_id": ids["contract_id"], "reason": "demand", "line": line, f"due_date.{line}": day}
    return Parts(form=said)


def offer(ids: Ids) -> Parts:
    line, day = ids["line_id"], (today() + timedelta(days=5)).isoformat()
    return Parts(form={"version": ids["version"], "line": line, f"due_date.{line}": day})


def parts(ids: Ids) -> list[dict[str, Any]]:
    return [{"line_id": str(ids["line_id"]), "due_date": (today() + timedelta(days=5)).isoformat()}]


def picture(ids: Ids) -> Parts:
    return Parts(file=("note.txt", b"more"))


def shown(ids: Ids) -> Parts:
    return Parts(form={"change": f"{ids['change_id']}:{ids['version']}", "reference": "4500018233"})


def marked(ids: Ids) -> Parts:
    one = {"change_id": str(ids["change_id"]), "version": ids["version"]}
    return Parts(json={"changes": [one], "reference": "4500018233"})


MAY: dict[str, Any] = {"need": P.REQUEST_CHANGES}
ASKER: dict[str, Any] = {**MAY, "side": SELLER, "fresh": True}
ANSWERER: dict[str, Any] = {**MAY, "side": BUYER, "fresh": True}
VERSION = form("version")
API = "/api/v1/change-requests"
TERMS = Spec(contract, form(answer_hours="8"), need=P.EDIT_CONTRACTS)
ROUTES: Routes = {
    ("GET", "/changes"): Spec(contract, asked(contract="contract_id"), filters=True),
    ("GET", "/changes/new"): (
        Spec(delivery(ASKED), asked(line="line_id"), **MAY),
        Spec(contract, asked(contract="contract_id"), **MAY),
    ),
    ("POST", "/changes"): Spec(delivery(ASKED), typed, fresh=True, **MAY),
    ("GET", "/changes/{change_id:uuid}"): Spec(request),
    ("POST", "/changes/{change_id:uuid}/submit"): Spec(draft, VERSION, **ASKER),
    ("POST", "/changes/{change_id:uuid}/accept"): Spec(request, VERSION, **ANSWERER),
    ("POST", "/changes/{change_id:uuid}/decline"): Spec(request, form("version", reason="no room"), **ANSWERER),
    ("GET", "/changes/{change_id:uuid}/counter"): Spec(request, **MAY),
    ("POST", "/changes/{change_id:uuid}/counter"): Spec(request, offer, **ANSWERER),
    ("POST", "/changes/{change_id:uuid}/rebase"): Spec(failed, VERSION, **ASKER),
    ("POST", "/changes/{change_id:uuid}/withdraw"): Spec(request, VERSION, **ASKER),
    ("POST", "/changes/{change_id:uuid}/comments"): Spec(request, form(note="thank you"), fresh=True, **MAY),
    ("POST", "/changes/{change_id:uuid}/files"): Spec(request, picture, fresh=True, **MAY),
    ("GET", "/changes/{change_id:uuid}/files/{file_id:uuid}"): Spec(request),
    ("POST", "/contracts/{contract_id:uuid}/change-terms"): TERMS,
    ("GET", API): Spec(contract, query("contract_id"), filters=True),
    ("POST", API): Spec(
        delivery(ASKED), body(contract_id=of("contract_id"), reason="demand", parts=parts), fresh=True, **MAY
    ),
    ("GET", f"{API}/{{change_id:uuid}}"): Spec(request),
    ("GET", f"{API}/{{change_id:uuid}}/history"): Spec(request),
    ("POST", f"{API}/{{change_id:uuid}}/submit"): Spec(draft, version, **ASKER),
    ("POST", f"{API}/{{change_id:uuid}}/accept"): Spec(request, body(versioned=True), **ANSWERER),
    ("POST", f"{API}/{{change_id:uuid}}/decline"): Spec(request, body(versioned=True, reason="no room"), **ANSWERER),
    ("POST", f"{API}/{{change_id:uuid}}/counter"): Spec(request, body(versioned=True, parts=parts), **ANSWERER),
    ("POST", f"{API}/{{change_id:uuid}}/rebase"): Spec(failed, version, **ASKER),
    ("POST", f"{API}/{{change_id:uuid}}/withdraw"): Spec(request, version, **ASKER),
    ("POST", f"{API}/{{change_id:uuid}}/comments"): Spec(request, body(note="thank you"), fresh=True, **MAY),
    ("POST", f"{API}/{{change_id:uuid}}/erp"): Spec(
        applied, body(versioned=True, state="sent"), need=P.PUBLISH_SCHEDULES, scope=FACTORY, fresh=True
    ),
    ("GET", "/changes/not-in-erp"): Spec(scope=FACTORY),
    ("GET", "/changes/not-in-erp/export"): Spec(scope=FACTORY),
    ("POST", "/changes/not-in-erp"): Spec(
        applied,
        shown,
        need=P.PUBLISH_SCHEDULES,
        scope=FACTORY,
        fresh=True,
    ),
    ("POST", "/changes/not-in-erp/days"): Spec(parts=form(working_days="4"), need=P.MANAGE_PEOPLE, scope=FACTORY),
    ("GET", f"{API}/not-in-erp"): Spec(scope=FACTORY),
    ("POST", f"{API}/not-in-erp"): Spec(applied, marked, need=P.PUBLISH_SCHEDULES, scope=FACTORY, fresh=True),
    ("GET", "/api/v1/erp-days"): Spec(scope=FACTORY),
    ("PUT", "/api/v1/erp-days"): Spec(parts=body(working_days=4), need=P.MANAGE_PEOPLE, scope=FACTORY),
    ("POST", f"{API}/{{change_id:uuid}}/files"): Spec(request, picture, fresh=True, **MAY),
    ("GET", f"{API}/{{change_id:uuid}}/files/{{file_id:uuid}}"): Spec(request),
    ("GET", "/api/v1/contracts/{contract_id:uuid}/change-terms"): Spec(contract),
    ("PUT", "/api/v1/contracts/{contract_id:uuid}/change-terms"): Spec(
        contract, body(answer_hours=8), need=P.EDIT_CONTRACTS
    ),
}
