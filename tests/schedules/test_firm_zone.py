"""Only what was told is firm, with a plan for the releases of a contract or without; and what a customer may change."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from portal.app import create_app
from portal.core import clock
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import read
from portal.core.errors import Forbidden
from portal.core.settings import Settings
from portal.schedules import reads_next
from portal.schedules.rules_difference import ChangeKind
from portal.scorecards import reads_exposure
from tests.accounts.browser import browsing, text_of
from tests.accounts.makers import make_person
from tests.factories import Made, Tenant, fetch, make_contract, today
from tests.schedules.test_api import calling
from tests.schedules.test_releases import FIRM, LINES, asked, change, confirm, in_days, plan, release, seen


async def wanted_anew(tenant: Tenant, made: Made) -> list[UUID]:
    """Told: 100, 100 inside the firm zone, 60 beyond it. Wanted: 130, 80, 60 inside it; and 50 inside that are new."""
    told = await asked(tenant, made, (100, 7), (100, 14), (60, FIRM + 8))
    await release(tenant, made)
    for line_id, quantity, days in zip(told, (130, 80, 60), (7, 14, 9), strict=True):
        await change(tenant, line_id, quantity, days)
    return [*told, *await asked(tenant, made, (50, 10))]


@pytest.mark.parametrize("planned", [False, True])
async def test_only_what_was_told_is_firm(tenant: Tenant, planned: bool) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    if planned:
        await plan(tenant, made, only_transmitted=True)
    told = await wanted_anew(tenant, made)
    await confirm(tenant.supplier, told[0])
    before = await fetch(tenant.supplier, LINES, made.contract.id)
    async with read(tenant.factory) as connection:
        kept = await reads_next.kept_by_firm(connection, tenant.factory, made.contract.id, clock.now())
        owed = await reads_exposure.exposure_of(connection, tenant.factory, made.contract.id, today())
    assert (await release(tenant, made)).number == 2

    after = await fetch(tenant.supplier, LINES, made.contract.id)  # what the supplier sees
    behind = after[-1]["due_date"]
    assert [row["ordered_quantity"] for row in before] == [100, 100, 60]
    assert [(row["ordered_quantity"], row["status"], row["zone"]) for row in after] == [
        (100, "confirmed", "firm"), (100, "proposed", "firm"), (60, "published", "tradeoff"),
        (50, "published", "tradeoff"), (30, "published", "tradeoff"),
    ]  # fmt: skip
    assert [row["due_date"] for row in after] == [in_days(7), in_days(14), behind, behind, behind]
    assert in_days(FIRM) < behind <= in_days(FIRM + 3)  # the first working day after the zone
    assert [(int(one.wanted_quantity), int(one.told_quantity), one.told_date, one.rest_quantity) for one in kept] == [
        (130, 100, in_days(7), Decimal(30)), (60, 60, behind, None), (50, 50, behind, None),
        (80, 100, in_days(14), None),
    ]  # fmt: skip
    found, _ = await seen(tenant.supplier, made, 2)
    kinds = [change.kind for change in found.difference.lines]
    assert sorted(kinds) == sorted([ChangeKind.SAME, ChangeKind.SAME, ChangeKind.MOVED, ChangeKind.NEW, ChangeKind.NEW])
    assert await fetch(tenant.factory, "select 1 from line_plan where contract_id = $1", made.contract.id) == []
    async with read(tenant.supplier) as connection:
        report = await reads_exposure.exposure_of(connection, tenant.supplier, made.contract.id, today())
    assert report.now.finished == owed.now.finished > 0  # of 200 firm pieces, before and after


async def test_the_first_release_of_a_part_tells_all_that_is_drafted(tenant: Tenant) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    await asked(tenant, made, (50, 7))
    await release(tenant, made)
    (row,) = await fetch(tenant.supplier, LINES, made.contract.id)
    assert (row["due_date"], row["zone"], row["status"]) == (in_days(7), "firm", "proposed")  # and is asked for


async def test_the_factory_reads_beforehand_what_the_firm_zone_keeps(tenant: Tenant, database: Settings) -> None:
    made = await make_contract(tenant, Direction.PURCHASE, foq=None)
    told = await wanted_anew(tenant, made)
    address = f"/contracts/{made.contract.id}"
    person = await make_person(tenant.factory, Role.PLANNER)
    async with browsing(create_app(database), person.token) as browser:
        page = text_of(await browser.open(f"{address}/drafts"))
        line = text_of(await browser.open(f"/schedule-lines/{told[1]}"))
    async with calling(database, tenant.factory) as program:
        kept = (await program.get(f"/api/v1{address}/releases/next/kept")).json()

    assert "130 pcs wanted on" in page
    assert "and 30 pcs on" in page
    assert "50 pcs wanted on" in page
    assert "it stays 100 pcs on" in line
    assert len(kept) == 4
    with pytest.raises(Forbidden):
        async with read(tenant.supplier) as connection:
            await reads_next.kept_by_firm(connection, tenant.supplier, made.contract.id, clock.now())


async def test_both_agree_how_far_a_customers_release_may_change_the_firm_zone(
    tenant: Tenant, database: Settings
) -> None:
    made = await make_contract(tenant, Direction.SALE, foq=None)
    await asked(tenant, made, (100, 7))
    await release(tenant, made)
    address = f"/contracts/{made.contract.id}"
    person = await make_person(tenant.factory, Role.PLANNER)
    day = today() + timedelta(days=7)
    shares = {"finished_percent": "100", "in_work_percent": "100", "material_percent": "100", "make_days": ""}
    async with browsing(create_app(database), person.token) as browser:
        await browser.open(f"{address}/releases/check")
        before = text_of(await browser.send(f"{address}/releases/check", number="2", rows=f"A100;{day};105"))
        bad = await browser.send(f"{address}/exposure", version="0", zone_percent="101", **shares)
        good = await browser.send(f"{address}/exposure", version="0", zone_percent="5", **shares)
        after = text_of(await browser.send(f"{address}/releases/check", number="2", rows=f"A100;{day};105"))
    async with calling(database, tenant.customer) as customer:
        terms = (await customer.get(f"/api/v1{address}/release-terms")).json()
        part = {"item_code": "A100", "lines": [{"due_date": day.isoformat(), "quantity": "106"}]}
        found = (await customer.post(f"/api/v1{address}/releases/check", json={"number": 2, "parts": [part]})).json()

    assert "100 became 105 inside the firm zone" in before
    assert (bad.status_code, good.status_code) == (422, 303)
    assert "Nothing is wrong with it." in after
    assert "In the firm zone 5 % more or less are agreed." in after
    assert Decimal(terms["zone_percent"]) == 5
    assert [one["check"] for one in found] == ["zone_change"]
