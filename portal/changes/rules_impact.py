"""What a change does: zones, periods, cumulative curves, value and notice, and whether anybody must agree.

Pure: everything comes in as an argument. Both companies compute the same sheet from the same agreed figures; what is
the factory's alone is added beside it by `impact.py`. Nothing is clipped.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from portal.changes.model import PartKind, Way
from portal.changes.rules import After, Before, Piece
from portal.changes.rules_pausing import Span
from portal.contracts.rules_buckets import Call, CallLimits, within_call_band
from portal.core.quantities import round_to_unit
from portal.core.states import Side
from portal.schedules.model import Zone
from portal.schedules.rules import Fences
from portal.schedules.rules_cumulative import Entry, cumulative_points

ZERO = Decimal(0)
BINDING = (Zone.FORECAST, Zone.TRADEOFF, Zone.FIRM)  # from the least to the most


class Period(NamedTuple):
    """An agreed period as it stands, with what was carried into it and allowed beyond."""

    id: UUID
    contract_line_id: UUID
    start: date
    end: date  # the first day after it
    low: Decimal
    target: Decimal
    high: Decimal
    called: Decimal
    closed: bool


class Stake(NamedTuple):
    """One delivery of a request with what its contract says about it."""

    part_no: int
    kind: PartKind
    contract_line_id: UUID
    line_id: UUID | None
    before: Before
    after: After
    published: Zone | None  # the zone it was last published in
    fences: Fences  # of a release of today
    below_percent: Decimal  # the band of the contract line
    above_percent: Decimal
    held: Mapping[UUID, Decimal]  # what the delivery takes from which period
    own: UUID | None  # the period it was called off from
    price: Decimal | None  # per unit, before
    price_after: Decimal | None
    pause: Span | None = None  # that covers it


# Zones ----------------------------------------------------------------------------------------------------------------


def zone_before(stake: Stake) -> Zone | None:
    """The more binding one of the zone as published and today's; of an addition none."""
    if stake.kind is PartKind.ADD:
        return None
    return most_binding((stake.published, stake.fences.zone(stake.before.due_date)))


def zone_after(stake: Stake) -> Zone | None:
    """The most binding zone that the delivery is to be in; none where it falls away."""
    return most_binding(stake.fences.zone(piece.due_date) for piece in stake.after.pieces)


def most_binding(zones: Iterable[Zone | None]) -> Zone | None:
    """Firm before trade-off before forecast; none of none."""
    return max((zone for zone in zones if zone is not None), key=BINDING.index, default=None)


# Periods --------------------------------------------------------------------------------------------------------------


class Shift(NamedTuple):
    """By how much one delivery's or a new delivery's call on one period changes."""

    part_no: int
    piece: int  # 0: the delivery itself, from 1 on the new ones
    period_id: UUID
    quantity: Decimal  # signed


def shifts(stake: Stake, periods: Sequence[Period], asker: Side) -> list[Shift]:
    """What a change moves between periods.

    A buyer's wish counts in the period of the new day. A delay that the seller asked for, and a delivery of a period
    that is closed, still count where the buyer called them off: a late delivery never leaves the buyer short of what
    it is bound to take. A delivery for a day without a period changes nothing here; calling it off refuses it.
    """
    mine = [period for period in periods if period.contract_line_id == stake.contract_line_id]
    own = next((period for period in mine if period.id == stake.own), None)
    stays = own is not None and (own.closed or asker is Side.SELLER)
    found: list[Shift] = []
    left = dict(stake.held)
    for no, piece in enumerate(stake.after.pieces):
        home = own if stays else next((p for p in mine if p.start <= piece.due_date < p.end), None)
        if home is None:
            continue
        if no == 0 and home.id == stake.own:
            found += _resized(stake, left, piece)
            left = {}
        else:
            found.append(Shift(stake.part_no, no, home.id, piece.quantity))
    return [Shift(stake.part_no, 0, period, -quantity) for period, quantity in left.items() if quantity] + found


