"""The words for statuses and answers, as pages and documents show them."""

from portal.core.i18n import N_
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
