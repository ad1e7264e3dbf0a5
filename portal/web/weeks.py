"""The weeks of a board and the zones over them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from portal.core import i18n
from portal.core.i18n import _
from portal.core.states import Side
from portal.schedules.model import Zone
from portal.schedules.reads_calendars import Closed
from portal.schedules.rules import Fences
from portal.schedules.words import ZONES
from portal.web.views import WeekColumn, ZoneSpan

DEFAULT_FENCES = (28, 63)


class Window(Struct, frozen=True):
    """The weeks of a board and where its zones end."""

    today: date
    first: date  # Monday of this week
    weeks: int
    fences: Fences

    @property
    def end(self) -> date:
        return self.first + timedelta(weeks=self.weeks)

    def mondays(self) -> list[date]:
        return [self.first + timedelta(weeks=n) for n in range(self.weeks)]

    def zone_of(self, monday: date) -> Zone:
        """A week takes the zone of its Monday; the week that runs, that of today."""
        return self.fences.zone(max(monday, self.today))


def window(today: date, weeks: int, released_on: date | None, days: tuple[int, int]) -> Window:
    """Zones count from the release date; without a release from today."""
    start = released_on or today
    fences = Fences(start + timedelta(days=days[0]), start + timedelta(days=days[1]))
    return Window(today, today - timedelta(days=today.weekday()), weeks, fences)


def zone_spans(span: Window, band: Decimal | None) -> tuple[ZoneSpan, ...]:
    """The zones over their weeks."""
    zones = [span.zone_of(monday) for monday in span.mondays()]
    agreed = i18n.number(band) if band is not None else None
    return tuple(
        ZoneSpan(zone.value, _(name), rule_text(rule, agreed), zones.count(zone))
        for zone, name, rule in ZONES
        if zone in zones
    )


def rule_text(rule: str, band: str | None) -> str:
    if "{percent}" not in rule:
        return _(rule)
    return _(rule).format(percent=band) if band is not None else _("By agreement")


def week_columns(span: Window, closed: Mapping[date, Sequence[Closed]] | None = None) -> tuple[WeekColumn, ...]:
    columns = []
    for monday in span.mondays():
        iso = monday.isocalendar()
        label, code = i18n.week(monday), f"{iso.year}-W{iso.week:02}"
        week = (monday + timedelta(days=n) for n in range(7))
        shut = " · ".join(closed_words(one) for day in week for one in (closed or {}).get(day, ()))
        columns.append(WeekColumn(label, i18n.day(monday), code, monday == span.first, shut))
    return tuple(columns)


def closed_words(one: Closed) -> str:
    """1 Oct, the buyer: National Day."""
    side = _("the buyer is closed") if one.side is Side.BUYER else _("the seller is closed")
    return f"{i18n.day(one.day)} {side}" + (f": {_(one.name)}" if one.name else "")