def _resized(stake: Stake, held: Mapping[UUID, Decimal], piece: Piece) -> list[Shift]:
    """The delivery stays in its period: more is called there; less is given back, there first, then elsewhere."""
    assert stake.own is not None
    difference = piece.quantity - sum(held.values(), ZERO)
    if difference >= 0:
        return [Shift(stake.part_no, 0, stake.own, difference)] if difference else []
    found = []
    for period in sorted(held, key=lambda one: one != stake.own):
        taken = min(held[period], -difference)
        if taken > 0:
            found.append(Shift(stake.part_no, 0, period, -taken))
            difference += taken
    return found


class PeriodEffect(NamedTuple):
    """One period before and after."""

    period: Period
    before: Decimal
    after: Decimal

    @property
    def leaves(self) -> bool:
        """Whether the change takes the total out of the band, or further out on the side where it is."""
        low, high = self.period.low, self.period.high
        return (self.after > high and self.after > self.before) or (self.after < low and self.after < self.before)


def period_effects(moved: Iterable[Shift], periods: Sequence[Period]) -> list[PeriodEffect]:
    """The periods whose total changes, in order of their days."""
    sums: dict[UUID, Decimal] = defaultdict(Decimal)
    for shift in moved:
        sums[shift.period_id] += shift.quantity
    touched = [period for period in periods if sums.get(period.id)]
    ordered = sorted(touched, key=lambda period: (period.start, period.id))
    return [PeriodEffect(period, period.called, period.called + sums[period.id]) for period in ordered]


# Who must agree -------------------------------------------------------------------------------------------------------


def way_of(
    asker: Side,
    stakes: Sequence[Stake],
    periods: Sequence[Period],
    effects: Sequence[PeriodEffect],
    limits: CallLimits,
    *,
    carries: bool = False,
) -> Way:
    """Why nobody needs to agree, or why somebody must.

    Where no quantity is agreed for periods, the band of the contract line is on the delivery's own quantity: another
    day is free, 20 % more or less is free at ±20 %, an addition or a cancellation needs the other company.
    """
    if asker is Side.SELLER:
        return Way.SELLER
    if any(Zone.FIRM in (zone_before(stake), zone_after(stake)) for stake in stakes):
        return Way.FIRM
    if any(_terms_change(stake) for stake in stakes):
        return Way.TERMS
    planned = {period.contract_line_id for period in periods}
    if any(effect.leaves for effect in effects):
        return Way.BAND
    for stake in stakes:
        inside = _in_call_band(stake, periods, limits) if stake.contract_line_id in planned else _in_own_band(stake)
        if not inside:
            return Way.BAND
    return Way.CARRY if carries else Way.INSIDE


def _terms_change(stake: Stake) -> bool:
    return (stake.after.place, stake.after.price) != (stake.before.place, stake.before.price)


def _in_own_band(stake: Stake) -> bool:
    total = sum((piece.quantity for piece in stake.after.pieces), ZERO)
    low, high = own_band(stake)
    return stake.kind is not PartKind.ADD and bool(stake.after.pieces) and low <= total <= high


def own_band(stake: Stake) -> tuple[Decimal, Decimal]:
    """The contract line's band around the delivery's own quantity. Test: 600 with ±20 % is 480 to 720."""
    quantity, unit = stake.before.quantity, stake.before.unit
    low = round_to_unit(quantity * (100 - stake.below_percent) / 100, unit)
    return low, round_to_unit(quantity * (100 + stake.above_percent) / 100, unit)


def _in_call_band(stake: Stake, periods: Sequence[Period], limits: CallLimits) -> bool:
    """Whether every part keeps to the band of one call, where the contract has one."""
    for piece in stake.after.pieces:
        home = next(
            (p for p in periods if p.contract_line_id == stake.contract_line_id and p.start <= piece.due_date < p.end),
            None,
        )
        if home is not None and not within_call_band(piece.quantity, home.target, home.high, limits, stake.before.unit):
            return False
    return True


# Figures --------------------------------------------------------------------------------------------------------------


class ZoneDelta(NamedTuple):
    """By how much the quantity in one zone changes: what is bound, and what may still be made or bought."""

    unit: str
    zone: Zone
    quantity: Decimal
    value: Decimal | None


