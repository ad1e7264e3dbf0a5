"""A release of a delivery schedule as a document: each delivery with its zone, and what changed since the last one."""

from dataclasses import dataclass

from portal.core import i18n
from portal.core.i18n import Language, _, ngettext, speaking
from portal.core.quantities import show_quantity
from portal.paper.document import Cell, Column, Document, Facts, Grid
from portal.schedules.reads_board import BoardHead, ReleaseLineRow
from portal.schedules.reads_contents import PartContents
from portal.schedules.reads_releases import Comparison
from portal.schedules.words import ZONE_NAMES, change_of, gone_word, sentence


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """A release beside the one before it, if there was one."""

    head: BoardHead
    found: Comparison
    factory: str
    time_zone: str


def release_document(content: ReleaseContent, language: Language) -> Document:
    """The release in one language."""
    head, release = content.head, content.found.release
    with speaking(language):
        title = _("Release {n}").format(n=release.number)
        return Document(
            language=language,
            kind=_("Delivery schedule"),
            title=f"{head.number} · {title}",
            sub=" · ".join((content.factory, head.party_name)),
            blocks=[Facts(_facts(content)), *_grids(content), *_parts(content)],
            foot=(f"{head.number} · {title}",),
            issuer=content.factory,
        )


def _facts(content: ReleaseContent) -> list[tuple[str, str]]:
    release, before = content.found.release, content.found.before
    said = sentence(content.found.difference, content.found.parts, before.number) if before else ""
    known = [
        (_("Published"), f"{i18n.moment(release.published_at, content.time_zone)} ({content.time_zone})"),
        (_("By"), release.published_by),
        (_("Zones count from"), i18n.day(release.calculated_on, year=True)),
        (_("Until"), i18n.day(release.horizon_end, year=True)),
        (_("Compared with"), _("Release {n}").format(n=before.number) if before else ""),
        (_("Change"), said),
        (_("Contact"), content.found.contents.contact),
        (_("Note"), release.note),
    ]
    return [(label, value) for label, value in known if value]


def _grids(content: ReleaseContent) -> list[Grid]:
    columns = (
        Column(_("Due"), 2),
        Column(_("Part"), 5),
        Column(_("Quantity"), 2, right=True),
        Column(_("Zone"), 2),
        Column(_("Change"), 2),
    )
    found, compared = content.found, content.found.before is not None
    title = ngettext("{n} delivery", "{n} deliveries", len(found.lines)).format(n=i18n.number(len(found.lines)))
    grids = [Grid(columns, [_row(line, change_of(line, compared)[1]) for line in found.lines], title)]
    if found.gone:
        grids.append(Grid(columns, [_row(line, gone_word(line)) for line in found.gone], _("No longer called off")))
    return grids


def _parts(content: ReleaseContent) -> list[Grid]:
    """What was known of each part when the release was made. Imported releases tell nothing of it."""
    told = content.found.contents.parts
    parts = [(part.item_code, told[part.id]) for part in content.found.parts.values() if part.id in told]
    if not parts:
        return []
    columns = (
        Column(_("Part"), 3),
        Column(_("Received in all"), 2, right=True),
        Column(_("In transit"), 2, right=True),
        Column(_("Backlog"), 2, right=True),
        Column(_("May be made until"), 2),
        Column(_("Material may be bought until"), 2),
    )
    return [Grid(columns, [_part_row(*one) for one in parts], _("As known at the release"))]


def _part_row(name: str, one: PartContents) -> list[Cell]:
    last = [f"{document.number} · {show_quantity(document.quantity, one.unit)}" for document in one.documents]
    return [
        Cell(name, [word for word in (one.revision, one.ship_to_code, one.unloading_point) if word]),
        Cell(show_quantity(one.cum_received, one.unit), last),
        Cell(show_quantity(one.in_transit, one.unit)),
        Cell(show_quantity(one.backlog, one.unit)),
        Cell(i18n.day(one.make_until, year=True)),
        Cell(i18n.day(one.buy_until, year=True)),
    ]


def _row(line: ReleaseLineRow, change: str) -> list[Cell]:
    return [
        Cell(i18n.day(line.due_date, year=True), [i18n.weekday(line.due_date)]),
        Cell(line.item_code, [line.description]),
        Cell(show_quantity(line.quantity, line.unit)),
        Cell(_(ZONE_NAMES[line.zone])),
        Cell(change or "–"),
    ]
