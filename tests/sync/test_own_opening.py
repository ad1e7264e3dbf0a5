"""Opening balances from a factory's own spreadsheet: tried, put before the partners, taken back as a whole."""

from datetime import timedelta
from decimal import Decimal

import pytest

from portal.contracts.model_opening import OpeningStatus
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.shipments.service_opening import confirm_opening, get_openings
from portal.sync.own_fields import Target, suggest
from portal.sync.service_own import ActedOn, get_run, left_over, read_grid
from tests.contracts.bucket_makers import figures, make_committed, span
from tests.factories import Made, Tenant, make_contract, today
from tests.sync.books import state
from tests.sync.own_files import brought, done, gb_csv, mapped, undone

D = Decimal
CUT = today() - timedelta(days=1)
HEAD = ("合同编号", "行号", "切换日期", "周期", "累计要货", "累计发货", "累计收货")


def rows(periods: Made, free: Made) -> bytes:
    """Two contracts: one with a period, one of pure call-off; and rows that cannot stand."""
    number, other, cut = periods.contract.number, free.contract.number, CUT.isoformat()
    first, never = (today() - timedelta(days=30)).isoformat(), "2019-01-01"
    return gb_csv(
        ("期初", *[""] * 6),
        HEAD,
        (number, "10", cut, first, "120件", "80", "80"),
        (number, "10", cut, never, "1", "1", "1"),
        (number, "10", cut, "", "1", "1", "1"),
        (number, "9", cut, "", "1", "", ""),
        (other, "10", cut, "", "1,000", "900", "900"),
        ("", "10", (CUT - timedelta(days=2)).isoformat(), "", "5", "", ""),
        ("NONE-1", "10", cut, "", "5", "", ""),
    )


async def openings(actor: Actor, made: Made) -> list[tuple[str, int]]:
    async with unit_of_work(actor) as session:
        return [(one.status.value, one.number) for one in await get_openings(session, actor, made.contract.id)]


async def test_a_file_of_opening_balances_is_tried_put_before_the_partners_and_taken_back(tenant: Tenant) -> None:
    periods = await make_committed(tenant, span(-40, 40, 80, 100, 200))
    free = await make_contract(tenant, Direction.SALE, foq=None)
    run_id, found = await brought(tenant.factory, Target.OPENING, rows(periods, free))
    assert set(found.mapping.columns) == {
        "number",
        "line_no",
        "cut_over",
        "period_day",
        "called",
        "shipped",
        "received",
    }
    before = await state(tenant)
    found = await mapped(tenant.factory, run_id, found, "期初")
    assert await state(tenant) == before  # only tried
    assert (found.rows, found.good, len(found.made)) == (7, 2, 2)
    told = [(each.row, each.column) for each in found.refused]
    assert told == [(4, "周期"), (5, "累计要货"), (6, "行号"), (8, "切换日期"), (9, "合同编号")]
    assert "period by period" in found.refused[1].reason

    found = await done(tenant.factory, run_id)
    assert await openings(tenant.supplier, periods) == await openings(tenant.customer, free) == [("proposed", 1)]
    assert await figures(tenant, periods) == [{}]  # nothing counts before the partner confirms
    async with unit_of_work(tenant.factory) as session:
        grid = await read_grid(tenant.factory, await get_run(session, tenant.factory, run_id))
    head, back = left_over(grid, found)
    assert (head[:2], [row[0] for row in back]) == (list(HEAD[:2]), [periods.contract.number] * 3 + ["", "NONE-1"])

    async with unit_of_work(tenant.supplier) as session:
        await confirm_opening(session, tenant.supplier, periods.contract.id)
    assert await figures(tenant, periods) == [{"called": 120, "shipped": 80, "received": 80}]
    with pytest.raises(ActedOn) as refused:
        await undone(tenant.factory, run_id)
    assert periods.contract.number in str(refused.value)
    assert await openings(tenant.customer, free) == [("proposed", 1)]

    alone = gb_csv(HEAD, (free.contract.number, "10", CUT.isoformat(), "", "10", "", ""))
    next_id, found = await brought(tenant.factory, Target.OPENING, alone)
    found = await mapped(tenant.factory, next_id, found)
    assert (found.good, "wait for the partner" in found.refused[0].reason) == (0, True)


async def test_undoing_the_import_withdraws_the_figures_that_wait(tenant: Tenant) -> None:
    free = await make_contract(tenant, Direction.SALE, foq=None)
    file = gb_csv(HEAD, (free.contract.number, "10", CUT.isoformat(), "", "10", "", ""))
    run_id, found = await brought(tenant.factory, Target.OPENING, file)
    assert found.saved == ""
    await mapped(tenant.factory, run_id, found)
    await done(tenant.factory, run_id)
    await undone(tenant.factory, run_id)
    assert await openings(tenant.customer, free) == [(OpeningStatus.WITHDRAWN.value, 1)]


def test_english_headings_are_suggested() -> None:
    header = ("Contract no", "Line", "Cut-over date", "Ordered quantity", "Shipped", "Received", "UoM")
    found = suggest(Target.OPENING, header)
    assert [found[name] for name in ("number", "line_no", "cut_over", "called", "shipped", "received", "unit")] == list(
        range(7)
    )
