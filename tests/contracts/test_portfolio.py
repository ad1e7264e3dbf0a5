"""Consumption across contracts: groups, values in one currency, and who may read them."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from portal.app import create_app
from portal.contracts.inputs import SetRate
from portal.contracts.model import ContractKind
from portal.contracts.rules_portfolio import By, LineUse, Risk, groups
from portal.contracts.service_rates import set_rate
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.settings import Settings
from tests.accounts.browser import text_of
from tests.contracts.bucket_makers import consumed, make_committed, span
from tests.contracts.test_api import calling
from tests.factories import Tenant, today
from tests.paper.test_pages import signed_in

D = Decimal


def line(n: int, called: int, **more: Any) -> LineUse:
    """A line of 100 agreed at 10 each."""
    usual: dict[str, Any] = {
        "contract_id": UUID(int=n), "party_id": UUID(int=n % 2), "party_name": f"Partner {n % 2}",
        "kind": ContractKind.ANNUAL, "currency": "CNY", "direction": Direction.SALE, "valid_to": date(2027, 1, 1),
        "days_left": 40, "line_id": UUID(int=n), "aim": D(100), "called": D(called), "shipped": D(0), "received": D(20),
        "risk": Risk.INSIDE, "worth": D(10),
    }  # fmt: skip
    return LineUse(**usual | more)


def test_lines_are_added_up_by_what_was_asked_and_nothing_is_left_out() -> None:
    lines = [
        line(1, 80),
        line(2, 130, risk=Risk.ABOVE, currency="EUR", worth=D(2), days_left=None),
        line(3, 10, risk=Risk.BELOW, kind=ContractKind.STRATEGIC, days_left=-1),
        line(4, 50, worth=None, days_left=400),
        line(6, 0, aim=D(0), days_left=30, risk=Risk.NONE),
    ]
    rows = {by: groups(lines, by) for by in By}
    assert [[row.key for row in rows[by]] for by in By] == [
        [str(UUID(int=1)), str(UUID(int=0))],
        ["annual", "strategic"],
        ["CNY", "EUR"],
        ["over", "30", "90", "later", "open"],
        ["below", "above", "inside", "none"],
    ]
    for found in rows.values():
        assert sum(row.lines for row in found) == len(lines)
        assert sum(row.values.called for row in found) == 80 * 10 + 130 * 2 + 10 * 10
        assert sum(row.unvalued for row in found) == 1
    odd, even = rows[By.PARTNER]
    assert (odd.name, odd.contracts, odd.below, odd.above) == ("Partner 1", 2, 1, 0)
    assert (odd.values.target, odd.values.called, odd.values.remaining, odd.values.use) == (2000, 900, 1100, D("0.45"))
    assert (even.use, even.values.remaining) == (D("0.9"), -60)  # more than agreed stays visible; no target: no share
    assert (odd.received, rows[By.END][1].use, rows[By.END][1].values.use) == (D("0.2"), None, None)


async def test_the_factory_reads_use_and_value_in_its_own_currency(tenant: Tenant, database: Settings) -> None:
    bought = await make_committed(tenant, span(-20, -5), span(-5, 30))
    sold = await make_committed(tenant, span(-1, 30), direction=Direction.SALE)
    async with unit_of_work(tenant.factory) as session:
        contract = await session.merge(sold.contract)
        contract.currency = "USD"
    await consumed(tenant.factory, bought, 40)
    await consumed(tenant.factory, sold, 130 - 20)
    async with calling(database, tenant.factory) as program:
        path = "/api/v1/contract-use/portfolio"
        before = (await program.get(path, params={"by": "currency"})).json()
        assert before["total"]["unvalued"] == 1  # nobody said what a dollar is worth
        async with unit_of_work(tenant.factory) as session:
            await set_rate(session, tenant.factory, SetRate(base="USD", quote="CNY", day=today(), rate=D("7.2")))
        found = (await program.get(path, params={"by": "currency"})).json()
        assert [row["key"] for row in found["items"]] == ["USD", "CNY"]
        usd, cny = found["items"]
        assert [D(usd[f"{name}_value"]) for name in ("target", "called", "remaining")] == [9000, 9900, -900]
        assert [D(cny[f"{name}_value"]) for name in ("target", "called", "remaining")] == [2500, 500, 2000]
        assert (cny["contracts"], cny["lines"], cny["below"], D(cny["use"])) == (1, 1, 1, D("0.2"))
        assert D(found["total"]["called_value"]) == 10400
        one = (await program.get(path, params={"by": "partner", "direction": "sale"})).json()
        assert [row["name"] for row in one["items"]] == ["Aurora"]
        listed = (await program.get("/api/v1/contract-use", params={"currency": "USD", "kind": "periodic"})).json()
        assert [row["number"] for row in listed["items"]] == [sold.contract.number]
    async with calling(database, tenant.supplier) as program:
        assert (await program.get(path)).status_code == 403
    async with calling(database, tenant.as_role(tenant.factory, Role.WAREHOUSE)) as program:
        assert (await program.get(path)).status_code == 403

    async with signed_in(create_app(database), tenant.factory) as factory:
        page = text_of(await factory.open("/contracts/portfolio?by=partner"))
        assert "Castings" in page
        assert "CNY 10,400.00" in page.replace("\xa0", " ")
        assert "1 part below the floor" in page
        risky = text_of(await factory.open("/contracts/portfolio?by=risk"))
        assert "Below the floor" in risky
        narrowed = text_of(await factory.open(f"/contracts/use?partner={bought.contract.party_id}&currency=cny"))
        assert bought.contract.number in narrowed
        assert sold.contract.number not in narrowed


@pytest.mark.parametrize("query", ["by=nothing", "direction=up", "by=end&direction=sale"])
async def test_a_choice_that_is_none_of_ours_restricts_nothing(tenant: Tenant, database: Settings, query: str) -> None:
    async with signed_in(create_app(database), tenant.factory) as factory:
        page = await factory.open(f"/contracts/portfolio?{query}")
    assert page.status_code == 200
    assert "No contract in force has periods yet." in text_of(page)
