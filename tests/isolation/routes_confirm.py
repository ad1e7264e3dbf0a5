"""Answers that differ, confirmation by exception, calendars and the grid."""

from typing import Any

from portal.core.access import Permission
from tests.isolation.expect import BUYER, SELLER, Sight, Spec, asked, body, form, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import ASKED, Ids, contract, delivery, deviating, site
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"
LINE = "/schedule-lines/{line_id:uuid}"
DECIDES: dict[str, Any] = {"need": P.DECIDE_ANSWERS, "side": BUYER, "fresh": True}


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
