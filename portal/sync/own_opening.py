"""Rows of a factory's own spreadsheet as opening balances: one set of figures a contract, put before its partner."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.contracts.inputs_opening import OpeningFigure, ProposeOpening
from portal.contracts.rules_opening import NUMBERS
from portal.core.db import driver
from portal.core.errors import PortalError
from portal.core.journal import part
from portal.shipments.service_opening import propose_opening
from portal.sync.cells import bad
from portal.sync.own_rows import OwnRow
from portal.sync.own_schedule import Line, Places, Wrong, unit_fits
from portal.sync.own_work import Made, Work

NAMES = {"line_id": "item_code", "period_id": "period_day"}


class _Row(NamedTuple):
    """A row that names its place."""

    row: OwnRow
    line: Line
    period: UUID | None


_PERIODS = """
select contract_line_id, id, period_start, period_end from commitment_bucket
where tenant_id = $1 and contract_line_id = any($2)"""


async def enter_openings(session: AsyncSession, work: Work) -> None:
    """Opening balances for each contract of the rows, with the figures that can stand in them."""
    places = await Places.read(session, work)
    found: list[tuple[OwnRow, Line]] = []
    for row in work.rows:
        line = places.find(row)
        if isinstance(line, Wrong):
            work.refuse(row, line.field, line.why)
        elif unit_fits(work, row, line, "called"):
            found.append((row, line))
    periods = await _periods(session, work, [line.id for _row, line in found])
    by_contract: dict[UUID, list[_Row]] = {}
    for row, line in found:
        placed = _placed(work, row, line, periods.get(line.id, []))
        if placed is not None:
            by_contract.setdefault(line.contract_id, []).append(placed)
    for contract_id, rows in by_contract.items():
        await _enter(session, work, contract_id, [one for one in rows if _agrees(work, rows[0], one)])


async def _periods(
    session: AsyncSession, work: Work, lines: Sequence[UUID]
) -> dict[UUID, list[tuple[UUID, date, date]]]:
    found: dict[UUID, list[tuple[UUID, date, date]]] = {}
    connection = await driver(session)
    for line, bucket, start, end in await connection.fetch(_PERIODS, work.actor.tenant_id, list(set(lines))):
        found.setdefault(line, []).append((bucket, start, end))
    return found


def _placed(work: Work, row: OwnRow, line: Line, periods: Sequence[tuple[UUID, date, date]]) -> _Row | None:
    """The row with its period; None, and refused, where its day is in none."""
    day = row.values.get("period_day")
    if day is None:
        return _Row(row, line, None)  # of a line with periods the command says that it needs one
    for bucket, start, end in periods:
        if start <= day < end:
            return _Row(row, line, bucket)
    work.refuse(row, "period_day", bad("no-period-of-line", work.cell(row, "period_day")))
    return None


def _agrees(work: Work, first: _Row, one: _Row) -> bool:
    """Whether a row has the cut-over date of its contract's first row."""
    if one.row.values["cut_over"] == first.row.values["cut_over"]:
        return True
    work.refuse(one.row, "cut_over", bad("head-differs", work.cell(one.row, "cut_over"), other=first.row.row))
    return False


async def _enter(session: AsyncSession, work: Work, contract_id: UUID, rows: Sequence[_Row]) -> None:
    """One set of figures: what is refused by name leaves, and the rest is tried again."""
    left = list(rows)
    while left:
        said = left[0].row.values
        try:
            async with part(session):
                data = ProposeOpening(cut_over=said["cut_over"], figures=[_figure(one) for one in left])
                made = await propose_opening(session, work.actor, contract_id, data)
        except (PortalError, ValidationError) as error:
            guilty = _guilty(error, left)
            for one in guilty:
                work.fail(one.row, error, NAMES)
            left = [one for one in left if one not in guilty]
            continue
        label = f"{said['number']} · {made.cut_over.isoformat()}"
        work.made.append(Made("opening", made.id, label, made.version, contract_id))
        return


def _figure(one: _Row) -> OpeningFigure:
    numbers = {name: one.row.values[name] for name in NUMBERS if name in one.row.values}
    return OpeningFigure(line_id=one.line.id, period_id=one.period, **numbers)


def _guilty(error: PortalError | ValidationError, rows: list[_Row]) -> list[_Row]:
    """The row at the place that a refusal names, those of the item that it names, else all of them."""
    if isinstance(error, ValidationError):
        return rows
    at = (error.field or "").split(".")
    if len(at) > 1 and at[0] == "figures" and at[1].isdecimal():
        return [rows[int(at[1])]]
    return [one for one in rows if one.line.item_code == error.data.get("item")] or rows
