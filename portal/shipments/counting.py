"""From what a person at the dock enters to the figures of a receipt: which lines, how many, within which limits."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from pydantic import Field, model_validator

from portal.core import clock
from portal.core.calendars import local_today
from portal.core.days import Day
from portal.core.errors import NotFound, Reading
from portal.core.i18n import N_
from portal.core.inputs import Input, Unfit
from portal.core.quantities import check_scale
from portal.schedules.service_booking import Deliveries
from portal.shipments import rules, rules_documents
from portal.shipments.model import Problem, ReceiptLine, Shipment, ShipmentLine
from portal.shipments.rules import Count
from portal.shipments.service import at


class CountedLine(Input):
    """What arrived of one line of the delivery note. Either `good` pieces and what happened to the rest, or the three
    figures `counted` = `accepted` + `rejected`. Neither: all as announced."""

    shipment_line_id: UUID
    good: Decimal | None = Field(default=None, max_digits=18, decimal_places=6, examples=["760"])
    counted: Decimal | None = Field(default=None, max_digits=18, decimal_places=6)
    accepted: Decimal | None = Field(default=None, max_digits=18, decimal_places=6)
    rejected: Decimal | None = Field(default=None, max_digits=18, decimal_places=6)
    problem: Problem | None = None
    note: str = Field(default="", max_length=500)

    @model_validator(mode="after")
    def _one_way(self) -> "CountedLine":
        three = [self.counted, self.accepted, self.rejected]
        if any(figure is not None for figure in three) and (None in three or self.good is not None):
            raise Unfit(N_("Give either “good”, or “counted”, “accepted” and “rejected” together."))
        return self


class Receive(Input):
    """The buyer's count. Without lines everything arrived as announced; lines left out wait for another receipt."""

    request_id: UUID | None = Field(default=None, description="Sent twice, it is one receipt; becomes its id")
    received_on: Day | None = Field(default=None, description="Without: today where the contract is kept")
    note: str = Field(default="", max_length=500)
    lines: list[CountedLine] = Field(default=[], max_length=500)


class Counted(NamedTuple):
    """One line of the delivery note with the figures of its receipt line."""

    line: ShipmentLine
    figures: Count
    note: str


def count(line: ShipmentLine, entry: CountedLine | None) -> Count:
    """The figures of one entry, at the unit's precision."""
    if entry is None:
        return rules.count_line(line.quantity, line.quantity)
    if entry.counted is not None and entry.accepted is not None and entry.rejected is not None:
        reading = Reading()
        with reading.part():
            check_scale(entry.accepted, line.unit, "accepted")
        with reading.part():
            check_scale(entry.rejected, line.unit, "rejected")
        reading.done()
        return rules.check_count(line.quantity, entry.counted, entry.accepted, entry.rejected, entry.problem)
    good = line.quantity if entry.good is None else entry.good
    check_scale(good, line.unit, "good")
    return rules.count_line(line.quantity, good, entry.problem)


def counts(mine: Sequence[ShipmentLine], done: set[UUID], data: Receive) -> list[Counted]:
    """The lines that this receipt counts: those named, or all that are not counted yet. Raises what is wrong with any
    of them."""
    if not data.lines:
        return [Counted(line, count(line, None), "") for line in mine if line.id not in done]
    known = {line.id: line for line in mine}
    reading, found = Reading(), list[Counted]()
    for no, entry in enumerate(data.lines):
        if entry.shipment_line_id not in known:
            raise NotFound
        line = known[entry.shipment_line_id]
        rules.check_uncounted(line.id in done)
        done = done | {line.id}
        with reading.part(), at(f"lines.{no}"):
            found.append(Counted(line, count(line, entry), entry.note))
    reading.done()
    return found


def recounts(mine: Sequence[ShipmentLine], old: Mapping[UUID, ReceiptLine], data: Receive) -> list[Counted]:
    """Every line of the former receipt, as counted again or as it was. Raises what is wrong with any of them."""
    entries = {entry.shipment_line_id: (no, entry) for no, entry in enumerate(data.lines)}
    if not entries.keys() <= old.keys() or len(entries) < len(data.lines):
        raise NotFound
    reading, found = Reading(), list[Counted]()
    for line in mine:
        was = old[line.id]
        if line.id not in entries:
            same = Count(was.announced, was.counted, was.accepted, was.rejected, was.short, was.problem)
            found.append(Counted(line, same, was.note))
            continue
        no, entry = entries[line.id]
        with reading.part(), at(f"lines.{no}"):
            found.append(Counted(line, count(line, entry), entry.note))
    reading.done()
    return found


def received_on(data: Receive, shipment: Shipment, lines: Deliveries) -> date:
    """The day of the receipt where the contract is kept: the one entered, or today."""
    zone = next(iter(lines.values())).time_zone
    today = local_today(clock.now(), zone)
    day = data.received_on or today
    rules_documents.check_received_on(day, min(shipment.shipped_on, today), today)
    return day


def check_tolerance(
    lines: Deliveries, counted: Sequence[Counted], old: Mapping[UUID, ReceiptLine] | None = None
) -> None:
    """The accepted total of every schedule line stays within its over-delivery tolerance."""
    accepted = {line.id: line.received_quantity for line in lines.values()}
    for was in (old or {}).values():
        accepted[was.schedule_line_id] -= was.accepted
    reading = Reading()
    for no, entry in enumerate(counted):
        line = lines[entry.line.schedule_line_id]
        good = entry.figures.accepted
        with reading.part(), at(f"lines.{no}"):
            rules.check_receivable(line.ordered_quantity, accepted[line.id], good, line.over_percent, line.unit)
        accepted[line.id] += good
    reading.done()
