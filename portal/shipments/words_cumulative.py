"""The words for cumulative quantities, as pages, cards and the interface show them."""

from datetime import date
from decimal import Decimal
from typing import Protocol

from portal.core import i18n
from portal.core.i18n import N_, _
from portal.core.quantities import show_quantity
from portal.schedules.rules_cumulative import CountBy
from portal.shipments.model_cumulative import CountPer, EntryKind, EntryReason, EntryStatus, Figure
from portal.shipments.rules_cumulating import Finding, Parting

KINDS: dict[EntryKind, str] = {
    EntryKind.RESET: N_("Reset"),
    EntryKind.OPENING: N_("Opening figure"),
    EntryKind.CORRECTION: N_("Correction"),
}
REASONS: dict[EntryReason, str] = {
    EntryReason.MODEL_YEAR: N_("New model year"),
    EntryReason.FISCAL_YEAR: N_("New fiscal year"),
    EntryReason.SUCCESSION: N_("Succeeds another contract"),
    EntryReason.CORRECTION: N_("Wrong figure"),
    EntryReason.PARTNER: N_("As in the other side's books"),
    EntryReason.SHIPPING: N_("Wrong delivery note"),
    EntryReason.ROLLBACK: N_("Takes a correction back"),
}
FIGURES: dict[Figure, str] = {
    Figure.REQUESTED: N_("Cumulative requested"),
    Figure.SHIPPED: N_("Cumulative shipped"),
    Figure.RECEIVED: N_("Cumulative received"),
}
STATUSES: dict[EntryStatus, tuple[str, str]] = {
    EntryStatus.PROPOSED: (N_("waits for the other company"), "waiting"),
    EntryStatus.AGREED: (N_("agreed by both"), "confirmed"),
    EntryStatus.DECLINED: (N_("declined by the other company"), "risk"),
    EntryStatus.WITHDRAWN: (N_("taken back"), ""),
}
BY: dict[CountBy, str] = {CountBy.RECEIPT: N_("the day of receipt"), CountBy.DESPATCH: N_("the day of despatch")}
PER: dict[CountPer, str] = {CountPer.LINE: N_("each line of the contract"), CountPer.PLANT: N_("each plant")}
FOUND: dict[Parting, str] = {
    Parting.THERE: N_("{document} of {day} over {ours} is missing in the reported list."),
    Parting.HERE: N_("{document} of {day} over {theirs} is in the reported list, but not in the portal."),
    Parting.DIFFERS: N_("{document} of {day} is {ours} in the portal and {theirs} in the reported list."),
}


class Entry(Protocol):
    """What an entry says of itself, whether it comes as a row of a list or of the session."""

    @property
    def figure(self) -> Figure | None: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def sync_date(self) -> date | None: ...
    @property
    def effective_on(self) -> date: ...
    @property
    def document(self) -> str: ...


def entry(said: Entry, unit: str) -> str:
    """What an entry does, with its days."""
    day, quantity = i18n.day(said.effective_on, year=True), show_quantity(said.quantity, unit)
    if said.figure:
        sign = "+" if said.quantity > 0 else ""
        document = said.document or _("no document")
        figure, text = _(FIGURES[Figure(said.figure)]), _("{figure} {quantity} as of {day}, {document}")
        return text.format(figure=figure, quantity=sign + quantity, day=day, document=document)
    if said.sync_date is None:
        return _("Begins with {quantity} on {day}").format(quantity=quantity, day=day)
    sync = i18n.day(said.sync_date, year=True)
    text = _("Begins with {quantity}, documents from {sync} on, switched on {day}")
    return text.format(quantity=quantity, sync=sync, day=day)


def finding(found: Finding, unit: str) -> str:
    """The first document that disagrees, in one sentence, and whether it explains everything."""
    said = _(FOUND[found.kind]).format(
        document=found.number,
        day=i18n.day(found.day, year=True),
        ours=show_quantity(found.ours, unit),
        theirs=show_quantity(found.theirs, unit),
    )
    more = _("Nothing else differs.") if found.explains_all else _("Later documents differ too.")
    joint = "" if i18n.language.get() is i18n.Language.ZH else " "
    return f"{said}{joint}{more}"


def agreed_until(found: Finding, unit: str) -> str:
    """Up to where both lists are alike."""
    if not found.last_common:
        return _("The lists differ from the first document on.")
    total = show_quantity(found.agreed_until, unit)
    return _("Both lists are alike up to {document}: {total}.").format(document=found.last_common, total=total)
