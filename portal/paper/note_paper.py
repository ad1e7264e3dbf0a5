"""A delivery note as a document: what travels, in which packages, with the code that opens its receipt."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from portal.core import i18n
from portal.core.i18n import Language, _, ngettext, speaking
from portal.core.quantities import show_quantity
from portal.paper.document import Cell, Code, Column, Document, Facts, Grid, Parties, Signatures
from portal.shipments.model import ShipmentStatus
from portal.shipments.reads import CountedRow, NoteLine, ShipmentRow
from portal.shipments.words import packing


@dataclass(frozen=True, slots=True)
class NoteContent:
    """A delivery note as the reader may see it."""

    row: ShipmentRow
    lines: Sequence[NoteLine]
    factory: str
    address: str  # what the code says


def note_document(note: NoteContent, language: Language) -> Document:
    """The delivery note in one language. A withdrawn one says so across every page."""
    row = note.row
    with speaking(language):
        number = _("Delivery note {number}").format(number=row.number)
        return Document(
            language=language,
            kind=_("Delivery note"),
            title=row.number,
            sub=_("Shipped on {day}").format(day=i18n.day(row.shipped_on, year=True)),
            blocks=[
                _parties(note),
                Facts(_facts(row)),
                _lines(note.lines),
                Code(
                    drawing(note.address),
                    _("Scan to receive {number}: {address}").format(number=row.number, address=note.address),
                ),
                Signatures([_("Shipped by (name, date, signature)"), _("Received by (name, date, signature)")]),
            ],
            foot=(number,),
            issuer=note.factory,
            mark=_("WITHDRAWN") if row.status == ShipmentStatus.WITHDRAWN else "",
        )


def drawing(address: str) -> str:
    """The code of an address as SVG."""
    import segno

    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(out, kind="svg", scale=4, border=2)
    return out.getvalue().decode()


def _parties(note: NoteContent) -> Parties:
    seller, buyer = note.row.sides(note.factory)
    return Parties([(_("From"), seller, ""), (_("To"), buyer, note.row.ship_to_code)])


def _facts(row: ShipmentRow) -> list[tuple[str, str]]:
    known = [
        (_("Expected on"), i18n.day(row.expected_on, year=True) if row.expected_on else ""),
        (_("Carrier"), row.carrier),
        (_("Truck"), row.vehicle),
        (_("Order"), row.order_no),
        (_("Note"), row.note),
    ]
    return [(label, value) for label, value in known if value]


def _lines(lines: Sequence[NoteLine]) -> Grid:
    columns = (
        Column(_("No."), 0),
        Column(_("Part"), 5),
        Column(_("Quantity"), 2, right=True),
        Column(_("Packages"), 3),
        Column(_("Order"), 3),
    )
    title = ngettext("{n} line", "{n} lines", len(lines)).format(n=i18n.number(len(lines)))
    return Grid(columns, [_line(line) for line in lines], title)


def described(line: NoteLine | CountedRow) -> list[str]:
    """What stands below a part's code; empty where there is none."""
    other = line.partner_part_no if line.partner_part_no != line.item_code else ""
    return [line.description, _("partner's number {number}").format(number=other) if other else ""]


def _line(line: NoteLine) -> list[Cell]:
    part = described(line)
    part.append(_("revision {revision}").format(revision=line.revision) if line.revision else "")
    packed = [_("Lot {lot}").format(lot=line.lot) if line.lot else ""]
    place = [_("Contract {number}").format(number=line.contract_number), line.unloading_point]
    return [
        Cell(str(line.line_no)),
        Cell(line.item_code, [text for text in part if text]),
        Cell(show_quantity(line.quantity, line.unit)),
        Cell(packing(line.packages, line.package_size) or "–", [text for text in packed if text]),
        Cell(line.order_no or "–", [text for text in place if text]),
    ]
