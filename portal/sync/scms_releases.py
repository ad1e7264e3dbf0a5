"""The releases that a history of deliveries would have had: one a week and contract, each from what was known then.

On a day known is what was ordered by then and not delivered by then, with the day it was scheduled for. Nothing of
a later order, and no later delivery, has a say, so moving a later row changes no earlier release.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from portal.contracts.model import DayUnit
from portal.core.calendars import WorkingCalendar
from portal.schedules import rules
from portal.schedules.rules_difference import Frozen
from portal.schedules.rules_stability import Steadiness, ZoneOn, steadiness
from portal.sync.scms_file import ScmsFile

FIRM_DAYS, TRADEOFF_DAYS = 28, 63
WEEK = timedelta(days=7)
Releases = dict[int, list[Frozen]]  # by contract, the lines of one day


def weekly(file: ScmsFile, first: date, weeks: int = 52) -> Iterator[tuple[date, Releases]]:
    """The releases of every contract that has open lines, week by week from the first day on."""
    lines = [
        (ordered, received, contract, Frozen(_line_id(external), _part_id(part), due, quantity))
        for ordered, received, contract, external, part, due, quantity in _rows(file)
    ]
    for number in range(weeks):
        day = first + WEEK * number
        known: Releases = defaultdict(list)
        for ordered, received, contract, line in lines:
            if ordered <= day and (received is None or received > day):
                known[contract].append(line)
        yield day, {contract: sorted(found) for contract, found in sorted(known.items())}


def as_bytes(day: date, lines: list[Frozen]) -> bytes:
    """One release as it would be kept: its lines with the zone of the day."""
    ends = fences(day)
    return msgspec.json.encode([[*line, ends.zone(line.due).value] for line in lines])


def fences(day: date) -> rules.Fences:
    """Where the zones of a release end by the set's own terms."""
    return rules.fences(day, FIRM_DAYS, TRADEOFF_DAYS, DayUnit.CALENDAR, WorkingCalendar())


def steadiness_by_contract(file: ScmsFile, first: date, weeks: int = 52) -> dict[int, Steadiness]:
    """What changed from week to week, by contract."""
    received = {_line_id(external): on for _, on, _, external, *_ in _rows(file)}
    found: dict[int, Steadiness] = defaultdict(Steadiness)
    former: tuple[date, Releases] | None = None
    for day, releases in weekly(file, first, weeks):
        for contract, lines in releases.items():
            if former is None or contract not in former[1]:
                continue
            before, now = fences(former[0]), fences(day)
            kept = [line for line in former[1][contract] if not _by(received[line.line_id], day)]
            found[contract] = found[contract].plus(steadiness(kept, lines, day, _zone(before), _zone(now)))
        former = (day, releases)
    return dict(found)


def steadiness_by_partner(
    file: ScmsFile, found: Mapping[int, Steadiness], direction: str = "sale"
) -> dict[str, Steadiness]:
    """The same by partner: what its contracts of one direction add up to."""
    sums: dict[str, Steadiness] = defaultdict(Steadiness)
    for contract, one in found.items():
        if file.contracts[contract].direction == direction:
            name = file.partner(contract).name
            sums[name] = sums[name].plus(one)
    return dict(sorted(sums.items()))


def told(by_partner: Mapping[str, Steadiness]) -> Iterator[str]:
    """One row a partner: releases compared, stability, changed firm lines and the mean notice in days."""
    yield f"{'Customer':<32} {'Pairs':>6} {'Stability':>10} {'Firm lines':>11} {'Notice, days':>13}"
    for name, one in by_partner.items():
        stability = "-" if one.stability is None else f"{one.stability:.1%}"
        notice = "-" if one.mean_notice is None else f"{one.mean_notice:.1f}"
        yield f"{name[:32]:<32} {one.pairs:>6} {stability:>10} {one.firm_lines:>11} {notice:>13}"


def _rows(file: ScmsFile) -> Iterator[tuple[date, date | None, int, str, str, date, Decimal]]:
    """(ordered, received, contract, external id, contract line, due, quantity) of every line."""
    lines = file.lines
    columns = (lines.order_date, lines.received_on, lines.contract_line, lines.external_id, lines.due, lines.quantity)
    for ordered, received, at, external, due, quantity in zip(*columns, strict=True):
        part = file.contract_lines[at]
        yield ordered, received, part.contract, external, part.external_id, due, quantity


def _line_id(external: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"scms line {external}")


def _part_id(external: str) -> UUID:
    return uuid5(NAMESPACE_OID, f"scms part {external}")


def _zone(ends: rules.Fences) -> ZoneOn:
    return lambda line: ends.zone(line.due)


def _by(received: date | None, day: date) -> bool:
    return received is not None and received <= day
