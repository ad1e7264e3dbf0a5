"""Schedule lines: who may move one on, what a confirmation may say, zones and levels, when a delivery is complete.

Pure: everything comes in as an argument. Percentages are of the line's *original* ordered quantity, and quantities are
compared at their unit's precision, so 100.002 kg is more than 100 kg.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from portal.contracts.model import DayUnit
from portal.core.calendars import WorkingCalendar
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.quantities import STEPS, UNITS, check_scale, round_to_unit
from portal.core.states import BOTH, Move, Side, StateTable, WrongSide, WrongState
from portal.core.versions import Stale as Stale
from portal.core.versions import check_version as check_version
from portal.schedules.model import CloseReason, Level, LineStatus, Zone

S = LineStatus
SELLER, BUYER = (Side.SELLER,), (Side.BUYER,)
SHIPPABLE = (S.PUBLISHED, S.PROPOSED, S.PARTLY_CONFIRMED, S.CONFIRMED)  # also what a receipt may close
OPEN = (*SHIPPABLE, S.REJECTED)  # the buyer still waits for something

# The factory generates and publishes the lines of both directions, so the first two moves belong to both sides; the
# access table says whose members may. Shipped and received quantities are sums of documents, never a status.
# A confirmed line has no move for the seller: another date or quantity needs the buyer's acceptance.
LINE_STATES = StateTable(
    Move("publish", by=BOTH, source=(S.DRAFT,), target=S.PUBLISHED),
    Move("ask", by=BOTH, source=(S.PUBLISHED,), target=S.PROPOSED),
    Move("confirm", by=SELLER, source=(S.PUBLISHED, S.PROPOSED, S.PARTLY_CONFIRMED), target=S.CONFIRMED),
    Move("confirm_part", by=SELLER, source=(S.PUBLISHED, S.PROPOSED, S.PARTLY_CONFIRMED), target=S.PARTLY_CONFIRMED),
    Move("reject", by=SELLER, source=(S.PUBLISHED, S.PROPOSED), target=S.REJECTED),
    Move("ask_again", by=BUYER, source=(S.REJECTED,), target=S.PROPOSED),
    Move("close", by=BUYER, source=SHIPPABLE, target=S.CLOSED),
    Move("reopen", by=BUYER, source=(S.CLOSED,), target=S.PUBLISHED),  # then `status_by_promises` decides
    Move("cancel", by=BOTH, source=(S.DRAFT,), target=S.CANCELLED),
    Move("cancel", by=BUYER, source=(S.PUBLISHED, S.PROPOSED, S.REJECTED), target=S.CANCELLED),
)
# What both companies agreed on in a change request, whatever the line's answer and zone; `portal.changes` decides.
AGREED_CHANGES = StateTable(
    Move("change", by=BOTH, source=OPEN, target=S.PUBLISHED),
    Move("cancel", by=BOTH, source=OPEN, target=S.CANCELLED),
)
CONFIRM_ACTION = {S.CONFIRMED: "confirm", S.PARTLY_CONFIRMED: "confirm_part"}  # by the status that the sums give


class RejectReason(StrEnum):
    """Why the seller refuses a line."""

    MATERIAL = "material"
    CAPACITY = "capacity"
    TRANSPORT = "transport"
    LEAD_TIME = "lead_time"
    PRICE = "price"
    NOT_AGREED = "not_agreed"  # the item, its revision or the quantity is not what the contract says
    OTHER = "other"


class OutsideTolerance(Invalid):
    code = "outside-tolerance"
    text = N_(
        "{quantity} is more than agreed: {low} to {high} {unit} are within tolerance. Lower it or ask for a change."
    )


class NothingPromised(Invalid):
    code = "nothing-promised"
    text = N_(
        "A confirmation needs a quantity above zero in every part. To refuse the delivery, reject it with a reason."
    )


class PromiseInPast(Invalid):
    code = "promise-in-past"
    text = N_("{day} has passed. Promise a date from {today} on.")


class ReasonNeeded(Invalid):
    code = "reason-needed"
    text = N_("Say in a few words why, so that the buyer can act on it.")


class FirmLine(Conflict):
    code = "firm-line"
    text = N_("This delivery is in the firm zone. Ask the seller for a change instead of cancelling it.")


class DraftsOutside(Conflict):
    code = "drafts-outside"
    text = N_("{count} drafted deliveries are due after the contract's last day, {last}. Cancel them, then publish.")


class GoodsOnTheWay(Conflict):
    code = "goods-on-the-way"
    text = N_("{shipped} of this delivery have already been shipped. Receive them or close the delivery instead.")


# Tolerance ---------------------------------------------------------------------------------------------------------


class Limits(NamedTuple):
    """The smallest and the largest total that counts as the ordered quantity, in the line's unit."""

    low: Decimal
    high: Decimal


