"""The ledger of fixed quantities: pages, forms and the interface."""

from decimal import Decimal
from typing import Any

from portal.contracts import service_buckets
from portal.contracts.rules_buckets import Call
from portal.core.access import Permission
from portal.core.db import unit_of_work
from portal.core.ids import uuid7
from tests.contracts.bucket_makers import days
from tests.factories import fetch
from tests.isolation.calls import Parts
from tests.isolation.expect import FACTORY, Spec, body, form
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, active, draft
from tests.isolation.world import Place, World

P = Permission
V1 = "/api/v1"


async def committed(world: World, place: Place) -> Ids:
    """A contract in force whose first period was used."""
    ids = await active(world, place)
    factory = world.companies[place].factory
    query = (
        "select id, party_id from commitment_bucket where contract_id = $1 and period_start > $2 order by period_start"
    )
    found = await fetch(factory, query, ids["contract_id"], days(0))
    call = Call(uuid7(), ids["line_id"], "A100", days(10), Decimal(80))
    async with unit_of_work(factory) as session:
        await service_buckets.consume(session, factory, found[0]["party_id"], [call])
    return ids | {"bucket_id": found[0]["id"]}


def chosen(ids: Ids) -> Parts:
    """One line with a target of its own."""
    return Parts(form={"version": ids["version"], "months": "3", "chosen": f"{ids['line_id']}:600"})


def targets(ids: Ids) -> Parts:
    said = [{"line_id": str(ids["line_id"]), "target": "600"}]
    return Parts(json={"lines": said, "months": 3}, version=ids["version"])


WRITES: dict[str, Any] = {"need": P.EDIT_CONTRACTS, "fresh": True}
OVER: dict[str, Any] = {"quantity": "10", "reason": "A launch"}
LEDGER = "/contracts/{contract_id:uuid}/ledger"
PAGES: Routes = {
    ("GET", "/contracts/portfolio"): Spec(need=P.SEE_PRICES, scope=FACTORY),
    ("GET", "/contracts/use"): Spec(),
    ("GET", LEDGER): Spec(committed),
    ("GET", "/contracts/{contract_id:uuid}/penalties"): Spec(active, need=P.SEE_PRICES),
    ("GET", f"{LEDGER}/{{bucket_id:uuid}}"): Spec(committed),
    ("POST", f"{LEDGER}/{{bucket_id:uuid}}/over-calls"): Spec(committed, form(**OVER), need=P.EDIT_CONTRACTS),
    ("GET", f"{LEDGER}/terms"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", f"{LEDGER}/terms"): Spec(draft, form("version", shortfall_carry="next"), **WRITES),
    ("GET", f"{LEDGER}/targets"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", f"{LEDGER}/targets"): Spec(draft, chosen, **WRITES),
    ("GET", f"{LEDGER}/lines/{{line_id:uuid}}"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", f"{LEDGER}/lines/{{line_id:uuid}}"): Spec(draft, form("version", periods=""), **WRITES),
}
PROGRAMS: Routes = {
    ("GET", f"{V1}/contract-use"): Spec(),
    ("GET", f"{V1}/contract-use/portfolio"): Spec(need=P.SEE_PRICES, scope=FACTORY),
    ("GET", f"{V1}{LEDGER}"): Spec(committed),
    ("GET", f"{V1}/contracts/{{contract_id:uuid}}/penalties"): Spec(active, need=P.SEE_PRICES),
    ("GET", f"{V1}{LEDGER}/{{bucket_id:uuid}}/entries"): Spec(committed),
    ("POST", f"{V1}{LEDGER}/{{bucket_id:uuid}}/over-calls"): Spec(committed, body(**OVER), need=P.EDIT_CONTRACTS),
    ("PUT", f"{V1}{LEDGER}/terms"): Spec(draft, body(versioned=True, shortfall_carry="next"), **WRITES),
    ("PUT", f"{V1}{LEDGER}/lines/{{line_id:uuid}}"): Spec(draft, body(versioned=True), **WRITES),
    ("GET", f"{V1}{LEDGER}/suggestions"): Spec(draft, need=P.EDIT_CONTRACTS),
    ("POST", f"{V1}{LEDGER}/targets"): Spec(draft, targets, **WRITES),
}
ROUTES: Routes = {**PAGES, **PROGRAMS}
