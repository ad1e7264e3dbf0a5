"""The words for zones and for what changed in a release, as pages and documents show them."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from portal.core import i18n
from portal.core.i18n import N_, _, ngettext
from portal.core.quantities import show_quantity
from portal.schedules.model import Zone
from portal.schedules.reads_board import ReleaseLineRow
from portal.schedules.reads_next import Kept
from portal.schedules.reads_releases import Part
from portal.schedules.rules import RejectReason
from portal.schedules.rules_difference import ChangeKind, Difference, PartChange
from portal.schedules.rules_grid import By
from portal.schedules.rules_packs import PackWarning

ZONES: tuple[tuple[Zone, str, str], ...] = (
    (Zone.FIRM, N_("Firm"), N_("Quantity and date are binding")),
    (Zone.TRADEOFF, N_("Trade-off"), N_("±{percent} % by agreement")),
    (Zone.FORECAST, N_("Forecast"), N_("For planning only")),
)
ZONE_NAMES = {zone.value: name for zone, name, _rule in ZONES}
REASONS: dict[RejectReason, str] = {
    RejectReason.MATERIAL: N_("Material is missing"),
    RejectReason.CAPACITY: N_("No capacity"),
    RejectReason.TRANSPORT: N_("No transport"),
    RejectReason.LEAD_TIME: N_("Asked too late"),
    RejectReason.PRICE: N_("Price not agreed"),
    RejectReason.NOT_AGREED: N_("Not what the contract says"),
    RejectReason.OTHER: N_("Another reason"),
}


def change_of(line: ReleaseLineRow, compared: bool) -> tuple[str, str]:
    """(kind, words) of one line against the release before: new, up, down, moved or same."""
    if not compared:
        return "same", ""
    if line.regrouped:
        return "moved", _(CHANGES[ChangeKind.REGROUPED])
    if line.earlier_quantity is None or line.earlier_date is None:
        return "new", _("New")
    difference = line.quantity - line.earlier_quantity
    if difference:
        kind = "up" if difference > 0 else "down"
        moved = line.due_date != line.earlier_date
        said = [i18n.signed(difference), _("was {day}").format(day=i18n.day(line.earlier_date))] if moved else []
        return kind, " · ".join(said) or i18n.signed(difference)
    if line.due_date != line.earlier_date:
        return "moved", _("Was {day}").format(day=i18n.day(line.earlier_date))
    return "same", ""


CHANGES: dict[ChangeKind, str] = {
    ChangeKind.NEW: N_("New"),
    ChangeKind.UP: N_("Increased"),
    ChangeKind.DOWN: N_("Decreased"),
    ChangeKind.MOVED: N_("Moved"),
    ChangeKind.GONE: N_("Gone"),
    ChangeKind.REGROUPED: N_("Split or joined"),
    ChangeKind.SAME: N_("Unchanged"),
}


def gone_word(line: ReleaseLineRow) -> str:
    """What became of a line that the later release no longer has."""
    return _(CHANGES[ChangeKind.REGROUPED if line.regrouped else ChangeKind.GONE])


def sentence(difference: Difference, parts: Mapping[UUID, Part], against: int) -> str:
    """What changed against another release, in one sentence: how many deliveries, and the largest difference."""
    if not difference.changed:
        return _("Nothing changed against release {n}.").format(n=against)
    counts = difference.counts
    told = [
        text.format(n=i18n.number(counts[kind]))
        for kind, text in (
            (ChangeKind.UP, ngettext("{n} increased", "{n} increased", counts[ChangeKind.UP])),
            (ChangeKind.DOWN, ngettext("{n} decreased", "{n} decreased", counts[ChangeKind.DOWN])),
            (ChangeKind.MOVED, ngettext("{n} moved", "{n} moved", counts[ChangeKind.MOVED])),
            (ChangeKind.NEW, ngettext("{n} is new", "{n} are new", counts[ChangeKind.NEW])),
            (ChangeKind.GONE, ngettext("{n} is gone", "{n} are gone", counts[ChangeKind.GONE])),
            (
                ChangeKind.REGROUPED,
                ngettext("{n} split or joined", "{n} split or joined", counts[ChangeKind.REGROUPED]),
            ),
        )
        if counts[kind]
    ]
    listed = ("、" if i18n.language.get() is i18n.Language.ZH else ", ").join(told)
    if not difference.parts:
        return _("Against release {n}: {changes}; in all the same quantity on every day.").format(
            n=against, changes=listed
        )
    most = max(difference.parts, key=lambda part: abs(part.most))
    return _("Against release {n}: {changes}; the most for {part}, {difference} by {day}.").format(
        n=against, changes=listed, part=parts[most.part_id].item_code, difference=cumulative_words(most, parts),
        day=i18n.day(most.most_on, year=True),
    )  # fmt: skip


def cumulative_words(change: PartChange, parts: Mapping[UUID, Part]) -> str:
    """The largest difference of the running totals, with its sign: +80 pcs or -80 pcs."""
    sign = "+" if change.most > 0 else i18n.MINUS
    return f"{sign}{show_quantity(abs(change.most), parts[change.part_id].unit)}"


def kept_sentence(kept: Kept) -> str:
    """What the firm zone keeps of one wanted delivery."""
    data = {
        "part": kept.item_code,
        "wanted": show_quantity(kept.wanted_quantity, kept.unit),
        "day": i18n.day(kept.wanted_date, year=True),
        "told": show_quantity(kept.told_quantity, kept.unit),
        "told_day": i18n.day(kept.told_date, year=True),
    }
    if not kept.firm:
        return _("{part}: {wanted} wanted on {day}, never told: asked for on {told_day}, after the firm zone.").format(
            **data
        )
    if kept.rest_quantity is None or kept.rest_date is None:
        return _("{part}: {wanted} wanted on {day}, told and firm: it stays {told} on {told_day}.").format(**data)
    rest = {"rest": show_quantity(kept.rest_quantity, kept.unit), "rest_day": i18n.day(kept.rest_date, year=True)}
    return _(
        "{part}: {wanted} wanted on {day}, told and firm: {told} on {told_day}, and {rest} on {rest_day} as a delivery"
        " of its own."
    ).format(**data, **rest)


def pack_sentence(found: PackWarning, column: str) -> str:
    """Which quantity does not fill its packs, and which two would. column: how the reader's grid names it."""
    data = {
        "part": found.part,
        "column": column,
        "quantity": show_quantity(found.quantity, found.unit),
        "pack": show_quantity(found.pack_size, found.unit),
        "above": show_quantity(found.above, found.unit),
    }
    if found.below is None:
        return _(
            "{part}, {column}: {quantity} is not a multiple of the pack size {pack}. The least is {above}."
        ).format(**data)
    data["below"] = show_quantity(found.below, found.unit)
    return _(
        "{part}, {column}: {quantity} is not a multiple of the pack size {pack}. The nearest are {below} and {above}."
    ).format(**data)


def column_words(by: By, first: date) -> str:
    """Wk 50 (7 Dec 2026), or 7 Dec 2026."""
    day = i18n.day(first, year=True)
    return _("{week} ({day})").format(week=i18n.week(first), day=day) if by is By.WEEK else day