def exposure(stakes: Iterable[Stake]) -> list[ZoneDelta]:
    """By unit and zone, the most binding first; zones without a difference are left out."""
    quantities: dict[tuple[str, Zone], Decimal] = defaultdict(Decimal)
    values: dict[tuple[str, Zone], Decimal | None] = defaultdict(lambda: ZERO)

    def count(unit: str, zone: Zone, quantity: Decimal, price: Decimal | None) -> None:
        quantities[unit, zone] += quantity
        so_far = values[unit, zone]
        values[unit, zone] = None if price is None or so_far is None else so_far + quantity * price

    for stake in stakes:
        unit, zone = stake.before.unit, zone_before(stake)
        if zone is not None:
            count(unit, zone, -stake.before.quantity, stake.price)
        for piece in stake.after.pieces:
            count(unit, stake.fences.zone(piece.due_date), piece.quantity, stake.price_after)
    keys = sorted(quantities, key=lambda key: (key[0], -BINDING.index(key[1])))
    return [ZoneDelta(*key, quantities[key], values[key]) for key in keys if quantities[key]]


def value_delta(stakes: Iterable[Stake]) -> Decimal | None:
    """By how much the value of what is called off changes, in the contract's currency; none without a price."""
    total = ZERO
    for stake in stakes:
        after = sum((piece.quantity for piece in stake.after.pieces), ZERO)
        for quantity, price in ((-stake.before.quantity, stake.price), (after, stake.price_after)):
            if quantity and price is None:
                return None
            total += quantity * (price or ZERO)
    return total


def notice_days(stakes: Iterable[Stake], today: date) -> int | None:
    """Calendar days from today to the first day on which something is different; negative for what is overdue."""
    days = [day for stake in stakes for day in days_touched(stake)]
    return (min(days) - today).days if days else None


def days_touched(stake: Stake) -> list[date]:
    before = () if stake.kind is PartKind.ADD else (Piece(stake.before.quantity, stake.before.due_date),)
    if before == stake.after.pieces:
        return [stake.before.due_date]
    return [piece.due_date for piece in {*before} ^ {*stake.after.pieces}]


class Curve(NamedTuple):
    """The cumulative quantities of one contract line. entries: as it is called off; changes: what the request adds."""

    contract_line_id: UUID
    entries: Sequence[Entry]
    changes: Sequence[Entry]

    @property
    def before(self) -> list[Entry]:
        """The curve as it is."""
        return cumulative_points(self.entries)

    @property
    def after(self) -> list[Entry]:
        """The curve as it would be."""
        return cumulative_points([*self.entries, *self.changes])

    @property
    def widest(self) -> tuple[date, Decimal] | None:
        """The first day with the largest distance, and the distance: + more, - less is called off up to there."""
        return max(cumulative_points(self.changes), key=lambda gap: abs(gap[1]), default=None)


def curve(contract_line_id: UUID, entries: Sequence[Entry], stakes: Iterable[Stake]) -> Curve:
    """Both curves of one contract line. entries: everything called off from it, as it stands."""
    changes: list[Entry] = []
    for stake in stakes:
        if stake.contract_line_id == contract_line_id:
            if stake.line_id is not None:
                changes.append((stake.before.due_date, -stake.before.quantity))
            changes += [(piece.due_date, piece.quantity) for piece in stake.after.pieces]
    return Curve(contract_line_id, entries, changes)


def calls(stake: Stake, moved: Iterable[Shift], periods: Mapping[UUID, Period], ids: Mapping[int, UUID]) -> list[Call]:
    """What is newly called off, period by period. ids: the schedule line of each piece."""
    found = []
    for shift in moved:
        if shift.quantity > 0:
            period, piece = periods[shift.period_id], stake.after.pieces[shift.piece]
            inside = period.start <= piece.due_date < period.end
            day = piece.due_date if inside else period.end - timedelta(days=1)
            found.append(
                Call(ids[shift.piece], stake.contract_line_id, stake.before.item, day, shift.quantity, agreed=True)
            )
    return found
