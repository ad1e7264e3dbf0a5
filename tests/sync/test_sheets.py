"""Contracts as a workbook, out and back: merged field by field, tried before applied, never half-written."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from portal.contracts.inputs import ChangeLine, NewPrice
from portal.contracts.model import Cadence
from portal.contracts.service import get_lines
from portal.contracts.service_drafts import change_line, set_price
from portal.contracts.service_versions import get_revisions, live
from portal.core.access import Role
from portal.core.actor import Direction
from portal.core.db import unit_of_work
from portal.core.errors import Forbidden, NotFound, PortalError
from portal.core.i18n import Language, speaking
from portal.core.settings import Settings
from portal.sync import service_sheets
from portal.sync.rules_sheets import Outcome, merge
from portal.sync.service_runs import NotReady
from portal.sync.sheet_book import read_rows
from portal.sync.sheet_runs import LIMITS, tried
from portal.sync.sheet_work import LostExport, carried_out
from portal.sync.table import read_book
from tests.contracts.makers import make_draft, make_item, new_line
from tests.contracts.versions import make_active
from tests.factories import Tenant, make_tenant, today
from tests.sync.books import append, applied, edited, exported, sent, state, write

FOQ = "Fixed quantity per period"
TEXTS = st.text(max_size=4)


@given(base=TEXTS, mine=TEXTS, theirs=TEXTS)
def test_whoever_alone_changed_a_field_is_followed(base: str, mine: str, theirs: str) -> None:
    assert merge(base, base, mine).value == mine
    assert merge(base, theirs, base).value == theirs
    merged = merge(base, theirs, mine)
    both = mine != base and theirs != base and mine != theirs
    assert (merged.outcome is Outcome.CONFLICT) is both
    if both:
        assert merged.value == theirs  # until somebody decides


async def two_lines(tenant: Tenant) -> tuple[str, str]:
    for code in ("A100", "B200"):
        await make_item(tenant, code)
    return "A100", "B200"


async def test_the_workbook_as_it_came_changes_nothing(tenant: Tenant) -> None:
    contract = await make_draft(tenant, title="=1+1", take_or_pay_percent=Decimal("80.5"))
    before = await state(tenant)
    for lang in Language:
        with speaking(lang):
            book = edited(await exported(tenant.factory, contract))
        run_id, found = await sent(tenant.factory, book)
        assert (found.changes, found.conflicts, found.refused, found.unknown) == ([], [], [], [])
        await applied(tenant.factory, run_id)
    assert await state(tenant) == before


async def test_a_draft_changes_only_when_it_is_applied_and_the_same_file_only_once(tenant: Tenant) -> None:
    first, _second = await two_lines(tenant)
    contract = await make_draft(tenant, Direction.SALE, new_line(first))
    book = edited(
        await exported(tenant.factory, contract),
        write("Contracts", 2, "Title", "Castings 2027"),
        write("Lines", 2, FOQ, 800),
        write("Lines", 2, "Period", "month"),
        write("Lines", 2, "Cumulative from", date(2026, 12, 1)),
        write("Prices", 2, "Price", "13.25"),
        append(
            "Lines", Contract=contract.number, Item="B200", Fixed_quantity_per_period=80, Period="week", Pack_size=40
        ),
        append("Prices", Contract=contract.number, Item="B200", Valid_from="2027-01-01", Price=9.5),
    )
    before = await state(tenant)
    run_id, found = await sent(tenant.factory, book)
    assert (len(found.changes), found.conflicts, found.refused, found.drafts) == (7, [], [], 1)
    assert await state(tenant) == before
    done = await applied(tenant.factory, run_id)
    assert (len(done.changes), done.refused) == (7, [])
    async with unit_of_work(tenant.factory) as session:
        one, other = await get_lines(session, tenant.factory, contract.id)
        assert (one.foq, one.cadence, one.pack_size) == (Decimal(800), Cadence.MONTH, Decimal(40))
        assert one.cumulative_from == date(2026, 12, 1)
        assert (other.item_code, other.foq, other.line_no) == ("B200", Decimal(80), 2)
    after = await state(tenant)
    assert "Castings 2027" in str(after[0])
    assert "13.25" in str(after[2])
    assert "9.5" in str(after[2])
    _, again = await sent(tenant.factory, book)
    assert (again.changes, again.conflicts, again.refused) == ([], [], [])
    with pytest.raises(NotReady):
        await applied(tenant.factory, run_id)
    assert (await state(tenant)) == after


async def test_what_both_changed_is_for_the_user_to_decide(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    book = edited(
        await exported(tenant.factory, contract),
        write("Lines", 2, FOQ, 800),
        write("Lines", 2, "Pack size", 50),
        write("Prices", 2, "Price", 14),
    )
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        theirs = ChangeLine(foq=Decimal(700), cadence=Cadence.WEEK, pack_size=Decimal(40), unloading_point="Gate 3")
        await change_line(session, tenant.factory, contract.id, line.id, theirs)
        await set_price(
            session, tenant.factory, contract.id, line.id, NewPrice(valid_from=date(2026, 1, 1), price=Decimal(13))
        )
    run_id, found = await sent(tenant.factory, book)
    assert [(each.field, each.base, each.before, each.after) for each in found.conflicts] == [
        ("foq", "600", "700", "800"),
        ("price", "12.5", "13", "14"),
    ]
    assert [change.field for change in found.changes] == ["pack_size"]
    done = await applied(tenant.factory, run_id, 0)  # the quantity is taken, the price stays theirs
    assert [change.field for change in done.changes] == ["foq", "pack_size"]
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        assert (line.foq, line.pack_size, line.unloading_point) == (Decimal(800), Decimal(50), "Gate 3")
    assert [price["price"] for price in (await state(tenant))[2]] == [13]


async def test_what_moved_on_after_the_preview_is_not_run_over(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    run_id, found = await sent(
        tenant.factory, edited(await exported(tenant.factory, contract), write("Lines", 2, FOQ, 800))
    )
    assert len(found.changes) == 1
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        theirs = ChangeLine(foq=Decimal(760), cadence=Cadence.WEEK, pack_size=Decimal(40))
        await change_line(session, tenant.factory, contract.id, line.id, theirs)
    done = await applied(tenant.factory, run_id)
    assert (done.changes, len(done.conflicts)) == ([], 1)
    async with unit_of_work(tenant.factory) as session:
        (line,) = await get_lines(session, tenant.factory, contract.id)
        assert line.foq == 760


async def test_a_contract_in_force_gets_an_offer_and_stays_as_agreed(tenant: Tenant) -> None:
    contract = await make_active(tenant)
    book = edited(
        await exported(tenant.factory, contract),
        write("Lines", 2, FOQ, 800),
        write("Prices", 2, "Price", 14),
        write("Contracts", 2, "Payment terms", "60 days net"),
    )
    day = today() + timedelta(days=30)
    run_id, found = await sent(tenant.factory, book, day)
    assert (len(found.changes), found.offers, found.refused) == (3, 1, [])
    async with unit_of_work(tenant.customer) as session:
        assert live(await get_revisions(session, contract)) is None  # the preview showed the partner nothing
    await applied(tenant.factory, run_id)
    async with unit_of_work(tenant.customer) as session:
        offer = live(await get_revisions(session, contract))
        assert offer is not None
        assert (offer.effective_from, offer.content["lines"][0]["foq"]) == (day, "800")
        assert (offer.content["payment_terms"], offer.content["lines"][0]["prices"][0]["price"]) == (
            "60 days net",
            "14",
        )
        (line,) = await get_lines(session, tenant.customer, contract.id)
        assert line.foq == 600
    before = await state(tenant)
    run_id, again = await sent(tenant.factory, book, day)  # the same file finds its own offer
    assert (again.changes, again.conflicts, again.refused) == ([], [], [])
    await applied(tenant.factory, run_id)
    assert await state(tenant) == before


async def test_bad_rows_leave_an_offer_and_good_ones_stay(tenant: Tenant) -> None:
    first, second = await two_lines(tenant)
    contract = await make_active(tenant)
    del first, second
    book = edited(
        await exported(tenant.factory, contract),
        write("Contracts", 2, "Incoterm", "XYZ"),
        write("Lines", 2, "Firm zone (days)", 90),  # beyond the trade-off zone
        write("Prices", 2, "Price", 14),
        append("Lines", Contract=contract.number, Item="NOWHERE"),
    )
    run_id, found = await sent(tenant.factory, book)
    assert [change.field for change in found.changes] == ["price"]
    assert {(each.sheet, each.row, each.column) for each in found.refused} == {
        ("contracts", 2, "incoterm"),
        ("lines", 2, "tradeoff_days"),
        ("lines", 3, "item_code"),
    }
    done = await applied(tenant.factory, run_id)
    assert [change.field for change in done.changes] == ["price"]


async def test_rows_that_do_not_come_back_are_not_deleted_and_bad_cells_say_where(tenant: Tenant) -> None:
    await two_lines(tenant)
    contract = await make_draft(tenant, Direction.SALE, new_line("A100"), new_line("B200"))
    book = edited(
        await exported(tenant.factory, contract),
        lambda book: book["Lines"].delete_rows(2),
        write("Lines", 2, FOQ, "many"),
        write("Lines", 2, "Period", "fortnight"),
        write("Prices", 2, "Valid from", "3/4/2027"),
        write("Prices", 3, "Item", "A100"),
        append("Lines", Contract="FC-OTHER", Item="A100"),
        append("Prices", Contract=contract.number, Line=1, Valid_from="2026-01-01", Price=1),
        append("Contracts", Contract="FC-NEW"),
    )
    before = await state(tenant)
    run_id, found = await sent(tenant.factory, book)
    assert {(each.sheet, each.row, each.column) for each in found.refused} == {
        ("contracts", 3, ""),
        ("lines", 2, "foq"),
        ("lines", 2, "cadence"),
        ("lines", 3, "number"),
        ("prices", 2, "valid_from"),
        ("prices", 3, "item_code"),
        ("prices", 4, "valid_from"),
    }
    with speaking(Language.ZH):
        assert "“many”不是数字" in next(each.reason for each in found.refused if each.column == "foq")
    await applied(tenant.factory, run_id)
    assert await state(tenant) == before
    async with unit_of_work(tenant.factory) as session:
        content = await service_sheets.left_over(session, tenant.factory, run_id)
    lines = load_workbook(BytesIO(content))["Lines"]
    assert "many" in [cell.value for cell in lines[2]]
    assert "is not a number" in str(lines[2][-1].value)
    mended = edited(content, write("Lines", 2, FOQ, 640), write("Lines", 2, "Period", "week"))
    _, found = await sent(tenant.factory, mended)
    assert [(change.field, change.after) for change in found.changes] == [("foq", "640")]


async def test_foreign_hands_get_and_change_nothing(tenant: Tenant, database: Settings) -> None:
    other_tenant = await make_tenant(str(database.database_url))
    contract = await make_draft(tenant)
    book = edited(await exported(tenant.factory, contract), write("Lines", 2, FOQ, 800))
    before = await state(tenant)
    with pytest.raises(LostExport):  # what the workbook was made from lies with its own company only
        await sent(other_tenant.factory, book)
    for actor in (tenant.customer, replace(tenant.factory, role=Role.WAREHOUSE)):
        with pytest.raises((Forbidden, NotFound)):
            await exported(actor, contract)
        with pytest.raises(Forbidden):
            await sent(actor, book)
    run_id, _found = await sent(tenant.factory, book)
    for actor in (tenant.customer, other_tenant.factory):
        with pytest.raises((Forbidden, NotFound)):
            await applied(actor, run_id)
    assert await state(tenant) == before


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Bytes turned in the packed file, or in one of its parts."""
    if chance.random() < 0.4:
        data = bytearray(content)
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data[: chance.randrange(1, len(data))] if chance.random() < 0.3 else data)
    out = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        parts = [part for part in old.namelist() if chance.random() < 0.97]
        hurt = chance.choice(parts)
        for name in parts:
            data = bytearray(old.read(name))
            if name == hurt:
                for _ in range(chance.randint(1, 12)):
                    at = chance.randrange(len(data))
                    data[at : at + chance.randint(0, 3)] = bytes(chance.choices(b'<>"=/0123456789AZaz -.&', k=2))
            new.writestr(name, bytes(data))
    return out.getvalue()


