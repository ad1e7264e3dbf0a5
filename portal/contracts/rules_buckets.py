"""Periods of a fixed quantity at work: their counters, what may still be called, which period a quantity belongs to.

Pure: everything comes in as an argument, and every quantity is in the line's unit. Nothing is clipped: what was called
or received above the agreement shows as a negative remainder.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from portal.contracts.model_buckets import Assignment, EntryKind
from portal.core.errors import Conflict
from portal.core.i18n import N_
from portal.core.quantities import STEPS, UNITS, round_to_unit

ZERO = Decimal(0)
DAY = timedelta(days=1)
K = EntryKind
_start = attrgetter("start")


class OverCeiling(Conflict):
    code = "over-ceiling"
    text = N_(
        "{quantity} {unit} of {item} are more than the period from {first} to {last} still allows: {left} of at most"
        " {high} are left. Call off less, choose another period, or let somebody allow an over-call."
    )


class NoPeriod(Conflict):
    code = "no-period"
    text = N_("No quantity of {item} is agreed for {day}. Choose a day from {first} to {last}.")


class CallOutsideBand(Conflict):
    code = "call-outside-band"
    text = N_("One call-off of {item} is {low} to {high} {unit} in this period, and this one is {quantity}. Change it.")


# Counters ----------------------------------------------------------------------------------------------------------


class Counters(NamedTuple):
    """What one period's entries add up to. Every figure that a page shows of a period is one of these or a sum."""

    called: Decimal = ZERO  # consumed: called less given back
    confirmed: Decimal = ZERO
    shipped: Decimal = ZERO
    received: Decimal = ZERO
    returned: Decimal = ZERO
    invoiced: Decimal = ZERO
    carried_in: Decimal = ZERO
    carried_out: Decimal = ZERO
    over_called: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """Called off and not received yet; negative where more came than was called."""
        return self.called - self.received

    @property
    def over_invoiced(self) -> Decimal:
        """Invoiced beyond what was received: a mark, never a refusal; 0 when nothing is."""
        return max(self.invoiced - self.received, ZERO)


COUNTS: dict[str, tuple[EntryKind, ...]] = {  # which entries a counter adds up, and so what its number opens to
    "called": (K.CALLED, K.RELEASED, K.OPENING_CALLED),
    "confirmed": (K.CONFIRMED,),
    "shipped": (K.SHIPPED, K.OPENING_SHIPPED),
    "received": (K.RECEIVED, K.OPENING_RECEIVED),
    "returned": (K.RETURNED,),
    "invoiced": (K.INVOICED,),
    "carried_in": (K.CARRIED_IN,),
    "carried_out": (K.CARRIED_OUT,),
    "over_called": (K.OVER_CALL, K.TOLERANCE),
}


def count(entries: Iterable[tuple[EntryKind, Decimal]]) -> Counters:
    """The counters of one period from its entries."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for kind, quantity in entries:
        for name, kinds in COUNTS.items():
            if kind in kinds:
                sums[name] += quantity
    return Counters(**sums)


class Standing(StrEnum):
    """Where a period ends if nothing changes."""

    BELOW = "below"
    INSIDE = "inside"
    ABOVE = "above"


class Outlook(NamedTuple):
    """One period with what was carried into it: where it stands, and where it ends if nothing changes."""

    floor: Decimal
    target: Decimal
    ceiling: Decimal
    forecast: Decimal  # to the end of the period: received, and what is called off and still to come
    remaining: Decimal  # of the target, not called off yet; negative when more was called
    completion: Decimal | None  # received of the target; none without a target, never 100 %
    standing: Standing
    gap: Decimal  # below the floor (negative) or above the ceiling (positive), else 0


def outlook(floor: Decimal, target: Decimal, ceiling: Decimal, sums: Counters) -> Outlook:
    """What one period looks like. An over-call raises the ceiling; a carried quantity moves all three."""
    moved = sums.carried_in
    low, aim, high = floor + moved, target + moved, ceiling + moved + sums.over_called
    forecast = sums.called
    gap = min(forecast - low, ZERO) or max(forecast - high, ZERO)
    standing = Standing.BELOW if gap < 0 else Standing.ABOVE if gap > 0 else Standing.INSIDE
    completion = None if aim <= 0 else sums.received / aim
    return Outlook(low, aim, high, forecast, aim + sums.carried_out - sums.called, completion, standing, gap)


# Calling off -------------------------------------------------------------------------------------------------------


class Room(NamedTuple):
    """A locked period as the check needs it."""

    id: UUID
    contract_line_id: UUID
    start: date
    end: date
    target: Decimal
    ceiling: Decimal
    unit: str
    consumed: Decimal
    allowance: Decimal  # carried and over-called
    tolerance_used: Decimal


class Call(NamedTuple):
    """So much to be called off from one line of the contract."""

    line_id: UUID  # the schedule line
    contract_line_id: UUID
    item: str
    due: date
    quantity: Decimal
    generated: bool = False  # from the fixed quantity, not by hand
    agreed: bool = False  # a change that is decided: the band of one call was looked at then


class CallLimits(NamedTuple):
    """What the contract says beside the periods' own limits, in per cent."""

    over_call: Decimal = ZERO  # of the original ceiling
    low: Decimal | None = None  # one call, of its period's target
    high: Decimal | None = None


