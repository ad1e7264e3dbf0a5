"""One part of a forecast: its figures, its periods with the fields to commit in, how good past forecasts were."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from portal.core import i18n
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.forecasts import words
from portal.forecasts.model import CommitWay
from portal.forecasts.reads import Cell, CommitRow, Part
from portal.forecasts.rules import Period, Span
from portal.schedules.words import ZONE_NAMES
from portal.web.forecast_views import ZERO, Asked, Found, total_gap, zone_at
from portal.web.pages import unit_name
from portal.web.typed import Typed
from portal.web.views import Figure


class PeriodRow(Struct, frozen=True):
    """One row of a part's table."""

    start: str
    name: str
    detail: str
    zone: str
    zone_name: str
    forecast: str
    change: str
    committed: str
    typed: str  # what stands in the field
    wrong: str
    gap: str
    css: str  # "", minus, plus
    word: str


def context(found: Found, part: Part, asked: Asked, typed: Typed) -> dict[str, Any]:
    """What the page shows of the part that is open."""
    return {
        "chosen": part,
        "unit": unit_name(part.unit),
        "figures": figures(found, part),
        "rows": period_rows(found, part, asked, typed),
        "accuracy": accuracy_rows(found, part),
    }


def figures(found: Found, part: Part) -> tuple[Figure, ...]:
    """The four figures of the part."""
    sums = [found.of(part, period) for period in found.periods]
    forecast = sum((cell.forecast for cell in sums), ZERO)
    committed = sum((cell.committed or ZERO for cell in sums), ZERO)
    unit = unit_name(part.unit)
    ahead = _("{unit} in {n} weeks").format(unit=unit, n=found.span.weeks)
    share = committed / forecast if forecast else None
    of_forecast = unit if share is None else _("{share} of the forecast").format(share=i18n.percent(share))
    return (
        Figure(_("{part} forecast").format(part=part.item_code), i18n.number(forecast), ahead),
        Figure(
            _("{part} committed").format(part=part.item_code), i18n.number(committed), of_forecast,
            bar=None if share is None else min(100, int(share * 100)),
        ),
        gap_figure(sums, unit),
        change_figure(sums, unit, found.head.release_no),
    )  # fmt: skip


def gap_figure(sums: Sequence[Cell], unit: str) -> Figure:
    missing = total_gap(sums)
    if missing is None:
        return Figure(_("Gap"), "–", _("nothing committed yet"))
    caption = _("{unit}, where a commit stands").format(unit=unit)
    return Figure(_("Gap"), i18n.signed(missing), caption, warning=missing < 0)


def change_figure(sums: Sequence[Cell], unit: str, release: int) -> Figure:
    change = i18n.signed(sum((cell.change for cell in sums), ZERO))
    caption = _("no earlier release")
    if release > 1:
        caption = _("{unit}, release {n} against {before}").format(unit=unit, n=release, before=release - 1)
    return Figure(_("Since the last release"), change, caption)


def period_rows(found: Found, part: Part, asked: Asked, typed: Typed) -> list[PeriodRow]:
    """The part's periods with the fields to commit in."""
    sent = typed.value("quantity") or []
    return [
        period_row(
            found, part, asked, period, sent[no] if no < len(sent) else None, typed.wrong(f"quantity.{no}") or ""
        )
        for no, period in enumerate(shown_periods(found, part))
    ]


def shown_periods(found: Found, part: Part) -> list[Period]:
    """Up to the last period that anything is known of; behind it lies nothing to commit to."""
    known = [n for (line, n), cell in found.cells.items() if line == part.id and (cell.forecast or cell.committed)]
    last = max(known, default=-1)
    return [period for period in found.periods if period.weeks.start <= last]


def period_row(found: Found, part: Part, asked: Asked, period: Period, sent: str | None, wrong: str) -> PeriodRow:
    cell = found.of(part, period)
    monday = found.span.first + timedelta(weeks=period.weeks.start)
    missing = None if cell.committed is None else cell.committed - cell.forecast
    zone = zone_at(found, period)
    month = asked.span is Span.MONTH
    plain = "" if cell.committed is None else f"{cell.committed.normalize():f}"
    stale = cell.answered is not None and cell.answered != cell.forecast
    return PeriodRow(
        start=(period.start if month else monday).isoformat(),
        name=i18n.month(period.start) if month else i18n.week(monday),
        detail=weeks_of(period) if month else i18n.day(monday, year=True),
        zone=zone.value,
        zone_name=_(ZONE_NAMES[zone.value]),
        forecast=i18n.number(cell.forecast),
        change=i18n.signed(cell.change) if cell.change else "",
        committed="–" if cell.committed is None else i18n.number(cell.committed),
        typed=plain if sent is None else sent,
        wrong=wrong,
        gap="–" if missing is None else i18n.signed(missing),
        css="minus" if missing and missing < 0 else "plus" if missing else "",
        word=_("changed after the commit") if stale else "",
    )


def weeks_of(period: Period) -> str:
    return i18n.ngettext("{n} week", "{n} weeks", len(period.weeks)).format(n=len(period.weeks))


class AccuracyRow(Struct, frozen=True):
    lag: str
    weeks: str
    forecast: str
    actual: str
    bias: str
    error: str


def accuracy_rows(found: Found, part: Part) -> list[AccuracyRow]:
    """How good the forecasts of this part were, by lag."""
    return [
        AccuracyRow(
            lag=_("{n} weeks before").format(n=one.lag),
            weeks=i18n.number(one.weeks),
            forecast=show_quantity(one.forecast, part.unit),
            actual=show_quantity(one.actual, part.unit),
            bias="–" if one.bias is None else ("+" if one.bias > 0 else "") + i18n.percent(one.bias, 1),
            error="–" if one.error is None else i18n.percent(one.error, 1),
        )
        for one in found.accuracy.get(part.id, [])
        if one.weeks
    ]


def commit_line(one: CommitRow, zone: str) -> tuple[str, str, str, str]:
    """Version, what it answered, who and when, note."""
    way = _(words.WAYS[CommitWay(one.way)])
    answered = _("Release {n}").format(n=one.release_no)
    return (
        _("Version {n}").format(n=one.number),
        f"{answered} · {way}",
        f"{one.member_name} · {i18n.moment(one.committed_at, zone)}",
        one.note,
    )
