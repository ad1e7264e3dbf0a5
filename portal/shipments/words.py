"""The words for statuses and answers, as pages and documents show them."""

from decimal import Decimal

from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity
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


def difference(rejected: Decimal, short: Decimal, unit: str, problem: Problem | None) -> str:
    """What a line's count differs by; empty when all was there. `short` below zero is too many."""
    said = []
    if rejected:
        said.append(_("{n} rejected").format(n=show_quantity(rejected, unit)))
    if short:
        text = _("{n} missing") if short > 0 else _("{n} too many")
        said.append(text.format(n=show_quantity(abs(short), unit)))
    if problem:
        said.append(_(PROBLEMS[Problem(problem)]))
    return " · ".join(said)
