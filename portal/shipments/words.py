"""The words for statuses and answers, as pages and documents show them."""

from decimal import Decimal

from portal.core import i18n
from portal.core.i18n import N_, ngettext
from portal.shipments.model import Problem, ShipmentStatus

STATUSES: dict[ShipmentStatus, str] = {
    ShipmentStatus.DRAFT: N_("Draft"),
    ShipmentStatus.SENT: N_("On the way"),
    ShipmentStatus.PARTLY_RECEIVED: N_("Partly received"),
    ShipmentStatus.RECEIVED: N_("Fully received"),
    ShipmentStatus.CLOSED: N_("Closed"),
    ShipmentStatus.WITHDRAWN: N_("Withdrawn"),
}
PROBLEMS: dict[Problem, str] = {
    Problem.NOT_ON_TRUCK: N_("Not on the truck"),
    Problem.DAMAGED: N_("Damaged"),
    Problem.WRONG_PART: N_("Wrong part"),
    Problem.COUNTED_AGAIN: N_("Counted again"),
}


def packing(packages: int | None, size: Decimal | None) -> str:
    """20 boxes × 40, where the note says so."""
    if packages is None or size is None:
        return ""
    text = ngettext("{n} box × {size}", "{n} boxes × {size}", packages)
    return text.format(n=i18n.number(packages), size=i18n.number(size))
