"""Fills the board: one contract (or every contract) by weeks, with its figures, chart and what waits."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from markupsafe import escape
from msgspec import Struct

from portal.contracts.model import ContractStatus
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import Driver, read
from portal.core.i18n import _, ngettext
from portal.core.states import Side
from portal.schedules import reads, reads_board
from portal.schedules.model import Zone
from portal.schedules.reads import LineFilter, LineRow, View
from portal.schedules.reads_board import BoardHead, BoardLine, Cell, Entry, Totals
from portal.schedules.reads_calendars import Closed, closed_of, places
from portal.schedules.words import ZONES
from portal.shipments.reads_board import received_by_day
from portal.web.addresses import address
from portal.web.board_chart import chart_of, figures_of
from portal.web.lines import agenda_row, asked_word, line_card
from portal.web.pages import unit_name
from portal.web.views import (
    AgendaGroup,
    BoardCell,
    BoardRow,
    BoardView,
    ZoneSpan,
)
from portal.web.weeks import DEFAULT_FENCES, Window, rule_text, week_columns, window, zone_spans

WEEKS = 13
PIECE = "H87"
PAGE = 500
EMPTY = BoardCell("", "")  # a week without a delivery
CARDS = 6  # deliveries that wait and are shown with their buttons
AGENDA = 40  # deliveries shown a zone on the phone before "all in the list"


class Grid(Struct, frozen=True):
    """What fills the matrix."""

    cells: dict[tuple[UUID, int], Cell]
    totals: dict[UUID, Totals]
    deltas: dict[tuple[UUID, int], Decimal]
    forecast: int  # the first week of the forecast zone, counted from the first column
    words: dict[Side, dict[str, str]]  # of the marks, by the reader's side


class Found(Struct, frozen=True):
    """What one contract's board is filled from."""

    head: BoardHead
    span: Window
    lines: list[BoardLine]
    grid: Grid
    chosen: BoardLine | None  # the part whose figures and chart are shown
    entries: list[Entry]
    received: list[tuple[date, Decimal]]
    waiting: list[LineRow]
    places: dict[UUID, tuple[str, str, str]]  # of those that wait and are shown
    coming: list[LineRow]
    closed: dict[date, tuple[Closed, ...]]


async def read_contract(actor: Actor, contract_id: UUID, part: UUID | None, weeks: int) -> Found:
    """Everything in one short transaction. Raises NotFound for a contract that is absent or not yours."""
    async with read(actor) as connection:
        head = await reads_board.board_head(connection, actor, contract_id)
        today = local_today(clock.now(), head.time_zone)
        span = window(today, weeks, head.released_on, (head.firm_days, head.tradeoff_days))
        lines = await reads_board.board_lines(connection, actor, contract_id, span.first, span.end, 0, PAGE)
        grid = await grid_of(connection, actor, lines, span)
        chosen = next((line for line in lines if line.id == part), lines[0] if lines else None)
        entries = await reads_board.entries(connection, actor, chosen.id) if chosen else []
        received = await received_by_day(connection, actor, chosen.id) if chosen else []
        asked = LineFilter(View.TO_CONFIRM, contract_id=contract_id)
        in_window = LineFilter(View.ALL, contract_id=contract_id, since=span.first, until=span.end - timedelta(days=1))
        waiting = await reads.list_lines(connection, actor, asked, None, PAGE)
        there = await places(connection, actor, [row.id for row in waiting[:CARDS]])
        coming = await reads.list_lines(connection, actor, in_window, None, PAGE)
        closed = await closed_of(connection, actor, contract_id, span.first, span.end)
    return Found(head, span, lines, grid, chosen, entries, received, waiting, there, coming, closed)


