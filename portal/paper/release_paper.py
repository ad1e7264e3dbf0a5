"""A release of a delivery schedule as a document: each delivery with its zone, and what changed since the last one."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.core import i18n
from portal.core.i18n import Language, _, ngettext, speaking
from portal.core.quantities import show_quantity
from portal.paper.document import Cell, Column, Document, Facts, Grid
from portal.schedules.reads_board import BoardHead, ReleaseLineRow, ReleaseRow
from portal.schedules.words import ZONE_NAMES, change_of


@dataclass(frozen=True, slots=True)
class ReleaseContent:
    """A release beside the one before it, if there was one."""

    head: BoardHead
    release: ReleaseRow
    before: ReleaseRow | None
    lines: Sequence[ReleaseLineRow]
    gone: Sequence[ReleaseLineRow]
    factory: str
    time_zone: str


def release_document(content: ReleaseContent, language: Language) -> Document:
    """The release in one language."""
    head, release = content.head, content.release
    with speaking(language):
        title = _("Release {n}").format(n=release.number)
        return Document(
            language=language,
            kind=_("Delivery schedule"),
            title=f"{head.number} · {title}",
            sub=" · ".join((content.factory, head.party_name)),
            blocks=[Facts(_facts(content)), *_grids(content)],
            foot=(f"{head.number} · {title}",),
            issuer=content.factory,
        )


def _facts(content: ReleaseContent) -> list[tuple[str, str]]:
    release = content.release
    known = [
        (_("Published"), f"{i18n.moment(release.published_at, content.time_zone)} ({content.time_zone})"),
        (_("By"), release.published_by),
        (_("Zones count from"), i18n.day(release.calculated_on, year=True)),
        (_("Until"), i18n.day(release.horizon_end, year=True)),
        (_("Compared with"), _("Release {n}").format(n=content.before.number) if content.before else ""),
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
    compared = content.before is not None
    title = ngettext("{n} delivery", "{n} deliveries", len(content.lines)).format(n=i18n.number(len(content.lines)))
    found = [Grid(columns, [_row(line, change_of(line, compared)[1]) for line in content.lines], title)]
    if content.gone:
        found.append(Grid(columns, [_row(line, _("Gone")) for line in content.gone], _("No longer called off")))
    return found


def _row(line: ReleaseLineRow, change: str) -> list[Cell]:
    return [
        Cell(i18n.day(line.due_date, year=True), [i18n.weekday(line.due_date)]),
        Cell(line.item_code, [line.description]),
        Cell(show_quantity(line.quantity, line.unit)),
        Cell(_(ZONE_NAMES[line.zone])),
        Cell(change or "–"),
    ]
