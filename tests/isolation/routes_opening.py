"""Opening balances: entered by the factory, answered by the contract's partner."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from portal.contracts.inputs_opening import OpeningFigure, ProposeOpening
from portal.contracts.service import get_lines
from portal.contracts.service_periods import drop_periods
from portal.core.access import Permission
from portal.core.db import unit_of_work
from portal.shipments.service_opening import propose_opening
from tests.factories import fetch, today
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, PARTNER, Spec, body, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, active
from tests.isolation.world import Place, World

P = Permission
YESTERDAY = today() - timedelta(days=1)
LINE = "select id from contract_line where contract_id = $1"


async def free(world: World, place: Place) -> Ids:
    """A contract in force as a pure call-off, so that its line's figures are one row."""
    ids = await active(world, place)
    factory = world.companies[place].factory
    async with unit_of_work(factory) as session:
        for line in await get_lines(session, factory, ids["contract_id"]):
            await drop_periods(session, line)
    (row,) = await fetch(factory, LINE, ids["contract_id"])
    return ids | {"line_id": row["id"]}


async def entered(world: World, place: Place) -> Ids:
    """The same, with figures that wait for the partner."""
    ids = await free(world, place)
    factory = world.companies[place].factory
    figure = OpeningFigure(line_id=ids["line_id"], called=Decimal(40))
    async with unit_of_work(factory) as session:
        said = ProposeOpening(cut_over=YESTERDAY, figures=[figure])
        made = await propose_opening(session, factory, ids["contract_id"], said)
    return ids | {"version": made.version}


def rows(ids: Ids) -> Parts:
    said = {"place": str(ids["line_id"]), "called": "40", "shipped": "", "received": ""}
    return Parts(form={"cut_over": YESTERDAY.isoformat(), **said})


def figures(ids: Ids) -> Parts:
    return Parts(
        json={"cut_over": YESTERDAY.isoformat(), "figures": [{"line_id": str(ids["line_id"]), "called": "40"}]}
    )


ENTERS: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "scope": FACTORY, "fresh": True}
ANSWERS: dict[str, Any] = {"need": P.ACCEPT_CONTRACTS, "scope": PARTNER, "fresh": True}
HERE = "/contracts/{contract_id:uuid}/opening"
V1 = f"/api/v1{HERE}"
ROUTES: Routes = {
    ("GET", HERE): Spec(active),
    ("POST", HERE): Spec(free, rows, **ENTERS),
    ("POST", f"{HERE}/confirm"): Spec(entered, form("version"), **ANSWERS),
    ("POST", f"{HERE}/decline"): Spec(entered, form("version", reason="not so"), **ANSWERS),
    ("POST", f"{HERE}/withdraw"): Spec(entered, form("version"), **ENTERS),
    ("GET", V1): Spec(active),
    ("POST", V1): Spec(free, figures, **ENTERS),
    ("POST", f"{V1}/confirm"): Spec(entered, **ANSWERS),
    ("POST", f"{V1}/decline"): Spec(entered, body(reason="not so"), **ANSWERS),
    ("POST", f"{V1}/withdraw"): Spec(entered, **ENTERS),
}
