"""Releases, what they are made by and what they cost, in pages and over the interface."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.schedules import service_holding, service_plans
from portal.schedules.model_releases import HoldBy
from portal.schedules.service_plans import PlanLine, SetPlan
from portal.schedules.service_publishing import Publish
from portal.schedules.service_release import CallOff, call_off
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import PARTNER, Spec, body, form, query, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import ASKED, Ids, active, contract, delivery, drafted
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"
CONTRACT, DELIVERY = "/contracts/{contract_id:uuid}", "/schedule-lines/{line_id:uuid}"
RELEASE = f"{CONTRACT}/releases/{{number:int}}"
PUBLISHES: dict[str, Any] = {"need": P.PUBLISH_SCHEDULES, "fresh": True}
ANSWERS: dict[str, Any] = {"need": P.CONFIRM_LINES, "scope": PARTNER, "fresh": True}
LATER = (today() + timedelta(days=30)).isoformat()


async def released(world: World, place: Place) -> Ids:
    """A contract with a release of one delivery beyond the firm zone, that nobody answered."""
    ids, factory = await active(world, place), world.companies[place].factory
    order = CallOff(contract_line_id=ids["line_id"], quantity=Decimal(80), due_date=today() + timedelta(days=40))
    async with unit_of_work(factory) as session:
        line_id = (await call_off(session, factory, ids["contract_id"], order)).id
        await service_holding.release(session, factory, ids["contract_id"], None, Publish())
    return {"contract_id": ids["contract_id"], "number": 1, "version": 1, "delivery_id": line_id}


async def held(world: World, place: Place) -> Ids:
    """A release that the calendar prepared and that waits for an approver."""
    ids, factory = await released(world, place), world.companies[place].factory
    system = Actor.system(factory.tenant_id, factory.party_id)
    plan = SetPlan(hold_by=HoldBy.CURVE)
    change = PlanLine(quantity=Decimal(90), due_date=today() + timedelta(days=40))
    async with unit_of_work(factory) as session:
        await service_plans.set_plan(session, factory, ids["contract_id"], None, plan)
        await service_plans.plan_line(session, factory, ids["delivery_id"], None, change)
    async with unit_of_work(system) as session:
        await service_holding.release(session, system, ids["contract_id"], None, Publish())
    return ids


async def unplanned(world: World, place: Place) -> Ids:
    """A contract without a plan and terms, so that their version is 0."""
    return {"contract_id": (await active(world, place))["contract_id"], "version": 0}


def planning(ids: Ids) -> Parts:
    """Another day for a published delivery."""
    return Parts(form={"version": ids["version"], "quantity": "40", "due_date": LATER})


async def twins(world: World, place: Place) -> Ids:
    """A published delivery with another one on its day."""
    ids, other = await delivery(ASKED)(world, place), await delivery(ASKED)(world, place)
    return {**ids, "other_id": other["line_id"]}


def joining(ids: Ids) -> Parts:
    return Parts(form={"version": ids["version"], "line_ids": str(ids["other_id"])})


def joining_by_program(ids: Ids) -> Parts:
    return Parts(json={"line_ids": [str(ids["other_id"])]}, version=ids["version"])


CHECKED: dict[str, Any] = {
    "number": 2,
    "parts": [{"item_code": "A100", "lines": [{"due_date": LATER, "quantity": "40"}]}],
}
PAGES: Routes = {
    ("GET", f"{CONTRACT}/releases"): Spec(contract),
    ("GET", f"{CONTRACT}/releases/check"): Spec(contract),
    ("POST", f"{CONTRACT}/releases/check"): Spec(contract, form(number="2", rows=f"A100;{LATER};40")),
    ("GET", RELEASE): (Spec(contract), Spec(contract, query(told="true"))),
    ("GET", f"{CONTRACT}/known"): Spec(contract, query(as_of="2026-01-31T08:00")),
    ("GET", f"{CONTRACT}/exposure"): Spec(contract, need=P.SEE_PRICES),
    ("GET", f"{CONTRACT}/release-plan"): Spec(contract, need=P.PUBLISH_SCHEDULES),
    ("POST", f"{CONTRACT}/schedule/publish"): Spec(drafted, form("version"), **PUBLISHES),
    ("POST", f"{CONTRACT}/release-plan"): Spec(unplanned, form("version", trigger="every"), **PUBLISHES),
    ("POST", f"{CONTRACT}/exposure"): Spec(
        unplanned, form("version", material_percent="30"), need=P.EDIT_CONTRACTS, fresh=True
    ),
    ("POST", f"{CONTRACT}/held/approve"): Spec(held, form("version"), **PUBLISHES),
    ("POST", f"{CONTRACT}/held/discard"): Spec(held, form("version"), **PUBLISHES),
    ("POST", f"{RELEASE}/acknowledge"): Spec(released, form("version"), **ANSWERS),
    ("POST", f"{RELEASE}/reject"): Spec(released, form("version", reason="too much"), **ANSWERS),
    ("POST", f"{DELIVERY}/plan"): Spec(delivery(ASKED), planning, **PUBLISHES),
    ("POST", f"{DELIVERY}/unplan"): Spec(delivery(ASKED), form(), **PUBLISHES),
    ("POST", f"{DELIVERY}/split"): Spec(delivery(ASKED), form("version", quantity="1"), **PUBLISHES),
    ("POST", f"{DELIVERY}/join"): Spec(twins, joining, **PUBLISHES),
}
PROGRAMS: Routes = {
    ("POST", f"{V1}{CONTRACT}/releases"): Spec(drafted, body(versioned=True), **PUBLISHES),
    ("GET", f"{V1}{CONTRACT}/releases"): Spec(contract),
    ("GET", f"{V1}{CONTRACT}/releases/next/kept"): Spec(contract, need=P.PUBLISH_SCHEDULES),
    ("GET", f"{V1}{RELEASE}"): Spec(contract),
    ("GET", f"{V1}{RELEASE}/difference"): Spec(contract),
    ("POST", f"{V1}{RELEASE}/acknowledge"): Spec(released, version, **ANSWERS),
    ("POST", f"{V1}{RELEASE}/reject"): Spec(released, body(versioned=True, reason="too much"), **ANSWERS),
    ("POST", f"{V1}{CONTRACT}/releases/held/approve"): Spec(held, body(versioned=True), **PUBLISHES),
    ("POST", f"{V1}{CONTRACT}/releases/held/discard"): Spec(held, body(versioned=True), **PUBLISHES),
    ("POST", f"{V1}{CONTRACT}/releases/check"): Spec(contract, body(**CHECKED)),
    ("GET", f"{V1}{CONTRACT}/release-plan"): Spec(contract, need=P.PUBLISH_SCHEDULES),
    ("PUT", f"{V1}{CONTRACT}/release-plan"): Spec(unplanned, body(versioned=True, trigger="every"), **PUBLISHES),
    ("GET", f"{V1}{CONTRACT}/release-terms"): Spec(contract),
    ("PUT", f"{V1}{CONTRACT}/release-terms"): Spec(
        unplanned, body(versioned=True, material_percent="30"), need=P.EDIT_CONTRACTS, fresh=True
    ),
    ("GET", f"{V1}/reports/stability"): Spec(),
    ("GET", "/reports/stability"): Spec(parts=query(source="history")),
    ("GET", "/reports/stability/export"): Spec(parts=query(source="history", kind="csv")),
    ("GET", f"{V1}{CONTRACT}/exposure"): Spec(contract, need=P.SEE_PRICES),
    ("PUT", f"{V1}{DELIVERY}/plan"): Spec(
        delivery(ASKED), body(versioned=True, quantity="40", due_date=LATER), **PUBLISHES
    ),
    ("DELETE", f"{V1}{DELIVERY}/plan"): Spec(delivery(ASKED), **PUBLISHES),
    ("POST", f"{V1}{DELIVERY}/split"): Spec(delivery(ASKED), body(versioned=True, quantity="1"), **PUBLISHES),
    ("POST", f"{V1}{DELIVERY}/join"): Spec(twins, joining_by_program, **PUBLISHES),
}
ROUTES: Routes = {**PAGES, **PROGRAMS}
