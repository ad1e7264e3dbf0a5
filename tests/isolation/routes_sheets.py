"""Contracts as workbooks: the factory's writers take them out, send them back and apply them."""

from dataclasses import replace

from portal.core.access import Permission
from portal.core.db import unit_of_work
from portal.sync import service_sheets
from tests.factories import today
from tests.isolation.calls import Parts
from tests.isolation.expect import Sight, Spec, asked, form, query
from tests.isolation.routes_open import Routes
from tests.isolation.things import Ids, company, contract
from tests.isolation.world import Place, World

P = Permission


async def workbook(world: World, place: Place) -> Ids:
    """A contract of the first company as a workbook."""
    factory = world.companies[Place.A].factory
    async with unit_of_work(factory) as session:
        return {"book": await service_sheets.export(session, factory, [world.contracts[Place.A].contract.id])}


async def sheet_run(world: World, place: Place) -> Ids:
    """A workbook of the place's contract that was sent back and waits."""
    factory = world.companies[place].factory
    async with unit_of_work(factory) as session:
        book = await service_sheets.export(session, factory, [world.contracts[place].contract.id])
        run = await service_sheets.upload(session, factory, "contracts.xlsx", book, today())
        return {"run_id": run.id}


def sent_book(ids: Ids) -> Parts:
    return Parts(file=("contracts.xlsx", ids["book"]), form={"effective_from": today().isoformat()})


SENT = Spec(workbook, sent_book, need=P.EDIT_CONTRACTS, sight=Sight.FACTORY, places=(Place.FACTORY,))
RUN = Spec(sheet_run, need=P.EDIT_CONTRACTS, sight=Sight.FACTORY, restricted=False)
APPLIED = replace(RUN, fresh=True)
ROUTES: Routes = {
    ("GET", "/contracts/sheets"): Spec(need=P.EDIT_CONTRACTS),
    ("GET", "/contracts/workbook"): Spec(contract, asked(contract="contract_id"), need=P.EDIT_CONTRACTS),
    ("POST", "/contracts/sheets"): SENT,
    ("GET", "/contracts/sheets/{run_id:uuid}"): RUN,
    ("GET", "/contracts/sheets/{run_id:uuid}/rest"): RUN,
    ("POST", "/contracts/sheets/{run_id:uuid}/apply"): replace(APPLIED, parts=form()),
    ("GET", "/api/v1/contract-workbooks/export"): Spec(
        company, query("party_id", status="suspended"), need=P.EDIT_CONTRACTS, sight=Sight.COMPANY, filters=True
    ),
    ("POST", "/api/v1/contract-workbooks"): SENT,
    ("GET", "/api/v1/contract-workbooks/{run_id:uuid}"): RUN,
    ("GET", "/api/v1/contract-workbooks/{run_id:uuid}/rest"): RUN,
    ("POST", "/api/v1/contract-workbooks/{run_id:uuid}/apply"): replace(APPLIED, parts=lambda ids: Parts(json={})),
}