class Posting(NamedTuple):
    """One entry of the ledger to be."""

    bucket_id: UUID
    kind: EntryKind
    quantity: Decimal
    line_id: UUID | None = None


def highest(ceiling: Decimal, over_call_percent: Decimal, unit: str) -> Decimal:
    """The original ceiling with the over-call tolerance, rounded down to the unit.

    The tolerance is on the original total and never on what remains. Test: 100 with 10 %: 50, then 60 passes; after
    110 nothing.
    """
    if not over_call_percent:
        return ceiling
    step = STEPS[unit]
    return max((ceiling * (100 + over_call_percent) / 100).quantize(step, ROUND_FLOOR), ceiling)


def left_in(room: Room, over_call_percent: Decimal) -> Decimal:
    """What may still be called off in a period; negative where more was called than is allowed now."""
    return highest(room.ceiling, over_call_percent, room.unit) + room.allowance - room.consumed


Spans = Mapping[UUID, tuple[date, date]]  # of a line with periods: the first day and the day after the last


def take(calls: Iterable[Call], rooms: Sequence[Room], limits: CallLimits, spans: Spans) -> list[Posting]:
    """The entries of calls that are made together, in order of their days. All of them fit, or the first that does
    not is refused with the figure that is left: OverCeiling, NoPeriod or CallOutsideBand.

    rooms: the periods that hold the calls' days. A line that has no periods at all, so no span, is a pure call-off and
    has no entry; a day between or beside the periods of another is refused. What goes above the ceiling inside the
    over-call tolerance is an entry of its own. A generated delivery may hold the quantity of periods just before it in
    which no day is worked; that part counts where it belongs, as long as nothing was called off there.
    """
    by_line = _by_line(rooms)
    found: list[Posting] = []
    if not by_line and not spans:
        return found  # pure call-offs, all of them
    for call in sorted(calls, key=attrgetter("due", "line_id")):
        if call.contract_line_id in by_line or call.contract_line_id in spans:
            found += _take(call, by_line.get(call.contract_line_id, []), limits, spans)
    return found


def uncovered(calls: Iterable[Call], rooms: Sequence[Room]) -> set[UUID]:
    """The lines of the contract with a call whose day is in none of these periods."""
    held = _by_line(rooms)
    return {call.contract_line_id for call in calls if _holding(held.get(call.contract_line_id, ()), call.due) is None}


def _by_line(rooms: Iterable[Room]) -> dict[UUID, list[Room]]:
    """The periods of each line of the contract, in the order of their days."""
    found: dict[UUID, list[Room]] = {}
    for room in sorted(rooms, key=_start):
        found.setdefault(room.contract_line_id, []).append(room)
    return found


def _holding(places: Sequence[Room], day: date) -> int | None:
    """Which of a line's periods holds a day; they follow each other."""
    at = bisect_right(places, day, key=_start) - 1
    return at if at >= 0 and day < places[at].end else None


def no_period(call: Call, spans: Spans) -> NoPeriod:
    """The refusal of a day beside or between the periods of its line."""
    first, end = spans[call.contract_line_id]
    return NoPeriod(field="due_date", item=call.item, day=call.due, first=first, last=end - DAY)


def _take(call: Call, places: list[Room], limits: CallLimits, spans: Spans) -> list[Posting]:
    at = _holding(places, call.due)
    if at is None:
        raise no_period(call, spans)
    _check_call_band(call, places[at], limits)
    found = []
    rest = call.quantity
    here = at
    while call.generated and here > 0 and rest > left_in(places[here], limits.over_call) > 0:
        before = places[here - 1]
        if before.consumed != 0 or before.end != places[here].start:
            break
        room = places[here]
        amount = min(left_in(room, limits.over_call), max(room.target - room.consumed, ZERO)) or left_in(
            room, limits.over_call
        )
        found += _fill(places, here, call.line_id, amount)
        rest, here = rest - amount, here - 1
    room = places[here]
    left = left_in(room, limits.over_call)
    if rest > left:
        raise OverCeiling(
            field="quantity", quantity=call.quantity, unit=UNITS[room.unit][1], item=call.item, first=room.start,
            last=room.end - DAY, left=left, high=left + room.consumed,
        )  # fmt: skip
    return found + _fill(places, here, call.line_id, rest)


