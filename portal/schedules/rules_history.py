"""The releases that a history of deliveries would have had: one a week and contract, each from what was known then.

On a day known is what was ordered by then and not delivered by then, with the day it was scheduled for. Nothing of
a later order, and no later delivery, has a say, so moving a later row changes no earlier release. Pure.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec

from portal.contracts.model import DayUnit
from portal.core.calendars import WorkingCalendar
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.schedules import rules
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_stability import Steadiness, ZoneOn, steadiness

DEFINITION = N_(
    "From the imported history one release a week is made for each contract, from what was ordered and not yet "
    "delivered on its day; zones end after 28 and 63 calendar days. A history keeps the last day and quantity of each "
    "delivery, so what changes here is what was ordered late."
)
FIRM_DAYS, TRADEOFF_DAYS = 28, 63
WEEK = timedelta(days=7)
MOST_WEEKS = 520
Contract = TypeVar("Contract", int, UUID)


class TooManyWeeks(Invalid):
    code = "too-many-weeks"
    text = N_("{since} to {until} is more than {most} weeks. Choose days that lie nearer to each other.")


class Known(NamedTuple, Generic[Contract]):
    """One delivery of a history: when it was ordered, when it had come whole (none: it has not), and what it is."""

    ordered: date
    received: date | None
    contract: Contract
    line: Frozen


def weeks_of(since: date, until: date) -> int:
    """How many weekly releases there are from one day to another, both inclusive. Raises TooManyWeeks."""
    count = max((until - since).days // 7 + 1, 0)
    if count > MOST_WEEKS:
        raise TooManyWeeks(field="since", since=since, until=until, most=MOST_WEEKS)
    return count


def weekly(
    history: Sequence[Known[Contract]], first: date, weeks: int = 52
) -> Iterator[tuple[date, dict[Contract, list[Frozen]]]]:
    """The releases of every contract that has open lines, week by week from the first day on."""
    last = first + WEEK * max(weeks - 1, 0)
    open_ones = [one for one in history if one.ordered <= last and (one.received is None or one.received > first)]
    open_ones.sort(key=lambda one: (one.contract, one.line))
    for number in range(weeks):
        day = first + WEEK * number
        known: dict[Contract, list[Frozen]] = defaultdict(list)
        for ordered, received, contract, line in open_ones:
            if ordered <= day and (received is None or received > day):
                known[contract].append(line)
        yield day, dict(known)


def as_bytes(day: date, lines: list[Frozen]) -> bytes:
    """One release as it would be kept: its lines with the zone of the day."""
    ends = fences(day)
    return msgspec.json.encode([[*line, ends.zone(line.due).value] for line in lines])


def fences(day: date) -> rules.Fences:
    """Where the zones of a release end by the terms of imported history."""
    return rules.fences(day, FIRM_DAYS, TRADEOFF_DAYS, DayUnit.CALENDAR, WorkingCalendar())


def steadiness_by_contract(
    history: Sequence[Known[Contract]], first: date, weeks: int = 52
) -> dict[Contract, Steadiness]:
    """What changed from week to week, by contract."""
    received = {known.line.line_id: known.received for known in history}
    found: dict[Contract, Steadiness] = defaultdict(Steadiness)
    before: Mapping[Contract, list[Frozen]] = {}
    zone_before = _zone(first)
    for day, releases in weekly(history, first, weeks):
        zone_now = _zone(day)
        for contract, lines in releases.items():
            if contract in before:
                kept = [line for line in before[contract] if not _by(received[line.line_id], day)]
                found[contract] = found[contract].plus(steadiness(kept, lines, day, zone_before, zone_now))
        before, zone_before = releases, zone_now
    return dict(found)


def _zone(day: date) -> ZoneOn:
    ends = fences(day)
    return lambda line: ends.zone(line.due)


def _by(received: date | None, day: date) -> bool:
    return received is not None and received <= day
