"""Change requests: who may take which step, and what a wish makes of a delivery.

Pure: everything comes in as an argument. Days are days of the contract's zone, quantities are in the line's unit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from portal.changes.model import ChangeStatus, PartKind
from portal.core.days import DayTooFar
from portal.core.errors import Conflict, Forbidden, Invalid, Reading
from portal.core.i18n import N_, moment
from portal.core.quantities import UNITS, check_scale
from portal.core.states import BOTH, Move, Side, StateTable
from portal.schedules.model import LineStatus
from portal.schedules.rules import OPEN

S, K = ChangeStatus, PartKind
WAITING = (S.SUBMITTED, S.IN_REVIEW, S.COUNTERED)  # somebody is to answer
FURTHEST_DAYS = 731  # how far ahead a delivery can be moved
MOST_PARTS = 500

# Either company may ask: `check_speaker` says which of the two takes a step now. Lapsing, reviewing and applying are
# the portal's own.
CHANGE_STATES = StateTable(
    Move("submit", by=BOTH, source=(S.DRAFT,), target=S.SUBMITTED),
    Move("review", by=BOTH, source=(S.SUBMITTED, S.COUNTERED), target=S.IN_REVIEW),
    Move("accept", by=BOTH, source=WAITING, target=S.ACCEPTED),
    Move("decline", by=BOTH, source=WAITING, target=S.DECLINED),
    Move("counter", by=BOTH, source=WAITING, target=S.COUNTERED),
    Move("rebase", by=BOTH, source=(*WAITING, S.APPLY_FAILED), target=S.SUBMITTED),
    Move("withdraw", by=BOTH, source=(S.DRAFT, *WAITING, S.APPLY_FAILED), target=S.WITHDRAWN),
    Move("expire", by=BOTH, source=WAITING, target=S.EXPIRED),
    Move("apply", by=BOTH, source=(S.ACCEPTED,), target=S.APPLIED),
    Move("fail", by=BOTH, source=(S.ACCEPTED,), target=S.APPLY_FAILED),
)
ANSWERS = frozenset({"accept", "decline", "counter"})  # taken by the company that did not make the live offer
OFFERED = frozenset({"rebase"})  # taken by the company that made it
ASKED = frozenset({"submit", "withdraw"})  # taken by the company that asked
BY_ITSELF = frozenset({"review", "expire", "apply", "fail"})


class OwnOffer(Forbidden):
    code = "own-offer"
    text = N_("Your company made this offer, so the other company answers it. You can withdraw the request.")


class NotYourOffer(Forbidden):
    code = "not-your-offer"
    text = N_("The other company made this offer. You can agree, refuse, or make a counter-offer.")


class NotYourRequest(Forbidden):
    code = "not-your-change"
    text = N_("The other company asked for this change, so only it can take the request back. You can refuse it.")


class TooLate(Conflict):
    code = "change-too-late"
    text = N_("The time for an answer ended on {until}. Ask for the change again if it is still wanted.")


class BaseMoved(Conflict):
    code = "base-moved"
    text = N_(
        "A delivery of this request was changed meanwhile, so nothing was applied. Compare the figures and ask again."
    )


class NotInside(Conflict):
    code = "not-inside-any-more"
    text = N_(
        "Other call-offs came first, so this change needs the other company's agreement now. Ask for it once more."
    )


class NotByLine(Invalid):
    code = "not-by-line"
    text = N_("This request is agreed whole or not at all. Agree to all of it, or make a counter-offer.")


class NoSuchPart(Invalid):
    code = "no-such-part"
    text = N_("The request has no part {part_no}. Choose among its parts.")


class NothingAgreed(Invalid):
    code = "nothing-agreed-to"
    text = N_("No part was chosen. Choose at least one, or refuse the request.")


class NothingWanted(Invalid):
    code = "nothing-wanted"
    text = N_("{item}: nothing is different from what is agreed. Enter another quantity, date or place.")


class PartUnclear(Invalid):
    code = "part-unclear"
    text = N_("{item}: this kind of change needs {needed}. Fill it in.")


class DayPassed(Invalid):
    code = "day-passed"
    text = N_("{day} has passed. Choose a day from {today} on.")


class DeliveryOver(Conflict):
    code = "delivery-over"
    text = N_("{item}, {day}: this delivery is “{status}”, so nothing of it can be changed any more.")


class AlreadyShipped(Conflict):
    code = "already-shipped"
    text = N_(
        "{item}, {day}: {shipped} {unit} were shipped already. Leave them on their day, and split off only the rest."
    )


class LineTwice(Invalid):
    code = "line-twice"
    text = N_("{item}, {day} stands twice in this request. Put everything about one delivery into one part.")


class NotLaterThan(Invalid):
    code = "pause-not-later"
    text = N_("A pause ends after the day agreed, {due}. Choose a later day.")


class NothingAsked(Invalid):
    code = "nothing-asked"
    text = N_("Nothing in this request differs from what is agreed. Change a quantity or a date, or add a delivery.")


class TooManyParts(Invalid):
    code = "too-many-parts"
    text = N_("One request holds up to {most} deliveries. Send several.")


# Who may take a step --------------------------------------------------------------------------------------------------


class Speaker(NamedTuple):
    """How the reader's company stands to a request."""

    asked: bool  # it asked for the change
    offered: bool  # it made the live offer


def check_speaker(action: str, us: Speaker) -> None:
    """Raise OwnOffer, NotYourOffer or NotYourRequest when the step belongs to the other company."""
    if action in ANSWERS and us.offered:
        raise OwnOffer
    if action in OFFERED and not us.offered:
        raise NotYourOffer
    if action in ASKED and not us.asked:
        raise NotYourRequest