async def test_two_hundred_spoiled_workbooks_write_nothing(tenant: Tenant) -> None:
    contract = await make_draft(tenant)
    content = edited(await exported(tenant.factory, contract), write("Lines", 2, FOQ, 800))
    before = await state(tenant)
    chance = random.Random(7)
    read = refused = 0
    for number in range(200):
        spoiled = mutated(content, chance)
        try:
            if number % 25 == 0:
                await sent(tenant.factory, spoiled)  # as an upload comes; the others spare the child process
            else:
                async with unit_of_work(tenant.factory) as session:
                    book = read_rows(read_book(spoiled, "spoiled.xlsx", LIMITS))
                    await tried(session, partial(carried_out, session, tenant.factory, book, today(), {}))
            read += 1
        except PortalError:
            refused += 1
    assert read > 20
    assert refused > 50
    assert await state(tenant) == before


async def test_nothing_in_a_workbook_is_a_formula(tenant: Tenant) -> None:
    contract = await make_draft(tenant, title="=1+1", payment_terms="@SUM(A1)", partner_reference="-1")
    content = await exported(tenant.factory, contract)
    with ZipFile(BytesIO(content)) as parts:
        sheets = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/")]
        assert not any(b"<f>" in sheet or b"<f " in sheet for sheet in sheets)
    cells = [cell for page in load_workbook(BytesIO(content)) for row in page.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "n", "d"}