@lru_cache(maxsize=10_000)  # an answer asks three times for the same
def limits(ordered: Decimal, under_percent: Decimal, over_percent: Decimal, unit: str) -> Limits:
    """The tolerance around an ordered quantity, rounded inwards to the unit: 33 pcs with 10 % are 30 to 36."""
    step = STEPS[unit]
    low = (ordered * (100 - under_percent) / 100).quantize(step, ROUND_CEILING)
    high = (ordered * (100 + over_percent) / 100).quantize(step, ROUND_FLOOR)
    exact = round_to_unit(ordered, unit)  # the ordered quantity itself is always inside
    return Limits(min(low, exact), max(high, exact))


def delivered_complete(requested: Decimal, received: Decimal, under_percent: Decimal, unit: str) -> bool:
    """Whether the accepted total reaches the requested quantity less the agreed under-delivery."""
    if not received and requested >= 1 and under_percent < 100:
        return False  # of most lines nothing has come yet
    return round_to_unit(received, unit) >= limits(requested, under_percent, Decimal(0), unit).low


def close_reason(requested: Decimal, received: Decimal, under_percent: Decimal, unit: str) -> CloseReason | None:
    """How the accepted total closes a line by itself: complete, short within tolerance, or none: it stays open."""
    if not delivered_complete(requested, received, under_percent, unit):
        return None
    return CloseReason.COMPLETE if delivered_complete(requested, received, Decimal(0), unit) else CloseReason.SHORT


def open_quantity(ordered: Decimal, done: Decimal) -> Decimal:
    """What is still to be confirmed, shipped or received. Negative when more was done than asked: never clipped."""
    return ordered - done


def consumed_quantity(status: LineStatus, ordered: Decimal, received: Decimal) -> Decimal:
    """What one line takes from the contract: drafts nothing, open lines their order, ended ones what was received."""
    if status is S.DRAFT:
        return Decimal(0)
    return received if status in (S.CLOSED, S.CANCELLED) else ordered


# Confirmation ------------------------------------------------------------------------------------------------------


class Promise(NamedTuple):
    """One part of the seller's answer: so much on this day."""

    quantity: Decimal
    delivery_date: date


def check_promises(promises: Sequence[tuple[Decimal, date]], unit: str, today: date) -> Decimal:
    """The sum of the parts. Raises NothingPromised, TooFine or PromiseInPast (today in the contract's zone)."""
    if not promises:
        raise NothingPromised(field="splits")
    for quantity, day in promises:
        if quantity <= 0:
            raise NothingPromised(field="quantity")
        check_scale(quantity, unit)
        if day < today:
            raise PromiseInPast(field="delivery_date", day=day, today=today)
    return sum((quantity for quantity, _ in promises), Decimal(0))


def confirm_status(
    ordered: Decimal, promised: Decimal, under_percent: Decimal, over_percent: Decimal, unit: str
) -> LineStatus:
    """Confirmed when the sum of all valid promises is inside tolerance, partly confirmed below it.

    Raises OutsideTolerance above it, NothingPromised at zero. The tolerance is on the original ordered quantity,
    however many answers the sum comes from.
    """
    low, high = limits(ordered, under_percent, over_percent, unit)
    if round_to_unit(promised, unit) > high:
        raise OutsideTolerance(field="quantity", quantity=promised, low=low, high=high, unit=UNITS[unit][1])
    if promised <= 0:
        raise NothingPromised(field="quantity")
    return status_by_promises(ordered, promised, under_percent, unit)


def status_by_promises(ordered: Decimal, promised: Decimal, under_percent: Decimal, unit: str) -> LineStatus:
    """Where a published line stands by the sum of its valid promises; also after it was reopened."""
    if promised <= 0:
        return S.PUBLISHED
    return S.CONFIRMED if delivered_complete(ordered, promised, under_percent, unit) else S.PARTLY_CONFIRMED


