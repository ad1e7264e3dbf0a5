"""Fills the page of one contract's forecast: the parts over weeks or months, one part's commit, past accuracy."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from portal.contracts.model import ContractStatus
from portal.core import clock, i18n
from portal.core.access import Permission
from portal.core.actor import Actor
from portal.core.calendars import local_today
from portal.core.db import read
from portal.core.i18n import _
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.forecasts import reads, rules, words
from portal.forecasts.model import CommitWay
from portal.forecasts.reads import Cell, Cells, CommitRow, Head, Measure, Part
from portal.forecasts.rules import Accuracy, Period, Span
from portal.schedules import reads_board
from portal.schedules.model import Zone
from portal.schedules.words import ZONE_NAMES
from portal.web.pages import unit_name
from portal.web.typed import Typed
from portal.web.views import BoardCell, BoardRow, Figure, WeekColumn, ZoneSpan
from portal.web.weeks import Window, rule_text, window
from portal.web.weeks import ZONES as RULES

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
        kept = {"part": str(other.part) if other.part else "", "weeks": str(other.weeks) if other.weeks != 26 else ""}
        kept |= {"span": other.span.value if other.span is not Span.WEEK else ""}
        kept |= {"measure": other.measure.value if other.measure is not Measure.CALLED else ""}
        parts = {name: value for name, value in kept.items() if value}
        return base + (f"?{urlencode(parts)}" if parts else "")


class Found(Struct, frozen=True):
    """What the page is filled from."""

    head: Head
    parts: list[Part]
    cells: Cells
    span: Window
    periods: list[Period]
    commits: list[CommitRow]
    accuracy: dict[UUID | None, list[Accuracy]]

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
    return Found(head, parts, cells, span, rules.periods(span.first, asked.weeks, asked.span), commits, accuracy)


async def context(actor: Actor, contract_id: UUID, asked: Asked, typed: Typed) -> dict[str, Any]:
    """What `forecasts/forecast.html` shows."""
    found = await find(actor, contract_id, asked)
    head, base = found.head, f"/contracts/{contract_id}/forecast"
    with_forecast = [part for part in found.parts if any(key[0] == part.id for key in found.cells)]
    chosen = next((part for part in found.parts if part.id == asked.part), None)
    chosen = chosen or (with_forecast or found.parts or [None])[0]
    seller = actor.side_on(head.direction) is Side.SELLER
    can_commit = seller and actor.may(Permission.CONFIRM_LINES) and head.status == ContractStatus.ACTIVE
    return {
        "head": head,
        "asked": asked,
        "base": base,
        "release": _release(head),
        "chosen": chosen,
        "figures": figures(found, chosen) if chosen else (),
        "weeks_views": [(_("{n} weeks").format(n=n), asked.href(base, weeks=n), None, asked.weeks == n) for n in CHOICES],
        "span_views": [(_(name), asked.href(base, span=span), None, asked.span is span) for span, name in words.SPANS.items()],
        "board": Matrix(zones(found), columns(found, asked), [row(found, part, asked, base, part is chosen) for part in found.parts])
        if with_forecast else None,
        "rows": period_rows(found, chosen, asked, typed) if chosen else [],
        "unit": unit_name(chosen.unit) if chosen else "",
        "can_commit": can_commit and head.release_no > 0,
        "can_set": actor.may(Permission.EDIT_CONTRACTS) and head.status == ContractStatus.ACTIVE,
        "waits": waits(head, seller),
        "accuracy": accuracy_rows(found, chosen),
        "measures": [(_(name), asked.href(base, measure=one), None, asked.measure is one) for one, name in words.MEASURES.items()],
        "definition": _(words.DEFINITION).format(n=rules.MEASURED, measure=_(words.MEASURES[asked.measure])),
        "commits": [commit_line(one, head.time_zone) for one in found.commits],
        "export": asked.href(f"{base}/export"),
        "typed": typed,
    }  # fmt: skip


class Matrix(Struct, frozen=True):
    """What `schedules/_matrix.html` needs."""

    zones: tuple[ZoneSpan, ...]
    weeks: tuple[WeekColumn, ...]
    rows: list[BoardRow]
    agenda: tuple[()] = ()

    @property
    def totals(self) -> tuple[str, str]:
        return _("Forecast"), _("Gap")


def _release(head: Head) -> str:
    if not head.release_no or head.published_at is None:
        return _("Not published yet")
    when = i18n.moment(head.published_at, head.time_zone)
    return _("Release {n} · published {when}").format(n=head.release_no, when=when)


def waits(head: Head, seller: bool) -> tuple[str, bool] | None:
    """Whose commit is waited for until when, and whether that time has passed."""
    if head.due_at is None:
        return None
    when = i18n.moment(head.due_at, head.time_zone)
    late = head.lapsed or head.due_at < clock.now()
    if late:
        text = _("Your commit to release {n} was due by {when}.") if seller else _("The seller's commit to release {n} was due by {when}.")
    else:
        text = _("Commit to release {n} by {when}.") if seller else _("The seller commits to release {n} by {when}.")
    return text.format(n=head.release_no, when=when), late


# The matrix -----------------------------------------------------------------------------------------------------------


def zone_at(found: Found, period: Period) -> Zone:
    """A period takes the zone of its first week's Monday."""
    return found.span.zone_of(found.span.first + timedelta(weeks=period.weeks.start))


