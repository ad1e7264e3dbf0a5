"""Forecasts and the commits to them: pages, forms and the interface."""

from typing import Any

from portal.core.access import Permission
from portal.core.db import read, unit_of_work
from portal.forecasts import reads, service
from tests.forecasts.makers import week
from tests.isolation.calls import Parts
from tests.isolation.expect import SELLER, Spec, body, form, query, version
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, contract
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"


async def forecast(world: World, place: Place) -> Ids:
    """The place's contract with its release in force and the versions of its commit and terms."""
    ids = await contract(world, place)
    factory = world.companies[place].factory
    async with read(factory) as connection:
        head = await reads.head(connection, factory, ids["contract_id"])
    return ids | {"release": head.release_no, "version": head.commit_no, "terms": head.terms_version}


async def asked(world: World, place: Place) -> Ids:
    """The same with the version of what is asked for."""
    ids = await forecast(world, place)
    return ids | {"version": ids["terms"]}


async def asking(world: World, place: Place) -> Ids:
    """A contract whose seller is asked for something."""
    ids = await asked(world, place)
    if not ids["version"]:
        factory = world.companies[place].factory
        async with unit_of_work(factory) as session:
            await service.set_terms(session, factory, ids["contract_id"], service.SetCommitTerms(), 0)
        ids["version"] = 1
    return ids


def by_period(ids: Ids) -> Parts:
    """One week of one part."""
    said = {"version": ids["version"], "release": ids["release"], "part": ids["contract_line_id"]}
    return Parts(form=said | {"start": week(2), "quantity": "10", "note": "as far as we can"})


def by_week(ids: Ids) -> Parts:
    said = {"contract_line_id": str(ids["contract_line_id"]), "start": str(week(2)), "quantity": "10"}
    return Parts(json={"release": ids["release"], "periods": [said]}, version=ids["version"])


COMMITS: dict[str, Any] = {"need": P.CONFIRM_LINES, "side": SELLER, "fresh": True}
SETS: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "fresh": True}
FORECAST = "/contracts/{contract_id:uuid}/forecast"
PAGES: Routes = {
    ("GET", "/forecasts"): Spec(),
    ("GET", FORECAST): Spec(forecast),
    ("POST", f"{FORECAST}/commit"): (
        Spec(forecast, form("version", "release", percent="90", weeks="26"), **COMMITS),
        Spec(forecast, by_period, **COMMITS),
    ),
    ("GET", f"{FORECAST}/export"): Spec(forecast),
    ("GET", "/contracts/{contract_id:uuid}/releases/{number:int}/export"): Spec(contract),
    ("GET", f"{FORECAST}/terms"): Spec(forecast, need=P.EDIT_CONTRACTS),
    ("POST", f"{FORECAST}/terms"): Spec(asked, form("version", weeks="8", response_hours="16"), **SETS),
    ("POST", f"{FORECAST}/terms/end"): Spec(asking, form("version"), **SETS),
}
PROGRAMS: Routes = {
    ("GET", f"{V1}/forecast-exceptions"): Spec(contract, query("contract_id"), filters=True),
    ("GET", f"{V1}{FORECAST}"): Spec(forecast),
    ("GET", f"{V1}{FORECAST}/commits"): Spec(forecast),
    ("POST", f"{V1}{FORECAST}/commits"): Spec(forecast, by_week, **COMMITS),
    ("PUT", f"{V1}{FORECAST}/terms"): Spec(asked, body(versioned=True, weeks=8), **SETS),
    ("DELETE", f"{V1}{FORECAST}/terms"): Spec(asking, version, **SETS),
}
ROUTES: Routes = {**PAGES, **PROGRAMS}