def actions(status: ChangeStatus, us: Speaker) -> list[str]:
    """What the reader's company can do with the request now."""
    ours = BY_ITSELF | (ANSWERS if us.offered else OFFERED) | (frozenset() if us.asked else ASKED)
    return [action for action in CHANGE_STATES.actions(status, Side.SELLER) if action not in ours]


def target(status: ChangeStatus, action: str, us: Speaker) -> ChangeStatus:
    """The state after the action. Raises WrongState, OwnOffer, NotYourOffer or NotYourRequest."""
    after = CHANGE_STATES.target(status, action, by=Side.SELLER)
    check_speaker(action, us)
    return after


def check_in_time(now: datetime, respond_by: datetime | None, zone: str) -> None:
    """Raise TooLate when the time for an answer is over, whether or not the portal has noted it yet."""
    if respond_by is not None and now > respond_by:
        raise TooLate(until=moment(respond_by, zone))


# What is wanted -------------------------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """So much on this day."""

    quantity: Decimal
    due_date: date


class Before(NamedTuple):
    """A delivery as it stands, or for an addition only its item."""

    item: str
    unit: str
    quantity: Decimal = Decimal(0)
    due_date: date = date.min
    place: str = ""
    price: Decimal | None = None
    shipped: Decimal = Decimal(0)
    status: LineStatus = LineStatus.PUBLISHED


class After(NamedTuple):
    """How it is to stand. No pieces: it falls away. The first piece stays the delivery, the others are new ones."""

    pieces: tuple[Piece, ...]
    place: str
    price: Decimal | None


class Wanted(Protocol):
    """A part as it is asked; what is none stays as it is."""

    @property
    def kind(self) -> PartKind: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def due_date(self) -> date | None: ...
    @property
    def place(self) -> str | None: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def pieces(self) -> Sequence[Any]: ...


NEEDED: Mapping[PartKind, str] = {
    K.CHANGE: N_("another quantity, date or place"),
    K.SPLIT: N_("at least two parts, each with a quantity and a date"),
    K.ADD: N_("a quantity and a date"),
    K.PAUSE: N_("the day on which it goes on"),
    K.PRICE: N_("the new price"),
    K.CARRY_OVER: N_("the period that has ended, and the one in which it counts"),
}


def after(before: Before, wanted: Wanted, today: date) -> After:
    """What one part makes of its delivery. Raises the refusal that fits; of a wrong quantity and a wrong day both."""
    if wanted.kind is not K.ADD and before.status not in OPEN:
        raise DeliveryOver(item=before.item, day=before.due_date, status=before.status)
    place = before.place if wanted.place is None else wanted.place
    price = before.price if wanted.price is None else wanted.price
    found = After(_pieces(before, wanted), place, price)
    same = (Piece(before.quantity, before.due_date),)
    if wanted.kind is not K.ADD and found == (same, before.place, before.price):
        raise NothingWanted(field="quantity", item=before.item)
    reading = Reading()
    for piece in found.pieces:
        with reading.part():
            check_scale(piece.quantity, before.unit)
        with reading.part():
            _check_day(piece.due_date, before, today)
    reading.done()
    _check_shipped(before, found.pieces)
    return found


def _pieces(before: Before, wanted: Wanted) -> tuple[Piece, ...]:
    kind, quantity, day = wanted.kind, wanted.quantity, wanted.due_date
    if kind is K.CANCEL:
        return ()
    if kind is K.SPLIT and len(wanted.pieces) > 1:
        return tuple(Piece(piece.quantity, piece.due_date) for piece in wanted.pieces)
    if kind is K.ADD and quantity is not None and day is not None:
        return (Piece(quantity, day),)
    if kind is K.PAUSE and day is not None:
        if day <= before.due_date:
            raise NotLaterThan(field="due_date", due=before.due_date)
        return (Piece(before.quantity, day),)
    if kind is K.PRICE and wanted.price is not None:
        return (Piece(before.quantity, before.due_date),)
    if kind is K.CHANGE and (quantity, day, wanted.place) != (None, None, None):
        return (Piece(quantity or before.quantity, day or before.due_date),)
    raise PartUnclear(field="due_date" if kind is K.PAUSE else "quantity", item=before.item, needed=NEEDED[kind])


def _check_day(day: date, before: Before, today: date) -> None:
    if day < today and day != before.due_date:
        raise DayPassed(field="due_date", day=day, today=today)
    last = today + timedelta(days=FURTHEST_DAYS)
    if day > last:
        raise DayTooFar(field="due_date", day=day, last=last)


def _check_shipped(before: Before, pieces: Sequence[Piece]) -> None:
    """What is on the way stays where it was sent to, on its day."""
    if before.shipped <= 0:
        return
    stays = pieces[0] if pieces else Piece(Decimal(0), before.due_date)
    if stays.quantity < before.shipped or stays.due_date != before.due_date:
        unit = UNITS[before.unit][1]
        raise AlreadyShipped(item=before.item, day=before.due_date, shipped=before.shipped, unit=unit)


def moved(base: Before, now: Before) -> bool:
    """Whether a delivery is not any more what the request was based on. A new release or an answer moves nothing."""
    return now.status not in OPEN or (now.quantity, now.due_date, now.place, now.price) != (
        base.quantity,
        base.due_date,
        base.place,
        base.price,
    )


def chosen(parts: Collection[int], asked: Iterable[int] | None, by_line: bool) -> set[int]:
    """The parts that are agreed: all, or those chosen where the contract lets them be agreed one by one."""
    wanted = set(parts) if asked is None else set(asked)
    for part_no in sorted(wanted - set(parts)):
        raise NoSuchPart(field="parts", part_no=part_no)
    if not wanted:
        raise NothingAgreed(field="parts")
    if wanted != set(parts) and not by_line:
        raise NotByLine(field="parts")
    return wanted
