"""How steady the sender of releases is: what changed from one release to the next where the other side already acts.

Reported against the sender, never against the one who has to follow. Lines that were delivered meanwhile count nowhere.
"""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from portal.core.i18n import N_
from portal.schedules.model import Zone
from portal.schedules.rules_difference import ChangeKind, Frozen, LineChange, compare

DEFINITION = N_(
    "Schedule stability is 1 less the changes divided by what the release before asked for, over firm and trade-off "
    "deliveries: a change of quantity counts with its difference, a delivery that is new, gone or on another day with "
    "its whole quantity; below zero more changed than was asked for. Changed firm deliveries were firm before or "
    "became firm at once. Notice is the days from the release that changed a delivery to its earlier day, on average. "
    "What was delivered and what the seller asked for does not count."
)
ZERO = Decimal(0)
ZoneOn = Callable[[Frozen], Zone]


class Steadiness(NamedTuple):
    """Sums over pairs of releases, so that those of many contracts add up."""

    asked: Decimal = ZERO  # firm and trade-off, by the release before
    changed: Decimal = ZERO
    firm_lines: int = 0  # changed ones
    notice_days: int = 0  # in all, over `changes`
    changes: int = 0
    pairs: int = 0

    def plus(self, other: "Steadiness") -> "Steadiness":
        """Both together."""
        return Steadiness(
            self.asked + other.asked,
            self.changed + other.changed,
            self.firm_lines + other.firm_lines,
            self.notice_days + other.notice_days,
            self.changes + other.changes,
            self.pairs + other.pairs,
        )

    @property
    def stability(self) -> Decimal | None:
        """1: nothing changed; none: nothing was asked for."""
        return 1 - self.changed / self.asked if self.asked else None

    @property
    def mean_notice(self) -> Decimal | None:
        """Days; none: nothing changed."""
        return Decimal(self.notice_days) / self.changes if self.changes else None


def steadiness(
    before: Iterable[Frozen], after: Iterable[Frozen], released_on: date, zone_before: ZoneOn, zone_now: ZoneOn
) -> Steadiness:
    """One pair of successive releases. before: without what was delivered since; released_on: of the later one."""
    old, new = list(before), list(after)
    near = [line for line in old if zone_before(line) is not Zone.FORECAST]
    found = Steadiness(asked=sum((line.quantity for line in near), ZERO), pairs=1)
    for change in compare(old, new).lines if old != new else ():
        if change.kind in (ChangeKind.SAME, ChangeKind.REGROUPED):
            continue
        zones = [zone_before(change.before)] if change.before else []
        zones += [zone_now(change.after)] if change.after else []
        if all(zone is Zone.FORECAST for zone in zones):
            continue
        firm = Zone.FIRM in zones
        notice = max((_day(change) - released_on).days, 0)
        found = found.plus(Steadiness(ZERO, _moved(change), int(firm), notice, 1))
    return found


def _moved(change: LineChange) -> Decimal:
    if change.before and change.after and change.before.due == change.after.due:
        return abs(change.delta)
    return change.there.quantity


def _day(change: LineChange) -> date:
    return min(line.due for line in (change.before, change.after) if line is not None)
