"""The agreed quantities of a contract's periods, as its document lists them.

They follow from the agreed text alone: those that were typed, else fixed quantity, cadence, band and validity. Periods
that say the same stand in one row, and lines that say the same share theirs.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple, Protocol

from portal.contracts.model_buckets import BucketCadence
from portal.contracts.rules import LineTerms
from portal.contracts.rules_periods import Agreed, agreed_periods
from portal.core import i18n
from portal.core.i18n import _, ngettext
from portal.core.quantities import show_quantity
from portal.paper.document import Cell, Column, Grid

DAY = timedelta(days=1)
OPEN_END = timedelta(days=366)  # how far a contract without an end is listed


class TypedPeriod(Protocol):
    """One period of a line, as it was typed."""

    @property
    def start(self) -> date: ...
    @property
    def end(self) -> date: ...
    @property
    def floor(self) -> Decimal: ...
    @property
    def target(self) -> Decimal: ...
    @property
    def ceiling(self) -> Decimal: ...


class TypedPeriods(Protocol):
    """All of a line."""

    @property
    def cadence(self) -> BucketCadence: ...
    @property
    def periods(self) -> Sequence[TypedPeriod]: ...


class PeriodLine(LineTerms, Protocol):
    """A line that can be named in the list."""

    @property
    def line_no(self) -> int: ...
    @property
    def typed_periods(self) -> "TypedPeriods | None": ...


class Run(NamedTuple):
    """So many periods in a row with the same quantities."""

    first: Agreed
    last: Agreed
    periods: int


def periods_grid(lines: Sequence[PeriodLine], first: date, last: date | None) -> Grid:
    """The periods of all lines with a fixed quantity; a contract without an end shows its first year."""
    columns = (
        Column(_("No."), 2),
        Column(_("Periods"), 5),
        Column(_("At least"), 2, right=True),
        Column(_("Target"), 2, right=True),
        Column(_("At most"), 2, right=True),
    )
    shared: dict[tuple[tuple[Run, ...], str, bool], list[int]] = {}
    for line in lines:
        found = runs(_periods(line, first, last))
        if found:
            goes_on = last is None and line.typed_periods is None
            shared.setdefault((found, line.unit, goes_on), []).append(line.line_no)
    rows = [
        _row(", ".join(map(str, numbers)) if no == 0 else "", run, unit, on=goes_on and run is found[-1])
        for (found, unit, goes_on), numbers in shared.items()
        for no, run in enumerate(found)
    ]
    return Grid(columns, rows, _("Agreed quantities per period"))


def _periods(line: PeriodLine, first: date, last: date | None) -> list[Agreed]:
    if line.typed_periods is None:
        return agreed_periods(line, first, last, first + OPEN_END)
    cadence = line.typed_periods.cadence
    return [
        Agreed(cadence, one.start, one.end, one.floor, one.target, one.ceiling) for one in line.typed_periods.periods
    ]


def runs(periods: Sequence[Agreed]) -> tuple[Run, ...]:
    """Neighbouring periods with the same quantities and of the same kind together, cut ones by themselves."""
    found = []
    for _same, group in groupby(periods, key=lambda each: (each.cadence, each.floor, each.target, each.ceiling)):
        kept: list[Agreed] = []
        for each in group:
            if kept and kept[-1].end != each.start:  # a gap, as typed periods may have
                found.append(Run(kept[0], kept[-1], len(kept)))
                kept = []
            kept.append(each)
        found.append(Run(kept[0], kept[-1], len(kept)))
    return tuple(found)


def _row(numbers: str, run: Run, unit: str, *, on: bool) -> list[Cell]:
    begins, ends = i18n.day(run.first.start, year=True), i18n.day(run.last.end - DAY, year=True)
    days = _("from {day} on").format(day=begins) if on else f"{begins} – {ends}"
    return [
        Cell(numbers),
        Cell(days, [_count(run.first.cadence, run.periods)]),
        *(Cell(show_quantity(each, unit)) for each in (run.first.floor, run.first.target, run.first.ceiling)),
    ]


def _count(cadence: BucketCadence, count: int) -> str:
    match cadence:
        case BucketCadence.WEEK:
            text = ngettext("{n} week, each", "{n} weeks, each", count)
        case BucketCadence.MONTH:
            text = ngettext("{n} month, each", "{n} months, each", count)
        case BucketCadence.QUARTER:
            text = ngettext("{n} quarter, each", "{n} quarters, each", count)
        case _:
            text = ngettext("{n} period, each", "{n} periods, each", count)
    return text.format(n=i18n.number(count))
