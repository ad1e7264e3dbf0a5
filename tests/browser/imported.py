"""Two imports for the pages to show: a file that waits to be applied, and one with a row that is refused."""

import csv
import io
from uuid import UUID

from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.sync import service_books, service_runs, service_sheets, sheet_answers
from portal.sync.own_fields import Target
from portal.sync.table import Table
from tests.factories import today
from tests.sync.books import append, edited, write
from tests.sync.own_files import brought, done, gb_csv, mapped
from tests.sync.samples import some, with_cell

ROWS = 12


def as_csv(table: Table) -> bytes:
    """The table as a person would save it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table.header)
    writer.writerows(zip(*table.columns, strict=True))
    return out.getvalue().encode()


async def make_import(actor: Actor, filename: str, table: Table) -> UUID:
    """A file that was sent and checked, and waits."""
    async with unit_of_work(actor) as session:
        run = await service_runs.request_import(session, actor, filename, as_csv(table))
    await service_runs.go_on(Actor.system(actor.tenant_id, actor.party_id), run.id)
    return run.id


async def make_imports(actor: Actor) -> dict[str, str]:
    """Both and the factory's own files, by the names that the pages' addresses use."""
    good = some(ROWS)
    bad = with_cell(good, 4, "Line Item Quantity", "many")
    return {
        "run_id": str(await make_import(actor, "scms-history.csv", good)),
        "refused_run": str(await make_import(actor, "scms-typed.csv", bad)),
        **await make_own(actor),
    }


async def make_own(actor: Actor) -> dict[str, str]:
    """Three files of the factory's own: one to be mapped, one that was tried with bad rows, one that was applied."""
    rows = [
        ("合同编号", "客户", "料号", "数量", "单价", "生效日期"),
        ("HT-1", "AURORA", "A100", "1,200 pcs", "12.50", "2026年8月15日"),
        ("HT-2", "Nobody", "A100", "800", "12.50", "soon"),
    ]
    waiting, _found = await brought(actor, Target.CONTRACTS, gb_csv(*rows), "合同.csv")
    tried, found = await brought(actor, Target.CONTRACTS, gb_csv(*rows), "tried.csv")
    await mapped(actor, tried, found, "Aurora")
    done_run, found = await brought(actor, Target.CONTRACTS, gb_csv(*rows, ("",)), "done.csv")
    await mapped(actor, done_run, found)
    await done(actor, done_run)
    return {"own_run": str(waiting), "own_tried": str(tried), "own_done": str(done_run)}


async def make_sheets(actor: Actor, contract_id: UUID) -> dict[str, str]:
    """Two workbooks of a draft: one with changes, a conflict and refused rows that waits, and one that was applied."""
    async with unit_of_work(actor) as session:
        book = await service_sheets.export(session, actor, [contract_id])
    first = edited(book, write("Contracts", 2, "Payment terms", "T/T 60"))
    done = await _sent(actor, first)
    async with unit_of_work(actor) as session:
        await service_sheets.apply(session, actor, done)
    second = edited(
        book,
        write("Contracts", 2, "Payment terms", "T/T 90"),
        write("Lines", 2, "Minimum per delivery", 80),
        write("Prices", 2, "Price", 12.75),
        write("Lines", 2, "Receiving window", "07:00-09:00"),
        append("Lines", Contract="FC-0000", Item="A100"),
        append("Contracts", Contract="FC-NEW"),
    )
    return {"sheet_run": str(await _sent(actor, second)), "sheet_done": str(done)}


async def make_books(actor: Actor) -> dict[str, str]:
    """Two workbooks of answers: one with an answer and a refused row that waits, and one of which nothing was done."""
    async with unit_of_work(actor) as session:
        book = await sheet_answers.export(session, actor, None, on_behalf=False)
    wrong = edited(book, write("Answers", 2, "Confirmed quantity", "many"))
    good = edited(wrong, write("Answers", 3, "Answer", "confirm the delivery"))
    ids = []
    for content in (good, wrong):
        async with unit_of_work(actor) as session:
            ids.append((await service_books.upload(session, actor, "answers.xlsx", content)).id)
    async with unit_of_work(actor) as session:
        await service_books.apply(session, actor, ids[1])
    return {"book_run": str(ids[0]), "book_done": str(ids[1])}


async def _sent(actor: Actor, book: bytes) -> UUID:
    async with unit_of_work(actor) as session:
        run = await service_sheets.upload(session, actor, "contracts-edit.xlsx", book, today())
    return run.id
