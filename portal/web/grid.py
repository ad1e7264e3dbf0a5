"""Editing a contract's schedule as a grid. Works as a plain form; the script adds keys, pasting, filling and undo."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect, Template
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from portal.contracts import reads_buckets
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read, unit_of_work
from portal.core.errors import Conflict, Invalid, PortalError
from portal.core.i18n import N_, _
from portal.core.quantities import UNITS
from portal.parameters import FromPath, FromQuery
from portal.schedules import reads_board, reads_grid, rules_grid, service_grid
from portal.schedules.reads_calendars import closed_of
from portal.schedules.reads_grid import Cells, GridLine
from portal.schedules.rules_grid import By, Column
from portal.schedules.rules_packs import PackWarning
from portal.schedules.service_grid import EditGrid
from portal.web import packs
from portal.web.contract_offer_forms import read as read_form
from portal.web.errors import BadForm, status_of
from portal.web.field_errors import command
from portal.web.pages import Page
from portal.web.weeks import closed_words

SHOWN = {By.WEEK: 16, By.DAY: 28}
LATEST = timedelta(days=3660)
FIELDS = ("by", "since")


class NothingChanged(Invalid):
    code = "no-cell-changed"
    text = N_("No cell was changed. Enter other quantities, then save.")


class GridCell(Struct, frozen=True):
    """One cell. Its fixed part can only grow."""

    name: str
    value: str
    was: str
    fixed: str
    zone: str
    label: str
    wrong: bool
    near: str  # the nearest quantities with whole packs, where these are not


class GridRow(Struct, frozen=True):
    """One contract line, and what is called off of each agreed period in sight."""

    part: str
    name: str
    unit: str
    pack: str
    cells: list[GridCell]
    total: str
    periods: list[tuple[str, str]]


class GridHead(Struct, frozen=True):
    """The head of a column."""

    label: str
    day: str
    closed: str


def plain(value: Decimal) -> str:
    """A quantity as a cell holds it; nothing for none."""
    return f"{value.normalize():f}" if value else ""


class Shown(Struct, frozen=True):
    """What is being shown: the columns, what they hold, and what was typed where it was refused."""

    columns: list[Column]
    held: Cells
    periods: list[reads_buckets.PeriodRow]
    today: date
    typed: Mapping[str, str]
    wrong: str


async def context(
    actor: Actor,
    contract_id: UUID,
    by: By,
    since: date | None,
    typed: Mapping[str, str] | None = None,
    error: PortalError | None = None,
) -> dict[str, Any]:
    """What `schedules/grid.html` shows."""
    actor.require(Permission.PUBLISH_SCHEDULES)
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        today = local_today(clock.now(), head.time_zone)
        columns = rules_grid.columns(by, min(max(since or today, today - LATEST), today + LATEST), SHOWN[by])
        first, end = columns[0].first, columns[-1].end
        lines = await reads_grid.grid_lines(connection, actor, contract_id)
        held = await reads_grid.held_in(connection, actor, contract_id, columns)
        closed = await closed_of(connection, actor, contract_id, first, end)
        periods = await reads_buckets.ledger(connection, actor, contract_id)
    inside = [row for row in periods if row.period_start < end and row.period_end > first]
    shown = Shown(columns, held, inside, today, typed or {}, (error.field or "") if error else "")
    return {
        "head": head,
        "by": by.value,
        "since": first.isoformat(),
        "heads": [_head(column, by, closed) for column in columns],
        "rows": [_row(line, shown) for line in lines],
        "error": str(error) if error else "",
        "loose": _loose(lines, shown, by),
        **_ways(contract_id, by, first, end),
    }


def _loose(lines: list[GridLine], shown: Shown, by: By) -> list[str]:
    """Which saved quantities do not fill their packs, the first of them in words."""
    found = [one for line in lines for column in shown.columns for one in _warned(line, column, shown)]
    return packs.sentences(found, by)


def _warned(line: GridLine, column: Column, shown: Shown) -> list[PackWarning]:
    held = shown.held.get((line.id, column.first), [])
    return rules_grid.loose(line, column, held, rules_grid.total(held))


def _ways(contract_id: UUID, by: By, first: date, end: date) -> dict[str, Any]:
    """The links to other columns."""
    here = f"/contracts/{contract_id}/schedule/grid?by="
    names = {By.WEEK: _("Weeks"), By.DAY: _("Single days")}
    return {
        "views": [(names[one], here + one.value, None, one is by) for one in By],
        "earlier": f"{here}{by.value}&since={first - (end - first)}",
        "later": f"{here}{by.value}&since={end}",
    }


def _head(column: Column, by: By, closed: Mapping[date, Any]) -> GridHead:
    days = (column.first + timedelta(days=n) for n in range((column.end - column.first).days))
    shut = " · ".join(closed_words(one) for day in days for one in closed.get(day, ()))
    label = i18n.week(column.first) if by is By.WEEK else i18n.weekday(column.first)
    return GridHead(label, i18n.day(column.first), shut)


def _row(line: GridLine, shown: Shown) -> GridRow:
    held = [shown.held.get((line.id, column.first), []) for column in shown.columns]
    sum_of_row = sum((rules_grid.total(mine) for mine in held), Decimal(0))
    cells = [_cell(line, column, mine, shown) for column, mine in zip(shown.columns, held, strict=True)]
    periods = [_period(one) for one in shown.periods if one.contract_line_id == line.id][:3]
    unit = _(UNITS[line.unit][1])
    pack = plain(line.pack_size)
    return GridRow(line.item_code, line.description, unit, pack, cells, i18n.number(sum_of_row), periods)


def _cell(line: GridLine, column: Column, mine: list[rules_grid.Held], shown: Shown) -> GridCell:
    name, value = f"{line.id}.{column.first}", plain(rules_grid.total(mine))
    days = (column.first - shown.today).days
    zone = "firm" if days <= line.firm_days else "tradeoff" if days <= line.tradeoff_days else "forecast"
    return GridCell(
        name,
        shown.typed.get(f"c.{name}", value),
        shown.typed.get(f"w.{name}", value),
        plain(rules_grid.total([one for one in mine if one.fixed])),
        zone,
        f"{line.item_code}, {i18n.day(column.first, year=True)}",
        name == shown.wrong,
        "".join(_near(one) for one in _warned(line, column, shown)),
    )


def _near(found: PackWarning) -> str:
    return " / ".join(i18n.number(value) for value in (found.below, found.above) if value is not None)


def _period(row: reads_buckets.PeriodRow) -> tuple[str, str]:
    name = f"{i18n.day(row.period_start)} – {i18n.day(row.period_end - timedelta(days=1))}"
    figures = {
        "called": i18n.number(row.sums.called),
        "target": i18n.number(row.target),
        "floor": i18n.number(row.floor),
        "ceiling": i18n.number(row.ceiling),
    }
    return name, _("{called} called off of {target} ({floor} to {ceiling})").format(**figures)


def grid_of(typed: Mapping[str, str]) -> EditGrid:
    """The changed cells of the form: each is sent as it is now, and as it was seen."""
    cells: list[dict[str, str]] = []
    for name, text in typed.items():
        kind, _dot, cell = name.partition(".")
        if name in FIELDS:
            continue
        if kind not in ("c", "w") or f"c.{cell}" not in typed or f"w.{cell}" not in typed:
            raise BadForm(field="", fields=name[:60])
        if kind == "c" and text != typed[f"w.{cell}"]:
            line, _dot, column = cell.partition(".")
            quantity = text.replace(",", "").replace("，", "") or "0"
            was = typed[f"w.{cell}"] or "0"
            cells.append({"contract_line_id": line, "column": column, "quantity": quantity, "was": was})
    if not cells:
        raise NothingChanged
    names = {f"cells.{n}.quantity": f"{one['contract_line_id']}.{one['column']}" for n, one in enumerate(cells)}
    return command(EditGrid, {"by": typed.get("by", ""), "cells": cells}, names)


def _chosen(typed: Mapping[str, str]) -> tuple[By, date | None]:
    try:
        since = date.fromisoformat(typed["since"]) if typed.get("since") else None
        return By(typed.get("by") or By.WEEK), since
    except ValueError as error:
        raise BadForm(field="since", fields="by, since") from error


@get("/contracts/{contract_id:uuid}/schedule/grid")
async def grid(
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
    by: FromQuery[By] = By.WEEK,
    since: FromQuery[date | None] = None,
) -> Template:
    """The schedule by columns, to be edited."""
    shown = await context(actor, contract_id, by, since)
    return page.render("schedules/grid.html", active="contracts", **shown)


@post("/contracts/{contract_id:uuid}/schedule/grid", status_code=HTTP_200_OK)
async def save(
    request: Request[Any, Any, Any],
    actor: NamedDependency[Actor],
    page: NamedDependency[Page],
    contract_id: FromPath[UUID],
) -> Template | Redirect:
    """Change cells, all or none; what is refused stands in the grid again, with its reason."""
    typed = await read_form(request)
    by, since = _chosen(typed)
    try:
        async with unit_of_work(actor) as session:
            await service_grid.edit_grid(session, actor, contract_id, grid_of(typed))
    except (Invalid, Conflict) as error:
        return await refused(actor, page, contract_id, typed, error)
    return page.go(f"/contracts/{contract_id}/schedule/grid?by={by.value}" + (f"&since={since}" if since else ""))


async def refused(
    actor: Actor, page: Page, contract_id: UUID, typed: Mapping[str, str], error: PortalError
) -> Template:
    """The grid as it was typed."""
    if isinstance(error, BadForm):
        raise error
    shown = await context(actor, contract_id, *_chosen(typed), typed, error)
    return page.render("schedules/grid.html", active="contracts", status=status_of(error), **shown)


ROUTES: list[HTTPRouteHandler] = [grid, save]
