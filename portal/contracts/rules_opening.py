"""Opening balances: which figures can stand, and which entries they become. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from portal.contracts.model_buckets import EntryKind
from portal.contracts.model_opening import OpeningStatus
from portal.core.errors import Conflict, Invalid
from portal.core.i18n import N_
from portal.core.quantities import check_scale
from portal.core.states import BOTH, Move, StateTable

ZERO = Decimal(0)
S = OpeningStatus
# The factory enters the figures and may take them back; the partner confirms or declines them.
OPENING_STATES = StateTable(
    Move("confirm", by=BOTH, source=(S.PROPOSED,), target=S.CONFIRMED),
    Move("decline", by=BOTH, source=(S.PROPOSED,), target=S.DECLINED),
    Move("withdraw", by=BOTH, source=(S.PROPOSED,), target=S.WITHDRAWN),
)
NUMBERS = ("called", "shipped", "received")
KINDS = {
    "called": EntryKind.OPENING_CALLED,
    "shipped": EntryKind.OPENING_SHIPPED,
    "received": EntryKind.OPENING_RECEIVED,
}


class CutOverNotPast(Invalid):
    code = "cut-over-not-past"
    text = N_("The cut-over date {day} is not over yet. Choose a day before {today}.")


class NothingBefore(Invalid):
    code = "opening-empty"
    text = N_("Enter at least one quantity that was called off, shipped or received until then.")


class MoreReceived(Invalid):
    code = "opening-more-received"
    text = N_("{item}: {received} received are more than {shipped} shipped. Correct one of the two.")


class FigureTwice(Invalid):
    code = "opening-figure-twice"
    text = N_("{item} has two figures for the same period. Keep one of them.")


class PeriodsMissing(Invalid):
    code = "opening-needs-period"
    text = N_("{item} has periods, so its figures are entered period by period.")


class PeriodNotOpen(Conflict):
    code = "opening-period-not-open"
    text = N_("The period of {item} from {start} is closed or begins after the cut-over date. Leave it out.")


class Figure(NamedTuple):
    """What was called off, shipped and received of one line, in one of its periods where it has any."""

    line_id: UUID
    bucket_id: UUID | None
    called: Decimal = ZERO
    shipped: Decimal = ZERO
    received: Decimal = ZERO


class Place(NamedTuple):
    """A line, or one of its periods, that a figure can stand for."""

    item: str
    unit: str
    start: date | None  # of the period
    closed: bool = False
    partner_item: str = ""


Places = dict[tuple[UUID, UUID | None], Place]


def check_figures(figures: Sequence[Figure], places: Places, cut_over: date, today: date) -> None:
    """Raise what is wrong, with the figure's place in the list. places: all lines, and all periods of those that have
    any."""
    if cut_over >= today:
        raise CutOverNotPast(field="cut_over", day=cut_over, today=today)
    if not any(quantity for figure in figures for quantity in figure[2:]):
        raise NothingBefore(field="figures")
    seen: set[tuple[UUID, UUID | None]] = set()
    with_periods = {line for line, bucket in places if bucket is not None}
    for at, figure in enumerate(figures):
        place = places[figure.line_id, figure.bucket_id]
        if figure[:2] in seen:
            raise FigureTwice(field=f"figures.{at}.called", item=place.item)
        seen.add(figure[:2])
        if figure.bucket_id is None and figure.line_id in with_periods:
            raise PeriodsMissing(field=f"figures.{at}.called", item=place.item)
        if place.closed or (place.start is not None and place.start > cut_over):
            raise PeriodNotOpen(field=f"figures.{at}.called", item=place.item, start=place.start)
        for name in NUMBERS:
            check_scale(getattr(figure, name), place.unit, field=f"figures.{at}.{name}")
        if figure.received > figure.shipped:
            shown = {"received": figure.received, "shipped": figure.shipped}
            raise MoreReceived(field=f"figures.{at}.received", item=place.item, **shown)


def opening_entries(figures: Iterable[Figure]) -> list[tuple[UUID, EntryKind, Decimal]]:
    """The entries of the ledger, one a period and number that is not zero; lines without periods have none."""
    return [
        (figure.bucket_id, KINDS[name], getattr(figure, name))
        for figure in figures
        if figure.bucket_id is not None
        for name in NUMBERS
        if getattr(figure, name)
    ]