async def contract_board(actor: Actor, contract_id: UUID, part: UUID | None, view: View, weeks: int) -> BoardView:
    """The board of one contract; `part` is the contract line whose figures and chart are shown."""
    found = await read_contract(actor, contract_id, part, weeks)
    head, span, waiting, chosen = found.head, found.span, found.waiting, found.chosen
    base, side = f"/contracts/{contract_id}/schedule", actor.side_on(head.direction)
    seller = side is Side.SELLER
    asked = {row.contract_line_id for row in waiting}
    lines = [line for line in found.lines if view is not View.TO_CONFIRM or line.id in asked]
    band = max(head.band_below, head.band_above)
    totals = found.grid.totals.get(chosen.id) if chosen else None
    coming = waiting if view is View.TO_CONFIRM else found.coming
    return BoardView(
        title=_("Delivery schedule"),
        sub=f"{head.party_name} · {head.number}" if actor.is_factory else head.number,
        crumbs=((_("Contracts"), "/contracts"), (head.number, f"/contracts/{contract_id}")),
        release=release_text(head),
        release_href=f"/contracts/{contract_id}/releases/{head.release_no}" if head.release_no else None,
        release_no=head.release_no,
        figures=figures_of(chosen, found.entries, totals, span, found.received) if chosen else (),
        matrix_title=matrix_title(lines, weeks),
        views=views(base, view, len(waiting), seller),
        zones=zone_spans(span, band),
        weeks=week_columns(span, found.closed),
        rows=[board_row(line, found.grid, span, f"{base}?part={line.id}", side, line is chosen) for line in lines],
        agenda=agenda_groups(coming, actor, span, band, f"/schedules?contract={contract_id}"),
        empty=_("No schedule yet. Generate deliveries from the contract's fixed quantities, or add the first one."),
        chart=chart_of(chosen, found.entries, found.received, span) if chosen and found.entries else None,
        change_href=f"/changes/new?contract={contract_id}" if may_ask(actor, head) else None,
        prepare_href=f"/contracts/{contract_id}/drafts" if may_prepare(actor, head) else None,
        export_href=f"/schedules/export?contract={contract_id}",
        cumulative_href=f"/contracts/{contract_id}/cumulative" + (f"?line={chosen.id}" if chosen else ""),
        forecast_href=f"/contracts/{contract_id}/forecast" if head.release_no else None,
        refresh_href=board_href(base, part, view, weeks),
        **asking(actor, found, base),
    )


def may_prepare(actor: Actor, head: BoardHead) -> bool:
    """Whether this reader prepares the next release."""
    return actor.may(Permission.PUBLISH_SCHEDULES) and head.status == ContractStatus.ACTIVE


def may_ask(actor: Actor, head: BoardHead) -> bool:
    """Whether this reader can ask for a change of the contract's deliveries."""
    return actor.may(Permission.REQUEST_CHANGES) and head.status == ContractStatus.ACTIVE and head.release_no > 0


def asking(actor: Actor, found: Found, base: str) -> dict[str, Any]:
    """What waits for the seller's answer, and the one press that answers all of it."""
    head, waiting = found.head, found.waiting
    side = actor.side_on(head.direction)
    seller = side is Side.SELLER
    return {
        "waiting": tuple(line_card(row, actor, place=found.places.get(row.id)) for row in waiting[:CARDS]),
        "waiting_count": len(waiting),
        "waiting_title": _("To confirm") if seller else _("Waiting for the seller"),
        "deadline": deadline_of(waiting, head.time_zone) if seller else "",
        "can_confirm": seller and actor.may(Permission.CONFIRM_LINES) and bool(waiting),
        "asked_word": asked_word(side),
        "confirm_label": confirm_label(len(waiting)),
        "confirm_action": f"/schedule-lines/confirm?back={base}",
        "confirm_lines": tuple(f"{row.id}:{row.version}" for row in waiting),
    }


