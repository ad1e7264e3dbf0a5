"""What changed between two releases of one contract: per delivery, and cumulative per contract line.

A delivery is the same in both when it carries the same line; a line that was made anew for the same contract line and
day stands for the one it replaces, because two lines without a time on one day mean nothing different. Applying the
difference to the earlier release gives the later one.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple, TypeVar
from uuid import UUID

ZERO = Decimal(0)
Key = tuple[UUID, date]  # contract line and day
Step = TypeVar("Step", bound=Hashable)


class Frozen(NamedTuple):
    """One line of a release: so much of a contract line on a day. quantity: in the contract line's unit."""

    line_id: UUID  # the schedule line
    part_id: UUID  # the contract line
    due: date
    quantity: Decimal


class ChangeKind(StrEnum):
    NEW = "new"
    GONE = "gone"  # absent from the later release: it is no longer asked for
    UP = "up"
    DOWN = "down"
    MOVED = "moved"  # same quantity, another day; a line that also changed its quantity is up or down
    REGROUPED = "regrouped"  # split or joined: other lines make the same step of the cumulative curve
    SAME = "same"


class LineChange(NamedTuple):
    """One delivery beside what it was. One of the two is there."""

    kind: ChangeKind
    before: Frozen | None
    after: Frozen | None

    @property
    def delta(self) -> Decimal:
        """+ more, - less is asked for in all."""
        return (self.after.quantity if self.after else ZERO) - (self.before.quantity if self.before else ZERO)

    @property
    def days(self) -> int:
        """+ later, - earlier; 0 where only one side is there."""
        return (self.after.due - self.before.due).days if self.after and self.before else 0

    @property
    def there(self) -> Frozen:
        """The later one, or the earlier one of what is gone."""
        found = self.after or self.before
        assert found is not None, "a change has a side"
        return found


class PartChange(NamedTuple):
    """The difference of the cumulative curves of one contract line: new less old."""

    part_id: UUID
    total: Decimal  # at the end of both
    most: Decimal  # the largest difference on the way, with its sign
    most_on: date


class Difference(NamedTuple):
    """All that is different, with what is the same."""

    lines: list[LineChange]  # by day, what is gone after what is there; else as the later release has them
    parts: list[PartChange]  # contract lines whose cumulative curve changed at any day

    def count(self, kind: ChangeKind) -> int:
        return sum(1 for change in self.lines if change.kind is kind)

    @property
    def counts(self) -> dict[ChangeKind, int]:
        found = Counter(change.kind for change in self.lines)
        return {kind: found[kind] for kind in ChangeKind}

    @property
    def changed(self) -> bool:
        return any(change.kind is not ChangeKind.SAME for change in self.lines)


def compare(before: Iterable[Frozen], after: Iterable[Frozen]) -> Difference:
    """The difference of two releases, each line of either in exactly one change."""
    old = {line.line_id: line for line in before}
    pairs = [(old.pop(line.line_id, None), line) for line in after]
    left: dict[Key, list[Frozen]] = defaultdict(list)
    for line in old.values():
        left[line.part_id, line.due].append(line)
    changes = []
    for was, line in pairs:
        replaced = left.get((line.part_id, line.due)) if was is None and left else None
        changes.append(_change(replaced.pop() if replaced else was, line))
    changes += [_change(line, None) for lines in left.values() for line in lines]
    changes.sort(key=_day)  # in order already but for what is gone: comparing ids would cost more than all the rest
    steps = _steps(changes)
    if any(not rise for days in steps.values() for rise in days.values()):
        changes = _regrouped(changes)
    return Difference(changes, _parts(steps))


def _day(change: LineChange) -> date:
    return change.there.due


def _change(before: Frozen | None, after: Frozen | None) -> LineChange:
    if before is None:
        return LineChange(ChangeKind.NEW, None, after)
    if after is None:
        return LineChange(ChangeKind.GONE, before, None)
    if after.quantity != before.quantity:
        kind = ChangeKind.UP if after.quantity > before.quantity else ChangeKind.DOWN
    else:
        kind = ChangeKind.MOVED if after.due != before.due else ChangeKind.SAME
    return LineChange(kind, before, after)


def _regrouped(changes: list[LineChange]) -> list[LineChange]:
    """Lines that were split, joined or exchanged without a change of the curve are no increase, decrease or move."""
    at = [n for n, change in enumerate(changes) if change.kind is not ChangeKind.SAME]
    moves = [(_step(changes[n].before), _step(changes[n].after)) for n in at]
    level = level_steps(moves)
    for n, ends in zip(at, moves, strict=True):
        if level and all(end is None or end[0] in level for end in ends):
            changes[n] = changes[n]._replace(kind=ChangeKind.REGROUPED)
    return changes


def _step(line: Frozen | None) -> tuple[Key, Decimal] | None:
    return ((line.part_id, line.due), line.quantity) if line else None


def level_steps(
    moves: Sequence[tuple[tuple[Step, Decimal] | None, tuple[Step, Decimal] | None]], barred: Iterable[Step] = ()
) -> set[Step]:
    """The steps of a curve that keep their height although their lines change.

    moves: each changed line's step and quantity before and after; none where it was or is not there. A step does not
    count when one of its lines also touches a step that does not keep its height, or a barred one.
    """
    rise: dict[Step, Decimal] = defaultdict(Decimal)
    for before, after in moves:
        if before:
            rise[before[0]] -= before[1]
        if after:
            rise[after[0]] += after[1]
    level = {step for step, quantity in rise.items() if not quantity} - set(barred)
    while True:
        touched = [{end[0] for end in ends if end} for ends in moves]
        left = {step for steps in touched if not steps <= level for step in steps}
        if not left & level:
            return level
        level -= left


def _steps(changes: Sequence[LineChange]) -> dict[UUID, dict[date, Decimal]]:
    """By contract line and day, how much more is asked for."""
    steps: dict[UUID, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for change in changes:
        if change.kind is ChangeKind.SAME:
            continue
        if change.before:
            steps[change.before.part_id][change.before.due] -= change.before.quantity
        if change.after:
            steps[change.after.part_id][change.after.due] += change.after.quantity
    return steps


def _parts(steps: Mapping[UUID, Mapping[date, Decimal]]) -> list[PartChange]:
    found = []
    for part_id, days in steps.items():
        curve = _running(days.items())
        if any(quantity for _, quantity in curve):
            day, most = max(curve, key=lambda point: abs(point[1]))
            found.append(PartChange(part_id, curve[-1][1], most, day))
    return found


def _running(steps: Iterable[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    total, curve = ZERO, list[tuple[date, Decimal]]()
    for day, quantity in sorted(steps, key=itemgetter(0)):
        total += quantity
        curve.append((day, total))
    return curve


def apply(before: Iterable[Frozen], difference: Difference) -> list[Frozen]:
    """The later release from the earlier one and the difference between them, in the difference's order."""
    known = set(before)
    missing = [change.before for change in difference.lines if change.before and change.before not in known]
    if missing:
        raise ValueError(f"{len(missing)} lines of the difference are not in the release")
    return [change.after for change in difference.lines if change.after]
