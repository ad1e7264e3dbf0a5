"""The grid: what another number in a cell does, to drafts at once and to published lines with the next release."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api.schedules import edited_out
from portal.core.actor import Actor, Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, PortalError
from portal.core.ids import uuid7
from portal.core.states import WrongState
from portal.schedules import rules_grid, words
from portal.schedules.rules_grid import By, CellChanged, CellFixed, CellPast, Held, plan, total
from portal.schedules.rules_packs import PackWarning, nearest
from portal.schedules.service_grid import CellChange, Edited, EditGrid, edit_grid
from portal.schedules.service_release import CallOff, Publish, call_off, publish_release
from tests.factories import Made, Tenant, fetch, make_contract, today
from tests.schedules.answers import answer, line_of, promising

D = Decimal
DAY = timedelta(days=1)
DUE = date(2027, 3, 1)
LINES = (
    "select ordered_quantity::int as quantity, status, due_date from schedule_line where contract_id = $1"
    " and status <> 'cancelled' order by due_date, id"
)
EDITS = "select quantity::int from line_plan where contract_id = $1 order by quantity"


def held(*lines: tuple[int, bool]) -> list[Held]:
    return [Held(uuid7(), D(quantity), fixed, False, DUE) for quantity, fixed in lines]


@given(st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=5), st.integers(0, 3000))
def test_a_planned_cell_holds_what_was_wanted_and_leaves_what_is_fixed(
    lines: list[tuple[int, bool]], wanted: int
) -> None:
    before = held(*lines)
    deeds = plan(before, D(wanted))
    fixed = sum(quantity for quantity, is_fixed in lines if is_fixed)
    assert (deeds is None) == (wanted < fixed)
    if deeds is not None:
        after = {line.id: line.quantity for line in before} | {deed.line_id: deed.quantity for deed in deeds}
        assert sum(after.values()) == wanted
        assert all(after[line.id] == line.quantity for line in before if line.fixed)
        assert total(before) != wanted or deeds == []


def test_weeks_begin_on_mondays_and_columns_follow_each_other() -> None:
    weeks = rules_grid.columns(By.WEEK, date(2027, 3, 3), 2)
    assert weeks == [(date(2027, 3, 1), date(2027, 3, 8)), (date(2027, 3, 8), date(2027, 3, 15))]
    assert rules_grid.columns(By.DAY, date(2027, 3, 3), 1) == [(date(2027, 3, 3), date(2027, 3, 4))]


async def with_line(
    tenant: Tenant, in_days: int, quantity: int = 100, direction: Direction = Direction.SALE
) -> tuple[Made, UUID]:
    """A contract with one published line; beyond 28 days it is outside the firm zone."""
    made = await make_contract(tenant, direction, foq=None)
    order = CallOff(contract_line_id=made.line.id, quantity=D(quantity), due_date=today() + in_days * DAY)
    async with unit_of_work(tenant.factory) as session:
        line_id = (await call_off(session, tenant.factory, made.contract.id, order)).id
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())
    return made, line_id


async def edit(actor: Actor, made: Made, *cells: tuple[int, int, int]) -> Edited:
    """Cells as (days from today, quantity, what was seen)."""
    changes = [
        CellChange(contract_line_id=made.line.id, column=today() + days * DAY, quantity=D(quantity), was=D(was))
        for days, quantity, was in cells
    ]
    async with unit_of_work(actor) as session:
        return await edit_grid(session, actor, made.contract.id, EditGrid(by=By.DAY, cells=changes))


async def lines_of(actor: Actor, made: Made) -> Sequence[tuple[int, str]]:
    return [(row["quantity"], row["status"]) for row in await fetch(actor, LINES, made.contract.id)]


async def release(tenant: Tenant, made: Made) -> None:
    async with unit_of_work(tenant.factory) as session:
        await publish_release(session, tenant.factory, made.contract.id, None, Publish())


async def test_drafts_are_added_changed_and_taken_back_at_once(tenant: Tenant) -> None:
    made = await make_contract(tenant, foq=None, pack_size=D(10))
    assert await edit(tenant.factory, made, (10, 80, 0), (20, 60, 0)) == Edited(added=2)
    assert await edit(tenant.factory, made, (10, 90, 80), (20, 0, 60)) == Edited(changed=2)
    loose = PackWarning(made.line.id, today() + 30 * DAY, "A100", "H87", D(85), D(10), D(80), D(90))
    assert await edit(tenant.factory, made, (30, 85, 0)) == Edited(added=1, warnings=[loose])  # told, not held back
    assert await lines_of(tenant.factory, made) == [(90, "draft"), (85, "draft")]
    said = words.pack_sentence(loose, words.column_words(By.WEEK, date(2027, 3, 1))).replace("\xa0", " ")
    assert said.startswith("A100, Wk 9 (1 Mar 2027): 85 pcs is not a multiple of the pack size 10 pcs. ")
    assert said.endswith("The nearest are 80 pcs and 90 pcs.")
    (told,) = edited_out(Edited(warnings=[loose]), By.DAY).warnings
    assert (told.nearest, told.text.startswith("A100, ")) == ([D(80), D(90)], True)
    assert await lines_of(tenant.customer, made) == []  # told to nobody before a release


async def test_a_published_line_changes_with_the_next_release_and_its_seller_is_asked_anew(tenant: Tenant) -> None:
    made, line_id = await with_line(tenant, 40)
    await answer(tenant.factory, line_id, promising((100, 40)))
    assert await edit(tenant.factory, made, (40, 130, 100)) == Edited(planned=1)
    before = await line_of(tenant.customer, line_id)
    assert (before["ordered_quantity"], before["status"]) == (100, "confirmed")  # the partner is not told yet
    assert not await fetch(tenant.customer, LINES + " offset 5", made.contract.id)

    await release(tenant, made)
    for reader in (tenant.factory, tenant.customer):
        after = await line_of(reader, line_id)
        assert (after["ordered_quantity"], after["status"], after["confirmed_quantity"]) == (130, "proposed", 0)
        assert after["requested_quantity"] == 100
    (part,) = await fetch(tenant.customer, "select status from confirmation where line_id = $1", line_id)
    assert part["status"] == "closed"
    assert await fetch(tenant.factory, EDITS, made.contract.id) == []
    verbs = await fetch(tenant.customer, "select verb from timeline where subject_id = $1", line_id)
    assert "request_changed" in {row["verb"] for row in verbs}


async def test_an_unchanged_line_keeps_its_answer_over_a_release(tenant: Tenant) -> None:
    made, line_id = await with_line(tenant, 40)
    await answer(tenant.factory, line_id, promising((100, 40)))
    await edit(tenant.factory, made, (50, 70, 0))
    await release(tenant, made)
    line = await line_of(tenant.customer, line_id)
    assert (line["status"], line["confirmed_quantity"]) == ("confirmed", 100)


async def test_a_published_line_is_taken_back_by_a_zero(tenant: Tenant) -> None:
    made, _ = await with_line(tenant, 40, direction=Direction.PURCHASE)
    await edit(tenant.factory, made, (40, 0, 100), (50, 70, 0))
    assert await lines_of(tenant.supplier, made) == []
    await release(tenant, made)
    assert await lines_of(tenant.supplier, made) == [(70, "published")]


async def test_an_answered_line_is_not_taken_back_by_a_zero(tenant: Tenant) -> None:
    made, line_id = await with_line(tenant, 40)
    await answer(tenant.factory, line_id, promising((100, 40)))
    with pytest.raises(WrongState):
        await edit(tenant.factory, made, (40, 0, 100))
    assert (await line_of(tenant.customer, line_id))["status"] == "confirmed"


@pytest.mark.parametrize(
    ("in_days", "cell", "refusal"),
    [
        (7, (7, 90, 100), CellFixed),  # firm
        (40, (40, 90, 80), CellChanged),
        (40, (-1, 90, 0), CellPast),
    ],
)
async def test_a_refused_cell_is_named_and_nothing_of_the_grid_is_saved(
    tenant: Tenant, in_days: int, cell: tuple[int, int, int], refusal: type[PortalError]
) -> None:
    made, _ = await with_line(tenant, in_days)
    with pytest.raises(refusal) as caught:
        await edit(tenant.factory, made, (60, 10, 0), cell)
    assert caught.value.field == f"{made.line.id}.{today() + cell[0] * DAY}"
    assert await lines_of(tenant.factory, made) == [(100, "proposed" if in_days == 7 else "published")]
    assert await fetch(tenant.factory, EDITS, made.contract.id) == []


async def test_a_partner_edits_no_grid(tenant: Tenant) -> None:
    made, _ = await with_line(tenant, 40)
    with pytest.raises(Forbidden):
        await edit(tenant.customer, made, (60, 10, 0))


@pytest.mark.parametrize(
    ("quantity", "fixed", "pack", "near"),
    [
        (505, 0, 10, (D(500), D(510))),
        (500, 0, 10, None),
        (505, 5, 10, None),
        (512, 5, 10, (D(505), D(515))),
        (4, 0, 10, (None, D(10))),
        (0, 0, 10, None),
        (D("0.3"), 0, D("0.1"), None),
    ],
)
def test_the_nearest_whole_packs(
    quantity: Decimal, fixed: Decimal, pack: Decimal, near: tuple[Decimal | None, Decimal] | None
) -> None:
    assert nearest(D(quantity), D(fixed), D(pack)) == near
