"""Forecasts in a chat: what changed, and the commit to a share of it, read back from the other company's side."""

from decimal import Decimal

from portal.core.access import Role
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.i18n import Language
from portal.forecasts import service, service_requests
from portal.forecasts.service import SetCommitTerms
from tests.bot.makers import House
from tests.factories import Made, Tenant, fetch, firm_may_change
from tests.forecasts.makers import cells, committed, make_forecast, planned

D = Decimal


async def asking(tenant: Tenant) -> Made:
    """Two releases of a contract whose forecast the supplier is asked to commit to."""
    made = await make_forecast(tenant, {1: 100})
    await firm_may_change(tenant.factory, made.contract.id)
    async with unit_of_work(tenant.factory) as session:
        await service.set_terms(session, tenant.factory, made.contract.id, SetCommitTerms(), 0)
    await released(tenant, made, {2: 50})
    return made


async def released(tenant: Tenant, made: Made, weeks: dict[int, int]) -> None:
    """One more release, and what the job does about it."""
    await planned(tenant, made, weeks)
    system = Actor.system(tenant.id, tenant.factory.party_id)
    query = "select id from release where contract_id = $1 order by number desc limit 1"
    ((release_id,),) = await fetch(tenant.factory, query, made.contract.id)
    async with unit_of_work(system) as session:
        await service_requests.ask(session, system, made.contract.id, release_id)


async def test_a_supplier_reads_what_changed_and_commits_to_a_share(house: House, tenant: Tenant) -> None:
    made = await asking(tenant)
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


async def test_a_forecast_is_committed_to_as_asked_and_a_later_one_is_refused_as_on_the_page(
    house: House, tenant: Tenant
) -> None:
    made = await asking(tenant)
    ben = await house.linked(tenant.supplier, language=Language.ZH)
    viewer = await house.linked(tenant.supplier, Role.VIEWER)

    await ben.phone.say("承诺预测")
    card = await ben.phone.wait_for("请对需求预测作出承诺")
    assert card.labels[:2] == ["按要求承诺 13 周", "按比例承诺"]
    await viewer.phone.say("/forecast")
    await viewer.phone.wait_for("No forecast waits for your commit.")
    await released(tenant, made, {3: 70})
    refused = await ben.phone.press("按要求承诺 13 周", message=card.id)
    assert refused.alert
    assert (refused.text or "").startswith("第 3 版")
    assert all(cell.committed is None for cell in (await cells(tenant.factory, made)).values())

    await ben.phone.say("/forecast")
    anew = await ben.phone.wait_for("第 3 版", after=card.id)
    await committed(tenant.supplier, made, percent=D(50))  # a colleague was faster, on the page
    second = await ben.phone.press("按要求承诺 13 周", message=anew.id)
    assert second.alert
    assert {cell.committed for cell in (await cells(tenant.factory, made)).values()} == {50, 25, 35}

    await released(tenant, made, {4: 10})
    await ben.phone.say("/forecast")
    await ben.phone.wait_for("第 4 版", after=anew.id)
    done = await ben.phone.press("按要求承诺 13 周")
    assert done.text == "已承诺预测的 100%"
    found = await cells(tenant.factory, made)
    assert {number: cell.committed for number, cell in found.items()} == {1: 100, 2: 50, 3: 70, 4: 10}


async def test_what_changed_is_asked_for_in_words_and_for_one_contract(house: House, tenant: Tenant) -> None:
    made, other = await asking(tenant), await make_forecast(tenant, {5: 30})
    ben = await house.linked(tenant.supplier)

    await ben.phone.say(f"what changed in {made.contract.number}?")
    one = await ben.phone.wait_for("Against release 1: 1 is new")
    assert other.contract.number not in one.text
    await ben.phone.say(f"/changes {other.contract.number.lower()}")
    first = await ben.phone.wait_for("The first release: nothing to compare with.")
    assert made.contract.number not in first.text
    await ben.phone.say("/changes FC-NONE-1")
    await ben.phone.wait_for("“FC-NONE-1” is no contract with a release.")