async def all_boards(actor: Actor, weeks: int, page: int) -> BoardView:
    """Every contract line with a delivery in the window, 500 a page."""
    today = local_today(clock.now(), actor.time_zone)
    span = window(today, weeks, None, DEFAULT_FENCES)
    async with read(actor) as connection:
        lines = await reads_board.board_lines(connection, actor, None, span.first, span.end, page * PAGE, PAGE + 1)
        more, lines = len(lines) > PAGE, lines[:PAGE]
        grid = await grid_of(connection, actor, lines, span)
        agenda = await agenda_by_zone(connection, actor, span) if not page else []
    return BoardView(
        title=_("Schedules"),
        sub=_("All contracts"),
        crumbs=((_("Schedules"), "/schedules"), (_("By weeks"), "")),
        release="",
        release_href=None,
        release_no=0,
        figures=(),
        matrix_title=matrix_title(lines, weeks),
        views=(),
        zones=zone_spans(span, None),
        weeks=week_columns(span),
        rows=[
            board_row(
                line,
                grid,
                span,
                f"/contracts/{line.contract_id}/schedule?part={line.id}",
                actor.side_on(line.direction),
                contract=line.number,
            )
            for line in lines
        ],
        agenda=agenda_groups(agenda, actor, span, None, "/schedules"),
        empty=_("No deliveries in these weeks."),
        next_href=f"/schedules/board?no={page + 1}" if more else None,
        first_href="/schedules/board" if page else None,
        shown=ngettext("{n} part", "{n} parts", len(lines)).format(n=len(lines)),
        export_href="/schedules/export",
    )


async def grid_of(connection: Driver, actor: Actor, lines: Sequence[BoardLine], span: Window) -> Grid:
    ids = [line.id for line in lines]
    found = await reads_board.cells(connection, actor, ids, span.first, span.end, span.today)
    totals = await reads_board.totals(connection, actor, ids, span.today)
    contracts = list({line.contract_id for line in lines if line.release_no > 1})
    deltas = await reads_board.deltas(connection, actor, contracts, span.first, span.end) if contracts else {}
    cells = {(cell.contract_line_id, cell.week): cell for cell in found}
    return Grid(cells, totals, deltas, forecast_from(span), {side: mark_words(side) for side in Side})


def mark_words(side: Side) -> dict[str, str]:
    """The marks of cells in words."""
    return {
        "at_risk": _("At risk"),
        "to_confirm": asked_word(side),
        "changed": _("Changed"),
        "confirmed": _("Confirmed"),
    }


def board_row(
    line: BoardLine, grid: Grid, span: Window, href: str, side: Side, selected: bool = False, contract: str = ""
) -> BoardRow:
    """One contract line over the weeks. Hot: 26 cells a row, 500 rows a page."""
    words = grid.words[side]
    cells: list[BoardCell] = []
    for week in range(span.weeks):
        cell = grid.cells.get((line.id, week))
        if cell is None:
            cells.append(EMPTY)
            continue
        delta = grid.deltas.get((line.id, week)) if grid.deltas else None
        css = cell_css(cell, delta) or ("forecast" if week >= grid.forecast else "")
        link = f"/schedule-lines/{cell.line_id}" if cell.lines == 1 else escape(week_href(line, span, week))
        text = i18n.number(cell.quantity)
        cells.append(BoardCell(text, link, css, words.get(css, ""), i18n.signed(delta) if delta else ""))
    sums = grid.totals.get(line.id)
    variance = sums.received - sums.requested if sums else Decimal(0)
    return BoardRow(
        part=line.item_code,
        name=line.description,
        href=href,
        cells=cells,
        cumulative=i18n.number(sums.received) if sums else "0",
        variance=i18n.signed(variance),
        variance_css="minus" if variance < 0 else "plus" if variance > 0 else "",
        selected=selected,
        contract=contract,
    )


def cell_css(cell: Cell, delta: Decimal | None) -> str:
    """The most urgent mark of a week."""
    if cell.risky:
        return "at_risk"
    if cell.asked:
        return "to_confirm"
    if delta:
        return "changed"
    return "confirmed" if cell.confirmed else ""


def forecast_from(span: Window) -> int:
    """The first week of the forecast zone, counted from the first column."""
    return sum(span.zone_of(monday) is not Zone.FORECAST for monday in span.mondays())


