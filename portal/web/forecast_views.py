"""Fills the page of one contract's forecast: the parts over weeks or months, one part's commit, past accuracy."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from portal.approvals import reads as approvals
from portal.approvals.model import ApprovalPoint
from portal.core import clock, i18n
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.forecasts import reads, rules
from portal.forecasts.reads import Cell, Cells, CommitRow, Head, Measure, Part
from portal.forecasts.rules import Accuracy, Period, Span
from portal.schedules import reads_board
from portal.schedules.model import Zone
from portal.schedules.words import ZONES
from portal.web.addresses import address
from portal.web.views import BoardCell, BoardRow, WeekColumn, ZoneSpan
from portal.web.weeks import Window, rule_text, window

ZERO = Decimal(0)
CHOICES = (26, 52)


class Asked(Struct, frozen=True):
    """The page's address, taken apart."""

    part: UUID | None = None
    weeks: int = 26
    span: Span = Span.WEEK
    measure: Measure = Measure.CALLED

    @classmethod
    def of(cls, part: UUID | None, weeks: int, span: str, measure: str) -> "Asked":
        """What cannot be read is the usual view."""
        return cls(
            part,
            weeks if weeks in CHOICES else CHOICES[0],
            Span(span) if span in set(Span) else Span.WEEK,
            Measure(measure) if measure in set(Measure) else Measure.CALLED,
        )

    def href(self, base: str, **changes: Any) -> str:
        other = replace(self, **changes)
        parts: dict[str, object] = {"part": other.part, "weeks": None if other.weeks == 26 else other.weeks}
        parts |= {"span": None if other.span is Span.WEEK else other.span}
        parts |= {"measure": None if other.measure is Measure.CALLED else other.measure}
        return address(base, parts)


class Found(Struct, frozen=True):
    """What the page is filled from."""

    head: Head
    parts: list[Part]
    cells: Cells
    span: Window
    periods: list[Period]
    commits: list[CommitRow]
    accuracy: dict[UUID | None, list[Accuracy]]
    case: UUID | None = None  # of a commit that waits for the own company's approval

    def of(self, part: Part, period: Period) -> Cell:
        """One period of one part: its weeks added up."""
        weeks = [self.cells[part.id, n] for n in period.weeks if (part.id, n) in self.cells]
        known = [cell.covered for cell in weeks if cell.covered is not None]
        seen = [cell.answered for cell in weeks if cell.answered is not None]
        return Cell(
            sum((cell.forecast for cell in weeks), ZERO),
            ZERO,
            sum(known, ZERO) if known else None,
            sum(seen, ZERO) if seen else None,
            sum((cell.change for cell in weeks), ZERO),
        )


async def find(actor: Actor, contract_id: UUID, asked: Asked) -> Found:
    """Everything in one short transaction."""
    async with read(actor) as connection:
        head = await reads.head(connection, actor, contract_id)
        today = local_today(clock.now(), head.time_zone)
        span = window(today, asked.weeks, head.released_on, (head.firm_days, head.tradeoff_days))
        parts = await reads.parts(connection, actor, contract_id)
        moved = await reads_board.deltas(connection, actor, [contract_id], span.first, span.end)
        cells = await reads.cells(connection, actor, head, span.first, asked.weeks, moved)
        commits = await reads.commits(connection, actor, contract_id)
        accuracy = await reads.accuracy_of(connection, actor, head, today, asked.measure)
        case = await approvals.waiting_about(connection, actor, ApprovalPoint.COMMIT, contract_id)
    return Found(head, parts, cells, span, rules.periods(span.first, asked.weeks, asked.span), commits, accuracy, case)


class Matrix(Struct, frozen=True):
    """What `schedules/_matrix.html` needs."""

    zones: tuple[ZoneSpan, ...]
    weeks: tuple[WeekColumn, ...]
    rows: list[BoardRow]
    agenda: tuple[()] = ()

    @property
    def totals(self) -> tuple[str, str]:
        return _("Forecast quantity"), _("Gap")


# The matrix -----------------------------------------------------------------------------------------------------------


def zone_at(found: Found, period: Period) -> Zone:
    """A period takes the zone of its first week's Monday."""
    return found.span.zone_of(found.span.first + timedelta(weeks=period.weeks.start))


def zones(found: Found) -> tuple[ZoneSpan, ...]:
    at = [zone_at(found, period) for period in found.periods]
    return tuple(
        ZoneSpan(zone.value, _(name), rule_text(rule, None), at.count(zone)) for zone, name, rule in ZONES if zone in at
    )


def columns(found: Found, asked: Asked) -> tuple[WeekColumn, ...]:
    return tuple(column(found, period, asked.span) for period in found.periods)


def column(found: Found, period: Period, span: Span) -> WeekColumn:
    """The head of one week or month."""
    now = not period.weeks.start
    if span is Span.MONTH:
        return WeekColumn(month_name(period.start), str(period.start.year), f"{period.start:%Y-%m}", now)
    monday = found.span.first + timedelta(weeks=period.weeks.start)
    iso = monday.isocalendar()
    return WeekColumn(i18n.week(monday), i18n.day(monday), f"{iso.year}-W{iso.week:02}", now)


def month_name(day: date) -> str:
    """Nov or 11月."""
    if i18n.language.get() is i18n.Language.ZH:
        return f"{day.month}月"
    return i18n.day(day).split(i18n.NBSP)[1]


def row(found: Found, part: Part, asked: Asked, base: str, selected: bool) -> BoardRow:
    """One part over the periods."""
    sums = [found.of(part, period) for period in found.periods]
    cells = [cell_of(found, part, period, cell) for period, cell in zip(found.periods, sums, strict=True)]
    missing = total_gap(sums)
    return BoardRow(
        part=part.item_code,
        name=part.description,
        href=asked.href(base, part=part.id) + "#commit",
        cells=cells,
        cumulative=i18n.number(sum((cell.forecast for cell in sums), ZERO)),
        variance="–" if missing is None else i18n.signed(missing),
        variance_css="" if not missing else "minus" if missing < 0 else "plus",
        selected=selected,
    )


def total_gap(sums: Sequence[Cell]) -> Decimal | None:
    """Committed less forecast over the periods that anything is committed for."""
    known = [cell.committed - cell.forecast for cell in sums if cell.committed is not None]
    return sum(known, ZERO) if known else None


def cell_of(found: Found, part: Part, period: Period, cell: Cell) -> BoardCell:
    if not cell.forecast and not cell.change and not cell.committed:
        return BoardCell("", "")
    css = css_of(cell) or ("forecast" if zone_at(found, period) is Zone.FORECAST else "")
    since = found.span.first + timedelta(weeks=period.weeks.start)
    until = found.span.first + timedelta(weeks=period.weeks.stop, days=-1)
    href = f"/schedules?contract={found.head.id}&amp;part={part.id}&amp;since={since}&amp;until={until}"
    delta = i18n.signed(cell.change) if css == "changed" else ""
    return BoardCell(i18n.number(cell.forecast), href, css, mark_word(css), delta)


def css_of(cell: Cell) -> str:
    """The most urgent mark of a period: too little committed, changed by the release, covered."""
    if cell.committed is not None and cell.committed < cell.forecast:
        return "at_risk"
    if cell.change:
        return "changed"
    return "confirmed" if cell.committed is not None and cell.forecast else ""


def mark_word(css: str) -> str:
    return {"at_risk": _("Less committed"), "changed": _("Changed"), "confirmed": _("Committed")}.get(css, "")
