"""Lines that are split, joined or exchanged on the same cumulative curve: which they are, and who goes on with what was
promised.

Pure. The curve is that of one contract line at one place and price. Nothing that was asked for has changed there, so
the seller is not asked again: what it promised goes on with the lines that make the curve now.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from portal.core.quantities import round_to_unit
from portal.schedules.rules import limits
from portal.schedules.rules_difference import level_steps

ZERO = Decimal(0)


class Step(NamedTuple):
    """One day of one curve."""

    part_id: UUID  # the contract line
    place: str
    price: Decimal | None
    day: date


class Member(NamedTuple):
    """A line that changes: its step and quantity as told and as wanted; none where it was or will not be there.

    barred: an answer to it waits or is a refusal, or more was shipped than is wanted; so it is asked anew.
    """

    line_id: UUID
    before: tuple[Step, Decimal] | None
    after: tuple[Step, Decimal] | None
    barred: bool = False


def regrouped(members: Sequence[Member], until: date | None = None) -> set[UUID]:
    """The lines whose change leaves every day of the curve as it was. until: the last day that is spoken of."""
    barred = {
        end[0]
        for member in members
        for end in (member.before, member.after)
        if end is not None and (member.barred or (until is not None and end[0].day > until))
    }
    level = level_steps([(member.before, member.after) for member in members], barred)
    return {
        member.line_id
        for member in members
        if all(end is None or end[0] in level for end in (member.before, member.after))
    }


class Promised(NamedTuple):
    """So much was promised for a day; row: the stored part that it comes from."""

    quantity: Decimal
    day: date
    row: UUID


class Wanted(NamedTuple):
    """A line that makes the step now."""

    line_id: UUID
    quantity: Decimal
    under_percent: Decimal
    over_percent: Decimal
    unit: str


def hand_on(promised: Iterable[Promised], lines: Sequence[Wanted]) -> dict[UUID, list[Promised]] | None:
    """What each line goes on with, the earliest promise with the first line; none where it does not fit into them.

    What was promised in full, inside tolerance, is shared by quantity, so that all stay confirmed where the unit lets
    them; less fills one line after the other. 60 of 100 promised, split into 60 and 40: 60 and nothing. 98 of 100 with
    5 % under-delivery: 59 and 39.
    """
    queue = sorted(promised, key=lambda part: (part.day, part.row))
    total = sum((part.quantity for part in queue), ZERO)
    shares = _shares(total, lines)
    if any(share > limits(line.quantity, ZERO, line.over_percent, line.unit).high for share, line in shares):
        return None
    return {line.line_id: _taken(queue, share) for share, line in shares}


def _shares(total: Decimal, lines: Sequence[Wanted]) -> list[tuple[Decimal, Wanted]]:
    asked = sum((line.quantity for line in lines), ZERO)
    full = bool(lines) and total >= limits(asked, lines[0].under_percent, ZERO, lines[0].unit).low
    found, before, given = [], ZERO, ZERO
    for line in lines:
        before += line.quantity
        reached = round_to_unit(total * before / asked, line.unit) if full else min(total, before)
        found.append((reached - given, line))
        given = reached
    return found


def _taken(queue: list[Promised], share: Decimal) -> list[Promised]:
    """Take a share from the front of the queue; a promise is cut where the share ends."""
    found = list[Promised]()
    while share > 0 and queue:
        part = queue.pop(0)
        taken = min(part.quantity, share)
        found.append(part._replace(quantity=taken))
        share -= taken
        if taken < part.quantity:
            queue.insert(0, part._replace(quantity=part.quantity - taken))
    return found
