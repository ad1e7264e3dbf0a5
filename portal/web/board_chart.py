"""The figures and the cumulative chart of the part that is open on a board."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from portal.core import i18n
from portal.core.i18n import _, ngettext
from portal.core.quantities import show_quantity
from portal.schedules.reads_board import BoardLine, Entry, Totals
from portal.schedules.rules import Fences
from portal.schedules.rules_cumulative import aligned, cumulative_points
from portal.schedules.words import ZONES
from portal.web.pages import unit_name
from portal.web.views import Chart, ChartRow, Figure
from portal.web.weeks import Window


def figures_of(
    line: BoardLine,
    entries: Sequence[Entry],
    sums: Totals | None,
    span: Window,
    deliveries: Sequence[tuple[date, Decimal]],
) -> tuple[Figure, ...]:
    """The four figures of the part that is open. deliveries: what was received on which day, oldest first."""
    called = sum((e.ordered for e in entries if e.due_date <= span.fences.firm_until), Decimal(0))
    target = line.target_quantity or (sums.called if sums else Decimal(0))
    received = sums.received if sums else Decimal(0)
    behind = received - sums.requested if sums else Decimal(0)
    unit = unit_name(line.unit)
    first = line.cumulative_from or (deliveries[0][0] if deliveries else None)
    missed = behind_since(entries, received)
    upcoming = next((e for e in entries if e.open and e.due_date >= span.today), None)
    of_target = _("of {target} {unit}").format(target=i18n.number(target), unit=unit) if target else unit
    delivered = since(unit, first) if received else unit
    behind_label = _("{part} behind plan") if behind < 0 else _("{part} against plan")
    return (
        Figure(
            _("{part} called off").format(part=line.item_code), i18n.number(called), of_target, bar=bar(called, target)
        ),
        Figure(
            _("{part} delivered").format(part=line.item_code), i18n.number(received), delivered,
            bar=bar(received, target),
        ),
        Figure(
            behind_label.format(part=line.item_code), i18n.signed(behind), since(unit, missed) if behind < 0 else unit,
            warning=behind < 0,
        ),
        next_delivery(upcoming, span.today, line.unit),
    )  # fmt: skip


def since(unit: str, day: date | None) -> str:
    return _("{unit} since {day}").format(unit=unit, day=i18n.day(day, year=True)) if day else unit


def behind_since(entries: Sequence[Entry], received: Decimal) -> date | None:
    """The due date of the first delivery that what was received does not cover."""
    asked = Decimal(0)
    for entry in entries:
        asked += entry.ordered
        if asked > received:
            return entry.due_date
    return None


def next_delivery(entry: Entry | None, today: date, unit: str) -> Figure:
    if entry is None:
        return Figure(_("Next delivery"), "–", _("nothing is open"))
    days = (entry.due_date - today).days
    when = _("today") if days == 0 else ngettext("in {n} day", "in {n} days", days).format(n=days)
    caption = f"{when} · {show_quantity(entry.ordered, unit)}"
    return Figure(_("Next delivery"), i18n.day(entry.due_date), caption, suffix=i18n.weekday(entry.due_date))


def bar(part: Decimal, whole: Decimal) -> int | None:
    """Per cent of the whole for the bar under a figure; none where there is no whole."""
    return None if whole <= 0 else max(0, min(100, int(part * 100 / whole)))


def seconds(day: date) -> int:
    """Midnight UTC of a day, as the chart's axis counts."""
    return int(datetime.combine(day, time(0), UTC).timestamp())


def chart_of(
    line: BoardLine, entries: Sequence[Entry], received: Sequence[tuple[date, Decimal]], span: Window
) -> Chart:
    """The cumulative curves of one part from twelve weeks back to the end of the window."""
    start, end = span.first - timedelta(weeks=12), span.end
    curves = {
        "planned": cumulative_points((e.due_date, e.ordered) for e in entries),
        "delivered": cumulative_points(received),
        "confirmed": cumulative_points((e.due_date, max(e.confirmed, e.received)) for e in entries),
    }
    answered = any(e.confirmed for e in entries)
    days, series = aligned(curves, start, end, {"delivered": span.today})
    data = {
        "x": [seconds(day) for day in days],
        "planned": plain(series["planned"]),
        "delivered": plain(series["delivered"]),
        "cover": plain(series["confirmed"]) if answered else None,
        "zones": zone_bands(span.today, span.fences, span.end),
        "today": seconds(span.today),
        "words": {
            "planned": _("Planned"),
            "delivered": _("Delivered"),
            "cover": _("Confirmed"),
            "today": _("today").capitalize(),
        },
    }
    rows = [
        ChartRow(i18n.day(day, year=True), *(shown(series[name][n]) for name in ("planned", "delivered", "confirmed")))
        for n, day in enumerate(days)
    ]
    title = f"{line.item_code} {line.description}"
    return Chart(title, json.dumps(data), finding(line, entries, received, span), rows, answered)


def plain(values: Sequence[Decimal | None]) -> list[float | None]:
    """Numbers for drawing only; the table beside the chart keeps the exact ones."""
    return [None if value is None else float(value) for value in values]  # the chart draws pixels


def shown(value: Decimal | None) -> str:
    return "" if value is None else i18n.number(value)


def zone_bands(today: date, fences: Fences, last: date) -> list[dict[str, str | int]]:
    """The zones as bands of a chart that ends on a day."""
    edges = [today, fences.firm_until, fences.tradeoff_until, last]
    return [
        {"key": zone.value, "name": _(name), "from": seconds(begin), "to": seconds(min(end, last))}
        for (zone, name, _rule), begin, end in zip(ZONES, edges, edges[1:], strict=False)
        if begin < min(end, last)
    ]


def finding(line: BoardLine, entries: Sequence[Entry], received: Sequence[tuple[date, Decimal]], span: Window) -> str:
    """What the chart shows, in one sentence."""
    planned = sum((e.ordered for e in entries if e.due_date <= span.today), Decimal(0))
    behind = sum((quantity for _day, quantity in received), Decimal(0)) - planned
    unconfirmed = sum((e.ordered - e.confirmed for e in entries if e.open and e.due_date <= span.end), Decimal(0))
    if behind < 0:
        state = _("{quantity} behind plan.").format(quantity=show_quantity(-behind, line.unit))
    elif behind > 0:
        state = _("{quantity} ahead of plan.").format(quantity=show_quantity(behind, line.unit))
    else:
        state = _("On plan.")
    joint = "" if i18n.language.get() is i18n.Language.ZH else " "
    rest = _("{quantity} of these weeks are not confirmed yet.").format(quantity=show_quantity(unconfirmed, line.unit))
    return f"{state}{joint}{rest}" if unconfirmed > 0 else state
