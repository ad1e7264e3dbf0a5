"""The words for zones and for what changed in a release, as pages and documents show them."""

from portal.core import i18n
from portal.core.i18n import N_, _
from portal.schedules.model import Zone
from portal.schedules.reads_board import ReleaseLineRow

ZONES: tuple[tuple[Zone, str, str], ...] = (
    (Zone.FIRM, N_("Firm"), N_("Quantity and date are binding")),
    (Zone.TRADEOFF, N_("Trade-off"), N_("±{percent} % by agreement")),
    (Zone.FORECAST, N_("Forecast"), N_("For planning only")),
)
ZONE_NAMES = {zone.value: name for zone, name, _rule in ZONES}


def change_of(line: ReleaseLineRow, compared: bool) -> tuple[str, str]:
    """(kind, words) of one line against the release before: new, up, down, moved or same."""
    if not compared:
        return "same", ""
    if line.earlier_quantity is None or line.earlier_date is None:
        return "new", _("New")
    difference = line.quantity - line.earlier_quantity
    if difference:
        kind = "up" if difference > 0 else "down"
        return kind, i18n.signed(difference)
    if line.due_date != line.earlier_date:
        return "moved", _("Was {day}").format(day=i18n.day(line.earlier_date))
    return "same", ""
