"""The words for commits and their exceptions, as pages, files and cards show them."""

from portal.core import i18n
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.forecasts.model import CommitWay
from portal.forecasts.reads import Measure
from portal.forecasts.reads_exceptions import ExceptionRow
from portal.forecasts.rules import Exceptional, Span

KINDS: dict[Exceptional, str] = {
    Exceptional.LATE: N_("Commit is late"),
    Exceptional.CHANGED: N_("Forecast changed after the commit"),
    Exceptional.UNDER: N_("Less committed than asked for"),
}
WAYS: dict[CommitWay, str] = {
    CommitWay.PERIODS: N_("by period"),
    CommitWay.PERCENT: N_("by percentage"),
    CommitWay.SHEET: N_("by workbook"),
}
SPANS: dict[Span, str] = {Span.WEEK: N_("Weeks"), Span.MONTH: N_("Months")}
MEASURES: dict[Measure, str] = {Measure.CALLED: N_("called off in the end"), Measure.RECEIVED: N_("received")}
DEFINITION = N_(
    "Over the last {n} whole weeks, by week: the forecast of the release that stood 4, 8 or 13 weeks before the week,"
    " against what was {measure}. Bias = sum of (forecast − actual) / sum of actual; above 0 % too much was forecast."
    " Error = sum of |forecast − actual| / sum of actual. A week counts when that release looked as far as it."
)


def definition(weeks: int, measure: Measure) -> str:
    """What accuracy is, as it stands under the figures."""
    return _(DEFINITION).format(n=weeks, measure=_(MEASURES[measure]))


def sentence(row: ExceptionRow, zone: str) -> str:
    """What is the matter, in one line with its figures."""
    if row.kind is Exceptional.LATE:
        assert row.due_at is not None
        return _("Release {n} waits for a commit; it was due by {when}.").format(
            n=row.release_no, when=i18n.moment(row.due_at, zone)
        )
    assert row.forecast is not None
    now = show_quantity(row.forecast, row.unit)
    done = i18n.number(row.committed or 0)
    if row.kind is Exceptional.CHANGED:
        was = i18n.number(row.answered or 0)
        return _("The forecast was {was} and is {now}; committed: {done}.").format(was=was, now=now, done=done)
    return _("Committed {done} of {now}.").format(done=done, now=now)
