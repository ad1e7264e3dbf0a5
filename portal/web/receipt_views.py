"""What the pages of receipts show: what waits to be counted, the count itself, and what was posted."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from portal.contracts.parts import part_of
from portal.core import clock, i18n, paging
from portal.core.access import Permission
from portal.core.actor import Actor, Direction
from portal.core.db import read, unit_of_work
from portal.core.errors import PortalError
from portal.core.i18n import _
from portal.core.ids import uuid7
from portal.core.quantities import ONE, show_quantity
from portal.shipments import files, reads
from portal.shipments.reads import CountedRow, NoteLine, ReceiptRow, ShipmentRow
from portal.shipments.rules import ON_THE_WAY
from portal.shipments.rules_documents import may_correct
from portal.shipments.words import PROBLEMS, difference, packing
from portal.web.pages import unit_name
from portal.web.shipment_forms import Count
from portal.web.shipment_views import contents
from portal.web.typed import plain
from portal.web.views import CountLine, Link, Photo, ReceiptView

SIZE = 50
WAITING = 100  # delivery notes offered before the posted receipts


class Scan(Struct, frozen=True):
    """The first step: the code by camera, or the number typed."""

    action: str
    back_href: str
    error: str = ""


def scan_view(error: str = "") -> Scan:
    """The scan page."""
    return Scan("/scan", "/receipts", error)


async def find(actor: Actor, typed: str) -> list[UUID]:
    """The delivery notes behind what was scanned or typed: our own address, its code, or the number."""
    text = typed.strip().rpartition("/r/")[2]
    async with read(actor) as connection:
        return await reads.find_shipments(connection, actor, typed=text) or await reads.find_shipments(
            connection, actor, token=text
        )


async def landing(actor: Actor, shipment_id: UUID) -> str:
    """Where a scanned delivery note leads: to its count while it waits for this reader's, else to the note."""
    async with read(actor) as connection:
        row = await reads.get_shipment(connection, actor, shipment_id)
    return f"/receipts/new?shipment={row.id}" if may_count(actor, row) else f"/shipments/{row.id}"


def may_count(actor: Actor, row: ShipmentRow) -> bool:
    """Whether this reader is the one who receives it, and it still waits."""
    buys = Direction.PURCHASE if actor.is_factory else Direction.SALE
    return row.status in ON_THE_WAY and row.direction == buys and actor.may(Permission.RECEIVE)


# --- lists ------------------------------------------------------------------------------------------------------------


async def list_context(actor: Actor, cursor: str | None) -> dict[str, Any]:
    """What `shipments/receipts.html` shows."""
    after = paging.decode(cursor, date.fromisoformat, UUID) if cursor else None
    async with read(actor) as connection:
        waiting = [] if after else await reads.to_receive(connection, actor, WAITING)
        rows = await reads.list_receipts(connection, actor, after, SIZE)
    more = rows[SIZE - 1] if len(rows) > SIZE else None
    return {
        "waiting": waiting,
        "contents": {row.id: contents(actor, row) for row in waiting},
        "rows": rows[:SIZE],
        "goods": {row.id: goods(actor, row) for row in rows},
        "can_receive": actor.may(Permission.RECEIVE),
        "factory": actor.is_factory,
        "next_href": f"/receipts?cursor={paging.encode(more.received_on, more.id)}" if more else None,
        "first_href": "/receipts" if cursor else None,
    }


def goods(actor: Actor, row: ReceiptRow) -> str:
    """A100 760 pcs, and how many lines more."""
    first = f"{part_of(row, actor)} {show_quantity(row.accepted, row.unit)}"
    more = row.lines - 1
    return first if more < 1 else _("{first} and {n} more").format(first=first, n=i18n.number(more))


# --- counting ---------------------------------------------------------------------------------------------------------


async def count_view(
    actor: Actor, shipment_id: UUID, factory_name: str, count: Count | None = None, error: PortalError | None = None
) -> ReceiptView:
    """The count of a delivery note. Raises the error itself when nothing is left to count."""
    async with read(actor) as connection:
        row = await reads.get_shipment(connection, actor, shipment_id)
        lines = await reads.note_lines(connection, actor, shipment_id)
    open_lines = [line for line in lines if line.receipt_id is None]
    if error is not None and not (open_lines and may_count(actor, row)):
        raise error
    return ReceiptView(
        number=row.number,
        action=f"/shipments/{shipment_id}/receipts",
        back_href="/receipts",
        scan_href="/scan",
        version=row.version,
        request_id=str(uuid7()),
        facts=arrival(row, factory_name),
        lines=tuple(_count_line(actor, line, count, error) for line in open_lines),
        reasons=reasons(),
        error=_general(count, error),
    )


