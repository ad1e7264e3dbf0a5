"""Answers that differ, confirmation by exception, calendars and the grid."""

from datetime import timedelta
from typing import Any

from portal.core.access import Permission
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import BUYER, SELLER, Sight, Spec, asked, body, form, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import ASKED, Ids, active, contract, delivery, deviating, site
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"
LINE = "/schedule-lines/{line_id:uuid}"
DECIDES: dict[str, Any] = {"need": P.DECIDE_ANSWERS, "side": BUYER, "fresh": True}


GRID = "/contracts/{contract_id:uuid}/schedule/grid"


def one_cell(ids: Ids) -> Parts:
    """A quantity where nothing was, in a week to come."""
    cell = f"{ids['line_id']}.{today() + timedelta(days=14)}"
    return Parts(form={"by": "day", f"c.{cell}": "40", f"w.{cell}": ""})


def some_cells(ids: Ids) -> list[dict[str, str]]:
    day = (today() + timedelta(days=14)).isoformat()
    return [{"contract_line_id": str(ids["line_id"]), "column": day, "quantity": "40", "was": "0"}]


async def some_year(world: World, place: Place) -> Ids:
    """A site with the year whose holidays are taken."""
    return await site(world, place) | {"year": 2026}


KEEPS: dict[str, Any] = {"need": P.KEEP_CALENDARS, "sight": Sight.COMPANY, "fresh": True}
SITE = "/sites/{site_id:uuid}"
OFF: dict[str, Any] = {"first": "2027-03-01", "last": "2027-03-05", "name": "Relining"}

ROUTES: Routes = {
    ("POST", f"{SITE}/shutdowns"): Spec(site, form(**OFF), **KEEPS),
    ("POST", f"{SITE}/holidays"): Spec(site, form(year="2026"), **KEEPS),
    ("POST", f"{SITE}/windows"): Spec(site, form(day_0="07:00-11:30"), **KEEPS),
    ("POST", f"{V1}{SITE}/shutdowns"): Spec(site, body(**OFF), **KEEPS),
    ("POST", f"{V1}{SITE}/holidays/{{year:int}}"): Spec(some_year, **KEEPS),
    ("PUT", f"{V1}{SITE}/windows"): Spec(
        site, body(windows=[{"weekday": 0, "opens": "07:00", "closes": "11:30"}]), **KEEPS
    ),
    ("GET", GRID): Spec(active, need=P.PUBLISH_SCHEDULES),
    ("POST", GRID): Spec(active, one_cell, need=P.PUBLISH_SCHEDULES, fresh=True),
    ("POST", f"{V1}/contracts/{{contract_id:uuid}}/schedule-lines/grid"): Spec(
        active, body(cells=some_cells), need=P.PUBLISH_SCHEDULES, fresh=True
    ),
    ("GET", "/answers"): Spec(contract, asked(contract="contract_id"), filters=True),
    ("POST", f"{LINE}/accept-answer"): Spec(deviating, form("version"), **DECIDES),
    ("POST", f"{LINE}/decline-answer"): Spec(deviating, form("version", reason="too late"), **DECIDES),
    ("POST", f"{V1}{LINE}/accept-answer"): Spec(deviating, version, **DECIDES),
    ("POST", f"{V1}{LINE}/decline-answer"): Spec(deviating, body(versioned=True, reason="too late"), **DECIDES),
    ("POST", f"{V1}/schedule-lines/confirm-except"): Spec(
        delivery(ASKED),
        body(contract_id=lambda ids: str(ids["contract_id"])),
        need=P.CONFIRM_LINES, side=SELLER, fresh=True,
    ),
}  # fmt: skip
