"""Approvals and their rules, in pages and over the interface: the factory's own."""

from typing import Any

from portal.approvals.inputs import Outcome, OutcomeKind, Rule, Rules
from portal.approvals.model import ApprovalPoint
from portal.approvals.rules import APPROVER_ROLES
from portal.approvals.service import ask
from portal.approvals.service_sets import get_draft, list_sets, publish, write_draft
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from portal.core.journal import Subject
from tests.approvals.makers import all_of, approvers, rules_of
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Sight, Spec, body, form, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"
ASKED, RULED, TRIED = ApprovalPoint.COMMIT, ApprovalPoint.STATEMENT, ApprovalPoint.CHANGE


def system(world: World, place: Place) -> Actor:
    factory = world.companies[place].factory
    return Actor.system(factory.tenant_id, factory.party_id)


async def case(world: World, place: Place) -> Ids:
    """Something that waits for every role that can approve at once; nobody of the factory asked for it."""
    actor = system(world, place)
    everybody = approvers(*APPROVER_ROLES, mode="parallel")
    async with unit_of_work(actor) as session:
        if not await list_sets(session, actor, ASKED):
            draft = await write_draft(session, actor, ASKED, rules_of((all_of(), everybody)))
            await publish(session, actor, ASKED, draft.version)
        made = await ask(session, actor, ASKED, Subject("schedule_line", uuid7(), actor.party_id), {"quantity": 800})
    return {"case_id": made.id, "version": made.version}


async def draft(world: World, place: Place) -> Ids:
    """A draft of rules, written at least twice."""
    actor = system(world, place)
    rules = Rules(rules=[Rule(name="All", then=Outcome(kind=OutcomeKind.APPROVE)) for _ in range(2)])
    async with unit_of_work(actor) as session:
        for _ in range(2):
            found = await write_draft(session, actor, RULED, rules)
    return {"version": found.version, "number": found.number}


async def tried(world: World, place: Place) -> Ids:
    actor = system(world, place)
    async with unit_of_work(actor) as session:
        await write_draft(session, actor, TRIED, Rules())
        assert await get_draft(session, actor, TRIED) is not None
    return {}


CASE: dict[str, Any] = {"sight": Sight.FACTORY, "scope": FACTORY, "restricted": False}
DECIDES: dict[str, Any] = {**CASE, "need": P.APPROVE, "fresh": True}
WITHDRAWS: dict[str, Any] = {**CASE, "need": P.MANAGE_RULES, "fresh": True}
RULES: dict[str, Any] = {"need": P.MANAGE_RULES, "scope": FACTORY, "restricted": False}
HERE: dict[str, Any] = {**RULES, "sight": Sight.FACTORY, "places": (Place.FACTORY,)}
CHANGES: dict[str, Any] = {**HERE, "given": {"point": RULED.value}, "fresh": True}
ANY: dict[str, Any] = {**RULES, "given": {"point": RULED.value}}
TRIES: dict[str, Any] = {**HERE, "given": {"point": TRIED.value}}
POINT, SETS = "/rules/{point:str}", f"{V1}/rule-sets/{{point:str}}"
FILE = '{"point": "statement", "rules": []}'

ROUTES: Routes = {
    ("GET", "/approvals"): Spec(scope=FACTORY),
    ("GET", "/approvals/{case_id:uuid}"): Spec(case, **CASE),
    ("POST", "/approvals/{case_id:uuid}/decide"): Spec(case, form("version", verdict="approve"), **DECIDES),
    ("POST", "/approvals/{case_id:uuid}/withdraw"): Spec(case, form("version"), **WITHDRAWS),
    ("GET", "/rules"): Spec(**RULES),
    ("GET", POINT): Spec(**ANY),
    ("POST", f"{POINT}/draft"): Spec(draft, form("version", do="up", no="2"), **CHANGES),
    ("GET", f"{POINT}/rule"): Spec(**ANY),
    ("POST", f"{POINT}/rule"): Spec(draft, form("version", name="Any", kind="approve", do="save"), **CHANGES),
    ("GET", f"{POINT}/trial"): Spec(tried, **TRIES),
    ("POST", f"{POINT}/publish"): Spec(draft, form("version"), **CHANGES),
    ("POST", f"{POINT}/file"): Spec(draft, form("version", file=FILE), **CHANGES),
    ("GET", f"{POINT}/file"): Spec(draft, lambda ids: Parts(query={"number": ids["number"]}), **CHANGES),
    ("GET", f"{V1}/approvals"): Spec(scope=FACTORY),
    ("GET", f"{V1}/approvals/{{case_id:uuid}}"): Spec(case, **CASE),
    ("POST", f"{V1}/approvals/{{case_id:uuid}}/decide"): Spec(case, body(versioned=True, verdict="approve"), **DECIDES),
    ("POST", f"{V1}/approvals/{{case_id:uuid}}/withdraw"): Spec(case, version, **WITHDRAWS),
    ("GET", SETS): Spec(**ANY),
    ("GET", f"{SETS}/facts"): Spec(**ANY),
    ("GET", f"{SETS}/versions/{{number:int}}/file"): Spec(draft, **CHANGES),
    ("PUT", f"{SETS}/draft"): Spec(draft, body(versioned=True, point=RULED.value, rules=[]), **CHANGES),
    ("DELETE", f"{SETS}/draft"): Spec(draft, version, **CHANGES),
    ("POST", f"{SETS}/draft/publish"): Spec(draft, body(versioned=True, note="reviewed"), **CHANGES),
    ("GET", f"{SETS}/draft/trial"): Spec(tried, **TRIES),
}