def _check_call_band(call: Call, room: Room, limits: CallLimits) -> None:
    """Raise CallOutsideBand. A band of one call stands beside the band of its period, and a generated one has none."""
    if call.generated or call.agreed:
        return
    low, high = call_band(room.target, room.ceiling, limits, room.unit)
    if not within_call_band(call.quantity, room.target, room.ceiling, limits, room.unit):
        unit = UNITS[room.unit][1]
        raise CallOutsideBand(
            field="quantity", item=call.item, low=low, high=high, unit=unit, quantity=call.quantity
        )  # fmt: skip


def call_band(target: Decimal, ceiling: Decimal, limits: CallLimits, unit: str) -> tuple[Decimal, Decimal]:
    """The smallest and the largest quantity of one call in a period."""
    low = round_to_unit(target * (limits.low or ZERO) / 100, unit)
    return low, ceiling if limits.high is None else round_to_unit(target * limits.high / 100, unit)


def within_call_band(quantity: Decimal, target: Decimal, ceiling: Decimal, limits: CallLimits, unit: str) -> bool:
    """Whether one call keeps to its own band; without such a band every call does."""
    low, high = call_band(target, ceiling, limits, unit)
    return (limits.low is None and limits.high is None) or low <= quantity <= high


def missing_room(calls: Iterable[Call], rooms: Sequence[Room], limits: CallLimits) -> dict[UUID, Decimal]:
    """By period, how much more must be allowed so that all these calls fit; periods with room enough are left out."""
    wanted: dict[UUID, Decimal] = defaultdict(Decimal)
    for call in calls:
        for room in rooms:
            if room.contract_line_id == call.contract_line_id and room.start <= call.due < room.end:
                wanted[room.id] += call.quantity
    lacking = {room.id: wanted[room.id] - left_in(room, limits.over_call) for room in rooms if room.id in wanted}
    return {period: quantity for period, quantity in lacking.items() if quantity > 0}


def _fill(places: list[Room], at: int, line_id: UUID, quantity: Decimal) -> list[Posting]:
    """Write one call into one period, and what of it is above the ceiling beside it."""
    room = places[at]
    consumed = room.consumed + quantity
    above = max(consumed - room.ceiling - room.allowance - room.tolerance_used, ZERO)
    places[at] = room._replace(consumed=consumed, tolerance_used=room.tolerance_used + above)
    found = [Posting(room.id, K.CALLED, quantity, line_id)]
    return [*found, Posting(room.id, K.TOLERANCE, above, line_id)] if above else found


# To which period goods belong --------------------------------------------------------------------------------------


class Filled(NamedTuple):
    """A period of the line with what may still be put into it."""

    id: UUID
    start: date
    end: date
    closed: bool
    waits_for: Decimal  # called off and not yet shipped, or shipped and not yet received
    holds: Decimal  # shipped, or received, so far


def spread(
    quantity: Decimal, day: date, own: UUID, rule: Assignment, places: Sequence[Filled]
) -> list[tuple[UUID, Decimal]]:
    """Over which periods goods are split.

    By the requested date all of them belong to the period in which the delivery was called off (`own`). By despatch or
    receipt they first fill what older periods that are still open wait for, the oldest first; the rest counts in the
    period of the day, or where there is none in `own`. A negative quantity takes back, the newest first.
    """
    if rule is Assignment.REQUESTED or not quantity:
        return [(own, quantity)] if quantity else []
    ordered = sorted(places, key=lambda place: place.start)
    if quantity < 0:
        return _take_back(-quantity, own, ordered)
    home = next((place.id for place in ordered if place.start <= day < place.end), own)
    found: dict[UUID, Decimal] = {}
    for place in ordered:
        if place.closed or place.start > day or quantity <= 0:
            continue
        amount = min(quantity, max(place.waits_for, ZERO))
        if amount > 0:
            found[place.id] = amount
            quantity -= amount
    if quantity > 0:
        found[home] = found.get(home, ZERO) + quantity
    return list(found.items())


def _take_back(quantity: Decimal, own: UUID, ordered: Sequence[Filled]) -> list[tuple[UUID, Decimal]]:
    found: dict[UUID, Decimal] = {}
    for place in reversed(ordered):
        amount = min(quantity, max(place.holds, ZERO))
        if amount > 0:
            found[place.id] = -amount
            quantity -= amount
    if quantity > 0:
        found[own] = found.get(own, ZERO) - quantity
    return list(found.items())