def zones(found: Found) -> tuple[ZoneSpan, ...]:
    at = [zone_at(found, period) for period in found.periods]
    return tuple(
        ZoneSpan(zone.value, _(name), rule_text(rule, None), at.count(zone)) for zone, name, rule in RULES if zone in at
    )


def columns(found: Found, asked: Asked) -> tuple[WeekColumn, ...]:
    made = []
    for period in found.periods:
        monday = found.span.first + timedelta(weeks=period.weeks.start)
        if asked.span is Span.MONTH:
            made.append(WeekColumn(month_name(period.start), str(period.start.year), f"{period.start:%Y-%m}", not period.weeks.start))
        else:
            iso = monday.isocalendar()
            made.append(WeekColumn(i18n.week(monday), i18n.day(monday), f"{iso.year}-W{iso.week:02}", not period.weeks.start))
    return tuple(made)


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


# One part -------------------------------------------------------------------------------------------------------------


def figures(found: Found, part: Part) -> tuple[Figure, ...]:
    """The four figures of the part that is open."""
    sums = [found.of(part, period) for period in found.periods]
    forecast = sum((cell.forecast for cell in sums), ZERO)
    committed = sum((cell.committed or ZERO for cell in sums), ZERO)
    change = sum((cell.change for cell in sums), ZERO)
    missing = total_gap(sums)
    unit, weeks = unit_name(part.unit), found.span.weeks
    share = committed / forecast if forecast else None
    return (
        Figure(_("{part} forecast").format(part=part.item_code), i18n.number(forecast), _("{unit} in {n} weeks").format(unit=unit, n=weeks)),
        Figure(_("{part} committed").format(part=part.item_code), i18n.number(committed),
               _("{share} of the forecast").format(share=i18n.percent(share)) if share is not None else unit,
               bar=min(100, int(share * 100)) if share is not None else None),
        Figure(_("Gap"), "–" if missing is None else i18n.signed(missing),
               _("nothing committed yet") if missing is None else _("{unit}, where a commit stands").format(unit=unit),
               warning=bool(missing and missing < 0)),
        Figure(_("Since the last release"), i18n.signed(change),
               _("{unit}, release {n} against {before}").format(unit=unit, n=found.head.release_no, before=found.head.release_no - 1)
               if found.head.release_no > 1 else _("no earlier release")),
    )  # fmt: skip


def period_rows(found: Found, part: Part, asked: Asked, typed: Typed) -> list[PeriodRow]:
    """The part's periods with the fields to commit in."""
    sent = typed.value("quantity") or []
    return [
        period_row(found, part, asked, period, sent[no] if no < len(sent) else None, typed.wrong(f"quantity.{no}") or "")
        for no, period in enumerate(found.periods)
    ]


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
        name=f"{month_name(period.start)} {period.start.year}" if month else i18n.week(monday),
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


def accuracy_rows(found: Found, part: Part | None) -> list[AccuracyRow]:
    """How good the forecasts of this part were, by lag."""
    if part is None:
        return []
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
    return _("Version {n}").format(n=one.number), f"{answered} · {way}", f"{one.member_name} · {i18n.moment(one.committed_at, zone)}", one.note
