"""Forecasts in a chat: what changed, and the commit to a share of it, read back from the other company's side."""

from decimal import Decimal

from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.forecasts import service, service_requests
from portal.forecasts.service import SetCommitTerms
from tests.bot.makers import House
from tests.factories import Tenant, fetch
from tests.forecasts.makers import cells, make_forecast, planned

D = Decimal


async def test_a_supplier_reads_what_changed_and_commits_to_a_share(house: House, tenant: Tenant) -> None:
    made = await make_forecast(tenant, {1: 100})
    async with unit_of_work(tenant.factory) as session:
        await service.set_terms(session, tenant.factory, made.contract.id, SetCommitTerms(), 0)
    await planned(tenant, made, {2: 50})
    system = Actor.system(tenant.id, tenant.factory.party_id)
    query = "select id from release where contract_id = $1 order by number desc limit 1"
    ((release_id,),) = await fetch(tenant.factory, query, made.contract.id)
    async with unit_of_work(system) as session:
        await service_requests.ask(session, system, made.contract.id, release_id)
    ben = await house.linked(tenant.supplier)

    await ben.phone.say("/changes")
    changed = await ben.phone.wait_for("What changed")
    await ben.phone.say("/forecast")
    await ben.phone.wait_for("Please commit to a forecast")
    await ben.phone.press("Commit to a share")
    await ben.phone.wait_for("Which share of the forecast?")
    answer = await ben.phone.press("90%")

    assert "Against release 1: 1 is new" in changed.text
    assert "A100 50\u00a0pcs" in changed.text
    assert answer.text == "Committed: 90% of the forecast"
    found = await cells(tenant.factory, made)
    assert {number: cell.committed for number, cell in found.items()} == {1: 90, 2: 45}
    await ben.phone.say("/forecast")
    await ben.phone.wait_for("No forecast waits for your commit.")
