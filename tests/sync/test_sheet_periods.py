"""The periods sheet of a workbook of contracts: out, back, merged like the others, written as one list a line."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from portal.contracts.inputs_buckets import SetPeriods, TypedPeriod
from portal.contracts.model import Contract
from portal.contracts.rules_periods import Agreed
from portal.contracts.service import get_contract, get_lines
from portal.contracts.service_commitments import set_periods
from portal.contracts.service_periods import periods_of
from portal.contracts.service_versions import get_revisions, live
from portal.core import clock
from portal.core.db import unit_of_work
from portal.sync.rules_sheets import RowPlan, RowSaid, plan_row
from portal.sync.sheet_columns import Sheet
from tests.contracts.bucket_makers import called, make_committed, span
from tests.contracts.makers import make_draft, step
from tests.contracts.versions import run_day, take
from tests.factories import Tenant, fetch, today
from tests.sync.books import append, applied, edited, exported, sent, state, write

LIMITS = ("floor", "target", "ceiling")
VALUES = st.fixed_dictionaries({name: st.integers(0, 99).map(str) for name in LIMITS})


@given(base=VALUES, theirs=VALUES, mine=VALUES)
def test_every_limit_of_a_period_is_merged_for_itself(
    base: dict[str, str], theirs: dict[str, str], mine: dict[str, str]
) -> None:
    named = {"number": "FC-1", "line_no": "1", "start": "2027-01-01", "last_day": "2027-01-31"}
    plan = plan_row(RowSaid(Sheet.PERIODS, 2, "c:1:2027-01-01", "1", named | mine), named | base, named | theirs, {})
    assert plan is None or isinstance(plan, RowPlan)
    values, conflicts = (plan.values, {each.field for each in plan.conflicts}) if plan else ({}, set())
    for name in LIMITS:
        ours = mine[name] != base[name]
        both = ours and theirs[name] != base[name] and mine[name] != theirs[name]
        assert (name in conflicts) is both
        assert (name in values) is (ours and not both and mine[name] != theirs[name])


async def with_periods(tenant: Tenant, *limits: tuple[int, int, int]) -> Contract:
    """A draft whose line has periods of ten days each, one after the other."""
    contract = await make_draft(tenant)
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        periods = [
            TypedPeriod(start=day(at), end=day(at + 1), floor=Decimal(a), target=Decimal(b), ceiling=Decimal(c))
            for at, (a, b, c) in enumerate(limits)
        ]
        return await set_periods(session, tenant.factory, contract.id, line.id, SetPeriods(periods=periods))


def day(at: int) -> date:
    return today() + timedelta(days=10 * at)


async def agreed(tenant: Tenant, contract: Contract) -> list[Agreed]:
    async with unit_of_work(tenant.factory) as session:
        found = await periods_of(session, await get_contract(session, tenant.factory, contract.id))
        return next(iter(found.values()))


async def test_periods_go_out_and_come_back_changed_and_added(tenant: Tenant) -> None:
    contract = await with_periods(tenant, (80, 100, 120), (80, 100, 120))
    out = await exported(tenant.factory, contract)
    before = await state(tenant)
    run_id, found = await sent(tenant.factory, edited(out))
    assert (found.changes, found.conflicts, found.refused, found.unknown) == ([], [], [], [])
    await applied(tenant.factory, run_id)
    assert await state(tenant) == before
    book = edited(
        out,
        write("Periods", 2, "Target", 110),
        write("Periods", 3, "Last day", day(2) + timedelta(days=4)),
        append(
            "Periods", Contract=contract.number, Line=1, First_day=day(3), Last_day=day(4), Floor=1, Target=2, Ceiling=3
        ),
    )
    run_id, found = await sent(tenant.factory, book)
    assert (len(found.changes), found.refused, found.drafts, found.offers) == (3, [], 1, 0)
    await applied(tenant.factory, run_id)
    one, two, three = await agreed(tenant, contract)
    assert [int(limit) for limit in (one.floor, one.target, one.ceiling)] == [80, 110, 120]
    assert two.end == day(2) + timedelta(days=5)
    assert (three.start, three.end, int(three.ceiling)) == (day(3), day(4) + timedelta(days=1), 3)
    _, again = await sent(tenant.factory, book)
    assert (again.changes, again.conflicts, again.refused) == ([], [], [])


async def test_a_bad_period_names_its_cell_and_the_good_ones_stay(tenant: Tenant) -> None:
    contract = await with_periods(tenant, (80, 100, 120), (80, 100, 120), (80, 100, 120))
    book = edited(
        await exported(tenant.factory, contract),
        write("Periods", 2, "Target", 130),  # above its ceiling
        write("Periods", 3, "Last day", day(0)),  # before its first day
        write("Periods", 4, "Floor", 90),
        append("Periods", Contract=contract.number, Line=1, First_day=day(1), Last_day=day(2), Floor=1, Target=2),
        append(
            "Periods", Contract=contract.number, Line=7, First_day=day(9), Last_day=day(9), Floor=1, Target=1, Ceiling=1
        ),
    )
    run_id, found = await sent(tenant.factory, book)
    assert [(each.sheet, each.row, each.column) for each in found.refused] == [
        ("periods", 2, "target"),
        ("periods", 3, "last_day"),
        ("periods", 5, "ceiling"),
        ("periods", 6, "line_no"),
    ]
    assert "before the first day" in found.refused[1].reason
    done = await applied(tenant.factory, run_id)
    assert [change.field for change in done.changes] == ["floor"]
    assert [int(one.floor) for one in await agreed(tenant, contract)] == [80, 80, 90]


async def test_both_changed_a_period_and_what_is_signed_or_used_stays(tenant: Tenant) -> None:
    contract = await with_periods(tenant, (80, 100, 120))
    book = edited(await exported(tenant.factory, contract), write("Periods", 2, "Ceiling", 150))
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        theirs = TypedPeriod(start=day(0), end=day(1), floor=Decimal(80), target=Decimal(100), ceiling=Decimal(140))
        await set_periods(session, tenant.factory, contract.id, line.id, SetPeriods(periods=[theirs]))
    run_id, found = await sent(tenant.factory, book)
    assert [(each.field, each.base, each.before, each.after) for each in found.conflicts] == [
        ("ceiling", "120", "140", "150")
    ]
    await applied(tenant.factory, run_id, 0)
    assert [one.ceiling for one in await agreed(tenant, contract)] == [150]
    made = await make_committed(tenant, span(0, 30))  # agreed elsewhere, in force, and something is called off
    await called(tenant, made, 10)
    book = edited(await exported(tenant.factory, made.contract), write("Periods", 2, "Ceiling", 150))
    run_id, found = await sent(tenant.factory, book)
    assert (found.refused, found.offers, found.periods) == ([], 1, 0)  # so the partner is asked
    await applied(tenant.factory, run_id)
    assert [one.ceiling for one in await agreed(tenant, made.contract)] == [120]
    await take(tenant.supplier, "accept_amendment", made.contract)
    await run_day(tenant, clock.now())
    assert [one.ceiling for one in await agreed(tenant, made.contract)] == [150]
    kinds = await fetch(tenant.supplier, "select kind, quantity from bucket_entry order by id desc limit 1")
    assert [tuple(row) for row in kinds] == [("amended", 0)]


async def test_what_both_signed_changes_by_an_amendment_with_the_rows_that_can_stand_in_it(tenant: Tenant) -> None:
    contract = await with_periods(tenant, (80, 100, 120), (80, 100, 120))
    for actor, action in ((tenant.factory, "propose"), (tenant.customer, "accept"), (tenant.factory, "activate")):
        await step(actor, action, contract.id)
    book = edited(
        await exported(tenant.factory, contract),
        write("Contracts", 2, "Title", "Castings"),
        write("Periods", 2, "Target", 130),  # above its ceiling
        write("Periods", 3, "Target", 110),
    )
    run_id, found = await sent(tenant.factory, book)
    assert [(each.sheet, each.row, each.column) for each in found.refused] == [("periods", 2, "target")]
    assert (len(found.changes), found.offers, found.drafts, found.periods) == (2, 1, 0, 0)
    await applied(tenant.factory, run_id)
    async with unit_of_work(tenant.customer) as session:
        offered = live(await get_revisions(session, await get_contract(session, tenant.customer, contract.id)))
    assert offered is not None
    assert offered.content["title"] == "Castings"
    assert [one["target"] for one in offered.content["lines"][0]["typed_periods"]["periods"]] == ["100", "110"]
    _, again = await sent(tenant.factory, book)
    assert (again.changes, [each.row for each in again.refused]) == ([], [2])


async def test_the_sheet_lists_each_period_with_its_unit(tenant: Tenant) -> None:
    contract = await with_periods(tenant, (80, 100, 120))
    page = load_workbook(BytesIO(await exported(tenant.factory, contract)))["Periods"]
    head, row = ([cell.value for cell in cells] for cells in page.iter_rows(max_row=2))
    said = dict(zip(head, row, strict=True))
    assert (said["Line"], said["Target"], said["Unit"]) == (1, 100, "H87")
    assert str(said["Last day"])[:10] == (day(1) - timedelta(days=1)).isoformat()
    (key,) = await fetch(tenant.factory, "select id::text from contract where id = $1", contract.id)
    assert said["Key (do not change)"] == f"{key[0]}:1:{day(0)}"
