"""The words for change requests, as pages, messages and the conversation show them. Prices are in none of them."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from portal.changes.impact import Impact
from portal.changes.model import ChangeReason, PartKind, Way
from portal.changes.rules import After, Before, Piece
from portal.changes.rules_carrying import Carried, PeriodNow
from portal.changes.rules_impact import PeriodEffect, Stake, own_band, zone_after, zone_before
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
    PartKind.CARRY_OVER: N_("Carry over between periods"),
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
    Way.SELLER: N_("The seller asked for it, so both companies must agree."),
    Way.TERMS: N_("A place or a price changes, so both companies must agree."),
    Way.CARRY: N_("What was agreed for periods changes, so both companies must agree."),
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


def difference(kind: PartKind, before: Before, after: After, unit: str = "") -> str:
    """+200, 5 days later: what is different, in as few words as possible. unit: its name, where none stands beside."""
    total = sum((piece.quantity for piece in after.pieces), Decimal(0))
    more = total - (Decimal(0) if kind is PartKind.ADD else before.quantity)
    said = [i18n.NBSP.join(filter(None, (i18n.signed(more), unit)))] if more else []
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
                after=figure(sheet, effect, effect.after), low=i18n.number(period.low), high=i18n.number(period.high)
            )
    planned = {period.contract_line_id for period in sheet.periods}
    for stake in sheet.stakes:
        total = sum((piece.quantity for piece in stake.after.pieces), Decimal(0))
        low, high = own_band(stake)
        exists = stake.kind is not PartKind.ADD and stake.after.pieces
        if stake.contract_line_id not in planned and exists and not low <= total <= high:
            said = _("{total} are outside the band of {low} to {high}.")
            total_said = show_quantity(total, stake.before.unit)
            return said.format(total=total_said, low=i18n.number(low), high=i18n.number(high))
    return ""


def figure(sheet: Impact, effect: PeriodEffect, quantity: Decimal) -> str:
    """A total of a period in the unit of its deliveries."""
    units = {stake.contract_line_id: stake.before.unit for stake in sheet.stakes}
    unit = units.get(effect.period.contract_line_id)
    return show_quantity(quantity, unit) if unit else i18n.number(quantity)


def sentence(sheet: Impact) -> str:
    """The sheet in one sentence, and who must agree."""
    stop = "。" if i18n.language.get() is i18n.Language.ZH else ". "
    return f"{what(sheet)}{stop}{_(WAYS[sheet.way])}"


def what(sheet: Impact) -> str:
    """What is wanted, as short as it can be said."""
    pauses = {stake.pause for stake in sheet.stakes}
    if not sheet.carries and len(pauses) == 1 and None not in pauses:
        return pause(sheet.stakes)
    several = (
        [] if len(sheet.stakes) <= 1 else [ngettext("{n} delivery changes", "{n} deliveries change", len(sheet.stakes))]
    )
    said = [text.format(n=i18n.number(len(sheet.stakes))) for text in several]
    said = joined(sheet.stakes) or said
    said = said or [one_line(stake.kind, stake.before, stake.after) for stake in sheet.stakes]
    return ("；" if i18n.language.get() is i18n.Language.ZH else "; ").join([*said, *map(carry, sheet.carries[:3])])


def joined(stakes: Sequence[Stake]) -> list[str]:
    """2 deliveries become one: A100, 1,200 pcs on 22 Aug; nothing where one takes not exactly what the others give."""
    if sorted(stake.kind for stake in stakes) != [*[PartKind.CANCEL] * max(1, len(stakes) - 1), PartKind.CHANGE]:
        return []
    (one,) = (stake for stake in stakes if stake.kind is PartKind.CHANGE)
    total = sum((stake.before.quantity for stake in stakes), Decimal(0))
    several = len({stake.contract_line_id for stake in stakes}) > 1
    if several or [piece.quantity for piece in one.after.pieces] != [total]:
        return []
    text = _("{n} deliveries become one: {part}, {delivery}")
    n, delivery = i18n.number(len(stakes)), standing(one.before.unit, one.after.pieces)
    return [text.format(n=n, part=one.before.item, delivery=delivery)]


PAUSED_UNTIL = N_("{part}: no delivery from {since} to {until}; {deliveries} move to {day}")
PAUSED = N_("{part}: no delivery from {since} to {until}; {deliveries} move behind it")
DROPPED = N_("{part}: no delivery from {since} to {until}; {deliveries} fall away")


def pause(stakes: Sequence[Stake]) -> str:
    """A100: no delivery from 1 Aug to 15 Aug; 2 deliveries, 300 pcs, move to 16 Aug. All of one pause."""
    span = stakes[0].pause
    assert span is not None
    items = {stake.before.item for stake in stakes}
    parts = ngettext("{n} part", "{n} parts", len(items)).format(n=i18n.number(len(items)))
    behind = [piece for stake in stakes for piece in stake.after.pieces if piece.due_date > span.until]
    days = {piece.due_date for piece in behind}
    stays = sum((piece.quantity for stake in stakes for piece in stake.after.pieces if piece not in behind), Decimal(0))
    quantity = sum((stake.before.quantity for stake in stakes), Decimal(0)) - stays
    said = [ngettext("{n} delivery", "{n} deliveries", len(stakes)).format(n=i18n.number(len(stakes)))]
    if len(units := {stake.before.unit for stake in stakes}) == 1:
        said.append(show_quantity(quantity, units.pop()))
    text = (PAUSED_UNTIL if len(days) == 1 else PAUSED) if behind else DROPPED
    return _(text).format(
        part=items.pop() if len(items) == 1 else parts,
        since=i18n.day(span.since),
        until=i18n.day(span.until),
        deliveries=("、" if i18n.language.get() is i18n.Language.ZH else ", ").join(said),
        day=i18n.day(max(days)) if days else "",
    )


SHORT = N_("{part}: {quantity} missing in {source} count in {to}, whose target becomes {target}")
OVER = N_("{part}: {quantity} too much in {source} count in {to}, whose target becomes {target}")


def carry(one: Carried) -> str:
    """A100: 20 pcs missing in 1 Aug – 31 Aug count in 1 Sep – 30 Sep, whose target becomes 120 pcs."""
    return _(SHORT if one.quantity > 0 else OVER).format(
        part=one.item,
        quantity=show_quantity(abs(one.quantity), one.unit),
        source=period(one.source),
        to=period(one.to),
        target=show_quantity(one.to.target + one.quantity, one.unit),
    )


TARGET = N_("{period}: the target goes from {before} to {after}, and floor and ceiling with it.")


def target(one: Carried) -> str:
    """What a carry-over makes of the later period."""
    return _(TARGET).format(
        period=f"{one.item}{_(', ')}{period(one.to)}",
        before=i18n.number(one.to.target),
        after=show_quantity(one.to.target + one.quantity, one.unit),
    )


def period(one: PeriodNow) -> str:
    """From the first to the last day."""
    return f"{i18n.day(one.start)} – {i18n.day(one.end - DAY, year=True)}"


def asked_by(side: Side) -> str:
    """Whose wish it is."""
    return _("The seller asks") if side is Side.SELLER else _("The buyer asks")
