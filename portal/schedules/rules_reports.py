"""What a warning about a delivery must say, and who may end it.

Pure: everything comes in as an argument. Days are days of the contract's zone.
"""

from datetime import date, timedelta

from portal.core.calendars import WorkingCalendar
from portal.core.errors import Invalid
from portal.core.i18n import N_
from portal.core.states import Move, Side, StateTable, WrongSide, WrongState
from portal.schedules.model import LineStatus
from portal.schedules.model_reports import ReportKind, ReportReason, ReportStatus, Urgency
from portal.schedules.rules import OPEN

R = ReportStatus
MOST_PHOTOS = 6  # of one report
FURTHEST_DAYS = 366  # how far ahead an expected day can lie

# The seller ends what the seller said. A delivery that is received whole ends it too, in the buyer's transaction.
REPORT_STATES = StateTable(
    Move("close_report", by=(Side.SELLER,), source=(R.OPEN,), target=R.CLOSED),
    Move("settle_report", by=(Side.BUYER,), source=(R.OPEN,), target=R.CLOSED),
)

REASONS: dict[ReportReason, str] = {
    ReportReason.MATERIAL: N_("Material"),
    ReportReason.CAPACITY: N_("Capacity"),
    ReportReason.TRANSPORT: N_("Transport"),
    ReportReason.QUALITY: N_("Quality"),
    ReportReason.OTHER: N_("Other"),
}
URGENCIES: dict[Urgency, str] = {
    Urgency.CAN_WAIT: N_("Can wait"),
    Urgency.LINE_STOP: N_("Line stop risk"),
}
KINDS: dict[ReportKind, str] = {
    ReportKind.LATE: N_("Will be late"),
    ReportKind.PROBLEM: N_("Problem"),
}


class ExpectedDayNeeded(Invalid):
    code = "expected-day-needed"
    text = N_("Say on which day the delivery is expected now.")


class NotLater(Invalid):
    code = "not-later"
    text = N_("{day} is not after {due}, the day agreed. Choose a later day, from {first} on.")


class TooFarAhead(Invalid):
    code = "too-far-ahead"
    text = N_("{day} lies more than a year after the day agreed. Choose an earlier day.")


class ProblemUnsaid(Invalid):
    code = "problem-unsaid"
    text = N_("Describe the problem in a few words or add a photo.")


class TooManyReportPhotos(Invalid):
    code = "too-many-report-photos"
    text = N_("A report holds up to {most} photos. Leave some out.")


def check_speaker(side: Side, status: LineStatus) -> None:
    """Raise WrongSide or WrongState unless the seller speaks of a line that is still to be delivered."""
    if side is not Side.SELLER:
        raise WrongSide(action="report_line")
    if status not in OPEN:
        raise WrongState(action="report_line", status=status)


def check_report(
    kind: ReportKind, reason: ReportReason, expected_on: date | None, note: str, photos: int, due: date, today: date
) -> None:
    """Raise the refusal that fits unless the report says enough to act on."""
    check_photos(photos)
    if kind is ReportKind.LATE and expected_on is None:
        raise ExpectedDayNeeded(field="expected_on")
    if expected_on is not None:
        check_expected(expected_on, due, today)
    if kind is ReportKind.PROBLEM and not note.strip() and not photos and reason is ReportReason.OTHER:
        raise ProblemUnsaid(field="note")


def check_photos(photos: int) -> None:
    """Raise TooManyReportPhotos."""
    if photos > MOST_PHOTOS:
        raise TooManyReportPhotos(field="photos", most=MOST_PHOTOS)


def check_expected(expected_on: date, due: date, today: date) -> None:
    """Raise NotLater unless the day lies after the agreed one and not in the past, TooFarAhead beyond a year."""
    first = max(due + timedelta(days=1), today)
    if expected_on < first:
        raise NotLater(field="expected_on", day=expected_on, due=due, first=first)
    if expected_on > due + timedelta(days=FURTHEST_DAYS):
        raise TooFarAhead(field="expected_on", day=expected_on)


def later_days(due: date, today: date, calendar: WorkingCalendar, count: int = 3) -> list[date]:
    """The next working days on which the delivery could come instead: what the buttons offer."""
    day, found = max(due, today - timedelta(days=1)), []
    for _ in range(count):
        day = calendar.add_working_days(day, 1)
        found.append(day)
    return found
