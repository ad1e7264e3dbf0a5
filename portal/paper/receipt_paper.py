"""A goods receipt as a document: what was announced, what arrived, what was turned back and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.core import i18n
from portal.core.i18n import Language, _, ngettext, speaking
from portal.core.quantities import show_quantity
from portal.paper.document import Cell, Column, Document, Facts, Grid, Parties, Signatures
from portal.paper.note_paper import described
from portal.shipments.reads import CountedRow, ReceiptRow, ShipmentRow
from portal.shipments.words import difference


@dataclass(frozen=True, slots=True)
class ReceiptContent:
    """A posted receipt as the reader may see it."""

    row: ReceiptRow
    shipment: ShipmentRow
    lines: Sequence[CountedRow]
    photos: int
    factory: str
    zone: str


def receipt_document(receipt: ReceiptContent, language: Language) -> Document:
    """The receipt in one language. One that a correction replaced says so across every page."""
    row = receipt.row
    with speaking(language):
        return Document(
            language=language,
            kind=_("Goods receipt"),
            title=row.number,
            sub=_("Received on {day}").format(day=i18n.day(row.received_on, year=True)),
            blocks=[
                _parties(receipt),
                Facts(_facts(receipt)),
                _lines(receipt.lines),
                Signatures([_("Handed over by (name, date, signature)"), _("Received by (name, date, signature)")]),
            ],
            foot=(_("Receipt {number}").format(number=row.number),),
            issuer=receipt.factory,
            mark=_("REPLACED") if row.replaced_by else "",
        )


def _parties(receipt: ReceiptContent) -> Parties:
    shipment = receipt.shipment
    seller, buyer = shipment.sides(receipt.factory)
    return Parties([(_("From"), seller, ""), (_("Received by"), buyer, shipment.ship_to_code)])


def _facts(receipt: ReceiptContent) -> list[tuple[str, str]]:
    row, shipment = receipt.row, receipt.shipment
    photos = i18n.number(receipt.photos)
    known = [
        (_("Delivery note"), shipment.number),
        (_("Shipped"), i18n.day(shipment.shipped_on, year=True)),
        (_("Carrier"), shipment.carrier),
        (_("Truck"), shipment.vehicle),
        (_("Posted"), i18n.moment(row.posted_at, receipt.zone)),
        (_("Counted by"), row.member_name or ""),
        (_("Photos"), ngettext("{n} photo", "{n} photos", receipt.photos).format(n=photos) if receipt.photos else ""),
        (_("Note"), row.note),
    ]
    return [(label, value) for label, value in known if value]


def _lines(lines: Sequence[CountedRow]) -> Grid:
    columns = (
        Column(_("No."), 0),
        Column(_("Part"), 4),
        Column(_("Announced"), 2, right=True),
        Column(_("Accepted quantity"), 2, right=True),
        Column(_("Rejected quantity"), 2, right=True),
        Column(_("Difference"), 4),
    )
    title = ngettext("{n} line", "{n} lines", len(lines)).format(n=i18n.number(len(lines)))
    return Grid(columns, [_line(no, line) for no, line in enumerate(lines, start=1)], title)


def _line(no: int, line: CountedRow) -> list[Cell]:
    part = [*described(line), _("Contract {number}").format(number=line.contract_number)]
    return [
        Cell(str(no)),
        Cell(line.item_code, [text for text in part if text]),
        Cell(show_quantity(line.announced, line.unit)),
        Cell(show_quantity(line.accepted, line.unit)),
        Cell(show_quantity(line.rejected, line.unit) if line.rejected else "–"),
        Cell(
            difference(line.rejected, line.short, line.unit, line.problem) or _("Complete"),
            [line.note] if line.note else [],
        ),
    ]
