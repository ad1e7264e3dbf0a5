"""A customer's release, pasted as a table and checked before anybody works by it. Nothing is changed."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template
from litestar.status_codes import HTTP_200_OK

from portal.core import i18n
from portal.core.actor import Actor
from portal.core.days import plausible
from portal.core.db import read
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.parameters import FromPath, URLEncodedBody
from portal.schedules.reads_board import board_head
from portal.schedules.reads_inbound import InboundRelease, check_inbound, zone_tolerance
from portal.schedules.rules_inbound import Finding
from portal.web.errors import status_of
from portal.web.field_errors import filled
from portal.web.forms import Form
from portal.web.pages import Page
from portal.web.typed import Typed

COLUMNS = ("item_code", "due_date", "quantity", "ship_to_code", "cum_received", "last_asn")


class BadPaste(Invalid):
    code = "bad-paste"
    text = N_(
        "Row {row} cannot be read. Each row is a part, a day (2027-01-31) and a quantity; then, where known, the plant,"
        " what was received in all and the last delivery note, from a spreadsheet or with semicolons between."
    )


class CheckForm(Form):
    number: str = ""
    rows: str = ""

    def command(self) -> InboundRelease:
        return filled(InboundRelease, {"number": self.number, "parts": list(parts_of(self.rows.splitlines()))})


def parts_of(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    """The release by parts. A heading, whose second cell is no day, may stand first. Raises BadPaste."""
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.replace("；", ";").split("\t" if "\t" in line else ";")]
        row = _row(dict(zip(COLUMNS, cells, strict=False)))
        if row is None:
            if number == 1:
                continue
            raise BadPaste(field="rows", row=number)
        if not plausible(date.fromisoformat(row["due_date"])):
            raise BadPaste(field="rows", row=number)
        part = found.setdefault(cells[0], {"item_code": cells[0], "lines": []})
        part["lines"].append({"due_date": row["due_date"], "quantity": row["quantity"]})
        part |= {name: row[name] for name in COLUMNS[3:] if row.get(name)}
    return found.values()


def _row(cells: dict[str, str]) -> dict[str, Any] | None:
    """A row's values; none where a day or a figure is none."""
    try:
        day = date.fromisoformat(cells["due_date"].replace("/", "-"))
        figures = {name: _figure(cells[name]) for name in ("quantity", "cum_received") if cells.get(name)}
        return {**cells, **figures, "due_date": day.isoformat(), "quantity": figures["quantity"]}
    except (KeyError, ValueError, InvalidOperation):
        return None


def _figure(text: str) -> str:
    figure = Decimal(text.replace(",", ""))
    if not figure.is_finite():
        raise ValueError(text)
    return str(figure)


async def answer(
    actor: Actor, page: Page, contract_id: UUID, typed: Typed, findings: list[Finding] | None = None, status: int = 200
) -> Template:
    """The form, with what was found or why the table was not read."""
    async with read(actor) as connection:
        head = await board_head(connection, actor, contract_id)
        percent = i18n.number(await zone_tolerance(connection, actor, contract_id))
    shown = {"head": head, "typed": typed, "findings": findings, "percent": percent}
    return page.render("releases/check.html", active="contracts", status=status, **shown)


@get("/contracts/{contract_id:uuid}/releases/check")
async def form(actor: NamedDependency[Actor], page: NamedDependency[Page], contract_id: FromPath[UUID]) -> Template:
    """Where a customer's release is pasted."""
    return await answer(actor, page, contract_id, Typed())


@post("/contracts/{contract_id:uuid}/releases/check", status_code=HTTP_200_OK)
async def check(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    data: URLEncodedBody[CheckForm],
) -> Template:
    """Say what is wrong with it."""
    try:
        async with read(actor) as connection:
            findings = await check_inbound(connection, actor, contract_id, data.command())
    except (Conflict, Invalid) as error:
        return await answer(actor, page, contract_id, Typed(data, error), status=status_of(error))
    return await answer(actor, page, contract_id, Typed(data), findings)


ROUTES: list[HTTPRouteHandler] = [form, check]
