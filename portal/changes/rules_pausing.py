"""A pause: no delivery between two days. What lies there moves behind it, or falls away.

Pure. What is on the way already stays on its day; only the rest of such a delivery is paused.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from portal.changes.model import PartKind
from portal.changes.rules import FURTHEST_DAYS, DayPassed, Piece
from portal.core.days import DayTooFar
from portal.core.errors import Invalid
from portal.core.i18n import N_


class PauseBackwards(Invalid):
    code = "pause-backwards"
    text = N_("The pause ends on {until}, before it begins on {since}. Choose a last day from {since} on.")


class NothingToPause(Invalid):
    code = "nothing-to-pause"
    text = N_("No open delivery lies between {since} and {until}, so there is nothing to pause. Choose other days.")


class Span(NamedTuple):
    """The first and the last day without deliveries."""

    since: date
    until: date


def check_span(span: Span, today: date) -> None:
    """Raise PauseBackwards, DayPassed or DayTooFar."""
    if span.until < span.since:
        raise PauseBackwards(field="until", since=span.since, until=span.until)
    if span.until < today:
        raise DayPassed(field="until", day=span.until, today=today)
    last = today + timedelta(days=FURTHEST_DAYS)
    if span.until > last:
        raise DayTooFar(field="until", day=span.until, last=last)


class Paused(NamedTuple):
    """What becomes of one delivery, as a part that could be asked for by itself."""

    kind: PartKind
    quantity: Decimal | None = None
    due_date: date | None = None
    pieces: tuple[Piece, ...] = ()


def paused(due: date, quantity: Decimal, shipped: Decimal, goes_on: date, *, drop: bool) -> Paused | None:
    """None: all of it is on the way. goes_on: the day behind the pause."""
    rest = quantity - shipped
    if rest <= 0:
        return None
    if shipped <= 0:
        return Paused(PartKind.CANCEL) if drop else Paused(PartKind.PAUSE, due_date=goes_on)
    if drop:
        return Paused(PartKind.CHANGE, quantity=shipped)
    return Paused(PartKind.SPLIT, pieces=(Piece(shipped, due), Piece(rest, goes_on)))