def week_href(line: BoardLine, span: Window, week: int) -> str:
    """The list of the several deliveries that one cell sums up."""
    monday = span.first + timedelta(weeks=week)
    sunday = monday + timedelta(days=6)
    return f"/schedules?contract={line.contract_id}&part={line.id}&since={monday}&until={sunday}"


def matrix_title(lines: Sequence[BoardLine], weeks: int) -> str:
    """The unit stands in the title only when all rows share it."""
    units = {line.unit for line in lines}
    if units == {PIECE}:
        return _("Next {n} weeks, pieces per week").format(n=weeks)
    if len(units) == 1:
        return _("Next {n} weeks, {unit} per week").format(n=weeks, unit=unit_name(units.pop()))
    return _("Next {n} weeks, in each part's unit").format(n=weeks)


def views(base: str, view: View, waiting: int, seller: bool) -> tuple[tuple[str, str, int | None, bool], ...]:
    label = asked_word(Side.SELLER if seller else Side.BUYER)
    return (
        (_("All parts"), base, None, view is View.ALL),
        (label, f"{base}?view=to_confirm", waiting or None, view is View.TO_CONFIRM),
    )


def release_text(head: BoardHead) -> str:
    if not head.release_no or head.published_at is None:
        return _("Not published yet")
    when = i18n.moment(head.published_at, head.time_zone)
    return _("Release {n} · published {when}").format(n=head.release_no, when=when)


def deadline_of(waiting: Sequence[LineRow], zone: str) -> str:
    """The earliest answer that is due."""
    due = min((row.respond_by for row in waiting if row.respond_by is not None), default=None)
    return _("Confirm by {when}").format(when=i18n.moment(due, zone)) if due else ""


def confirm_label(count: int) -> str:
    return ngettext("Confirm {n} delivery", "Confirm {n} deliveries", count).format(n=count)


async def agenda_by_zone(connection: Driver, actor: Actor, span: Window) -> list[LineRow]:
    """The first deliveries of every zone in the window, one more than is shown."""
    edges = [span.first - timedelta(days=1), span.fences.firm_until, span.fences.tradeoff_until, span.end]
    rows: list[LineRow] = []
    for before, last in pairwise(min(edge, span.end - timedelta(days=1)) for edge in edges):
        if before < last:
            asked = LineFilter(View.ALL, since=before + timedelta(days=1), until=last)
            rows += await reads.list_lines(connection, actor, asked, None, AGENDA + 1)
    return rows


def agenda_groups(
    rows: Sequence[LineRow], actor: Actor, span: Window, band: Decimal | None, list_href: str
) -> tuple[AgendaGroup, ...]:
    """The phone's list by zone: firm open, the rest with their count."""
    groups = []
    spans = {zone.key: zone for zone in zone_spans(span, band)}
    joint = "&" if "?" in list_href else "?"
    for zone, name, rule in ZONES:
        mine = [row for row in rows if span.fences.zone(row.due_date) is zone]
        if not mine:
            continue
        count = ngettext("{n} delivery", "{n} deliveries", len(mine)).format(n=len(mine))
        since = max(mine[0].due_date, span.first)
        more = (_("All in the list"), f"{list_href}{joint}since={since}")
        many = len(mine) > AGENDA
        groups.append(
            AgendaGroup(
                zone=spans.get(zone.value, ZoneSpan(zone.value, _(name), rule_text(rule, None), 0)),
                count=_("more than {n}").format(n=AGENDA) if many and band is None else count,
                rows=[agenda_row(row, actor, span.today) for row in mine[:AGENDA]],
                more=more if many else None,
            )
        )
    return tuple(groups)


def board_href(base: str, part: UUID | None, view: View, weeks: int) -> str:
    """The board's address with what the reader chose."""
    chosen = {"part": part, "view": None if view is View.ALL else view, "weeks": None if weeks == WEEKS else weeks}
    return address(base, chosen)