def default_promise(ordered: Decimal, promised: Decimal, due: date, today: date) -> Promise:
    """What one press on "Confirm" promises: all that is unconfirmed, on the due date, or today if that has passed."""
    return Promise(open_quantity(ordered, promised), max(due, today))


def check_rejection(reason: RejectReason, note: str) -> None:
    """Raise ReasonNeeded when the reason is "other" and nothing explains it."""
    if reason is RejectReason.OTHER and not note.strip():
        raise ReasonNeeded(field="note")


def check_cancellation(zone: Zone | None, shipped: Decimal) -> None:
    """Raise FirmLine inside the firm zone (zone as published, none for a draft), GoodsOnTheWay after a shipment."""
    if shipped > 0:
        raise GoodsOnTheWay(shipped=shipped)
    if zone is Zone.FIRM:
        raise FirmLine


# Zones and levels --------------------------------------------------------------------------------------------------


class Fences(NamedTuple):
    """The last days of the firm and of the trade-off zone, both inclusive, and the last day of "make" if split."""

    firm_until: date
    tradeoff_until: date
    make_until: date | None = None

    def zone(self, due: date) -> Zone:
        """The zone of a due date. The column of a week takes the zone of its Monday."""
        if due <= self.firm_until:
            return Zone.FIRM
        return Zone.TRADEOFF if due <= self.tradeoff_until else Zone.FORECAST


def fences(release_date: date, firm_days: int, tradeoff_days: int, unit: DayUnit, calendar: WorkingCalendar) -> Fences:
    """Where the zones of a release end. Both counts start at the release date, in calendar or working days."""
    if unit is DayUnit.WORKING:
        add = calendar.add_working_days
        return Fences(add(release_date, firm_days), add(release_date, tradeoff_days))
    return Fences(release_date + timedelta(days=firm_days), release_date + timedelta(days=tradeoff_days))


def split_fences(
    ends: Fences, release_date: date, make_days: int | None, unit: DayUnit, calendar: WorkingCalendar
) -> Fences:
    """The same with the trade-off zone split after make_days from the release; never inside firm, never beyond."""
    if make_days is None:
        return ends
    make = fences(release_date, make_days, make_days, unit, calendar).firm_until
    return ends._replace(make_until=max(ends.firm_until, min(make, ends.tradeoff_until)))


def zone_of(
    due: date, release_date: date, firm_days: int, tradeoff_days: int, unit: DayUnit, calendar: WorkingCalendar
) -> Zone:
    """The zone of one due date; for many dates of one contract line make the `fences` once."""
    return fences(release_date, firm_days, tradeoff_days, unit, calendar).zone(due)


def level_of(due: date, release_date: date, ends: Fences, still_open: bool, published_before: bool) -> Level:
    """The commitment level at a release.

    still_open: not delivered complete; due by the release date and open, a line is `backlog` when an earlier release
    had it and `immediate` when this is its first. In the trade-off zone `make` up to make_until (none: all of it),
    then `buy`. `pilot` is a term of a contract, never computed.
    """
    if due <= release_date and still_open:
        return Level.BACKLOG if published_before else Level.IMMEDIATE
    match ends.zone(due):
        case Zone.FIRM:
            return Level.FIRM
        case Zone.TRADEOFF:
            return Level.MAKE if ends.make_until is None or due <= ends.make_until else Level.BUY
        case _:
            return Level.PLAN


def needs_answer(zone: Zone, asked_earlier: bool = False) -> bool:
    """Whether a published line is at once `proposed`: in the firm zone, or where the contract asks earlier."""
    return zone is Zone.FIRM or asked_earlier


def check_supply_note(side: Side, status: LineStatus) -> None:
    """Raise WrongSide or WrongState unless the seller speaks of a line that is still to be delivered."""
    if side is not Side.SELLER:
        raise WrongSide(action="note_supply")
    if status not in OPEN:
        raise WrongState(action="note_supply", status=status)


def check_drafts_inside(due_dates: Iterable[date], last: date | None) -> None:
    """Raise DraftsOutside: an end that came nearer leaves nothing behind it to be called off."""
    late = sum(1 for due in due_dates if last is not None and due > last)
    if late:
        raise DraftsOutside(count=late, last=last)
