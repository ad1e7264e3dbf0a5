"""How long an applied change has waited for the factory's ERP, in the factory's working days. Pure."""

from datetime import date

from portal.core.calendars import WorkingCalendar
from portal.core.errors import Conflict
from portal.core.i18n import N_


class NotApplied(Conflict):
    code = "change-not-applied"
    text = N_("{number} is not applied, so the ERP cannot show it yet. Take it out of the selection.")


def waited(applied: date, today: date, calendar: WorkingCalendar) -> int:
    """Working days since the day of applying, which does not count itself."""
    return calendar.working_days_between(applied, today)


def late_before(today: date, days: int, calendar: WorkingCalendar) -> date:
    """What was applied before this day has waited longer than so many working days."""
    return calendar.add_working_days(calendar.previous_working(today), -days)
