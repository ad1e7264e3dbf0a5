"""A period in words: its name, and the one sentence that says how it ends if nothing changes."""

from datetime import date, timedelta

from portal.contracts.model_buckets import BucketCadence
from portal.contracts.reads_buckets import PeriodRow
from portal.contracts.rules_buckets import Standing
from portal.core import i18n
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity

MONTHS = (
    *(N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August")),
    *(N_("September"), N_("October"), N_("November"), N_("December")),
)
DAY = timedelta(days=1)


def period_name(row: PeriodRow, *, year: bool = False) -> str:
    """November, Wk 48, the fourth quarter, or the first and the last day of a period of a list."""
    return period_title(row.cadence, row.period_start, row.period_end, year=year)


def period_title(cadence: BucketCadence, start: date, end: date, *, year: bool = False) -> str:
    """The same of a period that is no row of the ledger."""
    match cadence:
        case BucketCadence.WEEK:
            name = i18n.week(start)
        case BucketCadence.MONTH:
            name = _(MONTHS[start.month - 1])
        case BucketCadence.QUARTER:
            name = _("quarter {n}").format(n=(start.month - 1) // 3 + 1)
        case _:
            return days(start, end, year=year)
    return _("{period} {year}").format(period=name, year=_year(cadence, start)) if year else name


def _year(cadence: BucketCadence, start: date) -> int:
    """Of a week the year that it belongs to, which at new year is not that of its Monday."""
    return start.isocalendar().year if cadence is BucketCadence.WEEK else start.year


def days(start: date, end: date, *, year: bool = False) -> str:
    """1 Nov – 15 Nov, from the first to the last day."""
    return f"{i18n.day(start)} – {i18n.day(end - DAY, year=year)}"


def sentence(row: PeriodRow) -> str:
    """If nothing changes, November ends at 9,600 of 12,000 pcs, 400 below the floor."""
    seen = row.outlook
    text = ENDED[seen.standing] if row.closed_at is not None else ENDS[seen.standing]
    return _(text).format(
        period=period_name(row),
        forecast=i18n.number(seen.forecast),
        target=show_quantity(seen.target, row.unit),
        gap=i18n.number(abs(seen.gap)),
        low=i18n.number(seen.floor),
        high=i18n.number(seen.ceiling),
    )


ENDS = {
    Standing.BELOW: N_("If nothing changes, {period} ends at {forecast} of {target}, {gap} below the floor."),
    Standing.INSIDE: N_("If nothing changes, {period} ends at {forecast} of {target}, inside {low} to {high}."),
    Standing.ABOVE: N_("If nothing changes, {period} ends at {forecast} of {target}, {gap} above the ceiling."),
}
ENDED = {
    Standing.BELOW: N_("{period} ended at {forecast} of {target}, {gap} below the floor."),
    Standing.INSIDE: N_("{period} ended at {forecast} of {target}, inside {low} to {high}."),
    Standing.ABOVE: N_("{period} ended at {forecast} of {target}, {gap} above the ceiling."),
}
