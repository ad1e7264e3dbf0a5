"""Workbooks of contracts as a person edits them: read, changed in place, saved by another program."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from portal.contracts.model import Contract
from portal.core.actor import Actor
from portal.core.db import unit_of_work
from portal.core.model import ImportRun
from portal.sync import service_sheets
from portal.sync.sheet_work import Found
from tests.factories import Tenant, today

Edit = Callable[[Workbook], None]


async def exported(actor: Actor, *contracts: Contract) -> bytes:
    async with unit_of_work(actor) as session:
        return await service_sheets.export(session, actor, [contract.id for contract in contracts])


def edited(content: bytes, *edits: Edit) -> bytes:
    """The workbook after a person's changes, written by another program than it was made by."""
    book = load_workbook(io.BytesIO(content))
    for edit in edits:
        edit(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def column(page: Worksheet, heading: str) -> int:
    return next(cell.column for cell in page[1] if cell.value == heading)


def write(sheet: str, row: int, heading: str, value: Any) -> Edit:
    """One cell, by its heading."""

    def edit(book: Workbook) -> None:
        page = book[sheet]
        page.cell(row, column(page, heading)).value = value

    return edit


def append(sheet: str, **values: Any) -> Edit:
    """A new row, by headings with underscores for spaces."""

    def edit(book: Workbook) -> None:
        page = book[sheet]
        row = page.max_row + 1
        for heading, value in values.items():
            page.cell(row, column(page, heading.replace("_", " "))).value = value

    return edit


async def sent(actor: Actor, content: bytes, day: date | None = None) -> tuple[UUID, Found]:
    """Upload; returns the run and what its preview found."""
    async with unit_of_work(actor) as session:
        run = await service_sheets.upload(session, actor, "contracts.xlsx", content, day or today())
        return run.id, service_sheets.found_of(run)


async def applied(actor: Actor, run_id: UUID, *mine: int) -> Found:
    async with unit_of_work(actor) as session:
        run: ImportRun = await service_sheets.apply(session, actor, run_id, mine)
        return service_sheets.found_of(run)


STATE = """select (select jsonb_agg(to_jsonb(c) order by c.id) from contract c where tenant_id = $1),
    (select jsonb_agg(to_jsonb(l) order by l.id) from contract_line l where tenant_id = $1),
    (select jsonb_agg(to_jsonb(p) order by p.id) from contract_price p where tenant_id = $1),
    (select jsonb_agg(to_jsonb(b) order by b.period_start) from commitment_bucket b where tenant_id = $1),
    (select jsonb_agg(to_jsonb(r) order by r.id) from contract_revision r where tenant_id = $1),
    (select jsonb_agg(to_jsonb(t) order by t.id) from timeline t where tenant_id = $1),
    (select count(*) from outbox where tenant_id = $1)"""


async def state(tenant: Tenant) -> Any:
    """Everything that a workbook could change."""
    from tests.factories import fetch

    (row,) = await fetch(tenant.factory, STATE, tenant.id)
    return tuple(row)