async def correction_view(
    actor: Actor, receipt_id: UUID, factory_name: str, count: Count | None = None, error: PortalError | None = None
) -> ReceiptView:
    """The count again, with the figures of the receipt that is corrected."""
    async with read(actor) as connection:
        receipt = await reads.get_receipt(connection, actor, receipt_id)
        row = await reads.get_shipment(connection, actor, receipt.shipment_id)
        lines = await reads.note_lines(connection, actor, receipt.shipment_id)
        counted = {line.shipment_line_id: line for line in await reads.counted_rows(connection, actor, receipt_id)}
    return ReceiptView(
        number=row.number,
        action=f"/receipts/{receipt_id}/correct",
        back_href=f"/receipts/{receipt_id}",
        scan_href="/scan",
        version=row.version,
        request_id=str(uuid7()),
        facts=(*arrival(row, factory_name)[:2], (_("Corrects"), receipt.number)),
        lines=tuple(_count_line(actor, line, count, error, counted[line.id]) for line in lines if line.id in counted),
        reasons=reasons(),
        error=_general(count, error),
    )


def arrival(row: ShipmentRow, factory_name: str) -> tuple[Link, ...]:
    """From whom, on which truck, since when; only what is known."""
    seller, _buyer = row.sides(factory_name)
    known = [(_("From"), seller), (_("Truck"), row.vehicle), (_("Shipped"), i18n.day(row.shipped_on))]
    return tuple((label, value) for label, value in known if value)


def reasons() -> tuple[Link, ...]:
    """What may have happened to a difference, as (value, label)."""
    return tuple((problem.value, _(label)) for problem, label in PROBLEMS.items())


def _count_line(
    actor: Actor, line: NoteLine, count: Count | None, error: PortalError | None, was: CountedRow | None = None
) -> CountLine:
    """One line to count: as announced, as it was counted before, or as it was typed before a refusal."""
    typed = count.typed if count else {}
    said = [str(one) for one in error.each() if count.line_of(one) == str(line.id)] if count and error else []
    first = plain(was.accepted) if was else plain(line.quantity)
    return CountLine(
        id=str(line.id),
        part=part_of(line, actor),
        name=line.description,
        packing=packing(line.packages, line.package_size),
        announced=i18n.number(line.quantity),
        announced_plain=plain(line.quantity),
        step=plain(line.package_size or Decimal(1)),
        received=typed.get(f"received.{line.id}", first),
        unit=unit_name(line.unit),
        one=ONE.get(unit_name(line.unit), unit_name(line.unit)),
        reason=typed.get(f"reason.{line.id}", (was.problem or "") if was else ""),
        note=typed.get(f"note.{line.id}", was.note if was else ""),
        error=i18n.sentences(*said),
    )


def _general(count: Count | None, error: PortalError | None) -> str:
    """The refusal, less what a line of the page shows."""
    found = () if error is None else error.each()
    return i18n.sentences(*(str(one) for one in found if count is None or not count.line_of(one)))


# --- posted -----------------------------------------------------------------------------------------------------------


async def posted_context(actor: Actor, receipt_id: UUID, factory_name: str) -> dict[str, Any]:
    """What `shipments/posted.html` shows."""
    async with read(actor) as connection:
        row = await reads.get_receipt(connection, actor, receipt_id)
        shipment = await reads.get_shipment(connection, actor, row.shipment_id)
        lines = await reads.counted_rows(connection, actor, receipt_id)
    async with unit_of_work(actor) as session:
        photos = await files.of_receipt(session, actor, receipt_id)
    side = actor.side_on(Direction(row.direction))
    correctable = may_correct(side, row.posted_at, clock.now(), row.replaced_by is not None)
    seller, buyer = shipment.sides(factory_name)
    return {
        "row": row,
        "lines": [
            (line, part_of(line, actor), difference(line.rejected, line.short, line.unit, line.problem))
            for line in lines
        ],
        "photos": [
            Photo(f"/photos/{photo.id}", _("Photo {n} of receipt {number}").format(n=no, number=row.number))
            for no, photo in enumerate(photos, start=1)
        ],
        "can_correct": correctable and actor.may(Permission.RECEIVE),
        "facts": posted_facts(row, seller, buyer, actor.time_zone),
    }


def posted_facts(row: ReceiptRow, seller: str, buyer: str, zone: str) -> list[tuple[str, str]]:
    """The head of a receipt in words; only what is known."""
    known = [
        (_("From"), seller),
        (_("Received by"), buyer),
        (_("Received on"), i18n.day(row.received_on, year=True)),
        (_("Posted"), i18n.moment(row.posted_at, zone)),
        (_("Counted by"), row.member_name or ""),
        (_("Note"), row.note),
    ]
    return [(label, value) for label, value in known if value]
