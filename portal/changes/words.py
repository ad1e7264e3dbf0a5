"""The words for change requests, as pages, messages and the conversation show them. Prices are in none of them."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from portal.changes.impact import Impact
from portal.changes.model import ChangeReason, PartKind, Way
from portal.changes.rules import After, Before, Piece
from portal.changes.rules_impact import Stake, own_band, zone_after, zone_before
from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity
from portal.core.states import Side
from portal.schedules.words import ZONE_NAMES

DAY = timedelta(days=1)
KINDS: dict[PartKind, str] = {
    PartKind.CHANGE: N_("Another quantity, date or place"),
    PartKind.SPLIT: N_("Split into several deliveries"),
    PartKind.ADD: N_("A delivery more"),
    PartKind.CANCEL: N_("Cancel the delivery"),
    PartKind.PAUSE: N_("Pause until a later day"),
    PartKind.PRICE: N_("Another price"),
}
REASONS: dict[ChangeReason, str] = {
    ChangeReason.DEMAND: N_("Demand has changed"),
    ChangeReason.PRODUCTION: N_("Production plan has changed"),
    ChangeReason.MATERIAL: N_("Material is missing"),
    ChangeReason.CAPACITY: N_("No capacity"),
    ChangeReason.TRANSPORT: N_("No transport"),
    ChangeReason.QUALITY: N_("Quality problem"),
    ChangeReason.STOCK: N_("Stock is too high or too low"),
    ChangeReason.HOLIDAY: N_("Holiday or shutdown"),
    ChangeReason.OTHER: N_("Another reason"),
}
WAYS: dict[Way, str] = {
    Way.INSIDE: N_("Outside the firm zone and inside the band, so it applies at once."),
    Way.FIRM: N_("The firm zone is touched, so both companies must agree."),
    Way.BAND: N_("It leaves the agreed band, so both companies must agree."),
    Way.SELLER: N_("The seller asks, so the buyer must agree."),
    Way.TERMS: N_("A place or a price changes, so both companies must agree."),
}


def standing(unit: str, pieces: Sequence[Piece]) -> str:
    """600 pcs on 15 Aug; or what takes its place where nothing is left."""
    if not pieces:
        return _("no delivery")
    parts = [
        _("{quantity} on {day}").format(quantity=show_quantity(piece.quantity, unit), day=i18n.day(piece.due_date))
        for piece in pieces
    ]
    return ("、" if i18n.language.get() is i18n.Language.ZH else ", ").join(parts)


def was(kind: PartKind, before: Before) -> str:
    """How the delivery stands."""
    return standing(before.unit, [] if kind is PartKind.ADD else [Piece(before.quantity, before.due_date)])


def difference(kind: PartKind, before: Before, after: After) -> str:
    """+200, 5 days later: what is different, in as few words as possible."""
    total = sum((piece.quantity for piece in after.pieces), Decimal(0))
    more = total - (Decimal(0) if kind is PartKind.ADD else before.quantity)
    said = [i18n.signed(more)] if more else []
    if kind is not PartKind.ADD and after.pieces:
        last = max(piece.due_date for piece in after.pieces)
        days = (last - before.due_date).days
        if days > 0:
            said.append(ngettext("{n} day later", "{n} days later", days).format(n=i18n.number(days)))
        elif days < 0:
            said.append(ngettext("{n} day earlier", "{n} days earlier", -days).format(n=i18n.number(-days)))
    if after.place != before.place:
        said.append(_("to {place}").format(place=after.place))
    if after.price != before.price:
        said.append(_("another price"))
    return ("，" if i18n.language.get() is i18n.Language.ZH else ", ").join(said)


def one_line(kind: PartKind, before: Before, after: After) -> str:
    """A100: 600 pcs on 15 Aug → 800 pcs on 20 Aug (+200, 5 days later)."""
    told = difference(kind, before, after)
    moved = f"{was(kind, before)} → {standing(before.unit, after.pieces)}"
    if not told:
        return _("{part}: {moved}").format(part=before.item, moved=moved)
    return _("{part}: {moved} ({difference})").format(part=before.item, moved=moved, difference=told)


def zones(stake: Stake) -> str:
    """Trade-off, or Firm → Trade-off."""
    names = [_(ZONE_NAMES[zone.value]) for zone in (zone_before(stake), zone_after(stake)) if zone is not None]
    return " → ".join(dict.fromkeys(names))


def band(sheet: Impact) -> str:
    """The first band that is left, in figures: 800 are outside 480 to 720; nothing where none is."""
    for effect in sheet.effects:
        if effect.leaves:
            period = effect.period
            return _("The period's total becomes {after}; {low} to {high} were agreed.").format(
                after=i18n.number(effect.after), low=i18n.number(period.low), high=i18n.number(period.high)
            )
    planned = {period.contract_line_id for period in sheet.periods}
    for stake in sheet.stakes:
        total = sum((piece.quantity for piece in stake.after.pieces), Decimal(0))
        low, high = own_band(stake)
        exists = stake.kind is not PartKind.ADD and stake.after.pieces
        if stake.contract_line_id not in planned and exists and not low <= total <= high:
            said = _("{total} are outside the band of {low} to {high}.")
            return said.format(total=i18n.number(total), low=i18n.number(low), high=i18n.number(high))
    return ""


def sentence(sheet: Impact) -> str:
    """The sheet in one sentence, and who must agree."""
    if len(sheet.stakes) == 1:
        stake = sheet.stakes[0]
        what = one_line(stake.kind, stake.before, stake.after)
    else:
        what = ngettext("{n} delivery changes", "{n} deliveries change", len(sheet.stakes))
        what = what.format(n=i18n.number(len(sheet.stakes)))
    stop = "。" if i18n.language.get() is i18n.Language.ZH else ". "
    return f"{what}{stop}{_(WAYS[sheet.way])}"


def asked_by(side: Side) -> str:
    """Whose wish it is."""
    return _("The seller asks") if side is Side.SELLER else _("The buyer asks")
